from datetime import timedelta

import pytest

from proxies import charting
from proxies.choices import Grain
from proxies.models import PoolSnapshot
from tests.proxies.factories import (
    NOW,
    make_lease,
    make_pool_snapshot,
    make_proxy,
    make_proxy_source,
    make_source_fetch,
)

pytestmark = pytest.mark.django_db
SECOND = int(NOW.timestamp())


def test_the_history_has_a_list_per_series_with_holes_where_nothing_was_known():
    make_pool_snapshot(second=SECOND - 120, pool="hot", size=3)
    make_pool_snapshot(second=SECOND - 120, pool="", score_p50=61.26, leases=2)
    make_pool_snapshot(second=SECOND - 60, pool="warm", size=4)
    make_pool_snapshot(second=SECOND - 7200, pool="hot", size=9)

    found = charting.history(minutes=60, now=NOW)

    assert found["seconds"] == [SECOND - 120, SECOND - 60]
    assert found["series"]["hot"] == [3, None]
    assert found["series"]["warm"] == [None, 4]
    assert (found["series"]["score_p50"], found["series"]["leases"]) == ([61.3, None], [2, None])


def test_a_long_history_takes_coarse_rows_and_each_tenth_of_the_young_ones():
    for minute in range(20):
        make_pool_snapshot(second=SECOND - 60 * minute, pool="hot", size=minute)
    make_pool_snapshot(second=SECOND - 5 * 86_400, pool="hot", grain_s=Grain.TEN_MINUTES, size=50)

    found = charting.history(minutes=10_080, now=NOW)

    ages = [SECOND - second for second in found["seconds"]]
    assert ages == [5 * 86_400, 5 * 86_400 - 600, 600, 0]
    assert found["series"]["hot"] == [50, None, 10, 0]


@pytest.mark.parametrize("minutes", [60, 1_440, 10_080, 129_600])
def test_a_stop_of_the_installation_is_a_hole_in_each_chart_and_one_missed_row_is_none(minutes):
    grain = {60: 60, 1_440: 60, 10_080: 600, 129_600: 3_600}[minutes]
    rows = [n for n in range(minutes * 60 // grain) if n != 7 and not 20 <= n < 30]
    end = SECOND // 3_600 * 3_600
    PoolSnapshot.objects.bulk_create(
        PoolSnapshot(second=end - n * grain, grain_s=grain, pool="hot", size=5) for n in rows
    )

    found = charting.history(minutes=minutes, now=NOW)

    holes = [
        s for s, size in zip(found["seconds"], found["series"]["hot"], strict=True) if not size
    ]
    assert len(holes) == 1
    assert end - 30 * grain < holes[0] < end - 19 * grain
    assert found["until"] - found["from"] == minutes * 60
    assert len(found["seconds"]) <= 1_502


def test_countries_come_by_the_number_that_maps_know():
    for state in ("healthy", "healthy", "failing"):
        make_proxy(country="DE", state=state)
    make_proxy(country="XK")
    make_proxy(country="")

    found = charting.countries()

    assert [(one["code"], one["number"], one["healthy"], one["all"]) for one in found] == [
        ("DE", "276", 2, 3),
        ("XK", "983", 1, 1),
    ]
    assert found[0]["name"] == "Germany"
    assert "country=DE" in found[0]["url"]


def test_targets_are_told_hour_by_hour():
    def ended(target, outcome, hours):
        at = NOW - timedelta(hours=hours)
        usual = {"state": "released", "ended_at": at, "released_at": at}
        proxy = make_proxy()
        make_lease(proxy=proxy, target=target, outcome=outcome, **usual)

    for outcome in ("ok", "ok", "blocked"):
        ended("binance.com", outcome, 0)
    ended("binance.com", "ok", 5)
    ended("okx.com", "timeout", 1)
    ended("okx.com", "ok", 30)
    ended("", "ok", 1)

    found = charting.targets(now=NOW)

    assert (len(found["hours"]), found["hours"][-1]) == (24, "2026-01-05T12:00:00.000Z")
    first, second = found["rows"]
    assert (first["target"], first["leases"], second["leases"]) == ("binance.com", 4, 1)
    assert (first["cells"][-1], first["cells"][-6], first["cells"][0]) == ((3, 2), (1, 1), None)
    assert second["cells"][-2] == (1, 0)


def test_sources_are_told_with_success_duration_and_kinds_of_errors():
    good, bad = make_proxy_source(name="good"), make_proxy_source(name="bad")
    make_proxy_source(name="never")
    make_source_fetch(source=good, took_s=1)
    make_source_fetch(source=good, took_s=3)
    for kind in ("timeout", "timeout", "parse"):
        make_source_fetch(source=bad, outcome="error", error_type=kind)
    make_source_fetch(source=bad, outcome="empty")
    make_source_fetch(source=bad, at=NOW - timedelta(days=2))

    found = {one["name"]: one for one in charting.sources(now=NOW)}

    assert list(found) == ["bad", "good"]
    assert (found["good"]["success"], found["good"]["mean_s"], found["good"]["longest_s"]) == (
        1,
        2,
        3,
    )
    assert (found["bad"]["fetches"], found["bad"]["success"]) == (4, 0)
    assert found["bad"]["errors"] == {"timeout": 2, "parse": 1, "empty": 1}


def test_a_pool_that_is_known_since_today_is_shown_by_the_hour_at_first():
    assert charting.first_span(now=NOW) == 60
    make_pool_snapshot(second=int(NOW.timestamp()) - 3600)
    assert charting.first_span(now=NOW) == 60

    make_pool_snapshot(second=int(NOW.timestamp()) - 3 * 3600)

    assert charting.first_span(now=NOW) == 1440
