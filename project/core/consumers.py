"""Following runs over websockets: one run, or for staff everything that happens."""

import asyncio
import contextlib
from typing import Final
from urllib.parse import parse_qs

import orjson
from channels.generic.websocket import AsyncWebsocketConsumer

from project.core import hub, live, sse
from project.core.callers import NOBODY, Caller
from project.core.errors import AppError

NOT_FOUND: Final = 4404
NOT_ALLOWED: Final = 4403


class Following(AsyncWebsocketConsumer):
    """Accepts who may follow, sends from a task that ``disconnect`` cancels."""

    sender: asyncio.Task[None] | None = None

    @property
    def caller(self) -> Caller:
        """Who asks."""
        found: Caller = self.scope.get("caller", NOBODY)
        return found

    async def begin(self) -> None:
        """Accept and send; a handler that never returned would block ``disconnect``."""
        await self.accept()
        self.sender = asyncio.create_task(self.send_all())

    async def send_all(self) -> None:
        """Send until there is nothing more to send."""
        raise NotImplementedError

    async def disconnect(self, code: int) -> None:
        if self.sender is not None:
            self.sender.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.sender


class RunConsumer(Following):
    """``ws/runs/{id}/?since=N``: the events of one run after number N, then its news."""

    async def connect(self) -> None:
        since = parse_qs(self.scope["query_string"].decode("latin-1")).get("since", ["0"])[0]
        run_id = self.scope["url_route"]["kwargs"]["run_id"]
        if not self.caller.is_known or not since.isdecimal():
            await self.close(code=NOT_ALLOWED)
            return
        self.following = hub.here().follow({run_id: int(since)}, caller=self.caller)
        try:
            self.subscription = await self.following.__aenter__()
        except AppError:
            await self.close(code=NOT_FOUND)
            return
        await self.begin()

    async def send_all(self) -> None:
        try:
            while not self.subscription.is_over:
                frames = await self.subscription.read(timeout_s=sse.HEARTBEAT_S)
                for frame in frames:
                    await self.send(text_data=frame.message)
                if not frames and not self.subscription.is_over:
                    await self._beat()
            await self.close()
        finally:
            await self.following.__aexit__(None, None, None)

    async def _beat(self) -> None:
        data = sse.heartbeat_data(self.subscription)
        message = orjson.dumps({"id": None, "event": "heartbeat", "data": data})
        await self.send(text_data=message.decode())


class LiveConsumer(Following):
    """``ws/live/``: for staff, a snapshot and then every change of runs, issues and figures."""

    async def connect(self) -> None:
        if not self.caller.is_staff:
            await self.close(code=NOT_ALLOWED)
            return
        await self.begin()

    async def send_all(self) -> None:
        async with live.here().follow() as board:
            async for message in board:
                await self.send(text_data=message)
