"""Following runs over websockets: one run, or for staff everything that happens."""

import asyncio
import contextlib
import logging
from typing import Any, Final
from urllib.parse import parse_qs

import orjson
from channels.generic.websocket import AsyncWebsocketConsumer

from project.core import live, sse
from project.core.api import problems
from project.core.callers import NOBODY, Caller
from project.core.errors import AppError, InvalidInputError, NotFoundError
from project.core.following import View
from project.core.hub import Subscription

logger = logging.getLogger(__name__)
BAD_POSITION: Final = 4422
NOT_FOUND: Final = 4404
NOT_ALLOWED: Final = 4403
BROKEN: Final = 1011


class Following(AsyncWebsocketConsumer):
    """Accepts who may follow and sends, all in one task, which ``disconnect`` cancels."""

    sender: asyncio.Task[None] | None = None

    @property
    def caller(self) -> Caller:
        """Who asks."""
        found: Any = self.scope.get("caller", NOBODY)
        return found if isinstance(found, Caller) else NOBODY

    async def connect(self) -> None:
        # in a task: a handler that never returned would block ``disconnect``
        self.sender = asyncio.create_task(self._serve())

    async def follow(self) -> None:
        """Accept, then send until there is nothing more to send."""
        raise NotImplementedError

    async def _serve(self) -> None:
        try:
            await self.follow()
        except NotFoundError:
            await self.close(code=NOT_FOUND)
        except InvalidInputError:
            await self.close(code=BAD_POSITION)
        except AppError:
            await self.close(code=NOT_ALLOWED)
        except Exception as error:  # noqa: BLE001 -- a socket left open would be silent for ever
            logger.warning("websocket closed", extra={"why": repr(error)})
            await self.close(code=BROKEN)

    async def disconnect(self, code: int) -> None:
        if self.sender is not None:
            self.sender.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.sender


class RunConsumer(Following):
    """``ws/runs/{id}/?since=N``: the events of one run after number N, then its news."""

    async def view(self, since: int) -> View:
        """Return what is followed, from the event with the number ``since`` on."""
        return View({self.scope["url_route"]["kwargs"]["run_id"]: since}, caller=self.caller)

    def since_in_query(self) -> str | None:
        """Return the number of the last event that the client has, as it was written."""
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        return query.get("since", [None])[0]

    async def follow(self) -> None:
        if not self.caller.is_known:
            raise problems.NotAuthenticatedError
        view = await self.view(sse.position(self.since_in_query()))
        async with view.follow() as subscription:
            await self.accept()
            await self.send_all(view, subscription)
        await self.close()

    async def send_all(self, view: View, subscription: Subscription) -> None:
        """Send what there is and what comes, until the last event."""
        while not (subscription.is_over or view.is_read):
            frames = await subscription.read(timeout_s=sse.HEARTBEAT_S)
            for frame in frames:
                if (shown := view.shown(frame)) is not None:
                    await self.send(text_data=shown.message)
                if view.is_last(frame):
                    return
            if not frames and not subscription.is_over:
                await self.tell("heartbeat", view.heartbeat(subscription))

    async def tell(self, event: str, data: dict[str, Any]) -> None:
        """Send what is no event of the run's history, and so has no number."""
        message = orjson.dumps({"id": None, "event": event, "data": data})
        await self.send(text_data=message.decode())


class LiveConsumer(Following):
    """``ws/live/``: for staff, a snapshot and then every change of runs, issues and figures."""

    async def follow(self) -> None:
        if not self.caller.is_staff:
            await self.close(code=NOT_ALLOWED)
            return
        async with live.here().follow() as board:
            await self.accept()
            async for message in board:
                await self.send(text_data=message)
