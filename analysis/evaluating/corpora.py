"""Reads labelled text: XML as TR-News, LGL and GeoVirus have it, JSON and CSV of our own.

docs/places.md describes the formats.
"""

import csv
import json
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from analysis.gazetteer import folding


class NotLabelledError(ValueError):
    """The file holds no labelled text in a form that is known."""


@dataclass(frozen=True, slots=True)
class Label:
    """A place that somebody marked in a text: characters ``start`` to ``end``."""

    start: int
    end: int
    text: str
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A labelled text.

    Attributes:
        lost: labels whose words don't stand in the text; they count as not found.
    """

    name: str
    text: str
    labels: tuple[Label, ...]
    title: str = ""
    language: str = "en"
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Feature:
    """A named place by itself, with other names it has."""

    names: tuple[str, ...]
    latitude: float
    longitude: float


@dataclass(slots=True)
class Corpus:
    """One file of labelled text, or of named places."""

    name: str
    documents: list[Document] = field(default_factory=list)
    features: list[Feature] = field(default_factory=list)


#: A label's number may be off by this much: entities and line ends were counted otherwise.
_DRIFT: Final = 200


def read_folder(folder: Path) -> Iterator[Corpus | tuple[str, str]]:
    """Yield each file of ``folder`` as a corpus, or as (name, why it isn't one)."""
    readers = {".xml": read_xml, ".json": read_json, ".csv": read_csv}
    for path in sorted(folder.iterdir()):
        reader = readers.get(path.suffix.lower())
        if reader is None:
            continue
        try:
            yield reader(path)
        except (NotLabelledError, UnicodeDecodeError, ET.ParseError, json.JSONDecodeError) as error:
            yield path.name, str(error)


def read_xml(path: Path) -> Corpus:
    """Read ``<article>``s with ``<toponym>`` or ``<location>`` elements.

    Raises:
        NotLabelledError: it has none.
    """
    corpus = Corpus(path.stem)
    for number, article in enumerate(ET.parse(path).getroot().iter("article"), 1):  # noqa: S314 -- a file of the user's own
        text = article.findtext("text") or ""
        marked = [*article.iter("toponym"), *article.iter("location")]
        wanted = [_marked(one) for one in marked]
        labels, lost = _placed(text, wanted)
        corpus.documents.append(
            Document(
                article.get("docid") or str(number),
                text,
                labels,
                (article.findtext("title") or "").strip(),
                language_of(text),
                lost,
            )
        )
    if not any(document.labels for document in corpus.documents):
        raise NotLabelledError("no <article> with labelled places")
    return corpus


@dataclass(frozen=True, slots=True)
class _Wanted:
    start: int | None
    text: str
    latitude: float | None
    longitude: float | None


def _marked(element: ET.Element) -> _Wanted:
    text = element.findtext("phrase") or element.findtext("name") or ""
    return _Wanted(
        _whole(element.findtext("start")),
        text,
        _number(element.findtext(".//lat")),
        _number(element.findtext(".//lon")),
    )


def _number(text: Any) -> float | None:
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def _whole(text: Any) -> int | None:
    try:
        return int(text)
    except (TypeError, ValueError):
        return None


def _placed(text: str, wanted: list[_Wanted]) -> tuple[tuple[Label, ...], int]:
    """Return the labels where their words stand, and how many stand nowhere."""
    labels: list[Label] = []
    lost, after = 0, 0
    for one in wanted:
        at = _nearest(text, one, after)
        if at is None:
            lost += 1
            continue
        end = at + len(one.text)
        labels.append(Label(at, end, one.text, one.latitude, one.longitude))
        after = end if one.start is None else after
    return tuple(sorted(labels, key=lambda label: label.start)), lost


def _nearest(text: str, one: _Wanted, after: int) -> int | None:
    """Return where the label's words stand: at its number, near it, or next in the text."""
    if not one.text:
        return None
    if one.start is None:
        at = text.find(one.text, after)
        return at if at >= 0 else None
    around = range(max(one.start - _DRIFT, 0), min(one.start + _DRIFT, len(text)) + 1)
    starts = (at for at in around if text.startswith(one.text, at))
    return min(starts, key=lambda at: abs(at - (one.start or 0)), default=None)


def read_json(path: Path) -> Corpus:
    """Read our own form: a list of documents, or an object that has them as ``documents``.

    Raises:
        NotLabelledError: a document lacks its text or its places.
    """
    told = json.loads(path.read_text(encoding="utf-8-sig"))
    rows = told.get("documents") if isinstance(told, dict) else told
    if not isinstance(rows, list) or not rows:
        raise NotLabelledError("no list of documents")
    corpus = Corpus(path.stem)
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict) or not isinstance(row.get("text"), str):
            raise NotLabelledError(f"document {number} has no text")
        places = row.get("places")
        if not isinstance(places, list) or not all(isinstance(one, dict) for one in places):
            raise NotLabelledError(f"document {number} has no places")
        labels, lost = _placed(row["text"], [_wanted(one) for one in places])
        language = str(row.get("language") or language_of(row["text"]))
        corpus.documents.append(
            Document(
                str(row.get("id", number)), row["text"], labels, str(row.get("title", "")), language, lost
            )
        )  # fmt: skip
    return corpus


def _wanted(row: dict[str, Any]) -> _Wanted:
    latitude, longitude = row.get("latitude", row.get("lat")), row.get("longitude", row.get("lon"))
    text = str(row.get("place") or row.get("text") or row.get("name") or "")
    return _Wanted(_whole(row.get("start")), text, _number(latitude), _number(longitude))


def read_csv(path: Path) -> Corpus:
    """Read our own form (a row per label), or a list of named places (no text).

    Raises:
        NotLabelledError: it has neither's columns.
    """
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    columns = set(rows[0]) if rows else set()
    if {"document", "text", "place"} <= columns:
        return _labelled(path.stem, rows)
    if "name" in columns and columns & {"lat", "latitude"}:
        return Corpus(path.stem, features=list(_features(rows)))
    raise NotLabelledError("columns document,text,place or name,lat,lon are missing")


def _labelled(name: str, rows: list[dict[str, str]]) -> Corpus:
    corpus, grouped = Corpus(name), dict[str, list[dict[str, str]]]()
    for row in rows:
        grouped.setdefault(row["document"], []).append(row)
    for document, group in grouped.items():
        text = next((row["text"] for row in group if row["text"]), "")
        named: list[dict[str, Any]] = [{**row, "text": ""} for row in group if row["place"]]
        labels, lost = _placed(text, [_wanted(row) for row in named])
        language = next((row.get("language") or "" for row in group), "") or language_of(text)
        title = next((row.get("title") or "" for row in group), "")
        corpus.documents.append(Document(document, text, labels, title, language, lost))
    return corpus


def _features(rows: list[dict[str, str]]) -> Iterator[Feature]:
    for row in rows:
        latitude = _number(row.get("lat") or row.get("latitude"))
        longitude = _number(row.get("lon") or row.get("longitude"))
        if latitude is None or longitude is None or not row["name"]:
            continue
        names = (row["name"], *(row.get("name_alt") or "").split("|"))
        yield Feature(tuple(name for name in names if name), latitude, longitude)


def language_of(text: str) -> str:
    """Return ``ja`` for text with kana, ``zh`` for text with Chinese characters, else ``en``."""
    characters = [one for one in text if not one.isspace()]
    chinese = sum(1 for one in characters if folding.CJK.match(one))
    if chinese * 5 < len(characters):
        return "en"
    kana = sum(1 for one in characters if "KANA" in unicodedata.name(one, ""))
    return "ja" if kana * 10 > chinese else "zh"
