"""The quality report and the log of failures, over REST."""

from datetime import timedelta

import pytest
from django.utils import timezone

from project.core.moments import to_ms
from tests.factories import make_staff, make_user
from tests.markets.factories import make_api_error_log, make_quality_summary, make_series

DAY = 86_400_000
pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client):
    client.force_login(make_user())
    return client


@pytest.fixture
def staff(client):
    client.force_login(make_staff())
    return client


def score_today(symbol, score, missing):
    today = to_ms(timezone.now()) // DAY * DAY
    facts = {"start_ms": today, "end_ms": today + DAY, "expected": 1440, "missing": missing}
    make_quality_summary(make_series(symbol), score=score, **facts)


def test_the_report_is_best_first_and_worst_first_as_asked(reader):
    for symbol, score, missing in (
        ("A/USDT", 90.0, 144),
        ("B/USDT", 100.0, 0),
        ("C/USDT", 50.0, 720),
    ):
        score_today(symbol, score, missing)

    best = reader.get("/api/quality/report").json()
    worst = reader.get("/api/quality/report", {"hours": 24, "order": "avg_score"}).json()

    assert best["results"][0] == {
        "symbol": "B/USDT",
        "exchange": "binance",
        "timeframe": "1m",
        "avg_score": 100.0,
        "total_missing": 0,
    }
    assert [one["symbol"] for one in best["results"]] == ["B/USDT", "A/USDT", "C/USDT"]
    assert [one["symbol"] for one in worst["results"]] == ["C/USDT", "A/USDT", "B/USDT"]
    assert worst["results"][0]["total_missing"] == 720
    assert reader.get("/api/quality/report", {"order": "-avg_score"}).json() == best


@pytest.mark.parametrize("order", ["avg_score", "-avg_score"])
def test_the_report_is_paged_without_loss_where_scores_are_the_same(reader, order):
    for number in range(7):
        score_today(f"C{number}/USDT", [100.0, 98.7654321, 33.3][number % 3], 1)
    address, seen = f"/api/quality/report?limit=2&order={order}", []

    while address:
        page = reader.get(address).json()
        seen += [one["symbol"] for one in page["results"]]
        address = page["next"]

    assert sorted(seen) == sorted(f"C{number}/USDT" for number in range(7))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"hours": 0}, "hours"),
        ({"hours": "x"}, "hours"),
        ({"hours": 99999}, "hours"),
        ({"order": "symbol"}, "order"),
        ({"sort": 1}, "sort"),
    ],
)
def test_the_report_names_what_is_wrong(reader, query, field):
    answer = reader.get("/api/quality/report", query)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


def test_failures_are_listed_the_newest_first_and_filtered(staff):
    now = timezone.now()
    old = make_api_error_log(happened_at=now - timedelta(hours=2), error_class="network")
    new = make_api_error_log(happened_at=now, exchange="okx", status=429, error_class="rate_limit")

    def ids(**query):
        answer = staff.get("/api/errors", query)
        assert answer.status_code == 200, answer.json()
        return [one["id"] for one in answer.json()["results"]]

    assert ids() == [new.pk, old.pk]
    assert ids(**{"class": "network"}) == [old.pk]
    assert ids(exchange="okx") == [new.pk]
    assert ids(since=(now - timedelta(hours=1)).isoformat()) == [new.pk]
    assert ids(exchange="kraken") == []
    first = staff.get("/api/errors").json()["results"][0]
    assert (first["class"], first["retryable"], first["status"]) == ("rate_limit", True, 429)
    assert first["happened_at"].endswith("Z")


def test_failures_are_paged_by_cursor(staff):
    for _ in range(5):
        make_api_error_log()

    page = staff.get("/api/errors?limit=2").json()
    rest = staff.get(page["next"]).json()

    assert len(page["results"]) == len(rest["results"]) == 2
    assert not {one["id"] for one in page["results"]} & {one["id"] for one in rest["results"]}


@pytest.mark.parametrize("query", [{"class": "odd"}, {"since": "yesterday"}, {"clas": "network"}])
def test_failures_name_what_is_wrong_with_the_question(staff, query):
    answer = staff.get("/api/errors", query)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == next(iter(query))


def test_failures_are_for_staff_alone(client):
    user = make_user()
    client.force_login(user)

    assert client.get("/api/errors").status_code == 403
