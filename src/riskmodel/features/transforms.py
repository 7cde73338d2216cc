"""Transforms: functions of (view, input, horizon) that return one value per area.

Each class is one transform behind the entry-point door ``riskmodel.transforms``; its constructor takes the
parameters a feature set may give. ``uses_horizon`` says whether the month forecast matters; ``takes`` says which
inputs it accepts; ``scale`` says what its numbers are (``count``: whole-record size, ``ratio``: around 1, ``plain``),
which tells linear models when to take logarithms.

``over`` is the batch form: the same values for many origins at once, [area, origin]. For a trailing transform it is
one pass over the months, because a value at month t uses months up to t only; a law in the tests holds it equal,
bit for bit, to the single form.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.periods import horizon_month, month_of_year
from riskmodel.panel.season import group_totals, pooled_season, rolling_mean
from riskmodel.panel.view import View

if TYPE_CHECKING:
    from riskmodel.features.catalogue import Input

__all__ = [
    "EwmMean",
    "Lag",
    "Latest",
    "Month",
    "NeighbourMean",
    "PerPopulation",
    "RollingMean",
    "SameMonthLastYear",
    "Season",
    "Transform",
    "Trend",
    "UnlocatedShare",
]

Floats = npt.NDArray[np.float32]


class Transform:
    """Base of every transform; a plugin gives ``__call__`` and may give a faster ``over``."""

    uses_horizon: ClassVar[bool] = False
    takes: ClassVar[tuple[str, ...]] = ("monthly",)
    scale: ClassVar[str] = "plain"

    def __call__(self, view: View, made_of: Input, horizon: int) -> Floats:
        """One value per area [area] at the view's origin; NaN where it cannot be known."""
        raise NotImplementedError

    def over(self, view: View, made_of: Input, origins: Sequence[int], horizon: int) -> Floats:
        """The same at many origins no later than the view's date, [area, origin]."""
        return np.stack([self(view.at(o), made_of, horizon) for o in origins], axis=1)


class Trailing(Transform):
    """A transform whose value at a month uses that month and earlier ones only."""

    def path(self, view: View, made_of: Input) -> npt.NDArray[np.floating[Any]]:
        """Values at every month, [area, period]."""
        raise NotImplementedError

    def __call__(self, view: View, made_of: Input, horizon: int) -> Floats:
        """The value at the newest month visible."""
        return self.over(view, made_of, [view.origin], horizon)[:, 0]

    def over(self, view: View, made_of: Input, origins: Sequence[int], horizon: int) -> Floats:
        """The path, read at each origin's newest visible month."""
        path = self.path(view, made_of)
        return read_columns(path, view.columns(made_of.source, np.asarray(origins, dtype=np.int64)))


def read_columns(path: npt.NDArray[np.floating[Any]], columns: npt.NDArray[np.int64]) -> Floats:
    """Columns of an [area, period] array as float32, NaN where a column lies before the first month."""
    out = np.full((path.shape[0], len(columns)), np.nan, dtype=np.float32)
    held = columns >= 0
    out[:, held] = path[:, columns[held]]
    return out


class Lag(Trailing):
    """The count ``periods`` months before the newest month visible (0 = the newest itself)."""

    scale = "count"

    def __init__(self, periods: int = 0) -> None:
        if periods < 0:
            raise ValueError("lag: periods is 0 or more")
        self.periods = periods

    def path(self, view: View, made_of: Input) -> npt.NDArray[np.floating[Any]]:
        """The series, shifted."""
        series = made_of.series(view)
        out = np.full_like(series, np.nan)
        kept = series.shape[1] - self.periods
        if kept > 0:
            out[:, self.periods :] = series[:, :kept]
        return out


class RollingMean(Trailing):
    """Mean of the months present among the last ``window``; NaN when fewer than ``least`` (half) are."""

    scale = "count"

    def __init__(self, window: int, least: int | None = None) -> None:
        if window < 1:
            raise ValueError("rolling_mean: window is 1 or more months")
        self.window = window
        self.least = least if least is not None else (window + 1) // 2

    def path(self, view: View, made_of: Input) -> npt.NDArray[np.floating[Any]]:
        """Running sums over counts, exact."""
        return rolling_mean(made_of.series(view), self.window, least=self.least)


class EwmMean(Trailing):
    """Exponentially weighted mean with a half-life in months; a missing month only lets time pass."""

    scale = "count"

    def __init__(self, half_life: float) -> None:
        if half_life <= 0:
            raise ValueError("ewm_mean: half_life is more than 0 months")
        self.half_life = half_life

    def path(self, view: View, made_of: Input) -> npt.NDArray[np.floating[Any]]:
        """Numerator and weight by the same recursion, so that holes do not pull the mean to zero."""
        from scipy.signal import lfilter

        series = made_of.series(view)
        if series.shape[1] == 0:
            return series
        decay = 0.5 ** (1.0 / self.half_life)
        present = np.isfinite(series)
        top = lfilter([1.0], [1.0, -decay], np.where(present, series, 0.0).astype(np.float64), axis=1)
        weight = lfilter([1.0], [1.0, -decay], present.astype(np.float64), axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(weight > 0, top / weight, np.nan)


class SameMonthLastYear(Transform):
    """The newest visible count of the same month of the year as the month forecast."""

    uses_horizon = True
    scale = "count"

    def __call__(self, view: View, made_of: Input, horizon: int) -> Floats:
        """One column of the series."""
        return self.over(view, made_of, [view.origin], horizon)[:, 0]

    def over(self, view: View, made_of: Input, origins: Sequence[int], horizon: int) -> Floats:
        """Step back whole years until the month is visible."""
        series = made_of.series(view)
        at = np.asarray(origins, dtype=np.int64)
        newest = view.columns(made_of.source, at)
        wanted = horizon_month(at, horizon) - view.panel.first_month
        years = np.maximum(1, -(-(wanted - newest) // 12))
        return read_columns(series, wanted - 12 * years)


class Season(Transform):
    """The pooled month-of-year multiplier of the area's district, force or other level for the month forecast."""

    uses_horizon = True
    scale = "ratio"

    def __init__(self, level: str = "pfa", shrink: float = 1.0) -> None:
        self.level = level
        self.shrink = shrink

    def __call__(self, view: View, made_of: Input, horizon: int) -> Floats:
        """Learned from the months visible at the view's origin."""
        group, codes = view.geography.groups(self.level)
        totals = group_totals(made_of.series(view), group, len(codes))
        season = pooled_season(totals, view.panel.first_month, shrink=self.shrink)
        month = month_of_year(horizon_month(view.origin, horizon))
        return np.where(group >= 0, season[group, month], 1.0).astype(np.float32)

    def over(self, view: View, made_of: Input, origins: Sequence[int], horizon: int) -> Floats:
        """Group totals once, the season at each origin from the months visible there."""
        group, codes = view.geography.groups(self.level)
        totals = group_totals(made_of.series(view), group, len(codes))
        out = np.ones((len(group), len(origins)), dtype=np.float32)
        stops = np.maximum(view.columns(made_of.source, np.asarray(origins, dtype=np.int64)) + 1, 0)
        for index, (origin, stop) in enumerate(zip(origins, stops, strict=True)):
            season = pooled_season(np.ascontiguousarray(totals[:, :stop]), view.panel.first_month, shrink=self.shrink)
            month = month_of_year(horizon_month(origin, horizon))
            out[:, index] = np.where(group >= 0, season[group, month], 1.0)
        return out


class Trend(Trailing):
    """Mean of the last ``short`` months over the mean of the last ``long``, for the area's district or force."""

    scale = "ratio"

    def __init__(self, level: str = "pfa", short: int = 3, long: int = 12) -> None:
        if not 1 <= short < long:
            raise ValueError("trend: short is at least 1 month and less than long")
        self.level, self.short, self.long = level, short, long

    def path(self, view: View, made_of: Input) -> npt.NDArray[np.floating[Any]]:
        """Ratios of two rolling means of group totals, spread over the areas."""
        group, codes = view.geography.groups(self.level)
        totals = group_totals(made_of.series(view), group, len(codes))
        short = rolling_mean(totals, self.short, least=1)
        long = rolling_mean(totals, self.long, least=(self.long + 1) // 2)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = np.where(long > 0, short / long, np.nan)
        return np.where((group >= 0)[:, None], ratio[group], np.nan)


class NeighbourMean(Trailing):
    """Mean over the touching areas of their rolling mean."""

    scale = "count"

    def __init__(self, window: int = 12) -> None:
        if window < 1:
            raise ValueError("neighbour_mean: window is 1 or more months")
        self.window = window

    def path(self, view: View, made_of: Input) -> npt.NDArray[np.floating[Any]]:
        """One sparse product."""
        touching = view.geography.neighbours
        held = np.asarray(touching.sum(axis=1)).reshape(-1, 1)
        own = rolling_mean(made_of.series(view), self.window, least=(self.window + 1) // 2)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(held > 0, (touching @ own) / held, np.nan)


class UnlocatedShare(Trailing):
    """Share of the force's records without a place over the last ``window`` months: one value for all areas."""

    def __init__(self, window: int = 3) -> None:
        if window < 1:
            raise ValueError("unlocated_share: window is 1 or more months")
        self.window = window

    def path(self, view: View, made_of: Input) -> npt.NDArray[np.floating[Any]]:
        """Unlocated over unlocated plus located."""
        series = made_of.series(view)
        unlocated = view.unlocated(made_of.source, made_of.measures)[None, :]
        located = series.sum(axis=0, dtype=np.float64)[None, :]
        top = rolling_mean(unlocated, self.window, least=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = top / (top + rolling_mean(located, self.window, least=1))
        return np.broadcast_to(share, series.shape)


class Latest(Transform):
    """A static factor's newest vintage published by the view's date; the same at every origin and horizon."""

    takes = ("static", "exposure")

    def __call__(self, view: View, made_of: Input, horizon: int) -> Floats:
        """The values as they are."""
        return made_of.values(view).astype(np.float32)

    def over(self, view: View, made_of: Input, origins: Sequence[int], horizon: int) -> Floats:
        """One vector, repeated."""
        values = made_of.values(view).astype(np.float32)
        return np.repeat(values[:, None], len(origins), axis=1)


class PerPopulation(Trailing):
    """Rolling mean of a monthly count per 1,000 usual residents."""

    scale = "count"

    def __init__(self, window: int = 12) -> None:
        if window < 1:
            raise ValueError("per_population: window is 1 or more months")
        self.window = window

    def path(self, view: View, made_of: Input) -> npt.NDArray[np.floating[Any]]:
        """Counts over residents."""
        own = rolling_mean(made_of.series(view), self.window, least=(self.window + 1) // 2)
        return 1000.0 * own / view.geography.population[:, None]


class Month(Transform):
    """The month of the year forecast, 1 to 12: one value for all areas."""

    uses_horizon = True
    takes = ("monthly", "exposure")

    def __call__(self, view: View, made_of: Input, horizon: int) -> Floats:
        """A constant vector."""
        month = month_of_year(horizon_month(view.origin, horizon)) + 1
        return np.full(len(view.geography.areas), month, dtype=np.float32)
