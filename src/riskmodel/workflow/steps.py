"""The verbs that make numbers: train, compare, forecast, and run, which is all of them in order."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from riskmodel.contracts.errors import UsageError
from riskmodel.contracts.periods import origin_month
from riskmodel.contracts.tables import FORECASTS, as_table
from riskmodel.disclosure import Audience
from riskmodel.fairness.decision_files import read_decisions
from riskmodel.fairness.gate import Gate, gate_of
from riskmodel.forecast import Forecasts, fit_and_forecast, forecast_stored, read_fitted, read_spread
from riskmodel.forecast.drawing import learn_spreads
from riskmodel.forecast.outlook import build_forecasts, published_grain
from riskmodel.workflow.approaches import read_approaches
from riskmodel.workflow.audit_pages import audit_text
from riskmodel.workflow.comparing import Comparison, compare
from riskmodel.workflow.language_checks import written_texts
from riskmodel.workflow.leave import log_outcome, write_outcome, write_private
from riskmodel.workflow.narrating import review_of
from riskmodel.workflow.narration import make_narration, read_about, save_narration
from riskmodel.workflow.outlooks import all_horizons, districts, draw_all, export_draws, outlook_of
from riskmodel.workflow.publishing import all_tables, publish
from riskmodel.workflow.session import Session
from riskmodel.workflow.streams import forecast_streams
from riskmodel.workflow.target_versions import require_same_definitions

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Comparison", "Outcome", "compare", "experiment_of", "forecast_run", "run", "train"]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a verb leaves; of a run also where it stands, and the stop rules that its audit meets."""

    session: Session
    out: Path | None
    headline: str = ""
    manifest_sha256: str = ""
    tracking_id: str = ""
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    state: str = ""
    gate: Gate | None = None


def train(session: Session) -> Forecasts:
    """Fit every candidate at the as-of and forecast from there, the months not yet published included.

    Raises
    ------
    NotEnoughHistory
        If too little of the target's past is visible.
    """
    from threadpoolctl import threadpool_limits

    view, plan = session.held.panel.as_of(session.as_of), session.definitions.plan
    horizons = all_horizons(view, plan, session.definitions.experiment.horizons)
    with threadpool_limits(1), session.listener.task("Training and forecasting", len(horizons)) as step:
        forecasts = fit_and_forecast(view, plan, horizons, jobs=session.jobs, step=step)
    learn_spreads(forecasts, districts(view.geography))
    return forecasts


def run(session: Session, *, out: Path, audience: Audience = "public", tracking_uri: str | None = None) -> Outcome:
    """The main job: train, backtest, compare, select, forecast, protect small numbers, write the bundle, log it.

    Parameters
    ----------
    session : Session
        From ``open_session``.
    out : Path
        Where the bundle shall lie.
    audience : str
        ``public`` or ``partners``: who will read it, by the sharing terms of each source.
    tracking_uri : str, optional
        Another MLflow store than the workspace's own.

    Returns
    -------
    Outcome
        With the tables, the sha256 of the manifest and, where the run was audited, the stop rules that are met:
        call ``gate.require_open()`` before anybody relies on it.

    Raises
    ------
    DefinitionError
        If a target's definition is not the one that earlier runs of the workspace had of its version, or a decision
        under ``fairness/decisions`` cannot be read.
    DisclosureGate
        If small numbers of a restricted source cannot be protected; nothing is written then.
    """
    require_same_definitions(session.definitions, uri=tracking_uri)
    # A decision, text or approach that cannot be read is found before the work and not after it.
    read_decisions(session.definitions.workspace)
    written_texts(session.definitions.workspace, session.definitions.name)
    read_approaches(session.definitions.workspace)
    comparison = compare(session)
    forecasts = train(session)
    draw_all(session, session.definitions.plan, forecasts, comparison.backtest.made)
    selected = comparison.selection.model_id or session.definitions.experiment.baseline
    side = forecast_streams(session)
    tables = all_tables(session, comparison, forecasts, selected, side)
    published = publish(session, comparison, tables, selected, side, audience=audience)
    with tempfile.TemporaryDirectory() as scratch:
        narration, private = Path(scratch) / "narration", Path(scratch) / "private"
        made = make_narration(session, published)
        published = replace(published, audit=audit_text(made))
        save_narration(made, narration)
        audit_sha256 = "" if published.audit is None else hashlib.sha256(published.audit.encode()).hexdigest()
        review = review_of(read_about(narration), audit_sha256, session.definitions.workspace)
        manifest_sha256 = write_outcome(published, narration, review, out)
        private.mkdir()
        write_private(session, forecasts, tables, published, private)
        tracking_id = log_outcome(
            session, comparison, forecasts, published, out, manifest_sha256, tracking_uri,
            private=private, narration=narration,
        )  # fmt: skip
    audit = published.tables.get("audit")
    gate = None if audit is None or not len(audit) else gate_of(audit, session.definitions.policy, selected)
    return Outcome(
        session, out, comparison.headline, manifest_sha256, tracking_id, dict(published.tables),
        state=review.state.words, gate=gate,
    )  # fmt: skip


def forecast_run(
    session: Session,
    reference: str,
    *,
    out: Path | None = None,
    draws: str | None = None,
    tracking_uri: str | None = None,
) -> Outcome:
    """Forecast from the session's as-of with the model a run has selected; nothing is fitted.

    Parameters
    ----------
    session : Session
    reference : str
        A run id, a prefix of one, or EXPERIMENT@latest.
    out : Path, optional
        A .csv (the published grain) or .parquet file (every level and window).
    draws : str, optional
        A level: the draws of its areas by month are written in place of means and quantiles, as hubverse samples.
    tracking_uri : str, optional
        Another MLflow store than the workspace's own.

    Raises
    ------
    UsageError
        If the run is unknown, its definitions have changed since, or the file or the level cannot be.
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
    fitted, spread = [], {}
    with tempfile.TemporaryDirectory() as scratch:
        order = [m.model_id for m in session.definitions.experiment.models]
        for candidate in sorted(stored.candidates, key=lambda c: order.index(c.model_id)):
            folder = fetch_artifacts(candidate, "model", Path(scratch) / candidate.model_id)
            fitted += read_fitted(folder)
            own = read_spread(folder)
            if own is not None:
                spread[candidate.model_id] = own
    view, plan = session.held.panel.as_of(session.as_of), session.definitions.plan
    forecasts = forecast_stored(view, plan, fitted, all_horizons(view, plan, session.definitions.experiment.horizons))
    forecasts.spread = spread
    outlook = outlook_of(session, view, plan, forecasts, stored.tags["selected"])
    if draws is not None and out is not None:
        export_draws(outlook, out, draws)
        return Outcome(session, out, stored.tags.get("headline", ""))
    table: pd.DataFrame = as_table(build_forecasts([outlook]), FORECASTS)
    if out is not None:
        from riskmodel.narrative.bundle import write_table

        write_table(out, table if out.suffix == ".parquet" else published_grain(table))
    return Outcome(session, out, stored.tags.get("headline", ""), tables={"forecasts": table})


def experiment_of(reference: str, *, workspace: Path, uri: str | None = None) -> str:
    """The experiment a run belongs to."""
    from riskmodel.tracking import find_run

    return str(find_run(reference, workspace=workspace, uri=uri).experiment)
