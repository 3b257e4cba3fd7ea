"""Reaching addresses that people gave: only those of the public internet, and the one checked."""

import socket

from yarl import URL

from project.core import addresses
from project.core.connecting import CheckedResolver
from project.core.errors import PermanentError

__all__ = ["CheckedResolver", "ForbiddenPlaceError", "require_web"]


class ForbiddenPlaceError(PermanentError):
    """The address is none of the web, or lies inside a private network."""

    code = "forbidden_place"
    title = "This place may not be reached"


def require_web(url: URL) -> None:
    """Refuse what isn't the web, and addresses inside private networks; names are checked later.

    Raises:
        ForbiddenPlaceError: it may not be reached.
    """
    if url.scheme not in {"http", "https"} or not url.host:
        raise ForbiddenPlaceError("leads to what is no web address")
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in url.host else socket.AF_INET, url.host)
    except OSError:
        return
    try:
        addresses.require_allowed(url.host)
    except addresses.ForbiddenAddressError as error:
        raise ForbiddenPlaceError("leads into a private network") from error
