import json
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project.db.recording import quantiles
from project.db.sqlite.demand import BUCKET_S, Demand
from project.db.sqlite.gating import WriterGate
from project.db.sqlite.options import PoolOptions
from project.db.sqlite.pooling import Pool

pytestmark = pytest.mark.once

BURST = json.loads((Path(__file__).parent / "data" / "burst.json").read_text())["requests"]


def learned(use_s: float) -> Demand:
    demand = Demand(grow_after_s=0.06)
    for _ in range(200):
        demand.ended(used_s=use_s)
    return demand


@pytest.mark.parametrize("use_s", [0.002, 0.02])
def test_size_of_quick_uses_never_grows_ahead(use_s):
    demand = learned(use_s)
    for step in range(10):
        demand.asked(step * BUCKET_S, wanted=25)

    assert demand.is_quick
    assert demand.size(9 * BUCKET_S) == 0
    assert demand.busy_size(9 * BUCKET_S) <= 13


def test_size_of_slow_uses_follows_demand():
    demand = learned(0.5)
    for step in range(10):
        demand.asked(step * BUCKET_S, wanted=10)

    assert demand.size(9 * BUCKET_S) == 10


def test_size_rises_ahead_of_demand():
    demand = learned(0.5)
    for step in range(10):
        demand.asked(step * BUCKET_S, wanted=step)

    assert demand.expected(9 * BUCKET_S) > 9


def test_size_of_uses_that_have_not_ended_counts_their_age():
    demand = Demand(grow_after_s=0.06)
    demand.asked(0.0, wanted=10)

    assert demand.size(0.0) == 0
    assert demand.size(0.0, held_s=1.0) > 5


def test_demand_that_is_over_is_forgotten():
    demand = learned(0.5)
    demand.asked(0.0, wanted=20)

    assert demand.size(10.0) == 0
    assert demand.busy_size(10.0) == 0


@pytest.mark.parametrize(("cpu_s", "expected"), [(0.95, True), (0.3, False)])
def test_is_bound(cpu_s, expected):
    demand = Demand(grow_after_s=0.06)

    demand.is_bound(0.0, cpu_s=lambda: 0.0)

    assert demand.is_bound(1.0, cpu_s=lambda: cpu_s) is expected


@given(
    st.lists(st.tuples(st.floats(0, 5), st.integers(0, 50)), max_size=40),
    st.lists(st.floats(0, 10), max_size=20),
)
def test_size_never_exceeds_what_is_expected(asked, used):
    demand = Demand(grow_after_s=0.06)
    for used_s in used:
        demand.ended(used_s=used_s)
    now_s = 0.0
    for passed_s, wanted in asked:
        now_s += passed_s
        demand.asked(now_s, wanted=wanted)

    assert 0 <= demand.size(now_s) <= demand.expected(now_s) + 1
    assert demand.busy_size(now_s) <= max((wanted for _, wanted in asked), default=0) + 1


class _Raw:
    total_changes = 0
    in_transaction = False

    def close(self):
        pass


class _Owner:
    allow_thread_sharing = False

    def forget_connection(self):
        pass


def replay(folder: Path, *, grows_ahead: bool) -> tuple[list[float], Pool]:
    """Send the recorded requests to a pool and return how long each waited."""
    options = PoolOptions(grows_ahead=grows_ahead)
    path = str(folder / f"burst-{grows_ahead}")
    pool = Pool(path, options=options, gate=WriterGate(path, crosses_processes=False))
    waits: list[float] = []
    began_s = time.monotonic() + 0.05

    def request(asked_s: float, held_s: float) -> None:
        owner = _Owner()
        time.sleep(max(0.0, began_s + asked_s - time.monotonic()))
        member = pool.acquire(owner, _Raw)  # type: ignore[arg-type]
        time.sleep(held_s)
        waits.append(member.waited_s)
        pool.release(member, is_reusable=True)

    threads = [
        threading.Thread(target=request, args=(each["asked_s"], each["held_s"])) for each in BURST
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waits, pool


def test_recorded_burst_is_met_ahead_of_its_waits(tmp_path, record_property):
    plain, _ = replay(tmp_path, grows_ahead=False)
    ahead, pool = replay(tmp_path, grows_ahead=True)

    p95_plain_s, p95_ahead_s = quantiles(plain).p95_s, quantiles(ahead).p95_s
    record_property("wait P95 after waiting / ahead", f"{p95_plain_s:.3f} / {p95_ahead_s:.3f} s")
    assert len(ahead) == len(BURST)
    assert pool.size <= 20
    assert sum(ahead) < sum(plain) / 4
    assert p95_ahead_s < 0.06
