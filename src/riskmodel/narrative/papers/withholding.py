"""The second lock on withheld figures: rows that an audit marks as suppressed carry none in any paper.

In: the tables of a run. Out: the same tables, blank wherever the verdict is ``suppressed`` and wherever a figure
follows from such a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from riskmodel.contracts.records import Table
from riskmodel.contracts.tables import TABLES

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WITHHELD", "safe_tables"]

WITHHELD = "Withheld: the figures rest on too few people or records to be shown."
# What a row says in words would tell as much as its figures.
_INSTEAD = {"explanation": WITHHELD, "note": WITHHELD, "verdict": "suppressed", "changes": "no", "depends": "no"}
_GUARDED = ("audit", "intersections", "tipping_points", "data_requests")


def safe_tables(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables, with every figure blank in rows whose verdict is ``suppressed``, and in those that follow from one.

    The bounds of an intersection and the tipping points of a group follow from the composition row of the same group
    and model.
    """
    out = dict(tables)
    audit = tables.get("audit")
    hidden: set[tuple[str, ...]] = set()
    if audit is not None:
        keys = audit[(audit["verdict"] == "suppressed") & (audit["evidence"] == "composition")]
        hidden = set(zip(keys["characteristic"], keys["group"], keys["model_id"], strict=True))
    for name in _GUARDED:
        if name in out:
            out[name] = _withheld(out[name], TABLES[name], hidden if name != "audit" else set())
    return out


def _withheld(held: pd.DataFrame, record: Table, hidden: set[tuple[str, ...]]) -> pd.DataFrame:
    import numpy as np

    out = held.copy()
    gone = np.zeros(len(out), dtype=bool)
    if "verdict" in out:
        gone |= (out["verdict"] == "suppressed").to_numpy()
    if hidden and {"characteristic", "group", "model_id"} <= set(out.columns):
        keys = zip(out["characteristic"], out["group"], out["model_id"], strict=True)
        gone |= np.array([key in hidden for key in keys], dtype=bool)
    for column in record.columns:
        if column.dtype in ("int", "float") and column.name not in record.key:
            out[column.name] = out[column.name].astype("float64").mask(gone)
    for words, instead in _INSTEAD.items():
        if words in out:
            out[words] = out[words].mask(gone, instead)
    return out
