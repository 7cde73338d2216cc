"""The numbers of an outlook or a history in words, each knowing its cell: in go named rows, out come marked texts.

Without a book of facts the words are the same and know nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from riskmodel.narrative.facts.forms import written
from riskmodel.narrative.facts.formulas import Formula
from riskmodel.narrative.forecast_words import SUPPRESSED
from riskmodel.narrative.published import Named

if TYPE_CHECKING:
    from riskmodel.narrative.facts.book import FactBook

__all__ = ["cell_of", "changes_of", "number_of", "past_change", "texts"]

_ENDS = {"change": "mean", "change_low": "low", "change_high": "high"}


def number_of(named: Named, row: int, column: str, form: str) -> str:
    """One number of a row; withheld ones say so.

    Parameters
    ----------
    named : Named
    row : int
        Its index, which is its position in the table.
    column, form : str
    """
    if bool(named.withheld.at[row, column]):  # a page asks tens of thousands of times
        return SUPPRESSED
    if named.book is None:
        return written(form, [named.number(row, column)])
    base = int(named.number(row, "base_row"))
    if base >= 0 and column == "last_year":
        return named.book.cell("history", base, "recorded", form=form)
    if base >= 0 and column in _ENDS:
        return named.book.made(f"outlook.{row}.{column}", _change(named, row, column), form=form, unit="share")
    return named.book.cell(named.table, row, column, form=form)


def _change(named: Named, row: int, column: str) -> Formula:
    """A change worked out on the page: what is expected over the newest twelve months recorded."""
    recorded = ["cell", "history", int(named.number(row, "base_row")), "recorded"]
    return ["subtract", ["divide", ["cell", named.table, row, _ENDS[column]], recorded], ["number", 1]]


def cell_of(book: FactBook | None, table: str, row: int, column: str, value: float, form: str) -> str:
    """One number of a table: through the book where there is one, else its words alone."""
    return written(form, [value]) if book is None else book.cell(table, row, column, form=form)


def texts(named: Named, column: str, form: str) -> list[str]:
    """A column in words; a withheld cell says so and is never a number."""
    return [number_of(named, row, column, form) for row in named.rows.index]


def changes_of(named: Named, row: int) -> str:
    """An expected change with its range."""
    middle, low, high = (number_of(named, row, column, "change") for column in _ENDS)
    return f"{middle} ({low} to {high})"


def past_change(named: Named, row: int, before: int, *, change: float, low: float, high: float) -> Sequence[str]:
    """The change between two recorded counts, and the ends of what chance alone leaves open.

    Parameters
    ----------
    named : Named
        A history.
    row, before : int
        Positions of the count and of the one a year before; -1 where there is none.
    change, low, high : float
        Not a number where it cannot be said.
    """
    kinds = ("subtract", "least_change", "most_change")
    if named.book is None or before < 0:
        return [written("change", [value]) for value in (change, low, high)]
    now, then = ["cell", named.table, row, "recorded"], ["cell", named.table, before, "recorded"]
    formulas: list[Formula] = [["subtract", ["divide", now, then], ["number", 1]]]
    formulas += [[kind, then, now] for kind in kinds[1:]]
    names = ("change", "change_by_chance_low", "change_by_chance_high")
    return [
        named.book.made(f"{named.table}.{row}.{name}", formula, form="change", unit="share")
        if np.isfinite(value)
        else written("change", [value])
        for name, formula, value in zip(names, formulas, (change, low, high), strict=True)
    ]
