"""Recording this process's pools: each second into memory and metrics, every ten into rows."""

import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

from project.core import processes
from project.db import watching
from project.db.statistics import PoolStatistics
from project.db.watching import Watch
from project.storage import metrics
from project.storage.models import PoolSample

logger = logging.getLogger(__name__)
EACH_S: Final = 1.0
WRITE_EVERY_S: Final = 10.0
#: A database that is away for longer loses samples, not memory.
KEPT_UNWRITTEN: Final = 300
_FIGURES: Final = tuple(
    field.name
    for field in PoolSample._meta.concrete_fields  # noqa: SLF001 -- Django's documented name
    if field.name not in {"id", "second", "grain_s", "process", "role", "alias", "findings"}
)

_recorders: dict[int, "Recorder"] = {}


def begin(role: str) -> None:
    """Start recording in this process, once; a fork needs a recorder of its own."""
    if os.getpid() in _recorders:
        return
    recorder = _recorders[os.getpid()] = Recorder(role)
    recorder.start()


def end() -> None:
    """Stop recording in this process, and write what is left."""
    recorder = _recorders.pop(os.getpid(), None)
    if recorder is not None:
        recorder.stop()


class Recorder:
    """The samples of this process that are not written yet, and the thread that writes them.

    Watching has a thread of its own: it must go on while the database keeps a writer waiting,
    which is the moment one wants to see.
    """

    def __init__(self, role: str, *, write_every_s: float = WRITE_EVERY_S) -> None:
        self._role = role
        self._write_every_s = write_every_s
        self._process = processes.own_name()
        self._samples: deque[PoolSample] = deque(maxlen=KEPT_UNWRITTEN)
        self._before: dict[str, PoolStatistics] = {}
        self._is_over = threading.Event()
        self._stop_watching: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._write_on, name="pool-samples", daemon=True)

    def start(self) -> None:
        """Watch the default database's pool, and write."""
        self._stop_watching = watching.start(
            [DEFAULT_DB_ALIAS], interval_s=EACH_S, on_tick=self.take
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop both threads; what is left is written."""
        self._stop_watching()
        self._is_over.set()
        self._thread.join(timeout=5)

    def take(self, watch: Watch, found: PoolStatistics) -> None:
        """Remember one snapshot, and let the metrics show it."""
        metrics.show(found, self._before.get(found.alias))
        self._before[found.alias] = found
        self._samples.append(self._sample(watch, found))

    def _sample(self, watch: Watch, found: PoolStatistics) -> PoolSample:
        figures = found.figures()
        return PoolSample(
            second=int(found.at.timestamp()),
            process=self._process,
            role=self._role,
            alias=found.alias,
            findings=findings_of(watch),
            **{name: figures[name] for name in _FIGURES},
        )

    def _write_on(self) -> None:
        while not self._is_over.wait(self._write_every_s):
            self.write()
        self.write()

    def write(self) -> None:
        """Write what is remembered in one insert; a database that is away is tried again."""
        samples = [self._samples.popleft() for _ in range(len(self._samples))]
        if not samples:
            return
        try:
            # two ticks may fall into one second; and a sample may be there after a lost answer
            PoolSample.objects.bulk_create(samples, ignore_conflicts=True)
        except DatabaseError as error:
            self._samples.extendleft(reversed(samples))
            logger.warning("pool samples not written", extra={"why": repr(error)})
        except Exception:  # the recorder must outlive whatever it meets
            logger.exception("pool samples not written")
        finally:
            connections.close_all()


def findings_of(watch: Watch) -> list[dict[str, Any]]:
    """Return what is wrong with a pool as plain JSON, with what was done about it."""
    return [
        {
            "name": finding.name,
            "severity": str(finding.severity),
            "explanation": finding.explanation,
            "remedy": finding.remedy,
            "healed": watch.healed.get(finding.name, ""),
        }
        for finding in watch.findings
    ]
