from typing import Any

import pytest

from analysis import checkpoints
from analysis.attempts import Attempt
from analysis.choices import Phase
from analysis.models import Checkpoint
from project.core.models import Run
from project.core.working import StopWorkError
from tests.analysis.test_attempts import attempt

__all__ = ["attempt"]
pytestmark = pytest.mark.django_db


def test_a_key_depends_on_everything_and_on_nothing_else(monkeypatch):
    key = checkpoints.key_of(Phase.SUMMARY, "a", 0.7)

    assert key == checkpoints.key_of(Phase.SUMMARY, "a", 0.7)
    assert len(key) == 16
    assert key != checkpoints.key_of(Phase.SUMMARY, "a", 0.8)
    monkeypatch.setitem(checkpoints.VERSIONS, Phase.SUMMARY, 99)
    assert key != checkpoints.key_of(Phase.SUMMARY, "a", 0.7)


def test_a_phase_is_made_once(attempt: Attempt):
    made: list[int] = []

    def make() -> Any:
        made.append(1)
        return {"n": len(made)}

    found = [checkpoints.once(attempt, Phase.METADATA, "k", make) for _ in range(2)]

    assert (found, made) == ([{"n": 1}, {"n": 1}], [1])
    assert checkpoints.load(attempt.video, Phase.METADATA, "other") is None


def test_an_empty_result_is_a_result(attempt: Attempt):
    checkpoints.keep(attempt, Phase.COMPRESSION, "k", [])

    assert checkpoints.load(attempt.video, Phase.COMPRESSION, "k") == []


def test_pieces_go_when_the_whole_is_there(attempt: Attempt):
    for number in (1, 2):
        checkpoints.keep(attempt, Phase.SUMMARY, "k", [number], part=number)
    assert checkpoints.parts(attempt.video, Phase.SUMMARY, "k") == {1: [1], 2: [2]}
    assert checkpoints.load(attempt.video, Phase.SUMMARY, "k") is None

    checkpoints.keep(attempt, Phase.SUMMARY, "k", [1, 2])

    assert checkpoints.parts(attempt.video, Phase.SUMMARY, "k") == {}
    assert checkpoints.load(attempt.video, Phase.SUMMARY, "k") == [1, 2]


def test_who_has_lost_the_run_keeps_nothing(attempt: Attempt):
    Run.objects.update(attempt=9)

    with pytest.raises(StopWorkError):
        checkpoints.keep(attempt, Phase.SUMMARY, "k", [])

    assert not Checkpoint.objects.exists()
