"""Partners' tables and lists of events: the same from every format, refused by line, and blind to people."""

from __future__ import annotations

import csv
import gzip
import io
import sys
import zipfile
from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.contracts.errors import DataFileError, DefinitionError, EnvironmentProblem
from riskmodel.contracts.periods import month_label, month_number
from riskmodel.contracts.specs import SourceSpec
from riskmodel.contracts.yaml_files import read_spec
from riskmodel.sources.agreements import require_agreement
from riskmodel.sources.files import find_files
from riskmodel.sources.named_periods import as_period, last_month, published_of
from riskmodel.sources.observed import Observed, SourceFile
from riskmodel.sources.tidy_table import read
from riskmodel.store import Store

ROOT = Path(__file__).parents[2]
A, B, C = "E01000001", "E01000002", "E01000003"
EVENTS = {"layout": "events", "area": "lsoa", "period": "date", "period_form": "date"}
WIDE = {"layout": "wide", "area": "lsoa", "period": "month"}
SHARING = {
    "controller": "Hospitals",
    "agreement": "ISA 7",
    "expires": date(2025, 3, 31),
    "lawful_basis": "public task",
    "audiences": ["partners"],
}


def source_spec(table: dict[str, Any] | None, path: str = "t.csv", **file: Any) -> SourceSpec:
    file.setdefault("measures", {"n": "rows"} if table and table["layout"] == "events" else {"n": "value"})
    if table is not None and "period" in table:
        file.setdefault("published", {"lag_months": 2})
    else:
        file |= {"published": file.get("published", date(2024, 1, 1)), "period": file.get("period", "2024")}
    more = file.pop("source", {})
    return SourceSpec(
        title="t",
        publisher="p",
        licence="l",
        reader="tidy_table",
        evidence="e",
        files={"role": {"path": path, "table": table, **file}},
        **more,
    )


def the_file(folder: Path, spec: SourceSpec) -> SourceFile:
    (file,) = find_files("feed", spec, folder, force="f")
    return file


def from_text(folder: Path, text: str, table: dict[str, Any] | None, **file: Any) -> SourceFile:
    (folder / "t.csv").write_text(text, encoding="utf-8", newline="\n")
    return the_file(folder, source_spec(table, **file))


def held(observed: Observed) -> dict[tuple[Any, ...], float | None]:
    names = [n for n in observed.table.column_names if n != "value"]
    rows = {tuple(r[n] for n in names): r["value"] for r in observed.table.to_pylist()}
    assert len(rows) == observed.table.num_rows, "a key is there twice"
    return rows


def rules(observed: Observed) -> dict[str, int]:
    return {c.rule: c.rows for c in observed.counted}


rows_of_events = st.lists(
    st.tuples(
        st.sampled_from([A, B, C, ""]),
        st.dates(date(2024, 1, 1), date(2024, 5, 31)) | st.none(),
        st.sampled_from(["female", "male", ""]),
        st.sampled_from(["assault", "fall"]),
        st.integers(0, 23),
    ),
    min_size=1,
    max_size=60,
)


@given(rows=rows_of_events)
def test_events_are_counted_as_one_would_by_hand(tmp_path_factory: pytest.TempPathFactory, rows: list[Any]) -> None:
    folder = tmp_path_factory.mktemp("events")
    with (folder / "t.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["name", "lsoa", "date", "sex", "kind", "hour"])
        writer.writerows([["Ann\nOther", a, d or "", s, k, h] for a, d, s, k, h in rows])
    table = {
        **EVENTS,
        "breakdowns": {"sex": "sex", "part": "hour_band(hour)", "days": "weekday_band(date)"},
        "only": {"kind": ["assault"]},
    }
    spec = source_spec(table)
    if not any(k == "assault" for *_, k, _ in rows):
        with pytest.raises(DataFileError, match="no row has any of the values kept of column 'kind'"):
            read(the_file(folder, spec))
        return
    observed = read(the_file(folder, spec))
    expected: Counter[tuple[str, ...]] = Counter()
    for area, day, sex, kind, hour in rows:
        if kind == "assault" and day is not None:
            days = "Monday to Thursday" if day.strftime("%a") in ("Mon", "Tue", "Wed", "Thu") else "Friday to Sunday"
            part = "00-05" if hour < 6 else "06-11" if hour < 12 else "12-17" if hour < 18 else "18-23"
            breakdown = f"days={days}|part={part}|sex={sex or 'not recorded'}"
            expected[("n", breakdown, area, day.isoformat()[:7])] += 1
    known = {day.isoformat()[:7] for _, day, *_ in rows if day is not None}
    counted = {period for *_, period in expected}
    none = {("n", "total", "", period): 0 for period in known - counted}
    assert held(observed) == {**expected, **none}
    found = rules(observed)
    assert found["raw rows"] == len(rows)
    assert found["raw rows"] == found["rows kept"] + found["rows of other values"] + found["rows without a period"]
    assert found["rows kept"] == sum(expected.values())
    assert found["rows without an area"] == sum(n for (_, _, area, _), n in expected.items() if not area)


FRAME = pd.DataFrame(
    {
        "person": ["Ann Other", "Bob Nobody", "Cy Secret"],
        "lsoa": [A, B, A],
        "when": pd.to_datetime(["2024-01-01", "2024-01-01", "2024-02-01"]),
        "value": [3.0, None, 2.5],
        "more": [1, 2, 3],
    }
)


def written(folder: Path, form: str) -> Path:
    path = folder / f"t{form}"
    if form == ".csv":
        FRAME.to_csv(path, index=False)
    elif form == ".csv.gz":
        path.write_bytes(gzip.compress(FRAME.to_csv(index=False).encode()))
    elif form == ".parquet":
        FRAME.assign(lsoa=FRAME["lsoa"].astype("category")).to_parquet(path, index=False)
    elif form == ".xlsx":
        with pd.ExcelWriter(path, engine="openpyxl") as book:
            pd.DataFrame({"notes": ["read me"]}).to_excel(book, sheet_name="Notes", index=False)
            FRAME.to_excel(book, sheet_name="Data", index=False)
    else:
        path.write_bytes(open_document({"Notes": pd.DataFrame({"notes": ["read me"]}), "Data": FRAME}))
    return path


SPREADSHEET = "application/vnd.oasis.opendocument.spreadsheet"


def open_document(sheets: dict[str, pd.DataFrame]) -> bytes:
    """A spreadsheet as the OpenDocument standard has it, with no more in it than a reader needs."""
    office, table, text = (f"urn:oasis:names:tc:opendocument:xmlns:{n}:1.0" for n in ("office", "table", "text"))

    def cell(value: object) -> str:
        if value is None or value != value:
            return "<table:table-cell/>"
        if isinstance(value, (int, float)):
            return f'<table:table-cell office:value-type="float" office:value="{value}"/>'
        said = escape(str(value))
        return f'<table:table-cell office:value-type="string"><text:p>{said}</text:p></table:table-cell>'

    def row(values: Iterable[object]) -> str:
        return f"<table:table-row>{''.join(map(cell, values))}</table:table-row>"

    tables = "".join(
        f'<table:table table:name="{name}">{row(frame.columns)}'
        f"{''.join(row(r) for r in frame.astype(object).itertuples(index=False))}</table:table>"
        for name, frame in sheets.items()
    )
    content = (
        f'<office:document-content xmlns:office="{office}" xmlns:table="{table}" xmlns:text="{text}" '
        f'office:version="1.2"><office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as book:
        book.writestr("mimetype", SPREADSHEET)
        book.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{SPREADSHEET}"/></manifest:manifest>',
        )
        book.writestr("content.xml", content)
    return held.getvalue()


FORMATS = (".csv", ".csv.gz", ".parquet", ".xlsx", ".ods")


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_the_same_observations(tmp_path: Path, form: str) -> None:
    written(tmp_path, form)
    sheet = "Data" if form in (".xlsx", ".ods") else None
    plain = {"layout": "wide", "area": "lsoa", "sheet": sheet}

    def observed(**table: Any) -> Observed:
        spec = source_spec({**plain, **table}, f"t{form.removesuffix('.gz')}", measures={"n": "value", "m": "more"})
        return read(the_file(tmp_path, spec))

    row = {".csv": ":4", ".csv.gz": ":4", ".parquet": ": row 3"}.get(form, ": row 4")
    with pytest.raises(DataFileError, match="were there before") as caught:
        observed()
    assert caught.value.where == f"t{form}{row}"
    with pytest.raises(DataFileError, match="this is no year") as caught:
        observed(period="when", period_form="year")
    days = "when=Monday to Thursday"
    assert held(observed(breakdowns={"when": "weekday_band(when)"}, repeated="sum")) == {
        ("n", days, A): 5.5,
        ("n", days, B): None,
        ("m", days, A): 4.0,
        ("m", days, B): 2.0,
    }
    with pytest.raises(DataFileError, match="a monthly count is a whole number") as caught:
        observed(period="when", period_form="date")
    first = {".csv": ":3", ".csv.gz": ":3", ".parquet": ": row 2"}.get(form, ": row 3")
    assert caught.value.where == f"t{form}{first}"


@pytest.mark.parametrize("form", FORMATS)
def test_no_column_of_people_is_read(tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, form)
    asked: list[list[str]] = []
    plain, columns = pacsv.read_csv, pq.ParquetFile.read

    def spy(*args: Any, **options: Any) -> pa.Table:
        asked.append(options["convert_options"].include_columns)
        return plain(*args, **options)

    def spy_on_parquet(self: Any, **options: Any) -> pa.Table:
        asked.append(options["columns"])
        return columns(self, **options)

    monkeypatch.setattr(pacsv, "read_csv", spy)
    monkeypatch.setattr(pq.ParquetFile, "read", spy_on_parquet)
    table = {
        "layout": "events",
        "area": "lsoa",
        "period": "when",
        "period_form": "date",
        "sheet": "Data" if form in (".xlsx", ".ods") else None,
    }
    file = the_file(tmp_path, source_spec(table, f"t{form.removesuffix('.gz')}"))
    store = Store(tmp_path / "store")
    store.ingest([file])
    if form in (".csv", ".csv.gz", ".parquet"):
        assert asked[0] == ["lsoa", "when"]
    assert held(store.read(file)) == {
        ("n", "total", A, "2024-01"): 1,
        ("n", "total", B, "2024-01"): 1,
        ("n", "total", A, "2024-02"): 1,
    }
    kept = b"".join(p.read_bytes() for p in (tmp_path / "store").rglob("*") if p.is_file())
    assert kept and not any(name.encode() in kept for name in FRAME["person"])


def test_no_message_quotes_a_person(tmp_path: Path) -> None:
    broken = f'name,lsoa,date\nAnn Other,{A},2024-01-01\n"Bob Nobody,{A},2024-01-02\n'
    extra = f"name,lsoa,date\nAnn Other,{A},2024-01-01,x\n"
    for text in (broken, extra, f"name,lsoa,date\nAnn Other,{A},soon\n", "name,lsoa,date\nAnn Other,x,2024-01-01\n"):
        with pytest.raises(DataFileError) as caught:
            read(from_text(tmp_path, text, EVENTS))
        assert "Ann" not in str(caught.value) and "Bob" not in str(caught.value)


CASES = {
    "no number": ("lsoa,month,value\n{A},2024-01,1\n{A},2024-02,1e\n", WIDE, ":3", "this is not a number"),
    "a marked blank": ("lsoa,month,value\n{A},2024-01,*\n", WIDE, ":2", "table: no_value"),
    "infinite": ("lsoa,month,value\n{A},2024-01,inf\n", WIDE, ":2", "this is not a number"),
    "negative": ("lsoa,month,value\n{A},2024-01,1\n{A},2024-02,-1\n", WIDE, ":3", "nought or more"),
    "part of one": ("lsoa,month,value\n{A},2024-01,1.5\n", WIDE, ":2", "whole number"),
    "a blank month": ("lsoa,month,value\n{A},2024-01,\n", WIDE, ":2", "found: a blank"),
    "no month": ("lsoa,month,value\n\n{A},2024-13,1\n", WIDE, ":3", "this is no month"),
    "no day": ("lsoa,date\n{A},2024-02-30\n", EVENTS, ":2", "allowed: 2025-06-30 or 30/06/2025"),
    "no code": ("lsoa,month,value\n{A},2024-01,1\nE02000001,2024-01,1\n", WIDE, ":3", "table: no_area"),
    "repeated": ("lsoa,month,value\n{A},2024-01,1\n{B},2024-01,1\n{A},2024-01,1\n", WIDE, ":4", "first at t.csv:2"),
    "misspelt column": ("lsao,month,value\n{A},2024-01,1\n", WIDE, ":1", "did you mean 'lsao'?"),
    "no rows": ("lsoa,month,value\n", WIDE, "", "headings but no rows"),
    "empty": ("", WIDE, ":1", "this file is empty"),
    "short row": ("lsoa,month,value\n{A},2024-01\n", WIDE, ":2", "another number of fields"),
    "kept of nothing": (
        "lsoa,month,value,kind\n{A},2024-01,1,robery\n",
        {**WIDE, "only": {"kind": ["robbery"]}},
        ":2",
        "did you mean 'robery'?",
    ),
    "unknown measure": (
        "lsoa,month,what,value\n{A},2024-01,calls,1\n",
        {**WIDE, "layout": "long", "measure": "what", "value": "value"},
        ":2",
        "no row holds the measure",
    ),
    "a breakdown with our marks": (
        "lsoa,month,value,sex\n{A},2024-01,1,m=f\n",
        {**WIDE, "breakdowns": {"sex": "sex"}},
        ":2",
        "this cannot be a sex",
    ),
    "no hour": (
        "lsoa,date,hour\n{A},2024-01-01,24\n",
        {**EVENTS, "breakdowns": {"part": "hour_band(hour)"}},
        ":2",
        "an hour, 0 to 23",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_is_refused_with_its_line(tmp_path: Path, case: str) -> None:
    text, table, line, said = CASES[case]
    with pytest.raises(DataFileError) as caught:
        read(from_text(tmp_path, text.format(A=A, B=B), table))
    assert said in str(caught.value)
    assert str(caught.value.where).startswith(f"t.csv{line}")


def test_definitions_that_describe_no_table_are_refused(tmp_path: Path) -> None:
    for table, measures, said in (
        (None, {"n": "value"}, "how its table is laid out"),
        (WIDE, {}, "maps no measure"),
        (EVENTS, {"n": "lsoa"}, "its one measure counts them"),
        (EVENTS, {"n": "rows", "m": "rows"}, "its one measure counts them"),
    ):
        with pytest.raises(DefinitionError, match=said):
            read(from_text(tmp_path, "lsoa,date,month,value\n", table, measures=measures))


def test_codes_that_stand_for_no_area_and_blanks_are_counted(tmp_path: Path) -> None:
    text = f"lsoa,value\n{A},1\nE92000001,9\n,8\n{B},c\n{C},\n"
    table = {"layout": "wide", "area": "lsoa", "no_area": ["E92000001"], "no_value": ["c"]}
    observed = read(from_text(tmp_path, text, table))
    assert held(observed) == {("n", "total", A): 1, ("n", "total", B): None, ("n", "total", C): None}
    assert rules(observed) == {
        "raw rows": 5,
        "rows kept": 3,
        "rows of other values": 0,
        "rows without a period": 0,
        "rows without an area": 2,
        "blank values": 2,
    }


def test_a_long_table_holds_each_measure_it_names(tmp_path: Path) -> None:
    text = f"lsoa,year,what,value\n{A},2019,calls,1\n{A},2020,calls,2\n{A},2020,visits,7.5\n{A},2020,other,9\n"
    table = {
        "layout": "long",
        "area": "lsoa",
        "period": "year",
        "period_form": "year",
        "measure": "what",
        "value": "value",
    }
    observed = read(from_text(tmp_path, text, table, measures={"n": "calls", "m": "visits"}))
    assert held(observed) == {
        ("n", "total", A, "2019"): 1,
        ("n", "total", A, "2020"): 2,
        ("m", "total", A, "2020"): 7.5,
    }


@pytest.mark.parametrize("form", [".xlsx", ".ods"])
def test_a_spreadsheet_names_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    (tmp_path / f"t{form}").write_bytes(b"PK")
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(EnvironmentProblem, match=r"riskmodel\[spreadsheets\]"):
        read(the_file(tmp_path, source_spec(WIDE, f"t{form}")))


@pytest.mark.parametrize("form", [".xlsx", ".ods", ".parquet"])
def test_a_damaged_binary_file_is_refused(tmp_path: Path, form: str) -> None:
    path = written(tmp_path, form)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataFileError, match=r"this file is no .*, or a damaged one"):
        read(the_file(tmp_path, source_spec(WIDE, f"t{form}")))


def test_a_workbook_of_several_sheets_needs_one_named(tmp_path: Path) -> None:
    written(tmp_path, ".xlsx")
    for sheet, said in ((None, "has several sheets"), ("Dataa", "did you mean 'Data'")):
        with pytest.raises(DataFileError, match=said):
            read(the_file(tmp_path, source_spec({**WIDE, "sheet": sheet}, "t.xlsx")))


@given(month=st.integers(1900 * 12, 2100 * 12), form=st.sampled_from(["month", "quarter", "financial_year", "year"]))
def test_a_period_is_spelt_one_way_and_ends_where_it_ends(month: int, form: str) -> None:
    year, number = divmod(month, 12)
    cells = {
        "month": [month_label(month)],
        "quarter": [f"{year}Q{number // 3 + 1}", f"{year}-Q{number // 3 + 1}", f"{year} Q{number // 3 + 1}"],
        "financial_year": [f"{year}/{(year + 1) % 100:02d}", f"{year}-{(year + 1) % 100:02d}"],
        "year": [str(year), f"{year}.0"],
    }[form]
    (spelt,) = {as_period(cell, form) for cell in cells}
    assert spelt is not None and as_period(spelt, form) == spelt
    ends = {
        "month": month,
        "quarter": year * 12 + number // 3 * 3 + 2,
        "financial_year": (year + 1) * 12 + 2,
        "year": year * 12 + 11,
    }
    assert last_month(spelt) == ends[form]


@pytest.mark.parametrize(
    ("cell", "form"),
    [
        ("2024-13", "month"),
        ("2024-01-15", "month"),
        ("01/31/2024", "date"),
        ("2024Q5", "quarter"),
        ("2024/26", "financial_year"),
        ("24", "year"),
        ("2024-02", "term"),
        ("2024/26 autumn", "term"),
        ("2024/25 winter", "term"),
        ("\u0662\u0660\u0662\u0664", "year"),
    ],
)
def test_what_is_no_period_of_its_form_is_none(cell: str, form: str) -> None:
    assert as_period(cell, form) is None


def test_terms_follow_the_school_year(tmp_path: Path) -> None:
    assert [as_period(c, "term") for c in ("2024-09", "2025-01", "2025-04")] == [
        "2024/25 autumn",
        "2024/25 spring",
        "2024/25 summer",
    ]
    assert [month_label(last_month(f"2024/25 {t}")) for t in ("autumn", "spring", "summer")] == [
        "2024-12",
        "2025-03",
        "2025-07",
    ]
    file = from_text(tmp_path, f"lsoa,month,value\n{A},2025-01,1\n", {**WIDE, "period_form": "term"})
    assert published_of(file, "2024/25 spring") == date(2025, 5, 1)
    fixed = the_file(tmp_path, source_spec({**WIDE, "period_form": "term"}, published=date(2025, 9, 9)))
    assert published_of(fixed, "2024/25 spring") == date(2025, 9, 9)


def test_a_feed_stops_the_day_after_its_agreement_ends(tmp_path: Path) -> None:
    text = f"lsoa,date\n{A},2024-01-01\n"
    file = from_text(tmp_path, text, EVENTS, source={"sensitivity": "restricted", "sharing": SHARING})
    store = Store(tmp_path / "store")
    assert store.ingest([file], today=date(2025, 3, 31)).read == ("t.csv",)
    with pytest.raises(DataFileError) as caught:
        store.ingest([file], today=date(2025, 4, 1))
    for said in ("ISA 7", "2025-03-31", "ask Hospitals", "features/sources/feed.yaml"):
        assert said in str(caught.value)
    with pytest.raises(DataFileError, match="has ended"):
        require_agreement("feed", file.source_spec)
    require_agreement("open", source_spec(EVENTS), today=date(2999, 1, 1))


def test_another_description_of_a_file_is_read_anew(tmp_path: Path) -> None:
    text = f"lsoa,date,kind\n{A},2024-01-01,fall\n{A},2024-01-01,assault\n"
    store, values = Store(tmp_path / "store"), []
    for only in ({}, {"kind": ["assault"]}):
        file = from_text(tmp_path, text, {**EVENTS, "only": only})
        store.ingest([file])
        values.append(held(store.read(file))[("n", "total", A, "2024-01")])
    assert values == [2, 1]


def test_each_period_of_a_stored_table_has_its_own_day(tmp_path: Path) -> None:
    file = from_text(tmp_path, f"lsoa,month,value\n{A},2024-01,1\n{A},2024-03,2\n", WIDE)
    store = Store(tmp_path / "store")
    store.ingest([file])
    frame = store.observations([file]).set_index("period")
    assert frame["published"].dt.date.to_dict() == {"2024-01": date(2024, 3, 1), "2024-03": date(2024, 5, 1)}


@pytest.mark.real
def test_the_health_index_is_read_as_published(real_data: Path) -> None:
    spec = read_spec(ROOT / "features" / "sources" / "health_index.yaml", SourceSpec)
    file = next(f for f in find_files("health_index", spec, real_data, force="f") if f.role == "indicators")
    observed = read(file)
    own = {spelt: name for name, spelt in file.spec.measures.items()}
    expected: dict[tuple[str, str, str, str], float] = {}
    with gzip.open(file.path, "rt", encoding="utf-8", newline="") as text:
        for row in csv.DictReader(text):
            if row["indicator"] in own and row["value"]:
                expected[(own[row["indicator"]], "total", row["ltla21_code"], row["year"])] = float(row["value"])
    assert {k: v for k, v in held(observed).items() if v is not None} == expected
    assert month_label(last_month("2021")) == "2021-12" and month_number("2021-12") == last_month("2021")
