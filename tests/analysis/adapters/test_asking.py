"""The process that asks: it ends when nobody wants its answer any more."""

import multiprocessing

import pytest

from analysis.adapters import asking
from analysis.failures import Transient
from project import sandbox
from project.sandbox import Fault, FaultKind


def words(url: str) -> dict[str, object]:
    return {
        "url": url,
        "languages": (),
        "proxy_url": "",
        "within_s": 60.0,
        "answer_within_s": 30.0,
        "allow_private": True,
    }


class StoppedError(Exception):
    """The work is to stop."""


def test_the_process_is_ended_with_the_work():
    with sandbox.running() as world:
        world.videos.faults.add(Fault(FaultKind.HANG, path="/watch/*"))

        def check() -> None:
            if world.videos.log.entries():
                raise StoppedError

        with pytest.raises(StoppedError):
            asking.answer_of(words(world.videos.watch_url()), check=check, within_s=60)

    assert multiprocessing.active_children() == []


def test_a_process_that_dies_is_a_failure_that_may_pass():
    broken = {**words("https://x.test/"), "within_s": "no number"}

    with pytest.raises(Transient, match="the fetch ended with status 1"):
        asking.answer_of(broken, check=lambda: None, within_s=60)

    assert multiprocessing.active_children() == []
