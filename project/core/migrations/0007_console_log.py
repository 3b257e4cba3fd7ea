"""Takes over what Django's own log of the console holds from before there was an audit trail.

Since then each deed was in both; from now on the trail alone is written.
"""

from datetime import timedelta

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db import migrations

_ACTS = {1: "added", 2: "changed", 3: "deleted"}
_AT_ONCE = 1_000
#: The first deed of the trail was in Django's log a moment before.
_SAME = timedelta(seconds=1)


def take_over(apps, schema_editor):
    trail, log = apps.get_model("core", "AuditEntry"), apps.get_model("admin", "LogEntry")
    rows = log.objects.select_related("user", "content_type").order_by("pk")
    first = trail.objects.order_by("at").values_list("at", flat=True).first()
    if first is not None:
        rows = rows.filter(action_time__lt=first - _SAME)
    found = []
    for row in rows.iterator(_AT_ONCE):
        found.append(_entry(trail, row))
        if len(found) == _AT_ONCE:
            trail.objects.bulk_create(found)
            found = []
    trail.objects.bulk_create(found)


def _entry(trail, row):
    about = row.content_type
    told = LogEntry(action_flag=row.action_flag, change_message=row.change_message)
    return trail(
        at=row.action_time,
        user_id=row.user_id,
        user_name=row.user.email,
        act=_ACTS.get(row.action_flag, "done"),
        model=f"{about.app_label}.{about.model}"[:60] if about else "",
        object_id=(row.object_id or "")[:60],
        object_name=row.object_repr[:200],
        said=str(told.get_change_message())[:1_000],
    )


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0006_figures_job"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [migrations.RunPython(take_over, migrations.RunPython.noop)]
