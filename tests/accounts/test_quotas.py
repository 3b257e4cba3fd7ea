from datetime import UTC, datetime

import pytest
from django.db import transaction

from accounts import quotas
from accounts.quotas import Use
from project.core.api import problems
from tests.factories import make_device, make_plan, make_staff, make_subscription, make_user
from tests.project.rivals import rivals

NOW = datetime(2026, 1, 5, 18, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _counted(monkeypatch):
    """Let devices stand for what is counted."""
    from accounts.models import Device

    def count(user_id, now):
        return Device.objects.filter(user_id=user_id).count()

    monkeypatch.setattr(quotas, "_counts", {})
    quotas.register(quotas.LEASES_AT_ONCE, count)
    quotas.register(quotas.JOBS_PER_DAY, count)


def subscriber(**numbers):
    return make_subscription(plan=make_plan(**numbers)).user


def take(user, quota=quotas.LEASES_AT_ONCE):
    with transaction.atomic():
        quotas.require(quota, user_id=user.pk, now=NOW)
        make_device(user=user)


@pytest.mark.django_db
def test_more_at_once_than_the_plan_allows_is_a_conflict():
    user = subscriber(leases_at_once=2)
    take(user)
    take(user)

    with pytest.raises(quotas.HeldQuotaError) as caught:
        take(user)

    found = problems.of_error(caught.value, instance="/x")
    assert (found["status"], found["code"]) == (409, "quota_exceeded")
    assert (found["quota"], found["limit"]) == ("leases_at_once", 2)


@pytest.mark.django_db
def test_more_a_day_than_the_plan_allows_says_when_the_next_day_begins():
    user = subscriber(jobs_per_day=1)
    take(user, quotas.JOBS_PER_DAY)

    with pytest.raises(quotas.DailyQuotaError) as caught:
        take(user, quotas.JOBS_PER_DAY)

    found = problems.of_error(caught.value, instance="/x")
    assert (found["status"], found["resets_at"]) == (429, "2026-01-06T00:00:00Z")
    assert caught.value.retry_after_s == 6 * 3600


@pytest.mark.django_db
def test_staff_services_and_the_system_have_no_quota(first_plans):
    for user in (make_staff(), subscriber(is_unlimited=True, leases_at_once=0), subscriber()):
        for _ in range(3):
            take(user)
    quotas.require(quotas.LEASES_AT_ONCE, user_id=None, now=NOW)
    free = make_user()
    for _ in range(10):
        take(free)
    with pytest.raises(quotas.HeldQuotaError):
        take(free)


@pytest.mark.django_db
def test_usage_tells_each_quota_that_is_counted():
    user = subscriber(leases_at_once=2)
    take(user)

    assert quotas.usage(user, now=NOW) == [
        Use("leases_at_once", 1, 2, None),
        Use("jobs_per_day", 1, None, datetime(2026, 1, 6, tzinfo=UTC)),
    ]


def test_unknown_quota_is_a_bug():
    with pytest.raises(ValueError, match="wishes"):
        quotas.register("wishes", lambda *_: 0)


@pytest.mark.django_db(transaction=True)
def test_rivals_never_take_more_than_the_quota():
    user = subscriber(leases_at_once=3)

    def one(_: int) -> bool:
        try:
            take(user)
        except quotas.HeldQuotaError:
            return False
        return True

    assert sum(rivals(12, one)) == 3
