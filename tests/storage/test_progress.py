"""How work tells how far it is."""

from project.storage.progress import Latest, Told, within
from tests.storage.making import Heard


def test_within_stands_for_a_stretch_and_never_goes_back():
    heard = Heard()
    tick = within(heard, phase="copying", start=20, end=60)

    for done in (0.5, 0.0, 2.0):
        tick(done)

    assert heard.phases == ["copying"]
    assert heard.percents == [20, 40, 40, 60]


def test_latest_tells_only_when_its_own_thread_asks():
    told: list[float] = []
    latest = Latest(told.append)

    latest.note(0.3)
    latest.note(0.7)
    assert told == []
    latest.tell(0.0)

    assert told == [0.7]


def test_told_says_each_phase_once():
    said: list[str] = []
    told = Told(said.append)

    told.report(phase="copying", progress=1)
    told.report(phase="copying", counts={"rows": 1})
    told.leave_partial("away")

    assert said == ["  copying ...", "  not done: away"]
    assert told.partial == "away"
