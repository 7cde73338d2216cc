"""Bounds on the people of an intersection, and on its calibration ratio, held to solvers and to all corners."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.contracts.errors import DefinitionError
from riskmodel.fairness.bounds import MARGINS_ALONE, joint_share, people_bounds, ratio_bounds

shares = st.floats(0.0, 1.0)


def solved(
    m: np.ndarray, y: np.ndarray, low: np.ndarray, high: np.ndarray, district: np.ndarray, totals: np.ndarray
) -> tuple[float, float]:
    """The linear-fractional programme by Charnes and Cooper, with HiGHS: variables z t for each area, and t."""
    from scipy.optimize import linprog

    n = len(m)
    above = np.hstack([np.eye(n), -high[:, None]])
    below = np.hstack([-np.eye(n), low[:, None]])
    member = (district[:, None] == np.arange(len(totals))).T.astype(float)
    equal = np.vstack([np.append(y, 0.0), np.hstack([member, -totals[:, None]])])
    wanted = np.append(1.0, np.zeros(len(totals)))
    ends = []
    for sign in (1.0, -1.0):
        made = linprog(
            np.append(sign * m, 0.0), A_ub=np.vstack([above, below]), b_ub=np.zeros(2 * n), A_eq=equal, b_eq=wanted,
            bounds=[(0, None)] * (n + 1), method="highs",
        )  # fmt: skip
        assert made.status == 0, made.message
        ends.append(sign * made.fun)
    return ends[0], ends[1]


@given(shares, shares, st.floats(0.01, 100.0))
def test_the_joint_share_has_its_odds_ratio(p: float, q: float, odds: float) -> None:
    z = float(joint_share(p, q, odds))
    assert max(0.0, p + q - 1) - 1e-12 <= z <= min(p, q) + 1e-12
    cells = (z * (1 - p - q + z), (p - z) * (q - z))
    assert cells[0] == pytest.approx(odds * cells[1], abs=1e-9 * (1 + odds))


@given(shares, shares, st.floats(0.05, 20.0), st.floats(1.01, 5.0))
def test_it_grows_with_the_odds_ratio_and_with_either_share(p: float, q: float, odds: float, times: float) -> None:
    z = float(joint_share(p, q, odds))
    assert float(joint_share(p, q, odds * times)) >= z - 1e-12
    assert float(joint_share(min(p * times, 1.0), q, odds)) >= z - 1e-12
    assert z == pytest.approx(float(joint_share(q, p, odds)), abs=1e-12)


@given(shares, shares)
def test_its_ends_are_independence_and_frechets(p: float, q: float) -> None:
    assert float(joint_share(p, q, 1.0)) == pytest.approx(p * q, abs=1e-12)
    assert float(joint_share(p, q, 1.0 + 1e-9)) == pytest.approx(p * q, abs=1e-8)
    assert float(joint_share(p, q, 1e-9)) == pytest.approx(max(0.0, p + q - 1), abs=1e-4)
    assert float(joint_share(p, q, 0.0)) == max(p + q - 1.0, 0.0)
    assert float(joint_share(p, q, np.inf)) == min(p, q)


@settings(max_examples=50)
@given(st.integers(0, 10_000))
def test_bounds_of_three_hold_every_table_with_the_margins(seed: int) -> None:
    table = np.random.default_rng(seed).dirichlet(np.full(8, 0.4)).reshape(2, 2, 2) * 100
    members = [table[0].sum(), table[:, 0].sum(), table[:, :, 0].sum()]
    low, high = people_bounds([np.array([m]) for m in members], np.array([100.0]), MARGINS_ALONE)
    assert low[0] == pytest.approx(max(0.0, sum(members) - 200.0), abs=1e-9)
    assert high[0] == pytest.approx(min(members), abs=1e-9)
    assert low[0] - 1e-9 <= table[0, 0, 0] <= high[0] + 1e-9


@settings(max_examples=30)
@given(st.integers(0, 10_000))
def test_bounds_of_three_hang_on_no_order_and_hold_independence_and_their_own_sequence(seed: int) -> None:
    chance = np.random.default_rng(seed)
    total = np.array([1000.0])
    shares = chance.uniform(0.05, 0.95, 3)
    members = [np.array([1000.0 * share]) for share in shares]
    low, high = people_bounds(members, total, (0.5, 2.0))
    again = people_bounds(members[::-1], total, (0.5, 2.0))
    assert (low, high) == (pytest.approx(again[0]), pytest.approx(again[1]))
    assert low[0] <= 1000.0 * shares.prod() <= high[0]
    one, other = chance.uniform(0.5, 2.0, 2)
    order = chance.permutation(3)
    pair = joint_share(shares[order[0]], shares[order[1]], float(one))
    assert low[0] - 1e-9 <= 1000.0 * float(joint_share(pair, shares[order[2]], float(other))) <= high[0] + 1e-9


@settings(max_examples=60)
@given(st.integers(0, 100_000), st.booleans())
def test_all_corners_of_a_tiny_problem(seed: int, none_least: bool) -> None:
    chance = np.random.default_rng(seed)
    m, y = chance.uniform(0.1, 5, 5), chance.poisson(1.5, 5).astype(float)
    low = np.zeros(5) if none_least else chance.uniform(0, 3, 5)
    high = low + chance.uniform(0, 4, 5) + 0.01
    found = ratio_bounds(m, y, low[None], high[None])
    if not y.any():
        assert np.isnan(found.low[0])
        return
    ratios = [
        (z @ m) / (z @ y) if z @ y > 0 else np.inf
        for z in map(np.array, product(*zip(low, high, strict=True)))
        if z.any()
    ]
    assert found.low[0] == pytest.approx(min(ratios))
    assert found.high[0] == pytest.approx(max(ratios))
    if np.isfinite(found.high[0]):
        assert found.people_high[0] @ m / (found.people_high[0] @ y) == pytest.approx(found.high[0])
    assert found.people_low[0] @ m / (found.people_low[0] @ y) == pytest.approx(found.low[0])


def test_margins_alone_are_the_closed_form_by_sorting() -> None:
    chance = np.random.default_rng(5)
    m, y, low = chance.uniform(0.1, 5, 300), chance.poisson(3, 300).astype(float), chance.uniform(0, 1, 300)
    high = low + chance.uniform(0, 3, 300)
    order = np.argsort(-(m / np.maximum(y, 1e-12)), kind="stable")
    taken = np.append(0, np.arange(1, 301))
    more_m, more_y = (np.append(0.0, np.cumsum(((high - low) * v)[order])) for v in (m, y))
    ratios = (low @ m + more_m[taken]) / (low @ y + more_y[taken])
    assert ratio_bounds(m, y, low[None], high[None]).high[0] == pytest.approx(ratios.max())


@settings(max_examples=25)
@given(st.integers(0, 100_000))
def test_with_district_totals_it_is_the_linear_programme(seed: int) -> None:
    chance = np.random.default_rng(seed)
    m, y = chance.uniform(0.1, 5, 24), chance.poisson(2, 24).astype(float)
    district = np.sort(chance.integers(0, 3, 24))[chance.permutation(24)]
    low = chance.uniform(0, 3, (2, 24))
    high = low + chance.uniform(0, 4, (2, 24))
    inside = low + chance.uniform(0, 1, (2, 24)) * (high - low)
    totals = inside @ (district[:, None] == np.arange(3))
    found = ratio_bounds(m, y, low, high, district=district, totals=totals)
    for cell in range(2):
        least, most = solved(m, y, low[cell], high[cell], district, totals[cell])
        assert found.low[cell] == pytest.approx(least, rel=1e-7)
        assert found.high[cell] == pytest.approx(most, rel=1e-7)
    for people in (found.people_low, found.people_high):
        assert (people >= low - 1e-9).all()
        assert (people <= high + 1e-9).all()
        assert people @ (district[:, None] == np.arange(3)) == pytest.approx(totals)


def test_more_knowledge_never_widens_the_bounds() -> None:
    chance = np.random.default_rng(9)
    total = chance.integers(900, 2000, 200).astype(float)
    black, disabled = total * chance.beta(1, 8, 200), total * chance.normal(0.17, 0.04, 200).clip(0.05)
    m, y = chance.gamma(4, 1, 200) / total, chance.poisson(4, 200) / total
    district = np.arange(200) // 50
    joint = black * disabled / total
    totals = (joint @ (district[:, None] == np.arange(4)))[None]
    found = []
    for band in (MARGINS_ALONE, (0.5, 2.0), (0.8, 1.25)):
        low, high = people_bounds([black, disabled], total, band)
        found.append(ratio_bounds(m, y, low[None], high[None]))
        found.append(ratio_bounds(m, y, low[None], high[None], district=district, totals=totals))
    point = (joint @ m) / (joint @ y)
    for wide, narrow in [(0, 1), (0, 2), (1, 3), (2, 3), (2, 4), (3, 5), (4, 5)]:
        assert found[wide].low[0] <= found[narrow].low[0] + 1e-12
        assert found[wide].high[0] >= found[narrow].high[0] - 1e-12
    assert all(each.low[0] <= point <= each.high[0] for each in found)
    assert np.isinf(found[0].high[0])
    exact = ratio_bounds(m, y, joint[None], joint[None])
    assert exact.low[0] == pytest.approx(point)
    assert exact.high[0] == pytest.approx(point)


def test_totals_that_contradict_the_bounds_leave_nothing_to_say_and_unknown_ones_do_not_bind() -> None:
    m, y, low, high = np.array([1.0, 2.0]), np.array([1.0, 1.0]), np.array([[1.0, 1.0]]), np.array([[2.0, 2.0]])
    district = np.array([0, 0])
    contradicted = ratio_bounds(m, y, low, high, district=district, totals=np.array([[5.0]]))
    assert np.isnan(contradicted.low[0])
    assert np.isnan(contradicted.high[0])
    unknown = ratio_bounds(m, y, low, high, district=district, totals=np.array([[np.nan]]))
    assert unknown.high[0] == ratio_bounds(m, y, low, high).high[0]
    with pytest.raises(DefinitionError, match="district of every area"):
        ratio_bounds(m, y, low, high, district=district)
