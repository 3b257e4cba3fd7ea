import gzip
import json
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.test import AsyncClient
from django.utils import timezone
from rest_framework.test import APIClient

from project.core.models import Run
from proxies.models import ImportPart, ImportUpload, Proxy
from tests.factories import make_key, make_staff, make_user
from tests.proxies.factories import (
    make_proxy,
    make_proxy_source,
    make_source_entry,
    make_target_state,
)

pytestmark = pytest.mark.django_db
FIELDS = {
    "id",
    "scheme",
    "host",
    "port",
    "pool",
    "state",
    "score",
    "anonymity",
    "country",
    "exit_ip",
    "latency_ms",
    "last_checked_at",
    "sources",
}
LIST = "http://hans:geheim@8.8.8.8:80\nhttp://8.8.4.4:81\nhttp://8.8.4.4:81\nx:geheim@1.1.1.1:0\n"


def test_the_pool_is_listed_without_secrets(api):
    proxy = make_proxy(username="hans", password="geheim", exit_ip="203.0.113.9")
    for name in ("b", "a"):
        make_source_entry(proxy=proxy, source=make_proxy_source(name=name))

    answer = api.get("/api/proxies")

    item = answer.json()["results"][0]
    assert set(item) == FIELDS
    assert (item["pool"], item["country"], item["sources"]) == ("warm", None, ["a", "b"])
    assert "hans" not in answer.content.decode()
    assert "geheim" not in answer.content.decode()
    assert api.get(f"/api/proxies/{proxy.pk}").json() == item


def test_the_list_is_narrowed(api):
    make_proxy()
    hot = make_proxy(pool="hot", score=95, latency_ms=10, country="DE", anonymity="elite")
    banned = make_proxy(pool="hot", score=95, latency_ms=10, country="DE", anonymity="elite")
    later = timezone.now() + timedelta(hours=1)
    make_target_state(proxy=banned, blocked_until=later, blocked_for="blocked")
    wanted = {
        "pool": "hot",
        "min_score": 90,
        "max_latency_ms": 20,
        "country": "de",
        "anonymity": "elite",
        "protocol": "http",
        "target": "api.binance.com",
    }

    found = api.get("/api/proxies", wanted).json()["results"]

    assert [each["id"] for each in found] == [hot.pk]


@pytest.mark.parametrize(
    "query",
    ["pool=x", "min_score=a", "country=Germany", "protocol=x", "target=a%20b", "target=http://"],
)
def test_a_bad_filter_is_refused(api, query):
    assert api.get(f"/api/proxies?{query}").status_code == 422


def test_a_bad_cursor_is_answered_as_such(api):
    assert api.get("/api/proxies?cursor=!!").json()["code"] == "bad_cursor"


def test_the_list_costs_the_same_queries_for_one_and_for_three(api, django_assert_max_num_queries):
    make_source_entry()
    api.get("/api/proxies")
    with django_assert_max_num_queries(4) as few:
        api.get("/api/proxies")
    make_source_entry()
    make_source_entry()
    with django_assert_max_num_queries(len(few)):
        assert len(api.get("/api/proxies").json()["results"]) == 3


def test_an_unknown_proxy_is_not_found(api):
    assert api.get("/api/proxies/987654").json()["code"] == "not_found"


def test_stats_tell_sizes(api):
    make_proxy(pool="hot", latency_ms=10)

    assert api.get("/api/proxies/stats").json() == {
        "pools": {"hot": 1, "warm": 0, "cold": 0},
        "states": {"unproven": 0, "healthy": 1, "failing": 0, "retired": 0, "blocked": 0},
        "leases_active": 0,
        "latency_ms": {"p50": 10.0, "p95": 10.0},
    }


PLACES = [
    ("get", "/api/proxies"),
    ("get", "/api/proxies/1"),
    ("get", "/api/proxies/stats"),
    ("get", "/api/proxies/export"),
    ("get", "/api/proxies/leases"),
    ("post", "/api/proxies/leases"),
    ("post", "/api/proxies/fetch"),
    ("post", "/api/proxies/validate"),
    ("post", "/api/proxies/import"),
]


@pytest.mark.parametrize(("method", "url"), PLACES)
def test_nobody_without_a_key_gets_in(method, url):
    assert getattr(APIClient(), method)(url).status_code == 401


@pytest.mark.parametrize(
    "url", ["/api/proxies/fetch", "/api/proxies/validate", "/api/proxies/import"]
)
def test_what_changes_the_pool_is_for_staff(api, url):
    assert api.post(url, {}).status_code == 403
    assert not Run.objects.exists()


@pytest.mark.parametrize("url", ["/api/proxies/fetch", "/api/proxies/validate"])
def test_a_staff_user_without_scope_admin_is_a_user(url):
    key = make_key(make_staff())

    answer = APIClient(HTTP_AUTHORIZATION=f"Api-Key {key.secret}").post(url, {})

    assert answer.status_code == 403


def test_fetch_asks_for_a_run(staff_api):
    source = make_proxy_source()

    answer = staff_api.post("/api/proxies/fetch", {"sources": [source.pk]})

    run = Run.objects.get()
    assert (answer.status_code, answer.json()) == (202, {"run_id": str(run.pk)})
    assert (run.kind, run.payload) == ("proxies.fetch", {"sources": [source.pk]})
    assert staff_api.post("/api/proxies/fetch", {}).status_code == 202


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"sources": [987654]}, "unknown_source"),
        ({"source": [1]}, "unknown_field"),
        ({"sources": "all"}, "invalid"),
        ({"sources": [2**70]}, "invalid"),
    ],
)
def test_fetch_refuses_what_makes_no_sense(staff_api, body, code):
    answer = staff_api.post("/api/proxies/fetch", body)

    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_validate_runs_one_round_at_a_time(staff_api):
    first = staff_api.post("/api/proxies/validate", {"limit": 5, "pool": "hot"})
    second = staff_api.post("/api/proxies/validate", {})

    run = Run.objects.get()
    assert (first.status_code, first.json()) == (202, {"run_id": str(run.pk)})
    assert run.payload == {"limit": 5, "asked": True, "pool": "hot"}
    assert (second.status_code, second.json()["code"]) == (409, "validation_running")
    assert second.json()["run_id"] == str(run.pk)


@pytest.mark.parametrize(
    "body", [{"limit": 0}, {"pool": "x"}, {"ids": ["a"]}, {"id": 1}, {"ids": [2**70]}]
)
def test_validate_refuses_what_makes_no_sense(staff_api, body):
    assert staff_api.post("/api/proxies/validate", body).status_code == 422


def as_text(client, url):
    return client.post(url, LIST, content_type="text/plain")


def as_json_text(client, url):
    return client.post(url, {"text": LIST}, format="json")


def as_json_entries(client, url):
    return client.post(url, {"proxies": LIST.splitlines()}, format="json")


def as_json_array(client, url):
    return client.post(url, json.dumps(LIST.splitlines()), content_type="application/json")


def as_file(client, url):
    return client.post(
        url, {"file": SimpleUploadedFile("l.txt", LIST.encode())}, format="multipart"
    )


WAYS = [as_text, as_json_text, as_json_entries, as_json_array, as_file]


@pytest.mark.parametrize("way", WAYS)
def test_a_dry_run_tells_what_an_import_would_do(staff_api, way):
    answer = way(staff_api, "/api/proxies/import?dry_run=true")

    assert answer.status_code == 200
    assert answer.json() == {
        "accepted": 2,
        "duplicates": 1,
        "rejected": [{"line": 4, "text": "***@1.1.1.1:0", "reason": "bad_port"}],
    }
    assert not Run.objects.exists()
    assert not Proxy.objects.exists()


@pytest.mark.parametrize(
    ("data", "code", "word"),
    [
        (b"", "empty_import", "something in it"),
        (b"\xff\xfe", "empty_import", "something in it"),
        (gzip.compress(LIST.encode(), mtime=0), "unreadable_list", "a gzip file"),
        (bytes(range(1, 256)), "unreadable_list", "no text"),
        (b"8.8.8.8:80\n" * 200, "list_too_large", "0.00195312 MiB"),
    ],
)
@pytest.mark.parametrize("query", ["", "?dry_run=true"])
def test_a_file_that_is_no_list_is_refused_in_words(staff_api, settings, data, code, word, query):
    settings.PROXY_LIST_MAX_BYTES = 2048
    url = f"/api/proxies/import{query}"

    answers = [
        staff_api.post(url, {"file": SimpleUploadedFile("l.txt", data)}, format="multipart"),
        staff_api.post(url, data, content_type="text/plain"),
    ]

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert word in answer.json()["detail"]
    assert not ImportUpload.objects.exists()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig"])
def test_a_file_of_another_encoding_loses_no_line(staff_api, encoding):
    file = SimpleUploadedFile("l.txt", LIST.encode(encoding))
    url = "/api/proxies/import?dry_run=true"

    uploaded = staff_api.post(url, {"file": file}, format="multipart").json()
    posted = staff_api.post(url, LIST.encode(encoding), content_type="text/plain").json()

    assert uploaded == posted == as_json_text(staff_api, url).json()


@pytest.mark.parametrize("way", WAYS)
def test_an_import_asks_for_a_run_whose_payload_has_no_secret(staff_api, way):
    answer = way(staff_api, "/api/proxies/import")

    run = Run.objects.get()
    assert (answer.status_code, answer.json()) == (202, {"run_id": str(run.pk)})
    assert run.payload == {"upload_id": ImportUpload.objects.get().pk}
    assert "geheim" in ImportPart.objects.get().text


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        ("", "text/plain", 422, "empty_import"),
        ('{"colour": 1}', "application/json", 422, "unknown_field"),
        ("{}", "application/json", 422, "invalid"),
        ("{", "application/json", 400, "malformed"),
        ("x", "image/png", 415, "unsupported_media_type"),
    ],
)
def test_an_import_of_nothing_is_refused(staff_api, body, kind, status, code):
    answer = staff_api.post("/api/proxies/import", body, content_type=kind)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not ImportUpload.objects.exists()


def test_a_dry_run_of_broken_json_is_refused(staff_api):
    url = "/api/proxies/import?dry_run=true&format=json"

    answer = staff_api.post(url, "[{", content_type="text/plain")

    assert (answer.status_code, answer.json()["code"]) == (422, "unreadable_list")


@pytest.mark.django_db(transaction=True)
async def test_export_streams_the_pool():
    def prepared():
        make_proxy(host="8.8.8.8", username="hans", password="geheim")
        staff = make_key(make_staff(), scopes=["admin"]).secret
        return make_key(make_user()).secret, staff

    plain, staff = await sync_to_async(prepared)()

    async def export(key, query):
        shown = {"Authorization": f"Api-Key {key}"}
        answer: Any = await AsyncClient().get(f"/api/proxies/export?{query}", headers=shown)
        if not answer.streaming:
            return answer.status_code, answer.content.decode()
        return answer.status_code, b"".join([part async for part in answer]).decode()

    assert await export(plain, "format=txt") == (200, "http://8.8.8.8:8080\n")
    assert await export(staff, "") == (200, "http://8.8.8.8:8080\n")
    assert await export(staff, "secrets=true") == (200, "http://hans:geheim@8.8.8.8:8080\n")
    assert (await export(plain, "secrets=true"))[0] == 403
    assert (await export(plain, "format=xml"))[0] == 422
    await sync_to_async(connections.close_all)()  # the test client leaves its thread's one open


def test_a_proxy_tells_why_it_would_be_lent_and_why_not(api):
    now = timezone.now()
    proxy = make_proxy(country="DE", password="geheim", username="hans")
    ban = now + timedelta(hours=1)
    make_target_state(proxy=proxy, target="a.com", blocked_until=ban, blocked_for="captcha")
    url = f"/api/proxies/{proxy.pk}/explanation"

    usual = api.get(url)
    picky = api.get(url, {"target": "www.a.com", "country": "fr", "pool": "hot"}).json()

    told = usual.json()
    assert sorted(told) == ["closed", "lendable", "proxy_id", "rules", "score"]
    assert (told["proxy_id"], told["lendable"]) == (proxy.pk, True)
    assert [rule["name"] for rule in told["rules"]] == ["state", "rest", "free"]
    assert [(one["target"], one["outcome"]) for one in told["closed"]] == [("a.com", "captcha")]
    assert sorted(told["score"]) == ["good_weight", "text", "total_weight", "value"]
    assert not picky["lendable"]
    assert [rule["name"] for rule in picky["rules"] if not rule["holds"]] == [
        *["pool", "country", "target"]
    ]
    assert all(word not in usual.content.decode() for word in ("geheim", "hans"))


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"pool": "lukewarm"}, "invalid"),
        ({"target": "not a host!!"}, "bad_lease_request"),
        ({"ttl": "5"}, "unknown_field"),
        ({"min_score": "x"}, "invalid"),
    ],
)
def test_a_wish_without_sense_is_refused(api, query, code):
    answer = api.get(f"/api/proxies/{make_proxy().pk}/explanation", query)

    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_an_unknown_proxy_has_no_explanation(api):
    assert api.get("/api/proxies/4711/explanation").json()["code"] == "not_found"
