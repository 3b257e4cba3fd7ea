"""An application that reads all it is sent, and tells what came and what memory that took."""

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

import django

django.setup()

from project.core import uploads  # noqa: E402 -- apps must be ready first

if "daphne.http_protocol" in sys.modules:
    from project.runtime import bodies

    bodies.bound()


async def _tell(scope: dict[str, Any], receive: Any, send: Any) -> None:
    found, size, message = hashlib.sha256(), 0, {"more_body": True}
    while message.get("more_body"):
        message = await receive()
        found.update(message.get("body", b""))
        size += len(message.get("body", b""))
    told = {"size": size, "sha256": found.hexdigest(), "peak_kb": _peak_kb()}
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(told).encode()})


def _peak_kb() -> int:
    status = Path("/proc/self/status").read_text().partition("VmHWM:")[2]
    return int(status.split()[0])


application = uploads.Bounded(_tell)
