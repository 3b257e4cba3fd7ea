"""The steps of a look around: what a newcomer sees of each app, and what to look at there."""

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest

#: Which steps a person has seen, in their session.
SESSION_KEY = "tour"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to see.

    Attributes:
        name: stable, part of its address.
        app: the heading under which it stands.
        title: what there is to see.
        text: what to look at there, in a sentence or two.
        url: tells the address of the page; asked when the step is taken.
        found: tells what is there now, e.g. ``"18 healthy proxies"``; empty while nothing is.
    """

    name: str
    app: str
    title: str
    text: str
    url: Callable[[], str]
    found: Callable[[], str]


_steps: dict[str, Step] = {}


def register(step: Step) -> Step:
    """Add a step at the end of the tour, and return it."""
    return _steps.setdefault(step.name, step)


def steps() -> list[Step]:
    """Return all steps in order."""
    return list(_steps.values())


def find(name: str) -> Step | None:
    """Return the step called ``name``."""
    return _steps.get(name)


def seen(request: HttpRequest) -> set[str]:
    """Return the names of the steps that the person has taken since they signed in."""
    return {name for name in request.session.get(SESSION_KEY, []) if name in _steps}


def is_offered() -> bool:
    """Say whether newcomers are led around: in ``make demo``."""
    return bool((settings.DATA_DIR / "sandbox.json").exists())


def tick(request: HttpRequest, step: Step) -> None:
    """Remember that the person took ``step``."""
    request.session[SESSION_KEY] = sorted({*seen(request), step.name})
