"""What the process does that asks a video site: yt-dlp, which reaches no private network.

In a process of its own (``asking.py``) every name that anything resolves can be checked: those of
redirects, subtitles, embedded players. It ends by itself with the time it was given.
"""

import base64
import importlib
import resource
import signal
import socket
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import yt_dlp
from django.conf import settings
from django.utils import timezone
from yt_dlp.extractor import gen_extractor_classes

from analysis.adapters import sitefailures, tracks
from analysis.adapters.verdicts import LASTING
from project.core import addresses

MOST_SUBTITLE_BYTES: Final = 16 * 1024 * 1024
_MOST_MEMORY: Final = 2 * 1024**3
_KEPT: Final = (
    "id", "title", "description", "duration", "language", "tags", "categories", "chapters",
    "uploader", "channel", "upload_date", "timestamp", "webpage_url", "extractor_key",
)  # fmt: skip


class _Quiet:
    """Where yt-dlp's lines go: what matters comes as an exception."""

    def debug(self, text: str) -> None:
        """Drop a line."""

    info = warning = error = debug


class _GuardedDownloader(yt_dlp.YoutubeDL):
    """yt-dlp that asks no address inside private networks, by name, number or redirect."""

    def urlopen(self, request: Any) -> Any:
        """Open a request whose address may be reached.

        Raises:
            ForbiddenAddressError: it is a number inside a private network.
        """
        url = request if isinstance(request, str) else request.url
        _require_allowed(url)
        response = super().urlopen(request)
        _require_allowed(response.url)
        return response


def prepare() -> None:
    """Load what every request needs: done once, before processes are forked off."""
    importlib.import_module("yt_dlp.extractor._extractors")  # else each is loaded when it is met
    for extractor in gen_extractor_classes():
        extractor.suitable("https://www.example.com/")  # compiles its pattern


def answer(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a site told: ``{"info", "subtitles"}`` or ``{"failure"}``.

    Changes this process for good: call it in one that is made for it.
    """
    signal.alarm(int(asked["within_s"]) + 1)
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    settings.configure(ALLOW_PRIVATE_NETWORKS=asked["allow_private"])
    _guard_names()
    try:
        return _fetched(asked)
    except Exception as error:  # noqa: BLE001 -- whatever it is, the caller must hear of it
        return {"failure": sitefailures.of(error, now=timezone.now()).as_json()}


def _guard_names() -> None:
    """Let no name resolve to an address inside private networks, whoever asks in this process."""
    resolve = socket.getaddrinfo

    def guarded(*words: Any, **named: Any) -> Any:
        found = resolve(*words, **named)
        for each in found:
            addresses.require_allowed(str(each[4][0]).partition("%")[0])
        return found

    socket.getaddrinfo = guarded


def _require_allowed(url: str) -> None:
    """Refuse numbers inside private networks, which a proxy would resolve, not we."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.replace(".", "").isdigit() or ":" in host:
        addresses.require_allowed(host)


def _fetched(asked: Mapping[str, Any]) -> dict[str, Any]:
    with _GuardedDownloader(_options(asked)) as downloader:
        info = _first(downloader.extract_info(asked["url"], download=False))
        tried: list[dict[str, Any]] = []
        for track in tracks.tracks_of(info, asked["languages"]):
            try:
                with downloader.urlopen(track.url) as answer:
                    data = answer.read(MOST_SUBTITLE_BYTES + 1)
            except Exception as error:  # noqa: BLE001 -- judged as every other failure
                failure = sitefailures.of(error, now=timezone.now())
                if failure.kind != LASTING:
                    return {"failure": failure.as_json()}
                continue
            tried.append(
                {
                    "language": track.language,
                    "is_automatic": track.is_automatic,
                    "form": track.form,
                    "data": base64.b64encode(data).decode("ascii"),
                }
            )
            break
    return {"info": {name: info.get(name) for name in _KEPT}, "subtitles": tried}


def _options(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "quiet": True,
        "no_warnings": True,
        "logger": _Quiet(),
        "skip_download": True,
        "noplaylist": True,
        "playlist_items": "1",
        "ignore_no_formats_error": True,
        "writesubtitles": True,
        "writeautomaticsub": True,
        "subtitleslangs": ["all"],
        "proxy": asked["proxy_url"],  # empty: none, whatever the environment says
        "socket_timeout": asked["answer_within_s"],
        "retries": 0,
        "extractor_retries": 0,
        "geo_bypass": False,
        "cachedir": False,
        "color": "no_color",
        "usenetrc": False,
    }


def _first(info: Any) -> dict[str, Any]:
    """Return the video itself, where a page holds several."""
    while isinstance(info, dict) and info.get("_type") in {"playlist", "multi_video"}:
        entries = [each for each in info.get("entries") or () if each]
        if not entries:
            raise yt_dlp.utils.UnsupportedError(str(info.get("webpage_url") or ""))
        info = entries[0]
    if not isinstance(info, dict):
        raise yt_dlp.utils.UnsupportedError("")
    return info
