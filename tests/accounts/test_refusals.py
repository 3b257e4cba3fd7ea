"""What limits turned away of whom, today."""

from datetime import timedelta

import pytest

from accounts import refusals
from accounts.refusals import Refused
from project.core.limits import Verdict
from tests.project.rivals import rivals

NO = Verdict(False, "api", 60, 0, 12.0)


def test_keys_and_users_are_counted_apart_and_by_day(now):
    for _ in range(3):
        refusals.note("key:7", NO, now=now)
    refusals.note("user:7", Verdict(False, "stream", 5, 0, 1.0), now=now + timedelta(seconds=1))

    found = refusals.today(["key:7", "user:7", "key:8"], now=now)

    assert found == {
        "key:7": Refused(3, "api", 60, now),
        "user:7": Refused(1, "stream", 5, now + timedelta(seconds=1)),
    }
    assert refusals.today(["key:7"], now=now + timedelta(days=1)) == {}


def test_addresses_are_not_kept(now):
    refusals.note("address:203.0.113.9", NO, now=now)

    assert refusals.today(["address:203.0.113.9"], now=now) == {}


@pytest.mark.redis
def test_no_refusal_is_lost_among_rivals(now):
    def five(_: int) -> None:
        for _again in range(5):
            refusals.note("key:9", NO, now=now)

    rivals(20, five)

    assert refusals.today(["key:9"], now=now)["key:9"].count == 100
