"""The conditions model: what it may be made of, what it is measured against, hindsight, and what each domain earns."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from builders import FIRST, INCOME, tiny_panel
from conftest import read_back
from riskmodel.backtest.run import run_backtest
from riskmodel.contracts.errors import DefinitionError
from riskmodel.contracts.periods import month_start
from riskmodel.contracts.specs import ConditionsSpec, ExperimentSpec, ModelSpec
from riskmodel.contracts.tables import TABLES, as_table
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.explain.adds import ALL_CONDITIONS, ALL_FACTORS, factors_add
from riskmodel.narrative.bundle import write_table
from riskmodel.sources.synthetic import SyntheticRegion
from riskmodel.workflow.conditions import (
    AS_KNOWN,
    HINDSIGHT,
    conditions_comparison,
    conditions_plan,
    conditions_tables,
    with_newest_vintages,
)
from riskmodel.workflow.definitions import Definitions, read_definitions
from riskmodel.workflow.domains import domain_ablation
from riskmodel.workflow.session import Session, open_session

SET = """title: Conditions of a small region
features:
  - {of: exposure, transform: latest}
  - {of: community/density, transform: latest}
  - {of: society/income_deprivation, transform: latest}
  - {of: society/owned_homes, transform: quantile_in_region}
  - {of: society/income_deprivation, transform: interaction, params: {with: community/density}}
  - {of: individual/good_health, transform: latest}
"""
EXPERIMENT = """question: What goes with recorded violence here?
region: {force: FORCE}
data: build/synthetic
feature_set: small
models:
  - {use: rolling_12}
  - {use: poisson_ridge}
backtest: {first_origin: FIRST, every_months: 2}
conditions:
  feature_set: small_conditions
  horizons: [1, 3]
  models:
    - {use: poisson_ridge, params: {offset: exposure, level: learned}}
    - {use: lightgbm, params: {trees: 5, minimum_rows: 20}}
ablation: true
"""


def write(workspace: Workspace, **changes: tuple[str, str]) -> Workspace:
    force = read_definitions(workspace, "demo").experiment.region.force
    text = EXPERIMENT.replace("FORCE", force).replace("FIRST", "2025-03")
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new)
    files = {"experiment/conditions": text, "set/small_conditions": SET}
    files["set/small"] = SET + "  - {of: target, transform: rolling_mean, params: {window: 12}}\n"
    for name, content in files.items():
        path = workspace.path(*name.split("/"))
        path.write_text(content, encoding="utf-8", newline="\n")
    return workspace


def session_of(workspace: Workspace, region: SyntheticRegion, **changes: tuple[str, str]) -> Session:
    return open_session(read_definitions(write(workspace, **changes), "conditions"), data=region.directory)


@pytest.fixture
def session(workspace: Workspace, synthetic_region: SyntheticRegion) -> Session:
    return session_of(workspace, synthetic_region)


def refusal(workspace: Workspace, feature: str) -> str:
    path = workspace.path("set", "small_conditions")
    write(workspace)
    path.write_text(f"{SET}  - {feature}\n", encoding="utf-8", newline="\n")
    with pytest.raises(DefinitionError) as found:
        read_definitions(workspace, "conditions")
    assert f"{path.as_posix()}:9" in str(found.value)
    return str(found.value)


@pytest.mark.parametrize(
    ("feature", "reason"),
    [
        ("{of: target, transform: rolling_mean, params: {window: 12}}", "is the target's own past"),
        ("{of: target, transform: season}", "is the target's own past"),
        ("{of: community/burglary, transform: rolling_mean, params: {window: 12}}", "is a recorded-crime measure"),
        (
            "{of: society/owned_homes, transform: interaction, params: {with: community/burglary}}",
            "'community/burglary' is a recorded-crime measure",
        ),
        (
            "{of: society/owned_homes, transform: interaction, params: {with: target}}",
            "'target' is the target's own past",
        ),
    ],
)
def test_nothing_of_the_outcome_gets_in(workspace: Workspace, feature: str, reason: str):
    assert reason in refusal(workspace, feature)


def test_a_factor_that_contains_the_outcome_stays_out_even_where_a_policy_permits_it(workspace: Workspace):
    factors = {
        f"{domain}/{name}": factor
        for domain, held in workspace.read_all("factor").items()
        for name, factor in held.factors.items()
    }
    name = next(name for name, factor in factors.items() if factor.contains_outcome)
    policy = workspace.path("policy", "default")
    permission = f"permitted_factors:\n  - {{factor: {name}, reason: r, decided_by: d, expires: 2099-01-01}}"
    text = policy.read_text(encoding="utf-8").replace("permitted_factors: []", permission)
    policy.write_text(text, encoding="utf-8", newline="\n")
    said = refusal(workspace, f"{{of: {name}, transform: latest}}")
    assert f"'{name}' contains the outcome" in said
    assert "no policy can permit it here" in said


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("{use: poisson_ridge}", "must start from the residents"),
        ("{use: lightgbm, name: a, params: {offset: rolling_12}}", "must start from the residents"),
        ("{use: lightgbm, name: a, params: {level: offset}}", "must start from the residents"),
        ("{use: eb_seasonal}", "a baseline rests on history"),
        ("{use: lightgbm, name: region_rate}", "is what the models are measured against"),
    ],
)
def test_a_model_that_starts_from_history_is_refused(workspace: Workspace, model: str, message: str):
    old = "{use: poisson_ridge, params: {offset: exposure, level: learned}}"
    write(workspace, change=(old, model))
    with pytest.raises(DefinitionError, match=message):
        read_definitions(workspace, "conditions")


def test_a_missing_set_is_named_where_the_experiment_names_it(workspace: Workspace):
    write(workspace, change=("small_conditions", "small_condition"))
    with pytest.raises(DefinitionError, match=r"conditions.yaml:10: there is no set"):
        read_definitions(workspace, "conditions")


def test_what_is_measured_is_read_and_hashed(workspace: Workspace):
    first = read_definitions(write(workspace), "conditions")
    assert [f.label for f in first.conditions][1] == "community/density.latest"
    assert "census2021" in first.measures
    path = workspace.path("set", "small_conditions")
    path.write_text(SET.replace("{of: exposure, transform: latest}", "{of: exposure, transform: latest, name: people}"))
    assert read_definitions(workspace, "conditions").digest != first.digest


def test_an_experiment_without_conditions_has_no_table(workspace: Workspace, synthetic_region: SyntheticRegion):
    session = open_session(read_definitions(workspace, "demo"), data=synthetic_region.directory)
    if session.definitions.experiment.conditions is None and session.definitions.experiment.ablation is None:
        assert conditions_tables(session) == {}
        with pytest.raises(DefinitionError, match="has no conditions model"):
            conditions_plan(session.definitions)


def test_the_comparison_is_against_residents_times_the_regions_rate(session: Session):
    tables = conditions_tables(session)
    table = tables["conditions_comparison"]
    assert set(table["baseline"]) == {"region_rate"}
    assert set(table["model_id"]) == {"poisson_ridge", "lightgbm"}
    assert set(table["vintages"]) == {AS_KNOWN}
    assert not table["verdict"].str.contains("counting").any()
    plan = conditions_plan(session.definitions)
    assert {f.domain for f in plan.features}.isdisjoint({"history"})
    backtest = run_backtest(
        session.held.panel,
        plan,
        session.definitions.experiment.backtest,
        as_of=session.as_of,
        horizons=[1, 3],
        quantiles=(),
    ).table
    assert set(backtest["horizon"]) == {1, 3}
    assert set(backtest["output_type"]) == {"mean"}
    mean, seen = backtest["value"].to_numpy(), backtest["observed"].to_numpy()
    logs = np.log(np.where(seen > 0, seen, 1.0) / mean)
    losses = pd.Series(2 * (np.where(seen > 0, seen * logs, 0.0) - seen + mean)).groupby(backtest["model_id"]).sum()
    overall = table[(table["origin_date"] == "all") & (table["horizon"] == "all")].set_index("model_id")["skill"]
    for name, skill in overall.items():
        assert skill == pytest.approx(1 - losses[name] / losses["region_rate"])
    domains = tables["domains"]
    assert set(domains["kind"]) == {"forecast", "conditions"}
    assert set(domains["verdict"]) <= {
        "earns its place", "no difference seen", "costs", "no interval", "not yet published",
    }  # fmt: skip


def test_every_table_keeps_its_record_when_it_is_written_and_read_back(session: Session, tmp_path: Path):
    tables = conditions_tables(session)
    assert set(tables) == {"conditions_comparison", "conditions_left_out", "domains"}
    for name, table in tables.items():
        write_table(tmp_path / f"{name}.csv", table)
        assert len(as_table(read_back(tmp_path / f"{name}.csv"), TABLES[name])) == len(table)


def test_a_forecast_that_was_not_made_is_left_out_with_its_horizon(
    workspace: Workspace, synthetic_region: SyntheticRegion
):
    change = ("ablation: true", "history: {minimum_training_origins: 1000}")
    left_out = conditions_tables(session_of(workspace, synthetic_region, change=change))["conditions_left_out"]
    wanted = {f"no forecast by {model} at horizon {h}" for model in ("poisson_ridge", "lightgbm") for h in (1, 3)}
    assert set(left_out["what"]) == wanted
    assert left_out["reason"].str.contains("1000 needed").all()


def test_hindsight_is_labelled_everywhere_and_is_no_skill(workspace: Workspace, synthetic_region: SyntheticRegion):
    change = ("  horizons: [1, 3]", "  horizons: [1]\n  hindsight: true")
    table = conditions_comparison(session_of(workspace, synthetic_region, change=change))
    assert set(table["vintages"]) == {HINDSIGHT}
    assert table["model_id"].str.endswith(" (hindsight)").all()
    assert table[["skill", "low", "high"]].isna().all(axis=None)
    assert set(table["verdict"]) == {"hindsight, not skill"}
    assert table["hindsight_fit"].notna().any()


def test_hindsight_shows_the_newest_vintage_of_the_day_at_every_date_and_nothing_newer():
    panel = tiny_panel(months=30)
    old, new = panel.static.vintages["iod", "income"]
    for day, expected in ((month_start(FIRST + 25), new), (month_start(FIRST + 15), old)):
        shown = with_newest_vintages(panel, day).as_of(month_start(FIRST + 10))
        assert np.array_equal(INCOME.values(shown), expected.values)  # a Vintage is no frame
    assert np.array_equal(INCOME.values(panel.as_of(month_start(FIRST + 10))), old.values)


def test_the_skill_a_domain_earns_is_the_difference_of_two_backtests(session: Session):
    """The oracle: skill of two backtests run apart, subtracted."""
    table = domain_ablation(session).set_index(["kind", "domain"])
    row = table.loc[("conditions", "society")]
    assert row["features"] == 3  # the interaction with density among them
    plan, spec = conditions_plan(session.definitions), session.definitions.experiment
    chosen = [plan.models[0], plan.models[1]]
    origins = [date.fromisoformat(f"{o}-01") for o in row["rests_on"].split("origins ")[1].split(", ")]
    months = [o.year * 12 + o.month - 1 for o in origins]
    rest = tuple(f for f in plan.features if "society/" not in f.factor)
    assert len(rest) == len(plan.features) - 3
    losses = {}
    for name, features in (("whole", plan.features), ("rest", rest)):
        made = run_backtest(
            session.held.panel, replace(plan, features=features, models=tuple(chosen)), spec.backtest,
            as_of=session.as_of, horizons=[1, 3, 6], quantiles=(), origins=months,
        ).table  # fmt: skip
        mean, seen = made["value"].to_numpy(), made["observed"].to_numpy()
        logs = np.log(np.where(seen > 0, seen, 1.0) / mean)
        loss = pd.Series(2 * (np.where(seen > 0, seen * logs, 0.0) - seen + mean)).groupby(made["model_id"]).sum()
        losses[name] = 1 - loss["poisson_ridge"] / loss["region_rate"]
    assert row["skill"] == pytest.approx(losses["whole"])
    assert row["skill_without"] == pytest.approx(losses["rest"])
    assert row["skill_lost"] == pytest.approx(losses["whole"] - losses["rest"])
    assert row["low"] <= row["skill_lost"] <= row["high"]


def test_the_history_only_model_stands_beside_the_full_one(session: Session):
    """The oracle: a backtest without any factor, run apart; other recorded crime stays where only conditions go."""
    definitions, panel = session.definitions, session.held.panel
    burglary = next(f for f in definitions.plan.features if f.factor == "target")
    other = replace(burglary, label="burglary", factor="community/burglary", domain="community", role="risk")
    other = replace(other, input=replace(other.input, name="community/burglary"))
    plan = replace(definitions.plan, features=(*definitions.plan.features, other))
    definitions = replace(definitions, features=plan.features)
    session = replace(session, held=replace(session.held, definitions=definitions))
    table = domain_ablation(session).set_index(["kind", "domain"])
    assert [name for kind, name in table.index if kind == "forecast"][-2:] == [ALL_FACTORS, ALL_CONDITIONS]
    assert (ALL_FACTORS not in table.loc["conditions"].index) and (ALL_CONDITIONS not in table.loc["conditions"].index)
    left = {ALL_FACTORS: ("target", "exposure"), ALL_CONDITIONS: ("target", "exposure", "community/burglary")}
    for name, kept in left.items():
        row = table.loc[("forecast", name)]
        features = tuple(f for f in plan.features if f.factor in kept)
        assert row["features"] == len(plan.features) - len(features)
        assert 0 < len(features) < len(plan.features)
        months = [int(o[:4]) * 12 + int(o[5:]) - 1 for o in row["rests_on"].split("origins ")[1].split(", ")]
        made = run_backtest(
            panel, replace(plan, features=features), definitions.experiment.backtest, as_of=session.as_of,
            horizons=[1, 3, 6], quantiles=(), origins=months,
        ).table  # fmt: skip
        mean, seen = made["value"].to_numpy(), made["observed"].to_numpy()
        logs = np.log(np.where(seen > 0, seen, 1.0) / mean)
        loss = pd.Series(2 * (np.where(seen > 0, seen * logs, 0.0) - seen + mean)).groupby(made["model_id"]).sum()
        assert row["skill_without"] == pytest.approx(1 - loss["poisson_ridge"] / loss["rolling_12"])
        assert row["skill_lost"] == pytest.approx(row["skill"] - row["skill_without"])
    assert "the area's own past" in factors_add(table.reset_index())


def test_a_forecast_without_factors_has_no_history_only_row(session: Session):
    plan = session.definitions.plan
    past = tuple(f for f in plan.features if f.factor in ("target", "exposure"))
    definitions = replace(session.definitions, features=past)
    alone = replace(session, held=replace(session.held, definitions=definitions))
    table = domain_ablation(alone)
    assert not table["domain"].isin([ALL_FACTORS, ALL_CONDITIONS]).any()
    assert factors_add(table) == "The forecast model holds no factors: it rests on the area's own past."


def test_a_domain_that_no_origin_could_see_is_not_yet_published(session: Session):
    panel = session.held.panel
    late = {
        key: [replace(v, published=date(2099, 1, 1)) for v in held] if "good_health" in key[1] else held
        for key, held in panel.static.vintages.items()
    }
    assert late != panel.static.vintages
    held = replace(session.held, panel=replace(panel, static=replace(panel.static, vintages=late)))
    table = domain_ablation(replace(session, held=held)).set_index(["kind", "domain"])
    row = table.loc[("conditions", "individual")]
    assert row["verdict"] == "not yet published"
    assert "first published 2099-01-01" in row["not_yet_published"]


def test_an_ablation_of_a_model_that_does_not_learn_is_refused(workspace: Workspace, synthetic_region: SyntheticRegion):
    session = session_of(workspace, synthetic_region, change=("ablation: true", "ablation: {model: rolling_12}"))
    with pytest.raises(DefinitionError, match="no model that learns: 'rolling_12'"):
        domain_ablation(session)


def test_true_and_false_stand_for_the_defaults_and_for_none():
    base = {"question": "q", "region": {"force": "f"}, "models": [{"use": "rolling_12"}]}
    base["backtest"] = {"first_origin": "2024-01"}
    assert ExperimentSpec(**base, ablation=True).ablation.horizons == [1, 3, 6]
    assert ExperimentSpec(**base, ablation=False).ablation is None
    assert ConditionsSpec(models=[ModelSpec(use="lightgbm")]).horizons == [1, 6, 12]


def test_the_definitions_are_those_of_the_workspace(workspace: Workspace):
    """The set that ships is a conditions set: it resolves under its own rules."""
    write(workspace, change=("small_conditions", "conditions"))
    definitions: Definitions = read_definitions(workspace, "conditions")
    assert Path(workspace.path("set", "conditions")).is_file()
    assert len(definitions.conditions) >= 10
    assert {f.domain for f in definitions.conditions}.isdisjoint({"history"})
