"""What a panel and a dashboard are: titles, queries, units, and where a value turns red."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Panel:
    """One question, answered by queries (legend: PromQL)."""

    title: str
    queries: Mapping[str, str]
    says: str = ""
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    height: int = 8
    #: The value from which on it is amber, and red; ``None``: never.
    amber: float | None = None
    red: float | None = None
    #: Where the axis begins; ``None``: wherever the values do, e.g. of changes.
    least: float | None = 0

    def steps(self) -> list[dict[str, object]]:
        """Return Grafana's thresholds."""
        found: list[dict[str, object]] = [{"color": "green", "value": None}]
        if self.amber is not None:
            found.append({"color": "orange", "value": self.amber})
        if self.red is not None:
            found.append({"color": "red", "value": self.red})
        return found


@dataclass(frozen=True)
class Choice:
    """A label whose values people choose among; queries name it as ``$label``."""

    label: str
    metric: str


@dataclass(frozen=True)
class Dashboard:
    """A page of panels."""

    name: str
    title: str
    panels: list[Panel] = field(default_factory=list)
    choices: tuple[Choice, ...] = ()


def number(title: str, query: str, **more: object) -> Panel:
    """Return a panel with one big number; ``or vector(0)`` in it, where nothing means none."""
    return Panel(title, {"": query}, kind="stat", width=4, height=4, **more)  # type: ignore[arg-type]


def quantile(share: float, metric: str, by: str = "", only: str = "", over: str = "5m") -> str:
    """Return the query of a quantile of a histogram: ``over`` holds several of what it times."""
    labels = f"le, {by}" if by else "le"
    chosen = f"{{{only}}}" if only else ""
    return f"histogram_quantile({share}, sum by ({labels}) (rate({metric}_bucket{chosen}[{over}])))"
