"""The verbs that make numbers: train, compare, forecast, and run, which is all of them in order."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from riskmodel.backtest.compare import build_comparison, headline
from riskmodel.backtest.run import Backtest, run_backtest
from riskmodel.backtest.scores import build_scores
from riskmodel.contracts.errors import UsageError
from riskmodel.contracts.periods import origin_month
from riskmodel.contracts.tables import FORECASTS, as_table
from riskmodel.forecast import Forecasts, fit_and_forecast, forecast_stored, read_fitted
from riskmodel.workflow.conditions import conditions_tables
from riskmodel.workflow.leave import log_outcome, write_outcome
from riskmodel.workflow.run_tables import build_tables
from riskmodel.workflow.session import Session

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Comparison", "Outcome", "compare", "experiment_of", "forecast_run", "run", "train"]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Backtest, scores and what each model adds to counting."""

    backtest: Backtest
    scores: pd.DataFrame
    table: pd.DataFrame
    headline: str


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a verb leaves."""

    session: Session
    out: Path | None
    headline: str = ""
    manifest_sha256: str = ""
    tracking_id: str = ""
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)


def train(session: Session) -> Forecasts:
    """Fit every candidate at the as-of, at every horizon, and forecast from there.

    Raises
    ------
    NotEnoughHistory
        If too little of the target's past is visible.
    """
    from threadpoolctl import threadpool_limits

    view = session.held.panel.as_of(session.as_of)
    with threadpool_limits(1), session.listener.task("Training and forecasting", len(session.horizons)) as step:
        return fit_and_forecast(view, session.definitions.plan, session.horizons, jobs=session.jobs, step=step)


def compare(session: Session) -> Comparison:
    """Repeat the forecast at past origins and say what each model adds to counting.

    Raises
    ------
    NotEnoughHistory
        If too few past origins can be forecast from.
    """
    import pandas as pd
    from threadpoolctl import threadpool_limits

    from riskmodel.backtest.run import backtest_origins

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
                jobs=session.jobs,
                step=step,
            )
        geography = session.held.panel.geography
        population = pd.Series(geography.population, index=pd.Index(geography.areas, name="location"))
        scores = build_scores(backtest.table, population=population, scale=backtest.scale, region=geography.pfa)
        table = build_comparison(backtest.table, baseline=spec.baseline, seed=spec.seed)
    return Comparison(backtest, scores, table, headline(table))


def run(session: Session, *, out: Path, tracking_uri: str | None = None) -> Outcome:
    """The main job: train, backtest, compare, forecast, write the bundle, log it.

    Parameters
    ----------
    session : Session
        From ``open_session``.
    out : Path
        Where the bundle shall lie.
    tracking_uri : str, optional
        Another MLflow store than the workspace's own.

    Returns
    -------
    Outcome
        With the tables and the sha256 of the manifest.
    """
    comparison = compare(session)
    forecasts = train(session)
    tables = build_tables(session, comparison, forecasts)
    tables |= conditions_tables(session)
    manifest_sha256 = write_outcome(session, comparison, tables, out)
    tracking_id = log_outcome(session, comparison, forecasts, tables, out, manifest_sha256, tracking_uri)
    return Outcome(session, out, comparison.headline, manifest_sha256, tracking_id, tables)


def forecast_run(
    session: Session, reference: str, *, out: Path | None = None, tracking_uri: str | None = None
) -> Outcome:
    """Forecast from the session's as-of with the models a run has learned; nothing is fitted.

    Raises
    ------
    UsageError
        If the run is unknown, or its definitions have changed since.
    """
    from riskmodel.tracking import fetch_artifacts, find_run

    workspace = session.definitions.workspace.root
    stored = find_run(reference, workspace=workspace, uri=tracking_uri)
    if stored.tags.get("definitions_sha256") != session.definitions.digest:
        raise UsageError(
            f"the definitions of '{session.definitions.name}' have changed since run {stored.run_id}",
            hint=f"run it again: riskmodel run {session.definitions.name}",
        )
    trained = date.fromisoformat(stored.tags["as_of"])
    if origin_month(session.as_of) < origin_month(trained):
        raise UsageError(
            f"run {stored.run_id} learned from what was published by {trained.isoformat()}",
            found=f"--as-of {session.as_of.isoformat()}, which lies before",
            hint="a model may not forecast a time it has learned from",
        )
    fitted = []
    with tempfile.TemporaryDirectory() as scratch:
        order = [m.model_id for m in session.definitions.experiment.models]
        for candidate in sorted(stored.candidates, key=lambda c: order.index(c.model_id)):
            fitted += read_fitted(fetch_artifacts(candidate, "model", Path(scratch) / candidate.model_id))
    view = session.held.panel.as_of(session.as_of)
    forecasts = forecast_stored(view, session.definitions.plan, fitted, session.horizons)
    table: pd.DataFrame = as_table(forecasts.frame(session.definitions.experiment.quantiles), FORECASTS)
    if out is not None:
        from riskmodel.narrative.bundle import write_table

        write_table(out, table)
    return Outcome(session, out, stored.tags.get("headline", ""), tables={"forecasts": table})


def experiment_of(reference: str, *, workspace: Path, uri: str | None = None) -> str:
    """The experiment a run belongs to."""
    from riskmodel.tracking import find_run

    return str(find_run(reference, workspace=workspace, uri=uri).experiment)
