"""Following jobs and batches over websockets, and steering jobs by them."""

import asyncio
import contextlib
from typing import Any, Final

import orjson
from django.utils import timezone

from analysis import following, steering
from analysis.steering import Action, BadActionError
from project.core import sse
from project.core.api import problems
from project.core.consumers import RunConsumer
from project.core.errors import AppError
from project.core.following import View
from project.core.hub import in_thread

#: A socket stays open for so long after the last event, for what may be asked then: trying places
#: again, another strategy.
LINGER_S: Final = 5.0


class JobConsumer(RunConsumer):
    """``ws/jobs/{id}/?since=N``: a job's events after number N, then its news; takes actions."""

    async def connect(self) -> None:
        self._since: int | None = None
        self._pump: asyncio.Task[None] | None = None
        self._asked = asyncio.Event()
        await super().connect()

    async def view(self, since: int) -> View:
        """Return the job's view."""
        job_id = self.scope["url_route"]["kwargs"]["job_id"]
        return await in_thread(following.open_job, job_id, self.caller, since)

    async def follow(self) -> None:
        if not self.caller.is_known:
            raise problems.NotAuthenticatedError
        view = await self.view(sse.position(self.since_in_query()))
        await self.accept()
        while True:
            await self._send_from(view)
            if self._since is None and not await self._is_asked_for_more():
                break
            if self._since is not None:
                since, self._since = self._since, None
                view = await self.view(since)
        await self.close()

    async def _send_from(self, view: View) -> None:
        """Send what ``view`` shows until the last event, or until ``subscribe`` begins anew."""
        async with view.follow() as subscription:
            self._pump = asyncio.create_task(self.send_all(view, subscription))
            try:
                await self._pump
            except asyncio.CancelledError:
                if self._since is None:  # the socket is closed, not the subscription renewed
                    raise
            finally:
                self._pump.cancel()
                self._pump = None

    async def _is_asked_for_more(self) -> bool:
        """Wait a while for actions after the last event; say whether events are wanted again."""
        while self._since is None:
            self._asked.clear()
            try:
                async with asyncio.timeout(LINGER_S):
                    await self._asked.wait()
            except TimeoutError:
                return False
        return True

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Take a control message and answer it."""
        try:
            action = steering.read(_parsed(text_data or bytes_data or b""))
            if action.name == "subscribe":
                await self._subscribe(action)
                return
            job_id = self.scope["url_route"]["kwargs"]["job_id"]
            told = await in_thread(_carry_out, action, job_id, self.caller)
            await self.tell("accepted", {"action": action.name, **told})
        except AppError as error:
            refused = {"code": error.code, "detail": str(error), **error.extra}
            await self.tell("refused", refused)
        finally:
            self._asked.set()

    async def _subscribe(self, action: Action) -> None:
        since = action.values.get("since", 0)
        if since < 0:
            raise BadActionError("subscribe: since is the number of an event")
        async with (await self.view(since)).follow():
            pass  # refuses, before what is being sent is stopped
        self._since = since
        if self._pump is not None:
            self._pump.cancel()


def _parsed(text: str | bytes) -> Any:
    with contextlib.suppress(orjson.JSONDecodeError):
        return orjson.loads(text)
    return None


def _carry_out(action: Action, job_id: Any, caller: Any) -> dict[str, Any]:
    return steering.carry_out(action, job_id, by=caller, now=timezone.now())


class BatchConsumer(RunConsumer):
    """``ws/batches/{id}/?since=N``: a batch's events after number N, then its news."""

    async def view(self, since: int) -> View:
        """Return the batch's view."""
        batch_id = self.scope["url_route"]["kwargs"]["batch_id"]
        return await in_thread(following.open_batch, batch_id, self.caller, since)
