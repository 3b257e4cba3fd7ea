"""Downloading published lists: only from public addresses, within time and size."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any, Final

import aiohttp
from yarl import URL

from project.core import tracing
from project.core.errors import AppError, TransientError
from proxies.adapters import guarding
from proxies.choices import FetchError

_CHUNK_BYTES: Final = 65536
_IN_MEMORY_BYTES: Final = 1024 * 1024
_AT_ONCE: Final = 8
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_AGENT: Final = "Mozilla/5.0 (compatible; Millrace)"
_ERROR: Final = 400


class DownloadError(TransientError):
    """A list could not be downloaded; ``kind`` is a ``FetchError``."""

    code = "download_failed"
    title = "The list could not be downloaded"

    def __init__(self, detail: str, *, kind: str = FetchError.NETWORK) -> None:
        super().__init__(detail)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a download may take and how large it may be."""

    total_s: float = 30.0
    connect_s: float = 10.0
    size_bytes: int = 20 * 1024 * 1024
    redirects: int = 5


@dataclass(frozen=True, slots=True)
class ListRequest:
    """One list to be downloaded; ``headers`` go to its own host alone."""

    key: int
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Download:
    """What came of one request: ``file`` at its beginning, or ``error``."""

    key: int
    took_s: float
    file: IO[bytes] | None = None
    error: DownloadError | None = None


async def download_all(asked: Sequence[ListRequest], *, limits: Limits) -> AsyncIterator[Download]:
    """Yield each list as it arrives, the quickest first; a failure is one of its answers."""
    timeout = aiohttp.ClientTimeout(total=limits.total_s, connect=limits.connect_s)
    connector = aiohttp.TCPConnector(resolver=guarding.CheckedResolver(), force_close=True)
    room = asyncio.Semaphore(_AT_ONCE)
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        headers={"User-Agent": _AGENT},
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:
        work = [asyncio.create_task(_one(session, each, limits, room)) for each in asked]
        try:
            for done in asyncio.as_completed(work):
                yield await done
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)


async def _one(
    session: aiohttp.ClientSession, asked: ListRequest, limits: Limits, room: asyncio.Semaphore
) -> Download:
    async with room:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        try:
            async with asyncio.timeout(limits.total_s):
                with tracing.span("outside.list", server__address=URL(asked.url).host or ""):
                    file = await _download(session, asked, limits)
        except DownloadError as error:
            return Download(asked.key, loop.time() - began_s, error=error)
        except guarding.ForbiddenPlaceError as error:
            barred = DownloadError(str(error))
            return Download(asked.key, loop.time() - began_s, error=barred)
        except TimeoutError:
            late = DownloadError(f"no answer in {limits.total_s:g} s", kind=FetchError.TIMEOUT)
            return Download(asked.key, loop.time() - began_s, error=late)
        except (AppError, aiohttp.ClientError, OSError, ValueError) as error:
            failed = DownloadError(_reason(error))
            return Download(asked.key, loop.time() - began_s, error=failed)
        return Download(asked.key, loop.time() - began_s, file=file)


def _reason(error: Exception) -> str:
    """Return why a request failed, without its URL: there may be a secret in it."""
    cause: Any = getattr(error, "os_error", None) or error.__cause__
    inner = f": {type(cause).__name__}" if cause is not None else ""
    return f"{type(error).__name__}{inner}"


async def _download(
    session: aiohttp.ClientSession, asked: ListRequest, limits: Limits
) -> IO[bytes]:
    url = URL(asked.url)
    home = url.origin()
    for _ in range(limits.redirects + 1):
        guarding.require_web(url)
        headers = asked.headers if url.origin() == home else {}
        async with session.get(url, headers=headers, allow_redirects=False) as answer:
            if answer.status not in _REDIRECTS:
                return await _body(answer, limits)
            url = url.join(URL(answer.headers.get("Location", "")))
    raise DownloadError(f"more than {limits.redirects} redirects")


async def _body(answer: aiohttp.ClientResponse, limits: Limits) -> IO[bytes]:
    if answer.status >= _ERROR:
        raise DownloadError(f"answered {answer.status}")
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115 -- handed on
    try:
        await _copy(answer, file, at_most=limits.size_bytes)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


async def _copy(answer: aiohttp.ClientResponse, file: IO[bytes], *, at_most: int) -> None:
    size = 0
    async for chunk in answer.content.iter_chunked(_CHUNK_BYTES):
        size += len(chunk)
        if size > at_most:
            raise DownloadError(f"larger than {at_most} bytes")
        file.write(chunk)
