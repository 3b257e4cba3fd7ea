"""Compiles the gazetteer: one SQLite file, made once from what the packages tell."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

import names as people
from english_words import get_english_words_set

from analysis.gazetteer import folding, sources
from analysis.gazetteer.places import ALTERNATE, Entry

#: Changed with the schema or the rules below: a file of another version is made anew.
SCHEMA: Final = 2
_TABLES: Final = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA temp_store = MEMORY;
PRAGMA cache_size = -32000;
CREATE TEMP TABLE unsorted (key TEXT NOT NULL, place INTEGER NOT NULL, rank INTEGER NOT NULL);
CREATE TABLE place (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, country TEXT NOT NULL,
    within TEXT NOT NULL, code TEXT NOT NULL, latitude REAL NOT NULL, longitude REAL NOT NULL,
    weight INTEGER NOT NULL
) STRICT;
CREATE TABLE name (
    key TEXT NOT NULL, place INTEGER NOT NULL, rank INTEGER NOT NULL, PRIMARY KEY (key, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE word (
    key TEXT PRIMARY KEY, zipf REAL NOT NULL, in_dictionary INTEGER NOT NULL,
    given REAL NOT NULL, surname REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""
#: A foreign or old name that is a word as common as this is never meant ("of", "most", "same").
_ORDINARY_FROM: Final = 3.0
_LANGUAGES: Final = ("en", "zh", "ja")
#: Words rarer than this tell nothing.
_RARE: Final = {"en": 1.0, "zh": 2.5, "ja": 2.5}
_SHARE: Final = 0.001

Tell = Callable[[str, float], None]


def compile_into(path: Path, *, version: str, tell: Tell = lambda step, ratio: None) -> int:
    """Write the gazetteer to ``path``, which must not exist; return its number of places.

    Args:
        path: the new file.
        version: kept in it, see ``keeping.version``.
        tell: called with each step and the share that is done, 0 to 1.
    """
    tell("words", 0.0)
    facts = word_facts()
    parts = {
        "countries": sources.countries,
        "regions": sources.regions,
        "cities": sources.cities,
        "travel": sources.curated,
    }

    def entries() -> Iterator[Entry]:
        for number, (step, part) in enumerate(parts.items()):
            tell(step, 0.2 + 0.15 * number)
            yield from part()
        tell("names", 0.8)

    number = write(path, entries(), facts=facts, version=version)
    tell("done", 1.0)
    return number


def write(
    path: Path, entries: Iterable[Entry], *, facts: dict[str, list[float]], version: str
) -> int:
    """Write a gazetteer of ``entries`` to ``path``; return their number.

    Args:
        path: the new file.
        entries: the places, each with its names.
        facts: for each word how common (Zipf), whether in a dictionary, as given name, surname.
        version: kept in the file.
    """
    database = sqlite3.connect(path)
    number = 0
    try:
        database.executescript(_TABLES)
        database.executemany(
            "INSERT INTO word VALUES (?, ?, ?, ?, ?)",
            ((key, *(round(value, 3) for value in row)) for key, row in sorted(facts.items())),
        )
        for number, entry in enumerate(entries, 1):
            database.execute(
                "INSERT INTO place VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", _row(number, entry)
            )
            database.executemany(
                "INSERT INTO unsorted VALUES (?, ?, ?)",
                (
                    (key, number, rank)
                    for key, rank in sources.keys_of(entry).items()
                    if not (rank == ALTERNATE and _is_ordinary(facts.get(key)))
                ),
            )
        database.execute(
            "INSERT INTO name SELECT key, place, rank FROM unsorted ORDER BY key, place"
        )
        database.execute("INSERT INTO meta VALUES ('version', ?)", (version,))
        database.execute("INSERT INTO meta VALUES ('places', ?)", (str(number),))
        database.commit()
        database.execute("ANALYZE")
        database.commit()
    finally:
        database.close()
    return number


def _row(number: int, entry: Entry) -> tuple[object, ...]:
    return (
        number,
        entry.name,
        entry.kind,
        entry.country,
        " ".join(entry.within),
        entry.code,
        entry.latitude,
        entry.longitude,
        entry.weight,
    )


def _is_ordinary(row: list[float] | None) -> bool:
    return row is not None and bool(row[1]) and row[0] >= _ORDINARY_FROM


def word_facts() -> dict[str, list[float]]:
    """Return for each word: how common, in a dictionary, given name, surname."""
    facts: dict[str, list[float]] = {}
    for language in _LANGUAGES:
        for word, zipf in _frequencies(language):
            if zipf < _RARE[language]:
                break
            row = facts.setdefault(word, [0.0, 0, 0.0, 0.0])
            row[0] = max(row[0], zipf)
    for word in get_english_words_set(["web2"]):
        if word.islower():
            facts.setdefault(folding.key_of(word), [0.0, 0, 0.0, 0.0])[1] = 1
    for file, column in (("first:male", 2), ("first:female", 2), ("last", 3)):
        for line in Path(people.FILES[file]).read_text(encoding="ascii").splitlines():
            word, share, *_ = line.split()
            row = facts.setdefault(word.lower(), [0.0, 0, 0.0, 0.0])
            row[column] = max(row[column], float(share), _SHARE)
    return facts


def _frequencies(language: str) -> Iterator[tuple[str, float]]:
    """Yield the words of a language with their Zipf frequency (bins of centibels)."""
    import wordfreq  # noqa: PLC0415 -- 20 MB that only a compiling process needs

    for centibels, bucket in enumerate(wordfreq.get_frequency_list(language, "large")):
        for word in bucket:
            key = word if word.isascii() else folding.key_of(word)
            if key:
                yield key, 9 - centibels / 100
