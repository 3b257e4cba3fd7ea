"""Seeds the app's periodic jobs."""

from django.db import migrations

from project.core import schedules


def seed(apps, schema_editor):
    schedules.seed(
        apps,
        name="Fetch proxy lists",
        kind="proxies.fetch",
        when=schedules.Every(seconds=60),
        description="Fetches the sources that are due; each has its own interval.",
    )
    schedules.seed(
        apps,
        name="Validate proxies",
        kind="proxies.validate",
        when=schedules.Every(seconds=300),
        description="Checks the proxies that are due, the never checked first.",
    )
    schedules.seed(
        apps,
        name="End leases that ran out",
        kind="proxies.sweep",
        when=schedules.Every(seconds=60),
        description="Closes the records of leases that nobody gave back.",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("proxies", "0002_policies"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
