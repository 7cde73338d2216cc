"""Latent conditions of each 2021 area: what the census and the deprivation files are drawn from.

In: the places and a random generator. Out: ten standard-normal factors per area, smooth over the map where life is,
plus the people and households that live there. The names are those of ``census_columns.json``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from .places import Places

__all__ = ["Conditions", "make_conditions", "published_headers", "smooth_field", "standardised"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# How much of each factor follows the map; the rest is the area's own. Density is the map's, and the other factors are
# measured beside it, so what gathers in towns does so through it.
SMOOTHNESS = {
    "urban": 0.0,
    "deprivation": 0.70,
    "young_adults": 0.50,
    "diversity": 0.70,
    "living_alone": 0.50,
    "private_renting": 0.50,
    "good_health": 0.55,
    "older": 0.50,
    "crowding": 0.50,
    "turnover": 0.50,
}
LOG_PEOPLE_PER_HOUSEHOLD = (0.88, {"living_alone": -0.09, "deprivation": 0.01, "older": -0.04})


@cache
def published_headers(name: str) -> dict[str, Any]:
    """Return one of the two tables of published column names that ship with the package."""
    text = files(__package__).joinpath(f"{name}_columns.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def standardised(values: Floats, *, where: npt.NDArray[np.bool_] | None = None) -> Floats:
    """Return values less their mean, over their standard deviation (both taken ``where`` true)."""
    taken = values if where is None else values[where]
    result: Floats = (values - taken.mean()) / taken.std()
    return result


def smooth_field(rng: np.random.Generator, points: Floats, reach: float, *, waves: int = 96) -> Floats:
    """Return a smooth random surface at the points: correlation fades over ``reach`` kilometres."""
    frequency = rng.normal(size=(2, waves)) / reach
    phase = rng.uniform(0, 2 * np.pi, waves)
    surface = np.zeros(len(points))
    for number in range(waves):
        surface += np.cos(points @ frequency[:, number] + phase[number])
    result: Floats = standardised(surface)
    return result


@dataclass(frozen=True)
class Conditions:
    """Per 2021 area: middle point (km), land (sq km), the latent factors, residents, households, town centres."""

    points: Floats
    square_km: Floats
    latent: Floats
    names: tuple[str, ...]
    residents: Ints
    households: Ints
    atom_residents: Ints
    town_closeness: Floats
    town_centre: npt.NDArray[np.bool_]

    def factor(self, name: str) -> Floats:
        """Return one latent factor by name."""
        column: Floats = self.latent[:, self.names.index(name)]
        return column


def _land(places: Places) -> tuple[Floats, Floats]:
    """Return middle point and land of each 2021 area from the atoms it is made of."""
    import shapely

    from .outlines import KM_PER_DEGREE

    count = len(places.new)
    atoms: Floats = shapely.area(places.atom_cells) * KM_PER_DEGREE[0] * KM_PER_DEGREE[1]
    land: Floats = np.bincount(places.atom21, atoms, count).astype(np.float64)
    moment = [np.bincount(places.atom21, atoms * places.atom_points[:, axis], count) for axis in (0, 1)]
    middle: Floats = np.column_stack(moment) / land[:, None]
    return middle, land


def _towns(places: Places, points: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return how close each area is to a town (0 to 1), and the single area at the heart of each town."""
    island = places.island
    closeness = np.zeros(len(points))
    centre = np.zeros(len(points), dtype=bool)
    for town, spread in zip(island.towns, island.town_spread, strict=True):
        distance = np.hypot(points[:, 0] - town[0], points[:, 1] - town[1])
        np.maximum(closeness, np.exp(-0.5 * (distance / spread) ** 2), out=closeness)
        centre[int(np.argmin(distance))] = True
    return closeness, centre & places.in_force


def make_conditions(rng: np.random.Generator, places: Places) -> Conditions:
    """Return the latent conditions of every 2021 area, the neighbouring force's included."""
    points, land = _land(places)
    closeness, centre = _towns(places, points)
    count = len(points)
    drawn = np.clip(np.exp(rng.normal(np.log(1620.0), 0.19, count)), 1000, 3900)
    share = np.bincount(places.atom21, minlength=count)[places.atom21]
    atom_residents = np.maximum(1, np.round(drawn[places.atom21] / share)).astype(np.int64)
    residents = np.bincount(places.atom21, atom_residents, count).astype(np.int64)
    names = tuple(published_headers("census")["latent"])
    latent = np.empty((count, len(names)))
    for number, name in enumerate(names):
        field = smooth_field(rng, points, 0.22 * places.island.radius)
        smooth = SMOOTHNESS[name]
        latent[:, number] = smooth * field + np.sqrt(1 - smooth**2) * rng.normal(size=count)
    latent[:, names.index("urban")] = np.log(residents / land)
    latent = np.clip(standardised_columns(latent), -2.6, 2.6)
    level, slopes = LOG_PEOPLE_PER_HOUSEHOLD
    size = level + sum((slope * latent[:, names.index(name)] for name, slope in slopes.items()), start=np.zeros(count))
    households = np.round(residents / np.exp(size)).astype(np.int64)
    return Conditions(points, land, latent, names, residents, households, atom_residents, closeness, centre)


def standardised_columns(values: Floats) -> Floats:
    """Return each column standardised."""
    result: Floats = (values - values.mean(axis=0)) / values.std(axis=0)
    return result
