"""The verbs that make numbers: run, ingest, train, compare, forecast."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from riskmodel.cli.shared import (
    AsOf,
    Data,
    Experiment,
    Jobs,
    Json,
    Out,
    Tracking,
    WorkspaceDir,
    described,
    give,
    session_of,
)

__all__ = ["compare", "forecast", "ingest", "run", "train"]


def run(
    experiment: Experiment,
    data: Data = None,
    out: Out = None,
    workspace: WorkspaceDir = Path(),
    as_of: AsOf = None,
    jobs: Jobs = 2,
    audience: Annotated[
        Literal["public", "partners"], typer.Option(help="Who reads it: sources follow their sharing terms")
    ] = "public",
    as_json: Json = False,
    tracking_uri: Tracking = None,
) -> None:
    """The main job: ingest, train, backtest, compare, forecast, and write tables and pages."""
    from riskmodel.workflow import run as do_run

    session = session_of(experiment, workspace, data, as_of, jobs)
    folder = out or workspace / "build" / experiment
    outcome = do_run(session, out=folder, audience=audience, tracking_uri=tracking_uri)
    notes = coverage_notes(outcome.tables["quality"], session.definitions.target.source)
    result = {
        **described(session),
        "headline": outcome.headline,
        "notes": notes,
        "out": folder.as_posix(),
        "manifest_sha256": outcome.manifest_sha256,
        "mlflow_run": outcome.tracking_id,
        "state": outcome.state,
    }
    lines = [
        outcome.headline,
        f"{result['state']}. {session.title}, {result['areas']} areas, as of {result['as_of']}.",
        *notes,
        f"Run {session.run_id}; manifest sha256 {outcome.manifest_sha256}",
        f"Open first: {(folder / 'index.html').as_posix()}, the assessment; every other page is linked from it",
        f"Every number and where it comes from: {(folder / 'facts.json').as_posix()}; check it with: riskmodel verify",
        f"Tables: {(folder / 'tables').as_posix()}  (leaderboard.csv, comparison.csv, quality.csv, ...)",
        "Compare runs in a browser: riskmodel ui",
    ]
    if outcome.gate is not None:
        result["stop_rules_met"] = [rule.words for rule in outcome.gate.met]
    give(result, "\n".join(lines), as_json=as_json)
    if outcome.gate is not None:
        outcome.gate.require_open(
            hint=f"every page is written; show the reviewers: riskmodel audit {session.run_id}",
        )


def coverage_notes(quality: Any, source: str) -> list[str]:
    """What missing months cost, in words."""
    missing = quality[(quality["source"] == source) & (quality["rule"] == "month missing")]["period"]
    gaps = quality[(quality["source"] == source) & quality["rule"].str.startswith("no forecast by")]
    notes = []
    if len(missing):
        shown = ", ".join(missing[:12]) + (", ..." if len(missing) > 12 else "")
        months = "month of the target is" if len(missing) == 1 else "months of the target are"
        notes.append(f"{len(missing)} {months} missing: not zero, and not filled in: {shown}.")
    if len(gaps):
        reasons = "; ".join(gaps["note"].drop_duplicates().head(3))
        notes.append(
            f"{len(gaps)} forecasts by model, origin and horizon were not made ({reasons}): tables/quality.csv."
        )
    return notes


def ingest(experiment: Experiment, data: Data = None, workspace: WorkspaceDir = Path(), as_json: Json = False) -> None:
    """Read the published files an experiment needs; files already read are skipped."""
    session = session_of(experiment, workspace, data, None, 1)
    result = described(session)
    text = (
        f"{result['files_read']} files read, {result['files_known']} known already. {session.title}, "
        f"{result['areas']} areas, first origin that sees the newest month: {result['as_of']}."
    )
    give(result, text, as_json=as_json)


def train(
    experiment: Experiment,
    data: Data = None,
    out: Out = None,
    workspace: WorkspaceDir = Path(),
    as_of: AsOf = None,
    jobs: Jobs = 2,
    as_json: Json = False,
) -> None:
    """Fit every candidate at the as-of and store the models (without pickle) in a folder."""
    from riskmodel.forecast import save_fitted
    from riskmodel.workflow import train as do_train

    session = session_of(experiment, workspace, data, as_of, jobs)
    forecasts = do_train(session)
    folder = out or workspace / "build" / f"{experiment}-models"
    for model_id in forecasts.model_ids:
        own = [f for f in forecasts.fitted if f.model_id == model_id]
        save_fitted(folder / model_id, own, forecasts.spread.get(model_id))
    trained = sorted({f.model_id for f in forecasts.fitted if f.model.learns})
    gaps = [f"{g.model_id} at horizon {g.horizon}: {g.reason}" for g in forecasts.gaps]
    result = {**described(session), "models": trained, "not_made": gaps, "out": folder.as_posix()}
    text = "\n".join([f"Learned {', '.join(trained) or 'nothing'} as of {result['as_of']}: {result['out']}", *gaps])
    give(result, text, as_json=as_json)


def compare(
    experiment: Experiment,
    data: Data = None,
    out: Out = None,
    workspace: WorkspaceDir = Path(),
    as_of: AsOf = None,
    jobs: Jobs = 2,
    as_json: Json = False,
) -> None:
    """Repeat the forecast at past origins and say what each model adds to counting."""
    from riskmodel.narrative.bundle import write_table
    from riskmodel.workflow import compare as do_compare

    session = session_of(experiment, workspace, data, as_of, jobs)
    comparison = do_compare(session)
    pooled = comparison.table[(comparison.table["origin_date"] == "all") & (comparison.table["horizon"] == "all")]
    if out is not None:
        write_table(out, comparison.tables["comparison"])
    columns = ["model_id", "skill", "low", "high", "forecasts", "month_blocks", "verdict"]
    shown = pooled[columns].assign(**{c: (100 * pooled[c]).round(1) for c in ("skill", "low", "high")})
    rows = json.loads(pooled[["metric", *columns]].to_json(orient="records"))
    result = {**described(session), "headline": comparison.headline, "pooled": rows}
    text = f"{comparison.headline}\n\nSkill in per cent against counting, all origins and horizons:\n"
    text += str(shown.to_string(index=False))
    floor = comparison.tables["noise_floor"]
    text += "\n\nWhat is possible at all:\n" + "\n".join(floor.loc[floor["what"] == "hindsight", "sentence"])
    chosen = comparison.selection
    give(result | {"selected": chosen.model_id}, f"{text}\n\n{chosen.reason}", as_json=as_json)


def forecast(
    reference: Annotated[str, typer.Argument(metavar="RUN", help="A run id, a prefix of one, or EXPERIMENT@latest")],
    data: Data = None,
    out: Out = None,
    draws: Annotated[str | None, typer.Option(help="Write the draws of this level by month, as .parquet")] = None,
    workspace: WorkspaceDir = Path(),
    as_of: AsOf = None,
    as_json: Json = False,
    tracking_uri: Tracking = None,
) -> None:
    """Forecast with the model a run has selected; nothing is fitted. --out names a .csv or .parquet file."""
    from riskmodel.workflow import experiment_of, forecast_run

    experiment = experiment_of(reference, workspace=workspace, uri=tracking_uri)
    session = session_of(experiment, workspace, data, as_of, 1)
    name = f"{experiment}-forecasts.csv" if draws is None else f"{experiment}-draws-{draws}.parquet"
    target = out or workspace / "build" / name
    outcome = forecast_run(session, reference, out=target, draws=draws, tracking_uri=tracking_uri)
    result = {**described(session), "headline": outcome.headline, "out": target.as_posix()}
    text = f"{outcome.headline}\nAs of {result['as_of']}: {result['out']}"
    give(result, text, as_json=as_json)
