"""Decides how Celery talks to the broker's SQLite file: kombu's transport ``sqlitequeue://``.

``sqlitequeue:////absolute/path/broker.sqlite3``, for the processes of one machine. Direct and
topic exchanges; no fanout, so remote control and events are off. Priorities go from 0 to 9, and 9
comes first. How messages are kept is decided in ``queuefile.py``.
"""

import sqlite3
import threading
from pathlib import Path
from queue import Empty
from time import monotonic
from typing import Any, Final, TypeAlias, cast

from kombu.transport import virtual
from kombu.utils.json import dumps, loads
from kombu.utils.scheduling import FairCycle

from project.runtime.queuefile import QueueFile

POLL_S: Final = 0.02
#: Longest sleep of the worker's loop: a stop is noticed at its end.
DRAIN_AT_MOST_S: Final = 0.5
#: Longest time without a look at the queues and at the claims of the dead.
SURE_LOOK_EVERY_S: Final = 0.25


class QoS(virtual.QoS):
    """Acknowledges and rejects; called by the threads of the worker's pool."""

    channel: "Channel"
    restore_at_shutdown = False  # closing the file lets go what is held

    def ack(self, delivery_tag: str) -> None:
        """Delete the message."""
        self.channel.finish(delivery_tag, again=False)
        super().ack(delivery_tag)
        self.channel.wake.set()

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:  # noqa: FBT001, FBT002 -- kombu's signature
        """Delete the message, or with ``requeue`` let it be delivered again."""
        self.channel.finish(delivery_tag, again=requeue)
        super().ack(delivery_tag)
        self.channel.wake.set()


class Channel(virtual.Channel):
    """One user of the broker's file, with a connection of its own."""

    QoS = QoS
    connection: "Transport"
    do_restore = False

    def __init__(self, connection: "Transport", **options: Any) -> None:
        super().__init__(connection, **options)
        self.wake = connection.wake
        self.file = QueueFile(connection.path)
        self.file.recover()
        self._unacknowledged_queues: set[str] = set()

    def basic_consume(
        self, queue: str, no_ack: bool, *args: Any, **options: Any  # noqa: FBT001 -- kombu's signature
    ) -> Any:  # fmt: skip
        """Consume from ``queue``; with ``no_ack`` its messages are deleted on delivery."""
        if no_ack:
            self._unacknowledged_queues.add(queue)
        return super().basic_consume(queue, no_ack, *args, **options)

    def basic_get(self, queue: str, no_ack: bool = False, **options: Any) -> Any:  # noqa: FBT001, FBT002 -- kombu's signature
        """Take one message of ``queue`` or None."""
        message = super().basic_get(queue, no_ack, **options)
        if message is not None and no_ack:
            self.finish(str(message.delivery_tag), again=False)
        return message

    def finish(self, delivery_tag: str, *, again: bool) -> None:
        """End the claim on a message: delete it, or let it be delivered ``again``.

        After the channel was closed the message may be somebody else's, and nothing happens.
        """
        if self.closed:
            return
        if again:
            self.file.release(int(delivery_tag))
        else:
            self.file.acknowledge(int(delivery_tag))

    def close(self) -> None:
        """Close the channel; what is still held here is delivered to others."""
        super().close()
        self.file.close()

    def _put(self, queue: str, message: dict[str, Any], **_: Any) -> None:
        priority = self._get_message_priority(message)
        self.file.put(queue, dumps(message), priority=priority)
        self.wake.set()

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        del timeout  # the transport waits, not the channel
        claimed = self.file.claim(queue)
        if claimed is None:
            raise Empty
        message: dict[str, Any] = loads(claimed.payload)
        properties = message["properties"]
        properties["delivery_tag"] = str(claimed.number)
        properties["delivery_info"]["redelivered"] = claimed.deliveries > 1
        if queue in self._unacknowledged_queues:
            self.file.acknowledge(claimed.number)
        return message

    def _size(self, queue: str) -> int:
        return self.file.waiting(queue)

    def _purge(self, queue: str) -> int:
        return self.file.purge(queue)

    def _delete(self, queue: str, *_args: Any, **_options: Any) -> None:
        self.file.drop(queue)


_OwnChannel: TypeAlias = Channel


class Transport(virtual.Transport):
    """The broker as kombu sees it."""

    Channel = Channel
    cycle: FairCycle
    can_parse_url = False
    default_port = 0
    polling_interval = POLL_S
    driver_type = "sqlite"
    driver_name = "sqlite3"
    connection_errors = (*virtual.Transport.connection_errors, sqlite3.OperationalError)

    def __init__(self, client: Any, **options: Any) -> None:
        super().__init__(client, **options)
        self.path = Path("/") / (client.virtual_host or "").lstrip("/")
        self.wake = threading.Event()
        self._seen_version: int | None = None
        self._sure_look_at = monotonic()

    def drain_events(  # type: ignore[override]  # kombu's two bases disagree
        self, connection: Any, timeout: float | None = None
    ) -> None:
        """Deliver one message, waiting for it until another connection writes.

        Raises:
            TimeoutError: none came within ``timeout`` seconds or ``DRAIN_AT_MOST_S``.
        """
        del connection  # it is this transport
        until = None if timeout is None else monotonic() + min(timeout, DRAIN_AT_MOST_S)
        while not self._delivered():
            if until is not None and monotonic() >= until:
                raise TimeoutError
            self.wake.wait(self.polling_interval)

    @property
    def default_connection_params(self) -> dict[str, Any]:
        """Return no host: kombu would warn at each connection that none was given."""
        return {"port": self.default_port}

    def driver_version(self) -> str:
        """Return the version of SQLite."""
        return sqlite3.sqlite_version

    def _delivered(self) -> bool:
        """Deliver one message if one may have come; say whether that was done."""
        channels = cast("list[_OwnChannel]", self.channels)
        if not (channels and self._may_have_come(channels[0].file)):
            return False
        self.wake.clear()
        try:
            self.cycle.get(self._deliver)
        except Empty:
            return False
        self._seen_version = None  # more may wait: look again at the next call
        return True

    def _may_have_come(self, file: QueueFile) -> bool:
        """Say whether a look at the queues is worth while; claims of the dead go back first."""
        is_sure = monotonic() >= self._sure_look_at
        if is_sure:
            file.recover()
            self._sure_look_at = monotonic() + SURE_LOOK_EVERY_S
        version = file.version()
        is_new, self._seen_version = version != self._seen_version, version
        return is_sure or is_new or self.wake.is_set()
