"""Decides what ``OPTIONS["pool"]`` may say, and what holds where it says nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """How a pool behaves; durations are in seconds."""

    min_size: int = 2
    max_size: int = 20
    timeout_s: float = 20.0
    #: Under the interpreter's lock more connections at work are slower, not faster: the pool
    #: grows for those that wait on something slow, and this wait tells them from the others.
    grow_after_s: float = 0.06
    max_idle_s: float = 60.0
    max_lifetime_s: float = 3600.0
    #: A connection held longer is reported with the place that holds it.
    leak_after_s: float = 60.0
    grows_ahead: bool = True
    keeps_statistics: bool = True
    #: Queue writers of all processes at a lock file; without it SQLite's own polling decides.
    gates_processes: bool = True


#: The names of ``OPTIONS["pool"]``; the first five are those of psycopg's pool.
_FIELDS: Final = {
    "min_size": "min_size",
    "max_size": "max_size",
    "timeout": "timeout_s",
    "max_idle": "max_idle_s",
    "max_lifetime": "max_lifetime_s",
    "grow_after": "grow_after_s",
    "leak_after": "leak_after_s",
    "grow_ahead": "grows_ahead",
    "statistics": "keeps_statistics",
    "cross_process_gate": "gates_processes",
}


def read(given: object) -> PoolOptions | None:
    """Return the options that ``OPTIONS["pool"]`` asks for, or nothing where it is false.

    Raises:
        ImproperlyConfigured: a name is unknown, or the sizes make no pool.
    """
    if given is False or given is None:
        return None
    if given is True:
        return PoolOptions()
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured("OPTIONS['pool'] is True, False or a dictionary")
    return _checked(given)


def _checked(given: Mapping[str, Any]) -> PoolOptions:
    unknown = sorted(set(given) - set(_FIELDS))
    if unknown:
        raise ImproperlyConfigured(f"OPTIONS['pool'] knows no {', '.join(unknown)}")
    options = PoolOptions(**{_FIELDS[name]: value for name, value in given.items()})
    if not 1 <= options.min_size <= options.max_size:
        raise ImproperlyConfigured("OPTIONS['pool']: 1 <= min_size <= max_size")
    durations_s = (options.timeout_s, options.max_idle_s, options.max_lifetime_s)
    if min(durations_s) <= 0 or options.grow_after_s < 0:
        raise ImproperlyConfigured("OPTIONS['pool']: durations are positive seconds")
    return options
