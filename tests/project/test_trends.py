from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache

from project.core import figures, trends
from project.core.figures import Figure
from project.core.models import FigureSample
from tests.factories import make_figure_sample


@pytest.fixture(autouse=True)
def _one_figure(monkeypatch: Any) -> None:
    cache.delete("trends")
    told = [Figure("gaps", "Gaps", "1,024", "", "/"), Figure("state", "State", "calm", "", "/")]
    monkeypatch.setattr(figures, "_sources", [lambda at: told])


class Work:
    """What a handler reports to."""

    def report(self, *, counts: dict[str, int]) -> None:
        self.counts = counts


@pytest.mark.parametrize(
    ("value", "amount"),
    [("1,024", 1024.0), ("98.4 %", 98.4), ("-3", -3.0), ("48 of 50", 48.0), ("calm", None)],
)
def test_amount_is_the_number_that_is_shown(value, amount):
    assert trends.amount_of(Figure("a", "A", value, "", "/")) == amount


def test_amount_that_is_told_is_taken():
    assert trends.amount_of(Figure("a", "A", "2 h", "", "/", amount=7200.0)) == 7200.0


@pytest.mark.django_db
def test_remember_writes_numbers_and_drops_the_oldest(now):
    make_figure_sample(name="gaps", at=now - timedelta(days=9))
    work = Work()

    trends.remember(work, now=now)  # type: ignore[arg-type]

    assert list(FigureSample.objects.values_list("name", "at", "amount")) == [("gaps", now, 1024.0)]
    assert work.counts == {"figures": 1, "dropped": 1}


@pytest.mark.django_db
def test_trend_is_the_last_day_in_half_hours_and_ends_now(now):
    for minutes, amount in ((26 * 60, 9.0), (23 * 60, 1.0), (100, 3.0), (95, 5.0), (5, 8.0)):
        make_figure_sample(name="gaps", at=now - timedelta(minutes=minutes), amount=amount)

    found = {figure.name: figure.trend for figure in trends.current(now=now)}

    assert found == {"gaps": [1.0, 4.0, 8.0, 1024.0], "state": []}


@pytest.mark.django_db
def test_trends_are_read_once_a_minute(now, django_assert_num_queries):
    trends.current(now=now)

    with django_assert_num_queries(0):
        trends.current(now=now)
