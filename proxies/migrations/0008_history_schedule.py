"""Seeds the job that remembers how the pools look."""

from django.db import migrations

from project.core import schedules


def seed(apps, schema_editor):
    schedules.seed(
        apps,
        name="Remember how the pools look",
        kind="proxies.snapshot",
        when=schedules.Every(seconds=60),
        description="Writes sizes, scores and latencies of the pools, and thins what is old.",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("proxies", "0007_history"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
