"""The trail says by which way something was done; until now that was the console alone."""

from django.db import migrations, models

_CHANNELS = [
    ("console", "Console"),
    ("api", "API"),
    ("account", "Account pages"),
    ("command", "Command line"),
    ("system", "System"),
]


class Migration(migrations.Migration):
    dependencies = [("core", "0007_console_log")]
    operations = [
        migrations.AddField(
            model_name="auditentry",
            name="address",
            field=models.GenericIPAddressField(
                blank=True, help_text="of the client", null=True
            ),
        ),
        migrations.AddField(
            model_name="auditentry",
            name="channel",
            field=models.CharField(choices=_CHANNELS, default="console", max_length=10),
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="channel",
            field=models.CharField(choices=_CHANNELS, default="system", max_length=10),
        ),
        migrations.AddField(
            model_name="auditentry",
            name="key_id",
            field=models.BigIntegerField(
                blank=True, help_text="the API key it was done with", null=True
            ),
        ),
    ]
