"""Gazetteers of the tests: the whole one, compiled once a machine, and small ones."""

import tempfile
from functools import cache
from pathlib import Path

from django.test import override_settings

from analysis.gazetteer import compiling, keeping
from analysis.gazetteer.library import Gazetteer
from analysis.gazetteer.places import Entry


@cache
def whole() -> Gazetteer:
    """Return the gazetteer of this version, compiled by whichever test process wants it first."""
    with override_settings(DATA_DIR=Path(tempfile.gettempdir()) / "millrace-test-gazetteer"):
        return Gazetteer(keeping.ensure())


def entry(name: str, **fields) -> Entry:
    """Return a place with its name as its only one, unless ``names`` says more."""
    country = fields.pop("country", "FR")
    told = {
        "kind": "city",
        "within": (country,),
        "code": "",
        "latitude": 48.0,
        "longitude": 2.0,
        "weight": 100_000,
        "names": ((name, 0),),
        **fields,
    }
    return Entry(name=name, country=country, **told)


def small(path: Path, *entries: Entry, facts: dict[str, list[float]] | None = None) -> Gazetteer:
    """Return a gazetteer of ``entries`` alone."""
    compiling.write(path, entries, facts=facts or {}, version="small")
    return Gazetteer(path)
