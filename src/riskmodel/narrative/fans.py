"""Pictures of time: in go what was recorded and what is expected, out comes a line with gaps and a likely range ahead.

A missing period is a gap with a mark at the foot, never a nought. The upright axis begins at nought.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.pictures import Picture, Shape

__all__ = ["Series", "draw_fan", "draw_share"]

Floats = npt.NDArray[np.float64]
_SMALL, _LARGE = (360, 220), (760, 300)
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@dataclass(frozen=True, eq=False)
class Series:
    """One place over time, both parts in order.

    Parameters
    ----------
    months : array of int, [period]
        The first month of each period recorded, as months since year 0 (12 x year + month - 1).
    recorded : array of float, [period]
        Not a number where it is missing.
    ahead : array of int, [period]
        The first month of each period expected.
    mean, low, high : array of float, [period]
    span : int
        Months a period has.
    changes : tuple of (month, words)
        Where recording changed.
    """

    months: npt.NDArray[np.int64]
    recorded: Floats
    ahead: npt.NDArray[np.int64]
    mean: Floats
    low: Floats
    high: Floats
    span: int = 1
    changes: tuple[tuple[int, str], ...] = field(default=())


@dataclass(frozen=True)
class _Canvas:
    """Where a month and a value lie."""

    width: int
    height: int
    first: float
    last: float
    ticks: Floats
    left: int = 52
    right: int = 12
    ceiling: int = 14
    floor: int = 30

    def x(self, month: Floats | float) -> Floats:
        """Across."""
        share = (np.asarray(month, dtype=np.float64) - self.first) / max(self.last - self.first, 1.0)
        return np.round(self.left + share * (self.width - self.left - self.right), 1)

    def y(self, value: Floats | float) -> Floats:
        """Down."""
        share = np.asarray(value, dtype=np.float64) / self.ticks[-1]
        down: Floats = np.round(self.height - self.floor - share * (self.height - self.floor - self.ceiling), 1)
        return down


def draw_fan(series: Series, *, name: str, title: str, description: str, small: bool = False) -> Picture:
    """What was recorded as a line, what is expected as a broken line inside its likely range.

    Examples
    --------
    >>> months = np.arange(24300, 24306)
    >>> ahead = np.arange(24306, 24308)
    >>> recorded = np.array([4.0, 5.0, np.nan, 6.0, 5.0, 4.0])
    >>> series = Series(months, recorded, ahead, np.array([5.0, 5.0]), np.array([3.0, 2.0]), np.array([8.0, 9.0]))
    >>> drawn = draw_fan(series, name="fan", title="A place", description="In words.")
    >>> [shape.style for shape in drawn.shapes if shape.style in ("range", "line", "gap", "ahead")]
    ['range', 'line', 'line', 'gap', 'ahead']
    """
    width, height = _SMALL if small else _LARGE
    every = np.concatenate([series.recorded, series.high, series.mean])
    held = every[np.isfinite(every)]
    ends = np.concatenate([series.months, series.ahead])
    ticks = _ticks(float(held.max()) if len(held) else 1.0, 3 if small else 5)
    canvas = _Canvas(width, height, float(ends.min()), float(ends.max()), ticks)
    shapes = [*_grid(canvas, "{:,g}"), *_years(canvas)]
    shapes += _range(canvas, series)
    shapes += _changed(canvas, series, written=not small)
    shapes += _runs(canvas, series.months, series.recorded, series.span)
    shapes += _expected(canvas, series)
    return Picture(name, title, description, width, height, tuple(shapes))


def draw_share(
    months: npt.NDArray[np.int64], share: Floats, *, until: int, name: str, title: str, description: str
) -> Picture:
    """A share between nought and one over months, in per cent, on an axis that ends at the month ``until``."""
    width, height = _LARGE[0], 200
    canvas = _Canvas(width, height, float(months.min()), float(max(months.max(), until)), np.arange(0.0, 101.0, 25.0))
    shapes = [*_grid(canvas, "{:g}%"), *_years(canvas), *_runs(canvas, months, 100 * share, 1)]
    return Picture(name, title, description, width, height, tuple(shapes))


def _mark(tag: str, style: str, words: str = "", **attributes: object) -> Shape:
    written = tuple((n.replace("_", "-"), v if isinstance(v, str) else f"{float(v):g}") for n, v in attributes.items())  # type: ignore[arg-type]
    return Shape(tag, written, style, words)


def _ticks(largest: float, most: int) -> Floats:
    """Round numbers from nought to beyond the largest, in at most so many steps."""
    if largest <= 0:
        return np.array([0.0, 1.0])
    size = 10.0 ** np.floor(np.log10(largest / most))
    step = next(m * size for m in (1, 2, 2.5, 5, 10) if m * size * most >= largest)
    ticks: Floats = np.arange(np.ceil(largest / step - 1e-9) + 1) * step
    return ticks


def _grid(canvas: _Canvas, form: str) -> list[Shape]:
    shapes = []
    for tick in canvas.ticks:
        y = canvas.y(tick)
        shapes.append(_mark("line", "grid", x1=canvas.left, x2=canvas.width - canvas.right, y1=y, y2=y))
        words = bare(form.format(round(float(tick), 6)))
        shapes.append(_mark("text", "label", words, x=canvas.left - 6, y=y + 4, text_anchor="end"))
    return shapes


def _years(canvas: _Canvas) -> list[Shape]:
    """A tick at each January, and as many years written as there is room for."""
    january = np.arange(np.ceil(canvas.first / 12), np.floor(canvas.last / 12) + 1) * 12
    if not len(january):
        return []
    room = max((canvas.width - canvas.left - canvas.right) // 46, 1)
    step = max(-(-len(january) // int(room)), 1)
    foot, shapes = canvas.height - canvas.floor, []
    for number, month in enumerate(january):
        x = canvas.x(month)
        shapes.append(_mark("line", "tick", x1=x, x2=x, y1=foot, y2=foot + 5))
        if number % step == 0:
            shapes.append(_mark("text", "label", bare(str(int(month // 12))), x=x, y=foot + 19, text_anchor="middle"))
    return shapes


def _range(canvas: _Canvas, series: Series) -> list[Shape]:
    held = np.isfinite(series.low) & np.isfinite(series.high)
    if not held.any():
        return []
    x = canvas.x(series.ahead[held].astype(np.float64))
    low, high = canvas.y(series.low[held]), canvas.y(series.high[held])
    if len(x) == 1:
        x, low, high = np.array([x[0] - 3, x[0] + 3]), low.repeat(2), high.repeat(2)
    outline = [*zip(x, high, strict=True), *zip(x[::-1], low[::-1], strict=True)]
    return [_mark("path", "range", d="M" + "L".join(f"{a:g} {b:g}" for a, b in outline) + "Z")]


def _changed(canvas: _Canvas, series: Series, *, written: bool) -> list[Shape]:
    """An upright line at each month in which recording changed."""
    shapes = []
    for month, words in series.changes:
        x = canvas.x(month)
        foot = canvas.height - canvas.floor
        shapes.append(_mark("line", "changed", bare(words), x1=x, x2=x, y1=canvas.ceiling, y2=foot))
        if written:
            shapes.append(_mark("text", "remark", "recording changed", x=x - 5, y=foot - 8, text_anchor="end"))
    return shapes


def _runs(canvas: _Canvas, months: npt.NDArray[np.int64], values: Floats, span: int) -> list[Shape]:
    """The line in unbroken runs, and a mark at the foot for every period that is missing."""
    held = np.isfinite(values)
    x, y = canvas.x(months.astype(np.float64)), canvas.y(np.where(held, values, 0.0))
    apart = np.flatnonzero((np.diff(held.astype(int)) != 0) | (np.diff(months) != span)) + 1
    shapes = []
    for run in np.split(np.arange(len(months)), apart):
        if not len(run) or not held[run[0]]:
            continue
        if len(run) == 1:
            shapes.append(_mark("circle", "dot", cx=x[run[0]], cy=y[run[0]], r=2))
        else:
            points = " ".join(f"{x[i]:g},{y[i]:g}" for i in run)
            shapes.append(_mark("polyline", "line", points=points))
    foot = canvas.height - canvas.floor
    for position in np.flatnonzero(~held):
        words = f"{_month_words(int(months[position]))}: missing"
        at = x[position]
        shapes.append(_mark("path", "gap", words, d=f"M{at - 3:g} {foot - 8}l6 6m0-6l-6 6"))
    return shapes


def _expected(canvas: _Canvas, series: Series) -> list[Shape]:
    held = np.isfinite(series.mean)
    if not held.any():
        return []
    x, y = canvas.x(series.ahead[held].astype(np.float64)), canvas.y(series.mean[held])
    points = " ".join(f"{a:g},{b:g}" for a, b in zip(x, y, strict=True))
    return [
        _mark("polyline", "ahead", points=points),
        *([_mark("circle", "dot", cx=x[0], cy=y[0], r=3)] * (len(x) == 1)),
    ]


def _month_words(month: int) -> str:
    return bare(f"{_MONTHS[month % 12]} {month // 12}")
