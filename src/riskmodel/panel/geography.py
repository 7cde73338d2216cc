"""The frame of one region: in go the lookups, boundaries and populations, out comes the `Geography` a run is built on.

It is fixed for a run and known with hindsight: codes, parents, neighbours and split weights are those of today at every
origin. Nothing is picked where the lookups leave a choice: a community safety partnership is named only where certain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from riskmodel.contracts.areas import slug
from riskmodel.contracts.errors import DataFileError, DefinitionError, did_you_mean
from riskmodel.contracts.specs import RegionSpec, SourceSpec
from riskmodel.panel.coarser import coarser_ties
from riskmodel.panel.contiguity import linked_neighbours, middle_points
from riskmodel.panel.conversion import CodeConversion, make_conversion
from riskmodel.panel.parents import certain_partnerships, local_areas
from riskmodel.sources import nomis
from riskmodel.sources.files import find_files, missing_files
from riskmodel.sources.geography import read_boundaries, read_lookup
from riskmodel.sources.observed import Counted, SourceFile

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

__all__ = ["LEVELS_OF_PARENTS", "Geography", "build_geography"]

LEVELS_OF_PARENTS = ("msoa21", "ward24", "lad24", "csp24", "pfa")
"""The levels an area has a parent at; ``local`` is added where the region declares one."""

_SOURCE, _CENSUS = "geography", "census2021"
_TIES, _WARDS, _MSOAS = "lookup_lsoa11_lsoa21", "lookup_lsoa21_ward24_lad24", "lookup_lsoa21_msoa21"
_FORCES, _SHAPES, _OLD_RESIDENTS = "lookup_lad24_csp24_pfa24", "boundaries", "population20"
_DISTRICTS_2021, _DISTRICTS_2023 = "lookup_lsoa11_lad21", "lookup_lad22_lad23"
_RESIDENTS = "usual_residents"

# Where a force's published name does not lead to the name in police.uk files.
_FORCE_NAMES = {"metropolitan-police": "metropolitan", "london-city-of": "city-of-london"}


@dataclass(frozen=True, eq=False)
class Geography:
    """The frame of one region, made by `build_geography`.

    Parameters
    ----------
    force, pfa, title : str
        The force as in police.uk file names, its area's code and its published name.
    areas : array of str, [area]
        LSOA 2021 codes, sorted.
    parents : DataFrame
        Index = areas; ``name``, and for each level its code and ``<level>_name``; ``csp24`` is blank where uncertain.
    population : array of float, [area]
        Usual residents, Census 2021.
    neighbours : sparse array, [area, area]
        1 where two areas touch (queen contiguity); symmetric, nothing on the diagonal.
    points : array of float, [area, 2]
        Middle points, kilometres east and north.
    conversion : CodeConversion
        Published codes to these areas.
    counted : tuple of Counted
        What was uncertain or had to be decided, for ``tables/quality.csv``.
    digest : str
        SHA-256 over all of the above.
    """

    force: str
    pfa: str
    title: str
    areas: NDArray[np.str_]
    parents: pd.DataFrame
    population: NDArray[np.float64]
    neighbours: csr_array
    points: NDArray[np.float64]
    conversion: CodeConversion
    counted: tuple[Counted, ...]
    digest: str

    def groups(self, level: str) -> tuple[NDArray[np.intp], list[str]]:
        """Each area's parent at a level, as an index into the level's codes.

        Parameters
        ----------
        level : str
            ``lsoa21``, ``msoa21``, ``ward24``, ``lad24``, ``csp24``, ``pfa`` or ``local``.

        Returns
        -------
        index : array of int, [area]
            -1 where the parent is uncertain (``csp24`` only): leave such areas out of sums.
        codes : list of str
            Sorted.

        Raises
        ------
        DefinitionError
            If the region has no such level.
        """
        if level == "lsoa21":
            return np.arange(len(self.areas)), [str(area) for area in self.areas]
        if level not in self.parents.columns:
            known = ["lsoa21", *(c for c in self.parents.columns if c != "name" and not c.endswith("_name"))]
            raise DefinitionError(
                f"the region has no level '{level}'", allowed=known,
                hint=did_you_mean(level, known) or "name a two-column CSV (lsoa21, local area) as region: local",
            )  # fmt: skip
        codes, index = np.unique(self.parents[level].to_numpy(dtype=np.str_), return_inverse=True)
        if codes[0] == "":
            return index - 1, [str(code) for code in codes[1:]]
        return index, [str(code) for code in codes]


def build_geography(
    data: Path, spec: SourceSpec, census: SourceSpec, *, region: RegionSpec, workspace: Path | None = None
) -> Geography:
    """Build the frame of one region from the published geography files.

    Parameters
    ----------
    data : Path
        The data folder.
    spec, census : SourceSpec
        The sources ``geography`` and ``census2021``.
    region : RegionSpec
        The force, and perhaps local areas.
    workspace : Path, optional
        The folder a ``local`` file's path is relative to.

    Raises
    ------
    DataFileError
        If a file is missing or broken, or files do not fit each other.
    DefinitionError
        If the force is unknown.
    """
    files = _files(data, spec, region.force)
    of_district = read_lookup(files[_FORCES], ["lad24", "lad24_name", "csp24", "csp24_name", "pfa", "pfa_name"])
    pfa, title = _force_area(of_district, region)
    old_districts = ["lad22"] if "lad22" in files[_TIES].spec.measures else []
    ties = read_lookup(files[_TIES], ["lsoa11", "lsoa11_name", "lsoa21", *old_districts])
    parents, counted = _parents(files, of_district, ties, pfa, title)
    areas = parents.index.to_numpy(dtype=np.str_)
    if region.local is not None:
        local, elsewhere = local_areas(region.local, workspace, areas, set(ties["lsoa21"]))
        parents["local"] = parents["local_name"] = local
        counted.append(Counted("local areas elsewhere", elsewhere, note="rows of the local file outside the region"))
    conversion = make_conversion(
        areas,
        ties,
        _residents(data, census, region.force),
        district=parents["lad24"].to_numpy(dtype=np.str_),
        residents_2011=_old_residents(files.get(_OLD_RESIDENTS)),
    )
    ties = _with_old_districts(ties, files)
    conversion = replace(conversion, coarser=coarser_ties(conversion, parents, ties))
    shapes = _shapes_of(files.get(f"{_SHAPES}_force") or files[_SHAPES], areas)
    neighbours, islands = linked_neighbours(shapes)
    points = middle_points(shapes)
    counted.append(Counted("areas linked to the nearest", islands, note="they touch no other area of the region"))
    return Geography(
        force=region.force,
        pfa=pfa,
        title=title,
        areas=areas,
        parents=parents,
        population=conversion.residents,
        neighbours=neighbours,
        points=points,
        conversion=conversion,
        counted=tuple(counted),
        digest=_digest((region.force, pfa, title), parents, neighbours, points, conversion),
    )


def _parents(
    files: dict[str, SourceFile], of_district: pd.DataFrame, ties: pd.DataFrame, pfa: str, title: str
) -> tuple[pd.DataFrame, list[Counted]]:
    """Find the region's areas and their parents at every published level."""
    wards = read_lookup(files[_WARDS], ["lsoa21", "name", "ward24", "ward24_name", "lad24", "lad24_name"])
    _once(wards["lsoa21"], files[_WARDS])
    msoas = read_lookup(files[_MSOAS], ["lsoa21", "msoa21", "msoa21_name"])
    _once(msoas["lsoa21"], files[_MSOAS])
    districts = of_district.loc[of_district["pfa"] == pfa, "lad24"]
    parents = wards[wards["lad24"].isin(districts)].set_index("lsoa21").sort_index()
    bare = sorted(set(districts) - set(parents["lad24"]))
    if bare:
        raise DataFileError("districts of the force have no areas", where=files[_WARDS].name, found=bare)
    parents = parents.join(
        _all_of(msoas.set_index("lsoa21"), parents.index.to_numpy(dtype=np.str_), files[_MSOAS].name)
    )
    parents = parents.join(certain_partnerships(parents, of_district, ties))
    parents[["pfa", "pfa_name"]] = [pfa, title]
    unclear = int((parents["csp24"] == "").sum())
    counted = [
        Counted("areas", len(parents), note="LSOA 2021 of the region"),
        Counted("partnership uncertain", unclear, note="areas whose partnership the lookups leave open; none is named"),
    ]
    return parents[["name", *(c for level in LEVELS_OF_PARENTS for c in (level, f"{level}_name"))]], counted


def _with_old_districts(ties: pd.DataFrame, files: dict[str, SourceFile]) -> pd.DataFrame:
    """The ties of small areas with the districts of 2021 to 2023 they lay in, as far as lookups are held."""
    if _DISTRICTS_2021 in files:
        of_2011 = read_lookup(files[_DISTRICTS_2021], ["lsoa11", "lad21"])
        _once(of_2011["lsoa11"], files[_DISTRICTS_2021])
        ties = ties.merge(of_2011[["lsoa11", "lad21"]], how="left", on="lsoa11")
    if _DISTRICTS_2023 in files and "lad22" in ties:
        later = read_lookup(files[_DISTRICTS_2023], ["lad22", "lad23"])[["lad22", "lad23"]].drop_duplicates()
        _once(later["lad22"], files[_DISTRICTS_2023])
        ties = ties.merge(later, how="left", on="lad22")
    return ties


def _files(data: Path, spec: SourceSpec, force: str) -> dict[str, SourceFile]:
    files = {file.role: file for file in find_files(_SOURCE, spec, data, force=force)}
    needed = {_TIES, _WARDS, _MSOAS, _FORCES, _SHAPES}
    missing = [m for m in missing_files(_SOURCE, spec, data, force=force) if m.role in needed]
    if missing:
        raise DataFileError(
            "geography files are missing", where=data, found=[f"{m.folder}/{m.file}" for m in missing],
            hint=f"they are published by {spec.publisher}; riskmodel check --data DIR lists every missing file",
        )  # fmt: skip
    return files


def _force_area(of_district: pd.DataFrame, region: RegionSpec) -> tuple[str, str]:
    forces = of_district[["pfa", "pfa_name"]].drop_duplicates()
    if region.pfa is not None:
        named = {str(code): str(name) for code, name in zip(forces["pfa"], forces["pfa_name"], strict=True)}
        if region.pfa not in named:
            raise DefinitionError(f"no police force area has the code '{region.pfa}'", allowed=sorted(named))
        return region.pfa, named[region.pfa]
    known = {}
    for code, name in zip(forces["pfa"], forces["pfa_name"], strict=True):
        known[_FORCE_NAMES.get(slug(name), slug(name))] = (str(code), str(name))
    if region.force not in known:
        raise DefinitionError(
            f"no police force area of England or Wales is called '{region.force}'", allowed=", ".join(sorted(known)),
            hint=did_you_mean(region.force, known) or "name its area's code as region: pfa",
        )  # fmt: skip
    return known[region.force]


def _residents(data: Path, census: SourceSpec, force: str) -> pd.Series[float]:
    import pyarrow.compute as pc

    role = next((role for role, file in census.files.items() if _RESIDENTS in file.measures), None)
    if role is None:
        raise DefinitionError(f"source '{_CENSUS}' has no measure '{_RESIDENTS}'", where=f"{_CENSUS}.yaml")
    found = find_files(_CENSUS, census, data, force=force, roles=[role])
    if not found:
        raise DataFileError(
            "the census table of usual residents is missing", where=data, found=census.files[role].path,
            hint=f"it is published by {census.publisher}",
        )  # fmt: skip
    table = nomis.read(found[-1]).table
    table = table.filter(pc.equal(table["measure"], _RESIDENTS))
    residents: pd.Series[float] = table.select(["area", "value"]).to_pandas().set_index("area")["value"]
    return residents


def _old_residents(file: SourceFile | None) -> pd.Series[float] | None:
    import pandas as pd

    if file is None:
        return None
    frame = read_lookup(file, ["lsoa11", "residents"])
    _once(frame["lsoa11"], file)
    return pd.Series(pd.to_numeric(frame["residents"]).to_numpy(dtype=np.float64), index=frame["lsoa11"])


def _shapes_of(file: SourceFile, areas: NDArray[np.str_]) -> NDArray[np.object_]:
    import pandas as pd

    codes, shapes = read_boundaries(file)
    return _all_of(pd.DataFrame({"shape": shapes}, index=codes), areas, file.name)["shape"].to_numpy(dtype=np.object_)


def _all_of(frame: pd.DataFrame, areas: NDArray[np.str_], name: str) -> pd.DataFrame:
    missing = [str(area) for area in areas[~np.isin(areas, frame.index.to_numpy(dtype=np.str_))]]
    if missing:
        raise DataFileError("areas of the region are not in this file", where=name, found=missing)
    found: pd.DataFrame = frame.loc[areas.tolist()]
    return found


def _once(codes: pd.Series[str], file: SourceFile) -> None:
    if codes.duplicated().any():
        raise DataFileError("an area is there twice", where=file.name, found=sorted(set(codes[codes.duplicated()])))


def _digest(
    names: tuple[str, ...],
    parents: pd.DataFrame,
    neighbours: csr_array,
    points: NDArray[np.float64],
    conversion: CodeConversion,
) -> str:
    import hashlib

    digest = hashlib.sha256("\n".join(names).encode())
    digest.update(parents.to_csv(lineterminator="\n").encode())
    arrays: list[NDArray[Any]] = [neighbours.indptr.astype(np.int64), neighbours.indices.astype(np.int64), points]
    arrays += [*_arrays(conversion)]
    for array in arrays:
        fixed = np.char.encode(array, "utf-8") if array.dtype.kind == "U" else array
        digest.update(f"{fixed.dtype.str}{fixed.shape}".encode())
        digest.update(np.ascontiguousarray(fixed).tobytes())
    return digest.hexdigest()


def _arrays(conversion: CodeConversion) -> Iterator[NDArray[Any]]:
    yield from (getattr(conversion, f.name) for f in fields(conversion) if f.name != "coarser")
    for level in sorted(conversion.coarser):
        ties = conversion.coarser[level]
        yield from (np.array([level]), ties.area.astype(np.int64), ties.code, ties.share)
