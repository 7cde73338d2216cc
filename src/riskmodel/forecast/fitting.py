"""Model + panel view -> forecasts: the one code path of training, backtest and forecast.

In: a view known on an origin O and a ``Plan``. Out: ``Forecasts``, dense means ``[model, horizon, area]`` with the
dispersion of each model and horizon, every gap with its reason, and the fitted models. A backtest is this function
at past origins; nothing here knows which of the two it serves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.errors import NotEnoughHistory
from riskmodel.contracts.periods import horizon_month, month_end, month_label, month_start
from riskmodel.contracts.registry import load
from riskmodel.contracts.specs import ModelSpec, TargetSpec
from riskmodel.features.catalogue import ResolvedFeature
from riskmodel.features.training import FeatureBlocks, TrainingSet, build_training_set, months_held
from riskmodel.models.base import Baseline, CountModel, offset_column
from riskmodel.panel.view import View

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Fitted", "Forecasts", "Gap", "Plan", "count_quantiles", "fit_and_forecast", "make_model", "require_history"]

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


@dataclass(frozen=True, eq=False)
class Fitted:
    """One learned model at one horizon, with what its forecasts need.

    ``level`` is the level correction: recorded over expected in the training rows, 1 for a baseline.
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
    """Means [model, horizon, area] made at one origin; NaN where a gap says why."""

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

    def frame(self, quantiles: Sequence[float]) -> pd.DataFrame:
        """The ``forecasts`` table at lsoa21: the mean and simple quantiles.

        Quantiles are those of a negative binomial with variance = dispersion x mean; how well such intervals hold is
        for the backtest to say.
        """
        import pandas as pd

        made = np.isfinite(self.mean).all(axis=2)
        model, step = np.nonzero(made)
        cells, areas, kinds = len(model), len(self.areas), 1 + len(quantiles)
        values = np.empty((cells, areas, kinds))
        values[:, :, 0] = self.mean[made]
        values[:, :, 1:] = count_quantiles(self.mean[made], self.dispersion[made], quantiles)
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
                "output_type": np.tile(["mean", *["quantile"] * len(quantiles)], cells * areas),
                "output_type_id": np.tile([np.nan, *quantiles], cells * areas),
                "value": values.reshape(-1),
            }
        )


def count_quantiles(mean: Floats, dispersion: Floats, quantiles: Sequence[float]) -> Floats:
    """Negative-binomial quantiles [cell, area, quantile] with variance = dispersion x mean.

    Parameters
    ----------
    mean : array [cell, area]
    dispersion : array [cell]
        Above 1.
    quantiles : sequence of float
    """
    from scipy.stats import nbinom

    spread = dispersion[:, None, None]
    size = mean[:, :, None] / (spread - 1.0)
    return np.asarray(nbinom.ppf(np.asarray(quantiles), size, 1.0 / spread), dtype=np.float64)


def make_model(spec: ModelSpec, seed: int) -> CountModel:
    """A candidate as its experiment defines it; the seed is the experiment's where the model takes one."""
    import inspect

    from riskmodel.contracts.errors import DefinitionError, did_you_mean

    cls = load("model", spec.use)
    known = list(inspect.signature(cls).parameters)
    wrong = [p for p in spec.params if p not in known]
    if wrong:
        raise DefinitionError(
            f"model '{spec.model_id}': unknown parameter '{wrong[0]}'",
            allowed=known,
            hint=did_you_mean(wrong[0], known),
        )
    extra = {"seed": seed} if "seed" in known and "seed" not in spec.params else {}
    model: CountModel = cls(**spec.params, **extra)
    return model


def training_origins(view: View, plan: Plan) -> tuple[int, ...]:
    """Past origins at which the target showed something, oldest first, then the view's own."""
    first = view.panel.first_month + view.lateness(plan.target.source)
    origins = list(range(first, view.origin))
    if plan.training_origins is not None:
        origins = origins[-plan.training_origins :]
    return (*origins, view.origin)


def fit_and_forecast(
    view: View, plan: Plan, horizons: Sequence[int], *, jobs: int = 1, step: Callable[[], None] | None = None
) -> Forecasts:
    """Train every candidate on what the view shows and forecast from its origin.

    Parameters
    ----------
    view : View
        The panel as known on the origin.
    plan : Plan
        Target, features, candidates and rules.
    horizons : sequence of int
        Months ahead.
    jobs : int
        Threads; the result does not depend on it.
    step : callable, optional
        Called after each horizon (progress).

    Raises
    ------
    NotEnoughHistory
        If too few of the newest twelve months visible are held.
    """
    from joblib import Parallel, delayed

    require_history(view, plan)
    blocks = FeatureBlocks(view, plan.features, training_origins(view, plan))
    shape = (len(plan.models), len(horizons))
    out = Forecasts(
        origin=view.origin,
        target=plan.target_label,
        areas=view.geography.areas,
        model_ids=tuple(m.model_id for m in plan.models),
        horizons=tuple(horizons),
        mean=np.full((*shape, len(view.geography.areas)), np.nan),
        dispersion=np.full(shape, np.nan),
        left_out=dict(blocks.left_out),
    )
    blocks.at(1)
    made = Parallel(n_jobs=jobs, prefer="threads")(delayed(_one_horizon)(blocks, plan, h, step) for h in horizons)
    for index, results in enumerate(made):
        for row, (mean, dispersion, fitted, gap) in enumerate(results):
            if gap is not None:
                out.gaps.append(gap)
                continue
            out.mean[row, index] = mean
            out.dispersion[row, index] = dispersion
            if fitted is not None:
                out.fitted.append(fitted)
    return out


def require_history(view: View, plan: Plan) -> None:
    """Refuse an origin that sees too little of the target's past.

    Raises
    ------
    NotEnoughHistory
        Saying how many of the newest twelve months visible are held.
    """
    held = int(months_held(view, plan.target, [view.origin])[0])
    if held < plan.minimum_months:
        newest = view.origin - view.lateness(plan.target.source)
        raise NotEnoughHistory(
            f"too little of the target's past is held to forecast from {month_label(view.origin)}",
            where=f"{plan.target.source}, {month_label(newest - 11)} to {month_label(newest)}",
            found=f"{held} of 12 months held",
            allowed=f"at least {plan.minimum_months} (history.minimum_months of the experiment)",
            hint="hold the missing months, choose another --as-of, or lower the minimum and say why",
        )


Outcome = tuple[Floats, float, Fitted | None, Gap | None]


def _one_horizon(blocks: FeatureBlocks, plan: Plan, horizon: int, step: Callable[[], None] | None) -> list[Outcome]:
    block = blocks.at(horizon)
    training = build_training_set(blocks, plan.target, horizon, minimum_months=plan.minimum_months, block=block)
    offsets: dict[str, Floats] = {}
    results = []
    for spec in plan.models:
        model = make_model(spec, plan.seed)
        name = spec.use if isinstance(model, Baseline) else model.offset
        if isinstance(model, Baseline):
            key = f"{name}:{spec.params}"
            if key not in offsets:
                offsets[key] = np.maximum(model.expected(blocks.view, plan.target, blocks.origins, horizon), plan.floor)
        else:
            key = name
            if key not in offsets:
                column = offset_column(name, blocks.view, plan.target, blocks.origins, horizon)
                offsets[key] = np.maximum(column, plan.floor)
        results.append(_one_model(blocks, block, training, plan, spec, model, offsets[key]))
    if step is not None:
        step()
    return results


def _one_model(
    blocks: FeatureBlocks,
    block: npt.NDArray[np.float32],
    training: TrainingSet,
    plan: Plan,
    spec: ModelSpec,
    model: CountModel,
    offset: Floats,
) -> Outcome:
    here = month_label(blocks.view.origin)
    nothing = np.empty(0)
    column = offset[training.area, training.origin]
    rows = np.flatnonzero(np.isfinite(column))
    origins = len(np.unique(training.origin[rows]))
    if model.learns and origins < plan.minimum_training_origins:
        reason = f"{origins} training origins with a label at this horizon, {plan.minimum_training_origins} needed"
        return nothing, np.nan, None, Gap(spec.model_id, here, training.horizon, reason)
    if not np.isfinite(offset[:, -1]).all():
        return nothing, np.nan, None, Gap(spec.model_id, here, training.horizon, "no history for the offset")
    X, y = (training.X, training.y) if len(rows) == len(column) else (training.X[rows], training.y[rows])
    start = column[rows]
    if model.learns:
        if model.level == "offset":
            start = _levelled(start, y, training.origin[rows])
        model.fit(X, y, offset=start, scales=blocks.scales)
    fitted_mean = model.predict(X, offset=start)
    level = float(y.sum() / fitted_mean.sum()) if model.learns else 1.0
    mean = np.maximum(level * model.predict(block[:, -1, :], offset=offset[:, -1]), plan.floor)
    dispersion = _dispersion(y, np.maximum(level * fitted_mean, plan.floor))
    imputed = int(getattr(model, "imputed_", 0))
    fitted = Fitted(
        model_id=spec.model_id,
        use=spec.use,
        horizon=training.horizon,
        model=model,
        dispersion=dispersion,
        level=level,
        names=blocks.names,
        scales=blocks.scales,
        training_rows=len(rows),
        imputed=imputed,
    )
    return mean, dispersion, fitted, None


def _levelled(offset: Floats, y: Floats, origin: npt.NDArray[np.intp]) -> Floats:
    """The offset scaled so that at each origin it adds up to what was recorded."""
    recorded = np.bincount(origin, y)
    expected = np.bincount(origin, offset)
    ratio = np.divide(recorded, expected, out=np.ones_like(expected), where=expected > 0)
    return np.asarray(offset * ratio[origin], dtype=np.float64)


def _dispersion(y: Floats, mean: Floats) -> float:
    """Pearson's dispersion of the training rows, at least just above Poisson."""
    if len(y) == 0:
        return 1.001
    return max(1.001, float(np.mean((y - mean) ** 2 / mean)))
