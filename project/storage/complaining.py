"""What is wrong with backups and database pools, for health and the dashboard."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.migrations.recorder import MigrationRecorder
from django.urls import reverse

from project.core import issues
from project.core.choices import RunStatus
from project.core.issues import AMBER, RED, Issue
from project.core.models import Run
from project.db.findings import Severity
from project.storage import backing_up, kinds, shelf
from project.storage.choices import DatabaseKind, Grain
from project.storage.models import Backup, PoolSample

#: A day, and two hours for a machine that was asleep at 02:00.
OLD_AFTER: Final = timedelta(hours=26)
#: Samples are written every ten seconds; what is older speaks of the past.
FRESH_FOR_S: Final = 30
_SEVERITIES: Final = {Severity.ERROR: RED, Severity.WARNING: AMBER}
_MB: Final = 1 << 20


@issues.register
def about_backups(now: datetime) -> list[Issue]:
    """Return what is wrong with the backups."""
    last = Backup.objects.good().defer("counts").first()
    found = [_too_old(last, now), _failed(last), _drill_failed(), _no_room(last), _not_copied()]
    return [issue for issue in found if issue is not None]


def _issue(code: str, text: str) -> Issue:
    url = reverse("admin:storage_backup_changelist")
    return Issue(code, AMBER, text, action="See the backups", url=url)


def _too_old(last: Backup | None, now: datetime) -> Issue | None:
    since = last.made_at if last else _installed_at()
    if since is None or now - since <= OLD_AFTER:
        return None
    if last is None:
        return _issue("backup_old", "There is no good backup of the database.")
    hours = (now - since).total_seconds() / 3600
    return _issue("backup_old", f"The last good backup is {hours:.0f} h old.")


def _installed_at() -> datetime | None:
    """Return when the first migration was applied: a new installation needs no backup yet."""
    rows = MigrationRecorder.Migration.objects.order_by("pk")
    return rows.values_list("applied", flat=True).first()


def _last_failure(kind: str) -> Run | None:
    """Return the last run of ``kind`` that ended or will be tried again, if it failed."""
    run = Run.objects.filter(kind=kind).exclude(status=RunStatus.CANCELED)
    last = run.exclude(error_type="", status__in=(RunStatus.QUEUED, RunStatus.RUNNING)).first()
    if last is None or last.status in {RunStatus.DONE, RunStatus.PARTIAL}:
        return None
    return last


def _failed(last: Backup | None) -> Issue | None:
    run = _last_failure(kinds.BACKUP.name)
    if run is None or (last is not None and last.made_at > run.created_at):
        return None
    return _issue("backup_failed", f"The last backup failed: {run.error_message}")


def _drill_failed() -> Issue | None:
    run = _last_failure(kinds.DRILL.name)
    if run is None:
        return None
    return _issue("backup_drill_failed", f"The last backup drill failed: {run.error_message}")


def _no_room(last: Backup | None) -> Issue | None:
    """Warn before the next backup fails: it will need what the last one needed."""
    if last is None:
        return None
    copy = last.content_bytes if last.database == DatabaseKind.SQLITE else 0
    needed = last.size_bytes + copy + backing_up.SPARE_BYTES
    free = shelf.room_bytes()
    if free >= needed:
        return None
    text = f"{free // _MB:,} MB are free for backups, and the next needs {needed // _MB:,} MB."
    return _issue("backup_no_room", text)


def _not_copied() -> Issue | None:
    if not settings.S3_BUCKET:
        return None
    waiting = Backup.objects.not_copied().exclude(copy_error="").first()
    if waiting is None:
        return None
    return _issue("backup_not_copied", f"The S3 store has no copy yet: {waiting.copy_error}")


@issues.register
def about_pools(now: datetime) -> list[Issue]:
    """Return what the processes' diagnoses found, each finding once however many found it."""
    rows = PoolSample.objects.filter(
        grain_s=Grain.SECOND, second__gte=int(now.timestamp()) - FRESH_FOR_S
    ).exclude(findings=[])
    latest: dict[tuple[str, str], list[dict[str, Any]]] = {}
    facts = rows.order_by("second").values_list("process", "alias", "findings")
    for process, alias, findings in facts:
        latest[process, alias] = findings
    found: dict[str, Issue] = {}
    for (_, alias), findings in latest.items():
        for finding in findings:
            issue = _of_finding(alias, finding)
            if issue is not None:
                found.setdefault(issue.code, issue)
    return list(found.values())


def _of_finding(alias: str, finding: dict[str, Any]) -> Issue | None:
    severity = _SEVERITIES.get(finding["severity"])
    if severity is None:  # a notice wants to be known, not mended
        return None
    healed = f" Done: {finding['healed']}." if finding.get("healed") else ""
    text = f"Database {alias}: {finding['explanation']} {finding['remedy']}{healed}"
    url = reverse("admin:storage_poolsample_live")
    return Issue(f"database_{finding['name']}", severity, text, action="See the pools", url=url)
