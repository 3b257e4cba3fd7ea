from datetime import timedelta

import pytest

from proxies import cooling
from proxies.choices import Outcome


def test_pauses_double_with_each_failure_in_a_row_up_to_a_day():
    pauses = [
        cooling.pause_at_target(Outcome.BLOCKED, failures_in_row=n) for n in (1, 2, 3, 9, 999)
    ]

    assert pauses == [
        timedelta(minutes=10),
        timedelta(minutes=20),
        timedelta(minutes=40),
        timedelta(hours=24),
        timedelta(hours=24),
    ]


def test_every_failure_has_a_pause():
    failures = set(Outcome) - {Outcome.OK}

    assert set(cooling.FIRST_PAUSE) == failures
    assert cooling.pause_at_target(Outcome.OK, failures_in_row=5) == timedelta(0)


@pytest.mark.parametrize("outcome", [Outcome.BLOCKED, Outcome.RATE_LIMITED, Outcome.CAPTCHA])
@pytest.mark.parametrize("target", ["", "binance.com"])
def test_a_ban_at_a_site_is_never_for_everybody(outcome, target):
    assert not cooling.is_for_everybody(outcome, target=target)


def test_what_the_proxy_did_is_for_everybody():
    assert cooling.is_for_everybody(Outcome.REFUSED, target="binance.com")
    assert cooling.is_for_everybody(Outcome.TIMEOUT, target="")
    assert not cooling.is_for_everybody(Outcome.TIMEOUT, target="binance.com")
