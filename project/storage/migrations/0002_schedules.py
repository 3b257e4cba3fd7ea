"""Seeds the periodic jobs of backups and pool statistics."""

from django.db import migrations

from project.core import schedules


def seed(apps, schema_editor):
    schedules.seed(
        apps,
        name="Back up",
        kind="core.backup",
        when=schedules.Daily(2),
        description="Backs the database up, verifies it, drops backups over 30 days.",
    )
    schedules.seed(
        apps,
        name="Thin pool statistics",
        kind="storage.thin",
        when=schedules.Every(3600),
        description="Makes old statistics of the database pools coarser, drops the oldest.",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("storage", "0001_first"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
