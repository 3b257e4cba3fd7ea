"""How moments of candles look on staff pages."""

from project.core.moments import from_ms


def at(moment_ms: int | None) -> str:
    """Return a moment in UTC; a dash where there is none."""
    return "—" if moment_ms is None else f"{from_ms(moment_ms):%Y-%m-%d %H:%M}"


def span(start_ms: int | None, end_ms: int | None) -> str:
    """Return a half-open range in UTC."""
    return f"{at(start_ms)} to {at(end_ms)}"
