from datetime import timedelta

import pytest
from django.db import connection
from rest_framework.test import APIClient

from accounts import repeating
from accounts.models import ApiKey, KeptAnswer
from tests.factories import make_kept_answer, make_key, make_user
from tests.project.rivals import rivals

pytestmark = pytest.mark.django_db
ONE, TWO = "1" * 64, "2" * 64


def claim(now, digest=ONE, key="k", caller="user:1"):
    return repeating.claim(caller, key, digest=digest, now=now)


def test_answer_is_found_again_for_a_day(now):
    own = claim(now)
    repeating.keep(own, status=201, content_type="application/json", body="{}")

    found = claim(now + timedelta(hours=23)).answer

    assert found is not None
    assert (found.status, found.content_type, found.body) == (201, "application/json", "{}")
    assert claim(now + repeating.KEPT).answer is None


def test_other_body_and_work_in_progress_are_refused(now):
    claim(now)

    with pytest.raises(repeating.KeyReusedError):
        claim(now, TWO)
    with pytest.raises(repeating.StillAtWorkError):
        claim(now)
    assert claim(now, TWO, caller="user:2").answer is None


def test_work_of_the_dead_is_taken_over_and_they_keep_nothing(now):
    dead = claim(now)

    heir = claim(now + repeating.AT_WORK)
    repeating.keep(dead, status=500, content_type="", body="old")
    repeating.drop(dead)

    assert KeptAnswer.objects.get().status is None
    repeating.keep(heir, status=200, content_type="", body="new")
    assert KeptAnswer.objects.get().body == "new"


def test_dropped_claim_may_be_tried_again(now):
    repeating.drop(claim(now))

    assert claim(now, TWO).answer is None


@pytest.mark.parametrize("key", ["", "x" * 201, "ä", "a\nb"])
def test_key_that_is_none_is_refused(key, now):
    with pytest.raises(repeating.BadIdempotencyKeyError):
        claim(now, key=key)


def test_digest_tells_where_parts_end():
    assert repeating.digest(b"a", b"bc") != repeating.digest(b"ab", b"c")


@pytest.mark.django_db(transaction=True)
def test_one_of_many_rivals_does_the_work(now):
    def one(_: int) -> bool:
        try:
            claim(now)
        except repeating.StillAtWorkError:
            return False
        return True

    assert sum(rivals(8, one)) == 1


def client_of(user):
    return APIClient(HTTP_AUTHORIZATION=f"Api-Key {make_key(user).secret}")


def make(client, name, key="k1"):
    return client.post("/api/auth/keys", {"name": name}, headers={"Idempotency-Key": key})


def test_request_sent_again_gets_the_same_answer_and_does_nothing(user):
    client, before = client_of(user), 1

    first, again, other = make(client, "a"), make(client, "a"), make(client, "b")

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert (again["Idempotent-Replay"], again["Content-Type"]) == ("true", first["Content-Type"])
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert ApiKey.objects.count() == before + 1
    assert make(client_of(make_user()), "a").json()["id"] != first.json()["id"]


def test_kept_secret_is_not_readable_in_the_database(user):
    secret = make(client_of(user), "a").json()["key"]

    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM accounts_keptanswer")
        assert secret not in str(cursor.fetchall())


def test_refusal_may_be_tried_again_and_bad_input_is_kept(user):
    poor = APIClient(HTTP_AUTHORIZATION=f"Api-Key {make_key(user, scopes=['markets:read']).secret}")
    client = client_of(user)

    assert make(poor, "a").status_code == 403
    assert not KeptAnswer.objects.exists()
    assert make(APIClient(), "a").status_code == 401
    assert make(client, "x" * 200).status_code == 422
    assert "Idempotent-Replay" in make(client, "x" * 200)


def test_work_in_progress_is_a_conflict(user, now):
    key = make_key(user)
    client = APIClient(HTTP_AUTHORIZATION=f"Api-Key {key.secret}")
    make(client, "a")
    KeptAnswer.objects.update(status=None)

    answer = make(client, "a")

    assert (answer.status_code, answer.json()["code"]) == (409, "still_at_work")
    assert str(make_kept_answer(caller="user:1", key="x")) == "user:1 x"
