"""Values of larger areas for the region's small ones: in go lookups and values, out comes one for each small area.

A share or mean of a district is taken to be that of every area in it, which says nothing of differences within; a sum
is shared out by residents. Districts change from year to year: values follow the districts of the year they are for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from riskmodel.panel.conversion import CodeConversion

__all__ = ["Ties", "coarser_ties", "spread"]


@dataclass(frozen=True, eq=False)
class Ties:
    """How a region's areas lie in the areas of a coarser level, one entry for each area and coarser area it lies in.

    Parameters
    ----------
    area : array of int, [tie]
        The area.
    code : array of str, [tie]
        The code of the coarser area.
    share : array of float, [tie]
        The share of the area's residents in it; the shares of an area add up to 1.
    """

    area: NDArray[np.intp]
    code: NDArray[np.str_]
    share: NDArray[np.float64]


def spread(
    value: NDArray[np.float64], ties: Ties, residents: NDArray[np.float64], *, as_sum: bool
) -> NDArray[np.float64]:
    """Values of coarser areas at a region's areas.

    Parameters
    ----------
    value : array of float, [tie]
        The value of each tie's coarser area; NaN where it has none.
    ties : Ties
        Of the values' level.
    residents : array of float, [area]
    as_sum : bool
        Whether a value is shared out by residents; else every area takes it.

    Returns
    -------
    array of float, [area]
        NaN where a coarser area has no value.

    Examples
    --------
    >>> ties = Ties(np.array([0, 1]), np.array(["E06000001", "E06000001"]), np.ones(2))
    >>> spread(np.array([8.0, 8.0]), ties, np.array([300.0, 100.0]), as_sum=True).tolist()
    [6.0, 2.0]
    """
    size = len(residents)
    if as_sum:
        people = residents[ties.area] * ties.share
        _, group = np.unique(ties.code, return_inverse=True)
        within = np.bincount(group, weights=people)[group]
        weight = np.divide(people, within, out=np.zeros_like(people), where=within > 0)
    else:
        weight = ties.share
    return np.asarray(np.bincount(ties.area, weights=weight * value, minlength=size), dtype=np.float64)


def coarser_ties(conversion: CodeConversion, parents: pd.DataFrame, ties: pd.DataFrame) -> dict[str, Ties]:
    """How the region's areas lie in the coarser areas that values are published for.

    Parameters
    ----------
    conversion : CodeConversion
        Of the region, with the ties of its areas to the areas of 2011.
    parents : DataFrame
        Index = areas; columns ``msoa21``, ``ward24``, ``lad24``.
    ties : DataFrame
        Columns ``lsoa11``, ``lsoa21`` and those of ``lad21``, ``lad22``, ``lad23`` that lookups lead to: the district
        an area lay in that year. An area made of parts of several takes each by the share of its residents.

    Returns
    -------
    dict of str to Ties
        By level.
    """
    import pandas as pd

    size = len(conversion.areas)
    whole = np.arange(size), np.ones(size)
    found = {
        level: Ties(whole[0], parents[level].to_numpy(dtype=np.str_), whole[1])
        for level in ("msoa21", "ward24", "lad24")
    }
    keys = pd.MultiIndex.from_arrays(
        [conversion.known[conversion.link_parent], conversion.areas[conversion.link_area]], names=["lsoa11", "lsoa21"]
    )
    of_tie = ties.drop_duplicates(["lsoa11", "lsoa21"]).set_index(["lsoa11", "lsoa21"]).reindex(keys)
    people = conversion.link_share * conversion.link_residents
    for level in ("lad21", "lad22", "lad23"):
        if level in of_tie and of_tie[level].notna().all():
            code, index = np.unique(of_tie[level].to_numpy(dtype=np.str_), return_inverse=True)
            pair, place = np.unique(conversion.link_area * len(code) + index.reshape(-1), return_inverse=True)
            area, district = np.divmod(pair, len(code))
            held = np.bincount(place.reshape(-1), weights=people)
            found[level] = Ties(area, code[district], held / np.bincount(area, weights=held, minlength=size)[area])
    return found
