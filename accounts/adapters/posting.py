"""Posting signed messages to addresses that users gave: never into private networks."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import aiohttp
from yarl import URL

from project.core import addresses, tracing
from project.core.connecting import CheckedResolver
from project.core.errors import AppError

TOTAL_S: Final = 10.0
_AT_ONCE: Final = 10
_FINE: Final = range(200, 300)


@dataclass(frozen=True, slots=True)
class Message:
    """What is posted to whom."""

    key: int
    url: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a message: the receiver's status, or why there was none."""

    key: int
    status: int | None = None
    error: str = ""

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver took it."""
        return self.status in _FINE


def post_all(messages: Sequence[Message], *, total_s: float = TOTAL_S) -> list[Outcome]:
    """Post all messages, some at once; a failure is an outcome."""
    return asyncio.run(_post_all(messages, total_s))


async def _post_all(messages: Sequence[Message], total_s: float) -> list[Outcome]:
    connector = aiohttp.TCPConnector(resolver=CheckedResolver(), force_close=True)
    timeout = aiohttp.ClientTimeout(total=total_s)
    room = asyncio.Semaphore(_AT_ONCE)
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, cookie_jar=jar
    ) as session:
        return await asyncio.gather(*(_post(session, room, one) for one in messages))


async def _post(
    session: aiohttp.ClientSession, room: asyncio.Semaphore, message: Message
) -> Outcome:
    async with room:
        try:
            require_reachable(message.url)
            with tracing.span("outside.webhook", server__address=URL(message.url).host or ""):
                asked = session.post(
                    message.url, data=message.body, headers=message.headers, allow_redirects=False
                )
                async with asked as answer:
                    return Outcome(message.key, status=answer.status)
        except TimeoutError:
            return Outcome(message.key, error="no answer in time")
        except AppError as error:
            return Outcome(message.key, error=f"{error.code}: {error}")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            cause = getattr(error, "os_error", None) or error.__cause__
            if isinstance(cause, AppError):
                return Outcome(message.key, error=f"{cause.code}: {cause}")
            return Outcome(message.key, error=type(cause or error).__name__)


def require_reachable(url: str) -> None:
    """Refuse a literal address inside a private network; names are checked when resolved.

    Raises:
        ForbiddenAddressError: it may not be reached.
    """
    host = URL(url).host or ""
    if ":" in host or host.replace(".", "").isdigit():
        addresses.require_allowed(host)
