"""Evidence in; what checks add up over areas out: one array [model, origin, area] a name, made when first asked for.

``COLUMNS`` says what each is. Everything is kept by origin, because areas are put first anew at every origin, and
because an audit of all origins together may hide that one of them differs.
"""

from __future__ import annotations

from functools import cache
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from riskmodel.backtest.metrics import poisson_deviances
from riskmodel.contracts.errors import DefinitionError, did_you_mean
from riskmodel.fairness.evidence import Evidence
from riskmodel.fairness.priority import put_first

__all__ = ["COLUMNS", "Columns", "Forecasts", "expected_deviance", "first_seen", "make_columns"]

Floats = npt.NDArray[np.float64]

COLUMNS = MappingProxyType(
    {
        "one": "1 at every origin",
        "months": "months looked at",
        "expected": "expected records",
        "recorded": "records",
        "recorded_once": "records, each month counted at the first origin that looks at it",
        "first": "how much of the area the forecast puts first",
        "first_months": "months during which it is put first",
        "first_by_recorded": "how much of the area would come first in the order of what was then recorded",
        "first_not_by_recorded": "how much comes first by the forecast and not by what was recorded",
        "not_first_by_recorded": "how much comes first by what was recorded and not by the forecast",
        "recorded_in_first": "records in what the forecast puts first",
        "loss": "Poisson deviance of the forecasts",
        "expected_loss": "what the deviance would be on average if counts were Poisson around the forecasts",
        "intervals": "months with a 90 % interval",
        "covered": "months whose count lies within it, both ends included",
    }
)
"""Every column, and what it is of an area at an origin, over the months looked at."""


class Forecasts(NamedTuple):
    """Forecasts and counts: ``mean``, ``low``, ``high`` [model, origin, horizon, area]; ``observed`` without the model.

    ``cells`` are the months looked at, ``once`` those of them that no earlier origin looks at, both [origin, horizon].
    """

    mean: Floats
    low: Floats
    high: Floats
    observed: Floats
    cells: npt.NDArray[np.bool_]
    once: npt.NDArray[np.bool_]


class Columns:
    """Columns of one set of forecasts.

    Parameters
    ----------
    forecasts : Forecasts
    first : array [model, origin, area]
        How much of each area comes first by the forecast that is acted on.
    first_by_recorded : array [origin, area]
        The same by what was then recorded.
    """

    def __init__(self, forecasts: Forecasts, first: Floats, first_by_recorded: Floats) -> None:
        self._forecasts, self._put_first, self._by_recorded = forecasts, first, first_by_recorded
        self._made: dict[str, Floats] = {}

    @property
    def shape(self) -> tuple[int, int, int]:
        """Models, origins, areas."""
        models, origins, _, areas = self._forecasts.mean.shape
        return models, origins, areas

    def __getitem__(self, name: str) -> Floats:
        """The column of this name, [model, origin, area]."""
        if name not in COLUMNS:
            raise DefinitionError("no such column of the audit", found=name, allowed=list(COLUMNS),
                                  hint=did_you_mean(name, COLUMNS))  # fmt: skip
        if name not in self._made:
            made = np.broadcast_to(getattr(self, f"_{name}")(), self.shape)
            made.flags.writeable = False
            self._made[name] = made
        return self._made[name]

    def _one(self) -> Floats:
        return np.ones((1, 1, 1))

    def _months(self) -> Floats:
        return np.asarray(self._forecasts.cells.sum(axis=1, dtype=np.float64)[None, :, None])

    def _expected(self) -> Floats:
        return self._over_months(self._forecasts.mean)

    def _recorded(self) -> Floats:
        return self._over_months(self._forecasts.observed[None])

    def _recorded_once(self) -> Floats:
        kept = self._forecasts.once[None, :, :, None]
        return np.asarray(np.where(kept, self._forecasts.observed[None], 0.0).sum(axis=2))

    def _first(self) -> Floats:
        return self._put_first

    def _first_months(self) -> Floats:
        return np.asarray(self._put_first * self._months())

    def _first_by_recorded(self) -> Floats:
        return self._by_recorded[None]

    def _first_not_by_recorded(self) -> Floats:
        # An area taken in part by both is taken by both: the product of the parts would count it against either.
        return np.maximum(self._put_first - self._by_recorded, 0.0)

    def _not_first_by_recorded(self) -> Floats:
        return np.maximum(self._by_recorded - self._put_first, 0.0)

    def _recorded_in_first(self) -> Floats:
        return self._put_first * self["recorded"]

    def _loss(self) -> Floats:
        out = np.empty(self.shape)
        for model, mean in enumerate(self._forecasts.mean):
            for origin, cells in enumerate(self._forecasts.cells):
                y, m = self._forecasts.observed[origin, cells], mean[origin, cells]
                out[model, origin] = poisson_deviances(y.ravel(), m.ravel()).reshape(m.shape).sum(axis=0)
        return out

    def _expected_loss(self) -> Floats:
        out = np.empty(self.shape)
        for model, mean in enumerate(self._forecasts.mean):
            for origin, cells in enumerate(self._forecasts.cells):
                out[model, origin] = expected_deviance(mean[origin, cells]).sum(axis=0)
        return out

    def _intervals(self) -> Floats:
        return self._over_months((~np.isnan(self._forecasts.low + self._forecasts.high)).astype(np.float64))

    def _covered(self) -> Floats:
        low, high, y = self._forecasts.low, self._forecasts.high, self._forecasts.observed
        return self._over_months(((low <= y) & (y <= high)).astype(np.float64))

    def _over_months(self, values: Floats) -> Floats:
        """Sums over the months looked at, by origin; a month not looked at may hold anything."""
        return np.asarray(np.where(self._forecasts.cells[None, :, :, None], values, 0.0).sum(axis=2))


def make_columns(evidence: Evidence, share: float) -> Columns:
    """The columns of an audit's evidence, with areas put first up to a share of the residents.

    Parameters
    ----------
    evidence : Evidence
    share : float
        The policy's share of residents living in the areas put first.
    """
    cells = evidence.cells[:, :, None]
    expected = np.where(cells, evidence.mean, 0.0).sum(axis=2)
    recorded = np.where(cells, evidence.observed, 0.0).sum(axis=1)
    once = first_seen(evidence.origins, evidence.horizons, evidence.cells)
    forecasts = Forecasts(evidence.mean, evidence.low, evidence.high, evidence.observed, evidence.cells, once)
    first, by_recorded = (put_first(each, evidence.residents, share) for each in (expected, recorded))
    return Columns(forecasts, first, by_recorded)


def first_seen(
    origins: npt.NDArray[np.int64], horizons: npt.NDArray[np.int64], cells: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Which of the months looked at no earlier origin looks at, [origin, horizon].

    Examples
    --------
    >>> first_seen(np.array([5, 6]), np.array([1, 2]), np.ones((2, 2), dtype=bool)).tolist()
    [[True, True], [False, True]]
    """
    months = np.where(cells, origins[:, None] + horizons, -1).reshape(-1)
    _, first = np.unique(months, return_index=True)
    once = np.zeros(months.shape, dtype=np.bool_)
    once[first] = True
    return once.reshape(cells.shape) & cells


def expected_deviance(mean: Floats) -> Floats:
    """Mean Poisson deviance of counts that are Poisson around their mean: near 0 for small means, near 1 for large.

    Examples
    --------
    >>> expected_deviance(np.array([0.01, 1.0, 100.0])).round(3).tolist()
    [0.092, 1.147, 1.002]
    """
    grid, held = _deviances()
    large = 1.0 + 1.0 / (6.0 * np.maximum(mean, 1.0))
    return np.where(mean > grid[-1], large, np.interp(np.log(np.maximum(mean, grid[0])), np.log(grid), held))


@cache
def _deviances() -> tuple[Floats, Floats]:
    from scipy.special import gammaln

    grid = np.geomspace(1e-6, 60.0, 1500)
    counts = np.arange(1, 200)[:, None]
    chance = np.exp(counts * np.log(grid) - grid - gammaln(counts + 1.0))
    held = 2.0 * ((chance * counts * np.log(counts)).sum(axis=0) - grid * np.log(grid))
    return grid, held
