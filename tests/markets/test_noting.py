"""What is kept of what was wrong with candles."""

import pytest
from django.db import IntegrityError, transaction

from markets import noting
from markets.choices import FindingKind, Source
from markets.models import Finding
from markets.noting import Seen
from tests.markets.factories import MINUTE, NOW, START_MS, make_finding, make_series

JUMP = Seen(FindingKind.PRICE_JUMP, START_MS, START_MS + MINUTE, detail={"times": 20})
pytestmark = pytest.mark.django_db


def note(series, *seen, now=NOW):
    return noting.note(series, seen, source=Source.COLLECT, now=now)


def test_what_is_seen_again_stays_one_row():
    series, other = make_series(), make_series()

    assert note(series, JUMP) == 1
    assert note(series, JUMP, JUMP) == 0
    assert note(other, JUMP) == 1

    row = Finding.objects.get(series=series)
    assert (row.times_seen, row.count, row.detail, row.is_stored) == (2, 1, {"times": 20}, True)


def test_kinds_of_one_candle_are_rows_of_their_own():
    series = make_series()
    odd = Seen(FindingKind.VOLUME_ANOMALY, START_MS, START_MS + MINUTE)

    assert note(series, JUMP, odd) == 2


def test_many_of_a_kind_are_few_rows_that_stand_for_all():
    series = make_series()
    many = [
        Seen(FindingKind.BAD_OHLC, START_MS + n * MINUTE, START_MS + (n + 1) * MINUTE)
        for n in range(noting.MOST_ROWS + 100)
    ]

    note(series, *many)

    rows = Finding.objects.order_by("start_ms")
    assert len(rows) == noting.MOST_ROWS
    assert sum(row.count for row in rows) == noting.MOST_ROWS + 100
    assert rows[len(rows) - 1].end_ms == many[-1].end_ms


def test_staff_settle_a_finding_once_and_may_take_it_back():
    row = make_finding()

    assert noting.settle(row, user="ann", note="a real crash", now=NOW)
    assert not noting.settle(row, user="bob", now=NOW)
    row.refresh_from_db()
    assert (row.settled_by, row.note, row.settled_at) == ("ann", "a real crash", NOW)
    assert not Finding.objects.unsettled().exists()
    assert noting.reopen(row)
    assert not noting.reopen(row)
    assert Finding.objects.unsettled().exists()


@pytest.mark.parametrize(
    "fields", [{"end_ms": START_MS}, {"count": 0}, {"settled_by": "ann"}, {"settled_at": NOW}]
)
def test_the_database_refuses_findings_that_make_no_sense(fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_finding(**fields)
