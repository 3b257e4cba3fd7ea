"""What a client may ask for over a job's websocket."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from analysis import following, jobs
from project.core.callers import Caller
from project.core.errors import InvalidInputError

WRITE: Final = "analysis:write"


class BadActionError(InvalidInputError):
    """The message is none that the socket takes."""

    code = "bad_action"
    title = "Unknown action"


@dataclass(frozen=True, slots=True)
class Action:
    """A message of a client: what it asks for, and its values."""

    name: str
    values: dict[str, Any]


_VALUES: Final[dict[str, dict[str, tuple[type, ...]]]] = {
    "cancel": {},
    "retry_geocode": {"raw": (list,)},
    "subscribe": {"since": (int,)},
    "set_strategy": {"strategy": (str, int)},
}


def read(message: Any) -> Action:
    """Return what a client's message (JSON, read) asks for.

    Raises:
        BadActionError: there is no such action, or its values are wrong.
    """
    name = message.get("action") if isinstance(message, dict) else None
    if not isinstance(name, str) or name not in _VALUES:
        raise BadActionError(f'send {{"action": …}}: one of {", ".join(_VALUES)}')
    values = {key: value for key, value in message.items() if key != "action"}
    known = _VALUES[name]
    for key, value in values.items():
        if key not in known or not isinstance(value, known[key]) or isinstance(value, bool):
            raise BadActionError(f"{name}: {key} is wrong")
    return Action(name, values)


def carry_out(action: Action, job_id: Any, *, by: Caller, now: datetime) -> dict[str, Any]:
    """Do what an action asks for; return what is told of it.

    Raises:
        AppError: as the verb of the action.
    """
    following.require(by, WRITE)
    job = jobs.find(job_id, by=by)
    if action.name == "cancel":
        return {"job_id": str(job.pk), "status": jobs.cancel(job, by=by, now=now).status}
    if action.name == "retry_geocode":
        names = [str(name) for name in action.values.get("raw", [])]
        made = jobs.retry_geocode(job.analysis, names=names, by=by, now=now, retry_of=job)
        return {"job_id": str(made.job.pk), "status": made.job.status, "places": made.places}
    if "strategy" not in action.values:
        raise BadActionError("set_strategy: name a strategy")
    wanted = str(action.values["strategy"])
    asked = jobs.with_strategy(job, wanted, by=by, now=now)
    return {
        "job_id": str(asked.job.pk),
        "status": asked.job.status,
        "cached": asked.job.cached,
    }
