"""The states of a run and the names of its events."""

from typing import Final

from django.db import models


class RunStatus(models.TextChoices):
    """Where a run is; the last four are final."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    PARTIAL = "partial", "Partial"
    FAILED = "failed", "Failed"
    DONE = "done", "Done"
    CANCELED = "canceled", "Canceled"


FINAL: Final = (RunStatus.PARTIAL, RunStatus.FAILED, RunStatus.DONE, RunStatus.CANCELED)
UNENDED: Final = (RunStatus.QUEUED, RunStatus.RUNNING)

#: The event that ends the history of a run, by its final status.
FINAL_EVENT: Final[dict[str, str]] = {
    RunStatus.DONE: "completed",
    RunStatus.PARTIAL: "completed",
    RunStatus.FAILED: "error",
    RunStatus.CANCELED: "canceled",
}


class Role(models.TextChoices):
    """What a process of the installation does."""

    WEB = "web", "Web"
    WORKER = "worker", "Worker"
    BEAT = "beat", "Beat"


class Act(models.TextChoices):
    """What was done to an object, as the audit trail says it."""

    ADDED = "added", "Added"
    CHANGED = "changed", "Changed"
    DELETED = "deleted", "Deleted"
    DONE = "done", "Done"


class Channel(models.TextChoices):
    """By which way somebody did something, as the audit trail says it."""

    CONSOLE = "console", "Console"
    API = "api", "API"
    ACCOUNT = "account", "Account pages"
    COMMAND = "command", "Command line"
    SYSTEM = "system", "System"
