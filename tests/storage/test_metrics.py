"""Metrics of backups, and what the README says of those of the pools."""

import re
from pathlib import Path

import pytest

from project import storage
from project.storage import metrics
from project.storage.checks import s3_store
from project.storage.choices import BackupState
from tests.storage.factories import make_backup

README = (Path(storage.__file__).parent / "README.md").read_text(encoding="utf-8")


@pytest.mark.django_db
def test_backups_tells_age_and_size_of_the_last_good_one():
    def told() -> dict[str, list[float]]:
        return {m.name: [sample.value for sample in m.samples] for m in metrics.backups()}

    assert told() == {"backup_age_seconds": [], "backup_size_bytes": [], "backups_good": [0]}
    old = make_backup(days_old=3, size_bytes=7)
    make_backup(state=BackupState.BAD, problem="cut", size_bytes=9)

    found = told()

    assert (found["backup_size_bytes"], found["backups_good"]) == ([7], [1])
    assert found["backup_age_seconds"][0] >= 3 * 86_400 - 1
    assert old.state == BackupState.GOOD


def test_readme_lists_the_gauges():
    section = README.partition("\n## Pool gauges\n")[2]
    listed = re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)

    names = [sample.name for gauge in metrics.GAUGES.values() for sample in gauge.describe()]
    assert sorted(listed) == sorted(names)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, ""),
        ({"S3_BUCKET": "b", "S3_ACCESS_KEY": "a", "S3_SECRET_KEY": "s"}, ""),
        ({"S3_BUCKET": "b"}, "S3_ACCESS_KEY and S3_SECRET_KEY not set"),
        ({"S3_ACCESS_KEY": "a", "S3_SECRET_KEY": "s"}, "S3_BUCKET not set"),
    ],
)
def test_half_a_store_is_refused(settings, given, missing):
    for name in ("S3_BUCKET", "S3_ACCESS_KEY", "S3_SECRET_KEY"):
        setattr(settings, name, given.get(name, ""))

    found = s3_store(None)

    assert [message.id for message in found] == ["storage.E001"] * bool(missing)
    assert missing in "".join(str(message) for message in found)
