"""The process that asks a video site: one for each request, ended when it is no longer wanted.

yt-dlp can be stopped only with its process. The processes are forked off a server that has yt-dlp
loaded, so that a request costs no 2 s of imports; the server starts with the first request.
"""

import multiprocessing
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any, Final

from analysis.adapters.verdicts import TRANSIENT, SiteFailure
from analysis.failures import Transient

_POLL_S: Final = 0.1
#: The server with yt-dlp loads for so long at most before the first request's time begins.
_LOADS_S: Final = 30.0
_CONTEXT: Final = multiprocessing.get_context("forkserver")


def answer_of(
    asked: Mapping[str, Any], *, check: Callable[[], None], within_s: float
) -> dict[str, Any]:
    """Return what the process told (see ``videochild.answer``).

    Args:
        asked: the request.
        check: called several times a second; what it raises ends the process, and passes.
        within_s: then the process is ended, and the answer is a failure.

    Raises:
        Transient: the process ended without an answer.
    """
    _CONTEXT.set_forkserver_preload(["analysis.adapters.loading"])
    ours, theirs = _CONTEXT.Pipe(duplex=False)
    process = _CONTEXT.Process(target=_begin, args=(theirs, dict(asked)), daemon=True)
    process.start()
    theirs.close()
    try:
        return _awaited(ours, check, within_s)
    except EOFError as error:
        process.join()
        raise Transient(f"the fetch ended with status {process.exitcode}") from error
    finally:
        process.kill()
        process.join()
        ours.close()


def _awaited(ours: Connection, check: Callable[[], None], within_s: float) -> dict[str, Any]:
    """Wait for the process to begin, then for its answer."""
    ends_s = time.monotonic() + _LOADS_S
    has_begun = False
    while True:
        check()
        if ours.poll(_POLL_S):
            told = ours.recv()
            if has_begun:
                answer: dict[str, Any] = told
                return answer
            has_begun, ends_s = True, time.monotonic() + within_s
        elif time.monotonic() > ends_s:
            overdue = f"the site took longer than {within_s:g} s"
            return {"failure": SiteFailure(TRANSIENT, overdue, outcome="timeout").as_json()}


def _begin(theirs: Connection, asked: Mapping[str, Any]) -> None:
    """Answer, in the process."""
    theirs.send({})
    from analysis.adapters import videochild  # noqa: PLC0415 -- loaded already, and only there

    theirs.send(videochild.answer(asked))
