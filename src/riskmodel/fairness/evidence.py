"""What an audit looks at: forecasts held against records, who lives where, and records that a source gives by group.

In: a backtest's cube, the geography, the ``groups`` table. Out: ``Evidence``, ``Grouping`` and ``OutcomeEvidence``. All
of them speak of areas and of groups of their residents, never of a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from riskmodel.backtest.scores import ForecastCube
from riskmodel.contracts.errors import DefinitionError, NotEnoughHistory, did_you_mean
from riskmodel.contracts.periods import month_from_date
from riskmodel.contracts.specs import CharacteristicSpec
from riskmodel.contracts.tables import TableError
from riskmodel.panel.geography import Geography

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Evidence", "Grouping", "OutcomeEvidence", "make_evidence", "make_groupings"]

Floats = npt.NDArray[np.float64]
Kind = Literal["people", "areas"]


@dataclass(frozen=True, eq=False)
class Evidence:
    """Out-of-time forecasts of every audited model, and what was recorded.

    Parameters
    ----------
    target, level, source : str
        What is forecast, for which kind of area, and whose records it is held against.
    models : tuple of str, [model]
        Candidates and baselines alike.
    baseline : str
        The model that stands for what is done without a model; it is audited as every other.
    origins, horizons : array of int, [origin], [horizon]
        Origins as running months.
    areas : array of str, [area]
    mean, low, high : array [model, origin, horizon, area]
        Expected records a month, and the 5 % and 95 % quantiles (NaN where a model gives none).
    observed : array [origin, horizon, area]
        Recorded in the month.
    cells : array of bool, [origin, horizon]
        Which months of which origins are looked at: those that every model forecast for every area.
    residents : array [area]
    points : array [area, 2]
        Kilometres east and north.
    district : array of int, [area]
        Position in ``districts``.
    districts : tuple of str
        Names.
    restricted : bool
        Whether the records are a restricted source's, whose small numbers are protected.
    left_out : mapping of str to int
        Cells and areas that some model did not forecast, counted.
    """

    target: str
    level: str
    source: str
    models: tuple[str, ...]
    baseline: str
    origins: npt.NDArray[np.int64]
    horizons: npt.NDArray[np.int64]
    areas: npt.NDArray[np.str_]
    mean: Floats
    low: Floats
    high: Floats
    observed: Floats
    cells: npt.NDArray[np.bool_]
    residents: Floats
    points: Floats
    district: npt.NDArray[np.intp]
    districts: tuple[str, ...]
    restricted: bool = False
    left_out: Mapping[str, int] | None = None

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit each other."""
        shape = (len(self.models), len(self.origins), len(self.horizons), len(self.areas))
        wanted = {
            "mean": shape, "low": shape, "high": shape, "observed": shape[1:], "cells": shape[1:3],
            "residents": shape[3:], "points": (shape[3], 2), "district": shape[3:],
        }  # fmt: skip
        _fit(self, wanted)
        if self.baseline not in self.models:
            hint = did_you_mean(self.baseline, self.models)
            raise DefinitionError("the audit's baseline is no model of the backtest", found=self.baseline,
                                  allowed=list(self.models), hint=hint)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Grouping:
    """Who lives where: the groups of one characteristic, or of several where they meet.

    Parameters
    ----------
    characteristic : str
        Its name; several joined by `` x ``.
    title, question : str
        What it is called, and what it is asked for: gender, race, disability, poverty ...
    groups : tuple of str, [group]
    areas : array of str, [area]
    people : array [area, group]
        Residents of the group.
    total : array [area]
        Everybody in the same table.
    kind : str
        ``people`` for groups of residents; ``areas`` for classes of areas, whose residents are all of a group.
    """

    characteristic: str
    title: str
    question: str
    groups: tuple[str, ...]
    areas: npt.NDArray[np.str_]
    people: Floats
    total: Floats
    kind: Kind = "people"

    def __post_init__(self) -> None:
        """Refuse counts that cannot be of people."""
        _fit(self, {"people": (len(self.areas), len(self.groups)), "total": (len(self.areas),)})
        sound = np.isfinite(self.people) & (self.people >= 0) & np.isfinite(self.total)[:, None]
        if not sound.all():
            raise TableError(f"the groups of '{self.characteristic}' hold numbers that count no people",
                             found=int((~sound).sum()), allowed="0 or more")  # fmt: skip
        more = self.people.max(axis=1, initial=0.0) > self.total * (1 + 1e-9)
        if more.any():
            raise TableError(f"a group of '{self.characteristic}' has more people than its table", where=str(
                self.areas[more][0]), found=f"{int(more.sum())} areas", allowed="at most the total")  # fmt: skip

    @property
    def shares(self) -> Floats:
        """Share of each group among the residents, [area, group]; 0 where nobody lives."""
        total = self.total[:, None]
        return np.divide(self.people, total, out=np.zeros(self.people.shape), where=total > 0)

    def at(self, areas: npt.NDArray[np.str_]) -> Grouping:
        """The same groups in these areas, in this order.

        Raises
        ------
        TableError
            If an area is not held.
        """
        order = np.argsort(self.areas)
        place = np.searchsorted(self.areas, areas, sorter=order)
        found = order[np.minimum(place, len(order) - 1)]
        lacking = self.areas[found] != areas
        if lacking.any():
            raise TableError(f"areas without the groups of '{self.characteristic}'", found=areas[lacking].tolist())
        return replace(self, areas=areas, people=self.people[found], total=self.total[found])


@dataclass(frozen=True, eq=False)
class OutcomeEvidence:
    """Records that a source gives by group, with each group's count forecast as a stream of its own.

    Parameters
    ----------
    source, target : str
        Whose records, and what is forecast, with its version.
    characteristic : str
    groups : tuple of str, [group]
        Groups of the characteristic; together they are everybody the records are compared with.
    models : tuple of str, [model]
    origins, horizons : array of int
        Origins as running months.
    areas : array of str, [area]
    mean : array [model, group, origin, horizon, area]
    observed : array [group, origin, horizon, area]
    cells : array of bool, [origin, horizon]
        Months of origins that every model forecast for every group and area.
    low, high : array [model, group, origin, horizon, area], optional
        5 % and 95 % quantiles.
    restricted : bool
        Whether small numbers of the source are protected.
    """

    source: str
    target: str
    characteristic: str
    groups: tuple[str, ...]
    models: tuple[str, ...]
    origins: npt.NDArray[np.int64]
    horizons: npt.NDArray[np.int64]
    areas: npt.NDArray[np.str_]
    mean: Floats
    observed: Floats
    cells: npt.NDArray[np.bool_]
    low: Floats | None = None
    high: Floats | None = None
    restricted: bool = False

    def __post_init__(self) -> None:
        """Refuse arrays that do not fit each other."""
        inner = (len(self.groups), len(self.origins), len(self.horizons), len(self.areas))
        wanted = {"mean": (len(self.models), *inner), "observed": inner, "cells": inner[1:3]}
        wanted |= {name: wanted["mean"] for name in ("low", "high") if getattr(self, name) is not None}
        _fit(self, wanted)


def make_evidence(
    cube: ForecastCube,
    geography: Geography,
    *,
    source: str,
    baseline: str,
    restricted: bool = False,
) -> Evidence:
    """Take from a backtest what every model forecast alike, and set it on the map.

    Parameters
    ----------
    cube : ForecastCube
        Of one target at the level of the geography's areas.
    geography : Geography
        Where the areas lie, who lives there, and their districts (``lad24``).
    source : str
        Whose records the forecasts are held against.
    baseline : str
        The model that stands for what is done without one.
    restricted : bool
        Whether the records are a restricted source's.

    Returns
    -------
    Evidence
        Areas that some model never forecast, and months that some model lacks, are left out and counted.

    Raises
    ------
    NotEnoughHistory
        If no month was forecast by every model.
    TableError
        If an area is not in the geography.
    """
    made = cube.made
    some = made.any(axis=3).all(axis=0)
    areas = np.asarray(made[:, some].all(axis=(0, 1)), dtype=np.bool_)
    cells = np.asarray(made[:, :, :, areas].all(axis=(0, 3)), dtype=np.bool_)
    if not cells.any() or not areas.any():
        raise NotEnoughHistory("no month was forecast by every model, so none can be audited beside the others",
                               found=list(cube.models), hint="leave out the model that lacks them")  # fmt: skip
    codes = cube.areas[areas].to_numpy(dtype=np.str_)
    place = np.searchsorted(geography.areas, codes)
    known = geography.areas[np.minimum(place, len(geography.areas) - 1)] == codes
    if not known.all():
        raise TableError("areas of the backtest are not in the geography", found=codes[~known].tolist(),
                         allowed="the geography's own areas")  # fmt: skip
    district, titles = _districts(geography, place)
    return Evidence(
        target=cube.target,
        level=cube.level,
        source=source,
        models=tuple(cube.models),
        baseline=baseline,
        origins=np.array([month_from_date(origin) for origin in cube.origins], dtype=np.int64),
        horizons=cube.horizons,
        areas=codes,
        mean=cube.mean[..., areas],
        low=cube.low[..., areas],
        high=cube.high[..., areas],
        observed=cube.observed[..., areas],
        cells=cells,
        residents=geography.population[place],
        points=geography.points[place],
        district=district,
        districts=titles,
        restricted=restricted,
        left_out={"areas": int((~areas).sum()), "months of origins": int((cube.cells & ~cells).sum())},
    )


def make_groupings(
    groups: pd.DataFrame, characteristics: Mapping[str, CharacteristicSpec], names: Sequence[str] | None = None
) -> list[Grouping]:
    """Lay out the ``groups`` table, one ``Grouping`` a characteristic.

    Parameters
    ----------
    groups : DataFrame
        The groups noun.
    characteristics : mapping of str to CharacteristicSpec
        Name -> definition.
    names : sequence of str, optional
        Which, in this order; all that the table holds if absent. One that the table does not hold (not yet published)
        is left out.
    """
    held = list(dict.fromkeys(groups["characteristic"].astype("str")))
    wanted = held if names is None else [name for name in names if name in held]
    return [_grouping(groups[groups["characteristic"] == name], name, characteristics[name]) for name in wanted]


def _grouping(rows: pd.DataFrame, name: str, spec: CharacteristicSpec) -> Grouping:
    import pandas as pd

    group, groups = pd.factorize(rows["group"].astype("str"))
    area, areas = pd.factorize(rows["area"].astype("str"), sort=True)
    counted, share = (np.full((len(areas), len(groups)), np.nan) for _ in range(2))
    counted[area, group] = rows["population"].to_numpy(dtype=np.float64)
    share[area, group] = rows["share"].to_numpy(dtype=np.float64)
    # The largest group tells the total most closely; where nobody lives there are no shares.
    largest = np.argmax(counted, axis=1)[:, None]
    most, of_all = (np.take_along_axis(each, largest, axis=1)[:, 0] for each in (counted, share))
    total = np.divide(most, of_all, out=np.zeros(len(most)), where=np.nan_to_num(of_all) > 0)
    kind: Kind = "areas" if spec.classes else "people"
    return Grouping(
        name, spec.title, spec.question, tuple(map(str, groups)), np.asarray(areas, dtype=np.str_), counted, total, kind
    )


def _districts(geography: Geography, place: npt.NDArray[np.intp]) -> tuple[npt.NDArray[np.intp], tuple[str, ...]]:
    index, codes = geography.groups("lad24")
    first = [int(np.argmax(index == number)) for number in range(len(codes))]
    named = "lad24_name" in geography.parents.columns
    titles = geography.parents["lad24_name"].to_numpy(dtype=np.str_)[first] if named else np.array(codes)
    return index[place], tuple(map(str, titles))


def _fit(held: object, wanted: Mapping[str, tuple[int, ...]]) -> None:
    for name, shape in wanted.items():
        found = np.shape(getattr(held, name))
        if found != shape:
            raise TableError(f"'{name}' does not fit the rest of the evidence", found=found, allowed=shape)
