from datetime import timedelta

import pytest

from project.core.callers import SYSTEM
from proxies import lending, returning
from proxies.choices import Outcome, Pool
from proxies.lending import Ask
from proxies.returning import Report
from tests.proxies.factories import NOW, make_proxy

pytestmark = pytest.mark.django_db


def lent_and_returned(outcome, *, target="api.binance.com", at=NOW, latency_ms=None):
    granted = lending.acquire(Ask(holder="tests", target=target), by=SYSTEM, now=at)
    report = Report(outcome, latency_ms=latency_ms)
    later = at + timedelta(seconds=1)
    returning.release(granted.id, report, token=granted.token, by=SYSTEM, now=later)


def test_a_ban_stays_with_the_target_and_leaves_the_score():
    proxy = make_proxy(good_weight=1, total_weight=1, evidence_at=NOW)

    lent_and_returned(Outcome.BLOCKED)

    state = proxy.targets.get()
    proxy.refresh_from_db()
    assert (state.target, state.blocked_for, state.failures_in_row) == ("binance.com", "blocked", 1)
    assert state.blocked_until == NOW + timedelta(minutes=10, seconds=1)
    assert (proxy.score, proxy.rest_until < NOW) == (60.0, True)


def test_a_second_failure_in_a_row_pauses_longer():
    proxy = make_proxy()
    lent_and_returned(Outcome.RATE_LIMITED)

    lent_and_returned(Outcome.RATE_LIMITED, at=NOW + timedelta(minutes=5))

    state = proxy.targets.get()
    assert state.failures_in_row == 2
    assert state.blocked_until == NOW + timedelta(minutes=7, seconds=1)


def test_a_success_ends_the_row_of_failures_and_averages_latency():
    proxy = make_proxy()
    lent_and_returned(Outcome.TIMEOUT)

    lent_and_returned(Outcome.OK, at=NOW + timedelta(minutes=1), latency_ms=100.0)
    lent_and_returned(Outcome.OK, at=NOW + timedelta(minutes=2), latency_ms=200.0)

    state = proxy.targets.get()
    assert (state.failures_in_row, state.last_outcome) == (0, "ok")
    assert state.latency_ms == pytest.approx(130.0)


def test_a_refused_connection_rests_the_proxy_for_everybody():
    proxy = make_proxy()

    lent_and_returned(Outcome.REFUSED)

    proxy.refresh_from_db()
    assert proxy.rest_until == NOW + timedelta(seconds=31)
    with pytest.raises(lending.NoProxyAvailableError):
        lent_and_returned(Outcome.OK, target="okx.com", at=NOW + timedelta(seconds=2))


def test_a_proxy_that_refuses_falls_into_a_colder_pool():
    proxy = make_proxy(good_weight=1, total_weight=1, evidence_at=NOW)

    lent_and_returned(Outcome.REFUSED)
    lent_and_returned(Outcome.REFUSED, at=NOW + timedelta(minutes=1))

    proxy.refresh_from_db()
    assert (proxy.pool, round(proxy.score or 0)) == (Pool.COLD, 37)


def test_a_lease_without_outcome_teaches_nothing():
    proxy = make_proxy()

    lent_and_returned("")

    assert proxy.targets.get().total_weight == 0
    proxy.refresh_from_db()
    assert (proxy.score, proxy.evidence_at) == (60.0, None)


def test_a_lease_without_target_makes_no_state():
    proxy = make_proxy()

    lent_and_returned(Outcome.OK, target="")

    assert not proxy.targets.exists()
    proxy.refresh_from_db()
    assert proxy.total_weight == 0.25
