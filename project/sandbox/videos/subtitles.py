"""How what is said is written down: WebVTT, SRT, json3, rolling captions."""

import json
from collections.abc import Sequence

from project.sandbox.videos.films import SENTENCE_MS, Film

ENDINGS = {"vtt": "vtt", "rolling": "vtt", "srt": "srt", "json3": "json3"}
TYPES = {"vtt": "text/vtt", "srt": "application/x-subrip", "json3": "application/json"}


def written(film: Film, language: str) -> str:
    """Return the subtitle file of a film in a language."""
    said = film.spoken[language]
    return {"vtt": _vtt, "rolling": _rolling, "srt": _srt, "json3": _json3}[film.form](said)


def _clock(at_ms: int, point: str) -> str:
    seconds, ms = divmod(at_ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{ms:03}"


def _span(number: int, point: str) -> str:
    start_ms = number * SENTENCE_MS
    return f"{_clock(start_ms, point)} --> {_clock(start_ms + SENTENCE_MS - 100, point)}"


def _vtt(said: Sequence[str]) -> str:
    cues = (f"{_span(number, '.')}\n{text}\n" for number, text in enumerate(said))
    return "WEBVTT\n\n" + "\n".join(cues)


def _srt(said: Sequence[str]) -> str:
    cues = (f"{number + 1}\n{_span(number, ',')}\n{text}\n" for number, text in enumerate(said))
    return "\r\n".join("\n".join(cues).split("\n"))


def _rolling(said: Sequence[str]) -> str:
    """Write two lines at a time, the upper one said before, its words stamped as YouTube does."""
    parts = ["WEBVTT\nKind: captions\nLanguage: en\n"]
    for number, text in enumerate(said):
        first, *others = text.split()
        start_ms = number * SENTENCE_MS
        stamps = [
            f"<{_clock(start_ms + 100 * at, '.')}><c> {word}</c>"
            for at, word in enumerate(others, start=1)
        ]
        upper = said[number - 1] if number else " "
        until = f"{_clock(start_ms, '.')} --> {_clock(start_ms + SENTENCE_MS - 10, '.')}"
        parts.append(f"{until} align:start position:0%\n{upper}\n{first}{''.join(stamps)}\n")
        rest = (
            f"{_clock(start_ms + SENTENCE_MS - 10, '.')} --> {_clock(start_ms + SENTENCE_MS, '.')}"
        )
        parts.append(f"{rest} align:start position:0%\n{text}\n \n")
    return "\n".join(parts)


def _json3(said: Sequence[str]) -> str:
    events = [
        {
            "tStartMs": number * SENTENCE_MS,
            "dDurationMs": SENTENCE_MS,
            "segs": [{"utf8": text}],
        }
        for number, text in enumerate(said)
    ]
    return json.dumps({"wireMagic": "pb3", "events": events}, ensure_ascii=False)
