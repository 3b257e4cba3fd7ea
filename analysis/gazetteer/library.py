"""Looks names up in a compiled gazetteer: in microseconds, from any thread."""

import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Final

from analysis.gazetteer.places import UNKNOWN_WORD, Place, WordFacts, prominence

#: Places of one name that are looked at, the most prominent first.
HOMONYMS_AT_MOST: Final = 60
_BATCH: Final = 500
_COLUMNS: Final = (
    "name.key, place.id, place.name, kind, country, within, code, latitude, longitude, weight, rank"
)

#: Further places under some of the keys: what staff imported.
More = Callable[[Collection[str]], dict[str, list[Place]]]


class Gazetteer:
    """A compiled gazetteer, open for reading.

    Holds a connection per thread and nothing else, so its memory stays flat.
    """

    def __init__(self, path: Path, *, more: More | None = None) -> None:
        self.path = path
        self._more = more
        self._local = threading.local()

    def _database(self) -> sqlite3.Connection:
        database: sqlite3.Connection | None = getattr(self._local, "database", None)
        if database is None:
            database = sqlite3.connect(f"{self.path.as_uri()}?mode=ro&immutable=1", uri=True)
            self._local.database = database
        return database

    def _rows(self, sql: str, keys: Collection[str]) -> Iterator[tuple[str, ...]]:
        for batch in _batches(sorted(keys)):
            marks = ",".join("?" * len(batch))
            yield from self._database().execute(sql.format(marks=marks), batch)

    def known(self, keys: Collection[str]) -> set[str]:
        """Return those of ``keys`` that name a place."""
        sql = "SELECT DISTINCT key FROM name WHERE key IN ({marks})"
        found = {row[0] for row in self._rows(sql, keys)}
        return found | self._more(keys).keys() if self._more else found

    def places(self, keys: Collection[str]) -> dict[str, list[Place]]:
        """Return the places of each of ``keys``, the most prominent first."""
        sql = f"SELECT {_COLUMNS} FROM name JOIN place ON place.id = name.place WHERE key IN ({{marks}})"  # noqa: S608 -- constants
        found: dict[str, list[Place]] = {}
        for key, number, name, kind, country, within, *rest in self._rows(sql, keys):
            place = Place(int(number), name, kind, country, tuple(within.split()), *rest)  # type: ignore[arg-type]
            found.setdefault(key, []).append(place)
        for key, places in (self._more(keys) if self._more else {}).items():
            found.setdefault(key, []).extend(places)
        return {key: _best_first(places) for key, places in found.items()}

    def words(self, keys: Collection[str]) -> dict[str, WordFacts]:
        """Return what is known of each of ``keys`` as a word."""
        sql = "SELECT key, zipf, in_dictionary, given, surname FROM word WHERE key IN ({marks})"
        found = {
            key: WordFacts(float(zipf), bool(listed), float(given), float(surname))
            for key, zipf, listed, given, surname in self._rows(sql, keys)
        }
        return {key: found.get(key, UNKNOWN_WORD) for key in keys}

    def meta(self) -> dict[str, str]:
        """Return what the file says of itself: version, number of places."""
        return dict(self._database().execute("SELECT key, value FROM meta"))


def _best_first(places: list[Place]) -> list[Place]:
    return sorted(places, key=prominence, reverse=True)[:HOMONYMS_AT_MOST]


def _batches(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(keys), _BATCH):
        yield keys[at : at + _BATCH]
