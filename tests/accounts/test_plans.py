from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts import plans
from accounts.models import Plan, RateLimitRule, RateLimitSwitch, Subscription, User
from project.core.callers import Allowance
from tests.factories import (
    make_plan,
    make_rate_limit_rule,
    make_staff,
    make_subscription,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("first_plans")]


def test_subscription_holds_until_its_end(now):
    plan = make_plan()
    user = make_subscription(plan=plan, started_at=now - timedelta(days=1), ends_at=now).user

    assert plans.current(user, at=now - timedelta(seconds=1)) == plan
    assert plans.current(user, at=now) is None
    assert plans.current(make_user(), at=now) is None


def test_allowance_is_what_the_plan_names(now):
    plan = make_plan(api_per_minute=7)

    assert plans.allowance(plan) == Allowance(plan.name, False, {"api_per_minute": 7})
    assert plans.allowance_of(make_subscription(plan=plan).user) == plans.allowance(plan)
    assert plans.allowance_of(make_user()) is None
    assert plans.allowance_of(make_staff()) == plans.STAFF


def test_allowance_costs_no_query_of_its_own(django_assert_num_queries):
    pk = make_subscription().user.pk

    with django_assert_num_queries(1):
        user = User.objects.select_related(*plans.WITH_USER).get(pk=pk)
        assert plans.allowance_of(user) is not None


def test_a_subscription_to_come_holds_from_its_start_on(now):
    pro, gold = Plan.objects.get(name="pro"), make_plan(name="gold", title="Gold")
    start, end = now + timedelta(days=3), now + timedelta(days=30)
    fields = {"plan": gold, "started_at": start, "ends_at": end}
    from_pro = make_subscription(plan_before=pro, **fields).user
    from_nothing = make_subscription(**fields).user

    for user, before in ((from_pro, "pro"), (from_nothing, "free")):
        names = [
            found.name if (found := plans.effective(user, at=at)) else None
            for at in (now, start - timedelta(seconds=1), start, end)
        ]
        assert names == [before, before, "gold", "free"]
    assert plans.allowance_of(from_pro, at=now) == plans.allowance(pro)
    assert plans.standing(from_pro, at=now) == plans.Standing(pro, None, start, gold)
    assert plans.standing(from_pro, at=start) == plans.Standing(gold, start, end)
    free = Plan.objects.get(name="free")
    assert plans.standing(from_pro, at=end) == plans.Standing(free, from_pro.date_joined)


def test_no_plan_limits_staff(now):
    ada = make_subscription(user=make_staff()).user

    found = plans.standing(ada, at=now)

    assert found.plan is not None
    assert (found.plan.name, found.plan.is_unlimited, found.ends_at) == ("staff", True, None)


def test_installation_begins_with_three_plans():
    found = Plan.objects.values_list("name", "is_default", "is_unlimited", "is_public")

    assert list(found) == [
        ("free", True, False, True),
        ("pro", False, False, True),
        ("service", False, True, False),
    ]
    assert plans.default() == Plan.objects.get(name="free")
    assert str(RateLimitSwitch.objects.get()) == "Rate limits hold"


@pytest.mark.parametrize(
    ("name", "break_it"),
    [
        ("plan_default_once", lambda now: make_plan(is_default=True)),
        (
            "subscription_ends_after_its_start",
            lambda now: make_subscription(started_at=now, ends_at=now),
        ),
        ("rate_limit_rule_allows_something", lambda now: make_rate_limit_rule(amount=0)),
        ("rate_limit_switch_once", lambda now: RateLimitSwitch.objects.create(id=2)),
    ],
)
def test_database_keeps_its_rules(name, break_it, now):
    with pytest.raises(IntegrityError), transaction.atomic():
        break_it(now)


def test_texts_for_people():
    subscription = make_subscription(user=make_user(email="a@example.com"))

    assert str(subscription) == f"a@example.com: {subscription.plan.title}"
    assert str(make_rate_limit_rule(name="x")) == "x"
    assert (Subscription.objects.count(), RateLimitRule.objects.count()) == (1, 1)
