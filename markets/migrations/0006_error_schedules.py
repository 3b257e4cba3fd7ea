"""Seeds the jobs that try failed backfills again and drop what is old."""

from django.db import migrations

from project.core import schedules


def seed(apps, schema_editor):
    schedules.seed(
        apps,
        name="Try failed backfills again",
        kind="markets.retry_failed_tasks",
        when=schedules.Daily(hour=4),
        description="Tries backfill tasks again that failed in the last week for a passing reason.",
    )
    schedules.seed(
        apps,
        name="Clean up markets",
        kind="markets.clean_up",
        when=schedules.Daily(hour=4, minute=30),
        description="Drops old failures, ended tasks, closed gaps and alerts, and findings.",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("markets", "0005_errors"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
