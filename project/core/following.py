"""What a follower of runs sees of their events: here all of them, as they were written.

An app that shows its runs under names of its own (a job, a batch) derives from ``View``; the
streams and websockets of the floor then carry it, from the one feed of ``hub``.
"""

import uuid
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from django.utils import timezone

from project.core import hub
from project.core.callers import Caller
from project.core.hub import Frame, Subscription
from project.core.moments import stamp


class View:
    """Runs that one caller follows, each from a position on."""

    def __init__(self, after: Mapping[uuid.UUID, int], *, caller: Caller) -> None:
        self.after: Final = dict(after)
        self.caller: Final = caller

    def follow(self) -> AbstractAsyncContextManager[Subscription]:
        """Subscribe; costs one query.

        Raises:
            UnknownRunError: one of the runs doesn't exist or is a stranger's.
            BadCursorError: a position lies after the run's last event.
        """
        return hub.here().follow(self.after, caller=self.caller)

    @property
    def is_read(self) -> bool:
        """Whether the client has the last event already, though the run may go on."""
        return False

    def shown(self, frame: Frame) -> Frame | None:
        """Return an event as it is shown; None for one that is not."""
        return frame

    def is_last(self, frame: Frame) -> bool:
        """Say whether nothing is shown after ``frame``, though the run may go on."""
        return False

    def cursor(self, frame: Frame, sent: Mapping[uuid.UUID, int]) -> str:
        """Return the id of ``frame``; ``sent`` holds the last event sent of each run."""
        return str(frame.seq)

    def heartbeat(self, subscription: Subscription) -> dict[str, Any]:
        """Return what a heartbeat says: the state of each run followed."""
        runs = [{"run_id": str(feed.run_id), "status": feed.status} for feed in subscription.feeds]
        ts = stamp(timezone.now())
        return {**runs[0], "ts": ts} if len(runs) == 1 else {"runs": runs, "ts": ts}


class ManyView(View):
    """Several runs over one connection: an event's id holds the positions in all of them."""

    def cursor(self, frame: Frame, sent: Mapping[uuid.UUID, int]) -> str:
        """Return the positions in all runs, in the order of their ids."""
        return "-".join(str(sent[run_id]) for run_id in sorted(sent))
