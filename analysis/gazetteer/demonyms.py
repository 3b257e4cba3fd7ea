"""Which words are for the people of a country: they name no place, but speak for the country."""

from collections.abc import Iterable, Iterator
from functools import cache

from analysis.gazetteer import sources


@cache
def countries() -> dict[str, str]:
    """Return the country of each such word ("nepali": "NP"); empty for wider ones ("asian")."""
    return {
        word: row["code"] for row in sources.rows("demonyms.csv") for word in row["words"].split()
    }


def names(codes: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield (code, English name) of countries."""
    wanted = set(codes)
    yield from ((row["code"], row["name"]) for row in _countries() if row["code"] in wanted)


@cache
def _countries() -> tuple[dict[str, str], ...]:
    return tuple(sources.rows("countries.csv"))
