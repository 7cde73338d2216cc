"""Every published row is accounted for: the law of the quality table, on the small run."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

TARGET = "violence_and_sexual_offences"
PARTS = ["duplicates", "unlocated", "out of force", "located"]


@pytest.fixture(scope="module")
def quality(small_run: Any) -> pd.DataFrame:
    return pd.read_csv(small_run.out / "tables" / "quality.csv")


def by_rule(quality: pd.DataFrame) -> pd.DataFrame:
    """One row a file and measure, one column a rule."""
    police = quality[(quality["source"] == "police_uk") & quality["rule"].isin(["raw rows", *PARTS])]
    return police.pivot_table(index=["file", "period", "measure"], columns="rule", values="rows", aggfunc="sum")


def test_the_parts_add_up_to_the_raw_rows_of_every_file_and_measure(quality: pd.DataFrame) -> None:
    table = by_rule(quality)
    chosen = table[table["located"].notna()].fillna(0)
    assert (chosen[PARTS].sum(axis=1) == chosen["raw rows"]).all()
    months = chosen.xs("all", level="measure").index.get_level_values("period")
    assert sorted(months) == sorted(set(months))
    assert len(set(months)) == 39
    measures = chosen.drop(index="all", level="measure").groupby(level=["file", "period"]).sum()
    pd.testing.assert_frame_equal(measures, chosen.xs("all", level="measure"), check_like=True)


def test_a_file_whose_rows_are_not_placed_is_said_to_be_superseded(quality: pd.DataFrame) -> None:
    table = by_rule(quality)
    unplaced = set(table[table["located"].isna()].index.get_level_values("file"))
    told = set(quality.loc[quality["rule"].isin(["issue superseded", "issue not yet visible"]), "file"])
    assert unplaced == told != set()


def test_raw_rows_are_the_rows_of_the_published_file(small_run: Any, quality: pd.DataFrame) -> None:
    raw = quality[(quality["rule"] == "raw rows") & (quality["measure"] == "all")].set_index("file")["rows"]
    for path in sorted((small_run.workspace / "build" / "synthetic" / "police").glob("*/*.csv.gz")):
        name = path.relative_to(small_run.workspace / "build" / "synthetic").as_posix()
        with gzip.open(path, "rt", encoding="utf-8", newline="") as handle:
            assert raw[name] == sum(1 for _ in csv.DictReader(handle)), name


def test_located_of_the_target_is_what_the_backtest_observed(small_run: Any, quality: pd.DataFrame) -> None:
    backtest = pd.read_parquet(small_run.out / "tables" / "backtest.parquet")
    cells = backtest.drop_duplicates(["target_end_date", "location"])
    observed = cells.groupby(cells["target_end_date"].dt.strftime("%Y-%m"))["observed"].sum()
    located = quality[(quality["rule"] == "located") & (quality["measure"] == TARGET)].set_index("period")["rows"]
    assert len(observed) >= 6
    assert (observed == located[observed.index]).all()


def test_a_cell_has_one_observed_count_whoever_forecast_it(small_run: Any) -> None:
    backtest = pd.read_parquet(small_run.out / "tables" / "backtest.parquet")
    spread = backtest.groupby(["target_end_date", "location"])["observed"].agg(["min", "max"])
    assert (spread["min"] == spread["max"]).all()


def test_the_missing_month_is_missing_and_never_zero(small_run: Any, quality: pd.DataFrame) -> None:
    missing = quality[quality["rule"] == "month missing"]
    assert missing["period"].tolist() == ["2023-10"]
    located = quality[(quality["rule"] == "located") & (quality["period"] == "2023-10")]
    assert located.empty


def test_what_was_not_yet_published_is_named_with_its_origin(small_run: Any, quality: pd.DataFrame) -> None:
    """Every feature left out at an origin has a reason; nothing is left out at an origin that sees it."""
    left_out = quality[quality["rule"].str.startswith("feature left out")]
    assert left_out["note"].notna().all()
    factors = pd.read_csv(small_run.out / "tables" / "factors.csv")
    assert set(left_out["rule"].str.removeprefix("feature left out: ")) <= set(factors["feature"])


def counted_rows(path: Path) -> Counter[str]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as handle:
        return Counter(row["Crime type"] for row in csv.DictReader(handle))


def test_the_truth_beside_the_files_agrees(small_run: Any, quality: pd.DataFrame) -> None:
    """Raw rows of the target as the invented region's author counted them, read row by row."""
    data = small_run.workspace / "build" / "synthetic"
    raw = quality[(quality["rule"] == "raw rows") & (quality["measure"] == TARGET)].set_index("file")["rows"]
    name = "police/2025-03/2025-03-lindenshire-street.csv.gz"
    assert raw[name] == counted_rows(data / name)["Violence and sexual offences"]
    assert json.loads((data / "truth" / "truth.json").read_text(encoding="utf-8"))
