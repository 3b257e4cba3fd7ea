"""How often in a row checks did not reach a target."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("proxies", "0012_uses_of_proxies")]

    operations = [
        migrations.AddField(
            model_name="targetstate",
            name="check_failures",
            # with a default of the database's own: leases make rows by hand
            field=models.PositiveIntegerField(
                db_default=0, default=0, help_text="checks in a row that did not reach it"
            ),
        ),
    ]
