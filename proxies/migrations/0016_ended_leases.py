"""How leases of the last day went at each target is read from an index alone."""

from django.db import migrations, models

from project.db.indexes import AddIndexOnline


class Migration(migrations.Migration):
    """A partial index: leases that stand are not in it, and cost nothing more to write."""

    atomic = False
    dependencies = [("proxies", "0015_imports_in_parts")]

    operations = [
        AddIndexOnline(
            model_name="lease",
            index=models.Index(
                fields=["ended_at", "target", "outcome"],
                name="lease_ended",
                condition=models.Q(("ended_at__isnull", False)),
            ),
        ),
    ]
