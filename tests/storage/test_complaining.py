"""What is wrong with backups and pools."""

from datetime import timedelta

import pytest
from django.utils import timezone

from project.core.issues import AMBER, RED
from project.core.models import Run
from project.storage import complaining, shelf
from project.storage.choices import BackupState
from tests.storage.factories import NOW, make_backup, make_sample

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("folder")]


def codes(now=NOW) -> list[str]:
    return [issue.code for issue in complaining.about_backups(now)]


def make_run(status: str, **fields) -> Run:
    ended = {"ended_at": NOW} if status in {"failed", "done", "partial", "canceled"} else {}
    return Run.objects.create(kind="core.backup", status=status, **{**ended, **fields})


@pytest.mark.parametrize(("hours", "expected"), [(25, []), (26, []), (26.01, ["backup_old"])])
def test_about_backups_age(hours, expected):
    make_backup(days_old=hours / 24)

    assert codes() == expected


def test_about_backups_counts_only_good_ones():
    make_backup(days_old=2)
    make_backup(state=BackupState.BAD, problem="cut")
    make_backup(state=BackupState.GONE, problem="gone")

    [issue] = complaining.about_backups(NOW)

    assert (issue.code, issue.severity) == ("backup_old", AMBER)
    assert issue.text == "The last good backup is 48 h old."
    assert issue.url == "/admin/storage/backup/"


def test_about_backups_without_any_waits_a_day_from_the_installation(monkeypatch):
    monkeypatch.setattr(complaining, "_installed_at", lambda: NOW)

    assert codes(NOW + timedelta(hours=26)) == []
    assert codes(NOW + timedelta(hours=27)) == ["backup_old"]


def test_installed_at_is_when_the_first_migration_was_applied():
    found = complaining._installed_at()

    assert found is not None
    assert timezone.now() - found < timedelta(days=1)


def test_about_backups_says_that_and_why_the_last_one_failed():
    make_backup(days_old=0.1)
    make_run("done", created_at=NOW - timedelta(hours=1))
    assert codes() == []
    make_run("failed", created_at=NOW, error_type="backup_no_room", error_message="no room")

    [issue] = complaining.about_backups(NOW)

    assert (issue.code, issue.text) == ("backup_failed", "The last backup failed: no room")


def test_about_backups_says_that_one_is_tried_again():
    make_backup(days_old=0.1)
    make_run("queued", created_at=NOW, error_type="unavailable", error_message="away")

    assert codes() == ["backup_failed"]


@pytest.mark.parametrize("status", ["queued", "canceled"])
def test_about_backups_is_silent_about_what_did_not_fail(status):
    make_backup(days_old=0.1)
    make_run(status, created_at=NOW)

    assert codes() == []


def test_about_backups_forgets_a_failure_after_a_good_one():
    make_run("failed", created_at=NOW - timedelta(hours=1), error_type="x", error_message="x")
    make_backup()

    assert codes() == []


def test_about_backups_tells_of_a_failed_drill():
    make_backup()
    Run.objects.create(
        kind="storage.drill", status="failed", ended_at=NOW, error_type="x", error_message="differs"
    )

    assert codes() == ["backup_drill_failed"]


def test_about_backups_warns_before_the_disk_is_full(monkeypatch):
    make_backup(size_bytes=100 << 20, content_bytes=900 << 20)
    monkeypatch.setattr(shelf, "room_bytes", lambda: 1000 << 20)

    [issue] = complaining.about_backups(NOW)

    assert issue.code == "backup_no_room"
    assert issue.text == "1,000 MB are free for backups, and the next needs 1,016 MB."


def test_about_backups_tells_of_a_missing_copy(settings):
    make_backup(copy_error="the store is away")
    assert codes() == []
    settings.S3_BUCKET = "b"

    assert codes() == ["backup_not_copied"]


def finding(name: str, severity: str) -> dict[str, str]:
    texts = {"explanation": f"{name} is.", "remedy": "Mend it.", "healed": ""}
    return {"name": name, "severity": severity, **texts}


def test_about_pools_tells_each_fresh_finding_once():
    second = int(NOW.timestamp())
    slow, leak = finding("slow_writer", "warning"), finding("leak", "error")
    make_sample(second - 31, findings=[finding("exhausted", "error")], process="old")
    make_sample(second - 8, findings=[slow], process="a")
    make_sample(second - 7, findings=[slow, leak], process="b")
    make_sample(second - 6, findings=[finding("file_replaced", "notice")], process="c")
    make_sample(second - 5, process="d")

    found = {issue.code: issue for issue in complaining.about_pools(NOW)}

    assert {code: issue.severity for code, issue in found.items()} == {
        "database_slow_writer": AMBER,
        "database_leak": RED,
    }
    assert found["database_leak"].text == "Database default: leak is. Mend it."
    assert found["database_leak"].url == "/admin/storage/poolsample/live/"


def test_about_pools_forgets_what_a_later_sample_does_not_show():
    second = int(NOW.timestamp())
    make_sample(second - 8, findings=[finding("leak", "error")])
    make_sample(second - 7, findings=[finding("starved", "warning")])

    assert [issue.code for issue in complaining.about_pools(NOW)] == ["database_starved"]
