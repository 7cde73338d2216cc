"""Columns and who lives where in; sums over blocks of places out, for the whole and with each block left out.

Whatever a check finds is a function of such sums, so each block is added up once, and leaving it out is a subtraction.
All sums are ``[replicate, group, model]``: first the whole, then the blocks of every tiling left out one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar, cast

import numpy as np
import numpy.typing as npt

from riskmodel.fairness.blocks import Tilings
from riskmodel.fairness.columns import Columns
from riskmodel.fairness.evidence import Grouping
from riskmodel.fairness.inference import Inferred, infer

__all__ = ["CompositionSums", "OutcomeSums", "Part", "Setting", "Sums", "Weights", "make_weights", "ratio"]

Floats = npt.NDArray[np.float64]
Asked = str | Floats
T = TypeVar("T")
Kind = Literal["group", "everyone", "residents", "all_residents"]
# What is left of a sum once all of it has been taken away again.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Part:
    """The part of the evidence that a row is of.

    Parameters
    ----------
    name : str
    areas : array [area] or [model, area], optional
        How much of each area belongs to it, 0 to 1; all of every area if absent.
    origins : array of bool, [origin], optional
        Which origins; all if absent.
    models : array of int, [model], optional
        Which models; all if absent. ``areas`` are of these.
    """

    name: str = "all"
    areas: Floats | None = None
    origins: npt.NDArray[np.bool_] | None = None
    models: npt.NDArray[np.intp] | None = None

    def within(self, inner: Part) -> Part:
        """What belongs to both, under the inner one's name; the models are the outer one's."""
        areas = [each.areas for each in (self, inner) if each.areas is not None]
        origins = [each.origins for each in (self, inner) if each.origins is not None]
        return Part(
            inner.name,
            np.asarray(np.prod(np.broadcast_arrays(*areas), axis=0)) if areas else None,
            np.asarray(np.all(origins, axis=0)) if origins else None,
            self.models,
        )


@dataclass(frozen=True, eq=False)
class Setting:
    """Names of what the evidence may be taken apart by.

    Parameters
    ----------
    origins : tuple of str, [origin]
        Months.
    district : array of int, [area]
    districts : tuple of str
    residents : array [area]
    classes : tuple of (str, str, array of bool, [area])
        Characteristic, class and members of every class of areas.
    """

    origins: tuple[str, ...]
    district: npt.NDArray[np.intp]
    districts: tuple[str, ...]
    residents: Floats
    classes: tuple[tuple[str, str, npt.NDArray[np.bool_]], ...] = ()

    @property
    def strata(self) -> npt.NDArray[np.intp] | None:
        """Areas that are alike in every class, numbered [area]; None where there are no classes."""
        if not self.classes:
            return None
        members = np.stack([inside for _, _, inside in self.classes])
        _, number = np.unique(members, axis=1, return_inverse=True)
        return np.asarray(number.reshape(-1), dtype=np.intp)


@dataclass(frozen=True, eq=False)
class Weights:
    """Sparse matrices that add up over the blocks of all tilings: areas, shares of groups, residents of groups.

    Parameters
    ----------
    tilings : Tilings
    grouping : Grouping
    residents : array [area]
        Everybody.
    block : sparse array [block, area]
    share, people : sparse array [block x group, area]
    """

    tilings: Tilings
    grouping: Grouping
    residents: Floats
    block: Any
    share: Any
    people: Any


def make_weights(tilings: Tilings, grouping: Grouping, residents: Floats) -> Weights:
    """Prepare the sums of one grouping, whose areas are those of the tilings and of the residents."""
    from scipy.sparse import csc_array

    tiles, areas = tilings.block.shape
    groups = len(grouping.groups)
    column = np.tile(np.arange(areas), tiles)
    row = tilings.block.reshape(-1)
    block = csc_array((np.ones(len(row)), (row, column)), shape=(tilings.total, areas))
    rows = (row[:, None] * groups + np.arange(groups)).reshape(-1)
    columns = np.repeat(column, groups)

    def of(values: Floats) -> Any:
        held = values[column].reshape(-1)
        return csc_array((held, (rows, columns)), shape=(tilings.total * groups, areas))

    return Weights(tilings, grouping, residents, block, of(grouping.shares), of(grouping.people))


class Sums:
    """What a check is given: sums over the areas of a part, of a column's name or of an array [model, area] of its own.

    Parameters
    ----------
    weights : Weights
    part : Part
    setting : Setting
        What areas and origins are called.
    """

    def __init__(self, weights: Weights, part: Part, setting: Setting) -> None:
        self.weights, self.part, self.setting = weights, part, setting
        self.whole: Sums = self
        self._held: dict[tuple[Kind, str], Floats] = {}
        self._kept: dict[str, Any] = {}

    @property
    def grouping(self) -> Grouping:
        """The groups that sums are of."""
        return self.weights.grouping

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What was made under this name before, or is made now."""
        if name not in self._kept:
            self._kept[name] = make()
        return cast("T", self._kept[name])

    @property
    def origins(self) -> int:
        """How many origins belong to the part."""
        raise NotImplementedError

    def group(self, asked: Asked) -> Floats:
        """Sum of the group's part: areas weighted by its share of residents, or its own records."""
        return self._added("group", asked)

    def everyone(self, asked: Asked) -> Floats:
        """Sum over all areas, [replicate, 1, model]."""
        return self._added("everyone", asked)

    def rest(self, asked: Asked) -> Floats:
        """Sum of the part that is not the group's."""
        whole = self.everyone(asked)
        return _nought(whole - self.group(asked), whole)

    def residents(self, asked: Asked) -> Floats:
        """Sum over the group's residents, each with the value of the area they live in."""
        return self._added("residents", asked)

    def all_residents(self, asked: Asked) -> Floats:
        """The same over all residents, [replicate, 1, model]."""
        return self._added("all_residents", asked)

    def area_values(self, asked: Asked) -> Floats:
        """The column of all areas, [model, area]; 0 outside the part."""
        raise NotImplementedError

    def within(self, part: Part) -> Sums:
        """The sums of a part of this part, which goes by the inner one's name; ``whole`` leads back from there."""
        inner = self._at(self.part.within(part))
        inner.whole = self
        return inner

    def of_models(self, models: npt.NDArray[np.intp]) -> Sums:
        """The same sums of some of the models, whole and in parts."""
        return self._at(replace(self.part, models=models))

    def _at(self, part: Part) -> Sums:
        raise NotImplementedError

    def over_blocks(self, values: Floats, areas: npt.NDArray[np.intp] | None = None) -> Floats:
        """Add up any values [column, area], of all areas or of these: [replicate, column]."""
        block = self.weights.block if areas is None else self.weights.block[:, areas]
        return self._left_out(np.asarray(block @ values.T))

    def in_blocks(self) -> tuple[Floats, Floats]:
        """What lies in each block: of everyone [block, 1, model] and of each group [block, group, model]."""
        raise NotImplementedError

    def infer(self, values: Floats, nothing: Floats | float = 0.0) -> Inferred:
        """Interval, p and least visible size of a statistic [replicate, group, model] of these sums."""
        return infer(values, self.weights.tilings, *self.once("blocks", self.in_blocks), nothing=nothing)

    def _by_block(self, kind: Kind, asked: Asked) -> Floats:
        raise NotImplementedError

    def _added(self, kind: Kind, asked: Asked) -> Floats:
        if not isinstance(asked, str):
            return self._left_out(self._by_block(kind, asked))
        if (kind, asked) not in self._held:
            held = self._left_out(self._by_block(kind, asked))
            held.flags.writeable = False
            self._held[kind, asked] = held
        return self._held[kind, asked]

    def _left_out(self, by_block: Floats) -> Floats:
        """From sums by block [block, ...] to the whole and each block left out [replicate, ...]."""
        tilings = self.weights.tilings
        parts = [by_block[: tilings.counts[0]].sum(axis=0, keepdims=True)]
        for blocks in tilings.slices:
            whole = by_block[blocks].sum(axis=0, keepdims=True)
            parts.append(_nought(whole - by_block[blocks], whole))
        return np.concatenate(parts)


class CompositionSums(Sums):
    """Sums in which an area counts for a group by the group's share of its residents."""

    def __init__(self, columns: Columns, weights: Weights, part: Part, setting: Setting) -> None:
        super().__init__(weights, part, setting)
        self.columns = columns

    @property
    def origins(self) -> int:
        """How many origins belong to the part."""
        return _origins(self.columns, self.part)

    def area_values(self, asked: Asked) -> Floats:
        """The column, [model, area]."""
        return _area_values(self.columns, asked, self.part)

    def _at(self, part: Part) -> CompositionSums:
        return CompositionSums(self.columns, self.weights, part, self.setting)

    def in_blocks(self) -> tuple[Floats, Floats]:
        """Residents of everyone, and records weighted by each group's share."""
        return self._by_block("all_residents", "one"), self._by_block("group", "recorded")

    def _by_block(self, kind: Kind, asked: Asked) -> Floats:
        values = self.area_values(asked)
        values = values * self.weights.residents if kind == "all_residents" else values
        matrix = {"group": self.weights.share, "residents": self.weights.people}.get(kind, self.weights.block)
        if self.part.areas is not None:
            some = np.flatnonzero(np.any(np.atleast_2d(self.part.areas) > 0, axis=0))
            matrix, values = matrix[:, some], values[:, some]
        return np.asarray(matrix @ values.T).reshape(self.weights.tilings.total, -1, len(values))


class OutcomeSums(Sums):
    """Sums in which each group has columns of its own, in the order of the grouping's groups."""

    def __init__(self, columns: Sequence[Columns], weights: Weights, part: Part, setting: Setting) -> None:
        super().__init__(weights, part, setting)
        self.columns = columns

    @property
    def origins(self) -> int:
        """How many origins belong to the part."""
        return _origins(self.columns[0], self.part)

    def area_values(self, asked: Asked) -> Floats:
        """The sum of all groups' columns, [model, area]."""
        return np.asarray(np.sum([_area_values(each, asked, self.part) for each in self.columns], axis=0))

    def _at(self, part: Part) -> OutcomeSums:
        return OutcomeSums(self.columns, self.weights, part, self.setting)

    def in_blocks(self) -> tuple[Floats, Floats]:
        """Records of everyone, and of each group."""
        return self._by_block("everyone", "recorded"), self._by_block("group", "recorded")

    def _by_block(self, kind: Kind, asked: Asked) -> Floats:
        values = np.stack([_area_values(each, asked, self.part) for each in self.columns])
        if kind in ("residents", "all_residents"):
            values = values * self.grouping.people.T[:, None, :]
        groups, models, areas = values.shape
        added = np.asarray(self.weights.block @ values.reshape(-1, areas).T).reshape(-1, groups, models)
        return np.asarray(added.sum(axis=1, keepdims=True)) if kind in ("everyone", "all_residents") else added


def ratio(over: Floats, under: Floats) -> Floats:
    """Divide; NaN where there is nothing to divide by.

    Examples
    --------
    >>> ratio(np.array([1.0, 1.0]), np.array([2.0, 0.0])).tolist()
    [0.5, nan]
    """
    over, under = np.broadcast_arrays(over, under)
    return np.asarray(np.divide(over, under, out=np.full(over.shape, np.nan), where=under > 0))


def _nought(rest: Floats, whole: Floats) -> Floats:
    return np.where(np.abs(rest) <= _ROUNDING * np.abs(whole), 0.0, rest)


def _origins(columns: Columns, part: Part) -> int:
    return columns.shape[1] if part.origins is None else int(part.origins.sum())


def _area_values(columns: Columns, asked: Asked, part: Part) -> Floats:
    if isinstance(asked, str):
        held = columns[asked] if part.models is None else columns[asked][part.models]
        values = held.sum(axis=1) if part.origins is None else held[:, part.origins].sum(axis=1)
    else:
        models = columns.shape[0] if part.models is None else len(part.models)
        values = np.broadcast_to(asked, (models, columns.shape[2]))
    return values if part.areas is None else np.asarray(values * part.areas)
