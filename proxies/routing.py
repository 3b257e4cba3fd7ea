"""Addresses of the proxies app that are answered before Django's handler."""

import re
from typing import Any, Final

from proxies.api import borrowing
from proxies.api.desk import Desk

_ROOT: Final = "/api/proxies/leases"
_ADDRESS: Final = re.compile(rf"{_ROOT}(?:/([0-9]+)/(renew|release))?")
_ACQUIRE: Final = Desk("acquire", "leases", borrowing.acquire)
_OF_LEASES: Final = {
    "renew": Desk("renew", "lease-renew", borrowing.renew),
    "release": Desk("release", "lease-release", borrowing.release),
}


class Desks:
    """Serves what programs ask of leases, and hands on all else.

    Before any router and any file: looking through their addresses costs as much as a lease does.

    Args:
        app: answers all other addresses.
        otherwise: Django's handler; it answers what isn't plain at these addresses.
    """

    def __init__(self, app: Any, *, otherwise: Any) -> None:
        self.app = app
        self.otherwise = otherwise

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer one connection."""
        found = _ADDRESS.fullmatch(_path(scope)) if scope["type"] == "http" else None
        if found is None or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        lease_id, act = found.groups()
        if act is None:
            await _ACQUIRE.serve(scope, receive, send, self.otherwise)
        else:
            desk = _OF_LEASES[act]
            await desk.serve(scope, receive, send, self.otherwise, lease_id=int(lease_id))


def _path(scope: dict[str, Any]) -> str:
    """Return the address below the one at which a front proxy mounts us."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path") or "")
