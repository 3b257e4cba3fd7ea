"""How long a proxy stays away from a target, or from everybody, after a failure of a kind."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from proxies.choices import Outcome

#: First pause at the target where it happened; each further failure in a row doubles it.
FIRST_PAUSE: Final[Mapping[str, timedelta]] = {
    Outcome.TIMEOUT: timedelta(seconds=15),
    Outcome.REFUSED: timedelta(seconds=30),
    Outcome.ERROR: timedelta(seconds=15),
    Outcome.RATE_LIMITED: timedelta(minutes=1),
    Outcome.MISMATCH: timedelta(minutes=10),
    Outcome.BLOCKED: timedelta(minutes=10),
    Outcome.CAPTCHA: timedelta(minutes=30),
}
LONGEST_PAUSE: Final = timedelta(hours=24)
#: What the proxy itself did, whatever the target: it rests for everybody.
ITS_OWN_FAULT: Final = frozenset({Outcome.REFUSED})
#: What nobody but the proxy can have done where no target was named.
ITS_OWN_WITHOUT_TARGET: Final = frozenset({Outcome.REFUSED, Outcome.TIMEOUT, Outcome.MISMATCH})
_DOUBLINGS: Final = 12


def pause_at_target(outcome: str, *, failures_in_row: int) -> timedelta:
    """Return how long the target is left alone after the n-th failure in a row."""
    first = FIRST_PAUSE.get(outcome, timedelta(0))
    doublings = min(_DOUBLINGS, max(0, failures_in_row - 1))
    return min(LONGEST_PAUSE, first * (1 << doublings))


def is_for_everybody(outcome: str, *, target: str) -> bool:
    """Say whether the proxy rests for all targets: never because one site banned it."""
    return outcome in (ITS_OWN_FAULT if target else ITS_OWN_WITHOUT_TARGET)
