"""Which video an address means: YouTube's own id in every form, ``<extractor>:<id>`` elsewhere."""

import hashlib
import html
import re
from typing import Final
from urllib.parse import SplitResult, parse_qs, parse_qsl, urlencode, urlsplit

from analysis.failures import Deterministic

_LONGEST: Final = 2_048
_YOUTUBE: Final = re.compile(
    r"(?:[\w-]+\.)*(?:youtube|youtubekids|youtube-nocookie)\.com|youtube\.googleapis\.com"
)
#: What a search or a mail puts round the address that it leads to.
_AROUND: Final = re.compile(r"(?:www\.)?google(?:\.[a-z]{2,3}){1,2}")
_SHORT: Final = re.compile(r"(?:www\.)?youtu\.be")
_ID: Final = re.compile(r"[A-Za-z0-9_-]{11}")
#: Steps of a path before an id.
_BEFORE_ID: Final = frozenset({"shorts", "embed", "live", "v", "e", "vi", "watch", "clip"})
#: Parameters whose value is another address of the site.
_NESTED: Final = ("u", "q", "url", "continue", "next")
#: Parameters that do not say which video is meant.
_BESIDE: Final = re.compile(r"utm_\w+|fbclid|gclid|si|t|start|feature|ref|autoplay")
_PLAIN: Final = re.compile(r"[\w.-]{1,100}", re.ASCII)


def video_id_of(url: str) -> str:
    """Return which video ``url`` means; the same for every address of it, without asking anybody.

    YouTube's id of 11 signs, elsewhere ``<extractor>:<id>`` as yt-dlp reads the address, and
    ``generic:<16 hex digits>`` where no extractor of its own knows the site.

    Raises:
        Deterministic: ``invalid_video_url`` where it is no web address, ``invalid_video_id`` where
            it is one of YouTube's that names no video.
    """
    parts = split(url)
    host = (parts.hostname or "").rstrip(".")
    if _SHORT.fullmatch(host) or _YOUTUBE.fullmatch(host):
        return _youtube_id(parts, is_short=bool(_SHORT.fullmatch(host)))
    led_to = _led_to(parts) if _AROUND.fullmatch(host) and parts.path == "/url" else ""
    return video_id_of(led_to) if led_to else _elsewhere(parts)


def is_youtube(video_id: str) -> bool:
    """Say whether an id is one of YouTube's."""
    return _ID.fullmatch(video_id) is not None and not video_id.startswith("upload-")


def split(url: str) -> SplitResult:
    """Return the parts of a web address; ``youtu.be/…`` without a scheme is one, too.

    Raises:
        Deterministic: ``invalid_video_url``.
    """
    text = html.unescape(url.strip())
    if len(text) > _LONGEST or re.search(r"[\s\x00-\x1f\x7f\\]", text):
        raise Deterministic("this is no address of a video", code="invalid_video_url")
    if re.match(r"(?:[\w-]+\.)*(?:youtube(?:-nocookie)?\.com|youtu\.be)/", text, re.IGNORECASE):
        text = f"https://{text}"
    try:
        parts = urlsplit(text)
        is_web = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _ = parts.port  # raises where it is no number
    except ValueError as error:
        raise Deterministic("this is no address of a video", code="invalid_video_url") from error
    if "@" in parts.netloc:
        raise Deterministic(
            "an address with a user name or a password is not taken", code="invalid_video_url"
        )
    if not is_web:
        raise Deterministic(
            "the address of a video begins with http:// or https://", code="invalid_video_url"
        )
    return parts


def _youtube_id(parts: SplitResult, *, is_short: bool) -> str:
    steps = [step for step in parts.path.split("/") if step]
    named = _named(parts)
    if is_short and steps:
        named = steps[0]
    elif not named and len(steps) > 1 and steps[0].lower() in _BEFORE_ID:
        named = steps[1]
    if not named:
        return _nested(parts)
    if not _ID.fullmatch(named) or named == "videoseries":
        raise Deterministic(f"{named[:40]} is no id of a YouTube video", code="invalid_video_id")
    return named


def _named(parts: SplitResult) -> str:
    """Return the value of ``v=``, which may stand behind the ``#``, too."""
    for query in (parts.query, parts.fragment.lstrip("!/?").removeprefix("watch?")):
        found = parse_qs(query.replace(";", "&")).get("v")
        if found:
            return found[0].partition("?")[0].partition("/")[0]
    return ""


def _nested(parts: SplitResult) -> str:
    """Follow an address inside the address, as links of mails and of the consent page have it."""
    if led_to := _led_to(parts):
        return video_id_of(led_to)
    raise Deterministic("the address names no video of YouTube", code="invalid_video_id")


def _led_to(parts: SplitResult) -> str:
    """Return the address of a video of YouTube's inside an address; empty: there is none."""
    query = parse_qs(parts.query)
    for name in _NESTED:
        for inner in query.get(name, ()):
            if inner.startswith("/"):
                inner = f"https://www.youtube.com{inner}"  # noqa: PLW2901 -- made whole
            if _named(urlsplit(inner)) or "youtu.be/" in inner:
                return inner
    return ""


def _elsewhere(parts: SplitResult) -> str:
    from yt_dlp.extractor import gen_extractor_classes  # noqa: PLC0415 -- 2 s that few need

    url = parts.geturl()
    for extractor in gen_extractor_classes():
        if extractor.ie_key() == "Generic":
            break
        if extractor.suitable(url):
            found = extractor.get_temp_id(url)
            if found and extractor.ie_key() == "Youtube" and _ID.fullmatch(found):
                return str(found)  # a mirror of YouTube's videos: the same work
            if found and _PLAIN.fullmatch(str(found)):
                return f"{extractor.ie_key().lower()}:{found}"
            break
    return f"generic:{hashlib.sha256(_canonical(parts).encode()).hexdigest()[:16]}"


def _canonical(parts: SplitResult) -> str:
    """Return an address without what doesn't say which video is meant."""
    told = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if not _BESIDE.fullmatch(name.lower())
    ]
    usual = {"http": 80, "https": 443}[parts.scheme]
    port = "" if parts.port in (None, usual) else f":{parts.port}"
    host = (parts.hostname or "").removeprefix("www.")
    path = parts.path.rstrip("/")
    return f"{host}{port}{path}?{urlencode(sorted(told))}"
