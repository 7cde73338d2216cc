"""Backtest in, comparison out: what each model adds to counting, with an interval over whole months.

Skill is 1 - score / baseline's score on the forecasts both made. Areas within a month are not independent, so the
interval resamples target months; the twelve horizons that end in one month are one block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from riskmodel.backtest.metrics import Undefined, absolute_errors, poisson_deviances
from riskmodel.backtest.scores import ForecastCube, as_cube
from riskmodel.contracts.errors import DefinitionError, did_you_mean
from riskmodel.contracts.tables import COMPARISON, TableError, as_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "BETTER",
    "MINIMUM_BLOCKS",
    "NO_BETTER",
    "NO_FORECAST",
    "NO_INTERVAL",
    "WORSE",
    "block_interval",
    "build_comparison",
    "compare_losses",
    "headline",
    "pooled_denominator",
    "resampled_blocks",
]

BETTER, NO_BETTER, WORSE = "better than counting", "no better than counting", "worse than counting"
NO_INTERVAL, NO_FORECAST = "no interval", "no forecast"
# Percentile intervals over fewer blocks are far too narrow.
MINIMUM_BLOCKS = 6
_ENDS = (0.05, 0.95)
_ALL = "all"
# A model that repeats the baseline must not win by the rounding of a sum.
_ROUNDING = 1e-9
# Only scores that add up over forecasts can be pooled over months: a ratio of sums is then a ratio of means.
_ADDITIVE = {"poisson_deviance": poisson_deviances, "mae": absolute_errors}

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


class _Sums(NamedTuple):
    """One model and the baseline over the forecasts both made, ``[origin, horizon]``."""

    model: Floats
    baseline: Floats
    forecasts: Counts


class _Scope(NamedTuple):
    """One row of the comparison for every model: its labels and the cells it pools."""

    origin: str
    horizon: str
    cells: npt.NDArray[np.bool_]


def build_comparison(
    backtest: pd.DataFrame, *, baseline: str, seed: int, resamples: int = 1000, metric: str = "poisson_deviance"
) -> pd.DataFrame:
    """Compare every model with the baseline on the forecasts both made.

    Parameters
    ----------
    backtest : DataFrame
        The backtest noun, one target and level.
    baseline : str
        The model that skill is measured against; it has no rows of its own.
    seed : int
        Of the resampling, at least 0. Rows resting on equally many months share their resamples, so a row does not
        change when other models are added.
    resamples : int
        How many times the months are drawn again.
    metric : str
        ``poisson_deviance`` or ``mae``.

    Returns
    -------
    DataFrame
        The comparison noun: for each model all forecasts, each horizon, each origin, and each origin and horizon.
        ``low`` and ``high`` are blank under six target months. Where model and baseline share no forecast,
        ``forecasts`` is 0 and the verdict "no forecast".

    Raises
    ------
    DefinitionError
        If the baseline made no forecast at all, or the metric cannot be pooled over months.
    TableError
        As `scores.as_cube`.

    References
    ----------
    Efron and Tibshirani (1993), percentile intervals; blocks are target months.
    """
    cube = as_cube(backtest)
    _check_known("metric of a comparison", metric, list(_ADDITIVE))
    return compare_losses(
        _losses(cube, metric),
        models=list(cube.models),
        origins=cube.origins,
        horizons=cube.horizons,
        baseline=baseline,
        metric=metric,
        seed=seed,
        resamples=resamples,
    )


def compare_losses(
    losses: Floats,
    *,
    models: Sequence[str],
    origins: pd.DatetimeIndex,
    horizons: Sequence[int] | Counts,
    baseline: str,
    metric: str,
    seed: int,
    resamples: int = 1000,
) -> pd.DataFrame:
    """Compare every model with the baseline by any loss that is known forecast by forecast, such as the CRPS.

    Parameters
    ----------
    losses : ndarray of shape (n_models, n_origins, n_horizons, n_areas)
        Lower is better; NaN where a forecast was not made or not judged.
    models, origins, horizons : sequence
        Labels of the first three axes; the month forecast follows from origin and horizon.
    baseline : str
        One of the models.
    metric : str
        The loss's name, for the table.
    seed, resamples : int
        As `build_comparison`.

    Returns
    -------
    DataFrame
        As `build_comparison`, which is this with the Poisson deviance or the absolute error.

    Raises
    ------
    DefinitionError
        If the baseline is not one of the models.
    TableError
        If the labels do not fit the losses, or a loss is infinite.
    """
    import pandas as pd

    _check_known("baseline", baseline, list(models))
    if losses.shape[:-1] != (len(models), len(origins), len(horizons)) or np.isinf(losses).any():
        raise TableError(
            "losses do not fit their labels, or one is infinite",
            found=f"{losses.shape}, {int(np.isinf(losses).sum())} infinite",
            allowed=f"({len(models)}, {len(origins)}, {len(horizons)}, n_areas), finite or NaN",
        )
    reference = list(models).index(baseline)
    first = origins.to_numpy().astype("datetime64[M]").astype(np.int64)
    months = first[:, None] + np.asarray(horizons, dtype=np.int64) - 1
    cells = np.asarray(~np.isnan(losses).all(axis=(0, 3)), dtype=np.bool_)
    scopes = list(_scopes(cells, origins, horizons))
    rows = []
    for number, model in enumerate(models):
        if model != baseline:
            sums = _shared_sums(losses, number, reference)
            rows += [
                (model, baseline, metric, s.origin, s.horizon, *_compared(s, sums, months, resamples, seed))
                for s in scopes
            ]
    return as_table(pd.DataFrame(rows, columns=COMPARISON.names), COMPARISON)


def headline(comparison: pd.DataFrame) -> str:
    """One sentence for the first line of every report: whether any model beats counting, and by how much.

    Parameters
    ----------
    comparison : DataFrame
        The comparison noun. Only the rows over all origins and horizons are read, and how many cells lack a forecast.

    Returns
    -------
    str
        Begins with "No better than counting: " unless the whole interval of some model lies above zero; among such
        models the one with the highest skill is named.

    Examples
    --------
    >>> import pandas as pd
    >>> row = {"model_id": "glm", "baseline": "rolling_12", "origin_date": "all", "horizon": "all", "skill": 0.031,
    ...        "low": 0.012, "high": 0.049, "forecasts": 4800, "month_blocks": 12, "verdict": "better than counting"}
    >>> print(headline(pd.DataFrame([row])).partition(" (")[0])
    Better than counting: glm has a skill of 3.1 % against rolling_12
    """
    overall = comparison[(comparison["origin_date"] == _ALL) & (comparison["horizon"] == _ALL)]
    overall = overall[overall["skill"].notna()].sort_values(["skill", "model_id"], ascending=[False, True])
    if overall.empty:
        return f"{_capital(NO_BETTER)}: no model has forecasts to compare with the baseline's."
    winners = overall[overall["verdict"] == BETTER]
    best = (overall if winners.empty else winners).iloc[0]
    model, baseline, skill = best["model_id"], best["baseline"], _per_cent(best["skill"])
    opening = (
        f"{_capital(NO_BETTER)}: the best of the models, {model}," if winners.empty else f"{_capital(BETTER)}: {model}"
    )
    return f"{opening} has a skill of {skill} against {baseline} ({_resting_on(best, comparison)})."


def pooled_denominator(series: npt.ArrayLike) -> float:
    """Mean |y(t) - y(t-12)| over all areas and months known at an origin: the scale of MASE.

    Parameters
    ----------
    series : array-like of shape (n_areas, n_months)
        Counts of consecutive months as known at the origin; a missing month is NaN, and so is its difference.

    Returns
    -------
    float
        In records a month; `Undefined` with its reason where no month and the same month a year before are both known.

    Raises
    ------
    TableError
        If the array is not two-dimensional.

    Examples
    --------
    >>> pooled_denominator([[1.0] * 12 + [3.0, float("nan")], [0.0] * 12 + [1.0, 5.0]])
    2.6666666666666665
    """
    counts = np.asarray(series, dtype=np.float64)
    if counts.ndim != 2:
        raise TableError("a pooled scale needs one row an area, one column a month", found=f"shape {counts.shape}")
    differences = np.abs(counts[:, 12:] - counts[:, :-12])
    known = np.isfinite(differences)
    if not known.any():
        return Undefined("no month is known at the origin together with the same month a year before")
    return float(differences[known].mean())


def resampled_blocks(blocks: int, resamples: int, seed: int) -> npt.NDArray[np.int64]:
    """Which blocks each resample draws, with replacement.

    Parameters
    ----------
    blocks, resamples : int
        How many blocks there are, and how often all of them are drawn again.
    seed : int
        At least 0.

    Returns
    -------
    ndarray of shape (resamples, blocks)
        Positions of blocks.

    Examples
    --------
    >>> resampled_blocks(4, 2, seed=7).shape
    (2, 4)
    """
    return np.random.default_rng([seed, blocks]).integers(0, blocks, size=(resamples, blocks))


def block_interval(model: Floats, baseline: Floats, *, resamples: int, seed: int) -> tuple[float, float]:
    """Percentile interval (90 %) of skill when whole blocks are drawn again.

    Parameters
    ----------
    model, baseline : ndarray of shape (n_blocks,)
        Score sums of each block over the same forecasts.
    resamples, seed : int
        As `resampled_blocks`.

    Returns
    -------
    tuple of float
        Lower and upper end; both NaN under six blocks, or where a resample holds no baseline score to divide by.

    Examples
    --------
    >>> block_interval(np.arange(1.0, 7.0), 2.0 * np.arange(1.0, 7.0), resamples=100, seed=1)
    (0.5, 0.5)
    """
    blocks = len(model)
    if blocks < MINIMUM_BLOCKS:
        return np.nan, np.nan
    drawn = resampled_blocks(blocks, resamples, seed)
    row = np.arange(resamples)[:, None] * blocks
    times_drawn = np.bincount((drawn + row).ravel(), minlength=resamples * blocks).reshape(resamples, blocks)
    totals = times_drawn.astype(np.float64) @ np.column_stack([model, baseline])
    if (totals[:, 1] <= 0.0).any():
        return np.nan, np.nan
    low, high = np.quantile(1.0 - totals[:, 0] / totals[:, 1], _ENDS)
    return float(low), float(high)


def _resting_on(best: pd.Series[Any], comparison: pd.DataFrame) -> str:
    """Interval of the named model, and how much its skill rests on."""
    low, high = float(best["low"]), float(best["high"])
    parts = ["no interval, so no difference is shown"]
    if np.isfinite(low):
        parts = [f"90 % interval {_per_cent(low)} to {_per_cent(high)}"]
    parts.insert(0, "all months ahead together")
    parts += [f"forecasts: {int(best['forecasts']):,}", f"target months: {int(best['month_blocks'])}"]
    cells = comparison[(comparison["origin_date"] != _ALL) & (comparison["horizon"] != _ALL)]
    gaps = int(((cells["model_id"] == best["model_id"]) & (cells["forecasts"] == 0)).sum())
    if gaps:
        parts.append(f"origins and horizons without a forecast: {gaps}")
    return "; ".join(parts)


def _check_known(what: str, name: str, known: list[str]) -> None:
    if name not in known:
        raise DefinitionError(f"unknown {what} '{name}'", allowed=known, hint=did_you_mean(name, known))


def _losses(cube: ForecastCube, metric: str) -> Floats:
    """Each forecast's score, ``[model, origin, horizon, area]``, NaN where none was made."""
    made = cube.made
    losses = np.full(made.shape, np.nan)
    losses[made] = _ADDITIVE[metric](np.broadcast_to(cube.observed, made.shape)[made], cube.mean[made])
    return losses


def _shared_sums(losses: Floats, model: int, baseline: int) -> _Sums:
    shared = ~np.isnan(losses[model]) & ~np.isnan(losses[baseline])
    return _Sums(
        np.where(shared, losses[model], 0.0).sum(axis=-1),
        np.where(shared, losses[baseline], 0.0).sum(axis=-1),
        shared.sum(axis=-1),
    )


def _scopes(
    cells: npt.NDArray[np.bool_], days: pd.DatetimeIndex, months_ahead: Sequence[int] | Counts
) -> Iterator[_Scope]:
    origins = [day.date().isoformat() for day in days]
    horizons = [str(horizon) for horizon in months_ahead]
    yield _Scope(_ALL, _ALL, cells)
    for h, horizon in enumerate(horizons):
        yield _Scope(_ALL, horizon, cells & (np.arange(len(horizons)) == h))
    for o, origin in enumerate(origins):
        yield _Scope(origin, _ALL, cells & (np.arange(len(origins)) == o)[:, None])
    for o, h in np.argwhere(cells).tolist():
        one = np.zeros_like(cells)
        one[o, h] = True
        yield _Scope(origins[o], horizons[h], one)


def _compared(
    scope: _Scope, sums: _Sums, months: Counts, resamples: int, seed: int
) -> tuple[float, float, float, int, int, str]:
    """Skill, low, high, forecasts, month blocks and verdict of one row."""
    pooled = scope.cells & (sums.forecasts > 0)
    forecasts = int(sums.forecasts[pooled].sum())
    if not forecasts:
        return np.nan, np.nan, np.nan, 0, 0, NO_FORECAST
    found, block = np.unique(months[pooled], return_inverse=True)
    model = np.bincount(block, weights=sums.model[pooled]).astype(np.float64)
    baseline = np.bincount(block, weights=sums.baseline[pooled]).astype(np.float64)
    if baseline.sum() <= 0.0:
        return np.nan, np.nan, np.nan, forecasts, len(found), NO_INTERVAL
    skill = 1.0 - float(model.sum()) / float(baseline.sum())
    low, high = block_interval(model, baseline, resamples=resamples, seed=seed)
    return skill, low, high, forecasts, len(found), _verdict(low, high)


def _verdict(low: float, high: float) -> str:
    if np.isnan(low):
        return NO_INTERVAL
    if low > _ROUNDING:
        return BETTER
    return WORSE if high < -_ROUNDING else NO_BETTER


def _per_cent(share: float) -> str:
    # Adding nought turns a rounded -0.0 into 0.0.
    return f"{round(100.0 * float(share), 1) + 0.0:.1f} %"


def _capital(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]
