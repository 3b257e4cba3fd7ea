"""What of a user matters at a glance."""

from datetime import timedelta

import pytest

from accounts import keys, limiting, summarising
from accounts.models import Plan, Subscription
from tests.accounts.test_limiting import outcome
from tests.factories import make_device, make_key, make_user

pytestmark = pytest.mark.django_db


def test_glance_holds_what_is_the_users_alone(now, first_plans):
    ann, ben = make_user(), make_user()
    mine, gone = make_key(ann), make_key(ann)
    keys.revoke(gone.key, now=now)
    make_key(ben)
    make_device(user=ben)

    found = summarising.at_user(ann, now=now)

    assert found.standing.plan is not None
    assert found.standing.plan.name == "free"
    assert [one.key.pk for one in found.keys] == [mine.key.pk]
    assert found.devices == []
    assert {use.label for use in found.usage} == {"Leases at once", "Jobs at once", "Jobs today"}
    assert not found.is_refused


def test_own_plan_and_its_end_are_told(now, first_plans):
    user, ends = make_user(), now + timedelta(days=9)
    Subscription.objects.create(
        user=user, plan=Plan.objects.get(name="pro"), started_at=now, ends_at=ends
    )

    found = summarising.at_user(user, now=now)

    assert found.standing.plan is not None
    assert (found.standing.plan.name, found.standing.ends_at) == ("pro", ends)


def test_refusals_of_the_limiter_are_told_by_key(now, limits_on):
    key = make_key(make_user()).key
    limiting.forget()
    outcome(62, now=now, caller=keys.caller_of_key(key), path="/api/runs")

    (found,) = summarising.at_user(key.user, now=now).keys

    assert found.refused is not None
    assert (found.refused.count, found.refused.rule, found.refused.limit) == (2, "api", 60)
