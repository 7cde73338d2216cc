"""The two parents that no published lookup settles: partnerships of merged districts, and a user's own local areas."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

from riskmodel.contracts.errors import DataFileError
from riskmodel.sources.content import as_text, read_path

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["certain_partnerships", "local_areas"]

# An LSOA is called after its district, with three digits and a letter: "Chiltern 004B".
_OWN_PART = r" \d{3}[A-Z]$"


def certain_partnerships(parents: pd.DataFrame, of_district: pd.DataFrame, ties: pd.DataFrame) -> pd.DataFrame:
    """Each area's community safety partnership where it is certain, else blank.

    It is certain where the area's district has one partnership only; and, where a new district has several that are
    named after its old districts, for the areas whose 2011 areas all carry the name of the same one (Buckinghamshire).

    Parameters
    ----------
    parents : DataFrame
        Index ``lsoa21``; column ``lad24``.
    of_district : DataFrame
        Columns ``lad24``, ``csp24``, ``csp24_name``: one district may have several rows.
    ties : DataFrame
        Columns ``lsoa11_name``, ``lsoa21``: the 2011 areas that each area came from.

    Returns
    -------
    DataFrame
        Columns ``csp24``, ``csp24_name``, rows as ``parents``; blank where uncertain.
    """
    import pandas as pd

    pairs = of_district[["lad24", "csp24", "csp24_name"]].drop_duplicates()
    shared = pairs["lad24"].duplicated(keep=False)
    alone, several = pairs[~shared], pairs[shared].drop_duplicates(["lad24", "csp24_name"], keep=False)
    own = ties[ties["lsoa21"].isin(parents.index)]
    old_district = own["lsoa11_name"].str.replace(_OWN_PART, "", regex=True)
    old = pd.DataFrame({"lsoa21": own["lsoa21"], "csp24_name": old_district})
    old = old.drop_duplicates().drop_duplicates("lsoa21", keep=False).set_index("lsoa21")
    areas = parents[["lad24"]]
    by_district = areas.join(alone.set_index("lad24"), on="lad24")[["csp24", "csp24_name"]]
    by_name = areas.join(old).join(several.set_index(["lad24", "csp24_name"]), on=["lad24", "csp24_name"])
    found = by_district.fillna(by_name[["csp24", "csp24_name"]])
    return found.mask(found["csp24"].isna(), "")


def local_areas(path: str, workspace: Path | None, areas: NDArray[np.str_], known: set[str]) -> tuple[list[str], int]:
    """Read a user's own local areas: a two-column CSV, an LSOA 2021 code and the name of its local area.

    Parameters
    ----------
    path : str
        As the experiment names it, relative to the workspace.
    workspace : Path, optional
        The workspace; the working folder if absent.
    areas : array of str, [area]
        The region's LSOA 2021 codes: each needs a local area.
    known : set of str
        Every LSOA 2021 code there is.

    Returns
    -------
    local : list of str, [area]
    elsewhere : int
        Rows of the file that lie outside the region.

    Raises
    ------
    DataFileError
        With the line: an unknown or repeated code, a row that has not two cells; or areas without a local area.
    """
    place = (workspace / path) if workspace is not None else Path(path)
    reader = csv.reader(io.StringIO(as_text(read_path(place, path), path).decode("utf-8"), newline=""), strict=True)
    named: dict[str, str] = {}
    try:
        next(reader)
        for row in filter(None, reader):
            _name(named, row, known, f"{path}:{reader.line_num}")
    except csv.Error as error:
        raise DataFileError("this row is no CSV", where=f"{path}:{reader.line_num}", found=str(error)) from error
    missing = [str(area) for area in areas if area not in named]
    if missing:
        raise DataFileError(
            "areas of the region have no local area", where=path, found=missing, hint="give each LSOA of the region one"
        )
    return [named[str(area)] for area in areas], len(named) - len(areas)


def _name(named: dict[str, str], row: list[str], known: set[str], where: str) -> None:
    cells = [cell.strip() for cell in row]
    if len(cells) != 2 or not all(cells):
        raise DataFileError("a row has two cells, an LSOA 2021 code and a local area", where=where, found=row)
    if cells[0] not in known:
        raise DataFileError(
            "unknown LSOA 2021 code", where=where, found=cells[0], hint="use codes of 2021, from the ONS lookups"
        )
    if cells[0] in named:
        raise DataFileError("this LSOA has a local area already", where=where, found=cells[0])
    named[cells[0]] = cells[1]
