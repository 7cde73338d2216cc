"""Data contracts: each promise is broken once in a copy of the invented region, and that finding alone appears."""

from __future__ import annotations

import gzip
import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from riskmodel.contracts.yaml_files import Workspace
from riskmodel.workflow import read_definitions
from riskmodel.workflow.data_checks import COLUMNS, check_data, severities
from riskmodel.workflow.data_rules import (
    bounds_of,
    judge_coverage,
    judge_drift,
    judge_range,
    missing_months,
    odd_months,
    rank_correlation,
)

CODES = {"held", "reads", "codes", "range", "units", "coverage", "months"}


@pytest.fixture(scope="module")
def sound(small_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The region as it was made, judged; its store spares the broken copies most of the reading."""
    root = tmp_path_factory.mktemp("sound")
    for room in ("features", "experiments", "fairness"):
        shutil.copytree(small_workspace / room, root / room)
    data = small_workspace / "build" / "synthetic"
    return SimpleNamespace(root=root, found=check_data(read_definitions(Workspace(root), "small"), data))


@pytest.fixture
def held(sound: Any, small_workspace: Path, tmp_path: Path) -> Any:
    """A copy of the region and of the definitions, to break."""
    shutil.copytree(sound.root, tmp_path / "ws")
    data = Path(shutil.copytree(small_workspace / "build" / "synthetic", tmp_path / "data"))

    def findings() -> pd.DataFrame:
        return check_data(read_definitions(Workspace(tmp_path / "ws"), "small"), data)

    return SimpleNamespace(data=data, root=tmp_path / "ws", findings=findings)


def rewrite(path: Path, change: Any) -> None:
    """Change a CSV's text, gzipped or not."""
    packed = path.suffix == ".gz"
    text = (gzip.decompress(path.read_bytes()) if packed else path.read_bytes()).decode("utf-8")
    changed = change(text)
    assert changed != text
    path.write_bytes(gzip.compress(changed.encode("utf-8"), mtime=0) if packed else changed.encode("utf-8"))


def file_of(data: Path, pattern: str) -> Path:
    return next(iter(sorted(data.glob(pattern))))


def test_the_invented_region_keeps_every_contract_but_its_missing_month(sound: Any) -> None:
    found = sound.found
    assert list(found.columns) == list(COLUMNS)
    assert set(found["code"]) >= CODES
    assert severities(found)["problem"] == 0
    months = found[(found["code"] == "months") & (found["severity"] == "look") & (found["measure"] == "")]
    assert "2023-10" in set(months["period"])
    assert (found["what"] != "").all()
    assert (found.loc[found["severity"] != "fine", "next"] != "").all()
    assert found["severity"].is_monotonic_decreasing or list(found["severity"]) == sorted(
        found["severity"], key=["problem", "look", "fine"].index
    )


def test_the_same_files_give_the_same_rows(sound: Any, held: Any) -> None:
    pd.testing.assert_frame_equal(sound.found, held.findings())


def test_a_month_cut_off_halfway_stands_out(held: Any) -> None:
    path = file_of(held.data, "police/2025-03/*-street.csv*")
    rewrite(path, lambda text: "\n".join(text.splitlines()[: len(text.splitlines()) // 4]) + "\n")
    found = held.findings()
    odd = found[(found["code"] == "months") & (found["measure"] == "all") & (found["severity"] != "fine")]
    assert list(odd["period"]) == ["2025-03"]


def test_codes_of_no_lookup_are_a_problem(held: Any) -> None:
    path = file_of(held.data, "deprivation/imd2025*")
    rewrite(path, lambda text: re.sub(r"E01(\d{6})", r"E01999999", text, count=1))
    found = held.findings()
    wrong = found[(found["code"] == "codes") & (found["severity"] == "problem")]
    assert list(wrong["found"]) == ["E01999999"]
    assert wrong["next"].str.len().min() > 0


def test_values_out_of_range_and_a_share_written_as_per_cent(held: Any) -> None:
    path = held.root / "features" / "factors" / "society.yaml"
    text = path.read_text(encoding="utf-8")
    owned = text.index("owned_homes:")
    changed = text[:owned] + text[owned:].replace("unit: per cent of households", "unit: share of households", 1)
    path.write_text(changed, encoding="utf-8")
    found = held.findings()
    wrong = found[(found["severity"] == "problem") & (found["measure"] == "owned_households")]
    assert set(wrong["code"]) == {"range", "units"}
    assert any("look like per cent" in what for what in wrong["what"])


def test_a_district_without_values_is_named(held: Any) -> None:
    path = file_of(held.data, "census2021_nomis/census2021-ts054-*")
    frame = pd.read_csv(path)
    lookup = pd.read_csv(file_of(held.data, "lookups/lookup_lsoa21_ward24_ltla24*"))
    forces = pd.read_csv(file_of(held.data, "lookups/lookup_ltla24_csp24_pfa24*"))
    district = forces.loc[forces["pfa24_name"] == "Lindenshire", "ltla24_code"].iloc[0]
    gone = set(lookup.loc[lookup["ltla24_code"] == district, "lsoa21_code"])
    frame[~frame["geography code"].isin(gone)].to_csv(path, index=False, lineterminator="\n")
    found = held.findings()
    low = found[(found["code"] == "coverage") & (found["severity"] == "problem")]
    assert len(low)
    assert low["place"].str.contains(district).all()
    assert low["found"].str.startswith("0 of ").all()


def test_a_vintage_turned_round_is_a_problem(held: Any) -> None:
    path = file_of(held.data, "deprivation/imd2025*")
    frame = pd.read_csv(path)
    frame["Income_rank"] = len(frame) + 1 - frame["Income_rank"]
    frame.to_csv(path, index=False, lineterminator="\n")
    found = held.findings()
    turned = found[(found["code"] == "drift") & (found["measure"] == "income_percentile")]
    assert list(turned["severity"]) == ["problem"]
    assert list(turned["period"]) == ["2019 to 2025"]


def test_a_broken_file_is_a_row_and_the_others_are_still_judged(held: Any) -> None:
    path = file_of(held.data, "police/2024-05/*-street.csv*")
    rewrite(path, lambda text: text.replace("Crime type", "Kind of crime", 1))
    found = held.findings()
    broken = found[(found["code"] == "reads") & (found["severity"] == "problem")]
    assert len(broken) == 1
    assert "2024-05" in broken["file"].iloc[0]
    assert "2024-05" in set(found.loc[found["code"] == "months", "period"])
    assert set(found["source"]) >= {"census2021", "deprivation", "police_uk"}


def test_a_kind_of_file_that_is_not_held_is_a_row(held: Any) -> None:
    file_of(held.data, "deprivation/imd2019*").unlink()
    found = held.findings()
    absent = found[(found["code"] == "held") & (found["source"] == "deprivation") & (found["severity"] == "look")]
    assert any("imd2019" in name for name in absent["file"])


@given(st.lists(st.integers(0, 9), min_size=3, max_size=30), st.randoms(use_true_random=False))
def test_rank_correlation_is_scipys(first: list[int], random: Any) -> None:
    second = [random.randint(0, 9) for _ in first]
    ours = rank_correlation(np.array(first, dtype=float), np.array(second, dtype=float))
    if len(set(first)) == 1 or len(set(second)) == 1:
        assert np.isnan(ours)
    else:
        assert ours == pytest.approx(spearmanr(first, second).statistic)


def test_rules_at_their_edges() -> None:
    per_cent = bounds_of(SimpleNamespace(unit="per cent of residents"))
    assert judge_range(np.array([0.0, 100.0, np.nan]), per_cent)[0] == "fine"
    assert judge_range(np.array([-0.1, 50.0]), per_cent)[0] == "problem"
    assert judge_range(np.array([np.nan]), per_cent)[0] == "problem"
    assert per_cent.judge_units(np.array([0.2, 0.9]))[0] == "look"
    assert judge_range(np.array([-3.0]), bounds_of(SimpleNamespace(unit="index, 100 = England")))[0] == "fine"
    assert judge_range(np.array([-3.0]), bounds_of(SimpleNamespace(unit="people per square kilometre")))[0] == "problem"
    whole = judge_coverage(np.ones(4, dtype=bool), np.array([0, 0, 1, 1]), 2)
    assert (whole.overall[0], whole.low) == ("fine", {})
    assert missing_months(["2024-11", "2025-02"]) == ["2024-12", "2025-01"]
    assert missing_months([]) == []
    months = [f"2025-{m:02d}" for m in range(1, 8)]
    assert odd_months(months, np.array([100.0, 100, 100, 50, 100, 200, 100])) == []
    assert [m for m, _, _ in odd_months(months, np.array([100.0, 100, 100, 49, 100, 201, 100]))] == [
        "2025-04",
        "2025-06",
    ]
    assert odd_months(months, np.array([5.0, 5, 5, 0, 5, 50, 5])) == []


def test_drift_sees_a_shift_of_level_and_too_few_areas() -> None:
    old = np.linspace(0, 1, 40)
    assert judge_drift(old, old + 0.01)[0] == "fine"
    assert judge_drift(old, old + 5)[0] == "look"
    assert judge_drift(old, -old)[0] == "problem"
    assert judge_drift(old[:5], old[:5])[0] == "look"
