"""What a forecast is made from and what it leaves: the plan, the fitted models, the means and what lies around them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.periods import horizon_month, month_end, month_start
from riskmodel.contracts.specs import ModelSpec, TargetSpec
from riskmodel.features.catalogue import ResolvedFeature
from riskmodel.forecast.past import Past
from riskmodel.forecast.spread import Spread
from riskmodel.models.base import CountModel

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.forecast.searching import Searched

__all__ = ["Fitted", "Forecasts", "Gap", "Plan"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """Everything a forecast depends on besides the view."""

    target_name: str
    target: TargetSpec
    features: tuple[ResolvedFeature, ...]
    models: tuple[ModelSpec, ...]
    floor: float
    minimum_months: int
    minimum_training_origins: int
    training_origins: int | None
    seed: int

    @property
    def target_label(self) -> str:
        """The target with its definition's version."""
        return f"{self.target_name}@{self.target.version}"


@dataclass(frozen=True)
class Gap:
    """A forecast that was not made, and why."""

    model_id: str
    origin: str
    horizon: int
    reason: str

    @property
    def what(self) -> str:
        """The forecast in words; horizon 0 of all models stands for every horizon of an origin."""
        return f"no forecast by {self.model_id}" + (f" at horizon {self.horizon}" if self.horizon else "")


@dataclass(frozen=True, eq=False)
class Fitted:
    """One learned model at one horizon, with what its forecasts need.

    ``level`` is the level correction: recorded over expected in the training rows, or what makes the forecasts add up
    to the offset where the model takes its level from there; 1 for a baseline.
    """

    model_id: str
    use: str
    horizon: int
    model: CountModel
    dispersion: float
    level: float
    names: tuple[str, ...]
    scales: tuple[str, ...]
    training_rows: int
    imputed: int


@dataclass(eq=False)
class Forecasts:
    """Means [model, horizon, area] made at one origin; NaN where a gap says why.

    ``past`` is what spreads are learned from; ``spread`` holds each candidate's once it was learned, and ``quantiles``
    [model, horizon, area, level] those of its draws at ``levels``.
    """

    origin: int
    target: str
    areas: npt.NDArray[np.str_]
    model_ids: tuple[str, ...]
    horizons: tuple[int, ...]
    mean: Floats
    dispersion: Floats
    gaps: list[Gap] = field(default_factory=list)
    fitted: list[Fitted] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    searched: list[Searched] = field(default_factory=list)
    past: Past | None = None
    spread: dict[str, Spread] = field(default_factory=dict)
    levels: tuple[float, ...] = ()
    quantiles: Floats = field(default_factory=lambda: np.empty(0))

    def frame(self) -> pd.DataFrame:
        """The ``forecasts`` table at lsoa21: the mean, and the quantiles where draws were made."""
        import pandas as pd

        made = np.isfinite(self.mean).all(axis=2)
        model, step = np.nonzero(made)
        cells, areas, kinds = len(model), len(self.areas), 1 + len(self.levels)
        values = np.empty((cells, areas, kinds))
        values[:, :, 0] = self.mean[made]
        if self.levels:
            values[:, :, 1:] = self.quantiles[made]
        per_cell = areas * kinds
        horizon = np.asarray(self.horizons)[step]
        ends = np.asarray([month_end(horizon_month(self.origin, int(h))) for h in horizon], dtype="datetime64[s]")
        return pd.DataFrame(
            {
                "model_id": np.repeat(np.asarray(self.model_ids)[model], per_cell),
                "origin_date": np.datetime64(month_start(self.origin), "s"),
                "target": self.target,
                "horizon": np.repeat(horizon, per_cell),
                "target_end_date": np.repeat(ends, per_cell),
                "level": "lsoa21",
                "location": np.tile(np.repeat(self.areas, kinds), cells),
                "output_type": np.tile(["mean", *["quantile"] * len(self.levels)], cells * areas),
                "output_type_id": np.tile([np.nan, *self.levels], cells * areas),
                "value": values.reshape(-1),
            }
        )
