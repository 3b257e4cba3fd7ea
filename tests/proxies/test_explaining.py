from datetime import timedelta

import pytest

from project.core.callers import SYSTEM
from proxies import explaining, lending
from proxies.lending import Ask, BadLeaseRequestError, NoProxyAvailableError
from proxies.models import Lease, LeaseSlot
from proxies.returning import LeaseNotFoundError
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


def test_an_explanation_is_lendable_when_lending_says_so_and_names_closed_sites():
    proxy = make_proxy(good_weight=2, total_weight=3, evidence_at=NOW)
    make_target_state(proxy=proxy, target="a.com", blocked_until=NOW + SOON, blocked_for="blocked")

    found = explaining.of(proxy, Ask(), now=NOW)
    there = explaining.of(proxy, Ask(target="www.a.com"), now=NOW)

    assert (found.lendable, there.lendable) == (True, False)
    assert [(one.target, one.until, one.outcome) for one in found.closed] == [
        ("a.com", NOW + SOON, "blocked")
    ]
    assert found.closed[0].text == next(r.text for r in there.rules if r.name == "target")
    assert (found.score.good, found.score.total, found.score.value) == (2, 3, 62.5)
    assert "100 * (2.00 + 0.5) / (3.00 + 1) = 62 of 100" in found.score.text


def test_a_wish_without_sense_is_refused():
    with pytest.raises(BadLeaseRequestError):
        explaining.of(make_proxy(), Ask(target="not a host!!"), now=NOW)


def test_a_proxy_nobody_knows_of_has_no_score():
    found = explaining.score(make_proxy(score=None, state="unproven"), now=NOW)

    assert found == explaining.Score(None, 0.0, 0.0, "Nothing is known of it yet.")


def test_a_lease_tells_why_it_got_its_proxy():
    proxy = make_proxy(score=61.0)
    first = lending.acquire(Ask(target="a.com"), by=SYSTEM, now=NOW)
    Lease.objects.filter(pk=first.id).update(state="released", ended_at=NOW)
    LeaseSlot.objects.update(token=None, held_until=None)
    second = lending.acquire(Ask(target="a.com"), by=SYSTEM, now=NOW + SOON)

    found = [explaining.choice_of(one.id, by=SYSTEM) for one in (first, second)]

    assert [(one.proxy_id, one.pool, one.target, one.score) for one in found] == [
        (proxy.pk, "warm", "a.com", 61.0)
    ] * 2
    assert [(one.recorded, one.rested_s, one.away_s) for one in found] == [
        (True, None, None),
        (True, 30.0, 30.0),
    ]
    assert "never lent before, for a.com never lent before" in found[0].text
    assert "last lent 30 s before, for a.com last lent 30 s before" in found[1].text


def test_a_lease_of_an_earlier_version_has_no_reasons_on_record():
    found = explaining.choice(make_lease())

    assert (found.recorded, found.rested_s, found.text) == (False, None, "Not recorded.")


def test_a_lease_that_is_not_among_them_is_not_found():
    with pytest.raises(LeaseNotFoundError):
        explaining.choice_of(make_lease().pk + 1, by=SYSTEM)
