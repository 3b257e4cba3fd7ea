"""Decides when the gazetteer is compiled: before anybody needs it, by each host's first worker.

A worker begins as soon as it is ready (`GAZETTEER_AHEAD`), beside its work. Whoever needs the
gazetteer earlier waits for that, can stop waiting at any moment, and hears how far it is.
"""

import logging
import threading
from concurrent import futures
from concurrent.futures import Future
from typing import Final

from django.conf import settings

from analysis.contracts import Waiting
from analysis.failures import Transient
from analysis.gazetteer import keeping
from project.core.choices import Role

logger = logging.getLogger(__name__)
LOOK_EVERY_S: Final = 0.25
_beginning = threading.Lock()
_running: list["Future[None]"] = []


def begin(role: str) -> None:
    """Let a worker that has just started compile the gazetteer, where this host has none."""
    if role == Role.WORKER and settings.GAZETTEER_AHEAD and not keeping.path().exists():
        in_background()


def in_background() -> "Future[None]":
    """Compile the gazetteer in a thread of its own, one in this process; return what it comes to.

    Other processes of the host wait for the one that was first (``keeping.ensure``).
    """
    with _beginning:
        if _running and not _running[0].done():
            return _running[0]
        future: Future[None] = Future()
        _running[:] = [future]
    threading.Thread(target=_compile, args=(future,), name="gazetteer", daemon=True).start()
    return future


def _compile(future: "Future[None]") -> None:
    try:
        keeping.ensure()
    except Exception as error:  # told to whoever waits
        if not isinstance(error, Transient):
            logger.exception("gazetteer not compiled")
        else:
            logger.warning("gazetteer not compiled", extra={"why": str(error)})
        future.set_exception(error)
    else:
        future.set_result(None)


def wait(told: Waiting) -> None:
    """Wait until names can be looked up.

    Args:
        told: called several times a second with the step and the share that is done; what it
            raises ends the waiting, and passes.

    Raises:
        Transient: it could not be compiled.
    """
    if keeping.path().exists():
        return
    future = in_background()
    while not futures.wait([future], timeout=LOOK_EVERY_S).done:
        state = keeping.state()
        told(f"names: {state.step}" if state.step else "names", state.ratio)
    future.result()
