"""What a finished run found, in the terminal: a place's ledger, the region's domains, and what is said of mistakes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

EXPERIMENT = """question: Which conditions are found with recorded violence?
region: {force: lindenshire}
data: build/synthetic
feature_set: small
models:
  - {use: rolling_12}
  - {use: poisson_ridge}
  - {name: glass, use: explainable_boosting, params: {rounds: 5, smoothing: 0}}
horizons: 2
backtest: {first_origin: 2024-06, every_months: 6}
conditions:
  feature_set: few_conditions
  models: [{use: poisson_ridge, params: {offset: exposure, level: learned}}]
  horizons: [1]
"""
CONDITIONS = """title: A few conditions
features:
  - {of: society/income_deprivation, transform: latest}
  - {of: society/owned_homes, transform: latest}
  - {of: community/private_renting, transform: latest}
"""


pytest.importorskip("interpret", reason="the extra glassbox is not installed")


@pytest.fixture(scope="module")
def explained(command: Any, small_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A workspace with a finished run of both models, and its bundle."""
    folder = tmp_path_factory.mktemp("explained")
    assert command("init", folder).code == 0
    for name in ("features/sets/small.yaml",):
        (folder / name).write_bytes((small_workspace / name).read_bytes())
    (folder / "features" / "sets" / "few_conditions.yaml").write_text(CONDITIONS, encoding="utf-8")
    (folder / "experiments" / "both.yaml").write_text(EXPERIMENT, encoding="utf-8")
    data = small_workspace / "build" / "synthetic"
    done = command("run", "both", "--workspace", folder, "--data", data, "--out", folder / "bundle", "--jobs", 1)
    assert done.code == 0, done.err
    return folder, folder / "bundle"


def test_the_run_leaves_the_tables_and_a_page_that_is_linked(explained: tuple[Path, Path]) -> None:
    bundle = explained[1]
    assert 'href="model.html"' in (bundle / "forecast.html").read_text(encoding="utf-8")
    page = (bundle / "model.html").read_text(encoding="utf-8")
    assert 'href="forecast.html"' in page
    assert re.search(r"glass box \(?glass|glass, is a glass box", page)
    figures = {path.stem for path in (bundle / "figures").glob("model-*.svg")}
    assert {"model-leaning-class", "model-conditions-strength", "model-dots-2"} <= figures
    for name in ("leaning", "stability", "effects", "group_differences"):
        assert len(pd.read_csv(bundle / "tables" / f"{name}.csv"))
    attributions = pd.read_parquet(bundle / "tables" / "attributions.parquet")
    assert attributions["model_id"].nunique() == 2
    assert not attributions.duplicated(["model_id", "horizon", "location", "feature"]).any()


def test_the_page_holds_against_its_tables(command_here: Any, explained: tuple[Path, Path]) -> None:
    workspace, bundle = explained
    assert len(re.findall("data-fact=", (bundle / "model.html").read_text(encoding="utf-8"))) > 500
    done = command_here("verify", bundle, "--workspace", workspace)
    assert (done.code, "everything holds" in done.out) == (0, True), done.out


def test_the_region_says_what_the_forecast_leans_on_and_which_domains(command_here: Any, explained: Any) -> None:
    workspace, bundle = explained
    done = command_here("explain", "both@latest", "--workspace", workspace)
    assert done.code == 0, done.err
    stability = pd.read_csv(bundle / "tables" / "stability.csv")
    for row in stability[stability["kind"] == "domain"].itertuples():
        assert f"x {row.multiplier:.2f}" in done.out and f"{row.unit}, {row.mark}" in done.out
    stable = stability[(stability["kind"] == "cluster") & (stability["mark"] == "stable")]
    listed = done.out.partition("Single conditions that are stable")[2]
    for unit in stability.loc[stability["kind"] == "factor", "unit"]:
        assert (f"{unit} (" in listed) == any(unit in members.split("; ") for members in stable["members"])
    assert "Association between places" in done.out


def test_an_area_has_its_ledger_by_code_or_name(command_here: Any, explained: Any) -> None:
    workspace, bundle = explained
    ledger = pd.read_parquet(bundle / "tables" / "ledger.parquet")
    places = pd.read_csv(bundle / "tables" / "places.csv")
    place = places[places["level"] == "lsoa21"].iloc[7]
    by_code, by_name = (
        command_here("explain", "both@latest", "--workspace", workspace, "--area", asked, "--json")
        for asked in (place["location"], place["name"].upper())
    )
    assert by_code.code == 0, by_code.err
    assert by_code.json == by_name.json
    own = ledger[ledger["location"] == place["location"]]
    assert [row["unit"] for row in by_code.json["ledger"]] == own["unit"].to_list()
    said = command_here("explain", "both@latest", "--workspace", workspace, "--area", place["location"]).out
    total = own[own["kind"] == "total"].iloc[0]
    assert said.startswith(f"{place['name']} ({place['location']}): expected {total['expected_records']:.1f} records")
    assert "found with higher recorded violence" in said and "found with lower recorded violence" in said
    clusters = own[(own["kind"] == "cluster") & (own["mark"] != "do not narrate")]
    near = clusters["multiplier"].between(0.99005, 1.01005)
    assert f"{near.sum()} within one per cent" in said
    for row in clusters.itertuples():
        assert (f"{row.unit}, " in said) == (not 0.99005 < row.multiplier < 1.01005)


def test_an_unknown_area_gets_a_suggestion(command_here: Any, explained: Any) -> None:
    workspace, bundle = explained
    places = pd.read_csv(bundle / "tables" / "places.csv")
    code = places.loc[places["level"] == "lsoa21", "location"].iloc[3]
    done = command_here("explain", "both@latest", "--workspace", workspace, "--area", code[:-1] + "X")
    assert done.code != 0 and done.out == ""
    assert "did you mean 'E0" in done.err and "Traceback" not in done.err
    unknown = command_here("explain", "nothing@latest", "--workspace", workspace)
    assert unknown.code != 0 and "no run of such an experiment" in unknown.err
