"""Charts of staff pages that need no script: numbers for SVG, drawn by templates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

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
