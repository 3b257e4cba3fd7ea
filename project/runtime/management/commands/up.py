"""Runs the whole installation: web, worker and beat, until Ctrl-C."""

import gc
import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import IO, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from project.runtime import demonstrating, listening, locking, provisioning, roles
from project.runtime.supervising import Supervisor


class Command(BaseCommand):
    """``manage.py up``: everything that `make run` and `make demo` start."""

    help = "Runs web, worker and beat on DATA_DIR until Ctrl-C; --demo adds the sandbox world."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--demo", action="store_true", help="with the sandbox world")

    def handle(self, *_: Any, **options: Any) -> None:
        began_at = time.monotonic()
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: stop.set())
        self._say(f"Millrace on {settings.DATA_DIR}")
        address = listening.open_address(settings.HOST, settings.PORT)
        lock, listener = self._reserve(address, is_demo=options["demo"])
        self._provide()
        found = roles.all_roles(listener)
        if options["demo"]:
            found = [*demonstrating.companions(settings.DATA_DIR), *found]
        gc.collect()
        gc.freeze()  # the collector would write to memory that the children share
        supervisor = Supervisor(
            found,
            say=self._say,
            memory_limit_mb=settings.CHILD_MEMORY_MB,
            on_death=provisioning.forget_process,
        )
        names = ", ".join(role.name for role in found if not role.is_once)
        supervisor.run(stop, on_ready=lambda: self._announce(names, address, began_at))
        lock.close()

    def _reserve(self, address: str, *, is_demo: bool) -> tuple[IO[str], socket.socket]:
        """Take the data directory and the port, before anything starts."""
        try:
            lock = locking.acquire(settings.DATA_DIR, about=address)
            if is_demo:
                demonstrating.check_port()
            return lock, listening.listen(settings.HOST, settings.PORT)
        except (locking.TakenError, listening.AddressError) as error:
            raise CommandError(str(error)) from error

    def _provide(self) -> None:
        """Make what the data directory lacks, and say so step by step."""
        data_dir = settings.DATA_DIR
        self._step("metrics", lambda: provisioning.empty_metrics(settings.METRICS_DIR))
        self._step("database", provisioning.migrate)
        self._step(
            "static files",
            lambda: provisioning.publish_static_files(root=settings.STATIC_ROOT, data_dir=data_dir),
        )
        self._step("staff user", self._first_user)
        self._step("program", self._preload)

    def _first_user(self) -> str:
        done, password = provisioning.create_first_user(settings.DATA_DIR)
        if password is None:
            return done
        file = settings.DATA_DIR / provisioning.PASSWORD_FILE
        return f"{done}, password {password} (shown once; kept in {file})"

    def _preload(self) -> str:
        roles.preload()
        provisioning.close_connections()
        others = [
            each.name for each in threading.enumerate() if each is not threading.main_thread()
        ]
        if others:  # a lock that such a thread holds would stay locked in the children
            return f"loaded; threads run before the fork: {', '.join(others)}"
        return "loaded"

    def _step(self, name: str, work: Callable[[], str]) -> None:
        began_at = time.monotonic()
        done = work()
        self._say(f"  {name + ' ':.<14} {done} ({time.monotonic() - began_at:.1f} s)")

    def _announce(self, names: str, address: str, began_at: float) -> None:
        self._say(f"  {names} run ({time.monotonic() - began_at:.1f} s in all)")
        self._say(f"Open {address} (staff: {address}admin/). Ctrl-C stops everything.")

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
