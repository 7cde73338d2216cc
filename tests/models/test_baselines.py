"""Baselines against plain loops, in any order of areas, and the limits that empirical Bayes must have."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import FIRST, LAG, TARGET, reordered, tiny_geography, tiny_panel
from riskmodel.contracts.errors import DefinitionError
from riskmodel.contracts.periods import month_start
from riskmodel.models.base import Baseline, offset_column
from riskmodel.models.baselines import EbSeasonal, HistoricMean, Rolling12, SeasonalNaive
from riskmodel.panel.season import pooled_season
from riskmodel.panel.view import Panel, View

GEOGRAPHY = tiny_geography()
BASELINES = [Rolling12(), HistoricMean(), SeasonalNaive(), EbSeasonal()]


@st.composite
def views(draw: st.DrawFn) -> View:
    months = draw(st.integers(3, 40))
    missing = draw(st.sets(st.integers(1, months - 2), max_size=months // 3))
    counts = np.random.default_rng(draw(st.integers(0, 999))).poisson([[0.4], [2], [5], [9], [30], [1]], (6, months))
    panel = tiny_panel(counts, months=months, missing=sorted(missing), geography=GEOGRAPHY)
    return panel.as_of(month_start(FIRST + months - 1 + LAG))


def rows_of(view: View) -> list[list[float]]:
    return [[float(v) for v in row] for row in view.series("police", ["violence"])]


def mean(values: list[float]) -> float:
    held = [v for v in values if not math.isnan(v)]
    return sum(held) / len(held) if held else math.nan


def loop(baseline: Baseline, view: View, horizon: int) -> list[float]:
    rows = rows_of(view)
    if isinstance(baseline, Rolling12):
        return [mean(row[-12:]) for row in rows]
    if isinstance(baseline, HistoricMean):
        return [mean(row) for row in rows]
    wanted = view.origin + horizon - 1 - view.panel.first_month - 12
    while wanted >= len(rows[0]):
        wanted -= 12
    same = [row[wanted] if wanted >= 0 else math.nan for row in rows]
    return [mean(row[-12:]) if math.isnan(value) else value for row, value in zip(rows, same, strict=True)]


@pytest.mark.parametrize("baseline", BASELINES[:3], ids=lambda b: type(b).__name__)
@given(views(), st.integers(1, 12), st.data())
@settings(max_examples=25)
def test_counting_is_the_loop(baseline: Baseline, view: View, horizon: int, data: st.DataObject):
    origin = data.draw(st.integers(FIRST + LAG, view.origin))
    expected = loop(baseline, view.at(origin), horizon)
    found = baseline.expected(view.at(origin), TARGET, [origin], horizon)[:, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def plain_eb(view: View, horizon: int) -> list[float]:
    """Marshall's moments with seasonal months at risk, one area at a time."""
    rows = [row[-24:] for row in rows_of(view)]
    totals = view.series("police", ["violence"]).astype(float).sum(axis=0)[None, :]
    season = pooled_season(totals, view.panel.first_month)[0]
    newest = view.origin - view.lateness("police")
    months = [(newest - back) % 12 for back in range(len(rows[0]) - 1, -1, -1)]
    counted = [sum(v for v in row if not math.isnan(v)) for row in rows]
    at_risk = [sum(season[m] for m, v in zip(months, row, strict=True) if not math.isnan(v)) for row in rows]
    people, district = view.geography.population, view.geography.parents["lad24"].tolist()
    prior = []
    for area in range(6):
        own = [a for a in range(6) if district[a] == district[area]]
        rate = sum(counted[a] for a in own) / sum(at_risk[a] * people[a] for a in own)
        prior.append(max(rate * people[area], 1e-9))
    weights = [p * r for p, r in zip(prior, at_risk, strict=True)]
    relative = [c / r / p for c, r, p in zip(counted, at_risk, prior, strict=True)]
    spread = sum(w * (x - 1) ** 2 for w, x in zip(weights, relative, strict=True)) / sum(weights)
    between = max(spread - 6 / sum(weights), 1e-6)
    level = [p * (1 + between / (between + 1 / w) * (x - 1)) for p, w, x in zip(prior, weights, relative, strict=True)]
    return [value * season[(view.origin + horizon - 1) % 12] for value in level]


@given(views(), st.integers(1, 12))
@settings(max_examples=40)
def test_empirical_bayes_is_the_loop(view: View, horizon: int):
    found = EbSeasonal().expected(view, TARGET, [view.origin], horizon)[:, 0]
    np.testing.assert_allclose(found, plain_eb(view, horizon), rtol=1e-9)


@pytest.mark.parametrize("baseline", BASELINES, ids=lambda b: type(b).__name__)
@given(views(), st.integers(1, 12))
@settings(max_examples=15)
def test_many_origins_at_once_are_each_origin_alone(baseline: Baseline, view: View, horizon: int):
    origins = list(range(FIRST - 1, view.origin + 1))
    batch = baseline.expected(view, TARGET, origins, horizon)
    for column, origin in enumerate(origins):
        np.testing.assert_array_equal(
            baseline.expected(view.at(origin), TARGET, [origin], horizon)[:, 0], batch[:, column]
        )


@pytest.mark.parametrize("baseline", BASELINES, ids=lambda b: type(b).__name__)
def test_areas_in_another_order_give_the_values_in_that_order(baseline: Baseline):
    panel, order = tiny_panel(months=30, missing=[9]), np.array([3, 0, 4, 2, 5, 1])
    day = month_start(FIRST + 32)
    origins = list(range(FIRST + 6, FIRST + 33))
    here = baseline.expected(panel.as_of(day), TARGET, origins, 5)
    there = baseline.expected(reordered(panel, order).as_of(day), TARGET, origins, 5)
    np.testing.assert_allclose(there, here[order], rtol=1e-12)


def counted(rates: list[float], months: int = 36) -> Panel:
    return tiny_panel(np.repeat(np.array(rates, dtype=int)[:, None], months, axis=1), months=months)


def test_many_records_keep_their_own_mean_and_none_take_the_districts():
    day = month_start(FIRST + 38)
    busy = counted([4000, 90000, 20000, 150, 800, 60000]).as_of(day)
    own = EbSeasonal().expected(busy, TARGET, [busy.origin], 1)[:, 0]
    np.testing.assert_allclose(own, [4000, 90000, 20000, 150, 800, 60000], rtol=2e-3)
    # Areas alike but for chance: no spread beyond it, so all take their district's rate per resident.
    rate = 0.004
    alike = counted([round(rate * p) for p in GEOGRAPHY.population]).as_of(day)
    shared = EbSeasonal().expected(alike, TARGET, [alike.origin], 1)[:, 0]
    people = alike.geography.population
    series = alike.series("police", ["violence"])[:, -1]
    for members in (slice(0, 3), slice(3, 6)):
        district = series[members].sum() / people[members].sum()
        np.testing.assert_allclose(shared[members] / people[members], district, rtol=0.02)


def test_an_area_without_a_record_is_expected_to_have_some_like_its_district():
    view = counted([0, 9, 11, 5, 8, 7]).as_of(month_start(FIRST + 38))
    found = EbSeasonal().expected(view, TARGET, [view.origin], 1)[:, 0]
    assert 0 < found[0] < 9 * view.geography.population[0] / view.geography.population[1]
    empty = counted([0, 0, 0, 5, 8, 7]).as_of(month_start(FIRST + 38))
    assert np.isfinite(EbSeasonal().expected(empty, TARGET, [empty.origin], 1)).all()


def test_without_a_past_there_is_no_expectation():
    view = tiny_panel(months=12).as_of(month_start(FIRST + 14))
    for baseline in BASELINES:
        assert np.isnan(baseline.expected(view, TARGET, [FIRST + LAG - 1], 1)).all()
        assert np.isfinite(baseline.expected(view, TARGET, [FIRST + LAG], 1)).all()


def test_an_offset_is_the_exposure_or_a_baseline():
    view = tiny_panel(months=24).as_of(month_start(FIRST + 26))
    origins = [FIRST + 12, FIRST + 26]
    people = view.geography.population
    assert np.array_equal(offset_column("exposure", view, TARGET, origins, 1), np.stack([people, people], axis=1))
    assert np.array_equal(
        offset_column("rolling_12", view, TARGET, origins, 3), Rolling12().expected(view, TARGET, origins, 3)
    )
    with pytest.raises(DefinitionError, match="did you mean 'rolling_12'"):
        offset_column("roling_12", view, TARGET, origins, 1)
    with pytest.raises(DefinitionError, match="is a learned model"):
        offset_column("lightgbm", view, TARGET, origins, 1)
