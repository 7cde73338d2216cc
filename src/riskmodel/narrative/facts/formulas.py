"""What a fact is made of: a small tree over the cells of the bundle's tables, evaluated the same way by whoever checks.

    ["cell", table, row, column]
    ["sum", table, column, {column: value}]       the column over the rows that have these values
    ["mean", table, column, {column: value}]      its mean over them
    ["quantile", table, column, {column: value}, share]   what a share of them lie below; 0 is the least, 1 the most
    ["count", table, {column: value}]             how many rows have them
    ["distinct", table, columns, {column: value}] how many different values the columns have in these rows
    ["rows", table, positions]                    how many rows are named: what a page counted and no condition tells
    ["number", value]                             a declared number
    ["add" | "subtract" | "multiply" | "divide", left, right]
    ["least_change" | "most_change", before, after]   the ends of what chance alone leaves open in a change

A value of a condition may be a list: any of them. A blank cell makes a sum, and whatever rests on it, blank; so is
the mean of no rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from riskmodel.narrative.chance import change_by_chance

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OVER_ROWS", "Formula", "evaluate", "rows_where"]

Formula = Sequence[Any]
Conditions = Mapping[str, Any]
OVER_ROWS: Mapping[str, Callable[..., float]] = MappingProxyType(
    {
        "sum": lambda held: float(held.sum()),
        "mean": lambda held: float(held.mean()) if len(held) else float("nan"),
        "quantile": lambda held, share: float(np.quantile(held, share)) if len(held) else float("nan"),
    }
)
"""Kinds of formula that make one number of a column over the rows that meet conditions."""


def rows_where(table: pd.DataFrame, conditions: Conditions) -> npt.NDArray[np.intp]:
    """Positions of the rows that meet all conditions.

    Parameters
    ----------
    table : DataFrame
    conditions : mapping
        Column -> its value, or a list of values; a date is written YYYY-MM-DD.

    Examples
    --------
    >>> import pandas as pd
    >>> rows_where(pd.DataFrame({"level": ["pfa", "lad24", "lad24"]}), {"level": "lad24"}).tolist()
    [1, 2]
    """
    kept = np.arange(len(table))
    for column, wanted in conditions.items():
        # Only the rows that met the conditions before are looked at: pages ask this of long tables.
        values = table[column].take(kept)
        if values.dtype.kind == "M":
            values = values.dt.strftime("%Y-%m-%d")
        kept = kept[values.isin(list(wanted) if isinstance(wanted, (list, tuple)) else [wanted]).to_numpy(dtype=bool)]
    return kept


def evaluate(formula: Formula, tables: Mapping[str, pd.DataFrame]) -> float:
    """The number a formula gives; NaN where it rests on a blank.

    Parameters
    ----------
    formula : sequence
    tables : mapping of str to DataFrame
        The bundle's tables by name, rows in the order written.

    Raises
    ------
    KeyError, IndexError
        If a table, column or row is not there.
    ValueError
        If the formula is of no known kind.

    Examples
    --------
    >>> import pandas as pd
    >>> held = {"history": pd.DataFrame({"level": ["pfa", "pfa"], "recorded": [120.0, 150.0]})}
    >>> grown = ["divide", ["cell", "history", 1, "recorded"], ["cell", "history", 0, "recorded"]]
    >>> evaluate(["subtract", grown, ["number", 1]], held)
    0.25
    >>> evaluate(["sum", "history", "recorded", {"level": "pfa"}], held)
    270.0
    >>> evaluate(["quantile", "history", "recorded", {"level": "pfa"}, 0.5], held)
    135.0
    >>> evaluate(["distinct", "history", ["level"], {}], held), evaluate(["rows", "history", [1]], held)
    (1.0, 1.0)
    """
    kind = formula[0]
    if kind == "number":
        return float(formula[1])
    if kind == "cell":
        _, table, row, column = formula
        if not 0 <= row < len(tables[table]):
            raise IndexError(f"'{table}' has no row {row}")
        return float(tables[table][column].to_numpy(dtype=np.float64)[row])
    if kind in OVER_ROWS:
        _, table, column, conditions, *share = formula
        rows = rows_where(tables[table], conditions)
        return OVER_ROWS[kind](tables[table][column].to_numpy(dtype=np.float64)[rows], *share)
    if kind == "count":
        return float(len(rows_where(tables[formula[1]], formula[2])))
    if kind == "distinct":
        _, table, columns, conditions = formula
        rows = rows_where(tables[table], conditions)
        return float(len(tables[table][list(columns)].iloc[rows].drop_duplicates()))
    if kind == "rows":
        _, table, positions = formula
        if any(not 0 <= row < len(tables[table]) for row in positions):
            raise IndexError(f"'{table}' has not all of the rows named")
        return float(len(set(positions)))
    left, right = (evaluate(part, tables) for part in formula[1:])
    if kind == "add":
        return left + right
    if kind == "subtract":
        return left - right
    if kind == "multiply":
        return left * right
    if kind == "divide":
        return left / right if right else float("nan")
    if kind in ("least_change", "most_change"):
        ends = change_by_chance(np.array([left]), np.array([right]))
        return float(ends[kind == "most_change"][0])
    raise ValueError(f"no such kind of formula: {kind}")
