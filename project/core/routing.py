"""Addresses of the floor's streams and websockets."""

from typing import Any, Final

from project.core import consumers, sse

streams: Final[list[tuple[str, Any]]] = [
    ("api/runs/stream", sse.RunsStream()),
    ("api/runs/<uuid:run_id>/stream", sse.RunStream()),
]
websockets: Final[list[tuple[str, Any]]] = [
    ("ws/runs/<uuid:run_id>/", consumers.RunConsumer.as_asgi()),
    ("ws/live/", consumers.LiveConsumer.as_asgi()),
]
