from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from prometheus_client import REGISTRY

from accounts import keys, limiting
from accounts.limiting import Ask, Hit
from accounts.models import Plan, RateLimitRule
from project.core import issues, limits_counting
from project.core.callers import NOBODY, Caller
from project.core.limits import Rule
from tests.factories import (
    make_key,
    make_plan,
    make_rate_limit_rule,
    make_staff,
    make_subscription,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("limits_on")]


def outcome(count: int, *, now: datetime, **facts: Any) -> list[bool | None]:
    """Ask ``count`` times: whether each was allowed; None where nothing limits it."""
    ask = Ask(**{"method": "GET", "path": "/api/runs", "address": "203.0.113.9", **facts})
    verdicts = [limiting.decide(ask, now=now) for _ in range(count)]
    return [verdict.is_allowed if verdict else None for verdict in verdicts]


@pytest.mark.parametrize(
    ("method", "path", "passing", "refused"),
    [
        ("POST", "/api/auth/login", 5, 3),
        ("POST", "/api/auth/register", 5, 3),
        ("GET", "/api/runs/1/stream", 5, 3),
        ("GET", "/api/runs", 60, 5),
        ("GET", "/", 100, 5),
    ],
)
def test_default_limits_of_anonymous_callers(method, path, passing, refused, now):
    found = outcome(passing + refused, now=now, method=method, path=path)

    assert found == [True] * passing + [False] * refused


@pytest.mark.parametrize(
    "path",
    [
        "/health",
        "/health/live",
        "/health/ready",
        "/health/metrics",
        "/api/health",
        "/api/etl/health",
        "/metrics",
        "/judge",
        "/static/millrace/site.css",
    ],
)
def test_probes_are_never_limited(path, now):
    assert outcome(120, now=now, path=path) == [None] * 120


def test_only_the_closest_rule_counts(now):
    outcome(5, now=now, method="POST", path="/api/auth/login")

    assert outcome(61, now=now) == [True] * 60 + [False]


def test_reconnect_does_not_count_as_opening(now):
    stream = "/api/runs/1/stream"

    assert outcome(20, now=now, path=stream, again=True) == [True] * 20
    assert outcome(6, now=now, path=stream) == [True] * 5 + [False]
    assert outcome(1, now=now, path=stream, again=True) == [True]


def test_caller_is_counted_by_key_else_user_else_address(now):
    asked = Ask("GET", "/", "203.0.113.9")

    assert asked.counted_as("caller") == "address:203.0.113.9"
    assert Ask("GET", "/", "", Caller(user_id=1)).counted_as("caller") == "user:1"
    assert Ask("GET", "/", "", Caller(user_id=1, key_id=2)).counted_as("caller") == "key:2"
    by_address = Ask("GET", "/", "203.0.113.9", Caller(user_id=1, key_id=2)).counted_as("address")
    assert by_address == "address:203.0.113.9"


def test_plan_raises_what_it_names(now):
    plan = make_plan(api_per_minute=70)
    caller = keys.caller_of_user(make_subscription(plan=plan).user)

    assert outcome(72, now=now, caller=caller).count(True) == 70
    assert outcome(6, now=now, caller=caller, path="/api/runs/1/stream").count(True) == 5
    login = outcome(6, now=now, caller=caller, path="/api/auth/login", method="POST")
    assert login.count(True) == 5


def test_default_plan_may_be_changed_by_staff(now):
    Plan.objects.filter(is_default=True).update(api_per_minute=3)
    limiting.forget()

    assert outcome(4, now=now) == [True] * 3 + [False]
    assert outcome(4, now=now, caller=keys.caller_of_user(make_user())) == [True] * 3 + [False]


def test_staff_and_services_have_no_limit(now):
    service = make_subscription(plan=Plan.objects.get(name="service")).user
    for user in (make_staff(), service):
        assert outcome(120, now=now, caller=keys.caller_of_user(user)) == [None] * 120
        key = make_key(user, scopes=["markets:read"]).key
        assert outcome(120, now=now, caller=keys.caller_of_key(key)) == [None] * 120


def test_allowed_networks_are_not_limited(now, settings):
    settings.RATE_LIMIT_ALLOW = ["203.0.113.0/24"]

    assert outcome(101, now=now) == [None] * 101
    assert outcome(61, now=now, address="198.51.100.7").count(False) == 1


def test_both_switches_turn_limits_off(now, settings):
    limiting.turn(on=False)
    assert outcome(61, now=now) == [None] * 61
    limiting.turn(on=True)
    settings.RATE_LIMIT_ENABLED = False
    assert outcome(61, now=now) == [None] * 61
    settings.RATE_LIMIT_ENABLED = True

    assert outcome(61, now=now) == [True] * 60 + [False]


def test_row_takes_the_place_of_the_rule_of_its_name(now):
    make_rate_limit_rule(name="api", paths=["/api/**"], amount=2)
    make_rate_limit_rule(name="export", paths=["/api/proxies/export"], amount=1)
    make_rate_limit_rule(name="all", paths=["/**"], amount=1, is_on=False)
    limiting.forget()

    assert outcome(3, now=now) == [True, True, False]
    assert outcome(2, now=now, path="/api/proxies/export") == [True, False]
    assert outcome(101, now=now, path="/").count(True) == 100


def test_change_of_a_row_is_seen_elsewhere_within_two_seconds(now, django_assert_num_queries):
    outcome(1, now=now)
    make_rate_limit_rule(name="api", paths=["/api/**"], amount=1)

    with django_assert_num_queries(0):
        assert outcome(1, now=now + timedelta(seconds=1.9)) == [True]
    assert outcome(1, now=now + timedelta(seconds=2)) == [False]


def test_rules_hold_while_the_database_is_away(now, monkeypatch):
    make_rate_limit_rule(name="api", paths=["/api/**"], amount=2)
    outcome(1, now=now)

    def away(*_: object, **__: object) -> None:
        raise DatabaseError

    monkeypatch.setattr(RateLimitRule.objects, "filter", away)

    assert outcome(2, now=now + timedelta(seconds=5)) == [True, False]
    limiting.forget()
    assert outcome(1, now=now + timedelta(seconds=5), path="/api/x") == [True]


def test_requests_are_counted_by_result_and_rule(now):
    def counted(result: str) -> float:
        labels = {"result": result, "rule": "sign_in"}
        return REGISTRY.get_sample_value("rate_limit_requests_total", labels) or 0

    before = counted("allowed"), counted("blocked")

    outcome(8, now=now, method="POST", path="/api/auth/login")

    assert (counted("allowed") - before[0], counted("blocked") - before[1]) == (5, 3)


def test_preview_names_whom_a_rule_would_hit(now):
    user = make_user(email="ann@example.com")
    key = make_key(user).key
    for caller, count in ((keys.caller_of_key(key), 7), (keys.caller_of_user(user), 6)):
        outcome(count, now=now, caller=caller, path="/api/exports")
    outcome(5, now=now, path="/api/exports")
    outcome(3, now=now, path="/api/exports", address="198.51.100.7")
    outcome(3, now=now + timedelta(seconds=61), path="/api/exports", address="198.51.100.7")
    outcome(50, now=now, path="/api/other")

    found = limiting.preview(Rule("exports", ("/api/exports",), 4), now=now)

    assert found == [
        Hit(f"key {key.prefix}… of ann@example.com", 7, 4),
        Hit("ann@example.com", 6, 4),
        Hit("address:203.0.113.9", 5, 4),
    ]
    assert limiting.remembered() == 74


def test_preview_of_a_burst_counts_what_came_faster_than_room_came_back(now):
    for second in range(10):  # one a second is what the rule gives back
        outcome(1, now=now + timedelta(seconds=second), path="/api/exports")
    outcome(6, now=now, path="/api/exports", address="198.51.100.7")
    outcome(3, now=now + timedelta(seconds=2), path="/api/exports", address="198.51.100.7")
    rule = Rule("exports", ("/api/exports",), 60, burst=4)

    assert limiting.preview(rule, now=now) == [Hit("address:198.51.100.7", 7, 4)]


def test_rule_with_a_burst_lets_so_many_through_at_once(now):
    make_rate_limit_rule(name="exports", paths=["/api/exports"], amount=60, burst=3)

    assert outcome(5, now=now, path="/api/exports") == [True] * 3 + [False] * 2


def test_lost_redis_is_an_issue(now):
    assert limiting.degraded(now) == []
    limits_counting.here().is_degraded = True

    assert [issue.code for issue in issues.current(now=now)].count("rate_limits_degraded") == 1


def test_nobody_has_no_allowance(now):
    assert NOBODY.allowance is None
