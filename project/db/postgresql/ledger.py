"""Decides what is known of connections that psycopg's pool has lent: to whom, since when."""

import threading
import time
import weakref
from typing import Any

from project.db import places
from project.db.places import Place
from project.db.recording import Recorder


class Loan:
    """One connection while it is lent; moments are monotonic."""

    __slots__ = ("lent_at_s", "owner", "place", "raw", "thread", "waited_s")

    def __init__(self, raw: Any, *, owner: Any, waited_s: float) -> None:
        """Note who takes ``raw``, where and when."""
        self.raw = raw
        self.owner = weakref.ref(owner)
        self.thread = threading.current_thread().name
        self.place: Place = places.taken_by(self.thread)
        self.waited_s = waited_s
        self.lent_at_s = time.monotonic()


class Ledger:
    """The loans of one alias in this process."""

    def __init__(self) -> None:
        """Start with none."""
        self.recorder = Recorder()
        self._mutex = threading.Lock()
        self._loans: set[Loan] = set()

    def lent(self) -> list[Loan]:
        """Return the open loans, the longest first."""
        with self._mutex:
            loans = list(self._loans)
        return sorted(loans, key=lambda loan: loan.lent_at_s)

    def begin(self, loan: Loan) -> None:
        """Note that a connection was lent."""
        with self._mutex:
            self._loans.add(loan)

    def end(self, loan: Loan) -> None:
        """Note that a connection came back."""
        now_s = time.monotonic()
        with self._mutex:
            self._loans.discard(loan)
            self.recorder.use_ended(now_s, waited_s=loan.waited_s, used_s=now_s - loan.lent_at_s)
