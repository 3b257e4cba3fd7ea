from datetime import timedelta

import pytest

from project.core.callers import SYSTEM
from proxies import explaining, lending
from proxies.lending import Ask, NoProxyAvailableError
from tests.proxies.factories import (
    NOW,
    make_lease,
    make_pool_policy,
    make_proxy,
    make_target_state,
)

pytestmark = pytest.mark.django_db
SOON = timedelta(seconds=30)


def failing(proxy, **wanted):
    """Return the rules that fail, and see that lending agrees."""
    ask = Ask(holder="tests", **wanted)
    proxy.refresh_from_db()
    found = explaining.explain(proxy, ask, now=NOW)
    try:
        lending.acquire(ask, by=SYSTEM, now=NOW)
        is_lent = True
    except NoProxyAvailableError:
        is_lent = False
    assert is_lent == all(rule.holds for rule in found)
    return [rule.name for rule in found if not rule.holds]


def test_a_free_proxy_meets_every_rule():
    everything = {"target": "a.com", "pool": "warm", "protocol": "http", "min_score": 50}

    assert failing(make_proxy(country="DE"), country="de", **everything) == []


@pytest.mark.parametrize(
    ("fields", "wanted", "rules"),
    [
        ({"state": "failing", "score": None}, {}, ["state"]),
        ({}, {"pool": "hot"}, ["pool"]),
        ({}, {"protocol": "socks5"}, ["protocol"]),
        ({"tls_ok": False}, {"protocol": "https"}, ["protocol"]),
        ({}, {"country": "DE"}, ["country"]),
        ({}, {"min_score": 61}, ["score"]),
        ({"rest_until": NOW + SOON}, {}, ["rest"]),
    ],
)
def test_what_fails_is_named_as_lending_decides(fields, wanted, rules):
    assert failing(make_proxy(**fields), **wanted) == rules


def test_a_ban_counts_for_its_target_and_says_why_and_how_long():
    proxy = make_proxy()
    make_target_state(
        proxy=proxy,
        target="a.com",
        blocked_until=NOW + SOON,
        blocked_for="captcha",
        failures_in_row=2,
    )

    rule = explaining.explain(proxy, Ask(target="www.a.com"), now=NOW)[-2]

    assert (rule.name, rule.holds) == ("target", False)
    assert rule.text == "a.com is left alone for 30 s more: Captcha, 2 in a row"
    assert failing(proxy, target="a.com") == ["target"]
    assert failing(proxy, target="b.com") == []


def test_a_proxy_that_is_lent_is_not_free():
    proxy = make_proxy()
    lending.acquire(Ask(holder="first"), by=SYSTEM, now=NOW)

    assert failing(proxy) == ["free"]


def test_a_proxy_that_was_used_up_says_so():
    make_pool_policy(uses_per_window=1, window_s=60)
    proxy = make_proxy()
    make_lease(proxy=proxy, state="released", ended_at=NOW, n=5)

    assert failing(proxy) == ["uses"]
