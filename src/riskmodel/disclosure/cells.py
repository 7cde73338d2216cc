"""The cells of several tables as one: the same area and period is the same cell wherever it stands.

In: tables of a bundle and what they declare. Out: their cells of restricted targets, each once, with the places where
it stands.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.records import TableError

from .declarations import Declaration
from .relations import CELL

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WINDOW_MONTHS", "base_targets", "cells_of", "months_of", "row_cells"]

WINDOW_MONTHS = {"month": 1, "quarter": 3, "financial_year": 12, "calendar_year": 12, "12_months": 12}
"""How many months a window has."""
_SHIFT = {"count": 0, "expected": 0, "count a year before": -12}


def base_targets(table: pd.DataFrame) -> pd.Series[str]:
    """Each row's target without its window.

    Examples
    --------
    >>> import pandas as pd
    >>> base_targets(pd.DataFrame({"target": ["callouts@1:quarter"]})).tolist()
    ['callouts@1']
    >>> base_targets(pd.DataFrame({"target": []})).tolist()
    []
    """
    # Not partition: of an empty column it makes a frame without columns.
    return table["target"].astype("str").str.replace(r":.*", "", regex=True)


def months_of(table: pd.DataFrame) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The first and the last month of each row's period, as integers.

    Raises
    ------
    TableError
        If a table has neither start and end nor a target_end_date with a known window.
    """
    if {"start", "end"} <= set(table.columns):
        return _month(table["start"]), _month(table["end"])
    if "target_end_date" not in table.columns:
        raise TableError("a table of counts says no period", found=list(table.columns))
    window = table["target"].astype("str").str.partition(":")[2].replace("", "month")
    unknown = sorted(set(window) - set(WINDOW_MONTHS))
    if unknown:
        raise TableError("a target has an unknown window", found=unknown, allowed=list(WINDOW_MONTHS))
    last = _month(table["target_end_date"])
    return last - window.map(WINDOW_MONTHS).to_numpy(np.int64) + 1, last


def _month(days: pd.Series[pd.Timestamp]) -> npt.NDArray[np.int64]:
    return days.to_numpy().astype("datetime64[M]").astype(np.int64) + 1970 * 12


def row_cells(table: pd.DataFrame) -> pd.DataFrame:
    """The cell that each row is about; same index as the table."""
    import pandas as pd

    first, last = months_of(table)
    columns = {"series": base_targets(table), "level": table["level"], "location": table["location"]}
    return pd.DataFrame(columns | {"first": first, "last": last}, index=table.index)


def cells_of(
    tables: Mapping[str, pd.DataFrame], declarations: Mapping[str, Declaration], restricted: Collection[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every cell of the restricted targets, and where it stands.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        The tables that are protected together, numbered from 0.
    declarations : mapping of str to Declaration
        What is a count in them.
    restricted : collection of str
        The restricted targets.

    Returns
    -------
    cells : DataFrame
        series, level, location, first, last, value, whole; numbered from 0.
    places : DataFrame
        table, row, column, cell: one row for each place where a cell stands.

    Raises
    ------
    TableError
        If two tables give one cell two values.
    """
    import pandas as pd

    empty = pd.DataFrame({n: pd.Series(dtype="object") for n in (*CELL, "value", "whole", "table", "row", "column")})
    found = [empty]
    for name, table in tables.items():
        if declarations[name].kind != "counts":
            continue
        rows = base_targets(table).isin(restricted)
        if "output_type" in table.columns:
            rows &= table["output_type"] == "mean"
        if not rows.any():
            continue
        about = row_cells(table[rows])
        for column, word in declarations[name].columns.items():
            if word not in _SHIFT:
                continue
            value = table.loc[rows, column].astype("float64")
            whole = (word != "expected") & (value == value.round())
            shifted = about.assign(first=about["first"] + _SHIFT[word], last=about["last"] + _SHIFT[word])
            here = shifted.assign(value=value, whole=whole, table=name, row=about.index, column=column)
            found.append(here[value.notna()])
    return _once(pd.concat([f for f in found if len(f)] or [empty], ignore_index=True))


def _once(every: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    grouped = every.groupby(list(CELL), sort=True)
    every["cell"] = grouped.ngroup() if len(every) else every["row"]
    low, high = grouped["value"].min(), grouped["value"].max()
    differ = high - low > 1e-6 * (1.0 + high.abs())
    if differ.any():
        raise TableError(
            "one area and period has two values in the tables of a bundle",
            found=[" ".join(map(str, key)) for key in low.index[differ][:5]],
        )
    cells = grouped.agg(value=("value", "first"), whole=("whole", "any")).reset_index()
    cells["value"], cells["whole"] = cells["value"].astype("float64"), cells["whole"].astype(bool)
    cells["first"], cells["last"] = cells["first"].astype("int64"), cells["last"].astype("int64")
    return cells, every[["table", "row", "column", "cell"]]
