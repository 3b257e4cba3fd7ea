"""The drill."""

import pytest

from project.core.callers import SYSTEM
from project.storage import drilling, tasks
from project.storage.adapters import postgres, sqlite
from project.storage.errors import BackupFailedError
from project.storage.models import Backup
from tests.storage.factories import NOW
from tests.storage.making import ROWS, Heard

pytestmark = pytest.mark.django_db(transaction=True)


def test_drill_restores_and_compares(product, folder):
    done = drilling.drill(progress=Heard(), now=NOW)

    backup = Backup.objects.get()
    assert (backup.file, backup.drilled_at) == (done.file, NOW)
    assert (done.rows, done.tables) == (2 * ROWS, len(backup.counts))
    assert len([path for path in folder.iterdir() if path.name != ".lock"]) == 3
    assert not list(folder.parent.glob(".*restoring*"))


@pytest.mark.parametrize("what", ["counts", "checksums"])
def test_drill_finds_a_difference(product, monkeypatch, what):
    beside = (sqlite if product.vendor == "sqlite" else postgres).Beside
    monkeypatch.setattr(beside, what, lambda *_, **__: {"note": 1})
    if product.vendor == "sqlite" and what == "counts":  # verifying opens it the same way
        monkeypatch.setattr("project.storage.verifying.of_contents", lambda *_, **__: COUNTS)

    with pytest.raises(BackupFailedError, match="drill failed"):
        drilling.drill(progress=Heard(), now=NOW)

    assert Backup.objects.get().drilled_at is None


COUNTS = {"note": ROWS, "candle": ROWS, "from": 0}


def test_ask_is_a_run_that_does_it(product):
    run = drilling.ask(by=SYSTEM, now=NOW)

    tasks.drill(run_id=str(run.pk))

    run.refresh_from_db()
    assert (run.status, run.error_message, run.counts["rows"]) == ("done", "", 2 * ROWS)
