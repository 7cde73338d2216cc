"""Tables as pages show them: in go headings and cells, out come rows that a template writes and a script sorts.

A long table shows its first page of rows; the rest lie beside it as packed texts, inert, until the page's script asks
for them. A text that stands in many rows is held once for the whole page.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from riskmodel.narrative.facts.marks import LIGHT, LIGHT_END, as_plain, fact_ids, lightened

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
        ``rows`` holds the rows beyond the first page: a whole number is a position in ``words``, a list is a cell in
        pieces. ``orders`` and ``styles`` say what words are sorted by and how they look; ``places`` are the codes of
        the packed rows. Where the facts of a column follow from the row, ``facts`` names their tables and columns, and
        ``at`` the position of each packed row in these tables, which a third entry of ``facts`` is added to; where its
        cells list several rows of one table, ``lists`` has the positions for each cell.

    Examples
    --------
    >>> rows = [Row(("A", "district of A")), Row(("B", "no district")), Row(("C", "no district"))]
    >>> pack([HtmlTable("t", "Places", [Heading("Place"), Heading("District")], rows, page=1)])
    (['no district'], {'t': {'rows': [['B', 0], ['C', 0]]}})
    """
    light = {table.name: _Light(table) for table in tables}
    counted = Counter(text for each in light.values() for row in each.cells for pieces in row for text in pieces)
    # A position is written with up to five digits: shorter texts stand as they are.
    words = [text for text, times in counted.most_common() if times > 1 and len(text) > 3]
    at = {text: position for position, text in enumerate(words)}

    def held(pieces: Sequence[str]) -> str | int | list[str | int]:
        known = [at.get(text, text) for text in pieces]
        return known if len(known) > 1 else known[0]

    packed = {}
    for table in tables:
        cells = {as_plain(c.words): c for row in table.rows for c in row.cells if isinstance(c, Cell)}
        own = light[table.name]
        parts = {
            "rows": [[held(pieces) for pieces in row] for row in own.cells],
            "facts": own.facts,
            "at": own.at,
            "lists": own.lists,
            "places": [row.place for row in table.rest] if any(row.place for row in table.rest) else [],
            "marked": [n for n, row in enumerate(table.rest) if row.style],
            "orders": {text: c.order for text, c in cells.items() if c.order is not None},
            "styles": {text: c.style for text, c in cells.items() if c.style},
        }
        if any(parts.values()):
            packed[table.name] = {key: part for key, part in parts.items() if part}
    return words, packed


_NUMBER = re.compile(f"({LIGHT}[^{LIGHT_END}]*{LIGHT_END})")
_ADDRESS = re.compile(r"([a-z0-9_]+)\.(\d+)\.(.+)")


class _Light:
    """The packed rows of a table, their facts named once a column where they follow from the row.

    A page of many places has tens of thousands of facts: each named in full, they would weigh more than the words.
    """

    def __init__(self, table: HtmlTable) -> None:
        self.rows = [[_words(cell) for cell in row.cells] for row in table.rest]
        self.facts: dict[str, list[list[str | int]]] = {}
        self.at: dict[str, list[int]] = {}
        self.lists: dict[str, list[list[int]]] = {}
        for column in range(len(table.headings) if self.rows else 0):
            self._lighten(column)
        # A list of a place says the same words as that of the next, with other numbers between them.
        self.cells = [
            [_pieces(text) if str(column) in self.lists else [text] for column, text in enumerate(row)]
            for row in self.rows
        ]

    def _lighten(self, column: int) -> None:
        addresses = [_addresses(row[column]) for row in self.rows]
        named = Counter(tuple((name, part) for name, _, part in found) for found in addresses if found)
        if not named:
            return
        usual = named.most_common(1)[0][0]
        if any(len({row for _, row, _ in found}) > 1 for found in addresses if found) and len(set().union(*named)) == 1:
            self._list(column, usual[0], addresses)
            return
        fitting = [
            (number, found)
            for number, found in enumerate(addresses)
            if found and tuple((name, part) for name, _, part in found) == usual
        ]
        beyond = self._beyond(fitting, len(usual))
        done = False
        for number, found in fitting:
            if self._placed(number, found, beyond):
                self.rows[number][column] = lightened(self.rows[number][column])
                done = True
        if done:
            self.facts[str(column)] = [
                [*each, past] if past else list(each) for each, past in zip(usual, beyond, strict=True)
            ]

    def _beyond(self, fitting: Sequence[tuple[int, list[tuple[str, int, str]]]], facts: int) -> list[int]:
        """How many rows behind the place of the packed row each fact of a column stands, most often.

        A table of years has the same place's rows one after the other, at the same distance for every place.
        """
        told = [Counter[int]() for _ in range(facts)]
        for number, found in fitting:
            first = {name: row for name, row, _ in reversed(found)}
            for fact, (name, row, _) in enumerate(found):
                known = self.at[name][number] if name in self.at else -1
                told[fact][row - (first[name] if known < 0 else known)] += 1
        return [counted.most_common(1)[0][0] for counted in told]

    def _list(
        self, column: int, named: tuple[str, str], addresses: Sequence[list[tuple[str, int, str]] | None]
    ) -> None:
        """Lighten a column whose cells list the same number of several rows of one table."""
        for number, found in enumerate(addresses):
            if found:
                self.rows[number][column] = lightened(self.rows[number][column])
        self.facts[str(column)] = [list(named)]
        self.lists[str(column)] = [[row for _, row, _ in found or ()] for found in addresses]

    def _placed(self, number: int, found: Sequence[tuple[str, int, str]], beyond: Sequence[int]) -> bool:
        """Enter where a packed row stands in the tables its facts are of; not where it stands elsewhere already."""
        wanted = {(name, row - past) for (name, row, _), past in zip(found, beyond, strict=True)}
        known = {name: self.at[name][number] if name in self.at else -1 for name, _ in wanted}
        if len(known) < len(wanted) or any(row < 0 or known[name] not in (-1, row) for name, row in wanted):
            return False
        for name, row in wanted:
            self.at.setdefault(name, [-1] * len(self.rows))[number] = row
        return True


def _addresses(text: str) -> list[tuple[str, int, str]] | None:
    """Table, position and column of every fact of a text; None where one has another kind of name."""
    found = [_ADDRESS.fullmatch(name) for name in fact_ids(text)]
    if not found or not all(found):
        return None
    return [(m.group(1), int(m.group(2)), m.group(3)) for m in found if m]


def _pieces(text: str) -> list[str]:
    """A text cut before and behind each number in it."""
    return [piece for piece in _NUMBER.split(text) if piece] or [text]


def _words(cell: str | Cell) -> str:
    return cell if isinstance(cell, str) else cell.words
