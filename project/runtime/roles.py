"""Decides what each child does, and what the supervisor imports once for all of them."""

import importlib
import socket
import warnings
from collections.abc import Callable
from typing import Final

from celery import signals
from celery.exceptions import SecurityWarning

from project import celery_app
from project.core import garbage, processes, version
from project.core.choices import Role as CoreRole
from project.runtime import listening
from project.runtime.children import Ready, Role

#: What the children need besides the apps. Not ``daphne.server``: its import opens an event loop,
#: and one must not be shared by two processes.
_PRELOADED: Final = (
    "project.asgi",
    "project.runtime.broker",
    "daphne.http_protocol",
    "daphne.ws_protocol",
    "celery.apps.worker",
    "celery.apps.beat",
    "celery.concurrency.thread",
    "celery.worker.consumer",
    "django_celery_beat.schedulers",
)


def preload() -> None:
    """Import everything that children need, so that each starts in a moment and shares memory.

    To be called when static files are collected: the ASGI application lists them.
    """
    for name in _PRELOADED:
        importlib.import_module(name)
    celery_app.loader.import_default_modules()
    celery_app.finalize()
    version.label()
    garbage.settle()  # before the fork: what is frozen stays shared


def all_roles(listener: socket.socket) -> list[Role]:
    """Return what an installation consists of."""
    return [
        Role("web", web(listener)),
        Role("worker", _away_from(listener, worker)),
        Role("beat", _away_from(listener, beat)),
    ]


def web(listener: socket.socket) -> Callable[[Ready], int]:
    """Return the role that answers HTTP, streams and websockets on ``listener``."""

    def run(ready: Ready) -> int:
        from daphne.server import Server  # noqa: PLC0415 -- see _PRELOADED

        from project.asgi import application  # noqa: PLC0415 -- needs the static files
        from project.runtime import bodies  # noqa: PLC0415 -- see _PRELOADED

        bodies.bound()
        server = Server(
            application=application,
            endpoints=[listening.endpoint(listener)],
            ready_callable=ready,
            server_name="millrace",
        )
        processes.begin(CoreRole.WEB)
        try:
            server.run()
        finally:
            processes.end()
        return int(server.abort_start)

    return run


def worker(ready: Ready) -> int:
    """Run the background tasks."""
    # The embedded mode is one person's machine or container, where root is who runs it.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    signals.worker_ready.connect(lambda **_: ready(), weak=False)
    process = celery_app.Worker(
        hostname="worker@%h",
        loglevel="WARNING",
        quiet=True,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    process.start()
    return int(process.exitcode or 0)


def beat(ready: Ready) -> int:
    """Send the periodic jobs when they are due."""
    signals.beat_init.connect(lambda **_: ready(), weak=False)
    try:
        celery_app.Beat(loglevel="WARNING", quiet=True).run()
    finally:
        processes.end()
    return 0


def _away_from(listener: socket.socket, run: Callable[[Ready], int]) -> Callable[[Ready], int]:
    """Return ``run`` without the socket, which would stay open after the web process."""

    def running(ready: Ready) -> int:
        listener.close()
        return run(ready)

    return running
