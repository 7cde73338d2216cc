"""Where characteristics meet: people by group and area, one characteristic at a time, in; people of each cell out.

No source held counts the cells. They are estimated from the margins by iterative proportional fitting, all areas at
once; how wrong that can be is what ``bounds`` says. A class of areas takes in all residents of its areas.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.errors import DefinitionError
from riskmodel.fairness.evidence import Grouping

__all__ = ["Crossing", "agree_totals", "cross", "fit_margins"]

Floats = npt.NDArray[np.float64]
_CLOSE, _ROUNDS = 1e-10, 2000
# Groups and total of one census table are perturbed apart from each other; more than that is a group not named.
_WHOLE = 0.02


@dataclass(frozen=True, eq=False)
class Crossing:
    """The cells of several characteristics.

    Parameters
    ----------
    characteristic : str
        The characteristics' names, joined by `` x ``.
    titles, questions : str
        What they are called, and what they are asked for, joined in the same way.
    groups : tuple of str, [cell]
        The groups' names, joined by `` & ``; the last characteristic's change first.
    areas : array of str, [area]
    people : array [area, cell]
        Estimated people; the cells of an area add up to ``total``.
    total : array [area]
        Everybody, as the tables agree after ``agree_totals``; 0 where one of them counts nobody.
    members : tuple of array [area, cell], one for each characteristic of people
        People of the group that each cell belongs to, brought to ``total``.
    inside : array [area, cell]
        Whether the area is in the cell's classes of areas; True everywhere where none is crossed.
    empty : dict of str to str
        Cell -> why it holds nobody.
    difference : float
        The largest difference between the tables' regional totals, as a share of their mean.
    left_out : float
        People (mean of the tables) in areas where one of the tables counts nobody.
    """

    characteristic: str
    titles: str
    questions: str
    groups: tuple[str, ...]
    areas: npt.NDArray[np.str_]
    people: Floats
    total: Floats
    members: tuple[Floats, ...]
    inside: npt.NDArray[np.bool_]
    empty: dict[str, str]
    difference: float
    left_out: float

    def grouping(self) -> Grouping:
        """The cells as groups that an audit can be asked about."""
        kind: Literal["people", "areas"] = "people" if self.members else "areas"
        return Grouping(
            self.characteristic, self.titles, self.questions, self.groups, self.areas, self.people, self.total, kind
        )


def cross(margins: Sequence[Grouping], *, joint: npt.ArrayLike | None = None) -> Crossing:
    """The people of every cell in every area.

    Parameters
    ----------
    margins : sequence of Grouping
        Two or more characteristics of the same areas.
    joint : array-like of shape (*groups) or (n_areas, *groups), optional
        A table of the characteristics of people together, in their order, such as a district's census table for each of
        its areas: how closely they go together is taken from it. Independence within each area if absent.

    Raises
    ------
    DefinitionError
        If fewer than two are crossed, one is crossed twice, the groups of one leave people out, or the joint table
        cannot have these margins.

    Examples
    --------
    >>> area, total = np.array(["a"]), np.array([100.0])
    >>> sex = Grouping("sex", "Sex", "gender", ("female", "male"), area, np.array([[60.0, 40.0]]), total)
    >>> faith = Grouping("faith", "Faith", "religion", ("yes", "no"), area, np.array([[20.0, 80.0]]), total)
    >>> made = cross([sex, faith])
    >>> made.characteristic, dict(zip(made.groups, made.people[0].round().tolist()))
    ('sex x faith', {'female & yes': 12.0, 'female & no': 48.0, 'male & yes': 8.0, 'male & no': 32.0})
    """
    names = [margin.characteristic for margin in margins]
    if len(names) < 2 or len(set(names)) < len(names):
        raise DefinitionError("an intersection is of two or more different characteristics", found=names)
    for margin in margins:
        _require_everybody(margin)
        if not np.array_equal(margin.areas, margins[0].areas):
            raise DefinitionError(f"'{margin.characteristic}' is of other areas than '{names[0]}'", hint="Grouping.at")
    of_people = [margin.kind != "areas" for margin in margins]
    counted = [np.asarray(m.people, dtype=np.float64) for m, people in zip(margins, of_people, strict=True) if people]
    classes = [np.asarray(m.people) > 0 for m, people in zip(margins, of_people, strict=True) if not people]
    tables = counted or [np.asarray(margin.people, dtype=np.float64) for margin in margins]
    agreed, total, difference, left_out = agree_totals(tables)
    fitted = fit_margins(agreed, seed=joint) if counted else total

    sizes = [len(margin.groups) for margin in margins]
    axes = np.meshgrid(*map(np.arange, sizes), indexing="ij")
    at = [axis.reshape(-1) for axis in axes]
    at_people = [index for index, people in zip(at, of_people, strict=True) if people]
    at_classes = [index for index, people in zip(at, of_people, strict=True) if not people]
    inside = np.ones((len(total), len(at[0])), dtype=np.bool_)
    for member, index in zip(classes, at_classes, strict=True):
        inside &= member[:, index]
    whole = (
        fitted.reshape(len(total), -1)[:, _position(at_people, agreed)]
        if counted
        else np.repeat(total[:, None], len(at[0]), axis=1)
    )
    people = np.where(inside, whole, 0.0)
    groups = tuple(" & ".join(cell) for cell in product(*(map(str, margin.groups) for margin in margins)))
    return Crossing(
        characteristic=" x ".join(names),
        titles=" x ".join(margin.title for margin in margins),
        questions=" x ".join(margin.question for margin in margins),
        areas=margins[0].areas,
        groups=groups,
        people=people,
        total=total,
        members=tuple(
            table[:, index] for table, index in zip(agreed if counted else [], at_people, strict=True)
        ),
        inside=inside,
        empty=_reasons(margins, groups, people),
        difference=difference,
        left_out=left_out,
    )  # fmt: skip


def agree_totals(tables: Sequence[Floats]) -> tuple[list[Floats], Floats, float, float]:
    """Bring tables of the same people to one total in each area.

    Tables of a census are perturbed one by one, so their totals differ a little. Each area is brought to the mean of
    its tables' totals; where one of them counts nobody, nothing can be crossed and the area is left out.

    Parameters
    ----------
    tables : sequence of array [area, group]

    Returns
    -------
    agreed : list of array [area, group]
    total : array [area]
    difference : float
        The largest difference between regional totals, as a share of their mean.
    left_out : float
        People (mean of the tables) in areas where some, but not all, of the tables count nobody.

    Examples
    --------
    >>> agreed, total, difference, _ = agree_totals([np.array([[50.0, 50.0]]), np.array([[20.0, 82.0]])])
    >>> total.tolist(), round(difference, 4), [table.sum(axis=1).round(9).tolist() for table in agreed]
    ([101.0], 0.0198, [[101.0], [101.0]])
    """
    totals = np.stack([np.asarray(table, dtype=np.float64).sum(axis=1) for table in tables])
    mean, known = totals.mean(axis=0), (totals > 0).all(axis=0)
    total = np.where(known, mean, 0.0)
    scale = np.divide(total, totals, out=np.zeros_like(totals), where=totals > 0)
    regional = totals.sum(axis=1)
    difference = float(np.ptp(regional) / regional.mean()) if regional.mean() > 0 else 0.0
    agreed = [table * by[:, None] for table, by in zip(tables, scale, strict=True)]
    return agreed, total, difference, float(mean[~known].sum())


def fit_margins(margins: Sequence[Floats], *, seed: npt.ArrayLike | None = None) -> Floats:
    """Iterative proportional fitting of every area's cells to its margins.

    Parameters
    ----------
    margins : sequence of array [area, group]
        One for each axis; their sums over groups agree in every area.
    seed : array-like of shape (*groups) or (n_areas, *groups), optional
        How closely the axes go together: its odds ratios are kept. Ones, which is independence, if absent.

    Returns
    -------
    array [area, *groups]
        Sums to every margin within a ten-billionth of the area's people.

    Raises
    ------
    DefinitionError
        If no table with the seed's zeros has these margins, or the seed is of another shape.

    References
    ----------
    Deming and Stephan (1940).

    Examples
    --------
    >>> fit_margins([np.array([[30.0, 70.0]]), np.array([[50.0, 50.0]])], seed=[[2, 1], [1, 1]])[0].round(1).tolist()
    [[18.6, 11.4], [31.4, 38.6]]
    """
    wanted = [np.asarray(margin, dtype=np.float64) for margin in margins]
    areas, sizes = len(wanted[0]), tuple(margin.shape[1] for margin in wanted)
    start = np.ones(sizes) if seed is None else np.asarray(seed, dtype=np.float64)
    if start.shape not in (sizes, (areas, *sizes)) or not (np.isfinite(start) & (start >= 0)).all():
        raise DefinitionError(
            "the joint table does not fit the characteristics crossed", found=start.shape,
            allowed=f"{sizes} or {(areas, *sizes)}, numbers of 0 or more",
        )  # fmt: skip
    cells = np.broadcast_to(start, (areas, *sizes)).copy()
    allowed = _CLOSE * np.maximum(wanted[0].sum(axis=1), 1.0)
    for _ in range(_ROUNDS):
        for axis, margin in enumerate(wanted):
            held = _sums(cells, axis)
            cells *= _along(np.divide(margin, held, out=np.zeros_like(held), where=held > 0), axis, cells.ndim)
        off = np.max([np.abs(_sums(cells, axis) - margin).max(axis=1) for axis, margin in enumerate(wanted)], axis=0)
        if (off <= allowed).all():
            return cells
    raise DefinitionError(
        "no table with the zeros of the joint table has these margins", found=f"{int((off > allowed).sum())} areas off",
        hint="give a joint table that holds somebody wherever the margins need them, or none",
    )  # fmt: skip


def _position(at: Sequence[npt.NDArray[np.intp]], tables: Sequence[Floats]) -> npt.NDArray[np.intp]:
    """Where each cell lies among the cells of people alone."""
    return np.asarray(np.ravel_multi_index(tuple(at), tuple(table.shape[1] for table in tables)), dtype=np.intp)


def _require_everybody(margin: Grouping) -> None:
    """Cells add up to everybody only where groups do."""
    held, everybody = float(margin.people.sum()), float(margin.total.sum())
    if abs(held - everybody) > _WHOLE * everybody:
        raise DefinitionError(
            f"the groups of '{margin.characteristic}' leave people out, so it cannot be crossed",
            found=f"{held:.0f} of {everybody:.0f} people", hint="name the group of all others as 'rest'",
        )  # fmt: skip


def _sums(cells: Floats, axis: int) -> Floats:
    """Sums [area, group of the axis] over all other axes."""
    others = tuple(a for a in range(1, cells.ndim) if a != axis + 1)
    return np.asarray(cells.sum(axis=others), dtype=np.float64)


def _along(values: Floats, axis: int, dimensions: int) -> Floats:
    """Values [area, group] laid along one axis of the cells."""
    shape = [1] * dimensions
    shape[0], shape[axis + 1] = values.shape
    return values.reshape(shape)


def _reasons(margins: Sequence[Grouping], groups: Sequence[str], people: Floats) -> dict[str, str]:
    """Why each empty cell is empty."""
    reasons: dict[str, str] = {}
    held = [np.asarray(margin.people).sum(axis=0) for margin in margins]
    for number, cell in enumerate(product(*(range(len(margin.groups)) for margin in margins))):
        if people[:, number].sum() > 0:
            continue
        nobody = [
            f"'{margin.groups[g]}' of '{margin.characteristic}'"
            for margin, g, total in zip(margins, cell, held, strict=True)
            if total[g] <= 0
        ]
        reasons[groups[number]] = (
            f"nobody in the region is in {nobody[0]}" if nobody else "no area of the region holds people of all of them"
        )
    return reasons
