"""A region's districts beside the whole force area, England and districts like them, factor by factor.

In: static factors as published for the whole country, and which small area lies in which district. Out: the tables
``compared`` and ``similar``. Only factors are compared: other forces' records are not held.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.assessment_tables import COMPARED, SIMILAR
from riskmodel.contracts.tables import as_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DECLARED", "NEAREST", "Country", "NationalFactor", "build_compared", "build_similar", "district_values"]

DECLARED, NEAREST = "declared", "nearest"
HOW_MANY = 5

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Country:
    """Every small area of England and the district it lies in.

    ``codes`` [area] are sorted LSOA 2021 codes; ``district`` [area] indexes ``districts`` (codes) and ``names``;
    ``residents`` [area].
    """

    codes: npt.NDArray[np.str_]
    district: npt.NDArray[np.intp]
    districts: Sequence[str]
    names: Sequence[str]
    residents: Floats


@dataclass(frozen=True, eq=False)
class NationalFactor:
    """One factor as published by small area: a count over another, or a value weighted by residents.

    ``top`` and ``bottom`` are [area] of the country, NaN where the source says nothing; the factor of any set of areas
    is the sum of the one over the sum of the other, times ``of``.
    """

    name: str
    source: str
    period: str
    top: Floats
    bottom: Floats
    of: float = 1.0

    def over(self, index: npt.NDArray[np.intp], places: int) -> Floats:
        """The factor [place] of the areas with that index; NaN where no area of a place is held."""
        held = np.isfinite(self.top) & np.isfinite(self.bottom) & (index >= 0)
        top, bottom = (np.bincount(index[held], v[held], places) for v in (self.top, self.bottom))
        found: Floats = np.divide(self.of * top, bottom, out=np.full(places, np.nan), where=bottom > 0)
        return found


def district_values(factors: Sequence[NationalFactor], country: Country) -> Floats:
    """Each factor in each district [district, factor]."""
    return np.column_stack([f.over(country.district, len(country.districts)) for f in factors])


def build_similar(
    own: Sequence[str],
    values: Floats,
    country: Country,
    *,
    declared: Mapping[str, Sequence[str]],
    how_many: int = HOW_MANY,
) -> pd.DataFrame:
    """Which districts are like each of the region's own.

    Parameters
    ----------
    own : sequence of str
        Codes of the region's districts: none of them is chosen for another.
    values : array [district, factor]
        Factors the likeness is judged by; a factor that some district lacks is left out.
    country : Country
    declared : mapping of str to sequence of str
        District -> districts that the experiment declares to be like it, in place of the nearest.
    how_many : int

    Returns
    -------
    DataFrame
        The ``similar`` noun.

    Notes
    -----
    The distance is the root mean square of the differences in standard deviations over all districts of England, the
    usual way of finding statistical neighbours (as CIPFA's nearest neighbours and ONS's area classifications do).
    """
    import pandas as pd

    known = np.isfinite(values).all(axis=0) & (np.nanstd(values, axis=0) > 0)
    scaled = (values[:, known] - values[:, known].mean(axis=0)) / values[:, known].std(axis=0)
    place = {code: number for number, code in enumerate(country.districts)}
    rows: list[dict[str, Any]] = []
    for code in own:
        far = (
            np.sqrt(((scaled - scaled[place[code]]) ** 2).mean(axis=1)) if known.any() else np.full(len(values), np.nan)
        )
        if code in declared:
            chosen, how = [place[c] for c in declared[code] if c in place], DECLARED
        else:
            order = np.argsort(far, kind="stable")
            chosen, how = [int(i) for i in order if country.districts[i] not in own][:how_many], NEAREST
        if how == NEAREST and not known.any():
            continue
        rows += [
            {
                "location": code, "similar": country.districts[i], "name": country.names[i], "rank": rank,
                "distance": float(far[i]), "chosen": how, "factors": int(known.sum()),
            }
            for rank, i in enumerate(chosen, start=1)
        ]  # fmt: skip
    return as_table(pd.DataFrame(rows, columns=SIMILAR.names), SIMILAR)


def build_compared(
    own: Sequence[str],
    factors: Sequence[NationalFactor],
    values: Floats,
    country: Country,
    similar: pd.DataFrame,
) -> pd.DataFrame:
    """Each factor in each of the region's districts, beside force, similar districts and England.

    Parameters
    ----------
    own : sequence of str
        Codes of the region's districts.
    factors : sequence of NationalFactor
    values : array [district, factor]
        ``district_values`` of these factors.
    country : Country
    similar : DataFrame
        The ``similar`` noun.

    Returns
    -------
    DataFrame
        The ``compared`` noun.
    """
    import pandas as pd

    place = {code: number for number, code in enumerate(country.districts)}
    inside = np.isin(country.district, [place[code] for code in own])
    force = np.array([f.over(np.where(inside, 0, -1), 1)[0] for f in factors])
    everywhere = np.array([f.over(np.zeros(len(country.codes), dtype=np.intp), 1)[0] for f in factors])
    frames = []
    for code in own:
        here = values[place[code]]
        like = pd.DataFrame(values[[place[c] for c in similar.loc[similar["location"] == code, "similar"]]])
        frames.append(
            pd.DataFrame(
                {
                    "level": "lad24",
                    "location": code,
                    "factor": [f.name for f in factors],
                    "value": here,
                    "force": force,
                    "similar": like.median().to_numpy(),
                    "similar_low": like.min().to_numpy(),
                    "similar_high": like.max().to_numpy(),
                    "country": everywhere,
                    "period": [f.period for f in factors],
                    "note": np.where(np.isfinite(here), "", "the source says nothing of this district"),
                }
            )
        )
    return as_table(pd.concat(frames, ignore_index=True), COMPARED)
