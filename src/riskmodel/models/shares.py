"""Area shares times the region's level: who has which share changes slowly, how much there is in all changes fast.

In: a view at each origin. Out: expected counts per area, a baseline that other models can start from.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.periods import horizon_month, month_of_year
from riskmodel.contracts.specs import TargetSpec
from riskmodel.models.base import Baseline
from riskmodel.panel.season import pooled_season
from riskmodel.panel.view import View

__all__ = ["SharesLevel"]

Floats = npt.NDArray[np.float64]


class SharesLevel(Baseline):
    """Shrunken, exponentially weighted area shares times a deseasonalised regional level times the season.

    Parameters
    ----------
    half_life : float
        Months after which a month counts half towards the shares.
    short, long : int
        Months whose means, geometrically averaged, are the level.

    Notes
    -----
    An area's share is its weighted records over the region's weighted records in the same months, so what moves the
    whole region leaves the shares alone. It is shrunk towards its district's records per resident by a gamma-Poisson
    prior fitted by moments (as ``EbSeasonal``), with the weighted regional count as time at risk.
    """

    def __init__(self, half_life: float = 12.0, short: int = 3, long: int = 12) -> None:
        super().__init__()
        self.half_life, self.short, self.long = half_life, short, long

    def expected(self, view: View, target: TargetSpec, origins: Sequence[int], horizon: int) -> Floats:
        """Shares, level and season learned from what each origin could see."""
        series = view.series(target.source, target.measures)
        stops = np.maximum(view.columns(target.source, np.asarray(origins, dtype=np.int64)) + 1, 0)
        out = np.full((series.shape[0], len(origins)), np.nan)
        for index, (origin, stop) in enumerate(zip(origins, stops, strict=True)):
            seen = series[:, :stop].astype(np.float64)
            held = np.flatnonzero(np.isfinite(seen).all(axis=0))
            if len(held):
                month = month_of_year(horizon_month(origin, horizon))
                out[:, index] = self._shares(view, seen, held) * self._level(view, seen, held, month)
        return out

    def _shares(self, view: View, seen: Floats, held: npt.NDArray[np.intp]) -> Floats:
        weight = 0.5 ** ((seen.shape[1] - 1 - held) / self.half_life)
        counted = (seen[:, held] * weight).sum(axis=1)
        everything = counted.sum()
        if everything <= 0:
            return np.zeros(len(counted))
        group, codes = view.geography.groups("lad24")
        population = view.geography.population
        rate = np.bincount(group, counted, len(codes)) / np.bincount(group, population, len(codes))
        prior = np.maximum(rate[group] * population, 1e-9)
        # Weighted counts vary less than counts: this is what one weighted record is worth in records.
        worth = float((weight * seen[:, held].sum(axis=0)).sum() / (weight**2 * seen[:, held].sum(axis=0)).sum())
        spread = float(np.average((counted / prior - 1.0) ** 2, weights=prior))
        between = max(spread - len(prior) / float(prior.sum() * worth), 1e-6)
        own = between / (between + 1.0 / (prior * worth))
        shares: Floats = (own * counted + (1.0 - own) * prior) / everything
        return shares

    def _level(self, view: View, seen: Floats, held: npt.NDArray[np.intp], month: int) -> float:
        totals = seen.sum(axis=0)[None, :]
        season = pooled_season(totals, view.panel.first_month)[0]
        level = totals[0, held] / season[(view.panel.first_month + held) % 12]
        newest = seen.shape[1] - 1
        recent, year = (level[held > newest - width] for width in (self.short, self.long))
        parts = [part.mean() for part in (recent, year) if len(part)] or [level[-1]]
        return float(np.exp(np.log(np.maximum(parts, 1e-9)).mean()) * season[month])
