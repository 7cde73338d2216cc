"""Rows of published tables whose numbers know their cells: in go tables and a book of facts, out come marked words.

Without a book the words are the same and know nothing. What a page blanks because it could betray somebody is never
asked of the book.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from riskmodel.contracts.tables import as_table
from riskmodel.explain.wording import Wording
from riskmodel.narrative.facts.forms import written
from riskmodel.narrative.facts.formulas import Formula, evaluate
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.forecast_words import NOT_AVAILABLE
from riskmodel.narrative.model_words import records

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.contracts.records import Table
    from riskmodel.narrative.facts.book import FactBook

__all__ = ["Quoted", "counted", "declared", "quoted_rows", "with_positions", "worded", "worked_out"]

AT = "row"
"""The column that holds a row's position in the published table, once rows are taken out of it."""


@dataclass(frozen=True)
class Quoted:
    """One row of a published table.

    Parameters
    ----------
    held : mapping of str to object
        By column; ``row`` is its position in the table.
    table : str
    book : FactBook, optional
    elsewhere : str
        Where the table is, where it is none of this run's: its numbers are then declared.
    """

    held: Mapping[str, Any]
    table: str = ""
    book: FactBook | None = field(default=None, repr=False)
    elsewhere: str = ""

    def __getitem__(self, column: str) -> Any:
        """What the row has in a column."""
        return self.held[column]

    def say(self, column: str, form: str) -> str:
        """A number of the row in the words of a form."""
        value = float(self.held[column])
        if self.book is None or not math.isfinite(value):
            return written(form, [value])
        at = int(self.held[AT])
        if self.elsewhere:
            name = f"{self.table}.{at}.{column}.{form}"
            return self.book.declared(name, value, form=form, source=self.elsewhere)
        return self.book.cell(self.table, at, column, form=form)

    def ratio(self, column: str, form: str) -> str:
        """A ratio, or a contrast on the log scale, in the words of a ratio's form."""
        return self.say(column, f"log_{form}" if self.held["unit"] == "log ratio" else form)

    def phrase(self, columns: Sequence[str], form: str) -> str:
        """Several numbers of the row that make one phrase."""
        values = [float(self.held[column]) for column in columns]
        if self.book is None or not all(map(math.isfinite, values)):
            return written(form, values)
        return self.book.cells(self.table, int(self.held[AT]), columns, form=form)

    def span(self, low: str, high: str, form: str) -> str:
        """An interval; not available where it lacks an end."""
        if not (math.isfinite(self.held[low]) and math.isfinite(self.held[high])):
            return NOT_AVAILABLE
        return f"{self.say(low, form)} to {self.say(high, form)}"


def with_positions(table: pd.DataFrame, record: Table) -> pd.DataFrame:
    """A table by its record, with the position of each row in a column ``row``.

    Raises
    ------
    TableError
        If it breaks its record.
    """
    checked = as_table(table, record).reset_index(drop=True)
    return checked.assign(**{AT: range(len(checked))})


def quoted_rows(rows: pd.DataFrame, table: str, book: FactBook | None, elsewhere: str = "") -> list[Quoted]:
    """Rows that hold their positions, ready to be quoted."""
    return [Quoted(row, table, book, elsewhere) for row in records(rows)]


def worded(table: str, book: FactBook | None) -> Wording:
    """A wording for sentences about rows, with their positions, of one table: each number knows its cell."""
    return Wording(lambda row, column, form: Quoted(dict(row), table, book).say(column, form), bare)


def counted(book: FactBook | None, name: str, table: str, rows: Iterable[int], formula: Formula | None = None) -> str:
    """How many rows there are, in words.

    Parameters
    ----------
    book : FactBook, optional
    name : str
        The fact's id.
    table : str
    rows : iterable of int
        Positions of what is counted; of each group one row, where groups are counted.
    formula : sequence, optional
        What gives the same number without naming rows. Where it does not, because the page withholds more than the
        table does, the rows are named.
    """
    held = sorted({int(row) for row in rows})
    if book is None:
        return written("whole", [len(held)])
    if formula is None or evaluate(formula, book.tables) != len(held):
        formula = ["rows", table, held]
    return book.made(name, formula, form="whole")


def worked_out(book: FactBook | None, name: str, formula: Formula, value: float, form: str, unit: str = "") -> str:
    """A number that a page works out of cells, in words.

    Parameters
    ----------
    book : FactBook, optional
    name : str
        The fact's id.
    formula : sequence
        What gives the number.
    value : float
        What it gives.
    form, unit : str
    """
    if book is None or not math.isfinite(value):
        return written(form, [value])
    return book.made(name, formula, form=form, unit=unit)


def declared(book: FactBook | None, name: str, value: float, form: str, source: str) -> str:
    """A number that stands in a file people keep, in words."""
    return written(form, [value]) if book is None else book.declared(name, value, form=form, source=source)
