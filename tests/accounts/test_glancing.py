from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import glancing, keys, noting
from accounts.models import ApiKey, Plan, Subscription, User
from accounts.noting import Sight
from tests.factories import make_key, make_plan, make_staff, make_subscription, make_user

pytestmark = pytest.mark.django_db
HOME = Sight("192.0.2.7", "collector/1")


def of_plan(**fields):
    return make_key(make_subscription(plan=make_plan(**fields)).user)


def ended(now):
    made = of_plan(api_per_minute=7)
    Subscription.objects.update(
        started_at=now - timedelta(days=2), ends_at=now - timedelta(seconds=1)
    )
    return made


def inactive():
    made = make_key()
    User.objects.update(is_active=False)
    return made


def revoked(now):
    made = make_key()
    ApiKey.objects.update(revoked_at=now)
    return made


def to_come(now, **before):
    made = of_plan(api_per_minute=7)
    plan = make_plan(**before) if before else None
    Subscription.objects.update(started_at=now + timedelta(days=1), plan_before=plan)
    return made


KEYS = {
    "plain": lambda now: make_key(),
    "one scope": lambda now: make_key(scopes=["markets:read"]),
    "staff": lambda now: make_key(make_staff()),
    "staff as such": lambda now: make_key(make_staff(), scopes=["admin"]),
    "with a plan": lambda now: of_plan(api_per_minute=7, requests_per_minute=9),
    "without limits": lambda now: of_plan(is_unlimited=True),
    "with a plan that ended": ended,
    "with a plan to come": to_come,
    "with another plan before": lambda now: to_come(now, api_per_minute=5),
    "from here": lambda now: make_key(allowed_networks=["192.0.2.0/24"]),
    "from elsewhere": lambda now: make_key(allowed_networks=["198.51.100.0/24"]),
    "that ends": lambda now: make_key(expires_at=now + timedelta(seconds=1)),
    "that ended": lambda now: make_key(
        now=now - timedelta(days=2), expires_at=now - timedelta(seconds=1)
    ),
    "revoked": revoked,
    "of somebody inactive": lambda now: inactive(),
}


@pytest.mark.parametrize("which", list(KEYS))
def test_a_glance_sees_what_recognising_does(which):
    now = timezone.now()
    Plan.objects.all().delete()
    make_plan(is_default=True, api_per_minute=3)
    secret = KEYS[which](now).secret

    found = glancing.caller(secret, now=now, sight=HOME)
    known = keys.recognise(secret, now=now, sight=HOME)

    wanted = known[1] if known is not None else None
    assert found == wanted
    assert (found and found.allowance) == (wanted and wanted.allowance)
    assert (found is None) == (
        which in {"from elsewhere", "that ended", "revoked", "of somebody inactive"}
    )


def test_a_key_that_was_never_made_is_nobodys():
    assert glancing.caller("mr_nobody", now=timezone.now(), sight=HOME) is None
    assert glancing.caller("", now=timezone.now(), sight=HOME) is None


def test_a_change_holds_at_the_next_request():
    now = timezone.now()
    plan = make_plan(api_per_minute=7)
    user = make_user()
    made = make_key(user)

    before = glancing.caller(made.secret, now=now)
    make_subscription(user=user, plan=plan)
    with_plan = glancing.caller(made.secret, now=now)
    keys.revoke(made.key, now=now)

    assert before is not None
    assert with_plan is not None
    assert before.allowance is None
    assert with_plan.allowance is not None
    assert with_plan.allowance.rates == {"api_per_minute": 7}
    assert glancing.caller(made.secret, now=now) is None


def test_a_glance_makes_no_row_and_notes_the_use():
    made = make_key()

    with CaptureQueriesContext(connection) as queries:
        assert glancing.caller(made.secret, now=timezone.now(), sight=HOME)
    noting.flush()

    row = ApiKey.objects.get()
    assert (row.last_agent, row.last_address) == ("collector/1", "192.0.2.7")
    # Django's cursor is passed by, but where a shared cache shall remember the key
    assert len(queries) == (1 if settings.REDIS_URL else 0)
