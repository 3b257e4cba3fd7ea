"""What starts and stops with each process: heart, sweeper, an orderly end."""

from typing import Any, Final

from celery import signals
from django.conf import settings

from project.core.choices import Role

_sweepers: Final[list[Any]] = []


def connect() -> None:
    """Hook into Celery's processes; called once by ``project.celery``."""
    signals.worker_ready.connect(_worker_ready, weak=False)
    signals.worker_shutting_down.connect(_worker_stopping, weak=False)
    signals.worker_shutdown.connect(_worker_gone, weak=False)
    signals.beat_init.connect(_beat_ready, weak=False)


def _worker_ready(sender: Any = None, **_: object) -> None:
    from project.core import processes, sweeping  # noqa: PLC0415 -- apps are ready only now

    processes.begin(Role.WORKER)
    _tell_metrics()
    concurrency = getattr(getattr(sender, "controller", None), "concurrency", None) or 1
    sweeper = sweeping.Sweeper(concurrency=concurrency)
    sweeper.start()
    _sweepers.append(sweeper)


def _worker_stopping(**_: object) -> None:
    from project.core.claims import keeper  # noqa: PLC0415 -- apps are ready only now

    for sweeper in _sweepers:
        sweeper.stopped.set()
    keeper.stop_all()


def _worker_gone(**_: object) -> None:
    from project.core import processes, tracing  # noqa: PLC0415 -- apps are ready only now

    processes.end()
    tracing.shut()


def _beat_ready(**_: object) -> None:
    from project.core import processes  # noqa: PLC0415 -- apps are ready only now

    processes.begin(Role.BEAT)
    _tell_metrics()


def _tell_metrics() -> None:
    from project.core import metrics  # noqa: PLC0415 -- apps are ready only now

    if settings.METRICS_PORT:
        metrics.serve(settings.METRICS_PORT)
