"""The tables a run leaves, from what its steps made."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import TYPE_CHECKING, Any

from riskmodel.backtest.run import Backtest
from riskmodel.contracts.planner_tables import AREAS, FACTORS, TARGETS
from riskmodel.contracts.tables import CANDIDATES, as_table
from riskmodel.features.catalogue import ResolvedFeature
from riskmodel.forecast import Forecasts
from riskmodel.forecast.searching import build_search
from riskmodel.panel.groups import build_groups, groups_not_yet_published
from riskmodel.panel.quality import build_quality, quality_row
from riskmodel.workflow.definitions import Definitions
from riskmodel.workflow.session import Session

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.workflow.comparing import Comparison

__all__ = ["build_tables", "group_table"]


def build_tables(session: Session, comparison: Comparison, forecasts: Forecasts) -> dict[str, pd.DataFrame]:
    """Every table of the bundle, by name."""
    geography = session.held.panel.geography
    groups, not_held = group_table(session)
    quality = build_quality(
        session.held.panel,
        session.held.store,
        session.held.files,
        as_of=session.as_of,
        extra=[*_run_rows(session, comparison.backtest, forecasts), *not_held],
    )
    areas = geography.parents.assign(population=geography.population).rename_axis("location").reset_index()
    areas = areas.assign(**{name: "" for name in AREAS.names if name not in areas})
    searched = [*comparison.backtest.searched, *forecasts.searched]
    tables = {
        "candidates": as_table(forecasts.frame(), CANDIDATES),
        "backtest": comparison.backtest.table,
        "scores": comparison.scores,
        "comparison": comparison.table,
        "calibration": comparison.calibration,
        "quality": quality,
        "areas": as_table(areas, AREAS),
        "targets": _target_table(session.definitions),
        "groups": groups,
        "factors": _factor_table(session, forecasts),
    }
    return tables | ({"search": build_search(searched)} if searched else {})


def _run_rows(session: Session, backtest: Backtest, forecasts: Forecasts) -> list[dict[str, Any]]:
    """What the run itself left out or filled in, for the quality table."""
    source = session.definitions.target.source
    rows = [
        quality_row(source, gap.what, 1, period=gap.origin, note=gap.reason)
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


def group_table(session: Session) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Who lives where, and a quality row for every characteristic that no visible file supplies."""
    view = session.held.panel.as_of(session.as_of)
    characteristics = session.definitions.characteristics
    absent = groups_not_yet_published(view, characteristics)
    rows = [
        quality_row("groups", f"characteristic left out: {name}", 1, period=_month(session.as_of), note=reason)
        for name, reason in absent.items()
    ]
    return build_groups(view, {n: c for n, c in characteristics.items() if n not in absent}), rows


def _month(day: date) -> str:
    return f"{day.year:04d}-{day.month:02d}"


def _target_table(definitions: Definitions) -> pd.DataFrame:
    import pandas as pd

    target = definitions.target
    row = {
        "target": definitions.plan.target_label,
        "title": target.title,
        "covers": target.covers,
        "leaves_out": target.leaves_out,
        "differs": target.differs,
        "unit": target.unit,
        "source": target.source,
        "measures": " + ".join(target.measures),
    }
    return as_table(pd.DataFrame([row]), TARGETS)


def _factor_table(session: Session, forecasts: Forecasts) -> pd.DataFrame:
    """Each feature with its lineage: transform, factor, measures, source, and the files it rests on."""
    import pandas as pd

    rows = []
    for feature in session.definitions.features:
        files = _files_of(session, feature)
        rows.append(
            {
                "feature": feature.label,
                "transform": type(feature.transform).__name__,
                "factor": feature.factor,
                "domain": feature.domain,
                "role": feature.role,
                "source": " + ".join(dict.fromkeys(part.source or "geography" for part in feature.input.parts)),
                "measures": " + ".join(measure for part in feature.input.parts for measure in part.lineage),
                "files": len(files),
                "files_sha256": hashlib.sha256("\n".join(files).encode()).hexdigest() if files else "",
                "left_out": forecasts.left_out.get(feature.label, ""),
            }
        )
    return as_table(pd.DataFrame(rows, columns=FACTORS.names), FACTORS)


def _files_of(session: Session, feature: ResolvedFeature) -> list[str]:
    """The published files that supply a feature, each as ``sha256  name``: what ``files_sha256`` is the hash of."""
    wanted = {part.source: set(part.lineage) for part in feature.input.parts}
    return sorted(
        f"{file.sha256}  {file.name}"
        for file in session.held.files
        if wanted.get(file.source, set()) & set(file.spec.measures)
    )
