"""Spread, change, gaps, rings, ratios, ranks, interactions, freshness: each against a naive oracle, batch and order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import BURGLARY, FIRST, HISTORY, INCOME, LAG, RESIDENTS, reordered, tiny_panel
from riskmodel.contracts.errors import DefinitionError
from riskmodel.contracts.periods import month_start
from riskmodel.contracts.specs import FeatureSetSpec, FeatureSpec, PolicySpec, TargetSpec
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.features.catalogue import Input, needed_measures, resolve_features
from riskmodel.features.training import FeatureBlocks
from riskmodel.features.transforms import (
    Change,
    Freshness,
    Interaction,
    Latest,
    NeighbourMean,
    QuantileInRegion,
    RatioToParent,
    RollingSd,
    TimeSinceLast,
    Transform,
    ZeroShare,
)
from riskmodel.panel.view import Panel, Static, View

MONTHS = 30
PAIR = replace(INCOME, other=HISTORY)


@st.composite
def panels(draw: st.DrawFn) -> Panel:
    """Small counts, many of them zero, with holes."""
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    counts = random.poisson(draw(st.sampled_from([0.1, 1.0, 40.0])), (6, MONTHS))
    missing = draw(st.sets(st.integers(0, MONTHS - 2), max_size=8))
    return tiny_panel(counts, months=MONTHS, missing=sorted(missing), seed=draw(st.integers(0, 99)))


def newest(panel: Panel) -> View:
    return panel.as_of(month_start(FIRST + MONTHS - 1 + LAG))


def own(view: View, area: int) -> pd.Series:
    """One area's visible months as pandas holds them."""
    return pd.Series(HISTORY.series(view)[area].astype(float))


def half(window: int) -> int:
    return (window + 1) // 2


def sd(view: View, area: int, window: int) -> float:
    return own(view, area).rolling(window, min_periods=max(2, half(window))).std().iloc[-1]


def change_from_mean(view: View, area: int, window: int) -> float:
    held = own(view, area)
    return held.iloc[-1] - held.rolling(window, min_periods=half(window)).mean().iloc[-1]


def change_over(view: View, area: int, months: int) -> float:
    held = own(view, area).tolist()
    return held[-1] - held[-1 - months] if len(held) > months else np.nan


def zeros(view: View, area: int, window: int) -> float:
    held = [count for count in own(view, area).tolist()[-window:] if count == count]
    return sum(count == 0 for count in held) / len(held) if len(held) >= half(window) else np.nan


def since_last(view: View, area: int, most: int) -> float:
    held = own(view, area).tolist()
    for back, count in enumerate(reversed(held)):
        if count > 0:
            return min(back, most)
    first = next((i for i, count in enumerate(held) if count == count), len(held))
    return most if len(held) - first >= most else np.nan


def around(view: View, area: int, ring: int) -> list[int]:
    touching = view.geography.neighbours.toarray() > 0
    first = {j for j in range(6) if touching[area, j]}
    if ring == 1:
        return sorted(first)
    return sorted({k for j in first for k in range(6) if touching[j, k]} - first - {area})


def neighbours(view: View, area: int, window: int, ring: int) -> float:
    others = around(view, area, ring)
    means = [own(view, j).rolling(window, min_periods=half(window)).mean().iloc[-1] for j in others]
    return float(np.mean(means)) if others else np.nan


def ratio(view: View, area: int, window: int, level: str) -> float:
    codes, people = view.geography.parents[level].tolist(), view.geography.population
    if codes[area] == "":
        return np.nan
    members = [j for j in range(6) if codes[j] == codes[area]]
    means = [own(view, j).rolling(window, min_periods=half(window)).mean().iloc[-1] for j in range(6)]
    whole = sum(means[j] for j in members) / sum(people[j] for j in members)
    return (means[area] / people[area]) / whole if whole > 0 else np.nan


def rank(view: View, area: int, window: int) -> float:
    means = pd.Series([own(view, j).rolling(window, min_periods=half(window)).mean().iloc[-1] for j in range(6)])
    return ((means.rank(method="average") - 0.5) / means.count()).iloc[area]


def age(view: View, area: int) -> float:
    held = own(view, area)
    return view.origin - (view.panel.first_month + held.last_valid_index()) if held.notna().any() else np.nan


CASES = [
    (RollingSd(6), lambda view, area: sd(view, area, 6)),
    (RollingSd(2), lambda view, area: sd(view, area, 2)),
    (Change(window=6), lambda view, area: change_from_mean(view, area, 6)),
    (Change(months=12), lambda view, area: change_over(view, area, 12)),
    (ZeroShare(5), lambda view, area: zeros(view, area, 5)),
    (TimeSinceLast(9), lambda view, area: since_last(view, area, 9)),
    (NeighbourMean(7), lambda view, area: neighbours(view, area, 7, 1)),
    (NeighbourMean(7, ring=2), lambda view, area: neighbours(view, area, 7, 2)),
    (RatioToParent("lad24", 6), lambda view, area: ratio(view, area, 6, "lad24")),
    (RatioToParent("csp24", 6), lambda view, area: ratio(view, area, 6, "csp24")),
    (QuantileInRegion(6), lambda view, area: rank(view, area, 6)),
    (Freshness(), age),
]
TRANSFORMS = [transform for transform, _ in CASES]


def name(case: object) -> str:
    return type(case).__name__ if isinstance(case, Transform) else ""


@pytest.mark.parametrize(("transform", "oracle"), CASES, ids=name)
@settings(max_examples=15)
@given(panel=panels(), back=st.integers(0, 24))
def test_a_value_is_what_its_oracle_says(transform: Transform, oracle, panel: Panel, back: int):
    view = newest(panel).at(newest(panel).origin - back)
    expected = np.array([oracle(view, area) for area in range(6)], dtype=float)
    np.testing.assert_allclose(transform(view, HISTORY, 3), expected.astype(np.float32), rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("transform", [*TRANSFORMS, Interaction(6)], ids=name)
@settings(max_examples=6)
@given(panel=panels())
def test_many_origins_at_once_are_each_origin_alone(transform: Transform, panel: Panel):
    view = newest(panel)
    origins = list(range(FIRST - 2, view.origin + 1))
    inputs = [PAIR, replace(HISTORY, other=RESIDENTS)] if transform.takes_two else [HISTORY, BURGLARY]
    if "static" in transform.takes:
        inputs.append(replace(INCOME, other=BURGLARY))
    for made_of in inputs:
        batch = transform.over(view, made_of, origins, 2)
        assert (batch.shape, batch.dtype) == ((6, len(origins)), np.dtype(np.float32))
        for column, origin in enumerate(origins):
            alone = transform(view.at(origin), made_of, 2)
            assert np.array_equal(alone, batch[:, column], equal_nan=True)


@pytest.mark.parametrize("transform", [*TRANSFORMS, Interaction(6)], ids=name)
def test_areas_in_another_order_give_the_same_bits_in_that_order(transform: Transform):
    panel = tiny_panel(months=MONTHS, missing=[9], seed=3)
    order = np.array([3, 0, 4, 2, 5, 1])
    origins = list(range(FIRST + 6, FIRST + 33))
    made_of = PAIR if transform.takes_two else HISTORY
    here = transform.over(newest(panel), made_of, origins, 5)
    there = transform.over(newest(reordered(panel, order)), made_of, origins, 5)
    assert np.isfinite(here[:, -1]).any()
    assert np.array_equal(here[order], there, equal_nan=True)


def test_a_spread_does_not_drift_however_long_and_large_the_series():
    """What float32 running sums get wrong by a hundredth: a small spread after large counts."""
    counts = np.full((6, 40), 200_000)
    counts[:, 25:] = 7 + np.arange(15) % 2
    view = tiny_panel(counts, months=40).as_of(month_start(FIRST + 39 + LAG))
    expected = pd.Series(counts[0, -12:]).std()
    assert RollingSd(12)(view, HISTORY, 1) == pytest.approx(np.full(6, expected), rel=1e-7)


def test_the_second_ring_leaves_out_the_first_and_the_area_itself():
    """A chain of six areas: two steps away, no nearer and no further."""
    counts = np.repeat(np.array([1, 10, 100, 1000, 10_000, 100_000])[:, None], 24, axis=1)
    view = tiny_panel(counts, months=24).as_of(month_start(FIRST + 23 + LAG))
    # The last two are halves of one 2011 area, but their own codes are recorded here.
    assert NeighbourMean(12, ring=2)(view, HISTORY, 1).tolist() == [100, 1000, 5000.5, 50_005, 100, 1000]


def test_an_interaction_is_the_product_of_standardised_inputs():
    view = newest(tiny_panel(months=MONTHS))
    income = INCOME.values(view)
    recent = HISTORY.series(view)[:, -6:].mean(axis=1, dtype=float)
    expected = ((income - income.mean()) / income.std()) * ((recent - recent.mean()) / recent.std())
    np.testing.assert_allclose(Interaction(6)(view, PAIR, 1), expected, rtol=1e-5)
    swapped = Interaction(6)(view, replace(HISTORY, other=INCOME), 1)
    np.testing.assert_array_equal(swapped, Interaction(6)(view, PAIR, 1))


def test_an_input_that_is_the_same_everywhere_says_nothing_together_with_another():
    same = tiny_panel(np.full((6, MONTHS), 4), months=MONTHS)
    assert Interaction(6)(newest(same), PAIR, 1).tolist() == [0.0] * 6


def test_an_area_without_a_value_has_no_rank_and_no_interaction_and_takes_no_place():
    panel = tiny_panel(months=MONTHS)
    vintages = panel.static.vintages["iod", "income"]
    values = np.array([5.0, np.nan, 2.0, 2.0, 9.0, 1.0])
    panel = replace(panel, static=Static({("iod", "income"): [replace(v, values=values) for v in vintages]}))
    ranked = QuantileInRegion()(newest(panel), INCOME, 1)
    assert ranked == pytest.approx([0.7, np.nan, 0.4, 0.4, 0.9, 0.1], nan_ok=True)
    assert np.isnan(Interaction()(newest(panel), PAIR, 1)).tolist() == [False, True, False, False, False, False]


def test_a_vintage_ages_from_the_end_of_its_period():
    panel = tiny_panel(months=MONTHS)
    view = newest(panel)
    for period, months in (("2021", 2021 * 12 + 11), ("2021-06", 2021 * 12 + 5), ("a year", 2021 * 12 + 8)):
        old = replace(panel.static.vintages["iod", "income"][0], period=period, published=date(2021, 9, 26))
        held = replace(panel, static=Static({("iod", "income"): [old]}))
        assert Freshness()(newest(held), INCOME, 1).tolist() == [view.origin - months] * 6


@pytest.mark.parametrize(
    ("cls", "params"),
    [
        (RollingSd, {"window": 1}),
        (Change, {"window": 3, "months": 3}),
        (Change, {"months": 0}),
        (Change, {"window": 0}),
        (ZeroShare, {"window": 0}),
        (TimeSinceLast, {"most": 0}),
        (NeighbourMean, {"ring": 3}),
        (RatioToParent, {"window": 0}),
        (QuantileInRegion, {"window": 0}),
        (Interaction, {"window": 0}),
    ],
)
def test_senseless_parameters_are_refused(cls: type, params: dict[str, int]):
    with pytest.raises(ValueError, match=":"):
        cls(**params)


def resolved(workspace: Workspace, *features: dict[str, object]) -> list:
    target: TargetSpec = workspace.read("target", "recorded_violence")
    policy: PolicySpec = workspace.read("policy", "default")
    spec = FeatureSetSpec(title="t", features=[FeatureSpec(**f) for f in features])
    return resolve_features(workspace, spec, target, policy=policy, where="a set")


def test_an_interaction_in_a_feature_set_carries_both_inputs(workspace: Workspace):
    target = workspace.read("target", "recorded_violence")
    feature = {"of": "community/density", "transform": "interaction", "params": {"with": "society/owned_homes"}}
    (found,) = resolved(workspace, feature)
    assert [part.name for part in found.input.parts] == ["community/density", "society/owned_homes"]
    assert found.factor == "community/density x society/owned_homes"
    assert found.direction == 0
    needed = needed_measures(target, [found])
    parts = {part.source: set(part.lineage) for part in found.input.parts}
    assert all(measures <= needed[source] for source, measures in parts.items())


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "takes a second input"),
        ({"with": 3}, "takes a second input"),
        ({"with": "society/owned_home"}, "did you mean 'society/owned_homes'"),
        ({"with": "community/drugs"}, "refused as a feature: it follows police activity"),
        ({"with": "society/owned_homes", "windows": 3}, "did you mean 'window'"),
    ],
)
def test_the_second_input_goes_through_the_same_door(workspace: Workspace, params: dict[str, object], message: str):
    with pytest.raises(DefinitionError, match=message):
        resolved(workspace, {"of": "community/density", "transform": "interaction", "params": params})


def test_a_second_input_is_of_no_use_to_other_transforms(workspace: Workspace):
    with pytest.raises(DefinitionError, match="parameters do not fit"):
        resolved(workspace, {"of": "community/density", "transform": "latest", "params": {"with": "exposure"}})


def test_directions_follow_the_catalogue_where_a_transform_keeps_them(workspace: Workspace):
    factors = workspace.read("factor", "society").factors
    features = [{"of": f"society/{n}", "transform": t} for n in factors for t in ("latest", "quantile_in_region")]
    features = [f for f in features if not refused(factors[f["of"].split("/")[1]])]
    expected = {"higher": 1, "lower": -1, "unclear": 0}
    for found in resolved(workspace, *features):
        assert found.direction == expected[factors[found.factor.split("/")[1]].expected]
    history = {"of": "target", "transform": "rolling_mean", "params": {"window": 12}}
    age_of = {"of": "society/owned_homes", "transform": "freshness"}
    assert [f.direction for f in resolved(workspace, history, age_of, {"of": "exposure", "transform": "latest"})] == [
        0, 0, 0,
    ]  # fmt: skip


def refused(factor: object) -> bool:
    return factor.contains_outcome or factor.police_generated or factor.characteristic is not None


def test_an_interaction_waits_until_both_inputs_are_published():
    from builders import feature

    panel = tiny_panel(months=MONTHS)
    late = [replace(v, published=date(2022, 6, 1)) for v in panel.static.vintages["iod", "income"]]
    panel = replace(panel, static=Static({("iod", "income"): late}))
    features = [feature("pair", Interaction(), replace(HISTORY, other=INCOME)), feature("income", Latest(), INCOME)]
    before, after = (
        FeatureBlocks(panel.as_of(day), features, (day.year * 12 + day.month - 1,))
        for day in (date(2022, 5, 1), date(2022, 6, 1))
    )
    assert before.names == ()
    assert before.left_out["pair"] == "not yet published (first published 2022-06-01)"
    assert after.names == ("pair", "income")
    assert isinstance(PAIR, Input)
