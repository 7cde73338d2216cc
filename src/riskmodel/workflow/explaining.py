"""The explain step: what the forecast leans on, and apart from it which conditions go with recorded violence.

In: a session, its forecasts at the as-of and who lives where. Out: the tables that ``model.html`` is made from. Two
models are explained and never mixed: one that knows history hides what conditions go with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.errors import DefinitionError, EnvironmentProblem, NotEnoughHistory, UsageError
from riskmodel.contracts.left_out_tables import EXPLAIN_LEFT_OUT
from riskmodel.contracts.specs import ModelSpec
from riskmodel.contracts.tables import as_table
from riskmodel.explain.attributions import explain_forecasts
from riskmodel.explain.clusters import make_clusters
from riskmodel.explain.effects import build_effects
from riskmodel.explain.explained import Explained
from riskmodel.explain.groups import build_group_attributions, build_group_differences
from riskmodel.explain.leaning import build_leaning
from riskmodel.explain.ledger import Places, build_ledger
from riskmodel.explain.refits import LEAST_BLOCKS, Refits, refit_attributions
from riskmodel.explain.scenarios import build_scenarios
from riskmodel.explain.stability import build_stability
from riskmodel.explain.thresholds import STABLE, THRESHOLDS
from riskmodel.forecast import Forecasts, Plan, fit_and_forecast, make_model
from riskmodel.models.base import CountModel
from riskmodel.panel.view import View
from riskmodel.workflow.conditions import conditions_plan

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.workflow.session import Session

__all__ = ["EXPLAINED_HORIZONS", "LEDGER_LEVELS", "explain_run", "explain_tables"]

EXPLAINED_HORIZONS = (1, 6, 12)
"""Months ahead whose attributions are kept: near, middle and far."""
LEDGER_LEVELS = ("lsoa21", "msoa21", "lad24")
MAIN_FACTORS = 8
"""Factors whose curves are drawn: the strongest."""

Rows = tuple[str, str]


def explain_tables(
    session: Session, forecasts: Forecasts, selected: str, groups: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Explain the forecast model and, where the experiment has one, the conditions model.

    Parameters
    ----------
    session : Session
    forecasts : Forecasts
        Of the headline's candidates at the as-of.
    selected : str
        The candidate that planners are shown: a baseline and an ensemble can be explained as well.
    groups : DataFrame
        The ``groups`` table of the run.

    Returns
    -------
    dict of str to DataFrame
        ``attributions`` (of both models) and ``leaning``; with a conditions model ``stability``, ``ledger``,
        ``effects``, ``scenarios``, ``group_attributions`` and ``group_differences``. Where anything could
        not be explained, ``explain_left_out`` says what and why.
    """
    import pandas as pd
    from threadpoolctl import threadpool_limits

    tables: dict[str, pd.DataFrame] = {}
    attributions: list[pd.DataFrame] = []
    left_out: list[Rows] = []
    view, plan = session.held.panel.as_of(session.as_of), session.definitions.plan
    with threadpool_limits(1), session.listener.task("Explaining the models", 2) as step:
        try:
            explained = explain_forecasts(view, plan, forecasts, selected, _wanted(forecasts, selected))
        except (DefinitionError, EnvironmentProblem, NotEnoughHistory) as error:
            left_out.append((f"the forecast model {selected}", str(error.what)))
        else:
            attributions.append(explained.frame())
            tables["leaning"] = build_leaning(explained)
        step()
        if session.definitions.experiment.conditions is not None:
            for name, table in _conditions(session, view, groups, left_out):
                if name == "attributions":
                    attributions.append(table)
                else:
                    tables[name] = table
        step()
    if attributions:
        tables["attributions"] = pd.concat(attributions, ignore_index=True)
    if left_out:
        rows = pd.DataFrame(left_out, columns=EXPLAIN_LEFT_OUT.names)
        tables["explain_left_out"] = as_table(rows, EXPLAIN_LEFT_OUT)
    return tables


def _wanted(forecasts: Forecasts, model_id: str) -> list[int] | None:
    made = {f.horizon for f in forecasts.fitted if f.model_id == model_id}
    return [h for h in EXPLAINED_HORIZONS if h in made] or None


@dataclass(frozen=True, eq=False)
class _Model:
    """The conditions model at the as-of: its plan, its terms at all horizons, and itself at the first of them."""

    plan: Plan
    explained: Explained
    fitted: CountModel


def _conditions(
    session: Session, view: View, groups: pd.DataFrame, left_out: list[Rows]
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Every table of the conditions model; what cannot be made is added to ``left_out``."""
    plan = conditions_plan(session.definitions)
    spec = _first_learned(plan)
    if spec is None:
        left_out.append(("the conditions", "no single model of the experiment's conditions learns"))
        return
    # A candidate of the forecast may have the same name, and their attributions lie in one table.
    spec = spec.model_copy(update={"name": f"{spec.model_id} (conditions)"})
    try:
        model = _fitted(session, view, replace(plan, models=(spec,)), spec.model_id)
    except (DefinitionError, EnvironmentProblem, NotEnoughHistory) as error:
        left_out.append((f"the conditions model {spec.model_id}", str(error.what)))
        return
    explained = model.explained
    frame = explained.frame()
    yield "attributions", frame[frame["horizon"].isin(EXPLAINED_HORIZONS)]
    yield from _groups(explained, groups)
    blocks = len(set(view.geography.groups(THRESHOLDS.block_level)[0].tolist()))
    if blocks < LEAST_BLOCKS:
        reason = f"{blocks} {THRESHOLDS.block_level} areas are too few to draw places from; {LEAST_BLOCKS} are needed"
        left_out.append(("stability, ledgers, curves and scenarios", reason))
        return
    refits = refit_attributions(
        view, model.plan, explained, seed=session.definitions.experiment.seed, jobs=session.jobs
    )  # fmt: skip
    left_out += [("stability", reason) for reason in refits.skipped]
    yield from _findings(view, model, refits)


def _first_learned(plan: Plan) -> ModelSpec | None:
    return next((spec for spec in plan.models if make_model(spec, plan.seed).learns), None)


def _fitted(session: Session, view: View, plan: Plan, model_id: str) -> _Model:
    # All months ahead: a scenario speaks of a year, and the season differs by month.
    forecasts = fit_and_forecast(view, plan, session.horizons, jobs=session.jobs)
    explained = explain_forecasts(view, plan, forecasts, model_id)
    first = next(f for f in forecasts.fitted if (f.model_id, f.horizon) == (model_id, explained.horizons[0]))
    return _Model(plan, explained, first.model)


def _findings(view: View, model: _Model, refits: Refits) -> Iterator[tuple[str, pd.DataFrame]]:
    import pandas as pd

    explained = model.explained
    clusters = make_clusters(explained)
    stability = build_stability(explained, refits, clusters)
    yield "stability", stability
    ledgers = [
        build_ledger(explained, refits, clusters, stability, places=_places(view, level))
        for level in LEDGER_LEVELS
        if level == "lsoa21" or level in view.geography.parents.columns
    ]
    yield "ledger", pd.concat(ledgers, ignore_index=True)
    resampled = [m for m, held in zip(refits.models, refits.resampled, strict=False) if held]
    yield "effects", build_effects(explained, model.fitted, resampled, features=_main(explained, stability))
    units = stability[(stability["mark"] == STABLE) & stability["kind"].isin(["factor", "domain"])]["unit"]
    known = {name for f in explained.features if f.kind == "factor" for name in (f.factor, f.domain)}
    yield (
        "scenarios",
        build_scenarios(
            explained, model.fitted, resampled, places=[str(area) for area in explained.areas],
            units=[unit for unit in units if unit in known], stability=stability,
        ),
    )  # fmt: skip


def _places(view: View, level: str) -> Places | None:
    if level == "lsoa21":
        return None
    index, codes = view.geography.groups(level)
    return Places(level, np.asarray(index, dtype=np.intp), codes)


def _main(explained: Explained, stability: pd.DataFrame) -> list[str]:
    """The first feature of each of the strongest factors."""
    first: dict[str, str] = {}
    for line in explained.features:
        if line.kind == "factor":
            first.setdefault(line.factor, line.label)
    factors = stability[stability["kind"] == "factor"].sort_values("rank", kind="stable")["unit"]
    return [first[name] for name in factors if name in first][:MAIN_FACTORS]


def _groups(explained: Explained, groups: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Where each group lives, for every characteristic that the run holds."""
    import pandas as pd

    made: list[tuple[pd.DataFrame, pd.DataFrame]] = []
    for characteristic, rows in groups.groupby("characteristic", sort=True):
        names = list(dict.fromkeys(rows["group"]))
        people = _people(rows, names, explained.areas)
        given: dict[str, Any] = {"characteristic": str(characteristic)}
        made.append(
            (
                build_group_attributions(explained, people, names, **given),
                build_group_differences(explained, people, names, **given),
            )
        )
    if made:
        means, differences = zip(*made, strict=True)
        yield "group_attributions", pd.concat(means, ignore_index=True)
        yield "group_differences", pd.concat(differences, ignore_index=True)


def _people(rows: pd.DataFrame, names: list[str], areas: npt.NDArray[np.str_]) -> npt.NDArray[np.float64]:
    """People [area, group]; an area without a row of the group has nobody of it in the source."""
    wide = rows.pivot_table(index="area", columns="group", values="population", aggfunc="sum")
    held = wide.reindex(index=areas, columns=names).to_numpy(dtype=np.float64)
    return np.asarray(np.nan_to_num(held), dtype=np.float64)


def explain_run(
    reference: str, *, workspace: Path, area: str | None = None, tracking_uri: str | None = None
) -> dict[str, pd.DataFrame]:
    """What a finished run found: an area's ledger, or the region's domains.

    Parameters
    ----------
    reference : str
        A run id, a prefix of one, or EXPERIMENT@latest.
    workspace : Path
    area : str, optional
        The code or the name of a place; the whole region if absent.
    tracking_uri : str, optional
        Another MLflow store than the workspace's own.

    Returns
    -------
    dict of str to DataFrame
        With an area ``ledger`` (its rows) and ``place`` (its row of ``places``); else ``leaning`` and ``stability``.

    Raises
    ------
    UsageError
        If the run is unknown, has not explained its models, or has no such area.
    """
    import tempfile

    import pandas as pd

    from riskmodel.tracking import fetch_artifacts, find_run

    stored = find_run(reference, workspace=workspace, uri=tracking_uri)
    wanted = ("ledger", "places") if area is not None else ("leaning", "stability")
    with tempfile.TemporaryDirectory() as scratch:
        folder = fetch_artifacts(stored, "bundle/tables", Path(scratch))
        found = {name: table for name in wanted if (table := _read(folder, name)) is not None}
    if not set(wanted) & set(found) - {"places"}:
        raise UsageError(
            f"run {stored.run_id} holds no {wanted[0]} table",
            hint=f"give {stored.experiment} conditions, or run it again: riskmodel run {stored.experiment}",
        )
    if area is None:
        return found
    place = _place_named(found["places"], area)
    ledger = found["ledger"]
    rows = ledger[(ledger["location"] == place["location"]) & (ledger["level"] == place["level"])]
    return {"ledger": rows.reset_index(drop=True), "place": pd.DataFrame([place])}


def _read(folder: Path, name: str) -> pd.DataFrame | None:
    import pandas as pd

    for path in (folder / f"{name}.parquet", folder / f"{name}.csv"):
        if path.is_file():
            return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    return None


def _place_named(places: pd.DataFrame, wanted: str) -> dict[str, Any]:
    """A row of ``places`` by code or name; the smallest level where several have the name."""
    listed: list[dict[str, Any]] = places.to_dict("records")  # type: ignore[assignment]
    held = [row for row in listed if row["level"] in LEDGER_LEVELS]
    held.sort(key=lambda row: LEDGER_LEVELS.index(row["level"]))
    asked = wanted.strip().casefold()
    for column in ("location", "name"):
        fits = [row for row in held if str(row[column]).casefold() == asked]
        if fits:
            return fits[0]
    known = {str(row[column]).casefold(): str(row[column]) for row in held for column in ("location", "name")}
    close = get_close_matches(asked, known, n=1)
    raise UsageError(
        f"the run has no area '{wanted}'",
        allowed="the code or the name of an LSOA, an MSOA or a district",
        hint=f"did you mean '{known[close[0]]}'?" if close else f"for example --area {held[0]['location']}",
    )
