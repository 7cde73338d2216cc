"""What each domain earns: one model fitted again without it, and what skill that loses.

In: a session whose experiment asks for ``ablation``. Out: one row for each domain of the forecast model and, apart
from it, of the conditions model, with an interval over target months; for the forecast model also without any factor,
which leaves the area's own past. Both use what was known at each origin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from riskmodel.backtest.compare import block_interval
from riskmodel.backtest.metrics import poisson_deviances
from riskmodel.backtest.run import Backtest, backtest_origins, run_backtest
from riskmodel.backtest.scores import as_cube
from riskmodel.contracts.comparison_tables import DOMAINS
from riskmodel.contracts.errors import DefinitionError, did_you_mean
from riskmodel.contracts.periods import month_label
from riskmodel.contracts.specs import CONDITIONS_BASELINE, AblationSpec, ModelSpec
from riskmodel.contracts.tables import as_table
from riskmodel.explain.adds import ALL_CONDITIONS, ALL_FACTORS, COSTS, EARNS, NO_DIFFERENCE, NO_INTERVAL, NOT_PUBLISHED
from riskmodel.features.catalogue import ResolvedFeature
from riskmodel.forecast import Plan, make_model
from riskmodel.workflow.conditions import conditions_plan

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.workflow.session import Session

__all__ = ["domain_ablation"]

ONLY_DOMAIN = "the only domain"
_ROUNDING, _RESAMPLES = 1e-9, 1000

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Refits:
    """One model with all its domains, and how to run it with fewer."""

    session: Session
    spec: AblationSpec
    kind: str
    plan: Plan
    baseline: ModelSpec
    model: ModelSpec
    origins: tuple[int, ...]

    @property
    def domains(self) -> list[str]:
        """In the order in which the feature set first names them."""
        return list(dict.fromkeys(f.domain for f in self.plan.features))

    def run(self, features: Sequence[ResolvedFeature], models: Sequence[ModelSpec]) -> Backtest:
        """A backtest at the declared origins and horizons."""
        return run_backtest(
            self.session.held.panel,
            replace(self.plan, features=tuple(features), models=tuple(models)),
            self.session.definitions.experiment.backtest,
            as_of=self.session.as_of,
            horizons=self.spec.horizons,
            quantiles=(),
            origins=self.origins,
            jobs=self.session.jobs,
        )

    @property
    def left_out(self) -> dict[str, list[ResolvedFeature]]:
        """What each row leaves out, by the row's name: a domain's features, or those of many domains."""
        features = self.plan.features
        parts = {domain: [f for f in features if _takes_part(f, domain)] for domain in self.domains}
        if self.kind == "forecast":
            factors = [f for f in features if any(_is_factor(name) for name in _made_of(f))]
            recorded = self.plan.target.source
            conditions = [f for f in factors if all(part.source != recorded for part in f.input.parts)]
            parts |= {name: held for name, held in ((ALL_FACTORS, factors), (ALL_CONDITIONS, conditions)) if held}
        return parts


def _made_of(feature: ResolvedFeature) -> list[str]:
    return [part.name for part in feature.input.parts]


def _is_factor(name: str) -> bool:
    return name.split("/")[0] not in ("target", "exposure")


def _takes_part(feature: ResolvedFeature, domain: str) -> bool:
    return feature.domain == domain or any(name.startswith(f"{domain}/") for name in _made_of(feature))


def domain_ablation(session: Session) -> pd.DataFrame:
    """Leave out one domain at a time and say what skill that loses, for one forecast and one conditions model.

    Returns
    -------
    DataFrame
        The ``domains`` noun. Besides each domain, "all factors" leaves the forecast model its history, season and
        residents; "all conditions" leaves it counts of other recorded crime as well. ``skill_lost`` is the skill of
        the whole model less that of the model without them, both against ``baseline`` on the same forecasts; ``low``
        and ``high`` its 90 % interval when target months are drawn again. A domain "earns its place" where the
        interval lies above 0 and "costs" where it lies below; what no origin could see yet is "not yet published",
        never "no difference".

    Raises
    ------
    DefinitionError
        If a model named is not one of the experiment's, or none of them learns.
    NotEnoughHistory
        If too few past origins can be forecast from.
    """
    import pandas as pd
    from threadpoolctl import threadpool_limits

    kinds = _kinds(session)
    rows: list[dict[str, Any]] = []
    total = sum(1 + len(refits.left_out) for refits in kinds)
    with threadpool_limits(1), session.listener.task("What each domain earns", total) as step:
        for refits in kinds:
            full = refits.run(refits.plan.features, [refits.baseline, refits.model])
            step()
            for name, dropped in refits.left_out.items():
                rows.append(_row(refits, full, name, dropped))
                step()
    return as_table(pd.DataFrame(rows, columns=DOMAINS.names), DOMAINS)


def _kinds(session: Session) -> list[_Refits]:
    experiment, plan = session.definitions.experiment, session.definitions.plan
    spec = experiment.ablation or AblationSpec()
    lateness = session.held.panel.as_of(session.as_of).lateness(plan.target.source)
    held = backtest_origins(experiment.backtest, as_of=session.as_of, lateness=lateness)
    spread = np.unique(np.linspace(0, len(held) - 1, min(spec.origins, len(held))).round().astype(int))
    origins = tuple(held[index] for index in spread)
    baseline = next(m for m in experiment.models if m.model_id == experiment.baseline)
    model = _named(spec.model, experiment.models, experiment.seed)
    kinds = [_Refits(session, spec, "forecast", plan, baseline, model, origins)]
    if experiment.conditions is not None:
        model = _named(spec.conditions_model, experiment.conditions.models, experiment.seed)
        region = ModelSpec(use=CONDITIONS_BASELINE)
        kinds.append(_Refits(session, spec, "conditions", conditions_plan(session.definitions), region, model, origins))
    return kinds


def _named(name: str | None, models: Sequence[ModelSpec], seed: int) -> ModelSpec:
    learned = {m.model_id: m for m in models if make_model(m, seed).learns}
    if name is None and learned:
        name = next(iter(learned))
    if name not in learned:
        raise DefinitionError(
            f"ablation names no model that learns: '{name}'" if name else "ablation needs a model that learns",
            allowed=list(learned),
            hint=did_you_mean(name, learned) if name else None,
        )
    return learned[name].model_copy(update={"search": None})


def _row(refits: _Refits, full: Backtest, name: str, dropped: Sequence[ResolvedFeature]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "kind": refits.kind,
        "model_id": refits.model.model_id,
        "baseline": refits.baseline.model_id,
        "domain": name,
        "features": len(dropped),
        "not_yet_published": "; ".join(_unseen(dropped, full)),
        "rests_on": f"horizons {', '.join(map(str, refits.spec.horizons))}; origins "
        + ", ".join(month_label(origin) for origin in full.origins),
    }
    if all(f.label in left_out for f in dropped for left_out in full.left_out.values()):
        return {**row, "verdict": NOT_PUBLISHED}
    gone = {f.label for f in dropped}
    rest = [f for f in refits.plan.features if f.label not in gone]
    if any(all(f.label in left_out for f in rest) for left_out in full.left_out.values()):
        return {**row, "verdict": ONLY_DOMAIN}
    return {**row, **_difference(refits, full, refits.run(rest, [refits.model]))}


def _unseen(features: Sequence[ResolvedFeature], full: Backtest) -> list[str]:
    """Each feature that some origin could not see yet, with the reason and how many origins."""
    found = []
    for feature in features:
        reasons = [left_out[feature.label] for left_out in full.left_out.values() if feature.label in left_out]
        if reasons:
            found.append(f"{feature.label}: {reasons[-1]}, {len(reasons)} of {len(full.left_out)} origins")
    return found


def _difference(refits: _Refits, full: Backtest, without: Backtest) -> dict[str, Any]:
    import pandas as pd

    names = [refits.baseline.model_id, refits.model.model_id, f"{refits.model.model_id} without"]
    table = without.table.assign(model_id=names[2])
    cube = as_cube(pd.concat([full.table, table], ignore_index=True))
    mean = cube.mean[[list(cube.models).index(name) for name in names]]
    shared = np.isfinite(mean).all(axis=0)
    months, block = np.unique(np.broadcast_to(cube.target_months[..., None], shared.shape)[shared], return_inverse=True)
    losses = [
        np.bincount(block, poisson_deviances(cube.observed[shared], made[shared]), len(months)).astype(np.float64)
        for made in mean
    ]
    baseline, whole, rest = losses
    totals = [float(loss.sum()) for loss in losses]
    # 1 - (baseline - lost) / baseline is the share of the baseline's score that is lost.
    low, high = block_interval(
        baseline - (rest - whole), baseline, resamples=_RESAMPLES, seed=refits.session.definitions.experiment.seed
    )
    return {
        "skill": 1.0 - totals[1] / totals[0],
        "skill_without": 1.0 - totals[2] / totals[0],
        "skill_lost": (totals[2] - totals[1]) / totals[0],
        "low": low,
        "high": high,
        "forecasts": int(shared.sum()),
        "month_blocks": len(months),
        "verdict": _verdict(low, high),
    }


def _verdict(low: float, high: float) -> str:
    if np.isnan(low):
        return NO_INTERVAL
    if low > _ROUNDING:
        return EARNS
    return COSTS if high < -_ROUNDING else NO_DIFFERENCE
