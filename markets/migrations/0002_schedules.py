"""Seeds the app's periodic jobs."""

from django.db import migrations

from project.core import schedules


def seed(apps, schema_editor):
    schedules.seed(
        apps,
        name="Collect candles",
        kind="markets.collect",
        when=schedules.Every(60),
        description="Runs every enabled collector: what is new since its last candle.",
    )
    schedules.seed(
        apps,
        name="Check quality",
        kind="markets.quality",
        when=schedules.Every(600),
        description="Finds gaps, keeps their ledger, and makes backfill tasks for them.",
    )
    schedules.seed(
        apps,
        name="Sweep backfill tasks",
        kind="markets.backfill",
        when=schedules.Every(300),
        description="Starts the backfill tasks that wait or are due for another try.",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("markets", "0001_first"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
