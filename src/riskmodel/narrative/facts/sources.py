"""Where the numbers of a page are from: in go its markup and the book, out comes what the page's panel says of each.

A number read from a table says by its name which table, row and column it is of, so for those a page holds each table
and column once. Numbers worked out alike (the change of every place) share their words and differ in rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from riskmodel.contracts.tables import TABLES
from riskmodel.narrative.facts.on_page import numbers_on

if TYPE_CHECKING:
    from riskmodel.narrative.facts.book import Fact, FactBook
    from riskmodel.narrative.facts.formulas import Formula

__all__ = ["build_sources"]

OWN = -1
"""In the words of numbers worked out alike: the row that the number's name has."""
_CELL = -1
"""In place of a way: the number is read from a cell."""
_NAME = re.compile(r"([a-z0-9_]+)\.(\d+)\.(.+)")
_LISTED = 12
_BETWEEN = {"add": "plus", "subtract": "less", "multiply": "times", "divide": "divided by"}
_OVER = {"sum": "the sum of", "mean": "the mean of"}
_SHARES = {0: "the least", 0.5: "the middle", 1: "the most"}
_ENDS = {"least_change": "least", "most_change": "most"}


def build_sources(page: str, book: FactBook) -> dict[str, Any]:
    """What a page needs to say where each of its numbers is from.

    Parameters
    ----------
    page : str
        The whole page as a browser gets it.
    book : FactBook
        What its numbers were taken from.

    Returns
    -------
    dict
        ``run`` is the run's id. ``tables`` has for every table a number is read from its file and, by column, what it
        is and its unit. ``alike`` has for ``table.part`` what is worked out for row upon row of a table: ``ways`` are
        words in pieces, where a number is a place in a list of other rows, or the row itself; ``runs`` say for which
        rows: the first, the last, their way, and how far each other row, counted as in its file, is from the row,
        counted from nought. ``single`` has the words of every other number, by its id.
    """
    tables: dict[str, dict[str, Any]] = {}
    ways: dict[str, list[dict[str, Any]]] = {}
    made: dict[str, dict[int, tuple[int, list[int]]]] = {}
    single: dict[str, dict[str, Any]] = {}
    for name in sorted({name for name, _, _ in numbers_on(page)}):
        fact = book.fact(name)
        found = _NAME.fullmatch(name)
        place = (found[1], int(found[2])) if found else ("", OWN)
        if found:
            held = tables.setdefault(found[1], {"file": book.file_of(found[1]), "columns": {}})
            part = f"{found[1]}.{found[3]}"
        if found and _is_cell(fact, found):
            for formula in fact.formulas:
                held["columns"].setdefault(formula[3], _described(found[1], formula[3]))
            made.setdefault(part, {})[place[1]] = (_CELL, [])
            continue
        words = _Words(book, place)
        pieces = words.of_fact(fact)
        unit = {"unit": fact.unit} if fact.unit else {}
        if found and not words.listed:
            way = {"words": pieces, **unit}
            known = ways.setdefault(part, [])
            if way not in known:
                known.append(way)
            made.setdefault(part, {})[place[1]] = (known.index(way), words.away)
        else:
            single[name] = {"words": words.filled(pieces), **unit}
    alike = {part: {"ways": known, "runs": _runs(made[part])} for part, known in ways.items()}
    return {"run": book.run_id, "tables": tables, "alike": alike, "single": single}


def _runs(made: Mapping[int, tuple[int, list[int]]]) -> list[list[Any]]:
    """Neighbouring rows whose numbers are made the same way, from other rows at the same distance."""
    runs: list[list[Any]] = []
    for row in sorted(made):
        way, away = made[row]
        if runs and runs[-1][2:] == [way, away]:
            runs[-1][1] = row
        else:
            runs.append([row, row, way, away])
    return [run for run in runs if run[2] != _CELL]


def _is_cell(fact: Fact, found: re.Match[str]) -> bool:
    """Whether the name alone tells the cells."""
    table, row, columns = found[1], int(found[2]), found[3].partition(".")[0].split("+")
    return fact.origin == "computed" and list(fact.formulas) == [["cell", table, row, c] for c in columns]


def _described(table: str, column: str) -> list[str]:
    record = TABLES.get(table)
    held = next((c for c in record.columns if c.name == column), None) if record is not None else None
    return [held.description, held.unit] if held is not None else ["", ""]


class _Words:
    """A formula as words in pieces: what differs from row to row is a number that stands for it."""

    def __init__(self, book: FactBook, own: tuple[str, int]) -> None:
        self._book, self._own = book, own
        self._others: list[tuple[str, int]] = []
        self.listed = False

    @property
    def away(self) -> list[int]:
        """How far each other row is from the number's own, as files count the first and from nought the second."""
        return [self._counted(*other) - self._own[1] for other in self._others]

    def filled(self, pieces: Iterable[str | int]) -> str:
        """The words whole."""
        rows = [*self._others, self._own]
        return "".join(p if isinstance(p, str) else f"{self._counted(*rows[p]):,}" for p in pieces)

    def of_fact(self, fact: Fact) -> list[str | int]:
        """A fact's formulas, or who gave its number."""
        if fact.origin != "computed":
            said = f"{fact.origin}: {fact.source}" + (f", as of {fact.as_of}" if fact.as_of else "")
            self.listed = True
            return [said]
        parts: list[str | int] = []
        for formula in fact.formulas:
            parts += ["; ", *self._of(formula)] if parts else self._of(formula)
        return _joined(parts)

    def _counted(self, table: str, row: int) -> int:
        return row + (2 if self._book.file_of(table).endswith(".csv") else 1)

    def _of(self, formula: Formula) -> list[str | int]:
        kind = formula[0]
        if kind == "number":
            return [f"{formula[1]:,.10g}"]
        if kind == "cell":
            _, table, row, column = formula
            return [f"{column} ({self._book.file_of(table)}, row ", self._slot(table, row), ")"]
        if kind in _BETWEEN:
            return [*self._inner(formula[1]), f" {_BETWEEN[kind]} ", *self._inner(formula[2])]
        if kind in _ENDS:
            before, after = self._inner(formula[1]), self._inner(formula[2])
            return [
                f"the {_ENDS[kind]} that a change may be, from ",
                *before,
                " to ",
                *after,
                ", chance alone allowed for",
            ]
        return [self._of_rows(kind, formula)]

    def _inner(self, formula: Formula) -> list[str | int]:
        held = self._of(formula)
        return held if formula[0] in ("number", "cell") else ["(", *held, ")"]

    def _slot(self, table: str, row: int) -> int:
        if (table, row) == self._own:
            return OWN
        if (table, row) not in self._others:
            self._others.append((table, row))
        return self._others.index((table, row))

    def _of_rows(self, kind: str, formula: Formula) -> str:
        file = self._book.file_of(formula[1])
        if kind == "rows":
            # Each such number names other rows: nothing is gained by sharing their words.
            self.listed = True
            rows = [f"{self._counted(formula[1], row):,}" for row in sorted(set(formula[2]))]
            more = f" and {len(rows) - _LISTED:,} more, which facts.json lists" if len(rows) > _LISTED else ""
            return (
                f"how many rows are meant: {file}, rows {', '.join(rows[:_LISTED])}{more}"
                if rows
                else "no row is meant"
            )
        if kind == "count":
            return f"how many rows there are in {file}{_where(formula[2])}"
        if kind == "distinct":
            return f"how many different values of {', '.join(formula[2])} there are in {file}{_where(formula[3])}"
        _, _, column, conditions, *share = formula
        what = _SHARES.get(share[0], f"what a share of {share[0]:g} lies below, of") if share else _OVER[kind]
        return f"{what} {column} over the rows of {file}{_where(conditions)}"


def _where(conditions: Mapping[str, Any]) -> str:
    """The conditions a row meets, in words."""
    said = [
        f"{column} is {' or '.join(map(str, wanted)) if isinstance(wanted, (list, tuple)) else wanted}"
        for column, wanted in conditions.items()
    ]
    return f" where {'; '.join(said)}" if said else ""


def _joined(parts: Iterable[str | int]) -> list[str | int]:
    """Neighbouring texts as one."""
    out: list[str | int] = []
    for part in parts:
        if isinstance(part, str) and out and isinstance(out[-1], str):
            out[-1] += part
        else:
            out.append(part)
    return out
