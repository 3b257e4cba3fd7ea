"""What staff call lists on their way in."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("proxies", "0013_failed_checks_of_targets")]

    operations = [
        migrations.AlterModelOptions(
            name="importupload", options={"ordering": ("-id",), "verbose_name": "import"}
        ),
    ]
