"""Sums of a table that don't depend on the order of its rows.

Each row is hashed (BLAKE2b, 128 bits) and the hashes are added modulo 2^128: unlike XOR, a row
that is there twice counts twice. Flat memory, one pass, some two microseconds a row.
"""

import marshal
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, Final

_BYTES: Final = 16
_MODULUS: Final = 1 << (8 * _BYTES)
#: The last version without references between objects: equal rows give equal bytes.
_MARSHAL: Final = 2


class Sum:
    """The sum of the rows added so far."""

    __slots__ = ("count", "total")

    def __init__(self, total: int = 0, count: int = 0) -> None:
        self.total = total
        self.count = count

    def add_rows(self, rows: Iterable[Any]) -> None:
        """Add tuples of None, bool, int, float, str and bytes."""
        dump, hashed, from_bytes = marshal.dumps, blake2b, int.from_bytes
        total, count = 0, 0
        for row in rows:
            total += from_bytes(hashed(dump(row, _MARSHAL), digest_size=_BYTES).digest(), "big")
            count += 1
        self._grow(total, count)

    def add_lines(self, lines: Iterable[bytes]) -> None:
        """Add rows that are lines of text already."""
        hashed, from_bytes = blake2b, int.from_bytes
        total, count = 0, 0
        for line in lines:
            total += from_bytes(hashed(line, digest_size=_BYTES).digest(), "big")
            count += 1
        self._grow(total, count)

    def _grow(self, total: int, count: int) -> None:
        self.total = (self.total + total) % _MODULUS
        self.count += count

    def __str__(self) -> str:
        return f"{self.total:0{2 * _BYTES}x}"
