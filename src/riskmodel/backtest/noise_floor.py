"""How much skill could be reached at all: counts scatter, and no forecast foresees that.

In: a backtest as arrays, what was recorded, and how widely counts scatter about a model's means. Out: the
``noise_floor`` table, printed beside every skill, by Poisson deviance and by CRPS. Both kinds of row are there to read
a skill against and are no forecasts: one looks into the future, the other takes a model's own scatter for the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from riskmodel.backtest.metrics import poisson_deviances
from riskmodel.backtest.observed import RecordedMonths
from riskmodel.backtest.pairwise import horizon_bands, month_sums
from riskmodel.backtest.scores import ForecastCube
from riskmodel.backtest.skill_test import SkillFound, find_skill
from riskmodel.contracts.errors import DefinitionError, did_you_mean
from riskmodel.contracts.judging_tables import NOISE_FLOOR
from riskmodel.contracts.tables import TableError, as_table
from riskmodel.forecast import Forecasts

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "BANDWIDTHS",
    "HINDSIGHT",
    "TRUE_MEAN",
    "Scatter",
    "build_noise_floor",
    "expected_crps",
    "expected_deviances",
    "hindsight_means",
    "scatter_of",
]

HINDSIGHT, TRUE_MEAN = "hindsight", "true mean"
BANDWIDTHS = (3.0, 6.0, 9.0, 12.0, 18.0, 24.0)
_DEVIANCE, _CRPS = "poisson_deviance", "crps"
_GRID = 160
_LEAST_EXCESS = 1e-6
# Nearer to a Poisson count the closed form loses its digits.
_LEAST_RATIO = 1.01
_MEASURED = {_DEVIANCE: "by deviance", _CRPS: "by CRPS"}

Floats = npt.NDArray[np.float64]
Losses = Callable[..., Floats]


@dataclass(frozen=True, eq=False)
class Scatter:
    """How widely counts scatter about their true mean m: variance ``(dispersion + overdispersion m) m``.

    Both are [origin, horizon] as in the cube, dispersion at least 1; NaN where the model has none.
    """

    dispersion: Floats
    overdispersion: Floats


def scatter_of(made: Sequence[Forecasts], cube: ForecastCube) -> dict[str, Scatter]:
    """Read each model's scatter from the spreads it drew with (`forecast.spread.Spread`)."""
    shape = (len(cube.origins), len(cube.horizons))
    found: dict[str, Scatter] = {}
    months = cube.origins.year * 12 + cube.origins.month - 1
    for forecasts in made:
        origin = int(np.searchsorted(months, forecasts.origin))
        for model_id, spread in forecasts.spread.items():
            if model_id not in found:
                found[model_id] = Scatter(np.full(shape, np.nan), np.full(shape, np.nan))
            at = [spread.at(int(horizon)) for horizon in cube.horizons]
            found[model_id].dispersion[origin] = np.asarray(spread.dispersion)[at]
            found[model_id].overdispersion[origin] = spread.overdispersion
    return found


def build_noise_floor(
    cube: ForecastCube,
    recorded: RecordedMonths,
    *,
    baseline: str,
    scatter: Mapping[str, Scatter] | None = None,
    crps: Floats | None = None,
    bandwidths: Sequence[float] = BANDWIDTHS,
    floor: float = 0.05,
) -> pd.DataFrame:
    """Bound the skill that is possible against the baseline, in two ways.

    Parameters
    ----------
    cube : ForecastCube
        From `scores.as_cube`.
    recorded : RecordedMonths
        What is recorded by now; months after those forecast help the hindsight.
    baseline : str
        The model that skill is measured against.
    scatter : mapping of str to Scatter, optional
        Model -> how counts scatter about its means (`scatter_of`): one row more for each.
    crps : ndarray of shape (n_models, n_origins, n_horizons, n_areas), optional
        The CRPS of every forecast, NaN where none was judged; the same rows once more, by CRPS.
    bandwidths : sequence of float
        Months; the smoother with the highest skill is shown.
    floor : float
        Least mean, as for every model.

    Returns
    -------
    DataFrame
        The noise_floor noun, over horizons 1 to 6 (where more are forecast) and over all.

    Raises
    ------
    DefinitionError
        If the baseline is not among the models, or a scatter is of no model.
    TableError
        If a scatter is below that of a Poisson count, or scatter or CRPS do not fit the cube.
    """
    import pandas as pd

    models = list(cube.models)
    for name in (baseline, *(scatter or {})):
        if name not in models:
            raise DefinitionError(f"unknown model '{name}'", allowed=models, hint=did_you_mean(name, models))
    if crps is not None and crps.shape != cube.mean.shape:
        raise TableError("the CRPS does not fit the backtest", found=crps.shape, allowed=cube.mean.shape)
    reference = models.index(baseline)
    smooth = {w: _at_months(hindsight_means(recorded.counts, w, floor), cube, recorded) for w in bandwidths}
    compared: list[tuple[str, Floats, Losses, Losses]] = [
        (_DEVIANCE, _deviances(cube.observed, cube.mean[reference]), _deviances, expected_deviances)
    ]
    if crps is not None:
        compared.append((_CRPS, crps[reference], _hindsight_crps, expected_crps))
    rows = []
    for metric, losses, of_hindsight, of_truth in compared:
        known = {width: of_hindsight(cube.observed, means) for width, means in smooth.items()}
        true = {name: _expected(cube, models.index(name), own, of_truth) for name, own in (scatter or {}).items()}
        for band, steps in horizon_bands(cube.horizons):
            tried = {width: _bound(known[width], losses, cube, steps) for width in bandwidths}
            width = max(tried, key=lambda w: (np.nan_to_num(tried[w][0].skill, nan=-np.inf), w))
            found, count = tried[width]
            said = _hindsight_sentence(metric, found, width, baseline)
            rows.append((metric, baseline, HINDSIGHT, "", band, found.skill, found.low, found.high, count, said))
            for model, expected in true.items():
                found, count = _bound(expected, losses, cube, steps)
                said = _true_mean_sentence(metric, found, model, baseline)
                rows.append((metric, baseline, TRUE_MEAN, model, band, found.skill, found.low, found.high, count, said))
    return as_table(pd.DataFrame(rows, columns=NOISE_FLOOR.names), NOISE_FLOOR)


def hindsight_means(counts: Floats, bandwidth: float, floor: float) -> Floats:
    """Each month's true total, shared out as the months before and after it say, the month itself left aside.

    Parameters
    ----------
    counts : ndarray of shape (n_areas, n_months)
        A missing month is NaN, and has no mean; a month missing for some areas only counts as missing.
    bandwidth : float
        Standard deviation, in months, of the bell that weighs the other months.
    floor : float
        Least mean.

    Returns
    -------
    ndarray of shape (n_areas, n_months)
        It knows the future, so it is no forecast.

    Examples
    --------
    >>> hindsight_means(np.array([[1.0, 9.0, 1.0], [3.0, 3.0, 3.0]]), 1.0, 0.05)[:, 1].tolist()
    [3.0, 9.0]
    """
    held = np.asarray(np.isfinite(counts).all(axis=0), dtype=np.bool_)
    month = np.arange(counts.shape[1])
    weight = np.exp(-0.5 * ((month[:, None] - month) / bandwidth) ** 2) * held[:, None]
    np.fill_diagonal(weight, 0.0)
    near = np.where(held, counts, 0.0) @ weight
    total = near.sum(axis=0)
    means = np.full(counts.shape, np.nan)
    known = held & (total > 0.0)
    means[:, known] = near[:, known] / total[known] * counts[:, known].sum(axis=0)
    return np.asarray(np.maximum(means, floor))


def expected_deviances(mean: npt.ArrayLike, dispersion: float, overdispersion: float = 0.0) -> Floats:
    """Poisson deviance that the true mean itself is expected to get.

    Parameters
    ----------
    mean : array-like
        Above 0.
    dispersion, overdispersion : float
        As `Scatter`; 1 and 0 are a Poisson count, anything above a negative binomial one.

    Returns
    -------
    ndarray
        2 (E[y ln y] - m ln m), summed over counts on a grid of means and interpolated between them; the error lies
        below a thousandth.

    Examples
    --------
    >>> expected_deviances([0.05, 4.5], 1.0).round(3).tolist(), expected_deviances([4.5], 1.5).round(2).tolist()
    ([0.303, 1.054], [1.55])
    """
    return _over_a_grid(mean, dispersion, overdispersion, _deviance_at)


def expected_crps(mean: npt.ArrayLike, dispersion: float, overdispersion: float = 0.0) -> Floats:
    """CRPS that the true distribution itself is expected to get: half the distance between two of its counts.

    Parameters and accuracy are those of ``expected_deviances``.

    Returns
    -------
    ndarray
        In records a month.

    Examples
    --------
    >>> expected_crps([0.05, 4.5], 1.0).round(3).tolist(), expected_crps([4.5], 1.5).round(2).tolist()
    ([0.048, 1.18], [1.43])
    """
    return _over_a_grid(mean, dispersion, overdispersion, _crps_at)


def _over_a_grid(mean: npt.ArrayLike, dispersion: float, overdispersion: float, at: Callable[..., float]) -> Floats:
    m = np.asarray(mean, dtype=np.float64)
    if not m.size:
        return m.copy()
    if not (np.isfinite(m).all() and m.min() > 0.0 and dispersion >= 1.0 and overdispersion >= 0.0):
        raise TableError(
            "no count scatters like this",
            found=f"least mean {float(m.min())}, dispersion {dispersion}, overdispersion {overdispersion}",
            allowed="means above 0, dispersion 1 or more, overdispersion 0 or more",
        )
    grid = np.geomspace(m.min() * 0.999, m.max() * 1.001, _GRID)
    at_grid = np.array([at(float(g), _chances(float(g), dispersion + overdispersion * float(g))) for g in grid])
    return np.asarray(np.interp(np.log(m), np.log(grid), at_grid))


def _chances(mean: float, ratio: float) -> Floats:
    """The chance of each count from 0 on, counts having ``ratio`` x the mean as their variance."""
    from scipy.special import gammaln, xlogy

    last = int(mean + 14.0 * np.sqrt(ratio * mean) + 20.0 * ratio + 20.0)
    y = np.arange(last + 1, dtype=np.float64)
    if ratio - 1.0 < _LEAST_EXCESS:
        log_chance = xlogy(y, mean) - mean - gammaln(y + 1.0)
    else:
        size = mean / (ratio - 1.0)
        log_chance = gammaln(y + size) - gammaln(size) - gammaln(y + 1.0)
        log_chance += size * np.log(1.0 / ratio) + xlogy(y, (ratio - 1.0) / ratio)
    return np.asarray(np.exp(log_chance))


def _deviance_at(mean: float, chance: Floats) -> float:
    from scipy.special import xlogy

    y = np.arange(len(chance), dtype=np.float64)
    return float(2.0 * (chance @ xlogy(y, y) - xlogy(mean, mean)))


def _crps_at(mean: float, chance: Floats) -> float:
    below = np.cumsum(chance)
    return float(below @ (1.0 - below))


def _hindsight_crps(observed: Floats, mean: Floats) -> Floats:
    """CRPS of negative binomial counts about means known in hindsight, as widely scattered as they turned out to be.

    The variance ``(dispersion + overdispersion m) m`` is fitted to the squared errors by weighted least squares.
    """
    from scoringrules import crps_negbinom

    out = np.full(mean.shape, np.nan)
    both = np.isfinite(observed) & np.isfinite(mean)
    y, m = observed[both], mean[both]
    if not len(m):
        return out
    over = (y - m) ** 2 / m
    # A squared error over its mean scatters like 1 / m where the mean is small, and like 1 where it is large.
    gained, base = np.polyfit(m, over, 1, w=np.sqrt(m / (1.0 + m)))
    gained = max(float(gained), 0.0)
    base = float(base) if gained > 0.0 else float(np.average(over, weights=m / (1.0 + m)))
    ratio = np.maximum(base + gained * m, _LEAST_RATIO)
    out[both] = crps_negbinom(y, m / (ratio - 1.0), 1.0 / ratio, backend="numpy")
    return out


def _expected(cube: ForecastCube, model: int, scatter: Scatter, of_truth: Losses) -> Floats:
    """The loss each forecast of a model is expected to get if its mean is the truth, [origin, horizon, area]."""
    mean = cube.mean[model]
    if scatter.dispersion.shape != mean.shape[:2] or scatter.overdispersion.shape != mean.shape[:2]:
        raise TableError("a scatter does not fit the backtest", found=scatter.dispersion.shape, allowed=mean.shape[:2])
    out = np.full(mean.shape, np.nan)
    for o, h in np.argwhere(np.isfinite(scatter.dispersion)).tolist():
        made = np.isfinite(mean[o, h])
        dispersion, overdispersion = float(scatter.dispersion[o, h]), float(scatter.overdispersion[o, h])
        out[o, h, made] = of_truth(mean[o, h, made], dispersion, overdispersion)
    return out


def _at_months(means: Floats, cube: ForecastCube, recorded: RecordedMonths) -> Floats:
    """Means [area, month] laid out as the cube's forecasts, [origin, horizon, area]."""
    own = RecordedMonths(recorded.areas, recorded.first_month, means).of(list(cube.areas))
    column = recorded.columns(cube.target_months)
    inside = (column >= 0) & (column < own.shape[1])
    return np.where(inside[..., None], own.T[np.where(inside, column, 0)], np.nan)


def _deviances(observed: Floats, mean: Floats) -> Floats:
    out = np.full(mean.shape, np.nan)
    both = np.isfinite(observed) & np.isfinite(mean)
    out[both] = poisson_deviances(observed[both], mean[both])
    return out


def _bound(losses: Floats, baseline: Floats, cube: ForecastCube, steps: npt.NDArray[np.intp]) -> tuple[SkillFound, int]:
    own, other = losses[:, steps], baseline[:, steps]
    both = np.isfinite(own) & np.isfinite(other)
    cells, months = np.asarray(both.any(axis=-1), dtype=np.bool_), cube.target_months[:, steps]
    sums = [month_sums(np.where(both, values, 0.0).sum(axis=-1), months, cells) for values in (own, other)]
    return find_skill(*sums), int(both.sum())


def _hindsight_sentence(metric: str, found: SkillFound, width: float, baseline: str) -> str:
    if np.isnan(found.skill):
        return "No month is held that hindsight could be judged on."
    return (
        f"In hindsight, each month's true total shared out by the months around it (bell of {width:g} months) reaches "
        f"{_per_cent(metric, found)} against {baseline}: no forecast knows as much."
    )


def _true_mean_sentence(metric: str, found: SkillFound, model: str, baseline: str) -> str:
    if np.isnan(found.skill):
        return f"How counts scatter about {model} is not known."
    return (
        f"If counts scatter about their true means as they did about {model}'s, the true means themselves would "
        f"reach {_per_cent(metric, found)} against {baseline}: the rest is chance."
    )


def _per_cent(metric: str, found: SkillFound) -> str:
    interval = "" if np.isnan(found.low) else f" (90 % interval {100 * found.low:.1f} to {100 * found.high:.1f} %)"
    return f"a skill {_MEASURED[metric]} of {100.0 * found.skill:.1f} %{interval}"
