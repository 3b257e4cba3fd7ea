from datetime import timedelta

import pytest

from proxies import forgetting, storing
from proxies.models import Check, ImportUpload, Lease, LeaseSlot, Mending, Proxy, StickySession
from proxies.parsing import Candidate
from tests.proxies.factories import (
    NOW,
    make_check,
    make_lease,
    make_mending,
    make_proxy,
    make_source_entry,
    make_sticky_session,
)

pytestmark = pytest.mark.django_db
OLD = NOW - timedelta(days=31)


@pytest.fixture(autouse=True)
def _retention(settings):
    settings.PROXY_RETENTION_DAYS = 30


def make_dead(**fields):
    usual = {"state": "retired", "retired_at": OLD, "last_seen_at": OLD}
    return make_proxy(**{**usual, **fields})


def test_long_dead_proxies_go_with_their_history():
    dead = make_dead()
    make_check(proxy=dead)
    make_lease(proxy=dead, state="released", ended_at=OLD, released_at=OLD)
    make_source_entry(proxy=dead)

    assert forgetting.forget(now=NOW) == 1

    assert [model.objects.count() for model in (Proxy, Check, Lease, LeaseSlot)] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "blocked", "retired_at": None},
        {"state": "failing", "retired_at": None},
        {"retired_at": NOW - timedelta(days=29)},
        {"last_seen_at": NOW - timedelta(days=1)},
    ],
)
def test_others_stay(fields):
    make_dead(**fields)

    assert forgetting.forget(now=NOW) == 0
    assert Proxy.objects.count() == 1


def test_a_slot_that_another_proxy_shares_or_somebody_holds_stays():
    make_dead(exclusive_key="exit:8.8.8.8")
    make_proxy(exclusive_key="exit:8.8.8.8")

    assert forgetting.forget(now=NOW) == 1
    assert LeaseSlot.objects.filter(exclusive_key="exit:8.8.8.8").count() == 1


def test_so_many_go_at_once():
    for _ in range(5):
        make_dead()

    assert forgetting.forget(now=NOW, at_most=3) == 3
    assert forgetting.forget(now=NOW, at_most=3) == 2


def test_a_proxy_that_returns_keeps_its_history():
    dead = make_dead(retired_at=NOW - timedelta(days=3), host="8.8.8.8", port=80, total_weight=2)
    make_check(proxy=dead)

    list(storing.take([Candidate("http", "8.8.8.8", 80)], source=None, now=NOW))

    dead.refresh_from_db()
    assert (dead.state, dead.total_weight, dead.checks.count()) == ("failing", 2, 1)


def test_checks_are_thinned_by_age_failures_first():
    proxy = make_proxy()
    for age in (timedelta(days=1), timedelta(days=2, minutes=5), timedelta(days=14, minutes=5)):
        make_check(proxy=proxy, at=NOW - age)
        make_check(proxy=proxy, at=NOW - age, verdict="timeout", latency_ms=None)

    assert forgetting.forget_history(now=NOW)["checks_forgotten"] == 3

    left = Check.objects.order_by("-at", "verdict").values_list("verdict", "at")
    assert [(verdict, (NOW - at).days) for verdict, at in left] == [
        ("ok", 1),
        ("timeout", 1),
        ("ok", 2),
    ]


def test_old_sessions_mendings_and_ended_leases_go_and_younger_ones_stay():
    lease = make_lease(acquired_at=OLD, expires_at=OLD + timedelta(1), state="released",
                       ended_at=OLD, released_at=OLD)  # fmt: skip
    standing = make_lease(acquired_at=OLD, expires_at=NOW + timedelta(1))
    make_mending(at=OLD, lease=lease)
    make_mending(at=NOW - timedelta(days=29), lease=lease)
    make_sticky_session(used_at=NOW - timedelta(days=8))
    make_sticky_session(used_at=NOW - timedelta(days=6))

    found = forgetting.forget_history(now=NOW)

    assert found == {
        "checks_forgotten": 0,
        "leases_forgotten": 1,
        "mendings_forgotten": 1,
        "uploads_forgotten": 0,
        "sessions_forgotten": 1,
    }
    assert (Mending.objects.count(), StickySession.objects.count()) == (1, 1)
    assert Lease.objects.get() == standing


def test_so_many_rows_of_history_go_at_once(monkeypatch):
    monkeypatch.setattr(forgetting, "ROWS_AT_ONCE", 2)
    proxy = make_proxy()
    for _ in range(3):
        make_check(proxy=proxy, at=OLD)

    assert forgetting.forget_history(now=NOW)["checks_forgotten"] == 2
    assert forgetting.forget_history(now=NOW)["checks_forgotten"] == 1


def test_the_age_of_each_kind_is_a_setting(settings):
    for name in ("CHECK", "FAILED_CHECK", "LEASE", "SESSION"):
        setattr(settings, f"PROXY_{name}_DAYS", 3)
    proxy = make_proxy()
    for days in (2.9, 3.1):
        at = NOW - timedelta(days=days)
        make_check(proxy=proxy, at=at)
        make_lease(
            proxy=proxy,
            acquired_at=at - timedelta(seconds=9),
            expires_at=at,
            state="expired",
            ended_at=at,
        )
        make_mending(at=at)
        make_sticky_session(proxy=proxy, used_at=at)
    make_check(proxy=proxy, verdict="timeout", latency_ms=None, at=NOW - timedelta(days=3.01))

    assert forgetting.forget_history(now=NOW) == {
        "checks_forgotten": 2,
        "leases_forgotten": 1,
        "mendings_forgotten": 1,
        "uploads_forgotten": 0,
        "sessions_forgotten": 1,
    }


def test_coarser_history_is_kept_for_longer_whatever_the_settings_say(settings):
    settings.PROXY_CHART_DAYS = [2, 21, 366]
    assert list(forgetting.kept_s().values()) == [2 * 86_400, 21 * 86_400, 366 * 86_400]

    settings.PROXY_CHART_DAYS = [7, 1, 3]
    assert list(forgetting.kept_s().values()) == [7 * 86_400] * 3


def test_a_list_whose_import_failed_can_be_tried_again_for_a_week():
    kept = ImportUpload.objects.create(created_at=NOW - timedelta(days=6))
    ImportUpload.objects.create(created_at=NOW - timedelta(days=8))

    assert forgetting.forget_history(now=NOW)["uploads_forgotten"] == 1

    assert list(ImportUpload.objects.all()) == [kept]
