"""Markets, gaps, quality, tasks and collectors over REST."""

import pytest
from django.urls import reverse

from markets.models import BackfillTask, QualitySummary
from project.core.models import Run
from tests.factories import make_user
from tests.markets.api.conftest import client_of
from tests.markets.factories import (
    MINUTE,
    NOW,
    START_MS,
    make_backfill_task,
    make_collector_config,
    make_gap,
    make_market,
    make_quality_summary,
    make_series,
)

pytestmark = pytest.mark.django_db
OPEN = ["/api/exchanges", "/api/markets", "/api/markets/{id}/gaps", "/api/markets/{id}/quality"]
STAFF = ["/api/backfill-tasks", "/api/collectors"]
DEEDS = [
    "/api/markets/{id}/quality/check",
    "/api/markets/{id}/backfill",
    "/api/backfill-tasks/{id}/retry",
    "/api/collectors/{id}/run",
]


def at(number):
    return START_MS + number * MINUTE


def place(template):
    return template.format(id=make_series("BTC/USDT").market_id)


@pytest.mark.parametrize("address", [*OPEN, *STAFF])
def test_nobody_is_told_to_sign_in(nobody, address):
    answer = nobody.get(place(address))

    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


@pytest.mark.parametrize("address", [*OPEN])
def test_a_key_without_the_scope_is_refused(address):
    client = client_of(make_user(), scopes=["proxies:read"])

    answer = client.get(place(address))

    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


@pytest.mark.parametrize("address", STAFF)
def test_a_user_may_not_read_what_is_for_staff(user, address):
    assert user.get(address).status_code == 403


@pytest.mark.parametrize("address", DEEDS)
def test_a_user_may_not_do_what_is_for_staff(user, address):
    answer = user.post(place(address), {})

    assert (answer.status_code, Run.objects.count()) == (403, 0)


@pytest.mark.parametrize("address", DEEDS)
def test_unknown_fields_are_named(staff, address):
    answer = staff.post(place(address), {"colour": "red"})

    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_field")
    assert [one["field"] for one in answer.json()["errors"]] == ["colour"]


@pytest.mark.parametrize("address", [*OPEN, *STAFF])
def test_unknown_parameters_are_named(staff, address):
    answer = staff.get(place(address), {"colour": "red"})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "colour")


@pytest.mark.parametrize(
    "address",
    [
        *[one for one in [*OPEN, *DEEDS] if "{id}" in one],
        "/api/markets/{id}/candles",
    ],
)
@pytest.mark.parametrize("key", [0, 4711, 10**25])
def test_what_does_not_exist_is_not_found(staff, address, key):
    body = {"timeframe": "1m", "start": "2026-01-05T00:00:00Z", "end": "2026-01-06T00:00:00Z"}
    ask = staff.get if address in OPEN or address.endswith("candles") else staff.post
    told = body if address.endswith("backfill") else {}

    answer = ask(address.format(id=key), told)

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_exchanges_tell_how_many_markets_they_have(user):
    make_market("A/B")
    make_market("C/D", enabled=False)

    found = user.get("/api/exchanges").json()["results"]

    assert [(one["name"], one["markets"], one["enabled_markets"]) for one in found] == [
        ("binance", 2, 1)
    ]


def test_markets_are_filtered_and_have_the_contracts_fields(user):
    series = make_series("BTC/USDT", "1h")
    make_series("BTC/USDT", "1m")
    make_market("ETH/USDT", "okx", enabled=False)

    found = user.get("/api/markets", {"exchange": "binance", "enabled": "true"}).json()

    assert found == {
        "next": None,
        "previous": None,
        "results": [
            {
                "id": series.market_id,
                "exchange": "binance",
                "symbol": "BTC/USDT",
                "base": "BTC",
                "quote": "USDT",
                "enabled": True,
                "timeframes": ["1m", "1h"],
            }
        ],
    }
    named = user.get("/api/markets", {"symbol": "ETH/USDT"}).json()["results"]
    assert [one["exchange"] for one in named] == ["okx"]
    for no in ("false", "False", "0"):  # as JSON, Python and forms write it
        off = user.get("/api/markets", {"enabled": no}).json()["results"]
        assert [one["exchange"] for one in off] == ["okx"]
    assert user.get("/api/markets", {"enabled": "perhaps"}).status_code == 422


def test_lists_are_paged_by_cursor(user):
    for number in range(5):
        make_market(f"C{number}/USDT")

    first = user.get("/api/markets", {"limit": 2}).json()
    second = user.get(first["next"]).json()
    third = user.get(second["next"]).json()

    pages = [[one["symbol"] for one in page["results"]] for page in (first, second, third)]
    assert pages == [["C0/USDT", "C1/USDT"], ["C2/USDT", "C3/USDT"], ["C4/USDT"]]
    assert third["next"] is None
    assert user.get("/api/markets", {"cursor": "nonsense"}).status_code == 400


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    ("address", "maker", "queries"),
    [
        ("/api/markets", make_series, 3),
        ("/api/exchanges", make_market, 2),
        ("/api/backfill-tasks", make_backfill_task, 2),
        ("/api/collectors", make_collector_config, 2),
    ],
)
def test_lists_cost_the_same_for_any_number_of_rows(
    staff, address, maker, queries, count, django_assert_max_num_queries
):
    staff.get(address)  # the key's last use is written once
    for _ in range(count):
        maker()

    with django_assert_max_num_queries(queries + 2):
        assert len(staff.get(address).json()["results"]) >= 1


def test_gaps_have_the_contracts_fields(user):
    series = make_series("BTC/USDT")
    gap = make_gap(series, at(3), at(5), evidence=[{"at": "x"}], next_look_at=NOW)
    make_gap(series, at(8), at(9), state="unavailable", reason="no_trades")
    make_gap(make_series("BTC/USDT", "1h"))
    make_gap(make_series("ETH/USDT"))

    address = f"/api/markets/{series.market_id}/gaps"
    found = user.get(address, {"timeframe": "1m"}).json()["results"]

    assert len(found) == 2
    assert found[0] == {
        "id": gap.pk,
        "timeframe": "1m",
        "start": "2026-01-05T00:03:00Z",
        "end": "2026-01-05T00:05:00Z",
        "missing": 2,
        "reason": "unknown",
        "state": "open",
        "evidence": [{"at": "x"}],
        "attempts": 0,
        "next_look_at": "2026-03-01T12:00:00Z",
    }
    assert len(user.get(address).json()["results"]) == 3
    assert len(user.get(address, {"state": "unavailable"}).json()["results"]) == 1
    for wrong in ({"timeframe": "7m"}, {"timeframe": "1w"}, {"state": "lost"}):
        assert user.get(address, wrong).status_code == 422


def test_quality_is_told_by_day(user):
    series = make_series("BTC/USDT")
    make_quality_summary(series, expected=1440, stored=1296, missing=144, score=90.0)
    address = f"/api/markets/{series.market_id}/quality"

    found = user.get(address, {"timeframe": "1m", "start": "2026-01-05", "end": "2026-01-06"})

    told = found.json()["results"][0]
    assert (told["start"], told["missing"], told["score"]) == ("2026-01-05T00:00:00Z", 144, 90.0)
    assert set(told) >= {"duplicate", "out_of_order", "price_jumps", "volume_anomalies"}
    assert user.get(address, {"start": "2026-01-06"}).json()["results"] == []
    assert user.get(address, {"start": "noon"}).status_code == 422
    assert QualitySummary.objects.count() == 1


def test_a_quality_check_is_started_once(staff):
    series = make_series("BTC/USDT")
    address = f"/api/markets/{series.market_id}/quality/check"

    first = staff.post(address, {"timeframe": "1m"})
    second = staff.post(address, {"timeframe": "1m"})

    assert first.status_code == 202
    run = Run.objects.get()
    assert first.json()["run_id"] == str(run.pk)
    assert (second.status_code, second.json()["code"], second.json()["run_id"]) == (
        409,
        "already_running",
        str(run.pk),
    )
    assert staff.post(address, {"timeframe": "1w"}).status_code == 422


def test_a_backfill_is_accepted_with_task_and_run(staff):
    make_collector_config()
    series = make_series("BTC/USDT")
    body = {
        "timeframe": "1m",
        "start": "2026-01-05T00:00:30Z",
        "end": "2026-01-05T01:00:00Z",
        "priority": 90,
    }

    answer = staff.post(f"/api/markets/{series.market_id}/backfill", body)

    task = BackfillTask.objects.get()
    assert (answer.status_code, answer.json()) == (
        202,
        {"task_id": task.pk, "run_id": str(task.run_id)},
    )
    assert Run.objects.get().requested_by_id == task.requested_by_id
    told = staff.get("/api/backfill-tasks", {"status": "pending"}).json()["results"]
    assert told == [
        {
            "id": task.pk,
            "market": "binance:BTC/USDT",
            "timeframe": "1m",
            "start": "2026-01-05T00:00:00Z",
            "end": "2026-01-05T01:00:00Z",
            "priority": 90,
            "status": "pending",
            "attempts": 0,
            "next_try_at": None,
            "progress": 0.0,
            "candles_found": 0,
            "run_id": str(task.run_id),
        }
    ]
    assert staff.get("/api/backfill-tasks", {"status": "failed"}).json()["results"] == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"end": "2026-01-04T00:00:00Z"}, "end"),
        ({"start": "2100-01-01T00:00:00Z", "end": "2100-01-02T00:00:00Z"}, "start"),
        ({"start": "yesterday"}, "start"),
        ({"timeframe": "7m"}, "timeframe"),
        ({"timeframe": "1w"}, "timeframe"),
        ({"priority": 101}, "priority"),
        ({"start": "0001-01-01T00:00:00Z"}, "start"),
        ({"end": "9999-12-31T23:59:59-14:00"}, None),
    ],
)
def test_a_backfill_that_makes_no_sense_is_refused(staff, changes, field):
    make_collector_config()
    series = make_series("BTC/USDT")
    body = {"timeframe": "1m", "start": "2026-01-05T00:00:00Z", "end": "2026-01-05T01:00:00Z"}

    answer = staff.post(f"/api/markets/{series.market_id}/backfill", {**body, **changes})

    assert answer.status_code == 422
    if field:
        assert [one["field"] for one in answer.json()["errors"]] == [field]
    assert not BackfillTask.objects.exists()


def test_a_failed_task_is_tried_again_and_others_are_not(staff):
    failed = make_backfill_task(status="failed", ended_at=NOW)
    pending = make_backfill_task()

    answer = staff.post(f"/api/backfill-tasks/{failed.pk}/retry")
    refused = staff.post(f"/api/backfill-tasks/{pending.pk}/retry")

    assert (answer.status_code, answer.json()["task_id"]) == (202, failed.pk)
    assert (refused.status_code, refused.json()["code"]) == (409, "task_not_failed")


def test_collectors_are_listed_and_run(staff):
    collector = make_collector_config("mine")

    listed = staff.get("/api/collectors").json()["results"]
    answer = staff.post(f"/api/collectors/{collector.pk}/run")

    assert listed == [
        {
            "id": collector.pk,
            "name": "mine",
            "exchange": "binance",
            "enabled": True,
            "mode": "incremental",
            "egress": "direct",
            "symbols": [{"symbol": "BTC/USDT", "timeframes": ["1m"]}],
        }
    ]
    assert (answer.status_code, answer.json()["kind"]) == (202, "markets.collect")
    assert staff.post(f"/api/collectors/{collector.pk}/run").status_code == 409


def test_addresses_are_the_contracts():
    assert reverse("candles", args=[7]) == "/api/markets/7/candles"
    assert reverse("backfill-task-retry", args=[7]) == "/api/backfill-tasks/7/retry"
