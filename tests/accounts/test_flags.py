import pytest
from django.conf import settings
from django.db import IntegrityError
from rest_framework.test import APIClient

from accounts import flags
from project.core.callers import NOBODY, Caller
from tests.factories import make_flag, make_key, make_user

pytestmark = pytest.mark.django_db


def test_each_way_to_have_a_feature():
    ann, bob = make_user(), make_user()
    for name, facts in (("all", {"everybody": True}), ("staff", {"staff": True}), ("none", {})):
        make_flag(name=name, **facts)
    make_flag(name="named").users.add(ann)

    nothing = {"all": True, "staff": False, "none": False, "named": False}
    assert flags.of(NOBODY) == nothing
    assert flags.of(Caller(user_id=bob.pk)) == nothing
    assert flags.of(Caller(user_id=ann.pk)) == nothing | {"named": True}
    assert flags.of(Caller(user_id=bob.pk, is_staff=True)) == nothing | {"staff": True}
    assert flags.has(NOBODY, "all")
    assert not flags.has(NOBODY, "unheard-of")


def test_share_of_users_is_steady_and_grows():
    flag = make_flag(name="new", percent=30)
    have = {n for n in range(1000) if flags.has(Caller(user_id=n), "new")}
    flag.percent = 60
    flag.save()
    more = {n for n in range(1000) if flags.has(Caller(user_id=n), "new")}

    assert 250 < len(have) < 350
    assert have < more
    assert not flags.has(NOBODY, "new")


def test_percent_is_a_percentage():
    with pytest.raises(IntegrityError, match="flag_percent"):
        make_flag(percent=101)


def test_caller_sees_own_features(django_assert_num_queries):
    user = make_user()
    make_flag(name="named").users.add(user)
    program = APIClient(HTTP_AUTHORIZATION=f"Api-Key {make_key(user).secret}")

    other = APIClient(HTTP_AUTHORIZATION=f"Api-Key {make_key(make_user()).secret}")

    assert other.get("/api/config/features").json() == {"features": {"named": False}}
    program.get("/api/config/features")
    with django_assert_num_queries(2 + (not settings.REDIS_URL)):
        assert program.get("/api/config/features").json() == {"features": {"named": True}}
