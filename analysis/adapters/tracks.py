"""Which subtitles of a video are read: by a person before by a machine, in a language that is wanted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

#: Formats that are read, the best first; json3 and VTT have the times of words.
FORMATS: Final = ("json3", "vtt", "srt", "srv1", "ttml", "ass", "ssa")
MOST_TRIED: Final = 4
_ORIGINAL: Final = "-orig"
#: One writing under several names.
_SAME: Final = {
    "zh-tw": "zh-hant", "zh-hk": "zh-hant", "zh-mo": "zh-hant",
    "zh-cn": "zh-hans", "zh-sg": "zh-hans", "zh-my": "zh-hans",
    "iw": "he", "in": "id", "jp": "ja",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Track:
    """One file of subtitles; ``language`` is empty where the site doesn't tell."""

    url: str
    form: str
    language: str
    is_automatic: bool


def plain_language(code: str) -> str:
    """Return a language code as others write it: ``zh-TW`` and ``zh-Hant`` are one."""
    lower = code.replace("_", "-").lower().removesuffix(_ORIGINAL)
    return _SAME.get(lower, lower)


def tracks_of(info: Mapping[str, Any], languages: Sequence[str]) -> list[Track]:
    """Return the subtitles worth trying, the best first.

    Within those written by people, then within automatic ones: the wanted languages in their
    order, then the language spoken, then the site's first. Automatic ones in a language that is
    wanted or spoken go before a translation that nobody asked for.

    Args:
        info: what yt-dlp tells of a video.
        languages: wanted codes, the best first; none: the language spoken.
    """
    spoken = _spoken(info)
    ranked: list[tuple[tuple[int, int], Track]] = []
    for key, is_automatic in (("subtitles", False), ("automatic_captions", True)):
        for code, files in (info.get(key) or {}).items():
            track = _best(files, str(code or ""), is_automatic=is_automatic)
            if track is None:
                continue
            rank = _rank(str(code or ""), languages, spoken)
            is_asked = rank < len(languages) + 1
            ranked.append(((2 * (not is_asked) + is_automatic, rank), track))
    return [track for _, track in sorted(ranked, key=lambda each: each[0])][:MOST_TRIED]


def _rank(code: str, languages: Sequence[str], spoken: str) -> int:
    """Return the place of a language: the wanted ones, the spoken one, all others."""
    found = plain_language(code)
    for number, wanted in enumerate(languages):
        if _is_same(found, plain_language(wanted)):
            return number
    is_spoken = code.lower().endswith(_ORIGINAL) or (bool(spoken) and _is_same(found, spoken))
    return len(languages) + (not is_spoken)


def _is_same(one: str, other: str) -> bool:
    """Say whether two codes are one language, where one of them may leave the region open."""
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    if "-" not in short:
        return long.startswith(f"{short}-")
    # en-GB will do where en-US is wanted; the writings of Chinese differ
    return short.split("-")[0] == long.split("-")[0] != "zh"


def _spoken(info: Mapping[str, Any]) -> str:
    """Return the language of the speech; empty where the site doesn't tell."""
    if info.get("language"):
        return plain_language(str(info["language"]))
    for code in info.get("automatic_captions") or ():
        if str(code).lower().endswith(_ORIGINAL):
            return plain_language(str(code))
    return ""


def _best(files: Any, code: str, *, is_automatic: bool) -> Track | None:
    known = [
        each
        for each in files or ()
        if isinstance(each, Mapping) and each.get("url") and _form(each) in FORMATS
    ]
    if not known or code == "live_chat":
        return None
    best = min(known, key=lambda each: FORMATS.index(_form(each)))
    language = code[: -len(_ORIGINAL)] if code.lower().endswith(_ORIGINAL) else code
    return Track(str(best["url"]), _form(best), language, is_automatic)


def _form(file: Mapping[str, Any]) -> str:
    return str(file.get("ext") or "vtt").lower()
