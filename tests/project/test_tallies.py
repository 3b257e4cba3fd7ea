import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from django_prometheus.middleware import Metrics
from hypothesis import given
from hypothesis import strategies as some
from prometheus_client import CollectorRegistry, Histogram

from project.core import tallies

KIND = tallies.Kind("tests-view", "POST", "http", 201)


@pytest.fixture(autouse=True)
def _nothing_noted():
    tallies.count()


def counted() -> float:
    told = Metrics.get_instance().responses_by_status_view_method
    found: float = told.labels(status="201", view="tests-view", method="POST")._value.get()
    return found


def noted(times: int = 1) -> None:
    for _ in range(times):
        tallies.note(KIND, took_s=0.01, asked_bytes=2, told_bytes=3)


@given(some.lists(some.floats(0, 20), min_size=1))
def test_many_values_at_once_are_the_same_as_one_by_one(values):
    at_once, singly = (
        Histogram("h", "h", registry=CollectorRegistry(), buckets=(0.005, 0.5, 1, 10))
        for _ in range(2)
    )
    tallies.observe(at_once, values)
    for value in values:
        singly.observe(value)

    found, wanted = (
        [one.value for one in next(iter(h.collect())).samples] for h in (at_once, singly)
    )
    assert found[:-2] == wanted[:-2]
    assert found == pytest.approx(wanted)


async def test_a_note_is_counted_when_somebody_reads():
    before = counted()

    noted(3)
    tallies.count()

    assert counted() == before + 3


async def test_a_note_is_counted_soon_by_itself():
    before = counted()

    noted(2)
    for _ in range(1000):
        if counted() != before:
            break
        await asyncio.sleep(0.01)

    assert counted() == before + 2


def test_a_loop_that_ended_takes_no_note_along():
    before = counted()

    for _ in range(2):
        asyncio.run(_one())
    tallies.count()

    assert counted() == before + 2


async def _one() -> None:
    noted()


async def test_rivals_count_each_note_once():
    before = counted()
    noted(2000)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: tallies.count(), range(8)))

    assert counted() == before + 2000
