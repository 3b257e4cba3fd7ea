"""Every way out of the installation is known, and those whose address people give never lead inside."""

import asyncio
import re
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from accounts import webhooks
from accounts.adapters import posting
from analysis.adapters import videos
from analysis.failures import Deterministic
from markets import asking
from markets.choices import Egress, Policy
from markets.configuring import Means
from project.core import addresses
from project.core.errors import AppError
from proxies.adapters import lists, wire
from proxies.parsing import ListOptions, parse_text
from tests.architecture.places import imports, name_of, parsed, sources

GUARDED, OPERATOR, NEITHER = "guarded", "operator", "neither"
#: Modules that can connect: to what users, lists and staff name (guarded); to what the environment
#: names alone, which may well be beside us (operator); or that only know a library's errors.
WAYS: Final = {
    "accounts/adapters/posting.py": GUARDED,
    "project/core/connecting.py": GUARDED,
    "proxies/adapters/lists.py": GUARDED,
    "proxies/adapters/wire.py": GUARDED,
    "markets/adapters/sessions.py": GUARDED,
    "markets/adapters/library.py": GUARDED,
    "markets/adapters/venues.py": GUARDED,
    "analysis/adapters/videochild.py": GUARDED,
    "proxies/adapters/etl.py": OPERATOR,
    "analysis/adapters/chats.py": OPERATOR,
    "analysis/adapters/nominatim.py": OPERATOR,
    "project/storage/adapters/s3.py": OPERATOR,
    "project/runtime/exampling.py": OPERATOR,
    "accounts/management/commands/check_rate_limits.py": OPERATOR,
    "analysis/adapters/sitefailures.py": NEITHER,
    "analysis/adapters/videoids.py": NEITHER,
    "markets/adapters/failures.py": NEITHER,
    "markets/classifying.py": NEITHER,
}
CLIENTS: Final = {
    "aiohttp", "boto3", "ccxt", "geopy", "httpx", "openai", "python_socks", "requests", "smtplib",
    "urllib3", "websockets", "yt_dlp",
}  # fmt: skip
#: Modules of ours that lend others a client.
LOADERS: Final = {"markets.adapters.library"}
CALLS: Final = re.compile(r"open_connection|create_connection|urllib\.request|http\.client")


def test_every_module_that_can_connect_is_known():
    found = set()
    for path in sources():
        if "sandbox" in path.parts:
            continue
        names = set(imports(path))
        tops = {module.partition(".")[0] for module in names}
        if tops & CLIENTS or names & LOADERS or CALLS.search(path.read_text(encoding="utf-8")):
            found.add(name_of(path))

    assert found == set(WAYS)


#: Modules that write CSV, and why no spreadsheet runs what stands in it.
CSV: Final = {
    "proxies/exporting.py": "cells that begin like a formula get an apostrophe",
    "markets/writing.py": "numbers alone",
}


def test_every_module_that_writes_csv_is_known():
    found = {
        name_of(path)
        for path in sources()
        if "sandbox" not in path.parts
        and re.search(r"csv\.(Dict)?[wW]riter|write_csv|to_csv", path.read_text(encoding="utf-8"))
    }

    assert found == set(CSV)
    assert all(parsed(path) for path in sources("markets"))


class Inside:
    """A server inside: notes who connects."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        self.met = 0
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.met += 1
            client.close()


@pytest.fixture
def inside(settings: Any) -> Iterator[Inside]:
    settings.ALLOW_PRIVATE_NETWORKS = False
    server = Inside()
    yield server
    server.listener.shutdown(socket.SHUT_RDWR)
    server.listener.close()
    server.thread.join(10)


def by_webhook(host: str, port: int) -> str:
    return _code_of(lambda: webhooks.require_url(f"http://{host}:{port}/x"))


def by_delivery(host: str, port: int) -> str:
    message = posting.Message(1, f"http://{host}:{port}/x", b"{}", {})
    (outcome,) = posting.post_all([message])
    return outcome.error.partition(":")[0]


def by_list(host: str, port: int) -> str:
    async def first() -> Any:
        asked = [lists.ListRequest(1, f"http://{host}:{port}/list.txt")]
        return [one async for one in lists.download_all(asked, limits=lists.Limits())]

    (found,) = asyncio.run(first())
    assert found.error is not None
    return (
        "forbidden"
        if re.search("private network|public address|Forbidden", str(found.error))
        else str(found.error)
    )


def by_proxy(host: str, port: int) -> str:
    try:
        asyncio.run(wire.checked_address(host, port))
    except wire.CheckFailedError as error:
        return str(error.verdict)
    return "let through"


def by_collector(host: str, port: int) -> str:
    means = Means(
        exchange="binance",
        rest_url=f"http://{host}:{port}",
        timeout_s=2.0,
        rate_requests=100_000,
        rate_per_s=60.0,
        retry_attempts=1,
        retry_base_s=0.1,
        retry_max_s=0.1,
        egress=Egress.DIRECT,
        policy=Policy.SKIP,
        request_limit=100,
    )

    def ask() -> None:
        with asking.line_for(means, holder="tests") as line:
            line.ask(lambda venue: venue.time_ms())

    return _code_of(ask)


def by_video(host: str, port: int) -> str:
    url = f"http://{host}:{port}/watch?v=x"
    try:
        videos.fetch_video(url, languages=(), egress=videos.DIRECT)
    except Deterministic as error:
        return str(error.code)
    return "let through"


def _code_of(deed: Callable[[], Any]) -> str:
    try:
        deed()
    except AppError as error:
        return error.code
    return "let through"


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
@pytest.mark.parametrize(
    "way",
    [by_webhook, by_delivery, by_list, by_proxy, by_collector, by_video],
    ids=lambda f: f.__name__,
)
def test_what_people_name_never_leads_inside(way, host, inside):
    said = way(host.strip("[]") if way is by_proxy else host, inside.port)

    assert "forbidden" in said
    assert inside.met == 0


def test_lists_name_no_proxies_inside(settings):
    settings.ALLOW_PRIVATE_NETWORKS = False
    text = "127.0.0.1:6379\n169.254.169.254:80\n10.0.0.1:3128\n8.8.8.8:3128\n"

    found = list(parse_text(text, ListOptions()))

    assert [one.host for one in found if hasattr(one, "host")] == ["8.8.8.8"]
    assert not addresses.is_allowed("169.254.169.254")
