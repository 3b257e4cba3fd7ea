"""Decides where the installation listens: the socket outlives a restart of the web process.

The supervisor opens it before anything starts, so that a taken port is said at once, and
connections made while the web process restarts wait instead of being refused.
"""

import errno
import socket
from typing import Final

BACKLOG: Final = 512


class AddressError(Exception):
    """The address can't be listened on; the text says why and what to do."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on ``host`` and ``port``.

    Raises:
        AddressError: it is taken, not this machine's, or not allowed.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        raise AddressError(_reason(error, host, port)) from error
    return listener


def endpoint(listener: socket.socket) -> str:
    """Return how Twisted names ``listener``.

    It adopts sockets of IPv4 alone: one of IPv6 is closed here and opened again by Twisted.
    """
    if listener.family == socket.AF_INET:
        return f"fd:fileno={listener.fileno()}"
    host, port = listener.getsockname()[:2]
    listener.close()
    escaped = host.replace(":", "\\:")
    return f"tcp6:{port}:interface={escaped}"


def open_address(host: str, port: int) -> str:
    """Return what a person on this machine opens in a browser."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 -- compared alone
    if ":" in shown and not shown.startswith("["):
        shown = f"[{shown}]"
    return f"http://{shown}:{port}/"


def _reason(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} of {host} is taken by another program: "
            f"stop that, or choose another port: PORT={port + 1} make run"
        )
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights: choose one above 1023, e.g. PORT=8000 make run"
    return f"cannot listen on {host}, port {port}: {error.strerror or error}"
