"""Census tables: both header styles, mapped columns only, every fault with its line."""

from __future__ import annotations

import csv
import gzip
import io
import os
from datetime import date
from pathlib import Path

import pytest

from riskmodel.contracts.errors import DataFileError
from riskmodel.contracts.specs import SourceSpec
from riskmodel.contracts.yaml_files import read_spec
from riskmodel.sources.files import find_files
from riskmodel.sources.nomis import read
from riskmodel.sources.observed import SourceFile

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("RISKMODEL_DATA", ROOT.parent / "shared" / "data"))
SPEC = read_spec(ROOT / "features" / "sources" / "census2021.yaml", SourceSpec)

PLAIN = """date,geography,geography code,Sex: All persons,Sex: Female,Sex: Male
2021,A 001A,E01000001,10,6,4
2021,B 001A,W01000002,7,3,4
"""
QUOTED = "\n".join(
    [
        ",".join(
            f'"{heading}; measures: Value"' if heading.startswith("Sex") else f'"{heading}"'
            for heading in PLAIN.splitlines()[0].split(",")
        ),
        '"2021","A 001A","E01000001",10,6,4',
        '"2021","B 001A","W01000002",7,3,4',
        "",
    ]
)


def as_file(text: str, folder: Path) -> SourceFile:
    path = folder / "census2021-ts008-lsoa.csv"
    path.write_text(text, encoding="utf-8", newline="\n")
    spec = SPEC.files["ts008"]
    return SourceFile("census2021", "ts008", path.name, path, None, "2021", date(2022, 11, 2), spec, SPEC)


@pytest.mark.parametrize("text", [PLAIN, QUOTED, PLAIN.replace("\n", "\r\n")], ids=["plain", "quoted", "CRLF"])
def test_both_header_styles_read_alike(tmp_path: Path, text: str) -> None:
    observed = read(as_file(text, tmp_path))
    assert {(r["measure"], r["breakdown"], r["area"], r["value"]) for r in observed.table.to_pylist()} == {
        ("residents_by_sex", "total", "E01000001", 10.0),
        ("residents_by_sex", "total", "W01000002", 7.0),
        ("female_residents", "total", "E01000001", 6.0),
        ("female_residents", "total", "W01000002", 3.0),
        ("male_residents", "total", "E01000001", 4.0),
        ("male_residents", "total", "W01000002", 4.0),
    }
    assert observed.counted[0].rows == 2


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("Sex: Female", "Sex: Females", 1, "did you mean 'Sex: Females'"),
        ("geography code", "code", 1, "missing: 'geography code'"),
        ("B 001A,W01000002,7,3", "B 001A,W01000002,7,three", 3, "not a number, in column 'Sex: Female'"),
        ("B 001A,W01000002,7,3", "B 001A,W01000002,7,", 3, "not a number"),
        ("B 001A,W01000002,7,3", "B 001A,W01000002,7,nan", 3, "not a number"),
        ("B 001A,W01000002,7,3", "B 001A,W01000002,7,inf", 3, "not a number"),
        ("B 001A,W01000002,7,3", "B 001A,W01000002,7,-3", 3, "cannot be negative"),
        ("W01000002", "E01000001", 3, "repeats"),
        ("W01000002", "W02000002", 3, "no area code"),
        ("W01000002", "", 3, "no area code"),
        ("7,3,4", "7,3", 3, "number of fields"),
    ],
)
def test_faults_are_named_with_their_line(tmp_path: Path, old: str, new: str, line: int, what: str) -> None:
    with pytest.raises(DataFileError, match=what) as caught:
        read(as_file(PLAIN.replace(old, new), tmp_path))
    assert str(caught.value).startswith(f"census2021-ts008-lsoa.csv:{line}: ")


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="no rows"):
        read(as_file(PLAIN.splitlines()[0] + "\n", tmp_path))


@pytest.mark.real
def test_every_mapped_heading_is_in_the_real_tables() -> None:
    files = find_files("census2021", SPEC, DATA, force="any") if DATA.is_dir() else []
    if not files:
        pytest.skip(f"no published files in {DATA}")
    assert [f.role for f in files] == sorted(SPEC.files)
    for file in files:
        with gzip.open(file.path, "rt", encoding="utf-8", newline="") as raw:
            headings = {h.removesuffix("; measures: Value") for h in next(csv.reader(raw))}
        assert set(file.spec.measures.values()) <= headings, file.name


@pytest.mark.real
@pytest.mark.parametrize("role", ["ts003", "ts006"])
def test_real_tables_equal_an_independent_read(role: str) -> None:
    files = find_files("census2021", SPEC, DATA, force="any", roles=[role]) if DATA.is_dir() else []
    if not files:
        pytest.skip(f"no published files in {DATA}")
    text = io.StringIO(gzip.decompress(files[0].path.read_bytes()).decode("utf-8"), newline="")
    rows = [{k.removesuffix("; measures: Value"): v for k, v in row.items()} for row in csv.DictReader(text)]
    table = read(files[0]).table
    assert table.num_rows == len(rows) * len(files[0].spec.measures)
    got = {(m, a): v for m, a, v in zip(*(table[c].to_pylist() for c in ("measure", "area", "value")), strict=True)}
    for measure, heading in files[0].spec.measures.items():
        assert all(got[measure, row["geography code"]] == float(row[heading]) for row in rows)


def test_no_measure_has_two_meanings() -> None:
    names = [name for file in SPEC.files.values() for name in file.measures]
    assert len(names) == len(set(names))
    assert "usual_residents" in SPEC.files["ts001"].measures
