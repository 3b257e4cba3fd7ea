"""The app's streams in the OpenAPI document: they are plain ASGI, which the generator can't see."""

from __future__ import annotations

from typing import Any, Final

from project.core.api.streams_schema import operation

_JOB: Final = (
    "Server-sent events: `phase_update` {job_id, phase, progress, ts}, `partial_locations` {job_id, "
    "locations, progress}, `heartbeat` {job_id, status, ts} every 5 s (without an id) and one final "
    "`completed` {job_id, status, progress}, `error` {job_id, status, error} or `canceled`, after "
    "which the stream closes. Send `Last-Event-ID` to go on where you were; after the final event a "
    "reconnect answers 204."
)
_BATCH: Final = (
    "Server-sent events: `batch_update` {batch_id, status, progress, counts, ts}, `heartbeat` "
    "{batch_id, status, ts} and one final `completed`, `error` or `canceled`; otherwise as a job's."
)


def _path(name: str) -> dict[str, Any]:
    schema = {"type": "string", "format": "uuid"}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def add(result: dict[str, Any], generator: object, request: object, public: bool) -> dict[str, Any]:  # noqa: FBT001 -- a hook's signature
    """Add the streams of jobs and batches to the document."""
    told = {
        "/api/jobs/{job_id}/stream": ("jobs_stream", "Follow a job", "job_id", _JOB),
        "/api/batches/{batch_id}/stream": ("batches_stream", "Follow a batch", "batch_id", _BATCH),
    }
    for path, (name, summary, parameter, description) in told.items():
        get = operation(name, summary, _path(parameter))
        result["paths"][path] = {
            "get": {**get, "tags": [path.split("/")[2]], "description": description}
        }
    result["paths"] = dict(sorted(result["paths"].items()))
    return result
