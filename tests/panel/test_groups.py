"""Who lives where: groups add up to their table's total, know their day, and do not depend on the order of areas."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from builders import FIRST, reordered, tiny_panel
from riskmodel.contracts.errors import DefinitionError
from riskmodel.contracts.periods import month_start
from riskmodel.contracts.specs import CharacteristicSpec, RegionSpec
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.panel.build import build_panel
from riskmodel.panel.geography import build_geography
from riskmodel.panel.groups import NOT_CLASSIFIED, build_groups, group_measures, groups_not_yet_published
from riskmodel.panel.view import Panel, Static, Vintage
from riskmodel.sources.files import find_files
from riskmodel.store import Store

ROOT = Path(__file__).parents[2]
CHARACTERISTICS = Workspace(ROOT).read_all("characteristic")
TEXTS = {"title": "t", "recorded_as": "r", "source": "iod"}
FIFTHS = CharacteristicSpec(
    **TEXTS,
    question="poverty",
    classes={"low": {"measure": "income", "below": 20}, "high": {"measure": "income", "least": 20}},
)
SEX = CharacteristicSpec(**TEXTS, question="gender", groups={"female": ["women"]}, total="all", rest="male")


def by_group(groups: pd.DataFrame, column: str = "population") -> pd.DataFrame:
    return groups.pivot_table(index="area", columns="group", values=column, aggfunc="first", dropna=False)


def people_panel() -> Panel:
    """A panel with income in two vintages, and women among all residents, published later."""
    panel = tiny_panel()
    random, areas = np.random.default_rng(5), panel.geography.areas
    women = random.integers(0, 900, len(areas)).astype(float)
    everybody = np.append(women[:-1] + 7, 0.0)
    women[-1] = 0
    day = month_start(FIRST + 10)
    static = {
        **panel.static.vintages,
        ("iod", "women"): [Vintage("2021", day, "lsoa21", areas, women, "w.csv")],
        ("iod", "all"): [Vintage("2021", day, "lsoa21", areas, everybody, "w.csv")],
    }
    return Panel(panel.geography, panel.monthly, Static(static), panel.first_month)


def test_groups_and_their_rest_add_up_to_the_total() -> None:
    view = people_panel().as_of(month_start(FIRST + 12))
    groups = build_groups(view, {"sex": SEX})
    people, shares = by_group(groups), by_group(groups, "share")
    assert np.array_equal(people.sum(axis=1), view.static("iod", "all", travels="sum"))
    assert np.array_equal(people["female"], view.static("iod", "women", travels="sum"))
    assert np.allclose(shares.sum(axis=1)[:-1], 1) and shares.iloc[-1].isna().all()


def test_a_class_takes_in_all_residents_of_its_areas() -> None:
    panel = people_panel()
    view = panel.as_of(month_start(FIRST + 12))
    income = view.static("iod", "income", travels="share")
    found = by_group(build_groups(view, {"fifth": FIFTHS}))
    assert np.array_equal(found["low"], np.where(income < 20, view.geography.population, 0))
    assert np.array_equal(found["low"] + found["high"], view.geography.population)
    gap = FIFTHS.model_copy(update={"classes": {"high": FIFTHS.classes["high"]}})
    found = by_group(build_groups(view, {"fifth": gap}))
    assert np.array_equal(found[NOT_CLASSIFIED], np.where(income < 20, view.geography.population, 0))
    both = FIFTHS.model_copy(update={"classes": {"one": FIFTHS.classes["low"], "two": FIFTHS.classes["low"]}})
    with pytest.raises(DefinitionError, match="areas are in two classes of 'fifth'"):
        build_groups(view, {"fifth": both})


def test_only_what_is_published_is_shown_and_the_rest_is_named() -> None:
    panel, both = people_panel(), {"sex": SEX, "fifth": FIFTHS}
    early, late = panel.as_of(month_start(FIRST + 9)), panel.as_of(month_start(FIRST + 25))
    assert set(build_groups(early, both)["characteristic"]) == {"fifth"}
    assert groups_not_yet_published(early, both) == {
        "sex": f"not yet published (first published {month_start(FIRST + 10).isoformat()})"
    }
    assert groups_not_yet_published(late, both) == {}
    published = build_groups(late, both).groupby("characteristic")[["period", "published"]].first()
    assert published.loc["fifth", "period"] == "new"
    assert published["published"].dt.date.to_dict() == {
        "fifth": month_start(FIRST + 20),
        "sex": month_start(FIRST + 10),
    }
    assert build_groups(early, {"sex": SEX}).empty


def test_the_order_of_areas_changes_nothing() -> None:
    panel, both = people_panel(), {"sex": SEX, "fifth": FIFTHS}
    order = np.random.default_rng(2).permutation(len(panel.geography.areas))
    day = month_start(FIRST + 12)
    keys = ["characteristic", "group", "area"]
    plain, moved = (build_groups(p.as_of(day), both).set_index(keys) for p in (panel, reordered(panel, order)))
    pd.testing.assert_frame_equal(plain.sort_index(), moved.sort_index())


def test_a_characteristic_is_of_people_or_of_areas() -> None:
    for wrong, said in (
        ({}, "either 'groups' of people or 'classes' of areas"),
        ({"groups": {"a": ["m"]}, "total": "t", "classes": {"b": {"measure": "m"}}}, "either 'groups'"),
        ({"groups": {"a": ["m"]}}, "'total' belongs to 'groups'"),
        ({"classes": {"a": {"measure": "m"}}, "rest": "b"}, "'rest' is a further group"),
        ({"groups": {"a": ["m"]}, "total": "t", "rest": "a"}, "'rest' is a further group"),
    ):
        with pytest.raises(ValueError, match=said):
            CharacteristicSpec(**TEXTS, question="age", **wrong)


@pytest.fixture(scope="module")
def real_panel(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Panel:
    sources = Workspace(ROOT).read_all("source")
    frame = build_geography(
        real_data, sources["geography"], sources["census2021"], region=RegionSpec(force="gloucestershire")
    )
    measures = {**group_measures(CHARACTERISTICS), "police_uk": {"violence_and_sexual_offences"}}
    files = []
    for name, wanted in measures.items():
        roles = [r for r, f in sources[name].files.items() if wanted & set(f.measures)]
        first = "2025-06" if name == "police_uk" else None
        files += find_files(name, sources[name], real_data, force="gloucestershire", roles=roles, first_month=first)
    store = Store(tmp_path_factory.mktemp("groups") / "store")
    store.ingest(files)
    return build_panel(store, files, frame, measures=measures)


@pytest.mark.real
def test_the_groups_of_gloucestershire_add_up(real_panel: Panel) -> None:
    view = real_panel.as_of(date(2025, 9, 1))
    groups = build_groups(view, CHARACTERISTICS)
    assert set(groups["characteristic"]) == set(CHARACTERISTICS) and NOT_CLASSIFIED not in set(groups["group"])
    totals = groups.pivot_table(index="characteristic", columns="area", values="population", aggfunc="sum")
    for name, spec in CHARACTERISTICS.items():
        expected = view.static(spec.source, spec.total, travels="sum") if spec.total else view.geography.population
        if spec.source == "census2021" or spec.classes:
            assert np.array_equal(totals.loc[name, view.geography.areas.tolist()], expected), name
        else:
            assert np.allclose(totals.loc[name, view.geography.areas.tolist()], expected), name
    five = groups[groups["characteristic"] == "ethnic_group"].groupby("group")["population"].sum()
    nineteen = groups[groups["characteristic"] == "ethnic_group_19"].groupby("group")["population"].sum()
    assert len(nineteen) == 19
    for group in ("asian", "black", "mixed", "white"):
        parts = nineteen[nineteen.index.str.startswith(f"{group}_")].sum()
        assert abs(parts - five[group]) <= 60, "disclosure control changes small counts a little"


@pytest.mark.real
def test_young_people_are_those_of_the_published_single_years(real_panel: Panel, real_data: Path) -> None:
    groups = build_groups(real_panel.as_of(date(2025, 9, 1)), CHARACTERISTICS)
    with gzip.open(real_data / "population" / "population20_lsoa11.csv.gz") as raw:
        ages = pd.read_csv(raw).set_index("lsoa11_code")
    ties = pd.read_csv(real_data / "lookups" / "lookup_lsoa11_lsoa21_ltla22.csv.gz", dtype=str)
    own = ties.loc[ties["lsoa21_code"].isin(real_panel.geography.areas), "lsoa11_code"].unique()
    young = groups[groups["characteristic"] == "young_people"].groupby("group")["population"].sum()
    for group, first, last in (("aged_0_to_9", 0, 9), ("aged_10_to_17", 10, 17), ("aged_18_to_24", 18, 24)):
        published = ages.loc[own, [str(a) for a in range(first, last + 1)]].to_numpy().sum()
        assert young[group] == pytest.approx(published)


@pytest.mark.real
def test_deprivation_groups_follow_the_vintage_known(real_panel: Panel) -> None:
    for day, period in ((date(2025, 9, 1), "2019"), (date(2025, 11, 1), "2025")):
        groups = build_groups(real_panel.as_of(day), {"deprivation": CHARACTERISTICS["deprivation"]})
        assert set(groups["period"]) == {period}
        assert groups.loc[groups["share"] > 0].groupby("area").size().eq(1).all()
