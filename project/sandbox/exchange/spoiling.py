"""How a fault spoils the rows of a page of candles."""

from collections.abc import Callable, Mapping, Sequence

from project.sandbox.faults import Fault, FaultKind

Row = list[object]
Rows = list[Row]

_OPEN_MS, _HIGH, _LOW, _CLOSE = 0, 2, 3, 4
_OFF_GRID_MS = 7_000


def spoil(rows: Sequence[Row], fault: Fault | None) -> Rows:
    """Return the rows as the fault leaves them; the order of the page stays its own."""
    whole = [list(row) for row in rows]
    change = _CHANGES.get(fault.kind) if fault is not None else None
    if change is None or fault is None or not whole:
        return whole
    return change(whole, max(1, min(fault.rows, len(whole))))


def _middle(rows: Rows, count: int) -> slice:
    first = (len(rows) - count) // 2
    return slice(first, first + count)


def _null(rows: Rows, _count: int) -> Rows:
    return [[None] * len(row) for row in rows]


def _short(rows: Rows, count: int) -> Rows:
    return rows[: len(rows) - count]


def _hole(rows: Rows, count: int) -> Rows:
    middle = _middle(rows, count)
    return rows[: middle.start] + rows[middle.stop :]


def _doubled(rows: Rows, count: int) -> Rows:
    middle = _middle(rows, count)
    return rows[: middle.stop] + [list(row) for row in rows[middle]] + rows[middle.stop :]


def _disordered(rows: Rows, count: int) -> Rows:
    middle = _middle(rows, min(len(rows), max(2, count)))
    return rows[: middle.start] + rows[middle][::-1] + rows[middle.stop :]


def _misaligned(rows: Rows, count: int) -> Rows:
    for row in rows[_middle(rows, count)]:
        moved_ms = int(str(row[_OPEN_MS])) + _OFF_GRID_MS
        row[_OPEN_MS] = str(moved_ms) if isinstance(row[_OPEN_MS], str) else moved_ms
    return rows


def _upside_down(rows: Rows, count: int) -> Rows:
    """Put the high below the low, also where they were equal."""
    for row in rows[_middle(rows, count)]:
        row[_HIGH], row[_LOW] = row[_LOW], str(float(str(row[_HIGH])) * 2)
    return rows


def _not_a_number(rows: Rows, count: int) -> Rows:
    for row in rows[_middle(rows, count)]:
        row[_CLOSE] = "NaN"
    return rows


_CHANGES: Mapping[FaultKind, Callable[[Rows, int], Rows]] = {
    FaultKind.NULL_ROWS: _null,
    FaultKind.SHORT_PAGE: _short,
    FaultKind.INNER_HOLE: _hole,
    FaultKind.DUPLICATE_ROWS: _doubled,
    FaultKind.OUT_OF_ORDER: _disordered,
    FaultKind.MISALIGNED: _misaligned,
    FaultKind.BAD_OHLC: _upside_down,
    FaultKind.BAD_NUMBER: _not_a_number,
}
