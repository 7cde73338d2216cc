"""Where areas lie in; three divisions of the region into compact blocks of places out.

Neighbouring places share what a forecast misses, so an area is no independent piece of evidence; a block of many is
nearly one. No division is right: inference takes the least favourable of three.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.errors import DefinitionError

__all__ = ["TILINGS", "Tilings", "make_tilings"]

Floats = npt.NDArray[np.float64]

TILINGS = ((16, 0.0), (25, 30.0), (36, 60.0))
"""Blocks of each tiling, and by how many degrees the map is turned before it is cut."""
_LEAST_AREAS = 4


@dataclass(frozen=True, eq=False)
class Tilings:
    """Several divisions of the same areas.

    Parameters
    ----------
    block : array of int, [tiling, area]
        The block of each area, numbered through all tilings.
    counts : tuple of int, [tiling]
        How many blocks each tiling has.
    """

    block: npt.NDArray[np.intp]
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        """Blocks of all tilings."""
        return sum(self.counts)

    @property
    def slices(self) -> list[slice]:
        """The blocks of each tiling, as they are numbered."""
        ends = np.cumsum([0, *self.counts])
        return [slice(int(start), int(end)) for start, end in pairwise(ends)]


def make_tilings(points: Floats) -> Tilings:
    """Cut the map into blocks of about as many areas each: 16, 25 and 36, each time from another side.

    Each cut halves a piece (as nearly as the number of blocks allows) across its longer side, so that blocks are
    compact where areas lie close and where they lie far apart, and none is a sliver. A small region has fewer blocks:
    at least four areas each.

    Parameters
    ----------
    points : array [area, 2]
        Kilometres east and north.

    Raises
    ------
    DefinitionError
        If a point is not known.

    Examples
    --------
    >>> tilings = make_tilings(np.random.default_rng(1).uniform(0, 50, (400, 2)))
    >>> tilings.counts, [len(set(row)) for row in tilings.block.tolist()]
    ((16, 25, 36), [16, 25, 36])
    """
    if points.ndim != 2 or points.shape[1] != 2 or not len(points) or not np.isfinite(points).all():
        raise DefinitionError("blocks of places need to know where each area lies", found=points.shape,
                              allowed="kilometres east and north of one area or more")  # fmt: skip
    most = max(len(points) // _LEAST_AREAS, 1)
    counts = tuple(min(count, most) for count, _ in TILINGS)
    block = np.empty((len(TILINGS), len(points)), dtype=np.intp)
    first = 0
    for row, (count, (_, degrees)) in enumerate(zip(counts, TILINGS, strict=True)):
        angle = np.deg2rad(degrees)
        turned = points @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        for number, members in enumerate(_pieces(turned, np.arange(len(points)), count)):
            block[row, members] = first + number
        first += count
    return Tilings(block, counts)


def _pieces(points: Floats, members: npt.NDArray[np.intp], count: int) -> list[npt.NDArray[np.intp]]:
    """Cut these areas into so many blocks."""
    if count == 1:
        return [members]
    own = points[members]
    side = int(np.argmax(np.ptp(own, axis=0)))
    # Places at one distance along the cut are taken in the order of the other side, whatever their codes are.
    order = members[np.lexsort((own[:, 1 - side], own[:, side]))]
    left = count // 2
    at = round(len(order) * left / count)
    return _pieces(points, order[:at], left) + _pieces(points, order[at:], count - left)
