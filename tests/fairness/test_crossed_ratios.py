"""The table of intersections: every cell x model x knowledge, bounds around the point, and what depends on it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crossing_builders import invented_groupings, make_grouping
from riskmodel.fairness.crossed_ratios import KNOWLEDGE, DistrictTotals, build_intersections
from riskmodel.fairness.intersections import Crossing, cross

BAND = (0.5, 2.0)


def invented(areas: int = 60, seed: int = 1) -> tuple[Crossing, np.ndarray, np.ndarray]:
    """A crossing of three characteristics of people and one of areas, with forecasts of two models, and records."""
    chance = np.random.default_rng(seed)
    crossing = cross(invented_groupings(areas, seed))
    mean = chance.gamma(4, 5, (2, areas))
    return crossing, mean, chance.poisson(mean[0]).astype(float)


def silent(people: np.ndarray, model: int) -> list[str]:
    return ["insufficient"] * people.shape[1]


def test_every_cell_has_a_row_for_every_model_and_every_kind_of_knowledge() -> None:
    crossing, mean, observed = invented()
    table = build_intersections(crossing, ["a", "b"], mean, observed, band=BAND, judge=silent)
    assert len(table) == 2 * 3 * 2 * 5 * 2 * len(KNOWLEDGE)
    assert set(table["depends"]) == {"no"}
    held = table.pivot_table(aggfunc="first", index=["group", "model_id"], columns="knowledge", values=["low", "high"])
    assert (held["low"]["margins"] <= held["low"]["band"] + 1e-12).all()
    assert (held["low"]["band"] <= held["low"]["independent"]).all()
    assert (held["high"]["independent"] <= held["high"]["band"]).all()
    rest = table[table["knowledge"] == "band and districts"]
    assert rest[["low", "high"]].isna().all(axis=None)
    assert rest["note"].str.startswith("no table of these characteristics together").all()


def test_the_point_is_the_ratio_weighted_by_shares() -> None:
    crossing, mean, observed = invented()
    table = build_intersections(crossing, ["a", "b"], mean, observed, band=BAND, judge=silent)
    share = crossing.people / crossing.total[:, None]
    for number, model in enumerate(("a", "b")):
        expected = (mean[number] @ share) / (observed @ share)
        rows = table[(table["model_id"] == model) & (table["knowledge"] == "independent")].set_index("group")
        assert rows.loc[list(crossing.groups), "point"].to_numpy() == pytest.approx(expected)


def test_a_cell_depends_where_the_verdict_changes_on_the_way_to_its_bounds() -> None:
    crossing, mean, observed = invented()
    weight = 1 / crossing.total

    def by_ratio(people: np.ndarray, model: int) -> list[str]:
        found = ((mean[model] * weight) @ people) / ((observed * weight) @ people)
        return ["concern" if ratio > 1.1 else "no_evidence" for ratio in found]

    table = build_intersections(crossing, ["a", "b"], mean, observed, band=BAND, judge=by_ratio)
    rows = table[table["knowledge"] == "band"]
    crosses = ((rows["low"] <= 1.1) & (rows["high"] > 1.1)).to_numpy()
    assert crosses.any()
    assert not crosses.all()
    assert (rows["depends"] == np.where(crosses, "yes", "no")).all()


def test_a_verdict_that_changes_only_half_way_is_seen() -> None:
    sex, race, *_ = invented_groupings(20, 3)
    crossing = cross([sex, race])
    mean, observed = np.random.default_rng(3).gamma(4, 5, (1, 20)), np.ones(20)
    asked: list[np.ndarray] = []

    def remember(people: np.ndarray, model: int) -> list[str]:
        asked.append(people)
        half_way = len(asked) > 1 and len(asked) % 2 == 0
        return ["concern" if half_way else "insufficient"] * people.shape[1]

    table = build_intersections(crossing, ["a"], mean, observed, band=BAND, judge=remember)
    assert (table.loc[table["knowledge"] == "band", "depends"] == "yes").all()


def test_empty_cells_are_listed_blank_with_their_reason() -> None:
    sex = make_grouping("sex", ("female", "male"), np.full((4, 2), 50.0))
    race = make_grouping("race", ("a", "b"), np.array([[100.0, 0.0]] * 4))
    table = build_intersections(cross([sex, race]), ["m"], np.ones((1, 4)), np.ones(4), band=BAND, judge=silent)
    empty = table[table["group"] == "female & b"]
    assert len(empty) == len(KNOWLEDGE)
    assert empty[["low", "point", "high"]].isna().all(axis=None)
    assert set(empty["note"]) == {"nobody in the region is in 'b' of 'race'"}
    assert set(empty["people"]) == {0.0}


def test_district_totals_narrow_the_bounds_and_contradictions_are_told() -> None:
    sex, race, *_ = invented_groupings(40, 5)
    crossing = cross([sex, race])
    chance = np.random.default_rng(5)
    mean, observed = chance.gamma(4, 5, (1, 40)), chance.poisson(20, 40).astype(float)
    district = np.arange(40) // 20
    totals = crossing.people.T @ (district[:, None] == np.arange(2))
    totals[0, 0] *= 5
    table = build_intersections(
        crossing, ["m"], mean, observed, band=BAND, judge=silent, districts=DistrictTotals(district, totals)
    )
    held = table.pivot_table(
        aggfunc="first", index="group", columns="knowledge", values=["low", "high", "depends", "note"]
    )
    first = crossing.groups[0]
    assert "cannot both hold" in held.loc[first, ("note", "band and districts")]
    assert held.loc[first, ("depends", "band and districts")] == "yes"
    rest = held.drop(index=first)
    assert (rest["low"]["band and districts"] >= rest["low"]["band"] - 1e-12).all()
    assert (rest["high"]["band and districts"] <= rest["high"]["band"] + 1e-12).all()


def test_a_group_that_could_live_only_where_nothing_was_recorded_has_no_upper_end() -> None:
    sex, race, *_ = invented_groupings(20, 6)
    crossing = cross([sex, race])
    observed = np.append(0.0, np.full(19, 9.0))
    table = build_intersections(crossing, ["m"], np.full((1, 20), 9.0), observed, band=BAND, judge=silent)
    row = table[(table["group"] == "female & black") & (table["knowledge"] == "margins")].iloc[0]
    assert pd.isna(row["high"])
    assert row["note"].startswith("no upper end")
    nothing = build_intersections(crossing, ["m"], np.full((1, 20), 9.0), np.zeros(20), band=BAND, judge=silent)
    assert nothing["point"].isna().all()
    assert set(nothing["depends"]) == {"no"}
