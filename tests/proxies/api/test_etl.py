import pytest

from proxies.models import ReceivedSnapshot
from tests.proxies.conftest import client_of

pytestmark = pytest.mark.django_db
URL = "/api/etl/snapshots"
TOLD = {
    "version": "0.1.0",
    "commit": "abc",
    "timestamp": "2026-01-05T12:00:00Z",
    "pools": {"hot": 1, "warm": {"size": 2}},
    "sources": [{"name": "one", "healthy": 3}],
}


def test_a_snapshot_is_taken_and_answered_alike(staff_api):
    key = {"HTTP_IDEMPOTENCY_KEY": "k1"}
    first = staff_api.post(URL, TOLD, format="json", **key)
    again = staff_api.post(URL, TOLD, format="json", **key)

    assert (first.status_code, first.json()["duplicate"]) == (201, False)
    assert again.json() == first.json()
    row = ReceivedSnapshot.objects.get()
    assert (row.key, row.pools, row.sources) == ("k1", TOLD["pools"], TOLD["sources"])


def test_the_same_content_without_a_key_is_kept_once(staff_api):
    first = staff_api.post(URL, TOLD, format="json")
    again = staff_api.post(URL, TOLD, format="json")

    assert (again.status_code, again.json()["duplicate"]) == (200, True)
    assert again.json()["id"] == first.json()["id"]


def test_a_key_that_comes_with_another_snapshot_is_refused(staff_api):
    key = {"HTTP_IDEMPOTENCY_KEY": "k1"}
    staff_api.post(URL, TOLD, format="json", **key)
    answer = staff_api.post(URL, {**TOLD, "version": "2"}, format="json", **key)

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"more": 1}, "more", "unknown_field"),
        ({"version": None}, "version", "null"),
        ({"timestamp": "yesterday"}, "timestamp", "invalid"),
        ({"pools": {"hot": -1}}, "pools.hot", "invalid"),
        ({"pools": {"hot": True}}, "pools.hot", "invalid"),
        ({"pools": [1]}, "pools", "not_a_dict"),
        ({"sources": [{"healthy": 1}]}, "sources.0.name", "required"),
        ({"sources": "one"}, "sources", "not_a_list"),
        ({"pools": {"hot": 2**80}}, "pools", "invalid"),
        ({"pools": {"h\u0000t": {}}}, "pools", "invalid"),
        ({"sources": [{"name": "one", "healthy": -(2**80)}]}, "sources", "invalid"),
        ({"sources": [{"name": "o\u0000ne"}]}, "sources", "invalid"),
    ],
)
def test_what_has_another_shape_is_refused_by_field(staff_api, changes, field, code):
    answer = staff_api.post(URL, {**TOLD, **changes}, format="json")

    assert answer.status_code == 422
    assert [(each["field"], each["code"]) for each in answer.json()["errors"]] == [(field, code)]
    assert not ReceivedSnapshot.objects.exists()


def test_a_backslash_is_a_letter_like_others(staff_api):
    told = {**TOLD, "sources": [{"name": "o\\u0000ne"}]}

    assert staff_api.post(URL, told, format="json").status_code == 201
    assert ReceivedSnapshot.objects.get().sources == told["sources"]


@pytest.mark.parametrize("name", sorted(TOLD))
def test_every_field_is_wanted(staff_api, name):
    answer = staff_api.post(URL, {k: v for k, v in TOLD.items() if k != name}, format="json")

    assert [each["field"] for each in answer.json()["errors"]] == [name]


def test_only_staff_tell_us(api, client, user):
    assert client.post(URL, TOLD, content_type="application/json").status_code == 401
    assert api.post(URL, TOLD, format="json").status_code == 403
    assert (
        client_of(user, scopes=["proxies:write"]).post(URL, TOLD, format="json").status_code == 403
    )


def test_anybody_may_ask_where_and_whether(client):
    root = client.get("/api/etl/").json()

    assert root["endpoints"] == {"snapshots": URL, "health": "/api/etl/health"}
    assert client.get("/api/etl/health").json()["db_connected"] is True


def test_health_is_never_limited(client, settings):
    settings.RATE_LIMIT_ENABLED = True

    codes = {client.get("/api/etl/health").status_code for _ in range(150)}

    assert codes == {200}
