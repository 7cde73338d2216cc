"""The book of facts of one bundle: numbers are taken out of published tables through it, and it remembers each.

In: the tables as they are published, and which of their cells are withheld. Out: marked words for pages, and every
fact that was quoted, for ``facts.json``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from riskmodel.contracts.tables import TABLES, TableError
from riskmodel.narrative.facts.forms import written
from riskmodel.narrative.facts.formulas import OVER_ROWS, Formula, evaluate, rows_where
from riskmodel.narrative.facts.marks import mark
from riskmodel.narrative.forecast_words import NOT_AVAILABLE, SUPPRESSED

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["INTERVALS", "Fact", "FactBook"]

OPEN, ROUNDED, HIDDEN, ABSENT = "open", "rounded", "suppressed", "not available"
INTERVALS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("outlook", "mean"): ("low", "high"),
    ("outlook", "change"): ("change_low", "change_high"),
    ("outlook", "rank_low"): ("rank_low", "rank_high"),
    ("comparison", "skill"): ("low", "high"),
    ("pairwise", "skill"): ("low", "high"),
    ("domains", "skill_lost"): ("low", "high"),
    ("stability", "strength"): ("low", "high"),
    ("ledger", "multiplier"): ("low", "high"),
    ("audit", "statistic"): ("low", "high"),
    ("audit", "per_1000"): ("per_1000_low", "per_1000_high"),
    ("noise_floor", "skill_bound"): ("low", "high"),
    ("intersections", "point"): ("low", "high"),
    ("season_by_month", "ratio"): ("low", "high"),
    ("profile", "rate"): ("rate_low", "rate_high"),
    ("costs", "expected"): ("low", "high"),
}
"""(table, column) -> the columns that hold the ends of its interval."""


@dataclass(frozen=True)
class Fact:
    """One number that is quoted: the columns of the ``facts`` record, its formula as values rather than text."""

    fact_id: str
    words: str
    form: str
    formulas: tuple[Formula, ...]
    values: tuple[float, ...]
    unit: str = ""
    low: str = ""
    high: str = ""
    origin: str = "computed"
    source: str = ""
    as_of: str = ""
    state: str = OPEN

    @property
    def value(self) -> float:
        """The number; the first, where the words hold several."""
        return self.values[0] if self.values and self.state in (OPEN, ROUNDED) else float("nan")


class FactBook:
    """Takes numbers out of tables, writes them, and remembers what was taken.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        As published: what the bundle holds, rows in that order.
    run_id : str
    withheld : mapping of str to DataFrame, optional
        For a table, a frame of its shape that is true where a cell is withheld.
    rounded : collection of str
        Targets whose numbers are rounded, for a table that has a column ``target``.
    suffixes : mapping of str to str, optional
        How a table's file ends in the bundle; ``csv`` where it is not named.

    Examples
    --------
    >>> import pandas as pd
    >>> from riskmodel.narrative.facts import as_plain
    >>> outlook = pd.DataFrame({"level": ["pfa"], "mean": [1234.4], "low": [1.0], "high": [2.0]})
    >>> book = FactBook({"outlook": outlook}, "run")
    >>> as_plain(book.only("outlook", {"level": "pfa"}, "mean", form="expected") + " records are expected")
    '1,234 records are expected'
    >>> [fact.fact_id for fact in book.facts]
    ['outlook.0.mean']
    """

    def __init__(
        self,
        tables: Mapping[str, pd.DataFrame],
        run_id: str,
        *,
        withheld: Mapping[str, pd.DataFrame] | None = None,
        rounded: Sequence[str] = (),
        suffixes: Mapping[str, str] | None = None,
    ) -> None:
        self.tables, self.run_id = tables, run_id
        self._withheld = withheld or {}
        self._rounded = frozenset(rounded)
        self._suffixes = suffixes or {}
        self._facts: dict[str, Fact] = {}
        self._columns: dict[tuple[str, str], Any] = {}
        self._places: dict[tuple[str, tuple[str, ...]], dict[tuple[Any, ...], int]] = {}

    @property
    def facts(self) -> list[Fact]:
        """Every fact quoted so far, by id."""
        return [self._facts[name] for name in sorted(self._facts)]

    def fact(self, fact_id: str) -> Fact:
        """One that was quoted, by its id."""
        return self._facts[fact_id]

    def file_of(self, table: str) -> str:
        """Where a table lies in the bundle."""
        return f"tables/{table}.{self._suffixes.get(table, 'csv')}"

    def value_text(self, fact_id: str) -> str:
        """A fact's value for the attribute of its element; empty where it is withheld or there is none."""
        value = self._facts[fact_id].value
        return f"{value:.10g}" if np.isfinite(value) else ""

    def row_of(self, table: str, conditions: Mapping[str, Any]) -> int:
        """The position of the only row that meets the conditions; looked up once for every set of columns.

        Raises
        ------
        TableError
            If there is none, or more than one.
        """
        columns = tuple(sorted(conditions))
        if (table, columns) not in self._places:
            frame = self.tables[table]
            keys = list(zip(*(frame[c].tolist() for c in columns), strict=True))
            at = {key: row for row, key in enumerate(keys)}
            twice = {} if len(at) == len(keys) else {k: -1 for k in keys if keys.count(k) > 1}
            self._places[table, columns] = at | twice
        row = self._places[table, columns].get(tuple(conditions[c] for c in columns))
        if row is None or row < 0:
            found = "none" if row is None else "several"
            raise TableError(f"no single row of '{table}' for a fact", where=str(dict(conditions)), found=found)
        return row

    def cell(self, table: str, row: int, column: str, *, form: str) -> str:
        """A number of a table, marked.

        Parameters
        ----------
        table, column : str
        row : int
            Its position.
        form : str
            One of ``FORMS``.
        """
        fact_id = f"{table}.{row}.{column}"
        known = self._facts.get(fact_id)
        if known is None or known.form != form:
            # The same cell may be written in two forms; each is a fact with the same cell.
            fact_id = fact_id if known is None else f"{fact_id}.{form}"
            if fact_id not in self._facts:
                self._facts[fact_id] = self._of_cells(fact_id, table, row, (column,), form)
        return mark(fact_id, self._facts[fact_id].words)

    def only(self, table: str, conditions: Mapping[str, Any], column: str, *, form: str) -> str:
        """A number of the only row that meets the conditions, marked."""
        return self.cell(table, self.row_of(table, conditions), column, form=form)

    def cells(self, table: str, row: int, columns: Sequence[str], *, form: str) -> str:
        """Several numbers of one row that make one phrase, such as a band of ranks."""
        fact_id = f"{table}.{row}.{'+'.join(columns)}"
        if fact_id not in self._facts:
            self._facts[fact_id] = self._of_cells(fact_id, table, row, tuple(columns), form)
        return mark(fact_id, self._facts[fact_id].words)

    def made(self, name: str, formula: Formula, *, form: str, unit: str = "") -> str:
        """A number worked out from cells, marked.

        Parameters
        ----------
        name : str
            The fact's id; the same name always stands for the same formula.
        formula : sequence
            As in ``formulas``.
        form : str
        unit : str

        Raises
        ------
        TableError
            If the name stands for another formula already.
        """
        known = self._facts.get(name)
        if known is not None and (known.formulas != (formula,) or known.form != form):
            raise TableError("two facts have one name", where=name)
        if known is None:
            value = evaluate(formula, self.tables)
            state = HIDDEN if self._rests_on_withheld(formula) else OPEN if np.isfinite(value) else ABSENT
            words = {HIDDEN: SUPPRESSED, ABSENT: NOT_AVAILABLE}.get(state) or written(form, [value])
            self._facts[name] = Fact(name, words, form, (formula,), (value,), unit, state=state)
        return mark(name, self._facts[name].words)

    def count(self, name: str, table: str, conditions: Mapping[str, Any]) -> str:
        """How many rows of a table meet the conditions, marked."""
        return self.made(name, ["count", table, dict(conditions)], form="whole")

    def declared(self, name: str, value: float, *, form: str, source: str, unit: str = "") -> str:
        """A number that a definition declares, such as a bound of the policy, marked."""
        return self._given(name, value, form, unit, "declared", source, "")

    def supplied(self, name: str, value: float, *, form: str, source: str, as_of: str, unit: str = "") -> str:
        """A number that people supply in their own text, marked; pages show it as supplied, not computed."""
        return self._given(name, value, form, unit, "supplied", source, as_of)

    def _given(self, name: str, value: float, form: str, unit: str, origin: str, source: str, as_of: str) -> str:
        fact = Fact(
            name, written(form, [value]), form, (["number", value],), (value,), unit,
            origin=origin, source=source, as_of=as_of,
        )  # fmt: skip
        if self._facts.setdefault(name, fact) != fact:
            raise TableError("two facts have one name", where=name)
        return mark(name, fact.words)

    def _of_cells(self, fact_id: str, table: str, row: int, columns: tuple[str, ...], form: str) -> Fact:
        formulas = tuple(["cell", table, row, column] for column in columns)
        values = tuple(float(self._column(table, column)[row]) for column in columns)
        hidden = any(self._is_withheld(table, row, column) for column in columns)
        state = HIDDEN if hidden else ABSENT if not np.isfinite(values).all() else OPEN
        if state == OPEN and self._rounded and "target" in self.tables[table]:
            state = ROUNDED if self._column(table, "target")[row] in self._rounded else OPEN
        words = SUPPRESSED if hidden else written(form, list(values))
        low, high = INTERVALS.get((table, columns[0]), ("", ""))
        made = Fact(fact_id, words, form, formulas, values, _unit(table, columns[0]), state=state)
        return replace(made, low=f"{table}.{row}.{low}", high=f"{table}.{row}.{high}") if low else made

    def _column(self, table: str, column: str) -> Any:
        """A column as an array, made once: tables are read a cell at a time, thousands of times."""
        if (table, column) not in self._columns:
            held = self.tables[table][column]
            numbers = held.dtype.kind in "iufb"
            self._columns[table, column] = held.to_numpy(dtype=np.float64 if numbers else object)
        return self._columns[table, column]

    def _is_withheld(self, table: str, row: int, column: str) -> bool:
        mask = self._withheld.get(table)
        return mask is not None and column in mask and bool(mask[column].iloc[row])

    def _rests_on_withheld(self, formula: Formula) -> bool:
        kind = formula[0]
        if kind == "cell":
            return self._is_withheld(formula[1], formula[2], formula[3])
        if kind in OVER_ROWS:
            _, table, column, conditions = formula[:4]
            return any(self._is_withheld(table, r, column) for r in rows_where(self.tables[table], conditions))
        return kind not in ("number", "count", "distinct", "rows") and any(
            self._rests_on_withheld(part) for part in formula[1:]
        )


def _unit(table: str, column: str) -> str:
    record = TABLES.get(table)
    units = {c.name: c.unit for c in record.columns} if record is not None else {}
    return units.get(column, "")
