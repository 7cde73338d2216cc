"""The verbs that make numbers: train, compare, forecast, and run, which is all of them in order."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodel import __version__
from riskmodel.backtest.compare import build_comparison, headline
from riskmodel.backtest.run import Backtest, run_backtest
from riskmodel.backtest.scores import build_scores
from riskmodel.contracts.errors import UsageError
from riskmodel.contracts.periods import origin_month
from riskmodel.contracts.tables import FORECASTS, as_table
from riskmodel.forecast import Forecasts, fit_and_forecast, forecast_stored, read_fitted, save_fitted
from riskmodel.panel.quality import build_quality, quality_row
from riskmodel.workflow.definitions import Definitions
from riskmodel.workflow.held import Held, data_folder, ingest, resolve_as_of
from riskmodel.workflow.progress import Listener, Silent

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Comparison", "Outcome", "Session", "compare", "forecast_run", "open_session", "run", "train"]


@dataclass(frozen=True, eq=False)
class Session:
    """An experiment, its data and its as-of: where every verb begins."""

    held: Held
    as_of: date
    jobs: int
    listener: Listener

    @property
    def definitions(self) -> Definitions:
        """The experiment and all it names."""
        return self.held.definitions

    @property
    def run_id(self) -> str:
        """The hash of inputs, definitions, code version, seed and as-of."""
        content = {
            "inputs": self.held.inputs_sha256,
            "definitions": self.definitions.digest,
            "code": code_version(),
            "seed": self.definitions.experiment.seed,
            "as_of": self.as_of.isoformat(),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def horizons(self) -> tuple[int, ...]:
        """1 to the experiment's last."""
        return tuple(range(1, self.definitions.experiment.horizons + 1))

    @property
    def title(self) -> str:
        """The region and the target, for headings."""
        return f"{self.held.panel.geography.title}: {self.definitions.target.title}"


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


@cache
def code_version() -> str:
    """The package's version and the hash of its own source files."""
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return f"{__version__}+{digest.hexdigest()[:12]}"


def open_session(
    definitions: Definitions,
    *,
    data: Path | None = None,
    as_of: date | None = None,
    jobs: int = 1,
    listener: Listener | None = None,
) -> Session:
    """Ingest what is new and settle the as-of."""
    listener = listener or Silent()
    held = ingest(definitions, data_folder(definitions, data), listener=listener)
    return Session(held, resolve_as_of(held, as_of), jobs, listener)


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
    tables = _tables(session, comparison, forecasts)
    manifest_sha256 = _write(session, comparison, tables, out)
    tracking_id = _log(session, comparison, forecasts, tables, out, manifest_sha256, tracking_uri)
    return Outcome(session, out, comparison.headline, manifest_sha256, tracking_id, tables)


def _tables(session: Session, comparison: Comparison, forecasts: Forecasts) -> dict[str, pd.DataFrame]:
    geography = session.held.panel.geography
    quality = build_quality(
        session.held.panel,
        session.held.store,
        session.held.files,
        as_of=session.as_of,
        extra=_run_rows(session, comparison.backtest, forecasts),
    )
    areas = geography.parents.assign(population=geography.population).rename_axis("location").reset_index()
    return {
        "forecasts": as_table(forecasts.frame(session.definitions.experiment.quantiles), FORECASTS),
        "backtest": comparison.backtest.table,
        "scores": comparison.scores,
        "comparison": comparison.table,
        "quality": quality,
        "areas": areas,
        "targets": _target_table(session.definitions),
        "factors": _factor_table(session.definitions, forecasts),
    }


def _run_rows(session: Session, backtest: Backtest, forecasts: Forecasts) -> list[dict[str, Any]]:
    """What the run itself left out or filled in, for the quality table."""
    source = session.definitions.target.source
    rows = [
        quality_row(
            source,
            f"no forecast by {gap.model_id}" + (f" at horizon {gap.horizon}" if gap.horizon else ""),
            1,
            period=gap.origin,
            note=gap.reason,
        )
        for gap in (*backtest.gaps, *forecasts.gaps)
    ]
    left_out = {**backtest.left_out, _month(session.as_of): forecasts.left_out}
    for origin, features in left_out.items():
        rows += [
            quality_row("features", f"feature left out: {name}", 1, period=origin, note=reason)
            for name, reason in features.items()
        ]
    rows += [
        quality_row(
            "models",
            f"values filled in for {fitted.model_id} at horizon {fitted.horizon}",
            fitted.imputed,
            period=_month(session.as_of),
            note=f"training median, of {fitted.training_rows} rows x {len(fitted.names)} features",
        )
        for fitted in forecasts.fitted
        if fitted.imputed
    ]
    return rows


def _month(day: date) -> str:
    return f"{day.year:04d}-{day.month:02d}"


def _target_table(definitions: Definitions) -> pd.DataFrame:
    import pandas as pd

    target = definitions.target
    return pd.DataFrame(
        [
            {
                "target": definitions.plan.target_label,
                "title": target.title,
                "covers": target.covers,
                "leaves_out": target.leaves_out,
                "source": target.source,
                "measures": " + ".join(target.measures),
            }
        ]
    )


def _factor_table(definitions: Definitions, forecasts: Forecasts) -> pd.DataFrame:
    """Each feature with its lineage: transform, factor, measures, source."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "feature": feature.label,
                "transform": type(feature.transform).__name__,
                "factor": feature.factor,
                "domain": feature.domain,
                "role": feature.role,
                "source": feature.input.source or "geography",
                "measures": " + ".join((*feature.input.measures, *([feature.input.per] if feature.input.per else []))),
                "left_out": forecasts.left_out.get(feature.label, ""),
            }
            for feature in definitions.features
        ]
    )


def _write(session: Session, comparison: Comparison, tables: dict[str, pd.DataFrame], out: Path) -> str:
    from riskmodel.narrative.bundle import write_bundle
    from riskmodel.narrative.charts import draw_charts

    def draw(folder: Path) -> None:
        draw_charts(folder, comparison=comparison.table, backtest=tables["backtest"], title=session.title)

    definitions = session.definitions
    manifest = {
        "run_id": session.run_id,
        "experiment": definitions.name,
        "question": definitions.experiment.question,
        "region": session.held.panel.geography.title,
        "target": definitions.plan.target_label,
        "as_of": session.as_of.isoformat(),
        "seed": definitions.experiment.seed,
        "code_version": code_version(),
        "headline": comparison.headline,
        "definitions_sha256": definitions.digest,
        "inputs": session.held.inputs,
        "geography_sha256": session.held.panel.geography.digest,
        "geography_note": "codes, boundaries and residents are the newest held: fixed for the run, known in hindsight",
    }
    return write_bundle(out, tables=tables, parquet=frozenset({"forecasts", "backtest"}), draw=draw, manifest=manifest)


def _log(
    session: Session,
    comparison: Comparison,
    forecasts: Forecasts,
    tables: dict[str, pd.DataFrame],
    out: Path,
    manifest_sha256: str,
    uri: str | None,
) -> str:
    from riskmodel.tracking import Candidate, RunRecord, log_run

    definitions = session.definitions
    with tempfile.TemporaryDirectory() as scratch:
        candidates = []
        for spec in definitions.experiment.models:
            folder = Path(scratch) / spec.model_id
            save_fitted(folder, [f for f in forecasts.fitted if f.model_id == spec.model_id])
            pooled, by_horizon = _metrics(comparison, spec.model_id)
            candidates.append(Candidate(spec.model_id, {"use": spec.use, **spec.params}, pooled, by_horizon, folder))
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
            },
            candidates=candidates,
            datasets={name: (tables[name], _frame_sha256(tables[name])) for name in ("targets", "factors", "areas")},
            bundle=out,
            private=None,
        )
        return log_run(record, workspace=definitions.workspace.root, uri=uri)


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
        for candidate in stored.candidates:
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

    if reference.endswith("@latest"):
        return reference.removesuffix("@latest")
    return str(find_run(reference, workspace=workspace, uri=uri).experiment)


def origins_shown(origins: Sequence[int]) -> str:
    """First and last origin in words."""
    from riskmodel.contracts.periods import month_label

    return f"{month_label(origins[0])} to {month_label(origins[-1])}" if origins else "none"
