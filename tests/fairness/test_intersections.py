"""People where characteristics meet: margins are reproduced, names change nothing, every cell is accounted for."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossing_builders import invented_groupings, make_grouping
from riskmodel.contracts.errors import DefinitionError
from riskmodel.fairness.bounds import joint_share
from riskmodel.fairness.intersections import agree_totals, cross, fit_margins


def naive_fit(margins: list[np.ndarray], seed: np.ndarray) -> np.ndarray:
    """One area, cell by cell: what ``fit_margins`` does to all of them at once."""
    cells = {index: float(seed[index]) for index in np.ndindex(seed.shape)}
    for _ in range(300):
        for axis, margin in enumerate(margins):
            held = [sum(v for index, v in cells.items() if index[axis] == g) for g in range(len(margin))]
            cells = {i: v * (margin[i[axis]] / held[i[axis]] if held[i[axis]] > 0 else 0.0) for i, v in cells.items()}
    return np.array([cells[index] for index in np.ndindex(seed.shape)]).reshape(seed.shape)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(2, 4))
def test_every_margin_is_reproduced(seed: int, characteristics: int) -> None:
    chance = np.random.default_rng(seed)
    sizes = chance.integers(2, 5, characteristics)
    total = chance.integers(0, 3000, 15).astype(float)
    margins = [chance.dirichlet(np.ones(size), 15) * total[:, None] for size in sizes]
    joint = chance.uniform(0.2, 5.0, sizes)
    cells = fit_margins(margins, seed=joint)
    for axis, margin in enumerate(margins):
        others = tuple(a + 1 for a in range(characteristics) if a != axis)
        assert np.abs(cells.sum(axis=others) - margin).max() <= 1e-6


def test_it_does_to_all_areas_what_a_loop_does_to_one() -> None:
    chance = np.random.default_rng(3)
    margins = [chance.dirichlet(np.full(size, 9.0), 4) * 1000.0 for size in (2, 3, 2)]
    joint = chance.uniform(0.1, 9.0, (4, 2, 3, 2))
    joint[:, 0, 0, 0] = 0.0
    cells = fit_margins(margins, seed=joint)
    for area in range(4):
        expected = naive_fit([margin[area] for margin in margins], joint[area])
        assert cells[area] == pytest.approx(expected, abs=1e-6)


@settings(max_examples=30)
@given(st.floats(0.02, 0.98), st.floats(0.02, 0.98), st.floats(0.1, 10.0))
def test_two_ways_two_equal_the_closed_form(p: float, q: float, odds: float) -> None:
    cells = fit_margins([np.array([[p, 1 - p]]), np.array([[q, 1 - q]])], seed=[[odds, 1.0], [1.0, 1.0]])
    assert cells[0, 0, 0] == pytest.approx(float(joint_share(p, q, odds)), abs=1e-7)


def test_without_a_joint_table_characteristics_are_independent_within_an_area() -> None:
    sex, race, disability, _ = invented_groupings(12, 1)
    made = cross([sex, race, disability])
    shares = [grouping.people / grouping.people.sum(axis=1, keepdims=True) for grouping in (sex, race, disability)]
    expected = np.einsum("ai,aj,ak->aijk", *shares).reshape(12, -1) * made.total[:, None]
    assert made.people == pytest.approx(expected)


def test_classes_of_areas_only_mask() -> None:
    sex, race, _, fifth = invented_groupings(30, 2)
    people = cross([sex, race])
    made = cross([sex, fifth, race])
    for name, column in zip(made.groups, made.people.T, strict=True):
        s, f, r = name.split(" & ")
        inside = fifth.people[:, fifth.groups.index(f)] > 0
        assert column == pytest.approx(np.where(inside, people.people[:, people.groups.index(f"{s} & {r}")], 0.0))
    assert made.characteristic == "sex x deprivation x ethnic_group"


def test_the_order_of_characteristics_and_the_names_of_groups_change_nothing() -> None:
    parts = invented_groupings(10, 4)
    base = cross(parts)
    held = {frozenset(name.split(" & ")): base.people[:, i] for i, name in enumerate(base.groups)}
    for order in list(permutations(parts))[::5]:
        made = cross(order)
        for name, people in zip(made.groups, made.people.T, strict=True):
            assert people == pytest.approx(held[frozenset(name.split(" & "))], abs=1e-8)
    renamed = cross([replace(parts[0], groups=("x", "y")), *parts[1:]])
    assert renamed.people.tobytes() == base.people.tobytes()


def test_merging_two_groups_gives_the_sum_of_their_cells() -> None:
    sex, race, disability, _ = invented_groupings(10, 5)
    merged = make_grouping("ethnic_group", ("other", "white"), np.c_[race.people[:, :2].sum(axis=1), race.people[:, 2]])
    one, two = cross([sex, race, disability]), cross([sex, merged, disability])
    cells, fewer = one.people.reshape(10, 2, 3, 2), two.people.reshape(10, 2, 2, 2)
    assert fewer[:, :, 0] == pytest.approx(cells[:, :, :2].sum(axis=2))


def test_every_cell_is_listed_and_empty_ones_say_why() -> None:
    sex = make_grouping("sex", ("female", "male"), np.array([[5.0, 5.0], [6.0, 4.0]]))
    faith = make_grouping("faith", ("one", "none_at_all"), np.array([[10.0, 0.0], [10.0, 0.0]]))
    place = make_grouping("place", ("urban", "rural"), np.array([[10.0, 0.0], [10.0, 0.0]]), kind="areas")
    made = cross([sex, faith, place])
    assert made.groups == tuple(" & ".join(c) for c in product(sex.groups, faith.groups, place.groups))
    assert set(made.empty) == {g for g, held in zip(made.groups, made.people.sum(axis=0), strict=True) if held == 0}
    assert made.empty["female & one & rural"] == "nobody in the region is in 'rural' of 'place'"
    one_each = make_grouping("faith", ("a", "b"), np.array([[10.0, 0.0], [0.0, 10.0]]))
    where = make_grouping("place", ("urban", "rural"), np.array([[10.0, 0.0], [0.0, 10.0]]), kind="areas")
    apart = cross([one_each, where])
    assert apart.empty["a & rural"] == "no area of the region holds people of all of them"


def test_tables_that_differ_are_brought_to_their_mean_and_the_difference_is_told() -> None:
    agreed, total, difference, left_out = agree_totals(
        [np.array([[40.0, 60.0], [5.0, 5.0]]), np.array([[51.0, 51.0], [0.0, 0.0]])]
    )
    assert total.tolist() == [101.0, 0.0]
    assert left_out == 5.0
    assert difference == pytest.approx(8.0 / 106.0)
    assert [table.sum(axis=1).tolist() for table in agreed] == [[101.0, 0.0], [101.0, 0.0]]
    sex, race, *_ = invented_groupings(40, 6)
    made = cross([sex, race])
    assert 0 < made.difference < 0.01
    assert made.people.sum(axis=1) == pytest.approx((sex.total + race.total) / 2)


def test_groups_that_leave_people_out_are_refused() -> None:
    sex, race, *_ = invented_groupings(5, 7)
    partial = replace(race, groups=race.groups[:2], people=race.people[:, :2])
    with pytest.raises(DefinitionError, match="leave people out"):
        cross([sex, partial])


def test_a_joint_table_that_cannot_have_the_margins_is_refused() -> None:
    margins = [np.array([[30.0, 70.0]]), np.array([[60.0, 40.0]])]
    with pytest.raises(DefinitionError, match="has these margins"):
        fit_margins(margins, seed=[[1.0, 0.0], [0.0, 1.0]])
    with pytest.raises(DefinitionError, match="does not fit"):
        fit_margins(margins, seed=[[1.0, 1.0]])
    sex, *_ = invented_groupings(5, 8)
    with pytest.raises(DefinitionError, match="two or more"):
        cross([sex, sex])
    race = invented_groupings(5, 8)[1]
    with pytest.raises(DefinitionError, match="other areas"):
        cross([sex, race.at(race.areas[::-1])])
