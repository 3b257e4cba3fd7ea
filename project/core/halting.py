"""Stopping whole parts of the product, and letting them go on: nobody works on what is halted.

A halt is a row for each kind of run. Workers look at it in the statement that claims a run, and
twice a second while they work: what is at work goes back to the queue at its next safe point, at
no attempt's cost, and goes on from its checkpoint when the switch is on again.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from django.db import transaction
from django.db.models import Count, Exists, Model, OuterRef, QuerySet

from project.core import auditing, switches
from project.core.auditing import Change, Deed
from project.core.callers import Caller
from project.core.choices import Act, RunStatus
from project.core.errors import ConflictError, NotFoundError
from project.core.models import Halt, Run
from project.core.switches import Switch

#: Whether the run of a row is of a kind that is halted.
IS_HALTED: Final = Exists(Halt.objects.filter(kind=OuterRef("kind")))
_Rows = TypeVar("_Rows", bound=Model)


class NoSuchSwitchError(NotFoundError):
    """No app registered a switch of this name."""

    title = "No such switch"


class HaltedError(ConflictError):
    """The kind of run is switched off; ``switch`` names the switch."""

    code = "switched_off"
    title = "Switched off"


@dataclass(frozen=True, slots=True)
class SwitchState:
    """One switch as staff see it.

    Attributes:
        switch: the switch.
        halt: since when it is off, by whom and why; None while it is on.
        waiting: runs of its kinds that wait.
        running: runs of its kinds that are at work.
    """

    switch: Switch
    halt: Halt | None
    waiting: int = 0
    running: int = 0


def find(name: str) -> Switch:
    """Return the switch called ``name``.

    Raises:
        NoSuchSwitchError: no app registered it.
    """
    try:
        return switches.known()[name]
    except KeyError as error:
        raise NoSuchSwitchError(f"no switch {name}") from error


def stop(switch: Switch, *, why: str, by: Caller, now: datetime) -> bool:
    """Let nobody work on what ``switch`` stops; False where it was off already."""
    facts = {"switch": switch.name, "since": now, "by_id": by.user_id, "why": why[:200]}
    with transaction.atomic():
        made = [Halt.objects.get_or_create(kind=kind, defaults=facts) for kind in switch.rows]
        if not any(is_new for _, is_new in made):
            return False
        said = f"Stopped: {switch.label}." + (f" {why}" if why else "")
        changes = [Change(switch.label, "on", "off")]
        auditing.note(made[0][0], Deed(Act.DONE, said, changes), by=by, now=now)
    return True


def release(switch: Switch, *, by: Caller, now: datetime) -> bool:
    """Let what ``switch`` stopped go on; False where it was on already."""
    with transaction.atomic():
        halts = list(Halt.objects.filter(switch=switch.name))
        if not Halt.objects.filter(pk__in=[row.pk for row in halts]).delete()[0]:
            return False  # on already, or a rival was faster
        # sent again by the sweeper: the messages came while nobody might take the runs
        waiting = Run.objects.filter(status=RunStatus.QUEUED, kind__in=[row.kind for row in halts])
        waiting.update(sent_at=None)
        said = Deed(Act.DONE, f"Goes on: {switch.label}.", [Change(switch.label, "off", "on")])
        auditing.note(halts[0], said, by=by, now=now)
    return True


def going(runs: QuerySet[_Rows]) -> QuerySet[_Rows]:
    """Return those of ``runs`` whose kind is not halted; costs no query of its own."""
    return runs.filter(~IS_HALTED)


def kinds_halted() -> set[str]:
    """Return the kinds of run that are halted."""
    return set(Halt.objects.values_list("kind", flat=True))


def require_going(kind: str) -> None:
    """Refuse what a person asks for while its kind is switched off.

    Raises:
        HaltedError: it is; the text says since when.
    """
    halt = Halt.objects.filter(kind=kind).first()
    if halt is not None:
        known = switches.known().get(halt.switch)
        label = known.label if known else halt.switch
        text = f"{label} is switched off since {halt.since:%Y-%m-%d %H:%M} UTC"
        raise HaltedError(text, switch=halt.switch)


def off() -> list[Halt]:
    """Return one halt for each switch that is off, the latest first, in one query."""
    found: dict[str, Halt] = {}
    for halt in Halt.objects.select_related("by").order_by("-since", "pk"):
        found.setdefault(halt.switch, halt)
    return list(found.values())


def states() -> list[SwitchState]:
    """Return all switches in their order, with the work that they concern, in two queries."""
    halts = {halt.switch: halt for halt in off()}
    rows = Run.objects.unended().order_by().values("kind", "status").annotate(count=Count("pk"))
    counts = {(row["kind"], row["status"]): row["count"] for row in rows}

    def sum_of(switch: Switch, status: str) -> int:
        return sum(counts.get((kind, status), 0) for kind in switch.kinds)

    return [
        SwitchState(
            switch=switch,
            halt=halts.get(switch.name),
            waiting=sum_of(switch, RunStatus.QUEUED),
            running=sum_of(switch, RunStatus.RUNNING),
        )
        for switch in switches.known().values()
    ]
