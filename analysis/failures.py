"""Why a phase failed, as far as it decides what happens next (A-7)."""


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
