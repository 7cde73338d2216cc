"""The pictures of the fairness page: in go numbers of its tables, out come dots with intervals and small lines.

They are narrow, so that they can be read on a telephone. The model and counting differ by shape, never by colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.fairness_words import number_words
from riskmodel.narrative.model_pictures import LEFT, RIGHT, WIDTH, Across, mark, padded, round_steps, text, ticks
from riskmodel.narrative.pictures import Picture, Shape

__all__ = ["Dot", "Trace", "draw_contrasts", "draw_traces"]

_ROW, _FOOT, _TOP = 62, 40, 10
_LEAST_REACH = 0.08


@dataclass(frozen=True)
class Dot:
    """A ratio with its interval and how it is said; not a number where there is none."""

    ratio: float
    low: float
    high: float
    words: str

    @property
    def ends(self) -> tuple[float, ...]:
        """What must fit on the axis."""
        return tuple(v for v in (self.ratio, self.low, self.high) if math.isfinite(v))


@dataclass(frozen=True)
class Trace:
    """A line over steps: what it is, its values, how the last of them is said, and whether it is broken."""

    words: str
    values: Sequence[float]
    end: str
    broken: bool = False


def draw_contrasts(
    name: str, rows: Sequence[tuple[str, Sequence[Dot]]], *, labels: Sequence[str], title: str, notice: float
) -> Picture:
    """For each group a dot with its interval, the model's above that of counting, on an axis of per cent.

    Parameters
    ----------
    name, title : str
    rows : sequence of (group, dots)
        From the top down; the dots in the order of ``labels``. The first is a disc, the second a square.
    labels : sequence of str
        Who makes each dot, such as the model and counting.
    notice : float
        The ratio from which on the policy wants a difference noticed: a band up to it lies behind the dots.
    """
    held = [v for _, dots in rows for dot in dots for v in dot.ends]
    reach = [1 + _LEAST_REACH, 1 - _LEAST_REACH, notice, 1 / notice]
    across = Across(*padded(min([*held, *reach]), max([*held, *reach])))
    height = _TOP + _ROW * len(rows) + _FOOT
    left, right = across.at(1 / notice), across.at(notice)
    shapes = [mark("rect", "notice-band", x=left, y=6, width=right - left, height=height - _FOOT - 6)]
    unit = "forecast beside recorded, compared with everyone else"
    shapes += ticks(across, height, unit, lambda tick: f"{number_words(100 * (tick - 1), 0)}%")
    for position, (group, dots) in enumerate(rows):
        y = _TOP + position * _ROW
        shapes.append(text(LEFT, y + 12, f"{group}: {dots[0].words}", "start"))
        shapes.append(mark("line", "axis", x1=across.at(1.0), y1=y + 17, x2=across.at(1.0), y2=y + _ROW - 9))
        for number, dot in enumerate(dots):
            shapes += _dot(dot, across, y + 26 + 18 * number, square=number > 0)
    said = "; ".join(
        f"{group}: " + ", ".join(f"{label} {dot.words}" for label, dot in zip(labels, dots, strict=False))
        for group, dots in rows
    )
    return Picture(name, title, f"{said}.", WIDTH, height, tuple(shapes), True)


def _dot(dot: Dot, across: Across, y: float, *, square: bool) -> list[Shape]:
    if not math.isfinite(dot.ratio):
        return []
    shapes = []
    if math.isfinite(dot.low) and math.isfinite(dot.high):
        a, b = across.at(dot.low), across.at(dot.high)
        path = f"M{a:.1f} {y:g}H{b:.1f}M{a:.1f} {y - 4:g}V{y + 4:g}M{b:.1f} {y - 4:g}V{y + 4:g}"
        shapes.append(mark("path", "whisker faint" if square else "whisker", d=path))
    x = across.at(dot.ratio)
    if square:
        return [*shapes, mark("rect", "hollow", x=x - 4.5, y=y - 4.5, width=9, height=9)]
    return [*shapes, mark("circle", "dot", cx=x, cy=y, r=5)]


def draw_traces(
    name: str, traces: Sequence[Trace], *, title: str, top: float, unit: str, steps: tuple[int, int]
) -> Picture:
    """Lines over the steps of a simulation, from 1, on an axis shared with the pictures beside it.

    Parameters
    ----------
    name, title, unit : str
    traces : sequence of Trace
        All of the same length; the title and the description say what each ends at.
    top : float
        Upper end of the axis.
    steps : (int, int)
        The first and the last step.
    """
    height, foot, left = 190, 34, 40
    longest = max(len(trace.values) for trace in traces)
    low, high = padded(1.0, max(top, 1.2))

    def up(value: float) -> float:
        return 14 + (high - value) / (high - low) * (height - foot - 14)

    def along(step: int) -> float:
        return left + step / max(longest - 1, 1) * (WIDTH - left - RIGHT - 8)

    shapes = []
    for tick in round_steps(low, high, 4):
        shapes.append(
            mark("line", "axis" if tick == 1 else "grid", x1=left, y1=up(tick), x2=WIDTH - RIGHT, y2=up(tick))
        )
        shapes.append(text(left - 6, up(tick) + 4, bare(f"{tick:g}"), "end"))
    for trace in traces:
        points = " ".join(f"{along(n):.1f},{up(v):.1f}" for n, v in enumerate(trace.values))
        shapes.append(mark("polyline", "ahead" if trace.broken else "line", points=points))
    first, last = (bare(str(step)) for step in steps)
    shapes += [text(left, height - 12, first, "start"), text(WIDTH - RIGHT, height - 12, last, "end")]
    shapes.append(text((left + WIDTH) / 2, height - 12, unit, "middle"))
    said = "; ".join(f"{trace.words}: {trace.end} at the end" for trace in traces)
    return Picture(name, title, f"{said[:1].upper()}{said[1:]}.", WIDTH, height, tuple(shapes))
