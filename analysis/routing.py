"""Addresses of the app's streams and websockets."""

from typing import Any, Final

from analysis import consumers, streams

sse: Final[list[tuple[str, Any]]] = [
    ("api/jobs/<uuid:job_id>/stream", streams.JobStream()),
    ("api/batches/<uuid:batch_id>/stream", streams.BatchStream()),
]
websockets: Final[list[tuple[str, Any]]] = [
    ("ws/jobs/<uuid:job_id>/", consumers.JobConsumer.as_asgi()),
    ("ws/batches/<uuid:batch_id>/", consumers.BatchConsumer.as_asgi()),
]
