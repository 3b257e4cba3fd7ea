"""Quality summaries in pieces of time as well; the job that makes pieces ahead."""

from django.db import migrations

from project.core import schedules
from project.db.partitions.operations import PutIntoPieces


def seed(apps, schema_editor):
    schedules.seed(
        apps,
        name="Make partitions ahead",
        kind="markets.partition",
        when=schedules.Daily(hour=3),
        description="Makes the monthly partitions of this month and the next three (PostgreSQL).",
    )


class Migration(migrations.Migration):
    dependencies = [("markets", "0003_findings")]
    operations = [
        # made in months by 0001; here TimescaleDB takes it over where that is installed
        PutIntoPieces("markets_candle", "open_time", segment_by="series_id"),
        PutIntoPieces("markets_qualitysummary", "start_ms", segment_by="series_id"),
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
