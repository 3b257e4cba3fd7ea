from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project.core import requests


@pytest.mark.parametrize("given", ["abc", "a" * 64, "1:2.3_4-5"])
def test_harmless_id_of_the_caller_is_kept(given):
    assert requests.accepted(given) == given


@given(st.one_of(st.none(), st.text(max_size=80)))
def test_id_is_always_harmless(given):
    assert requests._SAFE.fullmatch(requests.accepted(given))


@pytest.mark.parametrize("given", [None, "", "a" * 65, "a b", 'a"', "a\n", "ä"])
def test_other_ids_are_replaced(given):
    assert len(requests.accepted(given)) == 32
    assert requests.accepted(given) != requests.accepted(given)


async def answered(**scope: Any) -> tuple[str, list[dict[str, Any]]]:
    """Answer a connection; return the id inside, and what was sent."""
    inside: list[str] = []
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        inside.append(requests.current_id())
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b""})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await requests.bound(app, scope, None, send)
    return inside[0], sent


async def test_bound_gives_the_id_back():
    inside, sent = await answered(headers=[(b"x-request-id", b"mine")])
    fresh, _ = await answered(headers=[])

    assert (inside, len(fresh)) == ("mine", 32)
    assert sent[0]["headers"] == [(b"a", b"b"), (b"x-request-id", b"mine")]
    assert sent[1] == {"type": "http.response.body", "body": b""}
    assert requests.current_id() == ""


@pytest.mark.django_db
def test_request_id_reaches_the_answer_of_an_error(client):
    answer = client.get("/api/runs", headers={"X-Request-ID": "mine"})

    assert answer.json()["request_id"] == "mine"
