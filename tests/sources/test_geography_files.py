"""Lookups and boundaries: our column names, GeoJSON and GeoParquet alike, faults named."""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from riskmodel.contracts.errors import DataFileError, DefinitionError
from riskmodel.contracts.specs import FileSpec, SourceSpec
from riskmodel.contracts.yaml_files import read_spec
from riskmodel.sources.geography import read, read_boundaries, read_lookup
from riskmodel.sources.observed import SourceFile

SPEC = read_spec(Path(__file__).parents[2] / "features" / "sources" / "geography.yaml", SourceSpec)
SQUARE = shapely.box(0, 0, 1, 1)
TWO = shapely.MultiPolygon([shapely.box(1, 0, 2, 1), shapely.box(3, 0, 4, 1)])


def as_file(name: str, content: bytes, folder: Path, role: str) -> SourceFile:
    path = folder / name
    path.write_bytes(content)
    return SourceFile("geography", role, name, path, None, "2021", date(2022, 12, 31), SPEC.files[role], SPEC)


def geojson(codes: tuple[str, ...] = ("E01000001", "E01000002")) -> bytes:
    features = [
        {"type": "Feature", "properties": {"lsoa21_code": code}, "geometry": json.loads(shapely.to_geojson(shape))}
        for code, shape in zip(codes, (SQUARE, TWO), strict=True)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def geoparquet(folder: Path) -> bytes:
    table = pa.table({"lsoa21_code": ["E01000001", "E01000002"], "outline": [SQUARE.wkb, TWO.wkb]})
    about = {"version": "1.1.0", "primary_column": "outline", "columns": {"outline": {"encoding": "WKB"}}}
    path = folder / "made.parquet"
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(about)}), path)
    return path.read_bytes()


def test_geojson_and_geoparquet_read_alike(tmp_path: Path) -> None:
    forms = [
        as_file("a.geojson", geojson(), tmp_path, "boundaries"),
        as_file("a.geojson.gz", gzip.compress(geojson()), tmp_path, "boundaries"),
        as_file("a.parquet", geoparquet(tmp_path), tmp_path, "boundaries"),
    ]
    for file in forms:
        codes, shapes = read_boundaries(file)
        assert codes.tolist() == ["E01000001", "E01000002"]
        assert shapely.equals(shapes, np.array([SQUARE, TWO], dtype=object)).all()
        observed = read(file)
        assert observed.table.num_rows == 0 and observed.counted[0].rows == 2


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b'{"type": "FeatureCollection",\n "features": [}', r"b\.geojson:2: this file is not JSON"),
        (b'{"type": "Topology"}', "no GeoJSON FeatureCollection"),
        (geojson().replace(b"lsoa21_code", b"LSOA21CD"), "feature 1 has no property 'lsoa21_code'"),
        (geojson(("E01000001", "E01000001")), "two boundaries"),
        (b'{"features": [{"properties": {"lsoa21_code": "E01000001"}, "geometry": null}]}', "feature 1 has no shape"),
        (geojson().replace(b"Polygon", b"Polygone"), "no GeoJSON geometry"),
        (b"<html><body>not found</body></html>", "web page"),
    ],
)
def test_broken_boundaries_are_refused(tmp_path: Path, content: bytes, what: str) -> None:
    with pytest.raises(DataFileError, match=what):
        read_boundaries(as_file("b.geojson", content, tmp_path, "boundaries"))


def test_a_parquet_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="no GeoParquet"):
        read_boundaries(as_file("b.parquet", b"PAR1 but not really", tmp_path, "boundaries"))


LOOKUP = b"lsoa21_code,lsoa21_name,msoa21_code,msoa21_name\nE01000001,A 001A,E02000001,A 001\n"


def test_a_lookup_is_read_under_our_names(tmp_path: Path) -> None:
    file = as_file("m.csv", LOOKUP, tmp_path, "lookup_lsoa21_msoa21")
    frame = read_lookup(file, ["msoa21", "lsoa21"])
    assert frame.to_dict("list") == {"msoa21": ["E02000001"], "lsoa21": ["E01000001"]}
    with pytest.raises(DefinitionError, match="add ward24"):
        read_lookup(file, ["ward24"])


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (b"msoa21_code", b"msoa21cd", r"m\.csv:1: .*missing: 'msoa21_code'"),
        (b"E02000001", b"", r"m\.csv:2: a cell of this lookup is blank"),
    ],
)
def test_broken_lookups_are_refused(tmp_path: Path, old: bytes, new: bytes, what: str) -> None:
    with pytest.raises(DataFileError, match=what):
        read(as_file("m.csv", LOOKUP.replace(old, new), tmp_path, "lookup_lsoa21_msoa21"))


def test_the_publishers_own_headings_need_one_line_of_yaml(tmp_path: Path) -> None:
    spec = FileSpec(path="b.geojson", published=date(2022, 12, 31), period="2021", measures={"lsoa21": "LSOA21CD"})
    path = tmp_path / "b.geojson"
    path.write_bytes(geojson().replace(b"lsoa21_code", b"LSOA21CD"))
    file = SourceFile("geography", "boundaries", path.name, path, None, "2021", date(2022, 12, 31), spec, SPEC)
    assert read_boundaries(file)[0].tolist() == ["E01000001", "E01000002"]
