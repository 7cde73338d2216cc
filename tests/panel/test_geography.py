"""The frame of a region: the real Gloucestershire and Thames Valley, and a small invented one with the hard cases."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.sparse.csgraph import connected_components

from riskmodel.contracts.errors import DataFileError, DefinitionError
from riskmodel.contracts.specs import RegionSpec, SourceSpec
from riskmodel.contracts.yaml_files import read_spec
from riskmodel.panel.contiguity import linked_neighbours
from riskmodel.panel.geography import Geography, build_geography
from riskmodel.panel.parents import certain_partnerships
from riskmodel.sources import police_uk
from riskmodel.sources.files import find_files
from riskmodel.sources.geography import read_boundaries

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("RISKMODEL_DATA", ROOT.parent / "shared" / "data"))
SPECS = {
    name: read_spec(ROOT / "features" / "sources" / f"{name}.yaml", SourceSpec)
    for name in ("geography", "census2021", "police_uk")
}


def build(data: Path, force: str, **region: str) -> Geography:
    workspace = data if "local" in region else None
    return build_geography(
        data, SPECS["geography"], SPECS["census2021"], region=RegionSpec(force=force, **region), workspace=workspace
    )


@pytest.fixture(scope="module")
def real() -> Callable[[str], Geography]:
    if not (DATA / "lookups").is_dir():
        pytest.skip(f"no published files in {DATA}")
    built: dict[str, Geography] = {}
    return lambda force: built.setdefault(force, build(DATA, force))


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(DATA / "lookups" / f"{name}.csv.gz", dtype=str)


@pytest.mark.real
def test_gloucestershire_is_one_piece_and_its_neighbours_are_those_that_touch(real: Callable[[str], Geography]) -> None:
    geography = real("gloucestershire")
    assert len(geography.areas) == 393 and geography.areas.tolist() == sorted(geography.areas)
    near = geography.neighbours
    assert (near != near.T).nnz == 0 and not near.diagonal().any() and set(near.data) == {1.0}
    assert connected_components(near)[0] == 1
    (file,) = find_files("geography", SPECS["geography"], DATA, force="gloucestershire", roles=["boundaries_force"])
    codes, shapes = read_boundaries(file)
    shapes = shapes[np.argsort(codes)]
    touching = shapely.intersects(shapes[:, None], shapes[None, :]) & ~np.eye(393, dtype=bool)
    assert np.array_equal(near.toarray() > 0, touching)


@pytest.mark.real
def test_parents_and_residents_are_those_of_the_publishers(real: Callable[[str], Geography]) -> None:
    geography = real("gloucestershire")
    assert (geography.pfa, geography.title) == ("E23000037", "Gloucestershire")
    wards = table("lookup_lsoa21_ward24_ltla24").set_index("lsoa21_code").loc[geography.areas.tolist()]
    assert geography.parents["lad24"].tolist() == wards["ltla24_code"].tolist()
    assert geography.parents["ward24_name"].tolist() == wards["ward24_name"].tolist()
    assert geography.parents["lad24"].nunique() == 6 and (geography.parents["csp24"] != "").all()
    census = pd.read_csv(DATA / "census2021_nomis" / "census2021-ts001-lsoa.csv.gz").set_index("geography code")
    assert np.array_equal(geography.population, census.loc[geography.areas.tolist()].iloc[:, 2])
    for level, size in (("lsoa21", 393), ("lad24", 6), ("pfa", 1)):
        index, codes = geography.groups(level)
        assert len(codes) == size and codes == sorted(codes) and index.max() == size - 1
        if level != "lsoa21":
            assert [codes[i] for i in index] == geography.parents[level].tolist()


@pytest.mark.real
def test_buckinghamshire_has_its_four_partnerships_and_no_area_twice(real: Callable[[str], Geography]) -> None:
    geography = real("thames-valley")
    assert len(geography.areas) == 1486 == len(set(geography.areas))
    bucks = geography.parents[geography.parents["lad24"] == "E06000060"]
    assert bucks["csp24_name"].value_counts().to_dict() == {
        "Aylesbury Vale": 127, "Wycombe": 110, "Chiltern": 57, "South Bucks": 40,
    }  # fmt: skip
    assert geography.parents["csp24"].nunique() == 12 + 4


@pytest.mark.real
@pytest.mark.parametrize(
    ("district", "settled"),
    [
        ("E06000058", {"Bournemouth", "Poole"}),
        ("E06000062", {"Northampton"}),
        ("E07000244", {"Suffolk Coastal", "Waveney"}),
        ("E07000079", {"Cotswold"}),
    ],
)
def test_a_partnership_is_named_only_where_old_names_settle_it(district: str, settled: set[str]) -> None:
    if not (DATA / "lookups").is_dir():
        pytest.skip(f"no published files in {DATA}")
    ours = {"lsoa21_code": "lsoa21", "ltla24_code": "lad24", "csp24_code": "csp24"}
    wards = table("lookup_lsoa21_ward24_ltla24").rename(columns=ours)
    parents = wards[wards["lad24"] == district].set_index("lsoa21").sort_index()
    ties = table("lookup_lsoa11_lsoa21_ltla22").rename(columns=ours)
    of_district = table("lookup_ltla24_csp24_pfa24").rename(columns=ours)
    got = certain_partnerships(parents[["lad24"]], of_district, ties)
    assert set(got["csp24_name"]) - {""} == settled
    old = (
        ties[ties["lsoa21"].isin(parents.index)]
        .groupby("lsoa21")["lsoa11_name"]
        .agg(lambda names: {n[:-5] for n in names})
    )
    for area, name in got["csp24_name"].items():
        assert (old[area] == {name}) or district == "E07000079" or (name == "" and not old[area] <= settled), area


@pytest.mark.real
def test_wales_works_and_an_unknown_force_lists_the_known(real: Callable[[str], Geography]) -> None:
    assert real("gwent").pfa == "W15000002"
    with pytest.raises(DefinitionError, match="did you mean 'gloucestershire'"):
        build(DATA, "glocestershire")
    with pytest.raises(DefinitionError, match="metropolitan"):
        build(DATA, "met")


@pytest.mark.real
@pytest.mark.parametrize("force", ["gloucestershire", "thames-valley"])
def test_every_real_month_adds_up_and_equals_an_independent_count(real: Callable[[str], Geography], force: str) -> None:
    geography = real(force)
    ties, wards = table("lookup_lsoa11_lsoa21_ltla22"), table("lookup_lsoa21_ward24_ltla24")
    forces = table("lookup_ltla24_csp24_pfa24").query("pfa24_code == @geography.pfa")
    inside21 = set(wards.loc[wards["ltla24_code"].isin(forces["ltla24_code"]), "lsoa21_code"])
    inside = inside21 | set(ties.loc[ties["lsoa21_code"].isin(inside21), "lsoa11_code"])
    files = find_files("police_uk", SPECS["police_uk"], DATA, force=force)
    months, raw, repeats = [], [], []
    for file in files:
        observed = police_uk.read(file)
        months.append(observed.table.to_pandas().groupby("area")["value"].sum())
        counted = {(c.rule, c.measure): c.rows for c in observed.counted}
        raw.append(counted["raw rows", "all"])
        repeats.append(counted["duplicates", "all"])
    counts = pd.concat(months, axis=1).fillna(0).astype(np.int64).sort_index()
    got = geography.conversion.counts(counts.index.to_numpy(dtype=np.str_), counts.to_numpy())
    assert np.array_equal(got.located + got.unlocated + got.out_of_force + repeats, raw)
    for column, file in enumerate(files):
        with gzip.open(file.path, "rb") as packed:
            rows = csv.DictReader(io.StringIO(packed.read().decode("utf-8"), newline=""))
            places: dict[object, str] = {}
            for number, row in enumerate(rows):
                key: object = row["Crime ID"] or number
                places[key] = places.get(key) or row["LSOA code"]
        located = sum(place in inside for place in places.values())
        assert (got.located[column], got.counts[:, column].sum()) == (located, located)
        assert got.unlocated[column] == sum(place == "" for place in places.values())


AREAS = [f"E010000{n:02d}" for n in range(1, 7)]


def write_region(data: Path) -> None:
    """Six squares in a row, the last apart from the rest; the fifth is of another force."""
    texts = {
        "lookups/lookup_lsoa11_lsoa21_ltla22.csv": ["lsoa11_name,lsoa11_code,lsoa21_code,ltla22_code"]
        + [f"{'Old' if n < 3 else 'Elder'}shire 00{n}A,{a},{a},E06000009" for n, a in enumerate(AREAS[:4], start=1)]
        + [f"Far 001A,{AREAS[4]},{AREAS[4]},E06000009", f"Olds 001A,{AREAS[5]},{AREAS[5]},E06000009"],
        "lookups/lookup_lsoa21_ward24_ltla24.csv": [
            "lsoa21_name,lsoa21_code,ward24_name,ward24_code,ltla24_name,ltla24_code"
        ]
        + [f"N {a},{a},Ward,E05000001,Here,E06000001" for a in [*AREAS[:4], AREAS[5]]]
        + [f"N {AREAS[4]},{AREAS[4]},Ward,E05000002,Far,E06000002"],
        "lookups/lookup_lsoa21_msoa21.csv": ["lsoa21_code,lsoa21_name,msoa21_code,msoa21_name"]
        + [f"{a},N,E02000001,M" for a in AREAS],
        "lookups/lookup_ltla24_csp24_pfa24.csv": [
            "ltla24_code,ltla24_name,csp24_code,csp24_name,pfa24_code,pfa24_name",
            "E06000001,Here,E22000001,Oldshire,E23000001,Wold & Vale",
            "E06000001,Here,E22000002,Eldershire,E23000001,Wold & Vale",
            "E06000002,Far,E22000003,Far,E23000002,Far",
        ],
        "census2021_nomis/census2021-ts001-lsoa.csv": [
            "date,geography,geography code,Residence type: Total,Residence type: Lives in a household,"
            "Residence type: Lives in a communal establishment"
        ]
        + [f"2021,N,{a},{100 + n},1,0" for n, a in enumerate(AREAS)],
    }
    for name, lines in texts.items():
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    left = [0, 1, 2, 3, 4, 9]
    features = [
        {
            "type": "Feature",
            "properties": {"lsoa21_code": a},
            "geometry": json.loads(shapely.to_geojson(shapely.box(x, 0, x + 1, 1))),
        }
        for a, x in zip(AREAS, left, strict=True)
    ]
    (data / "boundaries").mkdir()
    (data / "boundaries" / "boundaries_lsoa21.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8"
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_region(tmp_path)
    return tmp_path


def test_an_island_is_tied_to_the_nearest_area_and_counted(data: Path) -> None:
    geography = build(data, "wold-and-vale")
    assert geography.areas.tolist() == [*AREAS[:4], AREAS[5]]
    assert geography.neighbours.toarray().astype(int).tolist() == [
        [0, 1, 0, 0, 0],
        [1, 0, 1, 0, 0],
        [0, 1, 0, 1, 0],
        [0, 0, 1, 0, 1],
        [0, 0, 0, 1, 0],
    ]
    counted = {c.rule: c.rows for c in geography.counted}
    assert counted == {"areas": 5, "partnership uncertain": 1, "areas linked to the nearest": 1}
    assert geography.population.tolist() == [100, 101, 102, 103, 105]
    assert geography.parents["csp24"].tolist() == ["E22000001", "E22000001", "E22000002", "E22000002", ""]


def test_the_digest_changes_with_the_frame_and_with_nothing_else(data: Path) -> None:
    first = build(data, "wold-and-vale")
    assert build(data, "wold-and-vale").digest == first.digest
    census = data / "census2021_nomis" / "census2021-ts001-lsoa.csv"
    census.write_text(census.read_text(encoding="utf-8").replace(",103,", ",104,"), encoding="utf-8")
    assert build(data, "wold-and-vale").digest != first.digest


def test_a_force_may_be_named_by_its_areas_code(data: Path) -> None:
    assert build(data, "anything", pfa="E23000001").areas.tolist() == build(data, "wold-and-vale").areas.tolist()
    with pytest.raises(DefinitionError, match="no police force area has the code 'E23000009'"):
        build(data, "anything", pfa="E23000009")


def test_an_area_made_of_two_old_districts_has_no_partnership() -> None:
    of_district = pd.DataFrame(
        {"lad24": "E06000001", "csp24": ["E22000001", "E22000002"], "csp24_name": ["Old", "Elder"]}
    )
    ties = pd.DataFrame({"lsoa11_name": ["Old 001A", "Elder 002B", "Elder 003A"], "lsoa21": ["a", "a", "b"]})
    parents = pd.DataFrame({"lad24": "E06000001"}, index=pd.Index(["a", "b"], name="lsoa21"))
    assert certain_partnerships(parents, of_district, ties)["csp24"].tolist() == ["", "E22000002"]


def test_squares_that_meet_in_a_corner_are_neighbours() -> None:
    corners = np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 1, 2, 2), shapely.box(2, 2.5, 3, 3)], dtype=object)
    neighbours, islands = linked_neighbours(corners)
    assert neighbours.toarray().tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 0]] and islands == 1
    alone, islands = linked_neighbours(corners[:1])
    assert alone.nnz == 0 and islands == 1


def local(data: Path, lines: list[str]) -> Geography:
    (data / "local.csv").write_text("lsoa21,local area\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return build(data, "wold-and-vale", local="local.csv")


def test_local_areas_are_a_level_of_their_own(data: Path) -> None:
    geography = local(data, [f"{a},{'East' if a > AREAS[2] else 'West'}" for a in AREAS])
    index, codes = geography.groups("local")
    assert codes == ["East", "West"] and index.tolist() == [1, 1, 1, 0, 0]
    assert {c.rule: c.rows for c in geography.counted}["local areas elsewhere"] == 1
    assert geography.digest != build(data, "wold-and-vale").digest
    with pytest.raises(DefinitionError, match="no level 'local'"):
        build(data, "wold-and-vale").groups("local")


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        (["E01999999,West"], r"local\.csv:2: unknown LSOA 2021 code"),
        (["E01000001,West", "E01000001,East"], r"local\.csv:3: this LSOA has a local area already"),
        (["E01000001,West", "", "E01000002"], r"local\.csv:4: a row has two cells"),
        (["E01000001,West"], r"local\.csv: areas of the region have no local area\n  found: E01000002, E01000003"),
    ],
)
def test_a_wrong_local_file_is_refused_with_its_line(data: Path, lines: list[str], what: str) -> None:
    with pytest.raises(DataFileError, match=what):
        local(data, lines)


@pytest.mark.parametrize(
    ("name", "old", "new", "what"),
    [
        ("lookups/lookup_lsoa21_msoa21.csv", "E01000002", "E01000092", "not in this file\n  found: E01000002"),
        ("lookups/lookup_lsoa21_ward24_ltla24.csv", "E01000002", "E01000001", "there twice\n  found: E01000001"),
        ("lookups/lookup_ltla24_csp24_pfa24.csv", "E06000001", "E06000009", "districts of the force have no areas"),
        ("census2021_nomis/census2021-ts001-lsoa.csv", "E01000002", "E01000092", "not known\n  found: E01000002"),
        ("boundaries/boundaries_lsoa21.geojson", "E01000002", "E01000092", "not in this file\n  found: E01000002"),
    ],
)
def test_files_that_do_not_fit_each_other_are_refused(data: Path, name: str, old: str, new: str, what: str) -> None:
    text = (data / name).read_text(encoding="utf-8")
    (data / name).write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(DataFileError, match=what):
        build(data, "wold-and-vale")


def test_missing_geography_files_are_named_all_at_once(data: Path) -> None:
    (data / "boundaries" / "boundaries_lsoa21.geojson").unlink()
    (data / "lookups" / "lookup_lsoa21_msoa21.csv").unlink()
    with pytest.raises(DataFileError, match=r"lookup_lsoa21_msoa21\.csv, boundaries/boundaries_lsoa21\.geojson"):
        build(data, "wold-and-vale")


def test_a_missing_census_table_is_named(data: Path) -> None:
    (data / "census2021_nomis" / "census2021-ts001-lsoa.csv").unlink()
    with pytest.raises(DataFileError, match="usual residents is missing"):
        build(data, "wold-and-vale")
