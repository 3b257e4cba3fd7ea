"""Charts of staff pages that need no script: numbers for SVG, drawn by templates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from markets.reporting import Cell
from project.core.moments import from_ms

#: Size of the drawing in its own units; it stretches with the page.
WIDTH: Final = 720
HEIGHT: Final = 120


@dataclass(frozen=True, slots=True)
class Bar:
    """One coloured piece of a column; ``title`` is what it says when pointed at."""

    x: float
    y: float
    width: float
    height: float
    tone: int
    title: str


@dataclass(frozen=True, slots=True)
class Stacked:
    """Columns over time, each of pieces by kind.

    Attributes:
        legend: label, number in all, and tone of each kind, the most frequent first.
        marks: place and text of the moments below.
    """

    bars: list[Bar]
    legend: list[tuple[str, int, int]]
    marks: list[tuple[float, str]]
    most: int
    total: int
    width: int = WIDTH
    height: int = HEIGHT


def stacked(
    moments: Sequence[datetime], counts: Mapping[str, Sequence[int]], labels: Mapping[str, str]
) -> Stacked:
    """Return columns, one a moment; ``counts`` has a number of each kind for each moment."""
    tones = {name: number for number, name in enumerate(labels)}
    most = max((sum(column) for column in zip(*counts.values(), strict=True)), default=0)
    step = WIDTH / max(1, len(moments))
    bars: list[Bar] = []
    for place, at in enumerate(moments):
        top = float(HEIGHT)
        for name, column in counts.items():
            if not column[place]:
                continue
            height = HEIGHT * column[place] / most
            top -= height
            title = f"{at:%m-%d %H:%M} UTC, {labels[name]}: {column[place]:,}"
            x, width = round(place * step, 2), round(max(1.0, step - 1.5), 2)
            bars.append(Bar(x, round(top, 2), width, round(height, 2), tones[name], title))
    every = max(1, len(moments) // 6)
    marks = [
        (round(100 * n / len(moments), 2), f"{at:%d %b %H:%M}") for n, at in enumerate(moments)
    ]
    legend = [(labels[name], sum(column), tones[name]) for name, column in counts.items()]
    total = sum(count for _, count, _ in legend)
    return Stacked(bars, legend, marks[::every], most, total)


#: Scores at or above these have the heat map's levels 0, 1, …
_ENDS: Final = (100.0, 99.0, 95.0, 80.0, 50.0)
TREND_HEIGHT: Final = 56
#: A day without a score is drawn as high as this, a score of 0 as well.
_LEAST: Final = 4.0


def level(score: float | None) -> int | None:
    """Return the heat map's level of a score, 0 the best; None without one."""
    if score is None:
        return None
    return next((number for number, end in enumerate(_ENDS) if score >= end), len(_ENDS))


@dataclass(frozen=True, slots=True)
class Day:
    """A day's column: as high as its score, of its level's colour; ``key`` is its summary."""

    x: float
    y: float
    width: float
    height: float
    level: int | None
    title: str
    key: int | None


@dataclass(frozen=True, slots=True)
class Trend:
    """Scores over days; ``marks`` are the first day, the middle, and the last."""

    days: list[Day]
    marks: list[str]
    mean: float | None
    worst: float | None
    width: int = WIDTH
    height: int = TREND_HEIGHT


def trend(cells: Sequence[Cell]) -> Trend:
    """Return the columns of days, ascending."""
    step, days = WIDTH / max(1, len(cells)), []
    for place, cell in enumerate(cells):
        height = max(_LEAST, TREND_HEIGHT * (cell.score or 0.0) / 100.0)
        said = (
            "not counted" if cell.score is None else f"{cell.score:.2f}, {cell.missing:,} missing"
        )
        days.append(
            Day(
                x=round(place * step, 2),
                y=round(TREND_HEIGHT - height, 2),
                width=round(max(1.0, step - 1.5), 2),
                height=round(height, 2),
                level=level(cell.score),
                title=f"{from_ms(cell.day_ms):%Y-%m-%d}: {said}",
                key=cell.summary_id,
            )
        )
    scores = [cell.score for cell in cells if cell.score is not None]
    mean = sum(scores) / len(scores) if scores else None
    ends = [cells[0], cells[len(cells) // 2], cells[-1]] if cells else []
    marks = [f"{from_ms(cell.day_ms):%d %b}" for cell in ends]
    return Trend(days, marks, mean, min(scores, default=None))
