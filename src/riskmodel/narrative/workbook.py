"""The planner's workbook: the tables of a run as a spreadsheet that follows the Analysis Function's guidance.

In: tables as their records describe them, and what the run is about. Out: one XLSX file with a cover, contents, notes
and one marked table a sheet. The same input gives the same bytes; every text is written as text, never as a formula.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodel.contracts.errors import UsageError
from riskmodel.narrative.workbook_columns import FORMATS
from riskmodel.narrative.workbook_sheets import Sheet, build_sheets
from riskmodel.narrative.workbook_text import GENERAL_NOTES, SHORTHAND, SourceNote, TargetNote, cover_lines

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SourceNote", "TargetNote", "write_workbook"]

# What gptables takes for a link or a mark of its own, and xlsxwriter for markup.
_LINK, _MARKUP = re.compile(r"\[.+\]\(.+\)"), re.compile(r"<r>.*</r>", re.DOTALL)
# Excel's own limit of characters in a cell.
_LONGEST = 32_767


def write_workbook(
    path: Path,
    tables: Mapping[str, pd.DataFrame],
    *,
    title: str,
    targets: Sequence[TargetNote],
    as_of: date,
    run_id: str,
    state: str,
    sources: Sequence[SourceNote] = (),
    contact: str = "",
    suppressed: Mapping[str, pd.DataFrame] | None = None,
) -> None:
    """Write the workbook that planners open.

    It follows "Releasing statistics in spreadsheets" (Government Analysis Function): the title in A1, one marked table
    a sheet, units in headings, notes on a sheet of their own, no merged cells, no blank rows, no filters or frozen
    panes, and a shorthand in every cell that has no value. Columns are described by the tables' own records.

    Parameters
    ----------
    path : Path
        Where the XLSX file shall lie.
    tables : mapping of str to DataFrame
        ``outlook`` and ``places`` are needed; ``history``, ``recording``, ``comparison``, ``noise_floor`` and
        ``calibration`` are shown where they are given. A sheet without rows is left out.
    title : str
        The cover's title, e.g. the region and what is expected there.
    targets : sequence of TargetNote
        Every target the tables speak of.
    as_of : date
        The day the forecast is made as of; also the document's date.
    run_id : str
        The run the tables come from.
    state : str
        Stands on every sheet, e.g. that it is a draft.
    sources : sequence of SourceNote
        The published sources, for the cover.
    contact : str
        Who answers questions; the cover says that it is to be completed if empty.
    suppressed : mapping of str to DataFrame, optional
        For a table, a frame of its shape that is true where a cell is withheld; such cells show ``[c]``.

    Raises
    ------
    TableError
        If a table breaks its record, a place or target has no name, or a row is finer than the published grain.
    UsageError
        If a text is longer than a cell may hold.
    """
    sheets = build_sheets(tables, targets, suppressed or {})
    about = cover_lines(targets, as_of=as_of, run_id=run_id, state=state, sources=sources, contact=contact)
    properties = {
        "title": title,
        "subject": "; ".join(t.title for t in targets),
        "author": "riskmodel",
        "comments": f"{state}. Run {run_id}, as of {as_of.isoformat()}.",
        "status": state,
        "created": datetime(as_of.year, as_of.month, as_of.day),
    }
    with _known_warnings():
        _write(path, sheets, about, properties, run_id)


def _write(
    path: Path,
    sheets: Sequence[Sheet],
    about: tuple[list[str], list[str], list[str]],
    properties: Mapping[str, Any],
    run_id: str,
) -> None:
    from gptables import Cover, GPWorkbook

    state = str(properties["status"])
    numbers = _numbered_notes(sheets)
    book = GPWorkbook(
        str(path), options={"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )  # in memory: temporary files would carry this machine's file modes into the archive
    book.set_properties(dict(properties))
    intro, data, reach = ([_line(text) for text in part] for part in about)
    cover = book.add_worksheet("Cover")
    cover.write_cover(Cover(_line(str(properties["title"])), intro=intro, about=data, contact=reach, width=100))
    pages = {"Notes": _notes_page(sheets, numbers, state)} | {s.label: _page(s, numbers, state) for s in sheets}
    contents = book.make_table_of_contents(pages, subtitles=[_line(state)])
    widths = {"Contents": [24, 90], "Notes": [10, 100, 50]} | {s.label: [c.width for c in s.columns] for s in sheets}
    for label, page in {"Contents": contents, **pages}.items():
        sheet = book.add_worksheet(label)
        sheet.write_gptable(page, auto_width=False)
        _set_print(sheet, page, widths[label], state, run_id)
    book.close()


@contextmanager
def _known_warnings() -> Iterator[None]:
    """Silence what gptables 2.0.2 is known to warn of on pandas 3.1: its own use of pandas, and a file left open."""
    from pandas.errors import Pandas4Warning

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=Pandas4Warning)
        warnings.filterwarnings("ignore", message="unclosed file", category=ResourceWarning)
        yield


def _numbered_notes(sheets: Sequence[Sheet]) -> dict[str, int]:
    """Each note's text with its number, in the order a reader meets them."""
    order: dict[str, int] = {}
    for sheet in sheets:
        for text in [*(GENERAL_NOTES[n] for n in _general(sheet)), *(c.note for c in sheet.columns if c.note)]:
            order.setdefault(text, len(order) + 1)
    return order


def _general(sheet: Sheet) -> list[str]:
    """The general notes of a sheet; the one on withheld numbers only where there are some."""
    return [*sheet.notes, *(["withheld"] if "[c]" in _marks(sheet) else [])]


def _marks(sheet: Sheet) -> list[str]:
    values = sheet.rows[[c.key for c in sheet.columns]]
    return [mark for mark in SHORTHAND if (values == mark).to_numpy().any()]


def _page(sheet: Sheet, numbers: Mapping[str, int], state: str) -> Any:
    """One sheet as gptables writes it."""
    from gptables import GPTable

    rows = sheet.rows[[c.key for c in sheet.columns]].astype(object)
    rows = rows.map(_cell)
    rows.columns = [
        "\n".join([c.heading, *([f"({c.unit})"] if c.unit else []), *([f"[note {numbers[c.note]}]"] if c.note else [])])
        for c in sheet.columns
    ]
    marks = [f"note {numbers[GENERAL_NOTES[n]]}" for n in _general(sheet)]
    notes = " Read also " + ", ".join(f"[{m}]" for m in marks) + "." if marks else ""
    return GPTable(
        table=rows,
        table_name=f"table_{sheet.label}",
        title=_line(sheet.title),
        subtitles=[_line(state), *(_line(t) for t in sheet.lines)],
        instructions=f"This worksheet contains one table. Notes are on the sheet Notes.{notes}",
        legend=[f"{mark} = {SHORTHAND[mark]}" for mark in _marks(sheet)],
        index_columns={},
        additional_formatting=[
            {
                "column": {
                    "columns": [position],
                    "format": {"num_format": FORMATS[column.kind], "valign": "top"},
                    "include_names": False,
                }
            }
            for position, column in enumerate(sheet.columns)
        ],
    )


def _notes_page(sheets: Sequence[Sheet], numbers: Mapping[str, int], state: str) -> Any:
    import pandas as pd
    from gptables import GPTable

    used: dict[str, list[str]] = {text: [] for text in numbers}
    for sheet in sheets:
        for text in {*(GENERAL_NOTES[n] for n in _general(sheet)), *(c.note for c in sheet.columns if c.note)}:
            used[text].append(sheet.label)
    table = pd.DataFrame(
        {
            "Note number": list(numbers.values()),
            "Note text": [_sentence(text) for text in numbers],
            "Sheets it belongs to": [", ".join(used[text]) for text in numbers],
        }
    ).astype(object)
    return GPTable(
        table=table,
        table_name="table_Notes",
        title="Notes",
        subtitles=[_line(state)],
        instructions="This worksheet contains one table.",
        index_columns={},
        additional_formatting=[
            {"column": {"columns": [0, 1, 2], "format": {"valign": "top"}, "include_names": False}},
        ],
    )


def _set_print(sheet: Any, page: Any, widths: Sequence[int], state: str, run_id: str) -> None:
    """Column widths, and a print that is as wide as the paper with the headings and the state on every page."""
    for position, width in enumerate(widths):
        sheet.set_column(position, position, width)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(page.data_range[0])
    sheet.set_header(f"&C{_line(state).replace('&', '&&')}")
    sheet.set_footer(f"&L{run_id.replace('&', '&&')}&RPage &P of &N")


def _line(text: str) -> str:
    """A line above a table, with nothing in it that gptables takes for a link or a note's mark."""
    return _text(text.replace("](", "] (").replace("$$", "$ $"))


def _sentence(text: str) -> str:
    """A note as a sentence; where the table has a blank, the sheet has a shorthand, so it speaks of no value."""
    whole = text.replace("; blank ", "; no value ")
    return _line(whole[0].upper() + whole[1:].rstrip(".") + ".")


def _cell(value: Any) -> Any:
    """A cell as Python's own number, day or text; a text that looks like a link is shielded from being made one."""
    import pandas as pd
    from gptables.core.gptable import FormatList

    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime()
    if isinstance(value, str):
        text = _text(value)
        return FormatList([{}, text]) if _LINK.search(text) else text
    return value.item() if hasattr(value, "item") else value


def _text(text: str) -> str:
    if len(text) > _LONGEST:
        raise UsageError("a text is longer than a cell may hold", found=f"{text[:60]}...", allowed=f"{_LONGEST}")
    if not re.search(r"[A-Za-z0-9]", text):
        return f"{text} [text without letters]"
    return f"{text} " if _MARKUP.fullmatch(text) else text
