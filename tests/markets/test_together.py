"""Works that meet on the same candles: each candle is stored once, none is lost, lists hold still."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from markets import backfilling, collecting, importing
from markets.backfilling import Wanted
from markets.models import BackfillTask, Candle, CandleRevision, Series
from project.core.callers import SYSTEM
from project.core.models import Run
from project.core.moments import from_ms
from tests.factories import make_staff
from tests.markets import doing
from tests.markets.api.conftest import client_of
from tests.markets.factories import (
    MINUTE,
    NOW,
    START_MS,
    make_backfill_task,
    make_gap,
    make_row,
    make_series,
)

pytestmark = pytest.mark.django_db(transaction=True)


def together(*deeds):
    """Do them at once, each in a thread with a connection of its own."""

    def done(deed):
        try:
            return deed()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(done, deeds))


@pytest.fixture
def staff():
    return client_of(make_staff(), scopes=["admin"])


def minute(number):
    return START_MS + number * MINUTE, START_MS + (number + 1) * MINUTE


def moments(series):
    rows = Candle.objects.filter(series=series).order_by("open_time")
    return list(rows.values_list("open_time", flat=True))


def test_a_repair_and_two_collectors_of_the_same_market_meet(world, no_naps):
    start = from_ms(doing.LISTED_MS)
    first, second = (
        doing.make_local(world, start_at=start, request_limit=200, name=name)
        for name in ("first", "second")
    )
    doing.execute(collecting.ask(first, by=SYSTEM, now=timezone.now()))
    series = Series.objects.get(market__symbol="BTC/USDT", timeframe="1m")
    Candle.objects.filter(series=series, open_time__lt=doing.LISTED_MS + 900 * MINUTE).delete()
    world.clock.advance(300 * MINUTE)
    wanted = Wanted(series, doing.LISTED_MS, doing.LISTED_MS + 900 * MINUTE, 50)
    task = backfilling.ask(wanted, by=SYSTEM, now=timezone.now())
    runs = [
        doing.run_of(task),
        *(collecting.ask(one, by=SYSTEM, now=timezone.now()) for one in (first, second)),
    ]

    together(*(lambda run=run: doing.execute(run) for run in runs))

    stored = moments(series)
    assert [run.status for run in Run.objects.filter(pk__in=[run.pk for run in runs])] == [
        "done"
    ] * 3
    assert stored == list(range(doing.LISTED_MS, stored[-1] + MINUTE, MINUTE))
    assert len(stored) == 2 * 1440 + 5 + 300 + 1
    assert not CandleRevision.objects.exists()


def test_the_same_file_twice_at_once_is_stored_once(tmp_path):
    series, path = make_series("BTC/USDT"), tmp_path / "candles.csv"
    rows = [make_row(START_MS + n * MINUTE) for n in range(12_000)]
    path.write_text("".join(f"{','.join(map(str, row[:6]))}\n" for row in rows))

    found = together(*[lambda: importing.load(path, series=series, now=NOW)[0]] * 2)

    assert moments(series) == [row.open_time for row in rows]
    assert sum(one.inserted for one in found) == 12_000
    assert not CandleRevision.objects.exists()


@pytest.mark.parametrize("newest_first", [True, False])
def test_pages_hold_still_while_rows_arrive(staff, newest_first):
    series = make_series("BTC/USDT")
    gaps = f"/api/markets/{series.market_id}/gaps"
    address = "/api/backfill-tasks" if newest_first else gaps
    more: Any = make_backfill_task if newest_first else make_gap
    for number in range(6):
        more(series, *minute(3 * number))
    known = {row["id"] for row in staff.get(address).json()["results"]}

    seen, following = [], f"{address}?limit=2"
    while following:
        page = staff.get(following).json()
        seen += [row["id"] for row in page["results"]]
        following = page["next"]
        if len(seen) < 7:
            more(series, *minute(100 + 3 * len(seen)))

    assert len(seen) == len(set(seen))
    assert known <= set(seen)
    assert BackfillTask.objects.count() in {0, 9}
