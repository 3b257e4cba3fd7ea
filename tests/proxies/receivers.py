"""An ETL endpoint that fails, hangs and comes back; it may stand before a real one."""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HANG = -1


@dataclass
class Receiver:
    """What it answers, and what came.

    Attributes:
        answers: statuses of the next requests, in order; afterwards ``usual``.
        usual: what it answers then; ``HANG`` answers nothing until it is shut.
        forward_to: an address that gets what would be answered 2xx, and answers it.
    """

    url: str = ""
    answers: list[int] = field(default_factory=list)
    usual: int = 201
    retry_after: str = ""
    forward_to: str = ""
    log: list[tuple[dict[str, str], bytes, int]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def keys(self) -> list[str]:
        return [headers["Idempotency-Key"] for headers, _, _ in self.log]

    def statuses(self) -> list[int]:
        return [status for _, _, status in self.log]


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status = receiver.answers.pop(0) if receiver.answers else receiver.usual
            if status == HANG:
                receiver.log.append((dict(self.headers), body, HANG))
                receiver.over.wait(60)
                self.close_connection = True
                return
            if receiver.forward_to and status < 300:
                status = forwarded(receiver.forward_to, dict(self.headers), body)
            receiver.log.append((dict(self.headers), body, status))
            self.send_response(status)
            self.send_header("Content-Length", "2")
            if receiver.retry_after:
                self.send_header("Retry-After", receiver.retry_after)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args: Any) -> None:
            return

    return Handler


def forwarded(url: str, headers: dict[str, str], body: bytes) -> int:
    kept = {name: headers[name] for name in headers if name.lower() not in {"host", "connection"}}
    asked = urllib.request.Request(url, data=body, headers=kept, method="POST")
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@contextmanager
def receiving(**facts: Any) -> Iterator[Receiver]:
    receiver = Receiver(**facts)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(receiver))
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/api/etl/snapshots"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.over.set()
        server.shutdown()
        server.server_close()
        thread.join(10)
