"""The conditions model: the experiment's target, exposure and region, from factors alone.

In: a session whose experiment has ``conditions``. Out: its own backtest against residents times the region's rate, in
tables of its own; it is never mixed with the forecast model, which may lean on history and so hides what conditions
go with recorded violence. What it shows is association.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodel.backtest.compare import build_comparison
from riskmodel.backtest.run import Backtest, backtest_origins, run_backtest
from riskmodel.contracts.comparison_tables import CONDITIONS_COMPARISON, CONDITIONS_HINDSIGHT
from riskmodel.contracts.errors import DefinitionError, RiskmodelError
from riskmodel.contracts.left_out_tables import CONDITIONS_LEFT_OUT
from riskmodel.contracts.specs import (
    CONDITIONS_BASELINE,
    ExperimentSpec,
    FactorSpec,
    FeatureSpec,
    ModelSpec,
    PolicySpec,
    TargetSpec,
)
from riskmodel.contracts.tables import as_table
from riskmodel.contracts.yaml_files import Workspace, place_in
from riskmodel.features.catalogue import ResolvedFeature, resolve_features
from riskmodel.forecast import Plan, make_model
from riskmodel.models.ensemble import Ensemble
from riskmodel.panel.view import Panel, Static

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.workflow.definitions import Definitions
    from riskmodel.workflow.session import Session

__all__ = [
    "AS_KNOWN",
    "HINDSIGHT",
    "conditions_comparison",
    "conditions_plan",
    "conditions_tables",
    "resolve_conditions",
    "with_newest_vintages",
]

AS_KNOWN = "as known at each origin"
HINDSIGHT = "hindsight: newest vintages at all origins"
_NOT_SKILL = "hindsight, not skill"


def resolve_conditions(
    workspace: Workspace, experiment: ExperimentSpec, target: TargetSpec, *, policy: PolicySpec, where: Path
) -> tuple[ResolvedFeature, ...]:
    """The features of the conditions model, empty where the experiment has none.

    Parameters
    ----------
    workspace : Workspace
    experiment : ExperimentSpec
    target : TargetSpec
    policy : PolicySpec
        It can permit a refused factor, but no stream of the outcome.
    where : Path
        The experiment's file, for messages.

    Raises
    ------
    DefinitionError
        Listing every feature that is, or holds, a stream of the outcome, and every model that starts from one.
    """
    spec = experiment.conditions
    if spec is None:
        return ()
    problems: list[RiskmodelError | str] = []
    for index, model in enumerate(spec.models):
        try:
            _require_no_history(model, experiment.seed)
        except DefinitionError as error:
            problems.append(error.at(place_in(where, "conditions", "models", index)))
    resolved: list[ResolvedFeature] = []
    try:
        held = workspace.read("set", spec.feature_set)
    except DefinitionError as error:
        absent = not workspace.path("set", spec.feature_set).is_file()
        problems.append(error.at(place_in(where, "conditions", "feature_set")) if absent else error)
    else:
        path = workspace.path("set", spec.feature_set)
        problems += _outcome_streams(workspace, held.features, path)
        try:
            resolved = resolve_features(workspace, held, target, policy=policy, where=path.as_posix())
        except DefinitionError as error:
            problems.append(error)
    if problems:
        raise DefinitionError.of_all(problems)
    return tuple(resolved)


def _require_no_history(spec: ModelSpec, seed: int) -> None:
    model = make_model(spec, seed)
    if spec.search is not None:
        # What it finds is compared between origins and runs, which settings that change would blur.
        raise DefinitionError(
            f"conditions model '{spec.model_id}': its settings are not searched",
            hint="take search: out; state the settings under params",
        )
    if not model.learns and not isinstance(model, Ensemble):
        raise DefinitionError(f"conditions model '{spec.model_id}': a baseline rests on history and learns no factor")
    if isinstance(model, Ensemble) or (model.offset == "exposure" and model.level == "learned"):
        return
    raise DefinitionError(
        f"conditions model '{spec.model_id}' must start from the residents, not from history",
        found=f"offset: {model.offset}, level: {model.level}",
        allowed="offset: exposure, level: learned",
        hint="write params: {offset: exposure, level: learned}",
    )


def _outcome_streams(workspace: Workspace, features: Sequence[FeatureSpec], path: Path) -> Iterator[DefinitionError]:
    """Features that are the target's past, a recorded-crime measure, or hold the outcome; no policy permits these."""
    recorded = {t.source: t.stream for t in workspace.read_all("target").values()}
    factors: Mapping[str, FactorSpec] = {
        f"{domain}/{name}": factor
        for domain, held in workspace.read_all("factor").items()
        for name, factor in held.factors.items()
    }
    for index, feature in enumerate(features):
        for name in (feature.of, str(feature.params.get("with", ""))):
            reason = "is the target's own past" if name == "target" else None
            if name.startswith("target/"):
                reason = "is another target's past"
            if name in factors:
                factor = factors[name]
                if factor.contains_outcome:
                    reason = "contains the outcome"
                elif factor.source in recorded:
                    police = recorded[factor.source] == "police"
                    what = "a recorded-crime measure of" if police else "of another stream of the outcome,"
                    reason = f"is {what} '{factor.source}'"
            if reason:
                yield DefinitionError(
                    f"the conditions model takes factors only: '{name}' {reason}",
                    where=place_in(path, "features", index),
                    hint="leave it to the forecast model's feature set; no policy can permit it here",
                )


def conditions_plan(definitions: Definitions) -> Plan:
    """What a forecast of the conditions models depends on besides the view; the region's rate comes first.

    Raises
    ------
    DefinitionError
        If the experiment has no conditions model.
    """
    spec = definitions.experiment.conditions
    if spec is None:
        raise DefinitionError(
            f"the experiment '{definitions.name}' has no conditions model",
            hint="add conditions: {feature_set: conditions, models: [{use: lightgbm}]}",
        )
    models = (ModelSpec(use=CONDITIONS_BASELINE), *spec.models)
    return replace(definitions.plan, features=definitions.conditions, models=models)


def with_newest_vintages(panel: Panel, day: date) -> Panel:
    """The panel with the newest vintage published by a day shown at every date: hindsight, to be said wherever used."""
    vintages: dict[tuple[str, str], Any] = {}
    for key, held in panel.static.vintages.items():
        visible = [v for v in held if v.published <= day]
        if visible:
            vintages[key] = [replace(visible[-1], published=date.min)]
    return replace(panel, static=Static(vintages))


def conditions_comparison(session: Session) -> pd.DataFrame:
    """What the factors add to residents times the region's rate, at past origins.

    Returns
    -------
    DataFrame
        The ``conditions_comparison`` noun. With ``hindsight`` the ``conditions_hindsight`` noun: the difference stands
        in ``hindsight_fit``, and skill, low and high are blank, for it is no skill.

    Raises
    ------
    DefinitionError
        If the experiment has no conditions model.
    NotEnoughHistory
        If too few past origins can be forecast from.
    """
    return _compared(session, _backtest(session))


def conditions_tables(session: Session) -> dict[str, pd.DataFrame]:
    """The tables of the conditions model and of what each domain earns, as far as the experiment asks for them."""
    import pandas as pd

    from riskmodel.workflow.domains import domain_ablation

    tables: dict[str, pd.DataFrame] = {}
    spec = session.definitions.experiment.conditions
    if spec is not None:
        backtest = _backtest(session)
        record = CONDITIONS_HINDSIGHT if spec.hindsight else CONDITIONS_COMPARISON
        tables[record.name] = _compared(session, backtest)
        rows = [
            (origin, f"feature left out: {name}", reason)
            for origin, features in backtest.left_out.items()
            for name, reason in features.items()
        ]
        rows += [(gap.origin, gap.what, gap.reason) for gap in backtest.gaps]
        left_out = pd.DataFrame(rows, columns=CONDITIONS_LEFT_OUT.names)
        tables["conditions_left_out"] = as_table(left_out, CONDITIONS_LEFT_OUT)
    if session.definitions.experiment.ablation is not None:
        tables["domains"] = domain_ablation(session)
    return tables


def _backtest(session: Session) -> Backtest:
    from threadpoolctl import threadpool_limits

    definitions, panel = session.definitions, session.held.panel
    plan, spec = conditions_plan(definitions), definitions.experiment.conditions
    if spec is not None and spec.hindsight:
        panel = with_newest_vintages(panel, session.as_of)
    lateness = panel.as_of(session.as_of).lateness(plan.target.source)
    origins = backtest_origins(definitions.experiment.backtest, as_of=session.as_of, lateness=lateness)
    with threadpool_limits(1), session.listener.task("Backtest of the conditions model", len(origins)) as step:
        return run_backtest(
            panel,
            plan,
            definitions.experiment.backtest,
            as_of=session.as_of,
            horizons=spec.horizons if spec is not None else (),
            quantiles=(),
            jobs=session.jobs,
            step=step,
        )


def _compared(session: Session, backtest: Backtest) -> pd.DataFrame:
    spec = session.definitions.experiment.conditions
    table = build_comparison(backtest.table, baseline=CONDITIONS_BASELINE, seed=session.definitions.experiment.seed)
    # The baseline is no count of an area's own past, so the verdicts of the forecast's comparison would mislead.
    table["verdict"] = table["verdict"].str.replace("counting", "the region's rate", regex=False)
    if spec is None or not spec.hindsight:
        return as_table(table.assign(vintages=AS_KNOWN), CONDITIONS_COMPARISON)
    table = table.assign(vintages=HINDSIGHT, hindsight_fit=table["skill"], verdict=_NOT_SKILL)
    table[["skill", "low", "high"]] = float("nan")
    table["model_id"] += " (hindsight)"
    return as_table(table, CONDITIONS_HINDSIGHT)
