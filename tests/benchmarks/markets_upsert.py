"""``python -m tests.benchmarks.markets_upsert``: M-5's paired benchmark.

``upsert_candles`` beside the same upsert by the raw driver, in turns of one run, on whichever
database ``DATABASE_URL`` names. CANDLES (1,000,000) says how many.
"""

import os
import sys
import time
import tracemalloc
from datetime import UTC, datetime
from functools import partial

import pytest

if __name__ == "__main__":  # first: pytest sets up what the imports below need
    sys.exit(pytest.main([__file__, "-qs", "-p", "no:cacheprovider", *sys.argv[1:]]))

from django.db import connection, transaction

from markets import checking, detecting, partitions, storing, timeframes
from markets.choices import Policy, Source
from markets.models import Candle
from markets.rows import Row
from tests.markets.factories import MINUTE, START_MS, make_series

COUNT = int(os.environ.get("CANDLES", "1000000"))
PAGE = 20_000
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def rows(start, count):
    for number in range(start, start + count):
        price = 100.0 + number % 997
        yield Row(
            START_MS + number * 60_000, price, price + 2, price - 2, price + 1, 5.0 + number % 31
        )


def ours(series, page, *, validate=False):
    if validate:
        end_ms = page[-1].open_time + MINUTE
        asked = checking.Asked("BTC/USDT", timeframes.of("1m"), page[0].open_time, end_ms)
        page = checking.check(page, asked, policy=Policy.SKIP).rows
        detecting.odd(page, before=[], step_ms=MINUTE, limits=detecting.USUAL)
    storing.upsert_candles(series_id=series.pk, rows=page, source=Source.COLLECT, now=NOW)


def raw(series, page):
    """The same statement on the driver itself; on PostgreSQL after a COPY, the fastest way."""
    statement = storing.upsert_statement(series.pk)
    if connection.vendor == "sqlite":
        with transaction.atomic():
            connection.connection.executemany(statement.replace("%s", "?"), page)
        return
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE IF NOT EXISTS raw_stage (LIKE markets_candle INCLUDING DEFAULTS)"
            " ON COMMIT DELETE ROWS"
        )
        names = statement.partition("(")[2].partition(")")[0]
        with cursor.copy(f"COPY raw_stage ({names}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["int8", "int8", *["float8"] * 5, "bool", "int8", "float8"])
            for row in page:
                copy.write_row((series.pk, *row))
        tail = statement.partition("ON CONFLICT")[2]
        cursor.execute(
            f"INSERT INTO markets_candle ({names}) SELECT {names} FROM raw_stage"
            f" ORDER BY open_time ON CONFLICT {tail}"
        )


def pages():
    for start in range(0, COUNT, PAGE):
        yield list(rows(start, min(PAGE, COUNT - start)))


def compete(**works):
    """Give each page to all works, in changing order; return the rates, rows per second."""
    spent = dict.fromkeys(works, 0.0)
    for number, page in enumerate(pages()):
        partitions.ensure([row.open_time for row in page])
        names = list(works)
        for name in names[number % len(names) :] + names[: number % len(names)]:
            began_s = time.perf_counter()
            works[name](page)
            spent[name] += time.perf_counter() - began_s
    return {name: COUNT / seconds for name, seconds in spent.items()}


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(900)
def test_upsert_is_as_fast_as_the_raw_driver():
    theirs, mine, checked = (make_series(name) for name in ("BTC/USDT", "ETH/USDT", "SOL/USDT"))
    works = {
        "raw": partial(raw, theirs),
        "ours": partial(ours, mine),
        "validated": partial(ours, checked, validate=True),
    }

    first = compete(**works)
    again = compete(**works)

    for title, rates in {"store": first, "store again": again}.items():
        told = ", ".join(f"{name} {rate:,.0f}" for name, rate in rates.items())
        ratio = f"{rates['ours'] / rates['raw']:.2f}, {rates['validated'] / rates['raw']:.2f}"
        print(f"{title}: {told} rows/s; to the raw driver {ratio} ({connection.vendor})")
    assert Candle.objects.count() == 3 * COUNT
    for rates in (first, again):
        assert rates["ours"] / rates["raw"] >= 0.8
        assert rates["validated"] / rates["raw"] >= 0.5


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(900)
def test_upsert_keeps_memory_flat():
    series = make_series()
    tracemalloc.start()

    done = storing.upsert_candles(
        series_id=series.pk, rows=rows(0, COUNT), source=Source.COLLECT, now=NOW
    )

    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"peak of Python objects: {most / 1e6:.1f} MB for {done.inserted:,} candles")
    assert done.inserted == COUNT
    assert most < 30e6
