"""What a time-partitioned table is called, what it goes by, and where its months begin."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

DAY_MS: Final = 86_400_000
#: Length of TimescaleDB's chunks; ours are calendar months.
CHUNK_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class TimeTable:
    """A table whose rows go to the piece of their month.

    Attributes:
        name: of the table; it must be a plain word, since it stands in statements.
        column: what rows go by; part of the table's key and of all its unique constraints.
        is_moment: the column is a ``timestamptz``; else milliseconds since 1970, UTC.
        segment_by: column by which TimescaleDB compresses rows together; empty: none.
        compress_after_days: age from which TimescaleDB compresses chunks.
    """

    name: str
    column: str
    is_moment: bool = False
    segment_by: str = ""
    compress_after_days: int = 60

    def literal(self, moment_ms: int) -> str:
        """Return a moment as it stands in a statement on this table."""
        if not self.is_moment:
            return str(int(moment_ms))
        return f"'{datetime.fromtimestamp(moment_ms / 1000, tz=UTC):%Y-%m-%d %H:%M:%S.%f}+00'"

    def piece(self, month: int) -> str:
        """Return the name of the piece that holds ``month`` (see ``month_of``)."""
        return f"{self.name}_{month // 12:04d}_{month % 12 + 1:02d}"

    def month_of_piece(self, piece: str) -> int | None:
        """Return the month that a piece holds by its name; None where it is not one of ours."""
        year, _, month = piece.removeprefix(f"{self.name}_").partition("_")
        if not (year.isdecimal() and month.isdecimal() and 1 <= int(month) <= 12):  # noqa: PLR2004
            return None
        found = int(year) * 12 + int(month) - 1
        return found if self.piece(found) == piece else None


def month_of(moment_ms: int) -> int:
    """Return the number of the calendar month (UTC) into which a moment falls."""
    day = datetime.fromtimestamp(moment_ms / 1000, tz=UTC)
    return day.year * 12 + day.month - 1


def month_ms(month: int) -> int:
    """Return when a month begins, in milliseconds since 1970 UTC."""
    return int(datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC).timestamp()) * 1000
