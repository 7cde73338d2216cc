"""The look-up tables and boundary files of the invented region, under the publishers' names and headers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from . import outlines
from .conditions import Conditions
from .files import write_csv, write_geojson
from .names import DISTRICTS, NEIGHBOUR_DISTRICT, NEIGHBOUR_FORCE, PARTNERSHIPS
from .places import CHANGE_CODES, Places

__all__ = ["write_boundaries", "write_lookups"]

Texts = npt.NDArray[np.str_]
Ints = npt.NDArray[np.int64]


def force_codes(force_title: str) -> tuple[Texts, Texts]:
    """Return codes and names of the two police forces."""
    return np.array(["E23900001", "E23900002"]), np.array([force_title, NEIGHBOUR_FORCE])


def _partnerships(path: Path, places: Places, force_title: str) -> None:
    """One row per partnership: one district has two, which makes a plain join double its areas."""
    titles = [*PARTNERSHIPS, (NEIGHBOUR_DISTRICT,)]
    district = np.repeat(np.arange(len(titles)), [len(each) for each in titles])
    csp_names = np.array([name for each in titles for name in each])
    codes, names = force_codes(force_title)
    force = (district == len(DISTRICTS)).astype(np.int64)
    write_csv(
        path,
        {
            "ltla24_code": places.district_codes[district],
            "ltla24_name": places.district_names[district],
            "csp24_code": np.array([f"E22{900001 + number:06d}" for number in range(len(csp_names))]),
            "csp24_name": csp_names,
            "pfa24_code": codes[force],
            "pfa24_name": names[force],
        },
    )


def _area_lookups(folder: Path, places: Places) -> None:
    new, old = places.new, places.old
    district, msoa, ward = places.district[new.family], places.msoa[new.family], places.ward[new.family]
    code, name = places.district_codes, places.district_names
    write_csv(
        folder / "lookup_lsoa21_msoa21.csv.gz",
        {
            "lsoa21_code": new.code,
            "lsoa21_name": new.name,
            "msoa21_code": places.msoa_code[msoa],
            "msoa21_name": places.msoa_name[msoa],
        },
    )
    write_csv(
        folder / "lookup_lsoa21_ward24_ltla24.csv.gz",
        {
            "lsoa21_name": new.name,
            "lsoa21_code": new.code,
            "ward24_name": places.ward_name[ward],
            "ward24_code": places.ward_code[ward],
            "ltla24_name": name[district],
            "ltla24_code": code[district],
        },
    )
    district11, msoa11 = places.district[old.family], places.msoa[old.family]
    base = {"lsoa11_name": old.name, "lsoa11_code": old.code}
    parent = {"ltla21_name": name[district11], "ltla21_code": code[district11]}
    write_csv(folder / "lookup_lsoa11_ltla21.csv.gz", base | parent)
    parent = {"msoa11_name": places.msoa_name[msoa11], "msoa11_code": places.msoa_code[msoa11]}
    # The published table has one row per part of an area; a fifth of the rows here are repeated to the same effect.
    repeated = np.repeat(np.arange(len(old)), np.where(np.arange(len(old)) % 5 == 0, 2, 1))
    columns = {key: values[repeated] for key, values in (base | parent).items()}
    write_csv(folder / "lookup_lsoa11_msoa11.csv.gz", columns)


def _change_lookups(folder: Path, places: Places) -> None:
    pairs = np.unique(np.column_stack([places.atom11, places.atom21]), axis=0)
    old, new = pairs[:, 0], pairs[:, 1]
    family = places.new.family[new]
    district = places.district[family]
    write_csv(
        folder / "lookup_lsoa11_lsoa21_ltla22.csv.gz",
        {
            "lsoa11_name": places.old.name[old],
            "lsoa11_code": places.old.code[old],
            "change_code": CHANGE_CODES[places.kind[family]],
            "lsoa21_name": places.new.name[new],
            "lsoa21_code": places.new.code[new],
            "ltla22_name": places.district_names[district],
            "ltla22_code": places.district_codes[district],
        },
    )
    first = np.unique(places.msoa, return_index=True)[1]
    msoa = {"msoa11_name": places.msoa_name, "msoa11_code": places.msoa_code}
    msoa |= {"msoa21_name": places.msoa_name, "msoa21_code": places.msoa_code}
    msoa |= {"ltla22_name": places.district_names[places.district[first]]}
    msoa |= {"ltla22_code": places.district_codes[places.district[first]]}
    write_csv(folder / "lookup_msoa11_msoa21_ltla22.csv.gz", msoa)
    code, name = places.district_codes, places.district_names
    write_csv(
        folder / "lookup_ltla22_ltla23.csv.gz",
        {"ltla22_code": code, "ltla22_name": name, "ltla23_code": code, "ltla23_name": name},
    )


def _rural_urban(folder: Path, places: Places, conditions: Conditions) -> None:
    density = conditions.residents / conditions.square_km
    grade = np.digitize(density, [60, 180, 500])
    code21 = np.array(["RSF1", "RSN1", "RLN1", "UN1"])
    title21 = np.array(
        [
            "Smaller rural: Further from a major town or city",
            "Smaller rural: Nearer to a major town or city",
            "Larger rural: Nearer to a major town or city",
            "Urban: Nearer to a major town or city",
        ]
    )
    kind = np.array(["Rural", "Rural", "Rural", "Urban"])
    columns = {"lsoa21_code": places.new.code, "ruc21_code": code21[grade]}
    write_csv(folder / "ruc21_lsoa21.csv.gz", columns | {"classification": title21[grade], "ruc": kind[grade]})
    # A 2011 area takes the class of its first 2021 part.
    grade11 = grade[places.atom21[np.unique(places.atom11, return_index=True)[1]]]
    code11 = np.array(["E2", "E1", "D1", "C1"])[grade11]
    title11 = np.array(["Rural village", "Rural village", "Rural town and fringe", "Urban city and town"])[grade11]
    columns = {"lsoa11_code": places.old.code, "ruc11_code": code11, "ruc": kind[grade11], "classification": title11}
    write_csv(folder / "ruc11_lsoa11.csv.gz", columns)


def write_lookups(folder: Path, places: Places, conditions: Conditions, force_title: str) -> None:
    """Write every look-up table."""
    _area_lookups(folder, places)
    _change_lookups(folder, places)
    _partnerships(folder / "lookup_ltla24_csp24_pfa24.csv.gz", places, force_title)
    _rural_urban(folder, places, conditions)


def write_boundaries(folder: Path, places: Places, conditions: Conditions, force: str, force_title: str) -> None:
    """Write the boundaries of areas of both vintages, districts and forces, and the centroids of the 2021 areas."""
    import shapely

    for year, vintage, owner in (("21", places.new, places.atom21), ("11", places.old, places.atom11)):
        shapes = outlines.joined(places.atom_cells, owner, len(vintage))
        inside = places.district[vintage.family] != len(DISTRICTS)
        for suffix, kept in (("", np.ones(len(vintage), bool)), (f"_{force.replace('-', '_')}", inside)):
            texts = {
                f"lsoa{year}_name": vintage.name[kept].tolist(),
                f"lsoa{year}_code": vintage.code[kept].tolist(),
            }
            write_geojson(folder / f"boundaries_lsoa{year}{suffix}.geojson.gz", texts, shapes[kept])
        if year == "21":
            middle = np.round(shapely.get_coordinates(shapely.centroid(shapes)), 6)
            columns = {"lsoa21_code": vintage.code, "lon": middle[:, 0], "lat": middle[:, 1]}
            columns |= {"area_km2": np.round(conditions.square_km, 4)}
            write_csv(folder / "lsoa21_geometric_centroids.csv.gz", columns)
    district = places.district[places.atom_family]
    shapes = outlines.joined(places.atom_cells, district, len(DISTRICTS) + 1)
    texts = {"ltla24_name": places.district_names.tolist(), "ltla24_code": places.district_codes.tolist()}
    write_geojson(folder / "boundaries_ltla24.geojson.gz", texts, shapes)
    shapes = outlines.joined(places.atom_cells, (district == len(DISTRICTS)).astype(np.int64), 2)
    codes, names = force_codes(force_title)
    texts = {"pfa20_name": names.tolist(), "pfa20_code": codes.tolist()}
    write_geojson(folder / "boundaries_pfa20.geojson.gz", texts, shapes)
