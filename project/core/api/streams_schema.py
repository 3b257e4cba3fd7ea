"""The streams in the OpenAPI document: they are plain ASGI, which the generator can't see."""

from typing import Any, Final

_DESCRIPTION: Final = (
    "Server-sent events: `run_update`, `heartbeat` every 5 s (without an id) and one final "
    "`completed`, `error` or `canceled`, after which the stream closes. Send `Last-Event-ID` to "
    "go on where you were; after the final event a reconnect answers 204."
)
_LAST_EVENT_ID: Final = {
    "name": "Last-Event-ID",
    "in": "header",
    "schema": {"type": "string"},
    "description": "the id of the last event that was read",
}
_IDS: Final = {
    "name": "ids",
    "in": "query",
    "required": True,
    "schema": {"type": "string"},
    "description": "1 to 100 run ids, separated by commas",
}
_RUN_ID: Final = {
    "name": "run_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
}


def _problem(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {"application/problem+json": {"schema": schema}}}


def operation(name: str, summary: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    """Return a stream's operation."""
    return {
        "operationId": name,
        "summary": summary,
        "description": _DESCRIPTION,
        "tags": ["runs"],
        "security": [{"apiKey": []}, {"cookie": []}],
        "parameters": [*parameters, _LAST_EVENT_ID],
        "responses": {
            "200": {
                "description": "The events",
                "content": {"text/event-stream": {"schema": {"type": "string"}}},
            },
            "204": {"description": "There is nothing more to come"},
            "401": _problem("Not authenticated"),
            "404": _problem("No such run"),
            "422": _problem("Bad run ids or Last-Event-ID"),
        },
    }


def add(result: dict[str, Any], generator: object, request: object, public: bool) -> dict[str, Any]:  # noqa: FBT001 -- a hook's signature
    """Add the streams to the document."""
    one = operation("runs_stream", "Follow a run", _RUN_ID)
    many = operation("runs_stream_many", "Follow several runs over one connection", _IDS)
    result["paths"]["/api/runs/{run_id}/stream"] = {"get": one}
    result["paths"]["/api/runs/stream"] = {"get": many}
    result["paths"] = dict(sorted(result["paths"].items()))
    return result
