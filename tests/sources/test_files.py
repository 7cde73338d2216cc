"""Finding published files: forms, dates, copies, zips, and every kind of broken file."""

from __future__ import annotations

import gzip
import zipfile
from datetime import date
from pathlib import Path

import pytest

from riskmodel.contracts.errors import DataFileError
from riskmodel.contracts.specs import SourceSpec
from riskmodel.contracts.yaml_files import read_spec
from riskmodel.sources import police_uk
from riskmodel.sources.content import as_text
from riskmodel.sources.files import find_files, missing_files

SOURCES = Path(__file__).parents[2] / "features" / "sources"
HEADER = ",".join(police_uk.COLUMNS)


@pytest.fixture(scope="module")
def police() -> SourceSpec:
    return read_spec(SOURCES / "police_uk.yaml", SourceSpec)


@pytest.fixture(scope="module")
def geography() -> SourceSpec:
    return read_spec(SOURCES / "geography.yaml", SourceSpec)


def month_csv(month: str = "2021-01", rows: int = 2) -> bytes:
    row = f"id{{}},{month},A,A,,,On or near Road,E01000001,X 001A,Burglary,,"
    return "\n".join([HEADER, *(row.format(n) for n in range(rows)), ""]).encode()


def put(data: Path, name: str, content: bytes) -> Path:
    path = data / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def zipped(data: Path, name: str, members: dict[str, bytes]) -> Path:
    path = data / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return path


def street(month: str, force: str = "kent") -> str:
    return f"{month}/{month}-{force}-street.csv"


def test_files_come_plain_or_gzipped_sorted_and_dated(tmp_path: Path, police: SourceSpec) -> None:
    put(tmp_path, f"police/{street('2021-02')}", month_csv("2021-02"))
    put(tmp_path, f"police/{street('2021-01')}.gz", gzip.compress(month_csv()))
    put(tmp_path, f"police/{street('2021-01', 'west-kent')}", month_csv())
    put(tmp_path, "police/2021-01/2021-01-kent-outcomes.csv", b"other\n")
    found = find_files("police_uk", police, tmp_path, force="kent")
    assert [(f.name, f.period, f.published) for f in found] == [
        ("police/2021-01/2021-01-kent-street.csv.gz", "2021-01", date(2021, 4, 1)),
        ("police/2021-02/2021-02-kent-street.csv", "2021-02", date(2021, 5, 1)),
    ]
    assert {f.source for f in found} == {"police_uk"} and {f.role for f in found} == {"street"}


def test_first_month_and_roles_narrow_the_search(tmp_path: Path, police: SourceSpec) -> None:
    for month in ("2021-01", "2021-02"):
        put(tmp_path, f"police/{street(month)}", month_csv(month))
    later = find_files("police_uk", police, tmp_path, force="kent", first_month="2021-02")
    assert [f.period for f in later] == ["2021-02"]
    assert find_files("police_uk", police, tmp_path, force="kent", roles=["other"]) == []


def test_a_dated_zip_reissues_months_and_a_custom_one_does_not(tmp_path: Path, police: SourceSpec) -> None:
    zipped(
        tmp_path, "police/2021-03.zip", {street("2021-01"): month_csv(rows=3), street("2021-03"): month_csv("2021-03")}
    )
    zipped(tmp_path, "police/9f3c1a.zip", {f"data/{street('2021-01')}": month_csv(), street("2021-02", "essex"): b""})
    zipped(tmp_path, "police/archives/2021-04.zip", {street("2021-03"): month_csv("2021-03")})
    found = find_files("police_uk", police, tmp_path, force="kent")
    assert [(f.name, f.published) for f in found] == [
        ("police/9f3c1a.zip!data/2021-01/2021-01-kent-street.csv", date(2021, 4, 1)),
        ("police/2021-03.zip!2021-01/2021-01-kent-street.csv", date(2021, 6, 1)),
        ("police/2021-03.zip!2021-03/2021-03-kent-street.csv", date(2021, 6, 1)),
        ("police/archives/2021-04.zip!2021-03/2021-03-kent-street.csv", date(2021, 7, 1)),
    ]
    assert [police_uk.read(f).counted[0].rows for f in found] == [2, 3, 2, 2]


def test_copies_with_the_same_content_count_once(tmp_path: Path, police: SourceSpec) -> None:
    put(tmp_path, f"police/{street('2021-01')}", month_csv())
    put(tmp_path, f"police/{street('2021-01')}.gz", gzip.compress(month_csv()))
    zipped(tmp_path, "police/custom.zip", {street("2021-01"): month_csv()})
    found = find_files("police_uk", police, tmp_path, force="kent")
    assert [f.name for f in found] == ["police/2021-01/2021-01-kent-street.csv"]


def test_two_different_files_of_a_month_are_refused(tmp_path: Path, police: SourceSpec) -> None:
    put(tmp_path, f"police/{street('2021-01')}", month_csv())
    put(tmp_path, f"police/{street('2021-01')}.gz", gzip.compress(month_csv(rows=3)))
    with pytest.raises(DataFileError, match="two different files") as caught:
        find_files("police_uk", police, tmp_path, force="kent")
    assert f"police/{street('2021-01')}.gz" in str(caught.value) and f"police/{street('2021-01')}, " in str(
        caught.value
    )


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("police/2021-01/2021-02-kent-street.csv", "folder's month"),
        ("police/2021-13/2021-13-kent-street.csv", "no such month"),
    ],
)
def test_a_name_that_contradicts_itself_is_refused(tmp_path: Path, police: SourceSpec, name: str, what: str) -> None:
    put(tmp_path, name, month_csv())
    with pytest.raises(DataFileError, match=what):
        find_files("police_uk", police, tmp_path, force="kent")


@pytest.mark.parametrize(
    "member", ["/2021-01/x.csv", "../2021-01/x.csv", "a/../../x.csv", "C:/x.csv", "a\\b.csv"], ids=str
)
def test_a_zip_with_an_odd_path_is_refused_by_name(tmp_path: Path, police: SourceSpec, member: str) -> None:
    zipped(tmp_path, "police/odd.zip", {street("2021-01"): month_csv(), member: b"x"})
    with pytest.raises(DataFileError, match="path that leaves") as caught:
        find_files("police_uk", police, tmp_path, force="kent")
    assert f"police/odd.zip!{member}" in str(caught.value)


def test_an_encrypted_zip_is_refused(tmp_path: Path, police: SourceSpec) -> None:
    path = zipped(tmp_path, "police/locked.zip", {street("2021-01"): month_csv()})
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(raw))
    with pytest.raises(DataFileError, match=r"locked\.zip!2021-01/2021-01-kent-street\.csv.*encrypted"):
        find_files("police_uk", police, tmp_path, force="kent")


def test_a_member_twice_is_refused(tmp_path: Path, police: SourceSpec) -> None:
    path = tmp_path / "police" / "twice.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(street("2021-01"), month_csv())
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr(street("2021-01"), month_csv(rows=5))
    with pytest.raises(DataFileError, match="same member twice"):
        find_files("police_uk", police, tmp_path, force="kent")


def test_a_broken_zip_is_refused(tmp_path: Path, police: SourceSpec) -> None:
    path = zipped(tmp_path, "police/2021-03.zip", {street("2021-01"): month_csv()})
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(DataFileError, match=r"police/2021-03\.zip: this zip is broken"):
        find_files("police_uk", police, tmp_path, force="kent")


def test_a_damaged_member_is_refused_when_read(tmp_path: Path, police: SourceSpec) -> None:
    path = zipped(tmp_path, "police/2021-03.zip", {street("2021-01"): month_csv(rows=500)})
    raw = bytearray(path.read_bytes())
    raw[120:140] = bytes(20)
    path.write_bytes(bytes(raw))
    (file,) = find_files("police_uk", police, tmp_path, force="kent")
    with pytest.raises(DataFileError, match="this zip is broken"):
        police_uk.read(file)


def test_an_absent_folder_says_what_to_do(tmp_path: Path, police: SourceSpec) -> None:
    with pytest.raises(DataFileError, match="--data DIR"):
        find_files("police_uk", police, tmp_path / "nowhere", force="kent")


GOOD = month_csv(rows=400)
PACKED = gzip.compress(GOOD)
BROKEN = {
    "empty": (b"", 1, "empty"),
    "blank": (b"\n  \n", 1, "empty"),
    "empty gzip": (gzip.compress(b""), 1, "empty"),
    "web page": (b"<!DOCTYPE html><html><body>502</body></html>", 1, "web page"),
    "web page named gz": (b"\n<html><head></head></html>", 1, "web page"),
    "NUL bytes": (HEADER.encode() + b"\na,b\n\0\0,c\n", 3, "NUL"),
    "binary junk": (HEADER.encode() + b"\n\xff\xfe\xfa\x9c", 2, "not UTF-8"),
    "another code page": (HEADER.encode() + "\na\nCaf\xe9".encode("cp1252"), 3, "not UTF-8"),
    "no gzip at all": (GOOD, 1, "named .gz but is not gzip"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_text_names_file_and_line(case: str) -> None:
    raw, line, what = BROKEN[case]
    name = "police/a.csv.gz" if "gz" in case else "police/a.csv"
    with pytest.raises(DataFileError, match=what) as caught:
        as_text(raw, name)
    assert str(caught.value).startswith(f"{name}:{line}: ") and "next: " in str(caught.value)


@pytest.mark.parametrize("kept", [12, len(PACKED) // 2, len(PACKED) - 9])
def test_a_truncated_gzip_names_the_line_it_breaks_at(kept: int) -> None:
    with pytest.raises(DataFileError, match="ends too early") as caught:
        as_text(PACKED[:kept], "a.csv.gz")
    line = int(str(caught.value).split(":")[1])
    assert 1 <= line <= GOOD.count(b"\n") + 1
    assert line > 100 or kept < len(PACKED) - 9


def test_a_damaged_gzip_is_refused() -> None:
    raw = bytearray(PACKED)
    raw[-6] ^= 0xFF
    with pytest.raises(DataFileError, match=r"a\.csv\.gz:\d+: this gzip file is damaged"):
        as_text(bytes(raw), "a.csv.gz")


def test_a_gzip_of_several_parts_is_read_whole() -> None:
    assert as_text(gzip.compress(b"a,b\n") + gzip.compress(b"1,2\n"), "a.csv.gz") == b"a,b\n1,2\n"


def test_missing_months_are_named_between_the_first_and_the_last(tmp_path: Path, police: SourceSpec) -> None:
    for month in ("2021-11", "2022-02"):
        put(tmp_path, f"police/{street(month)}", month_csv(month))
    missing = missing_files("police_uk", police, tmp_path, force="kent")
    assert [(m.folder, m.file, m.period) for m in missing] == [
        ("police/2021-12", "2021-12-kent-street.csv", "2021-12"),
        ("police/2022-01", "2022-01-kent-street.csv", "2022-01"),
    ]
    assert all(m.publisher == police.publisher for m in missing)
    asked = missing_files("police_uk", police, tmp_path, force="kent", first_month="2022-01", last_month="2022-03")
    assert [m.period for m in asked] == ["2022-01", "2022-03"]


def test_a_source_without_any_file_is_one_entry(tmp_path: Path, police: SourceSpec) -> None:
    (missing,) = missing_files("police_uk", police, tmp_path / "nowhere", force="kent")
    assert (missing.folder, missing.file, missing.period) == ("police/YYYY-MM", "YYYY-MM-kent-street.csv", "")


def test_the_cut_of_one_force_stands_for_the_national_boundaries(tmp_path: Path, geography: SourceSpec) -> None:
    roles = ["boundaries", "boundaries_force"]
    nothing = missing_files("geography", geography, tmp_path, force="thames-valley", roles=roles)
    assert [(m.role, m.folder, m.file) for m in nothing] == [
        ("boundaries", "boundaries", "boundaries_lsoa21.geojson"),
    ]
    put(tmp_path, "boundaries/boundaries_lsoa21_thames_valley.geojson", b"{}")
    assert missing_files("geography", geography, tmp_path, force="thames-valley", roles=roles) == []
    assert len(missing_files("geography", geography, tmp_path, force="kent", roles=roles)) == 1
