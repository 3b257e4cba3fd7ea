"""Decides how places of the user's own come into the gazetteer: dumps, GeoJSON, CSV.

Each import is a small gazetteer of its own in ``DATA_DIR/gazetteer/imported``, named after its
source; taking the same source again replaces it. Imported places stand beside those compiled in.
"""

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from analysis.gazetteer import compiling, keeping
from analysis.gazetteer.places import ALTERNATE, CITY, CURATED, TOWN, VILLAGE, Entry
from project.core.errors import InvalidInputError, NotFoundError

FORMATS: Final = ("geonames", "geojson", "csv")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")
_DUMP_COLUMNS: Final = 19
_CODES_AT_MOST: Final = 3
#: GeoNames' feature codes that we tell apart; other features go by their class.
_KINDS: Final = {
    "MT": "peak", "PK": "peak", "MTS": "range", "VLC": "volcano", "PASS": "pass", "HLL": "hill",
    "LK": "lake", "LKS": "lake", "STM": "river", "FLLS": "waterfall", "BAY": "bay", "SEA": "sea",
    "GLCR": "glacier", "SPNT": "hot_spring", "BCH": "beach", "BCHS": "beach", "ISL": "island",
    "ISLS": "island", "CAPE": "cape", "VAL": "valley", "CNYN": "canyon", "DSRT": "desert",
    "CAVE": "cave", "PRK": "park", "RESN": "reserve", "FRST": "forest", "TMPL": "temple",
    "SHRN": "shrine", "CH": "church", "MSQE": "mosque", "MSTY": "monastery", "CSTL": "castle",
    "PAL": "palace", "FT": "fort", "MUS": "museum", "MNMT": "monument", "RUIN": "ruins",
    "TOWR": "tower", "BDG": "bridge", "MKT": "market", "SQR": "square", "ST": "street",
    "AIRP": "airport", "RSTN": "station", "HBR": "port", "ZOO": "zoo", "STDM": "stadium",
    "AMUS": "theme_park",
}  # fmt: skip
_CLASSES: Final = {
    "T": "peak",
    "H": "lake",
    "L": "area",
    "S": "building",
    "V": "forest",
    "R": "street",
}
_CITY_FROM, _TOWN_FROM = 100_000, 5_000


class BadPlacesError(InvalidInputError):
    """The file holds no places in a form that is known."""

    code = "bad_places"
    title = "Not a file of places"


class NoImportError(NotFoundError):
    """Nothing was imported under this name."""

    code = "no_such_import"
    title = "No such import of places"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was left out, and why."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import came to."""

    name: str
    places: int
    rejected: tuple[Rejected, ...] = ()


def load(path: Path, *, name: str, form: str = "") -> Imported:
    """Take the places of a file; the same name again replaces what it brought before.

    Args:
        path: a GeoNames dump (``TW.txt``, ``TW.zip``), GeoJSON points, or CSV.
        name: of the source, e.g. ``geonames-tw``.
        form: one of ``FORMATS``; told by the ending where left out.

    Raises:
        BadPlacesError: the file or the name can't be taken; nothing has changed.
    """
    if not _NAME.fullmatch(name):
        raise BadPlacesError(f"{name!r}: a name is of small letters, digits, - and _")
    rejected: list[Rejected] = []
    try:
        entries = list(_entries(path, form or _form_of(path), rejected))
    except (OSError, UnicodeDecodeError, ValueError, zipfile.BadZipFile) as error:
        raise BadPlacesError(f"{path.name}: {error}") from error
    if not entries:
        why = f": row {rejected[0].row}: {rejected[0].reason}" if rejected else ""
        raise BadPlacesError(f"{path.name} holds no place{why}")
    folder = keeping.imports_folder()
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"{name}.new"
    fresh.unlink(missing_ok=True)
    count = compiling.write(fresh, entries, facts={}, version="imported")
    fresh.replace(folder / f"{name}.sqlite3")
    return Imported(name, count, tuple(rejected))


def listed() -> list[Imported]:
    """Return what was imported, by name."""
    return [
        Imported(one.path.stem, int(one.meta()["places"])) for one in keeping.imported_gazetteers()
    ]


def forget(*, name: str) -> None:
    """Take an import out again.

    Raises:
        NoImportError: nothing was imported under this name.
    """
    file = keeping.imports_folder() / f"{name}.sqlite3"
    if not _NAME.fullmatch(name) or not file.exists():
        raise NoImportError(f"nothing was imported as {name!r}")
    file.unlink()


def _form_of(path: Path) -> str:
    endings = {".txt": "geonames", ".zip": "geonames", ".geojson": "geojson", ".json": "geojson"}
    return endings.get(path.suffix.lower(), "csv")


def _entries(path: Path, form: str, rejected: list[Rejected]) -> Iterator[Entry]:
    reader = {"geonames": _dump_rows, "geojson": _feature_rows, "csv": _csv_rows}[form]
    for number, row in enumerate(reader(path), 1):
        try:
            yield _entry(row)
        except (KeyError, TypeError, ValueError) as error:
            rejected.append(Rejected(number, str(error)))


@dataclass(frozen=True, slots=True)
class _Row:
    names: tuple[str, ...]
    latitude: Any
    longitude: Any
    kind: str = ""
    country: str = ""
    weight: Any = 0


def _entry(row: _Row) -> Entry:
    names = tuple(name.strip() for name in row.names if name and name.strip())
    if not names:
        raise ValueError("it has no name")
    latitude, longitude = float(row.latitude), float(row.longitude)
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):  # noqa: PLR2004 -- degrees
        raise ValueError(f"{latitude}, {longitude} lies on no globe")
    weight = max(int(float(row.weight or 0)), 1000)
    country = row.country.strip().upper()
    return Entry(
        names[0],
        row.kind or _settlement(weight),
        country,
        (country,) if country else (),
        "",
        latitude,
        longitude,
        weight,
        ((names[0], CURATED), *((name, ALTERNATE) for name in names[1:])),
    )


def _settlement(people: int) -> str:
    if people >= _CITY_FROM:
        return CITY
    return TOWN if people >= _TOWN_FROM else VILLAGE


def _dump_rows(path: Path) -> Iterator[_Row]:
    """Yield the rows of a GeoNames dump, packed or not; see its readme.txt for the columns."""
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as packed:
            inside = [one for one in packed.namelist() if not one.startswith("readme")]
            with packed.open(inside[0]) as raw:
                yield from _dump_lines(io.TextIOWrapper(raw, encoding="utf-8"))
        return
    with path.open(encoding="utf-8") as lines:
        yield from _dump_lines(lines)


def _dump_lines(lines: Any) -> Iterator[_Row]:
    for line in lines:
        cells = line.rstrip("\n").split("\t")
        if len(cells) != _DUMP_COLUMNS:
            raise ValueError(f"a row has {len(cells)} columns, a GeoNames dump {_DUMP_COLUMNS}")
        kind = "" if cells[6] in "PA" else _KINDS.get(cells[7], _CLASSES.get(cells[6], ""))
        others = (
            one for one in cells[3].split(",") if len(one) > _CODES_AT_MOST or not one.isascii()
        )
        yield _Row((cells[1], *others), cells[4], cells[5], kind, cells[8], cells[14])


def _feature_rows(path: Path) -> Iterator[_Row]:
    told = json.loads(path.read_text(encoding="utf-8-sig"))
    features = told.get("features") if isinstance(told, dict) else None
    if not isinstance(features, list):
        raise ValueError("it has no features: GeoJSON is a FeatureCollection of points")  # noqa: TRY004 -- told as the rest
    for feature in features:
        geometry = (feature.get("geometry") if isinstance(feature, dict) else None) or {}
        about = (feature.get("properties") if isinstance(feature, dict) else None) or {}
        point = geometry.get("coordinates") if geometry.get("type") == "Point" else None
        longitude, latitude = (point or (None, None))[:2]
        yield _named(about, latitude, longitude)


def _csv_rows(path: Path) -> Iterator[_Row]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        if not {"name"} <= set(reader.fieldnames or ()):
            raise ValueError("it has no column 'name'")
        for row in reader:
            latitude = row.get("latitude") or row.get("lat")
            longitude = row.get("longitude") or row.get("lon")
            yield _named(row, latitude, longitude)


def _named(about: dict[str, Any], latitude: Any, longitude: Any) -> _Row:
    others = str(about.get("other_names") or about.get("name_alt") or "").split("|")
    return _Row(
        (str(about.get("name") or ""), *others),
        latitude,
        longitude,
        str(about.get("kind") or "").strip(),
        str(about.get("country") or ""),
        about.get("weight") or about.get("population") or 0,
    )
