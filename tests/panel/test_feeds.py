"""Partners' feeds in the panel: a table of many months, terms and quarters of districts, districts of the past."""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import tiny_geography
from riskmodel.contracts.errors import DataFileError, DefinitionError, NotYetPublished
from riskmodel.contracts.periods import month_label, month_number, month_start
from riskmodel.contracts.specs import RegionSpec, SourceSpec
from riskmodel.contracts.yaml_files import read_spec
from riskmodel.panel.build import build_panel, default_as_of
from riskmodel.panel.coarser import Ties
from riskmodel.panel.geography import Geography, build_geography
from riskmodel.panel.quality import build_quality
from riskmodel.panel.view import Panel
from riskmodel.sources.files import find_files
from riskmodel.sources.observed import SourceFile
from riskmodel.sources.synthetic import SyntheticRegion
from riskmodel.store import Store
from riskmodel.testing import changed_futures

ROOT = Path(__file__).parents[2]
PARTNERS = ("ambulance", "emergency_department", "police_victims", "school_exclusions", "youth_justice")


def spec_of(name: str) -> SourceSpec:
    return read_spec(ROOT / "features" / "sources" / f"{name}.yaml", SourceSpec)


def measures_of(spec: SourceSpec) -> set[str]:
    return {m for f in spec.files.values() for m in f.measures}


@pytest.fixture(scope="module")
def frame(synthetic_region: SyntheticRegion) -> Geography:
    region = RegionSpec(force=synthetic_region.force)
    return build_geography(synthetic_region.directory, spec_of("geography"), spec_of("census2021"), region=region)


Held = tuple[Panel, Store, list[SourceFile]]


@pytest.fixture(scope="module")
def partners(synthetic_region: SyntheticRegion, frame: Geography, tmp_path_factory: pytest.TempPathFactory) -> Held:
    files = [
        f
        for name in (*PARTNERS, "police_uk")
        for f in find_files(name, spec_of(name), synthetic_region.directory, force=synthetic_region.force)
    ]
    store = Store(tmp_path_factory.mktemp("partners") / "store")
    store.ingest(files)
    panel = build_panel(store, files, frame, measures={name: measures_of(spec_of(name)) for name in PARTNERS})
    return panel, store, files


def rows_of(region: SyntheticRegion, name: str) -> list[dict[str, str]]:
    with gzip.open(region.directory / "partners" / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


@pytest.mark.parametrize(
    ("source", "measure", "name"),
    [
        ("ambulance", "ambulance_callouts", "ambulance_callouts"),
        ("emergency_department", "emergency_department_assaults", "emergency_department_assaults"),
    ],
)
def test_a_list_of_events_is_a_monthly_series(
    synthetic_region: SyntheticRegion, partners: Held, source: str, measure: str, name: str
) -> None:
    view = partners[0].as_of(date(2026, 6, 1))
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows_of(synthetic_region, name):
        counts[(row["lsoa21_code"], row["date"][:7])] += 1
    series, first = view.series(source, [measure]), partners[0].first_month
    months = [month_label(first + i) for i in range(series.shape[1])]
    expected = [[counts[(area, month)] for month in months] for area in view.geography.areas.tolist()]
    assert np.array_equal(series, np.asarray(expected, dtype=np.float32))
    assert view.unlocated(source, [measure]).tolist() == [counts[("", month)] for month in months]
    assert (view.unlocated(source, [measure]).sum() > 0) == (source == "emergency_department")


def test_breakdowns_add_up_and_the_month_the_police_never_issued_is_missing(
    synthetic_region: SyntheticRegion, partners: Held
) -> None:
    view = partners[0].as_of(date(2026, 6, 1))
    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    for row in rows_of(synthetic_region, "police_victims"):
        sums[(row["lsoa21_code"], row["month"])] += int(row["victims"])
    series = view.series("police_victims", ["people_affected"])
    missing = month_number(synthetic_region.missing_months[0]) - partners[0].first_month
    assert np.isnan(series[:, missing]).all() and not np.isnan(np.delete(series, missing, axis=1)).any()
    assert not view.present("police_victims")[missing]
    column = missing + 1
    month = month_label(partners[0].first_month + column)
    assert series[:, column].tolist() == [sums[(a, month)] for a in view.geography.areas.tolist()]


def test_each_month_is_seen_from_its_own_day(partners: Held) -> None:
    panel = partners[0]
    newest = panel.monthly["ambulance"].releases[-1].month
    for source, lag in (("ambulance", 2), ("emergency_department", 3)):
        before = panel.as_of(month_start(newest + lag - 1))
        assert before.series(source, list(panel.monthly[source].measures)).shape[1] == newest - panel.first_month
        assert panel.as_of(month_start(newest + lag)).lateness(source) == lag
        assert default_as_of(panel, source) == month_start(newest + lag)


def test_districts_terms_and_quarters_travel_to_their_areas(synthetic_region: SyntheticRegion, partners: Held) -> None:
    panel = partners[0]
    rows = rows_of(synthetic_region, "school_exclusions")
    day = date(2025, 7, 1)
    view = panel.as_of(day)
    # Autumn ends in December: six months later is June. Spring ends in March and is seen in September.
    assert view.vintage("school_exclusions", "suspensions").period == "2024/25 autumn"
    assert panel.as_of(date(2025, 9, 1)).vintage("school_exclusions", "suspensions").period == "2024/25 spring"
    held = {r["ltla24_code"]: r for r in rows if r["academic_year"] == "2024/25" and r["term"] == "autumn"}
    districts = view.geography.parents["lad24"].tolist()
    whole = view.static("school_exclusions", "suspensions", travels="share")
    assert whole.tolist() == [float(held[d]["suspensions"]) for d in districts]
    shared = pd.Series(view.static("school_exclusions", "suspensions", travels="sum")).groupby(districts).sum()
    assert shared.to_dict() == pytest.approx({d: float(r["suspensions"]) for d, r in held.items()})
    assert view.vintage("youth_justice", "first_time_entrants").period == "2025Q1"
    with pytest.raises(NotYetPublished):
        panel.as_of(month_start(panel.first_month)).static("school_exclusions", "pupils", travels="sum")


def test_quality_marks_what_is_the_same_for_a_whole_district(partners: Held) -> None:
    panel, store, files = partners
    quality = build_quality(panel, store, files, as_of=date(2026, 6, 1))
    marked = quality[quality["rule"] == "values at a coarser level"].set_index(["source", "measure"])
    areas = len(panel.geography.areas)
    assert set(marked.index) == {
        ("school_exclusions", m) for m in ("pupils", "suspensions", "permanent_exclusions")
    } | {("youth_justice", m) for m in ("aged_10_to_17", "first_time_entrants")}
    assert (marked["rows"] == areas).all() and marked["note"].str.startswith("lad24").all()
    of_feed = quality[quality["source"] == "emergency_department"]
    raw = of_feed.loc[of_feed["rule"] == "raw rows", "rows"].sum()
    placed = of_feed[of_feed["rule"].isin(["located", "unlocated", "out of force"]) & (of_feed["measure"] == "all")]
    assert raw == placed["rows"].sum() > 0
    early = build_quality(panel, store, files, as_of=month_start(panel.first_month))
    assert (early.loc[early["source"] == "ambulance", "rule"] == "issue not yet visible").any()


def test_what_is_published_later_changes_nothing_of_a_feed(partners: Held) -> None:
    panel, day = partners[0], date(2025, 6, 1)

    def known(of: Panel) -> dict[str, np.ndarray]:
        view, skipped = of.as_of(day), panel.first_month - of.first_month
        found = {
            f"{source}.{measure}": view.series(source, [measure])[:, skipped:]
            for source in ("ambulance", "emergency_department", "police_victims")
            for measure in panel.monthly[source].measures
        }
        for source, measure in panel.static.vintages:
            found[f"{source}.{measure}"] = view.static(source, measure, travels="sum")
        return found

    plain = known(panel)
    for change, other in changed_futures(panel, day):
        again = known(other)
        assert all(np.array_equal(again[name], plain[name], equal_nan=True) for name in plain), change


# Feeds written by hand.
A, B, OLD = "E01000000", "E01000001", "E01009999"


def tiny(folder: Path, texts: dict[str, str], files: dict[str, Any], measures: set[str], **more: Any) -> Panel:
    geography = more.pop("geography", None) or tiny_geography(6)
    spec = SourceSpec(title="t", publisher="p", licence="l", reader="tidy_table", evidence="e", files=files)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    found = find_files("feed", spec, folder, force="f")
    store = Store(folder / "store")
    store.ingest(found)
    return build_panel(store, found, geography, measures={"feed": measures})


def codes() -> list[str]:
    return tiny_geography(6).areas.tolist()


def monthly(path: str, measures: dict[str, str], **table: Any) -> dict[str, Any]:
    form = {"layout": "wide", "area": "lsoa", "period": "month", **table}
    return {"path": path, "published": {"lag_months": 1}, "table": form, "measures": measures}


def test_an_absent_area_had_none_and_an_absent_month_is_missing(tmp_path: Path) -> None:
    a, b = codes()[:2]
    text = f"lsoa,month,kind,n\n{a},2024-01,x,2\n{b},2024-02,y,9\n{a},2024-04,x,1\n"
    panel = tiny(tmp_path, {"t.csv": text}, {"r": monthly("t.csv", {"n": "n"}, only={"kind": ["x"]})}, {"n"})
    series = panel.as_of(date(2024, 6, 1)).series("feed", ["n"])
    # February is known (it has rows) and none of them is of the kind; March has no row at all.
    assert np.array_equal(series[:2], [[2, 0, np.nan, 1], [0, 0, np.nan, 0]], equal_nan=True)


def test_codes_of_2011_convert_as_police_counts_do(tmp_path: Path) -> None:
    lines = [f"E01009999,2024-{m:02d},{n}" for m, n in ((1, 3), (2, 4), (3, 2))]
    text = "lsoa,month,n\n" + "\n".join(lines) + "\nE01008888,2024-01,5\n,2024-01,7\n"
    panel = tiny(tmp_path, {"t.csv": text}, {"r": monthly("t.csv", {"n": "n"})}, {"n"})
    view = panel.as_of(date(2024, 6, 1))
    series = view.series("feed", ["n"])
    assert series.sum(axis=0).tolist() == [3, 4, 2] and series[:4].sum() == 0
    assert view.unlocated("feed", ["n"]).tolist() == [7, 0, 0]


def test_two_tables_of_one_source_keep_to_their_own_months(tmp_path: Path) -> None:
    a = codes()[0]
    texts = {
        "one.csv": f"lsoa,month,n\n{a},2024-01,1\n{a},2024-02,2\n",
        "two.csv": f"lsoa,month,m\n{a},2024-02,5\n{a},2024-03,6\n",
    }
    files = {"one": monthly("one.csv", {"n": "n"}), "two": monthly("two.csv", {"m": "m"})}
    files["two"]["published"] = {"lag_months": 2}
    view = tiny(tmp_path, texts, files, {"n", "m"}).as_of(date(2024, 12, 1))
    found = {m: view.series("feed", [m])[0] for m in ("n", "m")}
    assert np.array_equal(found["n"], [1, 2, np.nan], equal_nan=True)
    assert np.array_equal(found["m"], [np.nan, 5, 6], equal_nan=True)
    early = tiny(tmp_path, texts, files, {"n", "m"}).as_of(date(2024, 3, 1))
    assert np.array_equal(early.series("feed", ["m"])[0], [np.nan, np.nan], equal_nan=True)


def test_monthly_counts_of_districts_and_sums_of_shares_are_refused(tmp_path: Path) -> None:
    a = codes()[0]
    with pytest.raises(DefinitionError, match="monthly counts are held by LSOA"):
        text = "lsoa,month,n\nE07000001,2024-01,1\n"
        tiny(tmp_path, {"t.csv": text}, {"r": monthly("t.csv", {"n": "n"}) | {"level": "lad24"}}, {"n"})
    text = f"lsoa,sex,month,n,k\n{a},f,2024-01,0.25,1\n{a},m,2024-01,0.5,1\n"
    broken = {
        "by_sex": {
            "path": "t.csv",
            "published": date(2024, 1, 1),
            "period": "2023",
            "table": {"layout": "wide", "area": "lsoa", "breakdowns": {"sex": "sex"}},
            "measures": {"share": "n"},
        },
        "monthly": monthly("t.csv", {"k": "k"}, repeated="sum"),
    }
    view = tiny(tmp_path, {"t.csv": text}, broken, {"share", "k"}).as_of(date(2024, 6, 1))
    assert view.static("feed", "share", travels="sum")[0] == 0.75
    with pytest.raises(DefinitionError, match="held by breakdown"):
        view.static("feed", "share", travels="share")


# Coarser levels: the naive oracle goes area by area.
def naive(ties: Ties, residents: np.ndarray, given: dict[str, float], travels: str) -> list[float]:
    areas = range(len(residents))
    parts = [(int(a), str(c), float(s)) for a, c, s in zip(ties.area, ties.code, ties.share, strict=True)]
    found = []
    for area in areas:
        own = [(c, s) for a, c, s in parts if a == area]
        if travels == "sum":
            people = {c: sum(residents[a] * s for a, k, s in parts if k == c) for c, _ in own}
            found.append(sum(given.get(c, np.nan) * residents[area] * s / people[c] for c, s in own))
        else:
            found.append(sum(given.get(c, np.nan) * s for c, s in own))
    return found


@settings(max_examples=40)
@given(
    owners=st.lists(st.integers(0, 2), min_size=6, max_size=6),
    straddles=st.floats(0.1, 0.9),
    values=st.lists(st.one_of(st.just(np.nan), st.floats(0, 500)), min_size=3, max_size=3),
    travels=st.sampled_from(["sum", "share", "population_weighted_mean"]),
    order=st.permutations(range(6)),
)
def test_values_of_a_coarser_level_travel_as_declared(
    owners: list[int], straddles: float, values: list[float], travels: str, order: list[int]
) -> None:
    frame = tiny_geography(6).conversion
    names = np.array(["E06000001", "E06000002", "E06000003"])
    area = np.array([0, 0, 1, 2, 3, 4, 5])
    code = names[[owners[0], (owners[0] + 1) % 3, *owners[1:]]]
    share = np.array([straddles, 1 - straddles, 1, 1, 1, 1, 1])
    ties = Ties(area, code, share)
    found = replace(frame, coarser={"lad21": ties}).static(names, np.array(values), travels=travels, level="lad21")
    expected = naive(ties, frame.residents, dict(zip(names.tolist(), values, strict=True)), travels)
    assert np.allclose(found, expected, equal_nan=True)
    if travels == "sum":
        reached = [v for n, v in zip(names, values, strict=True) if n in code]
        assert np.isnan(found).any() == np.isnan(reached).any()
        assert np.isnan(reached).any() or np.isclose(found.sum(), sum(reached))
    place = np.argsort(order)
    moved = replace(
        frame,
        areas=frame.areas[order],
        residents=frame.residents[order],
        coarser={"lad21": Ties(place[area], code, share)},
    )
    again = moved.static(names, np.array(values), travels=travels, level="lad21")
    assert np.allclose(again, found[order], equal_nan=True)


def test_a_level_without_its_lookup_is_refused() -> None:
    with pytest.raises(DataFileError, match="no lookup held leads from 'lad21'"):
        tiny_geography(6).conversion.static(np.array(["E06000001"]), np.ones(1), travels="sum", level="lad21")


@pytest.fixture(scope="module")
def real_frames(real_data: Path) -> dict[str, Geography]:
    return {
        force: build_geography(real_data, spec_of("geography"), spec_of("census2021"), region=RegionSpec(force=force))
        for force in ("gloucestershire", "thames-valley", "cumbria")
    }


@pytest.mark.real
def test_areas_lie_in_the_districts_of_each_year(real_frames: dict[str, Geography], real_data: Path) -> None:
    lookup = pd.read_csv(real_data / "lookups" / "lookup_lsoa11_ltla21.csv.gz", dtype=str)
    of_2011 = lookup.set_index("lsoa11_code")["ltla21_code"]
    ties = pd.read_csv(real_data / "lookups" / "lookup_lsoa11_lsoa21_ltla22.csv.gz", dtype=str)
    for frame in real_frames.values():
        assert set(frame.conversion.coarser) == {"msoa21", "ward24", "lad24", "lad21", "lad22", "lad23"}
        expected = {
            (c, of_2011[p]) for p, c in zip(ties.lsoa11_code, ties.lsoa21_code, strict=True) if c in frame.areas
        }
        held = frame.conversion.coarser["lad21"]
        assert {(frame.areas[a], c) for a, c in zip(held.area, held.code, strict=True)} == expected
        for level in frame.conversion.coarser.values():
            whole = np.bincount(level.area, weights=level.share, minlength=len(frame.areas))
            assert np.allclose(whole, 1)
    # Cumbria's six districts of 2021 and 2022 became two in 2023.
    counted = {k: len(set(v.code)) for k, v in real_frames["cumbria"].conversion.coarser.items()}
    assert (counted["lad21"], counted["lad22"], counted["lad23"], counted["lad24"]) == (6, 6, 2, 2)


@pytest.mark.real
def test_the_health_index_reaches_every_area(
    real_frames: dict[str, Geography], real_data: Path, tmp_path: Path
) -> None:
    spec, police = spec_of("health_index"), spec_of("police_uk")
    frame = real_frames["gloucestershire"]
    files = [f for f in find_files("health_index", spec, real_data, force=frame.force) if f.role == "indicators"]
    files += find_files("police_uk", police, real_data, force=frame.force, first_month="2025-05")
    store = Store(tmp_path / "store")
    store.ingest(files)
    measure, spelt = next(iter(files[0].spec.measures.items()))
    panel = build_panel(
        store, files, frame, measures={"health_index": {measure}, "police_uk": {"violence_and_sexual_offences"}}
    )
    view = panel.as_of(date(2025, 9, 1))
    assert view.vintage("health_index", measure).period == "2021"
    found = view.static("health_index", measure, travels="share")
    table = pd.read_csv(files[0].path)
    table = table[(table["year"] == 2021) & (table["indicator"] == spelt)].set_index("ltla21_code")["value"]
    assert np.array_equal(found, table.loc[frame.parents["lad24"].tolist()].to_numpy())
