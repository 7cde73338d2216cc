"""Who lives in a place: in go the small areas' groups and their parents, out comes the ``place_groups`` table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from riskmodel.contracts.assessment_tables import PLACE_GROUPS
from riskmodel.contracts.tables import as_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["build_place_groups"]

_KEY = ["level", "location", "characteristic", "group"]


def build_place_groups(groups: pd.DataFrame, parents: pd.DataFrame, levels: Sequence[str]) -> pd.DataFrame:
    """People of each group by place: sums over the small areas that lie in it.

    Parameters
    ----------
    groups : DataFrame
        The ``groups`` noun.
    parents : DataFrame
        Small area (index) -> its place of every level; an area without a certain place of a level counts in none.
    levels : sequence of str
        Columns of ``parents``.

    Returns
    -------
    DataFrame
        By the record ``place_groups``; shares are of everybody whom the same table counts.

    Examples
    --------
    >>> import pandas as pd
    >>> groups = pd.DataFrame({
    ...     "characteristic": "sex", "group": ["female", "female", "male", "male"], "area": ["A", "B"] * 2,
    ...     "population": [60.0, 20.0, 40.0, 80.0], "share": [0.6, 0.2, 0.4, 0.8], "period": "2021",
    ... })
    >>> parents = pd.DataFrame({"lad24": ["X", "X"]}, index=["A", "B"])
    >>> build_place_groups(groups, parents, ["lad24"])[["group", "people", "share"]].to_numpy().tolist()
    [['female', 80.0, 0.4], ['male', 120.0, 0.6]]
    """
    import pandas as pd

    columns = ["characteristic", "group", "area", "population", "period"]
    held = groups[columns].assign(everybody=_everybody(groups))
    frames = []
    for level in levels:
        own = held.assign(level=level, location=held["area"].map(parents[level]))
        own = own[own["location"].fillna("") != ""]
        sums = own.groupby(_KEY, sort=True, as_index=False)
        frames.append(sums.agg(people=("population", "sum"), everybody=("everybody", "sum"), period=("period", "max")))
    made = pd.concat(frames, ignore_index=True)
    known = made["everybody"] > 0
    made["share"] = (made["people"] / made["everybody"].where(known)).clip(upper=1.0)
    return as_table(made[PLACE_GROUPS.names], PLACE_GROUPS)


def _everybody(groups: pd.DataFrame) -> pd.Series[float]:
    """Everybody whom the table of a characteristic counts in an area, whether or not a group takes them in."""
    sums = groups.groupby(["characteristic", "area"])[["population", "share"]].transform("sum")
    return (sums["population"] / sums["share"].where(sums["share"] > 0)).fillna(0.0)
