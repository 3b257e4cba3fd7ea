"""Seeds the job that tells the ETL endpoint of the pools."""

from django.db import migrations

from project.core import schedules


def seed(apps, schema_editor):
    schedules.seed(
        apps,
        name="schedule_etl_sync",
        kind="core.etl_sync",
        when=schedules.Every(seconds=300),
        description="Sends a snapshot of the proxy pools to ETL_URL, or into a folder.",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("proxies", "0005_etl"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
