"""The end of a run: the bundle on disk, and the record in the tracker."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from riskmodel.fairness.decisions import Review
from riskmodel.forecast import Forecasts, save_fitted
from riskmodel.workflow.narrating import AUDIT_FILE, manifest_of
from riskmodel.workflow.narration import LONG, read_about, read_narration
from riskmodel.workflow.outlooks import export_draws, outlook_of
from riskmodel.workflow.pages import write_pages
from riskmodel.workflow.publishing import Published
from riskmodel.workflow.session import Session, code_version

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.workflow.comparing import Comparison

__all__ = ["log_outcome", "write_outcome", "write_private"]


def write_outcome(published: Published, stored: Path, review: Review, out: Path) -> str:
    """Write the bundle; return the sha256 of its manifest.

    Parameters
    ----------
    published : Published
    stored : Path
        The narration's folder, as it goes to the tracker: pages are made from it alone, now and later.
    review : Review
        What was decided on the run so far.
    out : Path
        Where the bundle shall lie.
    """
    from riskmodel.narrative.bundle import write_bundle

    def add(folder: Path) -> None:
        if published.audit is not None:
            (folder / AUDIT_FILE).write_text(published.audit, encoding="utf-8", newline="\n")
        write_pages(read_narration(stored, folder / "tables"), review, folder)

    return write_bundle(
        out,
        tables=published.tables,
        parquet=LONG & set(published.tables),
        add=add,
        manifest=manifest_of(read_about(stored), review),
    )


def log_outcome(
    session: Session,
    comparison: Comparison,
    forecasts: Forecasts,
    published: Published,
    out: Path,
    manifest_sha256: str,
    uri: str | None,
    *,
    private: Path,
    narration: Path,
) -> str:
    """Log the run and its candidates; return MLflow's id of the run."""
    from riskmodel.tracking import Candidate, RunRecord, log_run, target_tags

    definitions = session.definitions
    with tempfile.TemporaryDirectory() as scratch:
        candidates = []
        found = {searched.model_id: searched.params for searched in forecasts.searched}
        for spec in definitions.experiment.models:
            folder = Path(scratch) / spec.model_id
            save_fitted(
                folder,
                [f for f in forecasts.fitted if f.model_id == spec.model_id],
                forecasts.spread.get(spec.model_id),
            )
            pooled, by_horizon = _metrics(comparison, spec.model_id)
            candidates.append(
                Candidate(
                    spec.model_id,
                    {"use": spec.use, **spec.params, **found.get(spec.model_id, {})},
                    pooled,
                    by_horizon,
                    folder,
                )
            )
        record = RunRecord(
            experiment=definitions.name,
            question=definitions.experiment.question,
            run_id=session.run_id,
            params={
                "region": definitions.experiment.region.force,
                "target": definitions.plan.target_label,
                "feature_set": definitions.experiment.feature_set,
                "horizons": definitions.experiment.horizons,
                "origins": len(comparison.backtest.origins),
            },
            tags={
                "as_of": session.as_of.isoformat(),
                "seed": str(definitions.experiment.seed),
                "code_version": code_version(),
                "inputs_sha256": session.held.inputs_sha256,
                "definitions_sha256": definitions.digest,
                "manifest_sha256": manifest_sha256,
                "baseline": definitions.experiment.baseline,
                "headline": comparison.headline,
                "selected": published.model_id,
                "audience": published.audience,
                "target": definitions.plan.target_label,
                **target_tags(definitions.target_hashes),
            },
            candidates=candidates,
            datasets={
                name: (published.tables[name], _frame_sha256(published.tables[name]))
                for name in ("targets", "factors", "areas")
            },
            bundle=out,
            private=private,
            narration=narration,
        )
        return log_run(record, workspace=definitions.workspace.root, uri=uri)


def write_private(
    session: Session,
    forecasts: Forecasts,
    tables: Mapping[str, pd.DataFrame],
    published: Published,
    folder: Path,
) -> None:
    """What may not be published, for the tracker: the districts' draws, and every table changed or held back.

    Parameters
    ----------
    session : Session
    forecasts : Forecasts
    tables : mapping of str to DataFrame
        With true values.
    published : Published
    folder : Path
    """
    from riskmodel.narrative.bundle import write_table

    plan, view = session.definitions.plan, session.held.panel.as_of(session.as_of)
    outlook = outlook_of(session, view, plan, forecasts, published.model_id)
    export_draws(outlook, folder / "draws_lad24.parquet", "lad24")
    for name, table in tables.items():
        if name not in published.tables or published.tables[name] is not table:
            write_table(folder / f"{name}.parquet", table)


def _frame_sha256(frame: pd.DataFrame) -> str:
    return hashlib.sha256(frame.to_csv(index=False, lineterminator="\n").encode()).hexdigest()


def _metrics(comparison: Comparison, model_id: str) -> tuple[dict[str, float], dict[str, dict[int, float]]]:
    """A candidate's pooled metrics and its metrics by horizon, for the tracker."""
    own = comparison.scores[(comparison.scores["model_id"] == model_id) & comparison.scores["value"].notna()]
    weighted = own.assign(total=own["value"] * own["forecasts"])
    pooled = weighted.groupby("metric")[["total", "forecasts"]].sum()
    metrics = {str(name): float(row["total"] / row["forecasts"]) for name, row in pooled.iterrows()}
    by = weighted.groupby(["metric", "horizon"])[["total", "forecasts"]].sum()
    by_horizon: dict[str, dict[int, float]] = {}
    for row in by.reset_index().to_dict("records"):
        by_horizon.setdefault(str(row["metric"]), {})[int(row["horizon"])] = float(row["total"] / row["forecasts"])
    rows = comparison.table[(comparison.table["model_id"] == model_id) & comparison.table["skill"].notna()]
    over_origins = rows[rows["origin_date"] == "all"]
    for horizon, skill in zip(over_origins["horizon"], over_origins["skill"], strict=True):
        if horizon == "all":
            metrics["skill"] = float(skill)
        else:
            by_horizon.setdefault("skill", {})[int(horizon)] = float(skill)
    return metrics, by_horizon
