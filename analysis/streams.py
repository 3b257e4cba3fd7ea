"""Server-sent events of jobs and batches; routed before Django's handler, as those of runs."""

from analysis import following
from project.core.callers import Caller
from project.core.following import View
from project.core.hub import in_thread
from project.core.sse import RunStream, Scope, header, position


class JobStream(RunStream):
    """``GET /api/jobs/{id}/stream``."""

    async def view(self, scope: Scope, caller: Caller) -> View:
        """Return the job's view, from the last event on that the client has."""
        since = position(header(scope, b"last-event-id"))
        job_id = scope["url_route"]["kwargs"]["job_id"]
        return await in_thread(following.open_job, job_id, caller, since)


class BatchStream(RunStream):
    """``GET /api/batches/{id}/stream``."""

    async def view(self, scope: Scope, caller: Caller) -> View:
        """Return the batch's view, from the last event on that the client has."""
        since = position(header(scope, b"last-event-id"))
        batch_id = scope["url_route"]["kwargs"]["batch_id"]
        return await in_thread(following.open_batch, batch_id, caller, since)
