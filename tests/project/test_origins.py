from typing import Any

import pytest

from project.core import origins
from tests.project.settings.test_base import read

GOOD = [
    "https://app.example",
    "chrome-extension://abcdefghijklmnop",
    "moz-extension://5f8b0b8e-0000-4000-8000-000000000000",
    "http://localhost:5173",
    "http://127.0.0.1:3000",
    "http://localhost",
]
BAD = [
    "https://evil.example",
    "https://app.example.evil.example",
    "http://app.example",
    "http://localhost.evil.example",
    "http://localhost:5173.evil.example",
    "http://127.0.0.1.evil.example:80",
    "null",
    "https://app.example:444",
]


@pytest.fixture(autouse=True)
def _named(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example"]


@pytest.mark.parametrize("origin", GOOD)
@pytest.mark.django_db
def test_allowed_origin_may_read_and_ask_first(client, origin):
    answer = client.get("/api/health", headers={"Origin": origin})
    first = client.options(
        "/api/proxies/leases",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
        },
    )

    assert origins.is_allowed(origin)
    assert answer["Access-Control-Allow-Origin"] == origin
    assert "Access-Control-Allow-Credentials" not in answer
    assert "x-ratelimit-remaining" in answer["Access-Control-Expose-Headers"]
    assert (first.status_code, first["Access-Control-Allow-Origin"]) == (200, origin)
    assert "authorization" in first["Access-Control-Allow-Headers"]
    assert "idempotency-key" in first["Access-Control-Allow-Headers"]


@pytest.mark.parametrize("origin", BAD)
@pytest.mark.django_db
def test_other_origins_get_no_header(client, origin):
    answer = client.get("/api/health", headers={"Origin": origin})

    assert not origins.is_allowed(origin)
    assert "Access-Control-Allow-Origin" not in answer


@pytest.mark.django_db
def test_pages_are_for_no_other_origin(client):
    for path in ("/", "/sign-in", "/admin/login/"):
        answer = client.get(path, headers={"Origin": "https://app.example"})
        assert "Access-Control-Allow-Origin" not in answer


async def asked(method: str, origin: str, **more: str) -> tuple[int, dict[bytes, bytes]]:
    """Ask a stream as a browser does."""
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 299, "headers": [(b"a", b"b")]})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    named = {"origin": origin, **{name.replace("_", "-"): value for name, value in more.items()}}
    headers = [(name.encode(), value.encode()) for name, value in named.items()]
    scope = {"type": "http", "method": method, "headers": headers}
    await origins.CorsStream(app)(scope, None, send)
    return sent[0]["status"], dict(sent[0]["headers"])


async def test_streams_do_as_the_rest():
    first = await asked("OPTIONS", GOOD[1], access_control_request_method="GET")
    opened = await asked("GET", GOOD[1])
    foreign = await asked("GET", BAD[0])

    assert first[0] == 200
    assert first[1][b"access-control-allow-origin"] == GOOD[1].encode()
    assert b"authorization" in first[1][b"access-control-allow-headers"]
    assert opened == (
        299,
        {b"a": b"b", b"access-control-allow-origin": GOOD[1].encode(), b"vary": b"Origin"},
    )
    assert foreign == (299, {b"a": b"b"})


@pytest.mark.parametrize(
    "origin", ["*", "https://*", "app.example", "https://app.example/", "ftp://x"]
)
def test_wildcard_and_nonsense_stop_the_start(tmp_path, origin):
    found = read(tmp_path, "DEBUG", CORS_ORIGINS=origin)

    assert found.returncode != 0
    assert "CORS_ORIGINS" in found.stderr
