"""Indices of Deprivation: ranks as percentiles, two vintages under the same names, faults with their line."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.contracts.errors import DataFileError
from riskmodel.contracts.specs import SourceSpec
from riskmodel.contracts.yaml_files import read_spec
from riskmodel.sources.deprivation import percentile_of_rank, read
from riskmodel.sources.files import find_files
from riskmodel.sources.observed import SourceFile

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("RISKMODEL_DATA", ROOT.parent / "shared" / "data"))
SPEC = read_spec(ROOT / "features" / "sources" / "deprivation.yaml", SourceSpec)
COLUMNS = list(SPEC.files["iod2019"].measures.values())


def as_file(rows: list[list[str]], folder: Path, columns: list[str] = COLUMNS) -> SourceFile:
    path = folder / "imd2019_england_lsoa11.csv"
    lines = [",".join(["lsoa11_code", *columns]), *(",".join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    spec = SPEC.files["iod2019"]
    return SourceFile("deprivation", "iod2019", path.name, path, None, "2019", date(2019, 9, 26), spec, SPEC)


def good_rows() -> list[list[str]]:
    return [[f"E0100000{n}", *[str(n)] * len(COLUMNS)] for n in (1, 2, 3, 4)]


def test_ranks_become_percentiles_with_the_most_deprived_near_one(tmp_path: Path) -> None:
    rows = good_rows()
    rows[3][2] = ""
    observed = read(as_file(rows, tmp_path))
    got = {(r["measure"], r["area"]): r["value"] for r in observed.table.to_pylist()}
    assert [got["imd_percentile", f"E0100000{n}"] for n in (1, 2, 3, 4)] == [0.875, 0.625, 0.375, 0.125]
    assert got["income_percentile", "E01000004"] is None
    assert got["income_percentile", "E01000001"] == pytest.approx(1 - 0.5 / 3)
    blank = [c for c in observed.counted if c.rule == "blank values"]
    assert [(c.measure, c.rows) for c in blank] == [("income_percentile", 1)]
    assert any("most deprived" in c.note for c in observed.counted)


@given(st.permutations(range(1, 40)))
def test_percentiles_are_inside_the_unit_interval_and_turn_the_order_round(ranks: list[int]) -> None:
    percentiles = percentile_of_rank(np.array(ranks, dtype=float))
    assert percentiles.min() > 0 and percentiles.max() < 1
    assert np.array_equal(np.argsort(percentiles), np.argsort(ranks)[::-1])
    assert percentiles.mean() == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("row", "cell", "value", "what"),
    [
        (2, 1, "9", "beyond the number of areas"),
        (2, 1, "0", "beyond the number of areas"),
        (1, 3, "high", "not a number, in column 'Employment_rank'"),
        (1, 3, "nan", "not a number"),
        (3, 0, "E01000001", "repeats"),
        (3, 0, "E02000001", "no area code"),
    ],
)
def test_faults_are_named_with_their_line(tmp_path: Path, row: int, cell: int, value: str, what: str) -> None:
    rows = good_rows()
    rows[row][cell] = value
    with pytest.raises(DataFileError, match=what) as caught:
        read(as_file(rows, tmp_path))
    assert str(caught.value).startswith(f"imd2019_england_lsoa11.csv:{row + 2}: ")


def test_a_renamed_column_is_offered(tmp_path: Path) -> None:
    columns = [c.replace("Income_rank", "Income rank") for c in COLUMNS]
    with pytest.raises(DataFileError, match="did you mean 'Income rank'"):
        read(as_file(good_rows(), tmp_path, columns))


def test_both_vintages_carry_the_same_measures_dated_apart() -> None:
    old, new = SPEC.files["iod2019"], SPEC.files["iod2025"]
    assert set(old.measures) == set(new.measures)
    assert (old.level, new.level) == ("lsoa11", "lsoa21")
    assert (old.published, new.published) == (date(2019, 9, 26), date(2025, 10, 30))


@pytest.mark.real
def test_real_vintages_are_whole() -> None:
    roles = ["iod2019", "iod2025"]
    files = find_files("deprivation", SPEC, DATA, force="any", roles=roles) if DATA.is_dir() else []
    if not files:
        pytest.skip(f"no published files in {DATA}")
    assert [f.role for f in files] == roles
    for file, areas in zip(files, (32844, 33755), strict=True):
        table = read(file).table
        assert table.num_rows == areas * 8 and table["value"].null_count == 0
        values = table["value"].to_numpy()
        assert values.min() > 0 and values.max() < 1
        for measure in file.spec.measures:
            own = values[np.array(table["measure"].to_pylist()) == measure]
            assert own.mean() == pytest.approx(0.5, abs=1e-3)
