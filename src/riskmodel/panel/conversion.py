"""Published area codes into the region's LSOA 2021: in go counts or values by published code, out come arrays by area.

Police files mix 2011 and 2021 codes. A code that exists in 2021 stays; a 2011 code follows the ONS lookup: merged areas
are summed, and what was recorded in a split area is shared among its parts by residents, one record at a time in the
order of a Webster (Sainte-Lague) apportionment of the cumulative count. So no record is lost or made, no part is ever
negative, no month depends on a later one, and rounding favours nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from riskmodel.contracts.errors import DataFileError
from riskmodel.panel.apportionment import apportion
from riskmodel.panel.coarser import Ties, spread

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["CodeConversion", "Converted", "make_conversion"]

_OUT = -1
_SPLIT = -2


@dataclass(frozen=True, eq=False)
class Converted:
    """Counts of the region's areas, and what became of every other record; shapes end in period.

    ``counts`` is [.., area, period]; the others are [.., period] with ``located + unlocated + out_of_force`` = all
    records and ``converted`` = the located records that came through a code of 2011 only.
    """

    counts: NDArray[np.int64]
    unlocated: NDArray[np.int64]
    out_of_force: NDArray[np.int64]
    located: NDArray[np.int64]
    converted: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class CodeConversion:
    """How published codes become the region's LSOA 2021 areas; made by `make_conversion`.

    Parameters
    ----------
    areas : array of str, [area]
        The region's LSOA 2021 codes, sorted.
    known : array of str, [code]
        Every LSOA code of either vintage that the lookups hold, sorted.
    target : array of int, [code]
        The area a code lies in as a whole; -1 outside the region; -2 where it is split.
    only_2011 : array of bool, [code]
        Whether the code exists in 2011 only.
    part_code, part_area, part_weight : arrays, [part]
        The parts of split codes, ordered by code and then by 2021 code: position in ``known``, area (-1 outside the
        region) and residents.
    link_parent, link_area, link_share, link_residents : arrays, [link]
        Every tie of a 2011 code (position in ``known``) to an area of the region: the share of the code's residents in
        it, and the code's residents (1 where they are not known).
    district : array of str, [area]
        The local authority of each area (2024).
    residents : array of float, [area]
        Usual residents (Census 2021).
    coarser : mapping of str to Ties
        By level, for the levels the lookups held lead to.
    """

    areas: NDArray[np.str_]
    known: NDArray[np.str_]
    target: NDArray[np.intp]
    only_2011: NDArray[np.bool_]
    part_code: NDArray[np.intp]
    part_area: NDArray[np.intp]
    part_weight: NDArray[np.float64]
    link_parent: NDArray[np.intp]
    link_area: NDArray[np.intp]
    link_share: NDArray[np.float64]
    link_residents: NDArray[np.float64]
    district: NDArray[np.str_]
    residents: NDArray[np.float64]
    coarser: Mapping[str, Ties] = field(default_factory=dict)

    def counts(self, codes: NDArray[np.str_], counts: NDArray[np.int64], *, where: str | None = None) -> Converted:
        """Convert whole records by published code into the region's areas.

        Parameters
        ----------
        codes : array of str, [code]
            LSOA codes of 2011 and 2021 as published, in any order; ``''`` for records without a place.
        counts : array of int, [code, period] or [measure, code, period]
            Records, periods in order; never negative.
        where : str, optional
            The file that messages name.

        Raises
        ------
        DataFileError
            If a code is in no lookup.
        ValueError
            If the shapes do not fit, or a count is negative.

        Notes
        -----
        The counts of a period depend on that and earlier periods only (Balinski and Young, *Fair Representation*, 1982:
        divisor methods are house-monotone), so adding months never changes months before.
        """
        whole = np.asarray(counts)
        if whole.ndim not in (2, 3) or whole.shape[-2] != len(codes):
            raise ValueError(f"counts of shape {whole.shape} do not fit {len(codes)} codes")
        if not np.issubdtype(whole.dtype, np.integer) or (whole.size and whole.min() < 0):
            raise ValueError("counts are whole numbers and never negative")
        stacked = whole.astype(np.int64, copy=False).reshape((-1, *whole.shape[-2:]))
        position = self._position(codes, where)
        placed, outside, converted = self._placed(position, stacked)
        unlocated = stacked[:, position < 0].sum(axis=1)
        located = placed.sum(axis=1)
        lead = whole.shape[:-2]
        per_period = (*lead, whole.shape[-1])
        return Converted(
            counts=placed.reshape((*lead, len(self.areas), whole.shape[-1])),
            unlocated=unlocated.reshape(per_period),
            out_of_force=outside.reshape(per_period),
            located=located.reshape(per_period),
            converted=converted.reshape(per_period),
        )

    def static(
        self,
        codes: NDArray[np.str_],
        values: NDArray[np.float64],
        *,
        travels: str,
        level: str,
        absent_is_zero: bool = False,
        where: str | None = None,
    ) -> NDArray[np.float64]:
        """Values of another level or vintage at the region's areas.

        Parameters
        ----------
        codes : array of str, [code]
            Codes of ``level``, each once; codes elsewhere in England and Wales are ignored.
        values : array of float, [code]
            NaN where the publisher left a blank.
        travels : {'sum', 'population_weighted_mean', 'share'}
            How the measure travels: a sum is shared out by residents; a mean or share is inherited by the parts of a
            split or coarser area, and averaged over merged areas by their residents.
        level : str
            What the codes are: ``lsoa21``, ``lsoa11``, or a level of ``coarser`` (``lad24`` always is).
        absent_is_zero : bool
            Whether a code that is not given holds 0, as in a register; a blank stays missing.
        where : str, optional
            The file that messages name.

        Returns
        -------
        array of float, [area]
            NaN where the source has no value, or lacks one of the areas that make up this one.

        Raises
        ------
        DataFileError
            If a code repeats, or is in no lookup, or the lookup that leads to the level is not held.
        ValueError
            If ``travels`` is unknown.
        """
        if travels not in ("sum", "population_weighted_mean", "share"):
            raise ValueError(f"unknown way to travel: {travels}")
        given, first = np.unique(codes, return_index=True)
        if len(given) != len(codes):
            raise DataFileError("an area has two values", where=where, found=_repeated(codes))
        held = np.asarray(values, dtype=np.float64)[first]
        if absent_is_zero:
            of_level = self.known if level in ("lsoa11", "lsoa21") else self._ties(level, where).code
            given, held = _with_zeros(given, held, of_level)
        if level not in ("lsoa11", "lsoa21"):
            ties = self._ties(level, where)
            return spread(_looked_up(given, held, ties.code), ties, self.residents, as_sum=travels == "sum")
        self._position(given, where)
        if level == "lsoa21":
            return _looked_up(given, held, self.areas)
        return self._from_2011(given, held, as_sum=travels == "sum")

    def _position(self, codes: NDArray[np.str_], where: str | None) -> NDArray[np.intp]:
        """Each code's position among the known ones; -1 for a blank."""
        names = np.asarray(codes, dtype=np.str_)
        position = np.minimum(np.searchsorted(self.known, names), len(self.known) - 1)
        unknown = (self.known[position] != names) & (names != "")
        if unknown.any():
            raise DataFileError(
                "these area codes are in no lookup", where=where, found=sorted(set(names[unknown].tolist())),
                allowed="LSOA codes of 2011 and 2021 in England and Wales",
                hint="check that lookups and data are of the same country and years",
            )  # fmt: skip
        return np.where(names == "", -1, position)

    def _placed(
        self, position: NDArray[np.intp], stacked: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Place counts by area; count those outside and those through a code of 2011: all [measure, .., period]."""
        place = np.where(position < 0, len(self.known), position)
        target = np.append(self.target, len(self.areas))[place]
        old = np.append(self.only_2011, False)[place]
        whole = np.flatnonzero((target >= 0) & (position >= 0))
        placed = _summed(stacked[:, whole], target[whole], len(self.areas))
        outside = stacked[:, target == _OUT].sum(axis=1)
        converted = stacked[:, whole[old[whole]]].sum(axis=1)
        used = np.unique(position[target == _SPLIT])
        if not len(used):
            return placed, outside, converted
        rows = np.flatnonzero(target == _SPLIT)
        split = _summed(stacked[:, rows], np.searchsorted(used, position[rows]), len(used))
        chosen = np.isin(self.part_code, used)
        owner = np.searchsorted(used, self.part_code[chosen])
        cumulative = apportion(np.cumsum(split, axis=-1), owner, self.part_weight[chosen])
        shared = np.diff(cumulative, axis=-1, prepend=0)
        area = self.part_area[chosen]
        inside = area >= 0
        placed += _summed(shared[:, inside], area[inside], len(self.areas))
        outside += shared[:, ~inside].sum(axis=1)
        converted += shared[:, inside].sum(axis=1)
        return placed, outside, converted

    def _ties(self, level: str, where: str | None) -> Ties:
        if level in self.coarser:
            return self.coarser[level]
        if level == "lad24":
            return Ties(np.arange(len(self.areas)), self.district, np.ones(len(self.areas)))
        raise DataFileError(
            f"no lookup held leads from '{level}' to the region's areas", where=where,
            allowed=["lsoa11", "lsoa21", *sorted({"lad24", *self.coarser})],
            hint="features/sources/geography.yaml names the lookups; riskmodel check --data DIR lists missing files",
        )  # fmt: skip

    def _from_2011(self, given: NDArray[np.str_], held: NDArray[np.float64], *, as_sum: bool) -> NDArray[np.float64]:
        value = _looked_up(given, held, self.known[self.link_parent])
        weight = self.link_share if as_sum else self.link_share * self.link_residents
        size = len(self.areas)
        total = np.bincount(self.link_area, weights=weight * value, minlength=size)
        linked = np.bincount(self.link_area, minlength=size) > 0
        if as_sum:
            return np.where(linked, total, np.nan)
        shares = np.bincount(self.link_area, weights=weight, minlength=size)
        mean = np.full(size, np.nan)
        np.divide(total, shares, out=mean, where=linked)
        return mean


def _summed(counts: NDArray[np.int64], group: NDArray[np.intp], groups: int) -> NDArray[np.int64]:
    """Sum counts [measure, row, period] over the rows of each group."""
    from scipy.sparse import csr_array

    measures, rows, periods = counts.shape
    selector = csr_array((np.ones(rows, dtype=np.int64), (group, np.arange(rows))), shape=(groups, rows))
    flat = np.moveaxis(counts, 1, 0).reshape(rows, measures * periods)
    return np.moveaxis(np.asarray(selector @ flat).reshape(groups, measures, periods), 0, 1).copy()


def _with_zeros(
    given: NDArray[np.str_], held: NDArray[np.float64], codes: NDArray[np.str_]
) -> tuple[NDArray[np.str_], NDArray[np.float64]]:
    """The given codes and every other one, which holds 0; sorted."""
    every = np.union1d(given, codes)
    value = np.zeros(len(every))
    value[np.searchsorted(every, given)] = held
    return every, value


def _looked_up(given: NDArray[np.str_], held: NDArray[np.float64], wanted: NDArray[np.str_]) -> NDArray[np.float64]:
    """Look up the value of each wanted code; NaN where it is not given (``given`` is sorted)."""
    if not len(given):
        return np.full(len(wanted), np.nan)
    at = np.minimum(np.searchsorted(given, wanted), len(given) - 1)
    return np.where(given[at] == wanted, held[at], np.nan)


def _repeated(codes: NDArray[np.str_]) -> list[str]:
    names, times = np.unique(codes, return_counts=True)
    return [str(name) for name in names[times > 1]]


def make_conversion(
    areas: NDArray[np.str_],
    lookup: pd.DataFrame,
    residents: pd.Series[float],
    *,
    district: NDArray[np.str_],
    residents_2011: pd.Series[float] | None = None,
) -> CodeConversion:
    """Work out how every known code reaches a region's areas.

    Parameters
    ----------
    areas : array of str, [area]
        The region's LSOA 2021 codes, sorted.
    lookup : DataFrame
        Columns ``lsoa11``, ``lsoa21``: every tie between the vintages (ONS), whole of England and Wales.
    residents : Series
        Usual residents by LSOA 2021 code (Census 2021).
    district : array of str, [area]
        Each area's local authority (2024).
    residents_2011 : Series, optional
        Residents by LSOA 2011 code (mid-2020); without it merged areas take the plain mean.

    Raises
    ------
    DataFileError
        If the residents of an area that shares a code with the region are not known.
    """
    ties = lookup[["lsoa11", "lsoa21"]].drop_duplicates().sort_values(["lsoa11", "lsoa21"])
    codes_2021 = np.unique(ties["lsoa21"].to_numpy(dtype=np.str_))
    known = np.union1d(codes_2021, ties["lsoa11"].to_numpy(dtype=np.str_))
    parent = np.searchsorted(known, ties["lsoa11"].to_numpy(dtype=np.str_))
    child = ties["lsoa21"].to_numpy(dtype=np.str_)
    area = _index_in(areas, child)
    touches = np.bincount(parent, weights=area >= 0, minlength=len(known)) > 0
    weight = _residents_of(residents, child, touches[parent])
    of_parent = np.bincount(parent, weights=weight, minlength=len(known))
    if np.any(touches & (of_parent <= 0)):
        raise DataFileError(
            "areas without a resident cannot share a code", found=known[touches & (of_parent <= 0)].tolist()
        )
    only_2011 = ~np.isin(known, codes_2021)
    parts = np.bincount(parent, minlength=len(known))
    target = _index_in(areas, known)
    single = only_2011[parent] & (parts[parent] == 1)
    target[parent[single]] = area[single]
    target[only_2011 & (parts > 1) & touches] = _SPLIT
    split = target[parent] == _SPLIT
    linked = area >= 0
    old = np.ones(len(known)) if residents_2011 is None else _residents_of(residents_2011, known, touches)
    return CodeConversion(
        areas=areas, known=known, target=target, only_2011=only_2011,
        part_code=parent[split], part_area=area[split], part_weight=weight[split],
        link_parent=parent[linked], link_area=area[linked],
        link_share=weight[linked] / of_parent[parent[linked]], link_residents=old[parent[linked]],
        district=district, residents=_residents_of(residents, areas, np.ones(len(areas), dtype=np.bool_)),
    )  # fmt: skip


def _index_in(areas: NDArray[np.str_], codes: NDArray[np.str_]) -> NDArray[np.intp]:
    at = np.minimum(np.searchsorted(areas, codes), len(areas) - 1)
    return np.where(areas[at] == codes, at, _OUT)


def _residents_of(
    residents: pd.Series[float], codes: NDArray[np.str_], needed: NDArray[np.bool_]
) -> NDArray[np.float64]:
    found = residents.reindex(codes).to_numpy(dtype=np.float64)
    absent = np.isnan(found) & needed
    if absent.any():
        raise DataFileError(
            "the residents of these areas are not known", found=codes[absent].tolist(),
            hint="use the whole table of England and Wales, of the same year as the lookups",
        )  # fmt: skip
    return np.where(np.isnan(found), 0.0, found)
