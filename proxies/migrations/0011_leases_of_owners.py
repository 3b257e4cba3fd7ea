"""What a user holds now: for quotas."""

from django.db import migrations, models

from project.db.indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("proxies", "0010_policies_as_settings_say")]

    operations = [
        AddIndexOnline(
            model_name="lease",
            index=models.Index(
                condition=models.Q(("state", "active")),
                fields=["requested_by", "expires_at"],
                name="lease_owner_active",
            ),
        ),
    ]
