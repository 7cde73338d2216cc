"""The pictures of the page on the models: in go numbers of its tables, out come bars, curves and rows of dots.

All are narrow, with words above each bar, so that they can be read on a telephone. Colours stand for nothing that the
words beside them do not say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from riskmodel.narrative.facts.marks import bare, cut
from riskmodel.narrative.pictures import Picture, Shape

__all__ = [
    "LEFT",
    "RIGHT",
    "THIRDS",
    "WIDTH",
    "Across",
    "Line",
    "draw_curve",
    "draw_dots",
    "draw_lines",
    "mark",
    "padded",
    "round_steps",
    "text",
    "ticks",
]

Floats = npt.NDArray[np.float64]
WIDTH, LEFT, RIGHT = 380, 8, 8
"""Of every narrow picture."""
_ROW, _FOOT = 42, 40
_CURVE_HEIGHT = 250
_LEAST_SPAN = 0.1
THIRDS = ("low", "middle", "high")
"""In which third of the places' values a place's own lies; dots have a shade for each."""


@dataclass(frozen=True)
class Line:
    """One bar: its label, its number, the ends of its interval (not a number where it has none) and how it is said."""

    label: str
    value: float
    words: str
    low: float = float("nan")
    high: float = float("nan")


def draw_lines(
    name: str, lines: Sequence[Line], *, title: str, unit: str, start: float = 0.0, note: str = ""
) -> Picture:
    """Bars from a start, with intervals as whiskers; a bar to the left of the start has another shade.

    Parameters
    ----------
    name, title : str
    lines : sequence of Line
        From the top down.
    unit : str
        What the axis counts.
    start : float
        Where bars begin, e.g. 1 for multipliers.
    note : str
        Ends the description.
    """
    values = np.array([[v for v in (line.value, line.low, line.high) if np.isfinite(v)] or [start] for line in lines],
                      dtype=object)  # fmt: skip
    held = [start, *(float(v) for row in values for v in row)]
    if start:
        # Differences of a per cent or two must not fill the picture.
        held += [start + _LEAST_SPAN, *([start - _LEAST_SPAN] if min(held) < start else [])]
    across = Across(*padded(min(held), max(held)))
    height = 10 + _ROW * len(lines) + _FOOT
    shapes = ticks(across, height, unit)
    for position, line in enumerate(lines):
        shapes += _bar(line, across, 10 + position * _ROW, start)
    said = "; ".join(f"{line.label}: {line.words}" for line in lines)
    return Picture(name, title, f"{said}.{' ' + note if note else ''}", WIDTH, height, tuple(shapes), True)


def _bar(line: Line, across: Across, y: float, start: float) -> list[Shape]:
    shapes = [text(LEFT, y + 13, f"{line.label}: {line.words}", "start")]
    shapes.append(mark("line", "axis", x1=across.at(start), y1=y + 17, x2=across.at(start), y2=y + 36))
    if not np.isfinite(line.value):
        return shapes
    ends = sorted((across.at(start), across.at(line.value)))
    style = "bar" if line.value >= start else "bar below"
    shapes.append(mark("rect", style, x=ends[0], y=y + 20, width=max(ends[1] - ends[0], 1.0), height=13))
    if np.isfinite(line.low) and np.isfinite(line.high):
        a, b, middle = across.at(line.low), across.at(line.high), y + 26.5
        path = f"M{a:.1f} {middle}H{b:.1f}M{a:.1f} {middle - 5}V{middle + 5}M{b:.1f} {middle - 5}V{middle + 5}"
        shapes.append(mark("path", "whisker", d=path))
    return shapes


def draw_curve(
    name: str,
    edges: Sequence[tuple[float, float]],
    effect: Floats,
    low: Floats,
    high: Floats,
    areas: Sequence[int],
    supported: Sequence[bool],
    *,
    title: str,
    description: str,
    ends: tuple[str, str],
) -> Picture:
    """Multipliers along a factor, with how many places there are below, and hatching where there are too few.

    Parameters
    ----------
    name, title, description : str
    edges : sequence of (low, high)
        The ends of each range of values.
    effect, low, high : array [range]
        Multipliers; the ends may be no number.
    areas : sequence of int
        Places in each range: the strip below has their number for the width of the range.
    supported : sequence of bool
    ends : (str, str)
        The least and the most value in words.
    """
    across = Across(edges[0][0], edges[-1][1])
    foot, strip = _CURVE_HEIGHT - 36, 30
    drawn = np.concatenate([effect, low[np.isfinite(low)], high[np.isfinite(high)], [1.0]])
    bottom, top = padded(float(drawn.min()), float(drawn.max()))

    def up(value: float) -> float:
        return 12 + (top - value) / (top - bottom) * (foot - strip - 22)

    shapes = [
        mark("rect", "none", x=across.at(a), y=12, width=max(across.at(b) - across.at(a), 1.0), height=foot - 12)
        for (a, b), held in zip(edges, supported, strict=True)
        if not held
    ]
    for tick in round_steps(bottom, top, 4):
        shapes.append(mark("line", "grid", x1=LEFT, y1=up(tick), x2=WIDTH - RIGHT, y2=up(tick)))
        shapes.append(text(LEFT, up(tick) - 3, bare(f"\N{MULTIPLICATION SIGN} {tick:g}"), "start"))
    shapes.append(mark("line", "axis", x1=LEFT, y1=up(1.0), x2=WIDTH - RIGHT, y2=up(1.0)))
    shapes += _density(across, edges, areas, foot, strip)
    middle = [across.at((a + b) / 2) for a, b in edges]
    if np.isfinite(low).all() and np.isfinite(high).all():
        band = [f"{x:.1f},{up(v):.1f}" for x, v in zip(middle, high, strict=True)]
        band += [f"{x:.1f},{up(v):.1f}" for x, v in reversed(list(zip(middle, low, strict=True)))]
        shapes.append(mark("polygon", "range", points=" ".join(band)))
    line = " ".join(f"{x:.1f},{up(v):.1f}" for x, v in zip(middle, effect, strict=True))
    shapes.append(mark("polyline", "line", points=line))
    shapes += [mark("circle", "dot", cx=x, cy=up(v), r=3) for x, v in zip(middle, effect, strict=True)]
    shapes += [
        text(LEFT, _CURVE_HEIGHT - 18, ends[0], "start"),
        text(WIDTH - RIGHT, _CURVE_HEIGHT - 18, ends[1], "end"),
    ]
    shapes.append(text(WIDTH / 2, _CURVE_HEIGHT - 4, "Value of the factor; below: how many places have it", "middle"))
    return Picture(name, title, description, WIDTH, _CURVE_HEIGHT, tuple(shapes))


def _density(
    across: Across, edges: Sequence[tuple[float, float]], areas: Sequence[int], foot: float, strip: float
) -> list[Shape]:
    widths = np.maximum([across.at(b) - across.at(a) for a, b in edges], 1.0)
    dense = np.asarray(areas) / widths
    tall = strip * np.sqrt(dense / dense.max())
    return [
        mark("rect", "crowd", x=across.at(a), y=foot - h, width=float(w), height=float(h))
        for (a, _), w, h in zip(edges, widths, tall, strict=True)
    ]


def draw_dots(
    name: str,
    rows: Sequence[tuple[str, Floats, npt.NDArray[np.str_]]],
    *,
    title: str,
    description: str,
    most: int = 300,
) -> Picture:
    """A dot for each place on a line for each feature, shaded by the feature's value; crowded dots are stacked.

    Parameters
    ----------
    name, title, description : str
    rows : sequence of (label, array [place], third [place])
        A third is one of ``THIRDS``, or anything else where the value is not known.
    most : int
        Dots on a line; of more places every so many are drawn, by size.
    """
    everything = np.concatenate([values for _, values, _ in rows]) if rows else np.zeros(1)
    across = Across(*padded(min(0.0, float(everything.min())), max(0.0, float(everything.max()))))
    row = 58
    height = 10 + row * len(rows) + _FOOT
    shapes = ticks(across, height, "added to the logarithm of the forecast")
    shapes.append(mark("line", "axis", x1=across.at(0.0), y1=6, x2=across.at(0.0), y2=height - _FOOT))
    for position, (label, values, thirds) in enumerate(rows):
        y = 10 + position * row
        shapes.append(text(LEFT, y + 13, label, "start"))
        for third, path in _dots(values, thirds, across, y + 38, most).items():
            shapes.append(mark("path", f"swarm {third}", d=path))
    shapes.append(text(LEFT, height + 15, "Third of the feature's own values:", "start"))
    for position, third in enumerate(THIRDS):
        x = 220 + (0, 40, 100)[position]
        shapes.append(mark("path", f"swarm {third}", d=f"M{x} {height + 11}h0"))
        shapes.append(text(x + 6, height + 15, third, "start"))
    return Picture(name, title, description, WIDTH, height + 24, tuple(shapes), True)


def _dots(values: Floats, thirds: npt.NDArray[np.str_], across: Across, y: float, most: int) -> dict[str, str]:
    """A path of dots for each third; where no value is known, the middle's."""
    order = np.argsort(values, kind="stable")
    drawn = order[np.unique(np.linspace(0, len(order) - 1, min(most, len(order))).round().astype(int))]
    seen: dict[int, int] = {}
    parts: dict[str, list[str]] = {third: [] for third in THIRDS}
    for value, third in zip(values[drawn].tolist(), thirds[drawn].tolist(), strict=True):
        place = round(across.at(value))
        number = seen.get(place, 0)
        seen[place] = number + 1
        # Above and below the line in turn, at most eight high.
        off = (number + 1) // 2 * (2 if number % 2 else -2)
        parts[third if third in parts else "middle"].append(f"M{place} {y + max(-16, min(16, off)):g}h0")
    return {third: "".join(path) for third, path in parts.items() if path}


@dataclass(frozen=True)
class Across:
    """Where a value lies from left to right."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Its place in the picture's units."""
        span = (self.high - self.low) or 1.0
        return LEFT + (value - self.low) / span * (WIDTH - LEFT - RIGHT)


def padded(low: float, high: float) -> tuple[float, float]:
    """The ends of an axis, a little beyond what it shows."""
    margin = 0.04 * ((high - low) or 1.0)
    return low - margin, high + margin


def ticks(across: Across, height: int, unit: str, said: Callable[[float], str] = "{:g}".format) -> list[Shape]:
    """Upright lines at round values with what they say, and what the axis counts."""
    shapes = []
    for tick in round_steps(across.low, across.high, 5):
        x = across.at(tick)
        shapes.append(mark("line", "grid", x1=x, y1=6, x2=x, y2=height - _FOOT))
        anchor = "start" if x < 20 else "end" if x > WIDTH - 20 else "middle"
        shapes.append(text(x, height - _FOOT + 15, bare(said(round(tick, 9))), anchor))
    return [*shapes, text(WIDTH / 2, height - 6, unit, "middle")]


def round_steps(low: float, high: float, count: int) -> list[float]:
    """About so many round values between the ends."""
    raw = ((high - low) or 1.0) / count
    size = 10.0 ** np.floor(np.log10(raw))
    step = size * next(m for m in (1, 2, 5, 10) if m * size >= raw)
    return [float(round(n * step, 9)) for n in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]


def mark(tag: str, style: str, words: str = "", **attributes: float | str) -> Shape:
    """One shape, its numbers rounded."""
    written = tuple(
        (key.replace("_", "-"), value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0"))
        for key, value in attributes.items()
    )
    return Shape(tag, written, style, words)


def text(x: float, y: float, words: str, anchor: str) -> Shape:
    """Words on a picture."""
    # The table beside has the whole of a text that is cut here.
    return mark("text", "label", cut(words, 62), x=x, y=y, text_anchor=anchor)
