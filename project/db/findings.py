"""Decides what a finding about a database says: its name, how bad it is, the reason, the remedy."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is: an error fails requests, a warning will, a notice wants to be known."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


class Healing(StrEnum):
    """What the process can do about it by itself."""

    RECYCLE = "recycle"
    GROW = "grow"
    CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with one database."""

    name: str
    severity: Severity
    explanation: str
    remedy: str
    healing: Healing | None = None
    place: str = ""
