"""The backtest of an experiment, and everything that is said of its candidates on the strength of it.

In: a session. Out: a ``Comparison``: the backtest with its judged draws, the scores, what each candidate adds to
counting, and whether its intervals hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from riskmodel.backtest.calibration import area_class_of, build_calibration
from riskmodel.backtest.candidates import simplest_first
from riskmodel.backtest.compare import build_comparison, compare_losses, headline
from riskmodel.backtest.masks import refuse_outcome_masks
from riskmodel.backtest.noise_floor import build_noise_floor, scatter_of
from riskmodel.backtest.observed import recorded_months
from riskmodel.backtest.pairwise import build_pairwise, compare_pairs
from riskmodel.backtest.run import Backtest, backtest_origins, run_backtest
from riskmodel.backtest.scores import ForecastCube, as_cube, build_scores
from riskmodel.backtest.selection import Selection, select_model
from riskmodel.backtest.stability import build_rank_stability
from riskmodel.backtest.three_views import build_level_ratios, build_three_views
from riskmodel.contracts.periods import month_from_date
from riskmodel.contracts.planner_tables import CALIBRATION
from riskmodel.contracts.tables import as_table
from riskmodel.forecast import Plan
from riskmodel.workflow.auditing import AuditSoFar, audit_candidates
from riskmodel.workflow.run_tables import group_table
from riskmodel.workflow.session import Session

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Comparison", "calibration_of", "compare"]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Backtest, scores, what each model adds to counting, whether its intervals hold, and which one is selected.

    ``table`` compares by Poisson deviance; ``tables`` holds everything else that is said of the candidates.
    """

    backtest: Backtest
    scores: pd.DataFrame
    table: pd.DataFrame
    calibration: pd.DataFrame
    selection: Selection
    headline: str
    tables: dict[str, pd.DataFrame]
    audit: AuditSoFar


def compare(session: Session) -> Comparison:
    """Repeat the forecast at past origins and say what each model adds to counting.

    Raises
    ------
    NotEnoughHistory
        If too few past origins can be forecast from.
    """
    import pandas as pd
    from threadpoolctl import threadpool_limits

    spec, plan = session.definitions.experiment, session.definitions.plan
    lateness = session.held.panel.as_of(session.as_of).lateness(plan.target.source)
    origins = backtest_origins(spec.backtest, as_of=session.as_of, lateness=lateness)
    with threadpool_limits(1):
        with session.listener.task("Backtest", len(origins)) as step:
            backtest = run_backtest(
                session.held.panel,
                plan,
                spec.backtest,
                as_of=session.as_of,
                horizons=spec.horizons,
                quantiles=spec.quantiles,
                draws=spec.draws,
                jobs=session.jobs,
                step=step,
            )
        geography = session.held.panel.geography
        population = pd.Series(geography.population, index=pd.Index(geography.areas, name="location"))
        months = {name: cubes["lsoa21", "month"] for name, cubes in backtest.judged.items()}
        scores = build_scores(
            backtest.table, population=population, scale=backtest.scale, region=geography.pfa, judged=months
        )
        table = build_comparison(backtest.table, baseline=spec.baseline, seed=spec.seed)
        calibration = calibration_of(session, plan, backtest)
        tables = _judgements(session, backtest, scores, table)
        audit = audit_candidates(session, backtest, group_table(session)[0])
        selection = select_model(
            tables["pairwise"],
            calibration,
            tables["level_ratios"],
            rule=spec.selection,
            baseline=spec.baseline,
            order=simplest_first(spec.models, spec.seed),
            target=plan.target_label,
            audit=audit.table if audit.gathered is not None else None,
        )
        tables["selection"] = selection.table
    return Comparison(backtest, scores, table, calibration, selection, headline(table), tables, audit)


def _judgements(
    session: Session, backtest: Backtest, scores: pd.DataFrame, comparison: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Level, distribution and rank, each apart; every pair of models; and what skill is possible at all."""
    import pandas as pd

    spec, plan = session.definitions.experiment, session.definitions.plan
    cube = as_cube(backtest.table)
    recorded = recorded_months(session.held.panel.as_of(session.as_of), plan.target)
    refuse_outcome_masks(cube, recorded)
    crps, models = _crps(cube, backtest), list(cube.models)
    by_crps = compare_losses(
        crps,
        models=models,
        origins=cube.origins,
        horizons=cube.horizons,
        baseline=spec.baseline,
        metric="crps",
        seed=spec.seed,
    )
    pairs_by_crps = compare_pairs(
        crps,
        models=models,
        origins=cube.origins,
        horizons=cube.horizons,
        baseline=spec.baseline,
        metric="crps",
        seed=spec.seed,
    )
    by_deviance = build_pairwise(cube, baseline=spec.baseline, seed=spec.seed)
    pairwise = pd.concat([by_deviance, pairs_by_crps], ignore_index=True)
    ratios, ranks = build_level_ratios(cube), build_rank_stability(cube)
    scatter = scatter_of(backtest.made, cube)
    floor = build_noise_floor(cube, recorded, baseline=spec.baseline, scatter=scatter, crps=crps, floor=spec.floor)
    return {
        "noise_floor": floor,
        "comparison": pd.concat([comparison, by_crps], ignore_index=True),
        "pairwise": pairwise,
        "level_ratios": ratios,
        "rank_stability": ranks,
        "leaderboard": build_three_views(
            scores, pairwise, ratios, ranks, baseline=spec.baseline, distribution=_distribution(scores, by_crps)
        ),
    }


def _crps(cube: ForecastCube, backtest: Backtest) -> npt.NDArray[np.float64]:
    """The CRPS of every forecast, [model, origin, horizon, area], NaN where none was judged."""
    crps = np.full(cube.made.shape, np.nan)
    areas = [str(area) for area in cube.areas]
    first = [month_from_date(day.date()) for day in cube.origins]
    for model, name in enumerate(cube.models):
        judged = backtest.judged[name]["lsoa21", "month"]
        for o, origin in enumerate(first):
            for h, horizon in enumerate(cube.horizons):
                found = judged.at(origin, int(horizon), areas)
                if found is not None:
                    crps[model, o, h] = found.crps
    return crps


def _distribution(scores: pd.DataFrame, by_crps: pd.DataFrame) -> pd.DataFrame:
    """CRPS, its skill and the mass of the PIT, one row a model."""
    import pandas as pd

    overall = by_crps[(by_crps["origin_date"] == "all") & (by_crps["horizon"] == "all")]
    held = scores[scores["value"].notna()]
    weighted = held.assign(total=held["value"] * held["forecasts"]).groupby(["metric", "model_id"])
    means = weighted["total"].sum() / weighted["forecasts"].sum()
    found = pd.DataFrame({"crps": means["crps"], "pit_mass": means["pit_mass_90"]}).rename_axis("model_id")
    return found.assign(crps_skill=overall.set_index("model_id")["skill"]).reset_index()


def calibration_of(session: Session, plan: Plan, backtest: Backtest) -> pd.DataFrame:
    """Whether the intervals of every candidate held what they promised, by level, window and stratum."""
    import pandas as pd

    area_class = area_class_of(group_table(session)[0])
    tables = [
        build_calibration(cubes.values(), model_id=name, target=plan.target_label, area_class=area_class)
        for name, cubes in backtest.judged.items()
    ]
    return as_table(pd.concat(tables, ignore_index=True), CALIBRATION)
