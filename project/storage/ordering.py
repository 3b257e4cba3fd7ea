"""In which order tables are filled, so that every foreign key finds its row."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """Tables that are filled together.

    Attributes:
        tables: one, or several that refer to each other.
        is_whole: rows refer to rows of the same unit, so that it takes one transaction, at the
            end of which the keys are checked.
    """

    tables: tuple[str, ...]
    is_whole: bool


def in_order(tables: Iterable[str], references: Mapping[str, Iterable[str]]) -> list[Unit]:
    """Return all tables, those that others refer to first.

    Args:
        tables: names.
        references: for each table, those that its foreign keys point to.
    """
    left = {name: {*references.get(name, ())} for name in sorted(tables)}
    found: list[Unit] = []
    done: set[str] = set()
    while left:
        ready = [name for name, needed in left.items() if needed - {name} <= done]
        if ready:
            found += [Unit((name,), is_whole=name in left[name]) for name in ready]
        else:  # the rest goes round in a circle, or waits for what does
            ready = list(left)
            found.append(Unit(tuple(ready), is_whole=True))
        done |= {*ready}
        left = {name: needed for name, needed in left.items() if name not in done}
    return found
