"""Making pool statistics coarser."""

import pytest
from django.db import IntegrityError, transaction

from project.storage import thinning
from project.storage.choices import Grain
from project.storage.models import PoolSample
from tests.storage.factories import NOW, make_sample
from tests.storage.making import StoppedError

pytestmark = pytest.mark.django_db
NOW_S = int(NOW.timestamp()) // 60 * 60
HOUR, DAY = 3600, 86_400


def rows() -> list[tuple[int, int, int, float, int]]:
    fields = ("grain_s", "second", "in_use", "wait_p95_seconds", "used_total")
    return list(PoolSample.objects.order_by("second").values_list(*fields))


def test_thin_keeps_the_last_hour_as_it_is():
    for age in (0, 1, HOUR - 1):
        make_sample(NOW_S - age)

    assert thinning.thin(now=NOW) == {"thinned": 0, "made": 0, "forgotten": 0}
    assert PoolSample.objects.count() == 3


def test_thin_keeps_the_peak_of_ten_seconds():
    start = NOW_S - 2 * HOUR
    for at in range(20):
        make_sample(start + at, in_use=at, wait_p95_seconds=0.1 * (at == 3), used_total=100 + at)
    make_sample(start + 2, process="other", in_use=7)

    assert thinning.thin(now=NOW) == {"thinned": 21, "made": 3, "forgotten": 0}

    mine = PoolSample.objects.exclude(process="other").order_by("second")
    values = mine.values_list("grain_s", "second", "in_use", "wait_p95_seconds", "used_total")
    assert list(values) == [(10, start, 9, 0.1, 109), (10, start + 10, 19, 0, 119)]
    assert PoolSample.objects.get(process="other").in_use == 7
    assert thinning.thin(now=NOW)["thinned"] == 0


def test_thin_makes_minutes_after_a_day_and_forgets_after_two_weeks():
    start = NOW_S - 2 * DAY
    for at in range(0, 120, 10):
        make_sample(start + at, grain_s=Grain.TEN_SECONDS, in_use=at)
    make_sample(NOW_S - 15 * DAY, grain_s=Grain.MINUTE)

    assert thinning.thin(now=NOW) == {"thinned": 12, "made": 2, "forgotten": 1}

    assert rows() == [(60, start, 50, 0, 0), (60, start + 60, 110, 0, 0)]


def test_thin_of_seconds_that_are_days_old_ends_in_minutes():
    start = NOW_S - 3 * DAY
    for at in range(0, 60, 7):
        make_sample(start + at, in_use=at)

    thinning.thin(now=NOW)

    assert rows() == [(60, start, 56, 0, 0)]


def test_thin_can_be_stopped_between_portions():
    make_sample(NOW_S - 2 * HOUR)

    def stop() -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        thinning.thin(now=NOW, check=stop)
    assert rows()[0][0] == Grain.SECOND


def test_samples_are_there_once_and_on_their_grid():
    make_sample(NOW_S)
    with pytest.raises(IntegrityError), transaction.atomic():
        make_sample(NOW_S)
    with pytest.raises(IntegrityError), transaction.atomic():
        make_sample(NOW_S + 1, grain_s=Grain.TEN_SECONDS)
