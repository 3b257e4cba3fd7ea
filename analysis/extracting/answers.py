"""What of a model's answer is believed: places whose words occur in the transcript.

The time of a mention is that of the segment which says it, never one that a model tells.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from analysis.compressing.timing import plain
from analysis.contracts import Mention, Segment

MOST_PLACES: Final = 200
_LONGEST_NAME: Final = 200
_LONGEST_TEXT: Final = 600
_FENCE: Final = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL)
_COUNTRY: Final = re.compile(r"[A-Za-z]{2}")
#: How sure a mention is: both name and quote are said; the name alone; the quote alone.
_SURE, _NAME_ALONE, _QUOTE_ALONE = 0.9, 0.7, 0.5


class UnreadableAnswerError(Exception):
    """The answer isn't the JSON that was asked for; its text says why, for the model."""


def _text(value: Any) -> Any:
    return "" if value is None else value


Text = Annotated[str, BeforeValidator(_text)]


class Spoken(BaseModel):
    """One place as a model answers it."""

    model_config = ConfigDict(extra="ignore")

    name: str
    quote: Text = ""
    description: Text = ""
    tags: list[str] = []
    country: Text = ""


class Answered(BaseModel):
    """A model's whole answer."""

    model_config = ConfigDict(extra="ignore")

    places: list[Spoken]


def schema() -> dict[str, Any]:
    """Return the JSON schema of an answer, as strict as OpenAI wants it."""
    text = {"type": "string"}
    place = {
        "type": "object",
        "properties": {
            "name": text,
            "quote": text,
            "description": text,
            "tags": {"type": "array", "items": text},
            "country": text,
        },
        "required": ["name", "quote", "description", "tags", "country"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"places": {"type": "array", "items": place}},
        "required": ["places"],
        "additionalProperties": False,
    }


def read(text: str) -> list[Spoken]:
    """Return the places of an answer; fences and words around the JSON are passed over.

    Raises:
        UnreadableAnswerError: it is no such JSON.
    """
    fenced = _FENCE.search(text)
    bare = (fenced[1] if fenced else text).strip()
    start, end = bare.find("{"), bare.rfind("}")
    if start < 0 or end < start:
        raise UnreadableAnswerError("there is no JSON object in the answer")
    try:
        return Answered.model_validate(json.loads(bare[start : end + 1])).places[:MOST_PLACES]
    except ValidationError as error:
        wrong = error.errors()[0]
        where = ".".join(map(str, wrong["loc"]))
        raise UnreadableAnswerError(f"{where}: {wrong['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise UnreadableAnswerError(f"the JSON is broken: {error}") from error


class Heard:
    """A piece of speech, in which quotes are looked for letter by letter."""

    def __init__(self, chunk: Sequence[Segment]) -> None:
        self._chunk = chunk
        self._begins: list[int] = []
        self._said = ""
        for segment in chunk:
            self._begins.append(len(self._said))
            self._said += plain(segment.text)

    def at(self, words: str, *, after: int = 0) -> int | None:
        """Return where words are said, in letters; None where they aren't."""
        wanted = plain(words)
        found = self._said.find(wanted, after) if wanted else -1
        return None if found < 0 else found

    def segment(self, at: int) -> Segment:
        """Return the segment that says the letter at a place."""
        return self._chunk[bisect_right(self._begins, at) - 1]


def believed(places: Sequence[Spoken], chunk: Sequence[Segment]) -> tuple[Mention, ...]:
    """Return the mentions that the speech bears out, in the order spoken; invented ones are left out."""
    heard = Heard(chunk)
    found: dict[tuple[str, int], tuple[int, Mention]] = {}
    for place in places:
        located = _located(place, heard)
        if located is None:
            continue
        at, confidence = located
        segment = heard.segment(at)
        name = " ".join(place.name.split())[:_LONGEST_NAME]
        mention = Mention(
            raw=name,
            start_ms=segment.start_ms,
            end_ms=segment.end_ms,
            quote=segment.text[:_LONGEST_TEXT],
            description=" ".join(place.description.split())[:_LONGEST_TEXT],
            tags=tuple(
                dict.fromkeys(tag.strip().lower()[:40] for tag in place.tags if tag.strip())
            )[:6],
            country=place.country.upper() if _COUNTRY.fullmatch(place.country) else "",
            confidence=confidence,
        )
        found.setdefault((plain(name), segment.start_ms), (at, mention))
    return tuple(mention for _, mention in sorted(found.values(), key=lambda each: each[0]))


def _located(place: Spoken, heard: Heard) -> tuple[int, float] | None:
    """Return where a place is spoken of, and how sure that is; None: nowhere."""
    if not plain(place.name):
        return None
    quoted = heard.at(place.quote)
    if quoted is not None:
        named = heard.at(place.name, after=quoted)
        if named is not None and named < quoted + len(plain(place.quote)):
            return named, _SURE
    named = heard.at(place.name)
    if named is not None:
        return named, _NAME_ALONE
    return None if quoted is None else (quoted, _QUOTE_ALONE)
