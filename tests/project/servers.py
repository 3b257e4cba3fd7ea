"""The product's web process as a process of its own, on loopback and on the tests' database."""

import http.client
import ssl
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection

from tests.services import guarded

KINDS = ("uvicorn", "daphne")
_WORDS = {
    "uvicorn": ["uvicorn", "--host", "127.0.0.1", "--log-level", "warning", "--port"],
    "daphne": ["daphne", "--bind", "127.0.0.1", "--verbosity", "0", "--port"],
}


def database_url() -> str:
    """Return the address of the tests' database, as settings read it."""
    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    who = f"{found['USER']}:{found['PASSWORD']}" if found["PASSWORD"] else found["USER"]
    return f"postgresql://{who}@{found['HOST']}:{found['PORT']}/{found['NAME']}"


@contextmanager
def serving(kind: str, port: int, *options: str) -> Iterator[int]:
    """Run a web process until the block ends, then kill it; gives its process number."""
    folder = Path(tempfile.mkdtemp(prefix="millrace-web-"))
    pid_file = folder / "pid"
    environment = {
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DATABASE_URL": database_url(),
        "DATA_DIR": str(folder / "data"),
        "SECRET_KEY": settings.SECRET_KEY,
        "FIELD_KEYS": settings.FIELD_KEYS,
        "PYTHONPATH": str(settings.BASE_DIR),
    }
    start = f'echo $$ > {pid_file}; exec "$0" "$@"'
    words = ["env", *[f"{name}={value}" for name, value in environment.items()], "sh", "-c", start]
    words += [sys.executable, "-m", *_WORDS[kind], str(port), *options]
    words += ["project.asgi:application"]
    command = guarded.Command(words, folder, stop_signal="SIGKILL")
    with guarded.running(command, is_ready=lambda: guarded.answers(port)):
        yield int(pid_file.read_text())


class Server:
    """A web process that can be killed and started again at the same port."""

    def __init__(self, kind: str) -> None:
        self.kind, self.port, self.pid = kind, guarded.free_port(), 0
        self._running = ExitStack()

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.pid = self._running.enter_context(serving(self.kind, self.port))

    def stop(self) -> None:
        """Kill it at once, as a crash would."""
        self._running.close()


@dataclass(frozen=True)
class Event:
    """One server-sent event; ``id`` is empty where none came."""

    id: str
    event: str
    data: str


class Stream:
    """One open answer of a server, read event by event."""

    def __init__(
        self, port: int, path: str, tls: ssl.SSLContext | None = None, /, **headers: str
    ) -> None:
        self.connection: http.client.HTTPConnection
        if tls is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        else:
            self.connection = http.client.HTTPSConnection(
                "localhost", port, timeout=30, context=tls
            )
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request("GET", path, headers=named)
        self.answer = self.connection.getresponse()

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def next(self) -> Event | None:
        """Return the next event; None when the server has closed the stream."""
        fields = {"id": "", "event": "", "data": ""}
        while line := self.answer.readline().decode().rstrip("\n"):
            name, _, value = line.partition(": ")
            fields[name] = value
        if not any(fields.values()):
            return None
        return self.next() if "retry" in fields else Event(**fields)

    def take(self, count: int) -> list[Event]:
        """Return the next ``count`` events, heartbeats left out."""
        found: list[Event] = []
        while len(found) < count:
            event = self.next()
            assert event is not None, f"closed after {found}"
            if event.event != "heartbeat":
                found.append(event)
        return found

    def rest(self) -> list[Event]:
        """Return all events until the server closes the stream."""
        return [event for event in iter(self.next, None) if event.event != "heartbeat"]


def open_files(pid: int, name: str) -> int:
    """Return how often a process has the file ``name`` open."""
    found = 0
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found += str(entry.readlink()) == name
        except FileNotFoundError:  # closed meanwhile
            continue
    return found
