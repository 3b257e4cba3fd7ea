import pytest

from accounts.backends import SessionBackend
from accounts.models import User
from tests.factories import make_subscription, make_user

pytestmark = pytest.mark.django_db


def test_session_user_comes_with_the_plan_in_one_query(django_assert_num_queries):
    subscription = make_subscription()

    with django_assert_num_queries(1):
        found = SessionBackend().get_user(subscription.user_id)
        assert found is not None
        assert found.subscription.plan == subscription.plan


def test_nobody_and_those_locked_out_are_not_found():
    user = make_user(is_active=False)

    assert SessionBackend().get_user(user.pk) is None
    assert SessionBackend().get_user(0) is None
    assert User.objects.count() == 1
