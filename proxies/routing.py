"""Addresses of the proxies app that are answered before Django's handler."""

from collections.abc import Callable
from typing import Any, Final

from proxies.api import borrowing
from proxies.api.desk import Desk

_DEEDS: Final[list[tuple[str, str, Callable[..., borrowing.Told]]]] = [
    ("api/proxies/leases", "acquire", borrowing.acquire),
    ("api/proxies/leases/<int:lease_id>/renew", "renew", borrowing.renew),
    ("api/proxies/leases/<int:lease_id>/release", "release", borrowing.release),
]


def desks(otherwise: Any) -> list[tuple[str, Any]]:
    """Return routes and their applications; ``otherwise`` answers what isn't plain."""
    return [(route, Desk(name, deed, otherwise=otherwise)) for route, name, deed in _DEEDS]
