"""Seeds the job that remembers the key figures."""

from django.db import migrations

from project.core import schedules


def seed(apps, schema_editor):
    schedules.seed(
        apps,
        name="Remember key figures",
        kind="core.figures",
        when=schedules.Every(300),
        description="Writes the dashboard's figures down, for their trends.",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0005_console"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
