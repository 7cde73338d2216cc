"""The planner's workbook: what it shows is what the tables hold, it reads well, it repeats, and text stays text."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
import python_calamine

import planner_builders as given
from riskmodel.contracts.errors import UsageError
from riskmodel.contracts.tables import TABLES, TableError
from riskmodel.narrative.bundle import DRAFT
from riskmodel.narrative.workbook import SourceNote, TargetNote, write_workbook
from riskmodel.narrative.workbook_columns import HISTORY_COLUMNS, OUTLOOK_COLUMNS
from riskmodel.narrative.workbook_text import LEVEL_NAMES, SHORTHAND

TARGET = TargetNote(given.TARGET, "Violence recorded by police", "violence and sexual offences", "no fixed place", 1)
ABOUT: dict[str, Any] = {
    "title": "Expected recorded violence in Gloucestershire",
    "targets": [TARGET],
    "as_of": date(2025, 9, 1),
    "run_id": "0123abcd",
    "state": DRAFT,
    "sources": [SourceNote("Street-level crime", "police.uk", "Open Government Licence v3.0")],
}
OUTLOOK_SHEETS = ["Next_12_months", "Wards", "MSOAs", "Quarters", "Financial_years", "Months", "LSOAs_by_year"]
OTHERS = ["All_years", "Recording", "How_well", "At_most", "Calibration", "Targets"]
ONE = {"outlook": given.outlook().query("level == 'pfa' and window == '12_months'"), "places": given.places()}


def write(folder: Path, tables: dict[str, pd.DataFrame], **about: Any) -> openpyxl.Workbook:
    write_workbook(folder / "planner.xlsx", tables, **ABOUT | about)
    return openpyxl.load_workbook(folder / "planner.xlsx")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workbook")
    write_workbook(folder / "planner.xlsx", given.planner_tables(), **ABOUT)
    return folder / "planner.xlsx"


@pytest.fixture(scope="module")
def book(path: Path) -> openpyxl.Workbook:
    return openpyxl.load_workbook(path)


def table_of(sheet: Any) -> pd.DataFrame:
    """The marked table of a sheet, with headings cut to their first line."""
    (table,) = sheet.tables.values()
    heading, *rows = [[cell.value for cell in row] for row in sheet[table.ref]]
    return pd.DataFrame(rows, columns=[h.split("\n")[0] for h in heading]).astype(object)


def test_sheets_come_in_the_order_a_planner_reads_them(book: openpyxl.Workbook) -> None:
    assert book.sheetnames == ["Cover", "Contents", "Notes", *OUTLOOK_SHEETS, *OTHERS]
    linked = table_of(book["Contents"])
    assert linked["Sheet name"].tolist() == book.sheetnames[2:]
    places = {c.value: c.hyperlink.location for c in book["Contents"]["A"] if c.hyperlink}
    assert places == {name: f"'{name}'!A1" for name in book.sheetnames[2:]}


def test_each_sheet_is_one_marked_table_under_a_title_and_its_state(book: openpyxl.Workbook) -> None:
    names = set()
    for sheet in book.worksheets[1:]:
        ((name, table),) = dict.items(sheet.tables)
        names.add(name)
        assert sheet["A1"].value
        assert sheet["A2"].value == DRAFT
        assert table.headerRowCount == 1
        assert table.autoFilter is None
        headings = [cell.value for cell in sheet[table.ref][0]]
        assert len(set(headings)) == len(headings)
        assert DRAFT in sheet.oddHeader.center.text
    assert len(names) == len(book.worksheets) - 1
    assert DRAFT in [cell.value for cell in book["Cover"]["A"]]


def test_nothing_is_merged_frozen_hidden_blank_or_a_formula(book: openpyxl.Workbook) -> None:
    for sheet in book.worksheets:
        assert not sheet.merged_cells.ranges
        assert sheet.freeze_panes is None
        assert sheet.sheet_state == "visible"
        rows = list(sheet.iter_rows())
        assert all(row[0].value is not None for row in rows), sheet.title
        assert {c.data_type for row in rows for c in row} <= {"s", "n", "d"}
        for table in sheet.tables.values():
            assert all(cell.value not in (None, "") for row in sheet[table.ref] for cell in row), sheet.title


def shown(book: openpyxl.Workbook, sheets: list[str], key: list[str]) -> pd.DataFrame:
    """The rows of several sheets together; a sheet of one period or one kind of area gets them from its name."""
    fixed = {"Wards": "Ward", "MSOAs": "MSOA", "LSOAs_by_year": "LSOA"}
    parts = []
    for name in sheets:
        part = table_of(book[name])
        if "From" not in part:
            part = part.assign(From=datetime(2025, 9, 1), To=datetime(2026, 8, 31))
        parts.append(part if "Kind of area" in part else part.assign(**{"Kind of area": fixed[name]}))
    rows = pd.concat(parts, ignore_index=True)
    assert not rows.duplicated(key).any()
    return rows.set_index(key).sort_index()


def test_every_number_of_the_outlook_is_shown_once_and_unchanged(book: openpyxl.Workbook) -> None:
    key = ["Kind of area", "Area code", "From", "To"]
    rows = shown(book, OUTLOOK_SHEETS, key)
    table = given.outlook()
    table["kind"] = table["level"].map(LEVEL_NAMES)
    table = table.set_index(["kind", "location", "start", "end"]).rename_axis(key).sort_index()
    assert list(rows.index) == list(table.index)
    columns = [c for c in OUTLOOK_COLUMNS if c.key in table.columns]
    assert {c.key for c in columns} == set(table.columns) - {"target", "window", "level"}
    for column in columns:
        held = table[column.key].notna().to_numpy()
        got = rows[column.heading].where(rows[column.heading].notna(), "[z]")  # a sheet without the column
        wanted = table.loc[held, column.key].tolist()
        # The file holds 16 digits of a number.
        close = wanted if column.kind in ("text", "day") else pytest.approx(wanted, rel=1e-15)
        assert got[held].tolist() == close, column.key
        assert set(got[~held]) <= set(SHORTHAND), column.key


def test_a_blank_says_why_it_is_blank(book: openpyxl.Workbook) -> None:
    rows = shown(book, OUTLOOK_SHEETS, ["Kind of area", "Area code", "From", "To"])
    before, change = rows["Recorded in the months compared with"], rows["Expected change on those months"]
    assert set(change[before == "[x]"]) == {"[x]"}
    assert set(change[before == 0]) == {"[z]"}
    lsoas = table_of(book["LSOAs_by_year"])
    assert set(lsoas.loc[lsoas["Kind of period"] == "Financial year", "Areas ranked"]) == {"[z]"}
    for sheet in book.worksheets[3:]:
        values = {cell.value for row in sheet.iter_rows() for cell in row}
        for mark, meaning in SHORTHAND.items():
            assert (mark in values) == (f"{mark} = {meaning}" in values), sheet.title


def test_places_are_named_and_never_in_the_order_of_a_league(book: openpyxl.Workbook) -> None:
    first = table_of(book["Next_12_months"])
    assert first["Area name"].tolist() == ["Gloucestershire", "Severnside", "Cotswold", "Gloucester", "The north"]
    assert set(table_of(book["Wards"])["District"]) == {"Gloucester"}


def test_sheets_with_intervals_say_how_far_to_rely_on_them(book: openpyxl.Workbook) -> None:
    for name in [*OUTLOOK_SHEETS, "Calibration"]:
        assert "Reliability of the range" in table_of(book[name]).columns


def test_history_shows_each_year_with_its_change_and_its_gaps(book: openpyxl.Workbook) -> None:
    rows = table_of(book["All_years"])
    table = given.history().query("level != 'lsoa21' and window == 'financial_year'")
    assert len(rows) == len(table)
    one = rows[rows["Area code"] == "E23000037"].reset_index(drop=True)
    base = table.loc[table["location"] == "E23000037", "recorded"].tolist()
    assert one["Recorded violence"].tolist() == [base[0], base[1], "[x]", base[3], base[4]]
    wanted = ["[x]", base[1] / base[0] - 1, "[x]", "[x]", base[4] / base[3] - 1]
    assert one["Change on the year before"].tolist() == pytest.approx(wanted)
    assert one["Remarks"].tolist() == ["[z]", "[z]", "2 of 12 months missing", "[z]", "[z]"]
    assert {c.heading for c in HISTORY_COLUMNS} - {"What is counted"} == set(rows.columns)


def test_a_leap_day_has_its_year_before(tmp_path: Path) -> None:
    row = {"target": given.TARGET, "window": "12_months", "level": "pfa", "location": "E23000037"}
    rest = {"months_held": 12, "months_of": 12, "note": ""}
    ends = [("2022-03-01", "2023-02-28", 50.0), ("2023-03-01", "2024-02-29", 60.0), ("2024-03-01", "2025-02-28", 75.0)]
    history = pd.DataFrame([row | rest | {"start": s, "end": e, "recorded": n} for s, e, n in ends])
    rows = table_of(write(tmp_path, ONE | {"history": history})["All_years"])
    assert rows["Change on the year before"].tolist() == ["[x]", pytest.approx(0.2), pytest.approx(0.25)]


@pytest.mark.parametrize(
    "sheet, table",
    [
        ("Recording", "recording"),
        ("How_well", "comparison"),
        ("At_most", "noise_floor"),
        ("Calibration", "calibration"),
    ],
)
def test_the_other_tables_are_shown_whole(book: openpyxl.Workbook, sheet: str, table: str) -> None:
    rows, held = table_of(book[sheet]), given.planner_tables()[table]
    assert rows.shape == held.shape
    numbers = held.select_dtypes("number")
    kept = sorted(x for x in rows.to_numpy().ravel() if isinstance(x, (int, float)))
    assert kept == pytest.approx(sorted(x for x in numbers.to_numpy().ravel() if not np.isnan(x)))


def test_notes_are_numbered_as_met_and_made_from_the_records(book: openpyxl.Workbook) -> None:
    notes = table_of(book["Notes"])
    assert notes["Note number"].tolist() == list(range(1, len(notes) + 1))
    met = []
    for sheet in book.worksheets[3:]:
        for row in sheet.iter_rows():
            for cell in row:
                text = str(cell.value)
                met += [int(piece.split("]")[0]) for piece in text.split("[note ")[1:]]
    assert list(dict.fromkeys(met)) == notes["Note number"].tolist()
    texts = " ".join(notes["Note text"])
    for column in TABLES["outlook"].columns[6:7] + TABLES["recording"].columns[1:]:
        assert column.description[1:] in texts


def test_headings_carry_units_and_numbers_their_format(book: openpyxl.Workbook) -> None:
    sheet = book["Next_12_months"]
    (table,) = sheet.tables.values()
    heading, first, *_ = sheet[table.ref]
    got = {
        h.value.split("\n")[0]: (h.value.split("\n")[1:2], f.number_format) for h, f in zip(heading, first, strict=True)
    }
    assert got["Expected recorded violence"] == (["(records)"], "#,##0.0")
    assert got["Expected change on those months"] == (["(per cent)"], "0%")
    assert got["Likely range: low end"] == (["(records)"], "#,##0")
    assert all(cell.alignment.wrap_text for cell in [*heading, *first])
    assert all(
        10 <= sheet.column_dimensions[c.column_letter].width <= 70
        for c in heading
        if c.column_letter in sheet.column_dimensions
    )


def test_calamine_reads_the_same_cells(path: Path, book: openpyxl.Workbook) -> None:
    other = python_calamine.CalamineWorkbook.from_path(path)
    assert other.sheet_names == book.sheetnames
    for name in book.sheetnames:
        theirs = [[None if c == "" else c for c in row] for row in other.get_sheet_by_name(name).to_python()]
        ours = [list(row) for row in book[name].iter_rows(values_only=True)]
        ours = [[c.date() if isinstance(c, datetime) else c for c in row] for row in ours]
        assert theirs == ours, name


def test_the_document_says_what_it_is_and_carries_no_time_of_its_own(path: Path, book: openpyxl.Workbook) -> None:
    assert book.properties.title == ABOUT["title"]
    assert book.properties.created == book.properties.modified == datetime(2025, 9, 1)
    with zipfile.ZipFile(path) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


AGAIN = """
import hashlib, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import planner_builders as given
import test_workbook as here
from riskmodel.narrative.workbook import write_workbook
path = Path(sys.argv[2])
write_workbook(path, given.planner_tables(), **here.ABOUT)
print(hashlib.sha256(path.read_bytes()).hexdigest())
"""


def test_the_same_input_gives_the_same_bytes_in_another_process(path: Path, tmp_path: Path) -> None:
    tests = Path(given.__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", AGAIN, str(tests), str(tmp_path / "again.xlsx")],
        env={"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "PYTHONPATH": str(tests / "narrative"), "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[-1] == hashlib.sha256(path.read_bytes()).hexdigest()


HOSTILE = [
    '=HYPERLINK("http://x","y")', "+1", "-1+1", "@SUM(1)", '{=HYPERLINK("http://x")}', "http://x.example", "mailto:a@b",
    "[click](http://x)", "[a](b) [c](d)", "$$note$$", "0123", "1e5", "<b>&amp;", "internal:'Cover'!A1", "TRUE",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(name: str, tmp_path: Path) -> None:
    places = given.places()
    places.loc[places["level"] == "pfa", "name"] = name
    book = write(tmp_path, ONE | {"places": places})
    sheet = book["Next_12_months"]
    (table,) = sheet.tables.values()
    cell = sheet[table.ref][1][0]
    assert (cell.value, cell.data_type, cell.hyperlink) == (name, "s", None)
    assert "<f>" not in sheet_xml(tmp_path / "planner.xlsx")


def sheet_xml(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        return "".join(archive.read(n).decode() for n in archive.namelist() if n.startswith("xl/worksheets/sheet"))


@pytest.mark.parametrize("name", ["<r><t>x</t></r>", "\u2013", "  "])
def test_names_that_a_writer_stumbles_over_are_still_readable(name: str, tmp_path: Path) -> None:
    places = given.places()
    places.loc[places["level"] == "pfa", "name"] = name
    rows = table_of(write(tmp_path, ONE | {"places": places})["Next_12_months"])
    assert rows["Area name"].iloc[0].startswith(name.strip())
    assert rows["Area code"].iloc[0] == "E23000037"


@pytest.mark.parametrize("text", ["[a](b) [c](d)", "$$x$$", "=1+1"])
def test_hostile_definitions_do_not_break_the_cover(text: str, tmp_path: Path) -> None:
    target = TargetNote(given.TARGET, text, text, text, 1)
    book = write(tmp_path, ONE, targets=[target], title=text, contact=text, sources=[SourceNote(text, text, text)])
    assert all(c.data_type == "s" and c.hyperlink is None for c in book["Cover"]["A"])
    assert "<f>" not in sheet_xml(tmp_path / "planner.xlsx")


def test_the_cover_says_what_it_is_not_for_and_whom_to_ask(book: openpyxl.Workbook, tmp_path: Path) -> None:
    text = "\n".join(str(c.value) for c in book["Cover"]["A"])
    for part in ("must not be used for", "individuals", "TO BE COMPLETED", "Open Government Licence", "no fixed place"):
        assert part in text
    named = write(tmp_path, ONE, contact="A. Person, a@b.example")
    cells = [c.value for c in named["Cover"]["A"]]
    assert "A. Person, a@b.example" in cells
    assert "TO BE COMPLETED" not in str(cells)


def test_withheld_cells_are_marked_and_give_nothing_away(tmp_path: Path) -> None:
    outlook, history = given.outlook(), given.history()
    masks = {"outlook": outlook.isna() & False, "history": history.isna() & False}
    row = outlook.index[(outlook["level"] == "pfa") & (outlook["window"] == "12_months")][0]
    hidden = ["mean", "low", "median", "high"]
    masks["outlook"].loc[row, hidden] = True
    masks["history"].loc[0, "recorded"] = True  # its number is still there, and no change may give it away
    tables = given.planner_tables()
    tables["outlook"] = outlook.mask(masks["outlook"])
    book = write(tmp_path, tables, suppressed=masks)
    first = table_of(book["Next_12_months"]).iloc[0]
    assert [first[c.heading] for c in OUTLOOK_COLUMNS if c.key in hidden] == ["[c]"] * 4
    years = table_of(book["All_years"]).query("`Area code` == 'E23000037'")
    assert years["Recorded violence"].tolist()[0] == "[c]"
    assert years["Change on the year before"].tolist()[:2] == ["[c]", "[x]"]
    assert str(outlook.loc[row, "mean"])[:8] not in sheet_xml(tmp_path / "planner.xlsx")
    assert any("[c] marks" in text for text in table_of(book["Notes"])["Note text"])


def test_a_blank_nobody_withheld_is_refused(tmp_path: Path) -> None:
    outlook = given.outlook()
    outlook.loc[0, "mean"] = np.nan
    with pytest.raises(TableError, match=r"blank values in 'outlook\.mean'"):
        write(tmp_path, {"outlook": outlook, "places": given.places()})
    with pytest.raises(TableError, match="not of the shape"):
        write(tmp_path, ONE, suppressed={"outlook": pd.DataFrame({"mean": [True]})})


def test_rows_finer_than_published_are_refused_not_dropped(tmp_path: Path) -> None:
    fine = given.outlook().query("level == 'lsoa21' and window == '12_months'").assign(window="quarter")
    both = pd.concat([given.outlook(), fine], ignore_index=True)
    with pytest.raises(TableError, match="lsoa21 by quarter"):
        write(tmp_path, {"outlook": both, "places": given.places()})


def test_places_and_targets_without_a_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="E23000037"):
        write(tmp_path, {"outlook": ONE["outlook"], "places": given.places().query("level != 'pfa'")})
    with pytest.raises(TableError, match="a target has no title"):
        write(tmp_path, ONE, targets=[TargetNote("other@1", "Other", "a", "b", 1)])
    with pytest.raises(TableError, match="needs the table 'places'"):
        write(tmp_path, {"outlook": ONE["outlook"]})


def test_several_targets_stand_side_by_side_under_their_titles(tmp_path: Path) -> None:
    other = TargetNote("weapons@2", "Weapon possession", "possession", "nothing", 2)
    both = pd.concat([ONE["outlook"], ONE["outlook"].assign(target="weapons@2")], ignore_index=True)
    book = write(tmp_path, {"outlook": both, "places": given.places()}, targets=[TARGET, other])
    assert table_of(book["Next_12_months"])["What is counted"].tolist() == [TARGET.title, other.title]
    assert table_of(book["Targets"])["What is counted"].tolist() == [TARGET.title, other.title]


def test_a_text_longer_than_a_cell_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="longer than a cell"):
        write(tmp_path, ONE, contact="x" * 40_000)
