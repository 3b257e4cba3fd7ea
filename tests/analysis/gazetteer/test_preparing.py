"""The gazetteer is compiled before it is needed; who needs it earlier waits, and may stop."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from analysis.failures import Transient
from analysis.gazetteer import keeping, preparing
from project.core.choices import Role
from tests.analysis.gazetteers import entry, small


class Compiler:
    """Compiles a small gazetteer when it is told to."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.count = 0
        self.fails = False

    def __call__(self, file: Path, tell: object) -> None:
        self.count += 1
        (keeping.folder() / "progress").write_text("0.50 cities\n")
        self.begun.set()
        assert self.go_on.wait(60)
        if self.fails:
            raise Transient("no room")
        fresh = file.with_suffix(".made")
        small(fresh, entry("Paris"))
        fresh.replace(file)


@pytest.fixture
def compiler(settings, tmp_path, monkeypatch):
    settings.DATA_DIR = tmp_path
    settings.GAZETTEER_AHEAD = True
    found = Compiler()
    monkeypatch.setattr(keeping, "_compile", found)
    monkeypatch.setattr(preparing, "_running", [])
    yield found
    found.go_on.set()
    for future in preparing._running:
        future.exception(60)


def told_nothing(_step: str, _ratio: float) -> None:
    """Hear how far it is."""


def test_a_worker_begins_when_it_starts_and_nobody_else(compiler):
    preparing.begin(Role.WEB)
    preparing.begin(Role.BEAT)
    assert preparing._running == []

    preparing.begin(Role.WORKER)

    assert compiler.begun.wait(60)


def test_a_worker_told_not_to_begins_nothing(compiler, settings):
    settings.GAZETTEER_AHEAD = False

    preparing.begin(Role.WORKER)

    assert preparing._running == []


def test_rivals_wait_for_one_compiler(compiler):
    compiler.go_on.set()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: preparing.wait(told_nothing), range(16)))

    assert compiler.count == 1
    assert keeping.state().ready


def test_who_waits_hears_how_far_it_is(compiler):
    heard = []

    def told(step: str, ratio: float) -> None:
        heard.append((step, ratio))
        if heard[-1] == ("names: cities", 0.5):
            compiler.go_on.set()

    preparing.wait(told)

    assert heard[-1] == ("names: cities", 0.5)


def test_who_waits_may_stop_while_it_goes_on(compiler):
    class StopError(Exception):
        pass

    def stop(_step: str, _ratio: float) -> None:
        raise StopError

    with pytest.raises(StopError):
        preparing.wait(stop)

    compiler.go_on.set()
    preparing.wait(told_nothing)
    assert (compiler.count, keeping.state().ready) == (1, True)


def test_a_failure_is_told_to_who_waits_and_the_next_begins_anew(compiler):
    compiler.fails = True
    compiler.go_on.set()

    with pytest.raises(Transient, match="no room"):
        preparing.wait(told_nothing)
    compiler.fails = False
    preparing.wait(told_nothing)

    assert compiler.count == 2
