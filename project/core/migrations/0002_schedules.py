"""Seeds the floor's periodic jobs."""

from django.db import migrations

from project.core import schedules


def seed(apps, schema_editor):
    schedules.seed(
        apps,
        name="Clean up",
        kind="core.clean_up",
        when=schedules.Daily(3, 30),
        description="Drops old runs and the details of their events.",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0001_first"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
