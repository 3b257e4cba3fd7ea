"""Decides what a process does by itself about a finding."""

from typing import Any, Protocol, runtime_checkable

from django.db import DEFAULT_DB_ALIAS, connections

from project.db.findings import Finding, Healing

_GROW_BY = 4


@runtime_checkable
class Healable(Protocol):
    """A database wrapper whose pool can be told what to do."""

    def recycle_pool(self) -> int:
        """Replace every connection, those in use on their return; return how many closed now."""

    def grow_pool(self, by: int) -> int:
        """Open up to ``by`` more connections; return the size that is now allowed."""

    def fold_wal(self) -> bool:
        """Bring the WAL into the main file; return whether that was possible."""


def heal(finding: Finding, *, alias: str = DEFAULT_DB_ALIAS) -> str:
    """Do what can be done about ``finding`` and say what it was; nothing where nothing can."""
    wrapper: Any = connections[alias]
    if finding.healing is None or not isinstance(wrapper, Healable):
        return ""
    if finding.healing is Healing.RECYCLE:
        return f"closed {wrapper.recycle_pool()} free connection(s)"
    if finding.healing is Healing.GROW:
        return f"allowed {wrapper.grow_pool(_GROW_BY)} connections"
    return "folded the WAL in" if wrapper.fold_wal() else "the WAL is still being read"
