"""How a value that SQLite stores becomes one of PostgreSQL, and how both are written for sums.

Decided by the type of PostgreSQL's column alone, so that tables need no model. ``plain`` forms
are None, bool, int, float, str and bytes: equal values have equal ones, whichever side they are from.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal
from ipaddress import ip_address
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Json, Jsonb

from project.storage.errors import MoveFailedError

Convert = Callable[[Any], Any]
_MICROSECOND: Final = timedelta(microseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_NAIVE: Final = datetime(1970, 1, 1)  # noqa: DTZ001 -- for columns without time zone
#: SQLite keeps decimals as doubles; Django trusts 15 digits of them, and so do we.
_DIGITS: Final = Context(prec=15)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the target; ``scale`` is that of a numeric."""

    name: str
    type: str
    scale: int | None = None


@dataclass(frozen=True, slots=True)
class _Kind:
    """What is done with the values of a type; None: nothing.

    Attributes:
        carry: from SQLite's value to what is written to PostgreSQL.
        stored: from SQLite's value to the plain form.
        loaded: from what psycopg reads to the plain form.
    """

    carry: Convert | None = None
    stored: Convert | None = None
    loaded: Convert | None = None


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _since_epoch(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _naive(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _since_naive_epoch(moment: datetime) -> int:
    return (moment - _EPOCH_NAIVE) // _MICROSECOND


def _duration(microseconds: int) -> timedelta:
    return timedelta(microseconds=microseconds)


def _number(text: str) -> int | float:
    """Read a JSON number as jsonb would: 1e2, 100.0 and 100 are one number."""
    found = float(text)
    return int(found) if found.is_integer() else found


def _plain_json(document: Any) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def _stored_json(text: str) -> str:
    return _plain_json(json.loads(text, parse_float=_number))


def _loaded_json(document: Any) -> str:
    return _stored_json(json.dumps(document))


def _as_is(text: Any) -> str:
    return str(text)


def _jsonb(text: str) -> Jsonb:
    return Jsonb(text, dumps=_as_is)


def _json(text: str) -> Json:
    return Json(text, dumps=_as_is)


_FLAG: Final = _Kind(carry=bool, stored=bool)
_FLOAT: Final = _Kind(carry=float, stored=float)
_PLAIN: Final = _Kind()
_KINDS: Final[dict[str, _Kind]] = {
    **dict.fromkeys(("int2", "int4", "int8", "text", "varchar", "citext"), _PLAIN),
    **dict.fromkeys(("float4", "float8"), _FLOAT),
    "bool": _FLAG,
    "bytea": _Kind(loaded=bytes),
    "timestamptz": _Kind(
        carry=_moment, stored=lambda text: _since_epoch(_moment(text)), loaded=_since_epoch
    ),
    "timestamp": _Kind(
        carry=_naive,
        stored=lambda text: _since_naive_epoch(_naive(text)),
        loaded=_since_naive_epoch,
    ),
    "date": _Kind(carry=date.fromisoformat, loaded=date.isoformat),
    "time": _Kind(
        carry=time.fromisoformat,
        stored=lambda text: time.fromisoformat(text).isoformat(),
        loaded=time.isoformat,
    ),
    "interval": _Kind(carry=_duration, loaded=lambda found: found // _MICROSECOND),
    "uuid": _Kind(carry=UUID, stored=lambda text: UUID(text).hex, loaded=lambda found: found.hex),
    "jsonb": _Kind(carry=_jsonb, stored=_stored_json, loaded=_loaded_json),
    "json": _Kind(carry=_json, stored=_stored_json, loaded=_loaded_json),
    "inet": _Kind(carry=ip_address, stored=lambda text: str(ip_address(text)), loaded=str),
}


def _numeric(scale: int | None) -> _Kind:
    step = Decimal(1).scaleb(-(scale or 0))

    def decimal(value: Any) -> Decimal:
        exact = _DIGITS.create_decimal_from_float(value) if isinstance(value, float) else value
        found = Decimal(exact)
        return found if scale is None else found.quantize(step)

    def plain(value: Any) -> str:
        return format(decimal(value).normalize(), "f")

    return _Kind(carry=decimal, stored=plain, loaded=plain)


def _kind_of(column: Column) -> _Kind:
    if column.type == "numeric":
        return _numeric(column.scale)
    try:
        return _KINDS[column.type]
    except KeyError as error:
        raise MoveFailedError(
            f"column {column.name}: values of type {column.type} can't be moved"
        ) from error


Rows = Callable[[Sequence[Sequence[Any]]], Sequence[Sequence[Any]]]


def _converting(converts: Sequence[Convert | None]) -> Rows:
    """Return what applies one function per column to rows; NULL stays NULL."""
    chosen = [(at, convert) for at, convert in enumerate(converts) if convert is not None]
    if not chosen:
        return lambda rows: rows

    def convert_all(rows: Sequence[Sequence[Any]]) -> Sequence[Sequence[Any]]:
        found = []
        for row in rows:
            values = list(row)
            for at, convert in chosen:
                if values[at] is not None:
                    values[at] = convert(values[at])
            found.append(tuple(values))
        return found

    return convert_all


def carrying(columns: Sequence[Column]) -> Rows:
    """Return what turns rows of SQLite into rows for PostgreSQL."""
    return _converting([_kind_of(column).carry for column in columns])


def stored_plainly(columns: Sequence[Column]) -> Rows:
    """Return what turns rows of SQLite into plain ones."""
    return _converting([_kind_of(column).stored for column in columns])


def loaded_plainly(columns: Sequence[Column]) -> Rows:
    """Return what turns rows of PostgreSQL into plain ones."""
    return _converting([_kind_of(column).loaded for column in columns])
