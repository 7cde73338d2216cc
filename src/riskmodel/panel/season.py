"""Season and level pooled over areas: what single areas are too small to show.

All take totals ``[group, period]`` that end at the newest month visible, with NaN for missing months, and use
nothing else: they are learned anew at every origin.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["group_totals", "pooled_season", "rolling_mean"]

Floats = npt.NDArray[np.float64]


def group_totals(series: npt.NDArray[np.float32], group: npt.NDArray[np.intp], groups: int) -> Floats:
    """Totals of an [area, period] array by group, [group, period]; a missing month stays NaN.

    Parameters
    ----------
    series : array [area, period]
    group : int array [area]
        Each area's group; -1 for none.
    groups : int
        How many groups there are.
    """
    totals = np.zeros((groups, series.shape[1]))
    belongs = group >= 0
    np.add.at(totals, group[belongs], series[belongs].astype(np.float64))
    return totals


def rolling_mean(series: npt.NDArray[np.floating], window: int, *, least: int) -> Floats:
    """Mean of the months present among the last ``window``, at every month; NaN where fewer than ``least`` are.

    Running sums of whole counts are exact in float64, so a window's value does not depend on what came before it.
    """
    present = np.isfinite(series)
    sums = _windowed(np.where(present, series, 0.0).astype(np.float64), window)
    held = _windowed(present.astype(np.float64), window)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(held >= least, sums / held, np.nan)


def _windowed(values: Floats, window: int) -> Floats:
    total = np.cumsum(values, axis=-1)
    total[..., window:] = total[..., window:] - total[..., :-window].copy()
    return total


def pooled_season(totals: Floats, first_month: int, *, shrink: float = 1.0) -> Floats:
    """Month-of-year multipliers [group, 12], mean 1, from ratios to a centred 12-month mean.

    Parameters
    ----------
    totals : array [group, period]
        Ends at the newest month visible.
    first_month : int
        Month number of the first column.
    shrink : float
        Years of evidence that a multiplier of 1 counts for: with n years of a month seen, its ratio moves
        n / (n + shrink) of the way from 1.

    Notes
    -----
    Classical decomposition: each month is compared with the mean of the thirteen months centred on it (the outer two
    at half weight), needing at least seven of them.
    """
    groups, width = totals.shape
    season = np.ones((groups, 12))
    if width == 0:
        return season
    present = np.isfinite(totals)
    weights = np.r_[0.5, np.ones(11), 0.5]
    padded = np.pad(np.where(present, totals, 0.0), ((0, 0), (6, 6)))
    held = np.pad(present.astype(np.float64), ((0, 0), (6, 6)))
    windows = np.lib.stride_tricks.sliding_window_view
    mass = windows(held, 13, axis=1) @ weights
    with np.errstate(invalid="ignore", divide="ignore"):
        level = (windows(padded, 13, axis=1) @ weights) / mass
    usable = present & (mass >= 7.0) & (level > 0)
    observed = _by_month_of_year(np.where(usable, totals, 0.0), first_month)
    expected = _by_month_of_year(np.where(usable, level, 0.0), first_month)
    years = _by_month_of_year(usable.astype(np.float64), first_month)
    seen = expected > 0
    ratio = np.ones((groups, 12))
    np.divide(observed, expected, out=ratio, where=seen)
    season = 1.0 + (ratio - 1.0) * years / (years + shrink)
    mean_one: Floats = season / season.mean(axis=1, keepdims=True)
    return mean_one


def _by_month_of_year(values: Floats, first_month: int) -> Floats:
    """Sums [group, 12] over the years, added oldest first.

    The order of addition is fixed, so that months without a value before the first or after the last change no bit.
    """
    before = first_month % 12
    padded = np.pad(values, ((0, 0), (before, -(before + values.shape[1]) % 12)))
    return np.asarray(np.cumsum(padded.reshape(len(values), -1, 12), axis=1)[:, -1])
