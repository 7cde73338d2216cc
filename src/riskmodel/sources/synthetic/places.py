"""The areas of the invented region: 2011 and 2021 codes, their parents, and how the two vintages join.

In: the number of 2021 areas and a random generator. Out: `Places`, which every other module reads.

The smallest unit is the *atom*, a piece of land that lies in one 2011 area and one 2021 area. An unchanged area is one
atom; a split 2011 area is one atom per 2021 part; a merged 2021 area is one atom per 2011 part. A *family* is a set of
atoms whose areas touch no other family, so it is never cut by a district, a ward or an MSOA.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import outlines
from .names import DISTRICTS, NEIGHBOUR_DISTRICT, ward_names

__all__ = ["NEIGHBOUR_AREAS", "Places", "Vintage", "make_places"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Texts = npt.NDArray[np.str_]

NEIGHBOUR_AREAS = 12
_NEIGHBOUR = len(DISTRICTS)
_UNCHANGED, _SPLIT, _MERGED, _COMPLEX = range(4)
CHANGE_CODES = np.array(["U", "S", "M", "X"])


@dataclass(frozen=True)
class Vintage:
    """The areas of one boundary year, in code order of the 2011 areas they lie in."""

    code: Texts
    name: Texts
    family: Ints

    def __len__(self) -> int:
        """Return the number of areas."""
        return len(self.code)


@dataclass(frozen=True)
class Places:
    """Atoms, the two vintages they belong to, and the parents of each family."""

    atom_points: Floats
    atom_cells: npt.NDArray[np.object_]
    atom11: Ints
    atom21: Ints
    atom_family: Ints
    old: Vintage
    new: Vintage
    kind: Ints
    district: Ints
    msoa: Ints
    ward: Ints
    msoa_code: Texts
    msoa_name: Texts
    ward_code: Texts
    ward_name: Texts
    island: outlines.Island

    @property
    def in_force(self) -> npt.NDArray[np.bool_]:
        """Whether each 2021 area lies in the force (the rest lie in the neighbouring force)."""
        inside: npt.NDArray[np.bool_] = self.district[self.new.family] != _NEIGHBOUR
        return inside

    @property
    def district_names(self) -> Texts:
        """Names by district number; the neighbour's single district comes last."""
        return np.array([*DISTRICTS, NEIGHBOUR_DISTRICT])

    @property
    def district_codes(self) -> Texts:
        """Codes by district number."""
        return np.array([f"E07{900001 + number:06d}" for number in range(_NEIGHBOUR + 1)])


def _family_kinds(rng: np.random.Generator, areas: int) -> tuple[Ints, Ints]:
    """Return what happens to each family of the force, and the number of its atoms; counts are exact."""
    splits, merges = max(2, round(0.05 * areas)), max(1, round(0.006 * areas))
    number = np.arange(splits)
    sizes = np.where(number % 23 == 11, 4, np.where(number % 8 == 5, 3, 2))
    unchanged = areas - int(sizes.sum()) - merges - 2
    kinds = np.concatenate(
        [
            np.full(unchanged, _UNCHANGED),
            np.full(splits, _SPLIT),
            np.full(merges, _MERGED),
            np.full(1, _COMPLEX),
        ]
    )
    atoms = np.concatenate([np.ones(unchanged, np.int64), sizes, np.full(merges, 2), np.full(1, 3)])
    order = rng.permutation(len(kinds))
    return kinds[order], atoms[order]


def _blocks(points: Floats, per_block: float, *, along: int) -> Ints:
    """Cut points into compact blocks of about ``per_block``: strips along one axis, runs along the other."""
    count = len(points)
    blocks = max(1, round(count / per_block))
    strips = max(1, round(float(np.sqrt(blocks))))
    rank = np.empty(count, np.int64)
    rank[np.argsort(points[:, along], kind="stable")] = np.arange(count)
    strip = rank * strips // count
    snake = np.where(strip % 2 == 0, 1.0, -1.0) * points[:, 1 - along]
    rank[np.lexsort((snake, strip))] = np.arange(count)
    numbers: Ints = rank * blocks // count
    return numbers


def _parents(points: Floats, district: Ints, per_block: float, *, along: int) -> Ints:
    """Return block numbers that run consecutively through the districts."""
    numbers = np.zeros(len(points), np.int64)
    done = 0
    for each in range(_NEIGHBOUR + 1):
        members = np.flatnonzero(district == each)
        if len(members):
            numbers[members] = done + _blocks(points[members], per_block, along=along)
            done = int(numbers[members].max()) + 1
    return numbers


def _districts(points: Floats, towns: Floats) -> Ints:
    """Return the district of each point: the nearest main town's, but for the dozen furthest east."""
    away = points[:, None, :] - towns[None, :_NEIGHBOUR, :]
    distance = np.hypot(away[..., 0], away[..., 1])
    district: Ints = np.argmin(distance, axis=1).astype(np.int64)
    district[np.argsort(-points[:, 0], kind="stable")[:NEIGHBOUR_AREAS]] = _NEIGHBOUR
    return district


def _members(kind: Ints, atoms: Ints) -> tuple[Ints, Ints, Ints]:
    """Return family, 2011 area and 2021 area of each atom, areas numbered through all families."""
    family = np.repeat(np.arange(len(kind)), atoms)
    number = np.arange(len(family)) - np.repeat(np.cumsum(atoms) - atoms, atoms)
    of_kind = kind[family]
    within_old = np.where(of_kind == _MERGED, number, np.where(of_kind == _COMPLEX, (number == 2), 0)).astype(np.int64)
    within_new = np.where(of_kind == _SPLIT, number, np.where(of_kind == _COMPLEX, (number > 0), 0)).astype(np.int64)

    def numbered(within: Ints) -> Ints:
        size = np.zeros(len(kind), np.int64)
        np.maximum.at(size, family, within + 1)
        result: Ints = (np.cumsum(size) - size)[family] + within
        return result

    return family, numbered(within_old), numbered(within_new)


def _letters(parent: Ints, start: Ints) -> Texts:
    """Return A, B, C ... within each parent, in order, after the ``start`` letters already used there."""
    order = np.argsort(parent, kind="stable")
    ordered = parent[order]
    first = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    position = np.arange(len(parent))
    number = np.empty(len(parent), np.int64)
    number[order] = position - np.maximum.accumulate(np.where(first, position, 0))
    alphabet = np.array([chr(65 + each) for each in range(26)] + [f"Z{chr(65 + each)}" for each in range(26)])
    letters: Texts = alphabet[number + start[parent]]
    return letters


def _vintages(kind: Ints, msoa: Ints, msoa_name: Texts, members: tuple[Ints, Ints, Ints]) -> tuple[Vintage, Vintage]:
    """Return both vintages: unchanged areas keep code and name, changed ones get new letters and codes."""
    family, atom11, atom21 = members
    family11, family21 = (family[np.unique(atom, return_index=True)[1]] for atom in (atom11, atom21))
    none = np.zeros(len(msoa_name), np.int64)
    name11 = np.char.add(msoa_name[msoa[family11]], _letters(msoa[family11], none))
    code11 = np.char.add("E01", (900_000 + np.arange(len(family11))).astype(str))
    changed = kind[family21] != _UNCHANGED
    used = np.bincount(msoa[family11], minlength=len(msoa_name))
    name21 = np.char.add(msoa_name[msoa[family21]], "").astype("U64")
    name21[changed] = np.char.add(msoa_name[msoa[family21[changed]]], _letters(msoa[family21[changed]], used))
    code21 = np.empty(len(family21), "U9")
    code21[changed] = np.char.add("E01", (950_000 + np.arange(int(changed.sum()))).astype(str))
    # Each unchanged family has exactly one area in either vintage, in the same order.
    same = kind[family11] == _UNCHANGED
    name21[~changed], code21[~changed] = name11[same], code11[same]
    return Vintage(code11, name11, family11), Vintage(code21, np.char.add(name21, ""), family21)


def _msoa_names(msoa: Ints, district: Ints) -> Texts:
    """Return a name for each MSOA: its district's, and a number within it."""
    owner = district[np.unique(msoa, return_index=True)[1]]
    within = np.arange(len(owner)) - np.searchsorted(owner, owner) + 1
    titles = np.array([*DISTRICTS, NEIGHBOUR_DISTRICT])[owner]
    return np.char.add(np.char.add(titles, " "), np.char.zfill(within.astype(str), 3))


def make_places(rng: np.random.Generator, areas: int) -> Places:
    """Return a region with exactly ``areas`` areas of 2021 in the force and a dozen in the neighbouring one."""
    kinds, atoms = _family_kinds(rng, areas)
    families = len(kinds) + NEIGHBOUR_AREAS
    island = outlines.make_island(rng, families)
    points = outlines.relaxed(outlines.town_points(rng, island, families), island.coast)
    district = _districts(points, island.towns)
    msoa = _parents(points, district, 4.6, along=0)
    order = np.lexsort((msoa, district))
    points, district, msoa = points[order], district[order], msoa[order]
    ward = _parents(points, district, 5.2, along=1)
    unchanged = np.zeros(NEIGHBOUR_AREAS, np.int64)
    kind, size = np.concatenate([kinds, unchanged]), np.concatenate([atoms, unchanged + 1])
    members = _members(kind, size)
    atom_points = outlines.split_points(points, outlines.cells(points, island.coast), size)
    msoa_name = _msoa_names(msoa, district)
    old, new = _vintages(kind, msoa, msoa_name, members)
    wards = int(ward.max()) + 1
    return Places(
        atom_points=atom_points,
        atom_cells=outlines.degree_cells(atom_points, island.coast),
        atom11=members[1],
        atom21=members[2],
        atom_family=members[0],
        old=old,
        new=new,
        kind=kind,
        district=district,
        msoa=msoa,
        ward=ward,
        msoa_code=np.char.add("E02", (900_000 + np.arange(len(msoa_name))).astype(str)),
        msoa_name=msoa_name,
        ward_code=np.char.add("E05", (900_000 + np.arange(wards)).astype(str)),
        ward_name=ward_names(wards),
        island=island,
    )
