"""police.uk months: counted as an independent reader counts them; refused with file and line if not as published."""

from __future__ import annotations

import csv
import gzip
import io
import os
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.contracts.errors import DataFileError
from riskmodel.contracts.specs import SourceSpec
from riskmodel.contracts.yaml_files import read_spec
from riskmodel.sources.files import find_files
from riskmodel.sources.observed import Observed, SourceFile
from riskmodel.sources.police_uk import COLUMNS, CRIME_TYPES, read

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("RISKMODEL_DATA", ROOT.parent / "shared" / "data"))
SPEC = read_spec(ROOT / "features" / "sources" / "police_uk.yaml", SourceSpec)
Row = tuple[str, str, str]


def as_file(content: bytes, folder: Path, month: str = "2021-01") -> SourceFile:
    path = folder / f"{month}-kent-street.csv"
    path.write_bytes(content)
    return SourceFile(
        "police_uk", "street", f"police/{path.name}", path, None, month, date(2021, 4, 1), SPEC.files["street"], SPEC
    )


def as_csv(rows: list[Row], month: str = "2021-01", end: str = "\n") -> bytes:
    lines = [",".join(COLUMNS)]
    lines += [f'{i},{month},A,A,-1.0,51.0,"On, or near",{code},N,{kind},,' for i, code, kind in rows]
    return (end.join(lines) + end).encode()


def values(observed: Observed) -> dict[tuple[str, str], int]:
    return {(r["measure"], r["area"]): int(r["value"]) for r in observed.table.to_pylist()}


def counted(observed: Observed, rule: str) -> dict[str, int]:
    return {c.measure: c.rows for c in observed.counted if c.rule == rule}


def independent(rows: list[Row]) -> tuple[Counter[tuple[str, str]], int]:
    """Count kept records one by one, as the rule is written."""
    kept: dict[object, Row] = {}
    for number, row in enumerate(rows):
        key: object = row[0] or number
        if key not in kept or (not kept[key][1] and row[1]):
            kept[key] = row
    return Counter((CRIME_TYPES[kind], code) for _, code, kind in kept.values()), len(rows) - len(kept)


rows_strategy = st.lists(
    st.tuples(
        st.sampled_from(["", "", "a1", "b2", "c3"]),
        st.sampled_from(["", "E01000001", "W01000002"]),
        st.sampled_from(sorted(CRIME_TYPES)[:4]),
    ),
    min_size=1,
    max_size=30,
)


@given(rows=rows_strategy, end=st.sampled_from(["\n", "\r\n"]), mark=st.booleans())
@settings(max_examples=60, deadline=None)
def test_counts_equal_a_count_row_by_row(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], end: str, mark: bool
) -> None:
    content = (b"\xef\xbb\xbf" if mark else b"") + as_csv(rows, end=end)
    observed = read(as_file(content, tmp_path_factory.mktemp("month")))
    expected, repeats = independent(rows)
    assert values(observed) == dict(expected)
    assert counted(observed, "raw rows")["all"] == len(rows)
    assert counted(observed, "duplicates")["all"] == repeats
    raw, again = counted(observed, "raw rows"), counted(observed, "duplicates")
    for measure in set(raw) - {"all"}:
        kept = sum(n for (m, _), n in values(observed).items() if m == measure)
        assert kept + again[measure] == raw[measure]


def test_a_repeated_id_keeps_the_row_that_has_a_place(tmp_path: Path) -> None:
    rows = [
        ("x", "", "Burglary"),
        ("x", "E01000001", "Burglary"),
        ("x", "E01000002", "Burglary"),
        ("", "", "Drugs"),
    ] * 2
    observed = read(as_file(as_csv(rows), tmp_path))
    assert values(observed) == {("burglary", "E01000001"): 1, ("drugs", ""): 2}
    assert counted(observed, "rows without an LSOA") == {"all": 2, "burglary": 0, "drugs": 2}


def test_the_definition_lists_exactly_the_published_crime_types() -> None:
    assert {published: name for name, published in SPEC.files["street"].measures.items()} == CRIME_TYPES
    assert CRIME_TYPES["Anti-social behaviour"] == "anti_social_behaviour"
    assert set(SPEC.police_generated) < set(CRIME_TYPES.values())


GOOD = as_csv([("a", "E01000001", "Burglary"), ("b", "E01000002", "Drugs"), ("c", "", "Robbery")]).decode()
NOT_AS_PUBLISHED = {
    "another month": (GOOD.replace("b,2021-01", "b,2021-02"), 3, "another month"),
    "unknown type": (GOOD.replace("Drugs", "Drug"), 3, "did you mean 'Drugs'"),
    "code of another level": (GOOD.replace("E01000002", "E02000002"), 3, "no LSOA code"),
    "code with a blank": (GOOD.replace("E01000002", "E0100000 "), 3, "no LSOA code"),
    "too few fields": (GOOD.replace("c,2021-01,A,", "c,2021-01,"), 4, "number of fields"),
    "too many fields": (GOOD.replace("c,2021-01,A,", "c,2021-01,A,A,"), 4, "number of fields"),
    "an open quote": (GOOD.replace('"On, or near",E01000002', '"On, or near,E01000002'), 4, "no CSV"),
    "renamed column": (GOOD.replace("Crime type", "Crime_type"), 1, "did you mean 'Crime_type'"),
    "an extra column": ("\n".join(f"{line},x" for line in GOOD.splitlines()), 1, "does not publish"),
    "no rows": (GOOD.splitlines()[0] + "\n", 2, "no rows"),
    "an altered copy": ("\n".join(line.rpartition(",")[0] for line in GOOD.splitlines()), 1, "'Context' is missing"),
    "binary junk": (GOOD[:20] + "\x01\x02{[;\n" + GOOD[60:], 1, "missing"),
}


@pytest.mark.parametrize("case", NOT_AS_PUBLISHED)
def test_what_is_not_as_published_is_refused_with_its_line(tmp_path: Path, case: str) -> None:
    content, line, what = NOT_AS_PUBLISHED[case]
    with pytest.raises(DataFileError, match=what) as caught:
        read(as_file(content.encode(), tmp_path))
    assert str(caught.value).startswith(f"police/2021-01-kent-street.csv:{line}: ")
    assert caught.value.exit_code == 11


def test_the_month_in_the_name_must_be_the_month_inside(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match=r"2021-02-kent-street\.csv:2: .*another month"):
        read(as_file(GOOD.encode(), tmp_path, month="2021-02"))


def plain_count(file: SourceFile) -> tuple[int, int, Counter[tuple[str, str]]]:
    """An independent count of a real month: raw rows, repeated rows and kept records."""
    with gzip.open(file.path, "rb") as raw:
        rows = list(csv.DictReader(io.StringIO(raw.read().decode("utf-8"), newline="")))
    kept, repeats = independent([(r["Crime ID"], r["LSOA code"], r["Crime type"]) for r in rows])
    return len(rows), repeats, kept


@pytest.mark.real
@pytest.mark.parametrize("force", ["gloucestershire", "thames-valley"])
def test_every_real_month_equals_an_independent_count(force: str) -> None:
    if not (DATA / "police").is_dir():
        pytest.skip(f"no published files in {DATA}")
    files = find_files("police_uk", SPEC, DATA, force=force)
    assert len(files) == {"gloucestershire": 53, "thames-valley": 20}[force]
    for file in files:
        observed = read(file)
        raw, repeats, kept = plain_count(file)
        assert values(observed) == dict(kept)
        assert (counted(observed, "raw rows")["all"], counted(observed, "duplicates")["all"]) == (raw, repeats)
        assert sum(kept.values()) + repeats == raw


@pytest.mark.real
def test_the_altered_copies_are_refused() -> None:
    path = DATA / "police_altered" / "2021-09" / "2021-09-thames-valley-street.csv.gz"
    if not path.is_file():
        pytest.skip(f"no altered copies in {DATA}")
    file = SourceFile(
        "police_uk", "street", path.name, path, None, "2021-09", date(2021, 12, 1), SPEC.files["street"], SPEC
    )
    with pytest.raises(DataFileError, match="'Context' is missing"):
        read(file)
