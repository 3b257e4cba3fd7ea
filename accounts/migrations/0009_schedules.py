"""Seeds the periodic job that tries webhooks again."""

from django.db import migrations

from project.core import schedules


def seed(apps, schema_editor):
    schedules.seed(
        apps,
        name="Deliver webhooks",
        kind="accounts.deliver",
        when=schedules.Every(60),
        description="Tries again what webhooks did not take; new messages are sent at once.",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_webhooks"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
