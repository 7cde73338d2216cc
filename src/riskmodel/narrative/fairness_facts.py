"""The numbers of the fairness page, each knowing its cell: in go rows of published tables, out come marked words.

Without a book of facts the words are the same and know nothing. What a page blanks because it could betray somebody is
never asked of the book.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from riskmodel.contracts.tables import as_table
from riskmodel.narrative.facts.forms import written
from riskmodel.narrative.facts.formulas import Formula, evaluate
from riskmodel.narrative.forecast_words import NOT_AVAILABLE
from riskmodel.narrative.model_words import records

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.contracts.records import Table
    from riskmodel.narrative.facts.book import FactBook

__all__ = [
    "Quoted",
    "beside_words",
    "contrast_words",
    "counted",
    "declared",
    "effect_words",
    "quoted_rows",
    "share_beside_words",
    "with_positions",
]

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


def counted(book: FactBook | None, name: str, table: str, rows: Iterable[int], formula: Formula | None = None) -> str:
    """How many rows there are, in words.

    Parameters
    ----------
    book : FactBook, optional
    name : str
        The fact's id, behind ``fairness``.
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
    return book.made(f"fairness.{name}", formula, form="whole")


def declared(book: FactBook | None, name: str, value: float, form: str, source: str) -> str:
    """A number that stands in a file people keep, in words."""
    return written(form, [value]) if book is None else book.declared(name, value, form=form, source=source)


def effect_words(row: Quoted) -> str:
    """A difference in people's terms, with its likely range, as a sentence's part.

    Examples
    --------
    >>> effect_words(Quoted({"per_1000": 1.94, "per_1000_low": 0.41, "per_1000_high": 3.4}))
    '1.9 more records forecast than recorded per 1,000 residents a year (likely between 0.4 and 3.4 more)'
    >>> effect_words(Quoted({"per_1000": -0.6, "per_1000_low": -1.3, "per_1000_high": 0.1}))
    '0.6 fewer records forecast than recorded per 1,000 residents a year (likely between 1.3 fewer and 0.1 more)'
    """
    if not math.isfinite(row["per_1000"]):
        return NOT_AVAILABLE
    said = f"{row.say('per_1000', 'fewer_or_more')} records forecast than recorded per 1,000 residents a year"
    low, high = row["per_1000_low"], row["per_1000_high"]
    if not (math.isfinite(low) and math.isfinite(high)):
        return said
    if low * high > 0:
        near, far = sorted(("per_1000_low", "per_1000_high"), key=lambda column: abs(row[column]))
        return f"{said} (likely between {row.say(near, 'size')} and {row.say(far, 'fewer_or_more')})"
    ends = " and ".join(row.say(column, "fewer_or_more") for column in ("per_1000_low", "per_1000_high"))
    return f"{said} (likely between {ends})"


def contrast_words(row: Quoted) -> str:
    """A contrast of calibration with its interval, short enough for a picture.

    Examples
    --------
    >>> contrast_words(Quoted({"statistic": 1.062, "low": 1.021, "high": 1.104, "unit": "times"}))
    '6% more (+2% to +10%)'
    """
    if not math.isfinite(row["statistic"]):
        return NOT_AVAILABLE
    return f"{row.ratio('statistic', 'more_or_less')} ({_signed_span(row)})"


def beside_words(row: Quoted) -> str:
    r"""A difference in people's terms for a table's cell, its likely range on a line of its own.

    Examples
    --------
    >>> beside_words(Quoted({"per_1000": 1.94, "per_1000_low": 0.4, "per_1000_high": 3.4}))
    '+1.9\n(+0.4 to +3.4)'
    """
    if not math.isfinite(row["per_1000"]):
        return NOT_AVAILABLE
    return f"{row.say('per_1000', 'signed')}\n({row.span('per_1000_low', 'per_1000_high', 'signed')})"


def share_beside_words(row: Quoted) -> str:
    r"""A contrast for a table's cell, signed so that it sorts.

    Examples
    --------
    >>> share_beside_words(Quoted({"statistic": 1.062, "low": 1.021, "high": 1.104, "unit": "times"}))
    '+6%\n(+2% to +10%)'
    """
    if not math.isfinite(row["statistic"]):
        return NOT_AVAILABLE
    return f"{row.ratio('statistic', 'signed_ratio')}\n({_signed_span(row)})"


def _signed_span(row: Quoted) -> str:
    if not (math.isfinite(row["low"]) and math.isfinite(row["high"])):
        return NOT_AVAILABLE
    return " to ".join(row.ratio(column, "signed_ratio") for column in ("low", "high"))
