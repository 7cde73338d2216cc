"""Targets beside the headline: each forecast as if alone, marked as its source is, and set against the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from conftest import read_back
from riskmodel.contracts.errors import DefinitionError
from riskmodel.contracts.tables import TABLES, as_table
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.forecast import fit_and_forecast
from riskmodel.narrative.bundle import write_table
from riskmodel.sources.synthetic import SyntheticRegion
from riskmodel.workflow.agreement import differences, movement, ranking
from riskmodel.workflow.definitions import read_definitions
from riskmodel.workflow.narration import LONG
from riskmodel.workflow.outlooks import all_horizons
from riskmodel.workflow.session import Session, open_session
from riskmodel.workflow.streams import SideForecasts, forecast_streams, stream_tables
from riskmodel.workflow.target_versions import version_problems

JOINED = ("forecasts", "outlook", "history")
EXPERIMENT = """question: What is recorded, and what do others see?
region: {force: FORCE}
data: build/synthetic
target: recorded_violence
feature_set: history
models:
  - {use: rolling_12}
  - {use: historic_mean}
  - {use: poisson_ridge}
horizons: 4
draws: 100
backtest: {first_origin: 2025-02, every_months: 4}
also:
  - {target: recorded_violence_all, models: [poisson_ridge]}
  - {target: emergency_department_assaults}
  - {target: emergency_department_under_25, models: [historic_mean]}
  - {target: possession_of_weapons, models: [historic_mean]}
  - {target: weighed, models: [historic_mean]}
  - {target: ambulance_assaults, models: [historic_mean]}
"""
WEIGHED = """title: A score of violence and robbery
version: 3
covers: Located records, robbery at three times the weight of violence
leaves_out: The rest
differs: Weights are invented
source: police_uk
measures: [violence_and_sexual_offences, robbery]
weights: {violence_and_sexual_offences: 1.5, robbery: 4.5}
"""


def with_experiment(workspace: Workspace, text: str = EXPERIMENT) -> Workspace:
    force = read_definitions(workspace, "demo").experiment.region.force
    written = {"target/weighed": WEIGHED, "experiment/streams": text.replace("FORCE", force)}
    for name, content in written.items():
        workspace.path(*name.split("/")).write_text(content, encoding="utf-8", newline="\n")
    return workspace


def session_of(workspace: Workspace, region: SyntheticRegion, text: str = EXPERIMENT) -> Session:
    return open_session(read_definitions(with_experiment(workspace, text), "streams"), data=region.directory)


@pytest.fixture(scope="module")
def session(repository: Path, tmp_path_factory: pytest.TempPathFactory, synthetic_region: SyntheticRegion) -> Session:
    import shutil

    root = tmp_path_factory.mktemp("streams")
    for room in ("features", "experiments", "fairness"):
        shutil.copytree(repository / room, root / room)
    return session_of(Workspace(root), synthetic_region)


@pytest.fixture(scope="module")
def side(session: Session) -> SideForecasts:
    return forecast_streams(session)


@pytest.fixture(scope="module")
def tables(session: Session, side: SideForecasts) -> dict[str, pd.DataFrame]:
    return stream_tables(session, side)


def test_every_target_says_what_it_is(session: Session, tables: dict[str, pd.DataFrame]) -> None:
    streams = tables["streams"].set_index("target")
    assert streams["shown_as"].tolist() == ["headline", *["beside"] * 6]
    assert streams.index.tolist() == list(session.definitions.target_hashes)
    restricted = set(streams.index[streams["sensitivity"] == "restricted"])
    assert restricted == {label for label in streams.index if label.startswith(("emergency", "ambulance"))}
    assert streams.index[streams["police_generated"]].tolist() == ["possession_of_weapons@1"]
    assert streams.loc["weighed@3", "measures"] == "1.5 x violence_and_sexual_offences + 4.5 x robbery"
    assert streams.loc["emergency_department_under_25@1", "breakdown"] == "age_band: 0_15, 16_24"
    assert (streams["title"] != "").all() and (streams["differs"] != "").all() and (streams["note"] == "").all()
    assert streams.loc["recorded_violence_all@1", "unit"] != streams.loc["recorded_violence@1", "unit"]


@pytest.mark.parametrize("name", ["emergency_department_under_25", "emergency_department_assaults"])
def test_a_target_beside_is_forecast_as_if_it_were_alone(
    session: Session, side: SideForecasts, workspace: Workspace, synthetic_region: SyntheticRegion, name: str
) -> None:
    beside = next(m for m in side.made if m.side.name == name)
    alone = EXPERIMENT.partition("also:")[0].replace("target: recorded_violence", f"target: {name}")
    kept = "".join(
        line for line in alone.splitlines(keepends=True)
        if "use:" not in line or any(m.model_id in line for m in beside.plan.models)
    )  # fmt: skip
    other = session_of(workspace, synthetic_region, kept + f"floor: {beside.plan.floor}\n")
    view = other.held.panel.as_of(session.as_of)
    plan = other.definitions.plan
    made = fit_and_forecast(view, plan, all_horizons(view, plan, 4))
    assert made.model_ids == beside.forecasts.model_ids and made.horizons == beside.forecasts.horizons
    assert np.array_equal(made.mean, beside.forecasts.mean, equal_nan=True)


def test_tables_hold_every_target_under_its_label(session: Session, tables: dict[str, pd.DataFrame]) -> None:
    labels = list(session.definitions.target_hashes)[1:]
    for name in ("stream_backtest", "stream_comparison"):
        assert tables[name]["target"].unique().tolist() == labels
    shown = tables["stream_outlook"]
    assert shown["target"].unique().tolist() == [name for name in labels if name != "weighed@3"]
    assert set(shown["reliability"]) == {"not judged"}
    fine = shown[shown["level"] == "lsoa21"]["window"].unique().tolist()
    assert set(fine) <= {"12_months", "financial_year"}
    bases = tables["stream_forecasts"]["target"].str.partition(":")[0]
    assert set(bases) == set(labels)
    held = tables["stream_backtest"]
    assert set(held["output_type"]) == {"mean"}


def test_every_table_keeps_its_record_when_it_is_written_and_read_back(
    tables: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    # The bundle joins these to the headline's, under the headline's name.
    own = {name: table for name, table in tables.items() if name.removeprefix("stream_") not in JOINED}
    assert set(tables) - set(own) == {f"stream_{name}" for name in JOINED}
    for name, table in own.items():
        path = tmp_path / f"{name}.{'parquet' if name in LONG else 'csv'}"
        write_table(path, table)
        assert len(as_table(read_back(path), TABLES[name])) == len(table)


def test_observed_is_of_the_target_itself(session: Session, tables: dict[str, pd.DataFrame]) -> None:
    view = session.held.panel.as_of(session.as_of)
    places = dict(zip(view.geography.areas.tolist(), range(len(view.geography.areas)), strict=True))
    for side in session.definitions.also:
        rows = tables["stream_backtest"].query("target == @side.label and model_id == 'rolling_12'")
        series = view.recorded(side.target)
        month = rows["target_end_date"].dt.year * 12 + rows["target_end_date"].dt.month - 1 - view.panel.first_month
        recorded = series[rows["location"].map(places).to_numpy(), month.to_numpy()]
        assert np.array_equal(rows["observed"].to_numpy(), recorded.astype(float))


def test_a_score_has_means_and_no_range(tables: dict[str, pd.DataFrame]) -> None:
    forecasts = tables["stream_forecasts"]
    kinds = forecasts[forecasts["target"] == "weighed@3"]["output_type"].unique().tolist()
    assert kinds == ["mean"]
    assert (forecasts["target"].str.startswith("weighed") & (forecasts["level"] != "lsoa21")).sum() == 0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("possession_of_weapons", "it follows what the police do"),
        ("weighed", "a weighted score has no likely range"),
        ("recorded_violence_all", "its numbers are estimates"),
    ],
)
def test_what_may_stand_beside_a_headline_may_not_be_one(workspace: Workspace, name: str, said: str) -> None:
    alone = EXPERIMENT.partition("also:")[0]
    with_experiment(workspace, alone.replace("target: recorded_violence", f"target: {name}"))
    with pytest.raises(DefinitionError, match=f"the target '{name}' is never a headline: {said}"):
        read_definitions(workspace, "streams")


def test_a_target_without_enough_history_stops_no_other(
    workspace: Workspace, synthetic_region: SyntheticRegion
) -> None:
    text = EXPERIMENT.replace("backtest: {first_origin: 2025-02, every_months: 4}", "backtest: {first_origin: 2025-11}")
    kept = text.partition("also:")[0] + "also:\n  - {target: emergency_department_assaults, models: [historic_mean]}\n"
    session = session_of(workspace, synthetic_region, kept.replace("2025-11}", "2025-11, minimum_origins: 4}"))
    found = forecast_streams(session)
    assert not found.made
    (note,) = found.notes.values()
    assert note.startswith("not forecast: too few past origins")
    tables = stream_tables(session, found)
    assert set(tables) == {"streams", "recording"}
    assert tables["streams"]["note"].tolist() == ["", note]


def test_streams_are_compared_on_the_months_both_hold(session: Session, tables: dict[str, pd.DataFrame]) -> None:
    view = session.held.panel.as_of(session.as_of)
    targets = {"recorded_violence@1": session.definitions.target} | {
        s.label: s.target for s in session.definitions.also
    }
    agreement = tables["agreement"]
    pairs = agreement[["target", "other"]].drop_duplicates()
    assert {frozenset(targets[name].stream for name in pair) for pair in pairs.to_numpy()} == {
        frozenset(pair)
        for pair in (("police", "emergency_department"), ("police", "ambulance"), ("emergency_department", "ambulance"))
    }
    assert (agreement["sensitivity"] == "restricted").all()
    row = agreement[(agreement["other"] == "emergency_department_assaults@1") & (agreement["level"] == "msoa21")].iloc[
        0
    ]
    frames = []
    for name in ("recorded_violence@1", "emergency_department_assaults@1"):
        series = view.recorded(targets[name])
        frames.append(pd.DataFrame(series, index=view.geography.parents["msoa21"]))
    months = [c for c in range(min(f.shape[1] for f in frames)) if all(f[c].notna().all() for f in frames)][-12:]
    one, other = (f[months].sum(axis=1).groupby(level=0).sum() for f in frames)
    assert row["kendall"] == pytest.approx(kendalltau(one, other).statistic)
    top = -(-len(one) // 10)
    firsts = [set(counts.sort_values(ascending=False, kind="stable").index[:top]) for counts in (one, other)]
    assert row["overlap"] == len(firsts[0] & firsts[1]) / top
    assert row["sentence"].endswith("Neither sees all violence.")


def test_areas_are_named_only_above_the_limit(tables: dict[str, pd.DataFrame]) -> None:
    apart = tables["disagreement"]
    assert (apart[["recorded", "recorded_other"]] >= 10).all(axis=None)


def test_two_streams_that_say_the_same_agree_wholly_and_opposites_do_not() -> None:
    one = np.array([50.0, 40, 30, 20, 10, 5, 4, 3, 2, 1, 0])
    assert ranking(one, 3 * one)[1:] == (1.0, 2, 1.0)
    assert ranking(one, -one)[1:] == (-1.0, 2, 0.0)
    assert np.isnan(ranking(one[:2], one[:2]).kendall) and np.isnan(ranking(one, 0 * one).kendall)
    assert not list(differences(one, 3 * one, list("abcdefghijk")))


def test_changes_are_compared_between_months_that_follow_each_other() -> None:
    random = np.random.default_rng(3)
    season = 1 + 0.3 * np.sin(np.arange(240) * np.pi / 6)
    shared, own = random.poisson(400, 240), random.poisson(400, (2, 240))
    together = [(shared + part) * season for part in own]
    found = movement(*together, first_month=0)
    assert found.low < 0.5 < found.high and found.changes == 239
    apart = movement(own[0] * season, own[1] * season, first_month=0)
    assert apart.low < 0 < apart.high
    holed = [t.astype(float) for t in together]
    holed[0][10] = np.nan
    assert movement(*holed, first_month=0).changes == 237
    assert np.isnan(movement(together[0][:10], together[1][:10], first_month=0).correlation)


def test_the_areas_that_differ_most_beyond_chance_come_first_and_small_counts_never() -> None:
    one = np.array([1000.0, 1000, 1000, 9, 1000])
    other = np.array([100.0, 160, 105, 40, 60])
    found = list(differences(one, other, list("abcde"), least=20))
    assert [d.location for d in found] == ["e", "b"]
    assert found[0].expected == pytest.approx(1000 * other.sum() / one.sum())
    assert next(differences(one, other, list("abcde"), least=1)).location == "d"


def test_a_definition_that_changed_under_its_version_is_refused_by_name(workspace: Workspace) -> None:
    before = read_definitions(with_experiment(workspace), "streams")
    recorded = {label: {sha256: "3f9ac0de"} for label, sha256 in before.target_hashes.items()}
    assert not list(version_problems(before, recorded))
    path = workspace.path("target", "weighed")
    path.write_text(WEIGHED.replace("4.5", "5.5"), encoding="utf-8", newline="\n")
    (problem,) = version_problems(read_definitions(workspace, "streams"), recorded)
    assert "the definition of 'weighed@3' is not the one that earlier runs had" in str(problem)
    assert f"{path.as_posix()}:2" in str(problem) and "run 3f9ac0de" in str(problem)
    assert "write version: 4" in str(problem)
    path.write_text(WEIGHED.replace("4.5", "5.5").replace("version: 3", "version: 4"), encoding="utf-8", newline="\n")
    assert not list(version_problems(read_definitions(workspace, "streams"), recorded))
