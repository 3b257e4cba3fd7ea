"""How often a proxy was lent in a window."""

from django.db import migrations, models

from project.db.indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("proxies", "0011_leases_of_owners")]

    operations = [
        AddIndexOnline(
            model_name="lease",
            index=models.Index(fields=["proxy", "acquired_at"], name="lease_proxy_uses"),
        ),
    ]
