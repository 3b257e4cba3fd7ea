"""How bytes flow between a client and its target until one of them is done."""

import asyncio
from dataclasses import dataclass, field

from project.sandbox.proxies.upstream import Streams

CHUNK_BYTES = 65536


@dataclass(slots=True)
class Uses:
    """What a proxy has been used for so far."""

    connections: int = 0
    requests: int = 0
    tunnels: int = 0
    unauthorized: int = 0
    failed: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    targets: dict[str, int] = field(default_factory=dict)

    def aimed(self, host: str, port: int) -> None:
        """Count a target."""
        name = f"{host}:{port}"
        self.targets[name] = self.targets.get(name, 0) + 1


async def relay(client: Streams, target: Streams, uses: Uses) -> None:
    """Carry bytes both ways until the target is done, or one side has gone.

    A client that only ends its sending side still gets its answer. Where the target breaks off,
    so does the connection to the client: nothing of our own comes into what it was sent.
    """
    upwards = asyncio.ensure_future(_up(client[0], target[1], uses))
    try:
        await _down(target[0], client[1], uses)
    except OSError:
        uses.failed += 1
        client[1].transport.abort()
    finally:
        upwards.cancel()
        target[1].close()


async def _up(source: asyncio.StreamReader, sink: asyncio.StreamWriter, uses: Uses) -> None:
    try:
        while chunk := await source.read(CHUNK_BYTES):
            uses.bytes_up += len(chunk)
            sink.write(chunk)
            await sink.drain()
        if sink.can_write_eof():
            sink.write_eof()
    except OSError:
        sink.close()


async def _down(source: asyncio.StreamReader, sink: asyncio.StreamWriter, uses: Uses) -> None:
    while chunk := await source.read(CHUNK_BYTES):
        uses.bytes_down += len(chunk)
        sink.write(chunk)
        await sink.drain()
