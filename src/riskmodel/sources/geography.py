"""The geography files: in go published lookups, boundaries and populations, out come plain tables of codes and shapes.

Geography is a frame, fixed for a run, and no observation: ``read`` therefore yields an empty table, and the panel asks
for the lookups and boundaries it needs. Lookups are CSV; boundaries are GeoJSON or GeoParquet.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from riskmodel.contracts.errors import DataFileError, DefinitionError
from riskmodel.sources.csv_text import header_of, read_columns, require_columns
from riskmodel.sources.observed import Counted, Observed, SourceFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["read", "read_boundaries", "read_lookup"]

_AGAIN = "download it again from the publisher"


def read(file: SourceFile) -> Observed:
    """Check that a geography file is there and whole; it holds no observations.

    Raises
    ------
    DataFileError
        If the file is broken, or lacks a column its source maps.
    """
    import pyarrow as pa

    fields = [("measure", pa.string()), ("breakdown", pa.string()), ("area", pa.string()), ("value", pa.float64())]
    rows = len(read_boundaries(file)[0]) if _holds_shapes(file) else len(read_lookup(file, list(file.spec.measures)))
    return Observed(pa.schema(fields).empty_table(), (Counted("frame rows", rows, note="geography, fixed for a run"),))


def read_lookup(file: SourceFile, columns: Sequence[str]) -> pd.DataFrame:
    """Read some columns of a lookup as text.

    Parameters
    ----------
    file : SourceFile
        A CSV; ``file.spec.measures`` maps our column names to the published headings.
    columns : sequence of str
        Our names of the columns wanted, e.g. ``lsoa11``, ``lsoa21``.

    Returns
    -------
    DataFrame
        One text column per name, rows as published; no cell is blank.

    Raises
    ------
    DataFileError
        If a heading is missing or a cell is blank, with the line.
    DefinitionError
        If the source maps no heading to a name.
    """
    import pyarrow as pa

    _require_mapped(file, columns)
    text, headings = file.text(), [file.spec.measures[c] for c in columns]
    require_columns(header_of(text, file.name), headings, file.name)
    table = read_columns(text, file.name, dict.fromkeys(headings, pa.string()))
    frame: pd.DataFrame = table.rename_columns(list(columns)).to_pandas().astype("str")
    blank = (frame == "").any(axis=1).to_numpy()
    if blank.any():
        line = int(np.flatnonzero(blank)[0]) + 2
        raise DataFileError("a cell of this lookup is blank", where=f"{file.name}:{line}", allowed="a code or name")
    return frame


def read_boundaries(file: SourceFile) -> tuple[NDArray[np.str_], NDArray[np.object_]]:
    """Read area codes and their shapes from GeoJSON or GeoParquet.

    Parameters
    ----------
    file : SourceFile
        ``.geojson``, ``.geojson.gz`` or ``.parquet``; ``file.spec.measures`` maps ``lsoa21`` to the property or column
        that holds the code.

    Returns
    -------
    codes : array of str, [feature]
    shapes : array of shapely geometries, [feature]

    Raises
    ------
    DataFileError
        If the file is no boundary file, a feature has no code or no shape, or a code repeats.
    """
    _require_mapped(file, ["lsoa21"])
    codes, shapes = _geoparquet(file) if file.name.endswith(".parquet") else _geojson(file)
    unique, times = np.unique(codes, return_counts=True)
    if np.any(times > 1):
        raise DataFileError("an area has two boundaries", where=file.name, found=unique[times > 1].tolist())
    return codes, shapes


def _holds_shapes(file: SourceFile) -> bool:
    return file.spec.path.endswith((".geojson", ".parquet"))


def _require_mapped(file: SourceFile, columns: Sequence[str]) -> None:
    unmapped = [c for c in columns if c not in file.spec.measures]
    if unmapped:
        raise DefinitionError(
            f"source '{file.source}' does not say which column of '{file.role}' is '{unmapped[0]}'",
            where=f"features/sources/{file.source}.yaml", hint=f"add {unmapped[0]}: <its heading> under measures",
        )  # fmt: skip


def _geojson(file: SourceFile) -> tuple[NDArray[np.str_], NDArray[np.object_]]:
    import shapely

    text = file.text()
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataFileError(
            "this file is not JSON", where=f"{file.name}:{error.lineno}", found=error.msg, hint=_AGAIN
        ) from error
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or not features:
        raise DataFileError("this file is no GeoJSON FeatureCollection", where=f"{file.name}:1", hint=_AGAIN)
    column = file.spec.measures["lsoa21"]
    codes = [_code_of(feature, column, number, file.name) for number, feature in enumerate(features, start=1)]
    try:
        collection = shapely.from_geojson(text)
    except shapely.GEOSException as error:
        raise DataFileError("a shape is no GeoJSON geometry", where=file.name, found=str(error), hint=_AGAIN) from error
    return np.asarray(codes, dtype=np.str_), np.asarray(shapely.get_parts(collection), dtype=np.object_)


def _code_of(feature: Any, column: str, number: int, name: str) -> str:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(properties, dict) or column not in properties:
        raise DataFileError(
            f"feature {number} has no property '{column}'", where=name,
            found=sorted(properties) if isinstance(properties, dict) else None, hint=_AGAIN,
        )  # fmt: skip
    if not feature.get("geometry"):
        raise DataFileError(f"feature {number} has no shape", where=name, found=properties[column], hint=_AGAIN)
    return str(properties[column])


def _geoparquet(file: SourceFile) -> tuple[NDArray[np.str_], NDArray[np.object_]]:
    import pyarrow as pa
    import pyarrow.parquet as pq
    import shapely

    column = file.spec.measures["lsoa21"]
    try:
        schema = pq.read_schema(pa.BufferReader(file.raw))
        about = json.loads((schema.metadata or {}).get(b"geo", b"{}"))
        shape_column = str(about.get("primary_column", "geometry"))
        require_columns(schema.names, [column, shape_column], file.name)
        table = pq.read_table(pa.BufferReader(file.raw), columns=[column, shape_column])
        shapes = shapely.from_wkb(table[shape_column].to_numpy())
    except (pa.ArrowException, OSError, json.JSONDecodeError, shapely.GEOSException, TypeError) as error:
        raise DataFileError(
            "this file is no GeoParquet", where=file.name, found=str(error).splitlines()[0], hint=_AGAIN
        ) from error
    if table[column].null_count or table[shape_column].null_count:
        raise DataFileError("a feature has no code or no shape", where=file.name, hint=_AGAIN)
    return np.asarray(table[column].to_pylist(), dtype=np.str_), np.asarray(shapes, dtype=np.object_)
