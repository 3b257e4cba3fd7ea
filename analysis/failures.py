"""Why a phase failed, as far as it decides what happens next (A-7)."""

from typing import Final

#: Answers by which a server says that asking again may help, besides its own failures.
_ASK_AGAIN: Final = frozenset({408, 425, 429})


def is_passing(status: int) -> bool:
    """Say whether an HTTP status is a failure that may pass: time-out, too many, the server's own."""
    return status in _ASK_AGAIN or status >= 500  # noqa: PLR2004 -- the server's own failures


class Transient(Exception):  # noqa: N818 -- a kind of failure, named as the spec does
    """Asking again may help: time-out, 429, 5xx, broken connection."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Blocked(Transient):
    """The site refuses this egress: another one may be let in."""


class Deterministic(Exception):  # noqa: N818 -- as above
    """Asking again gives the same: invalid video, no subtitles, a bad file."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code
