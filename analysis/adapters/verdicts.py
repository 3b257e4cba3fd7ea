"""What the process that asks a video site tells of a failure."""

from dataclasses import asdict, dataclass
from typing import Any, Final

TRANSIENT: Final = "transient"
BLOCKED: Final = "blocked"
ELSEWHERE: Final = "elsewhere"
LASTING: Final = "lasting"


@dataclass(frozen=True, slots=True)
class SiteFailure:
    """One failure as it goes from the fetching process to its caller.

    Attributes:
        kind: ``transient``, ``blocked``, ``elsewhere`` (another country) or ``lasting``.
        message: for people; without credentials and queries.
        code: of a lasting failure.
        outcome: what it says of the proxy, a ``proxies.choices.Outcome``; empty: nothing bad.
        status: the HTTP status behind it.
        retry_after_s: how long the site asks to be left alone.
        countries: codes of countries that the site lets in.
    """

    kind: str
    message: str
    code: str = ""
    outcome: str = ""
    status: int | None = None
    retry_after_s: float | None = None
    countries: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return asdict(self)


def from_json(told: dict[str, Any]) -> SiteFailure:
    """Return a failure from its fields."""
    return SiteFailure(**{**told, "countries": tuple(told["countries"])})
