"""Real published files of two forces, the whole way; every total is counted again with the csv module alone."""

from __future__ import annotations

import csv
import gzip
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from riskmodel.contracts.errors import DefinitionError, NotEnoughHistory, NotYetPublished
from riskmodel.contracts.periods import month_number
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.panel.quality import build_quality
from riskmodel.workflow import Comparison, Session, compare, ingest, init_workspace, open_session, read_definitions

pytestmark = pytest.mark.real

TARGET = "violence_and_sexual_offences"
PARTS = ["duplicates", "unlocated", "out of force", "located"]
SMALL_SET = """title: A few features
features:
  - {of: target, transform: lag, params: {periods: 0}}
  - {of: target, transform: rolling_mean, params: {window: 12}}
  - {of: target, transform: season, params: {level: pfa}}
  - {of: society/income_deprivation, transform: latest}
"""
TRIMMED = """question: Does the real path hold?
region: {{force: {force}}}
feature_set: trimmed
models:
  - {{use: rolling_12}}
  - {{use: eb_seasonal}}
  - {{name: boosted, use: lightgbm, params: {{trees: 20}}}}
horizons: 2
history: {history}
backtest: {backtest}
"""
GLOUCESTERSHIRE = {
    "force": "gloucestershire",
    "history": "{first_month: 2021-01}",
    "backtest": "{first_origin: 2023-10, every_months: 8}",
}
THAMES_VALLEY = {
    "force": "thames-valley",
    "history": "{first_month: 2021-01, minimum_training_origins: 2}",
    "backtest": "{first_origin: 2025-09, every_months: 1}",
}


def opened(repository: Path, data: Path, folder: Path, asked: dict[str, str]) -> Session:
    for room in ("features", "experiments", "fairness"):
        shutil.copytree(repository / room, folder / room)
    (folder / "features" / "sets" / "trimmed.yaml").write_text(SMALL_SET, encoding="utf-8", newline="\n")
    (folder / "experiments" / "trimmed.yaml").write_text(TRIMMED.format(**asked), encoding="utf-8", newline="\n")
    return open_session(read_definitions(Workspace(folder), "trimmed"), data=data)


@pytest.fixture(scope="module")
def gloucestershire(repository: Path, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Session:
    return opened(repository, real_data, tmp_path_factory.mktemp("gloucestershire"), GLOUCESTERSHIRE)


@pytest.fixture(scope="module")
def thames_valley(repository: Path, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Session:
    return opened(repository, real_data, tmp_path_factory.mktemp("thames"), THAMES_VALLEY)


@pytest.fixture(scope="module")
def comparison(gloucestershire: Session) -> Comparison:
    return compare(gloucestershire)


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as handle:
        yield from csv.DictReader(handle)


def codes_in_force(data: Path, name: str) -> set[str]:
    """LSOA codes of 2021 in the force, and those of 2011 with a descendant in it."""
    pfa = read_rows(data / "lookups" / "lookup_ltla24_csp24_pfa24.csv.gz")
    districts = {row["ltla24_code"] for row in pfa if row["pfa24_name"] == name}
    wards = read_rows(data / "lookups" / "lookup_lsoa21_ward24_ltla24.csv.gz")
    inside = {row["lsoa21_code"] for row in wards if row["ltla24_code"] in districts}
    ties = read_rows(data / "lookups" / "lookup_lsoa11_lsoa21_ltla22.csv.gz")
    return inside | {row["lsoa11_code"] for row in ties if row["lsoa21_code"] in inside}


def counted(path: Path, inside: set[str]) -> Counter[str]:
    """Rows of one month by where they belong, repeated Crime IDs once."""
    seen: dict[str, dict[str, str]] = {}
    kept: list[dict[str, str]] = []
    found: Counter[str] = Counter()
    for row in read_rows(path):
        found["raw rows"] += 1
        earlier = seen.get(row["Crime ID"]) if row["Crime ID"] else None
        if earlier is None:
            kept.append(row)
            if row["Crime ID"]:
                seen[row["Crime ID"]] = row
        else:
            found["duplicates"] += 1
            if not earlier["LSOA code"] and row["LSOA code"]:
                earlier.update(row)
    for row in kept:
        code = row["LSOA code"]
        rule = "unlocated" if not code else "located" if code in inside else "out of force"
        found[rule] += 1
        if rule == "located" and row["Crime type"] == "Violence and sexual offences":
            found["target"] += 1
    return found


def quality_of(session: Session) -> pd.DataFrame:
    return build_quality(session.held.panel, session.held.store, session.held.files, as_of=session.as_of)


def whole(quality: pd.DataFrame, measure: str = "all") -> pd.DataFrame:
    own = quality[
        (quality["source"] == "police_uk")
        & (quality["measure"] == measure)
        & quality["rule"].isin(["raw rows", *PARTS])
    ]
    return own.pivot_table(index="period", columns="rule", values="rows", aggfunc="sum").fillna(0)


@pytest.mark.parametrize("force", ["gloucestershire", "thames-valley"])
def test_every_raw_row_of_every_month_is_accounted_for(
    request: pytest.FixtureRequest, real_data: Path, force: str
) -> None:
    session: Session = request.getfixturevalue(force.replace("-", "_"))
    quality = quality_of(session)
    table = whole(quality)
    assert len(table) == len(list((real_data / "police").glob(f"202*/*-{force}-street.csv.gz")))
    assert (table[PARTS].sum(axis=1) == table["raw rows"]).all()
    own = whole(quality, TARGET)
    assert (own[PARTS].sum(axis=1) == own["raw rows"]).all()
    assert len(own) == len(table)


@pytest.mark.parametrize(
    ("force", "name", "months"),
    [
        ("gloucestershire", "Gloucestershire", ["2021-01", "2022-06", "2023-04", "2025-06"]),
        ("thames-valley", "Thames Valley", ["2021-03"]),
    ],
)
def test_the_rows_are_those_an_independent_count_finds(
    request: pytest.FixtureRequest, real_data: Path, force: str, name: str, months: list[str]
) -> None:
    session: Session = request.getfixturevalue(force.replace("-", "_"))
    quality = quality_of(session)
    table, own = whole(quality), whole(quality, TARGET)
    inside = codes_in_force(real_data, name)
    assert len(inside) > len(session.held.panel.geography.areas)
    for month in months:
        found = counted(real_data / "police" / month / f"{month}-{force}-street.csv.gz", inside)
        assert {rule: table.loc[month, rule] for rule in ["raw rows", *PARTS]} == {
            rule: found[rule] for rule in ["raw rows", *PARTS]
        }, month
        assert own.loc[month, "located"] == found["target"]


def test_observed_totals_equal_an_independent_count(real_data: Path, comparison: Comparison) -> None:
    backtest = comparison.backtest.table
    cells = backtest.drop_duplicates(["target_end_date", "location"])
    observed = cells.groupby(cells["target_end_date"].dt.strftime("%Y-%m"))["observed"].sum()
    inside = codes_in_force(real_data, "Gloucestershire")
    assert len(observed) >= 4
    for month, total in observed.items():
        path = real_data / "police" / str(month) / f"{month}-gloucestershire-street.csv.gz"
        assert total == counted(path, inside)["target"], month


def test_the_comparison_is_made_of_the_same_forecasts_for_every_model(comparison: Comparison) -> None:
    backtest = comparison.backtest.table
    means = backtest[backtest["output_type"] == "mean"]
    cells = means.groupby("model_id")[["origin_date", "horizon", "location"]].size()
    assert set(cells.index) == {"rolling_12", "eb_seasonal", "boosted"}
    assert len(set(cells)) == 1
    assert (means["value"] > 0).all()
    pooled = comparison.table[(comparison.table["origin_date"] == "all") & (comparison.table["horizon"] == "all")]
    assert len(set(pooled["forecasts"])) == 1
    assert comparison.headline


def test_the_calendar_of_the_design(gloucestershire: Session) -> None:
    assert gloucestershire.as_of == date(2025, 9, 1)
    assert len(gloucestershire.held.panel.geography.areas) > 350


def test_the_missing_month_is_missing_and_not_zero(gloucestershire: Session) -> None:
    view = gloucestershire.held.panel.as_of(gloucestershire.as_of)
    column = month_number("2022-01") - gloucestershire.held.panel.first_month
    series = view.series("police_uk", [TARGET])
    assert pd.isna(series[:, column]).all()
    assert not pd.isna(series[:, [column - 1, column + 1]]).any()
    assert not view.present("police_uk")[column]
    quality = quality_of(gloucestershire)
    assert "2022-01" in set(quality.loc[quality["rule"] == "month missing", "period"])


def test_deprivation_of_2025_is_known_only_once_it_was_published(gloucestershire: Session) -> None:
    panel = gloucestershire.held.panel
    before = panel.as_of(date(2025, 9, 1)).vintage("deprivation", "income_percentile")
    after = panel.as_of(date(2025, 11, 1)).vintage("deprivation", "income_percentile")
    assert (before.period, after.period) == ("2019", "2025")
    with pytest.raises(NotYetPublished):
        panel.as_of(date(2019, 9, 1)).vintage("deprivation", "income_percentile")


def test_thames_valley_says_what_its_holes_cost(thames_valley: Session) -> None:
    """It forecasts and names every gap, or refuses and says how little is held."""
    held: Any
    try:
        held = compare(thames_valley)
    except NotEnoughHistory as error:
        assert error.exit_code == 12
        assert "of" in str(error.found)
        assert error.hint
        return
    wanted = {
        (o, h, m) for o in held.backtest.origins for h in (1, 2) for m in ("rolling_12", "eb_seasonal", "boosted")
    }
    means = held.backtest.table[held.backtest.table["output_type"] == "mean"]
    month = means["origin_date"].dt.year * 12 + means["origin_date"].dt.month - 1
    made = set(zip(month, means["horizon"], means["model_id"], strict=True))
    told = {(month_number(g.origin), g.horizon, g.model_id) for g in held.backtest.gaps}
    recorded = {(o, h) for o, h, _ in made}
    assert {w for w in wanted if w[:2] in recorded} <= made | told
    assert made


def test_a_welsh_force_is_refused_where_the_features_use_the_english_indices(tmp_path: Path, real_data: Path) -> None:
    workspace = tmp_path / "wales"
    init_workspace(workspace)
    question = (workspace / "experiments" / "gloucestershire.yaml").read_text(encoding="utf-8")
    (workspace / "experiments" / "gwent.yaml").write_text(
        question.replace("force: gloucestershire", "force: gwent"), encoding="utf-8"
    )
    definitions = read_definitions(Workspace(workspace), "gwent")
    with pytest.raises(DefinitionError, match=r"'deprivation' says nothing of any area of Gwent"):
        ingest(definitions, real_data)
