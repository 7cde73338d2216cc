"""Tables as pages show them: in go headings and cells, out come rows that a template writes and a script sorts.

A long table shows its first page of rows; the rest lie beside it as packed texts, inert, until the page's script asks
for them. A text that stands in many rows is held once for the whole page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from riskmodel.narrative.facts.marks import as_plain

__all__ = ["PAGE", "Cell", "Heading", "HtmlTable", "Interval", "Row", "pack"]

PAGE = 15


@dataclass(frozen=True)
class Heading:
    """A column's heading; ``number`` sets its cells to the right, ``sorts`` offers to sort by it."""

    words: str
    number: bool = False
    unit: str = ""
    sorts: bool = True


@dataclass(frozen=True)
class Interval:
    """A range around a middle, in the units of the small picture that draws it."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Cell:
    """A cell with more than its words: what to sort by, a style, or a small picture in place of words.

    In one table the same words have the same order and style.
    """

    words: str
    order: float | None = None
    style: str = ""
    drawn: Interval | None = None


@dataclass(frozen=True)
class Row:
    """One row; its first cell heads it. ``place`` names the place for the map beside it."""

    cells: Sequence[str | Cell]
    place: str = ""
    style: str = ""


@dataclass(frozen=True)
class HtmlTable:
    """One table of a page.

    Parameters
    ----------
    name : str
        Its id on the page.
    caption, note : str
        What it shows, and what to know when reading it.
    headings : sequence of Heading
    rows : sequence of Row
        In the order shown first.
    filters : sequence of int
        Columns a reader can choose a value of.
    folded : bool
        Whether it is closed until asked for.
    page : int
        Rows shown at once; 0 shows all.
    whole : str
        Where all rows are, for a reader without scripts.
    """

    name: str
    caption: str
    headings: Sequence[Heading]
    rows: Sequence[Row]
    filters: Sequence[int] = ()
    note: str = ""
    folded: bool = False
    page: int = PAGE
    whole: str = "the workbook tables/planner.xlsx"

    @property
    def first_rows(self) -> Sequence[Row]:
        """The rows that are seen before anything is asked for."""
        return self.rows[: self.page] if self.page else self.rows

    @property
    def rest(self) -> Sequence[Row]:
        """The rows that wait for the script."""
        return self.rows[self.page :] if self.page else ()

    @property
    def number_classes(self) -> str:
        """Classes that set columns of numbers to the right, one for the table in place of one a cell."""
        return " ".join(f"n{position}" for position, h in enumerate(self.headings, start=1) if h.number)


def pack(tables: Sequence[HtmlTable]) -> tuple[list[str], dict[str, dict[str, Any]]]:
    """What the script needs to sort and to turn pages, as plain lists.

    Parameters
    ----------
    tables : sequence of HtmlTable
        Every table of a page.

    Returns
    -------
    words : list of str
        Texts that stand in more than one packed cell, the most frequent first.
    packed : dict of table name to dict
        ``rows`` holds the rows beyond the first page: a whole number is a position in ``words``. ``orders`` and
        ``styles`` say what words are sorted by and how they look; ``places`` are the codes of the packed rows.

    Examples
    --------
    >>> rows = [Row(("A", "district of A")), Row(("B", "no district")), Row(("C", "no district"))]
    >>> pack([HtmlTable("t", "Places", [Heading("Place"), Heading("District")], rows, page=1)])
    (['no district'], {'t': {'rows': [['B', 0], ['C', 0]]}})
    """
    counted = Counter(_words(cell) for table in tables for row in table.rest for cell in row.cells)
    # A position is written with up to five digits: shorter texts stand as they are.
    words = [text for text, times in counted.most_common() if times > 1 and len(text) > 3]
    at = {text: position for position, text in enumerate(words)}
    packed = {}
    for table in tables:
        cells = {as_plain(c.words): c for row in table.rows for c in row.cells if isinstance(c, Cell)}
        parts = {
            "rows": [[at.get(w := _words(cell), w) for cell in row.cells] for row in table.rest],
            "places": [row.place for row in table.rest] if any(row.place for row in table.rest) else [],
            "marked": [n for n, row in enumerate(table.rest) if row.style],
            "orders": {text: c.order for text, c in cells.items() if c.order is not None},
            "styles": {text: c.style for text, c in cells.items() if c.style},
        }
        if any(parts.values()):
            packed[table.name] = {key: part for key, part in parts.items() if part}
    return words, packed


def _words(cell: str | Cell) -> str:
    return cell if isinstance(cell, str) else cell.words
