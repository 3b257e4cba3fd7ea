"""The switches that stop whole parts of the product; each app registers its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Switch:
    """What staff can stop as a whole.

    Attributes:
        name: stable, e.g. ``"collecting"``.
        label: for people, e.g. ``"Collecting"``.
        text: what stops with it, in a sentence.
        kinds: the kinds of run that nobody works on while it is off; each has one switch at most.
            Without any, it stops something else than work.
        badge: what every staff page shows while it is off; else that the label is stopped.
    """

    name: str
    label: str
    text: str
    kinds: tuple[str, ...] = ()
    badge: str = ""

    @property
    def rows(self) -> tuple[str, ...]:
        """Return what its halts are written under."""
        return self.kinds or (f"switch:{self.name}",)

    @property
    def said(self) -> str:
        """Return what is to be shown while it is off."""
        return self.badge or f"{self.label} stopped"


_switches: dict[str, Switch] = {}


def register(switch: Switch) -> Switch:
    """Make ``switch`` known and return it.

    Raises:
        ValueError: its name, or one of its kinds, is another switch's.
    """
    for other in _switches.values():
        if other != switch and (other.name == switch.name or {*other.kinds} & {*switch.kinds}):
            raise ValueError(f"switches {other.name} and {switch.name} are in each other's way")
    _switches[switch.name] = switch
    return switch


def known() -> Mapping[str, Switch]:
    """Return all switches by name, in the order in which apps registered them."""
    return MappingProxyType(_switches)
