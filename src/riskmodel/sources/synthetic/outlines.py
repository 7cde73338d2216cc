"""The invented map: points that crowd into towns, and cells that tile an island in the open North Sea.

In: a number of points and a random generator. Out: kilometre coordinates, and polygons in longitude and latitude whose
shared corners are equal to the last digit, so that neighbours can be found and cells can be joined without gaps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Island", "cells", "make_island", "relaxed", "split_points", "to_degrees", "town_points"]

Floats = npt.NDArray[np.float64]

# Open water, a hundred kilometres from any coast: nobody can mistake the map for a real place.
CENTRE = (3.2, 56.1)
KM_PER_DEGREE = (62.05, 111.3)
DECIMALS = 5
_LARGEST_RADIUS = 150.0


@dataclass(frozen=True)
class Island:
    """The coast (a ring of points outside every area) and the towns, in kilometres from the centre."""

    radius: float
    phases: Floats
    coast: Floats
    towns: Floats
    town_weights: Floats
    town_spread: Floats


def _coast_radius(angle: Floats, phases: Floats) -> Floats:
    waves = [0.10, 0.06, 0.04, 0.025]
    return 1.0 + sum(
        (size * np.sin((number + 2) * angle + phases[number]) for number, size in enumerate(waves)),
        start=np.zeros_like(angle),
    )


def _polar(angle: Floats, distance: Floats) -> Floats:
    return np.column_stack([distance * np.cos(angle), distance * np.sin(angle)])


def make_island(rng: np.random.Generator, count: int) -> Island:
    """Return an island with room for ``count`` cells: five main towns at fixed bearings and smaller ones between."""
    radius = min(29.0 * float(np.sqrt(count / 400)), _LARGEST_RADIUS)
    phases = rng.uniform(0, 2 * np.pi, 4)
    ring = np.linspace(0, 2 * np.pi, max(40, int(7 * np.sqrt(count))), endpoint=False)
    coast = _polar(ring, 1.04 * radius * _coast_radius(ring, phases))
    small = max(4, count // 90)
    bearing = np.concatenate([2 * np.pi * (np.arange(5) + rng.uniform(-0.15, 0.15, 5)) / 5, rng.uniform(0, 7, small)])
    reach = np.concatenate([rng.uniform(0.42, 0.55, 5), np.sqrt(rng.uniform(0.02, 0.8, small))])
    towns = _polar(bearing, reach * radius * _coast_radius(bearing, phases))
    weights = np.concatenate([[1.0, 0.75, 0.6, 0.5, 0.4], 0.35 * rng.uniform(0.1, 1.0, small) * 9 / (small + 5)])
    weights /= weights.sum()
    spread = np.maximum(0.016 * radius, 0.10 * radius * np.sqrt(weights))
    return Island(radius, phases, coast, towns, weights, spread)


def town_points(rng: np.random.Generator, island: Island, count: int) -> Floats:
    """Return ``count`` points inside the coast, four in five of them in a town."""
    drawn = 3 * count
    town = rng.choice(len(island.towns), size=drawn, p=island.town_weights)
    in_town = island.towns[town] + rng.normal(size=(drawn, 2)) * island.town_spread[town][:, None]
    angle = rng.uniform(0, 2 * np.pi, drawn)
    rural = _polar(angle, np.sqrt(rng.uniform(size=drawn)) * island.radius * _coast_radius(angle, island.phases))
    points = np.where((rng.uniform(size=drawn) < 0.8)[:, None], in_town, rural)
    bearing = np.arctan2(points[:, 1], points[:, 0])
    inside = np.hypot(points[:, 0], points[:, 1]) < 0.97 * island.radius * _coast_radius(bearing, island.phases)
    kept: Floats = points[inside][:count]
    return kept


def to_degrees(points: Floats) -> Floats:
    """Return longitude and latitude of kilometre coordinates."""
    degrees: Floats = np.asarray(CENTRE) + points / np.asarray(KM_PER_DEGREE)
    return degrees


def cells(points: Floats, coast: Floats) -> npt.NDArray[np.object_]:
    """Return the cell of each point in kilometres; the ring of coast points bounds the outermost ones."""
    import shapely

    everything = shapely.multipoints(np.concatenate([points, coast]))
    collection = shapely.voronoi_polygons(everything, ordered=True)
    found: npt.NDArray[np.object_] = shapely.get_parts(collection)[: len(points)]
    return found


def relaxed(points: Floats, coast: Floats, *, rounds: int = 3) -> Floats:
    """Move each point to the middle of its cell a few times: no slivers, towns stay dense."""
    import shapely

    for _ in range(rounds):
        points = shapely.get_coordinates(shapely.centroid(cells(points, coast)))
    return points


def split_points(points: Floats, polygons: npt.NDArray[Any], parts: npt.NDArray[np.int64]) -> Floats:
    """Replace each point by ``parts`` points around it: together they keep nearly the cell the point had."""
    import shapely

    owner = np.repeat(np.arange(len(points)), parts)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(parts) - parts, parts)
    angle = 2 * np.pi * number / parts[owner] + 0.7 * owner
    step = 0.22 * np.sqrt(shapely.area(polygons))[owner] * (parts[owner] > 1)
    moved: Floats = points[owner] + _polar(angle, step)
    return moved


def degree_cells(points: Floats, coast: Floats) -> npt.NDArray[np.object_]:
    """Return the cells in longitude and latitude, rounded once so that shared corners stay shared."""
    import shapely

    polygons = cells(points, coast)
    corners = np.round(to_degrees(shapely.get_coordinates(polygons)), DECIMALS)
    moved: npt.NDArray[np.object_] = shapely.set_coordinates(polygons.copy(), corners)
    return moved


def joined(polygons: npt.NDArray[np.object_], owner: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.object_]:
    """Return ``count`` shapes, each the union of the cells that name it as their owner."""
    import shapely

    order = np.argsort(owner, kind="stable")
    sizes = np.bincount(owner, minlength=count)
    starts = np.cumsum(sizes) - sizes
    shapes: npt.NDArray[np.object_] = np.empty(count, dtype=object)
    single = sizes == 1
    shapes[single] = polygons[order[starts[single]]]
    # One padded matrix per group size keeps memory small where a few groups are very large.
    for size in np.unique(sizes[sizes > 1]):
        groups = np.flatnonzero(sizes == size)
        members = order[starts[groups][:, None] + np.arange(size)]
        shapes[groups] = shapely.normalize(shapely.coverage_union_all(polygons[members], axis=1))
    return shapes
