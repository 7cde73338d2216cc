"""Every transform: batch form, area order, and a plain oracle written with loops or pandas."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import (
    BURGLARY,
    FIRST,
    HISTORY,
    INCOME,
    LAG,
    RESIDENTS,
    reordered,
    tiny_geography,
    tiny_panel,
)
from riskmodel.contracts.periods import month_label, month_start
from riskmodel.features.catalogue import Input
from riskmodel.features.transforms import (
    EwmMean,
    Lag,
    Latest,
    Month,
    NeighbourMean,
    PerPopulation,
    RollingMean,
    SameMonthLastYear,
    Season,
    Transform,
    Trend,
    UnlocatedShare,
)
from riskmodel.panel.season import group_totals, pooled_season
from riskmodel.panel.view import Panel, View
from riskmodel.testing import exact

GEOGRAPHY = tiny_geography()
MONTHLY = [
    Lag(0), Lag(1), Lag(5), Lag(40), RollingMean(1), RollingMean(3), RollingMean(12), RollingMean(24),
    RollingMean(6, least=1), EwmMean(3), EwmMean(12), SameMonthLastYear(), Season("pfa"), Season("lad24"),
    Season("csp24"), Trend("pfa"), Trend("lad24", 2, 6), Trend("csp24"), NeighbourMean(12), NeighbourMean(2),
    UnlocatedShare(3), PerPopulation(12), Month(),
]  # fmt: skip


def shown(case: object) -> str:
    return (
        f"{type(case).__name__}{sorted(vars(case).items())}"
        if isinstance(case, Transform)
        else getattr(case, "__qualname__", str(case))
    )


@st.composite
def panels(draw: st.DrawFn) -> Panel:
    months = draw(st.integers(3, 34))
    missing = draw(st.sets(st.integers(1, months - 2), max_size=months // 3))
    ceiling = draw(st.sampled_from([1, 8, 500]))
    counts = np.random.default_rng(draw(st.integers(0, 999))).integers(0, ceiling + 1, (6, months))
    return tiny_panel(counts, months=months, missing=sorted(missing), geography=GEOGRAPHY)


def views(panel: Panel) -> View:
    return panel.as_of(month_start(panel.monthly["police"].releases[-1].month + LAG))


@pytest.mark.parametrize("transform", MONTHLY, ids=shown)
@given(panels(), st.integers(1, 12))
@settings(max_examples=12)
def test_many_origins_at_once_are_each_origin_alone(transform: Transform, panel: Panel, horizon: int):
    view = views(panel)
    origins = list(range(FIRST - 2, view.origin + 1))
    for made_of in (HISTORY, BURGLARY):
        batch = transform.over(view, made_of, origins, horizon)
        assert batch.shape == (6, len(origins))
        assert batch.dtype == np.float32
        for column, origin in enumerate(origins):
            single = transform(view.at(origin), made_of, horizon)
            assert exact(single) == exact(batch[:, column]), month_label(origin)


@pytest.mark.parametrize("transform", MONTHLY, ids=shown)
def test_areas_in_another_order_give_the_values_in_that_order(transform: Transform):
    panel = tiny_panel(months=30, missing=[9])
    # The split pair stays in its order: whose turn it is for an odd record is settled by it.
    order = np.array([3, 0, 4, 2, 5, 1])
    moved = reordered(panel, order)
    origins = list(range(FIRST + 6, FIRST + 33))
    here = transform.over(views(panel), HISTORY, origins, 5)
    there = transform.over(views(moved), HISTORY, origins, 5)
    np.testing.assert_allclose(there, here[order], rtol=1e-6)


def grid(view: View, made_of: Input = HISTORY) -> list[list[float]]:
    """The oracle's data: counts by area and month, NaN for a missing month."""
    return [[float(v) for v in row] for row in view.series(made_of.source, made_of.measures)]


def mean_of(values: list[float], least: int) -> float:
    present = [v for v in values if not math.isnan(v)]
    return sum(present) / len(present) if len(present) >= least else math.nan


def tail(row: list[float], window: int) -> list[float]:
    return row[max(0, len(row) - window) :]


def naive_lag(periods: int) -> Callable[[View, int], list[float]]:
    def oracle(view: View, horizon: int) -> list[float]:
        return [row[len(row) - 1 - periods] if len(row) > periods else math.nan for row in grid(view)]

    return oracle


def naive_rolling(window: int, least: int | None = None) -> Callable[[View, int], list[float]]:
    def oracle(view: View, horizon: int) -> list[float]:
        needed = math.ceil(window / 2) if least is None else least
        return [mean_of(tail(row, window), needed) for row in grid(view)]

    return oracle


def pandas_ewm(half_life: float) -> Callable[[View, int], list[float]]:
    def oracle(view: View, horizon: int) -> list[float]:
        frame = pd.DataFrame(grid(view)).T
        return frame.ewm(halflife=half_life, adjust=True, ignore_na=False).mean().iloc[-1].tolist()

    return oracle


def naive_last_year(view: View, horizon: int) -> list[float]:
    held = {
        (row, view.panel.first_month + at): value
        for row, values in enumerate(grid(view))
        for at, value in enumerate(values)
    }
    newest = max(month for _, month in held)
    month = view.origin + horizon - 1 - 12
    while month > newest:
        month -= 12
    return [held.get((row, month), math.nan) for row in range(6)]


def naive_trend(level: str, short: int, long: int) -> Callable[[View, int], list[float]]:
    def oracle(view: View, horizon: int) -> list[float]:
        rows, out = grid(view), []
        codes = view.geography.parents[level].tolist()
        for own in codes:
            members = [row for row, code in zip(rows, codes, strict=True) if code == own]
            total = [sum(column) for column in zip(*members, strict=True)]
            top, bottom = mean_of(tail(total, short), 1), mean_of(tail(total, long), math.ceil(long / 2))
            out.append(top / bottom if own and bottom > 0 else math.nan)
        return out

    return oracle


def naive_neighbours(window: int) -> Callable[[View, int], list[float]]:
    def oracle(view: View, horizon: int) -> list[float]:
        own = naive_rolling(window)(view, horizon)
        touching = view.geography.neighbours.toarray()
        out = []
        for area in range(6):
            near = [own[other] for other in range(6) if touching[area, other]]
            out.append(sum(near) / len(near))
        return out

    return oracle


def naive_unlocated(window: int) -> Callable[[View, int], list[float]]:
    def oracle(view: View, horizon: int) -> list[float]:
        source = view.panel.monthly["police"]
        measure, blank = source.measures.index("violence"), list(source.codes).index("")
        newest = view.origin - view.lateness("police")
        without = {release.month: source.counts[measure, blank, index] for index, release in enumerate(source.releases)}
        located = [sum(column) for column in zip(*grid(view), strict=True)]
        months = [m for m in range(newest - window + 1, newest + 1) if m in without and m >= view.panel.first_month]
        if not months:
            return [math.nan] * 6
        top = sum(without[m] for m in months)
        bottom = top + sum(located[m - view.panel.first_month] for m in months)
        return [top / bottom if bottom else math.nan] * 6

    return oracle


def naive_rate(window: int) -> Callable[[View, int], list[float]]:
    def oracle(view: View, horizon: int) -> list[float]:
        own = naive_rolling(window)(view, horizon)
        return [1000 * value / people for value, people in zip(own, view.geography.population, strict=True)]

    return oracle


def naive_month(view: View, horizon: int) -> list[float]:
    return [float((view.origin + horizon - 1) % 12 + 1)] * 6


ORACLES = [
    (Lag(0), naive_lag(0)), (Lag(1), naive_lag(1)), (Lag(5), naive_lag(5)), (Lag(40), naive_lag(40)),
    (RollingMean(1), naive_rolling(1)), (RollingMean(3), naive_rolling(3)), (RollingMean(12), naive_rolling(12)),
    (RollingMean(6, least=1), naive_rolling(6, 1)), (EwmMean(3), pandas_ewm(3)), (EwmMean(0.5), pandas_ewm(0.5)),
    (SameMonthLastYear(), naive_last_year), (Trend("pfa"), naive_trend("pfa", 3, 12)),
    (Trend("lad24", 2, 6), naive_trend("lad24", 2, 6)), (Trend("csp24"), naive_trend("csp24", 3, 12)),
    (NeighbourMean(12), naive_neighbours(12)), (UnlocatedShare(3), naive_unlocated(3)),
    (PerPopulation(12), naive_rate(12)), (Month(), naive_month),
]  # fmt: skip


@pytest.mark.parametrize(("transform", "oracle"), ORACLES, ids=shown)
@given(panels(), st.integers(1, 12), st.data())
@settings(max_examples=15)
def test_a_transform_is_what_its_oracle_says(transform: Transform, oracle, panel: Panel, horizon: int, data):
    newest = views(panel).origin
    view = views(panel).at(data.draw(st.integers(FIRST + LAG, newest)))
    expected = oracle(view, horizon)
    np.testing.assert_allclose(transform(view, HISTORY, horizon), np.float32(expected), rtol=3e-6)


@given(panels(), st.integers(1, 12))
@settings(max_examples=15)
def test_a_season_is_that_of_the_months_visible_and_one_where_the_parent_is_uncertain(panel: Panel, horizon: int):
    view = views(panel)
    month = (view.origin + horizon - 1) % 12
    for level in ("lad24", "csp24"):
        codes = view.geography.parents[level].tolist()
        for area, value in enumerate(Season(level, shrink=2.0)(view, HISTORY, horizon)):
            members = np.array([code == codes[area] for code in codes])
            totals = view.series("police", ["violence"])[members].astype(float).sum(axis=0)[None, :]
            expected = pooled_season(totals, view.panel.first_month, shrink=2.0)[0, month] if codes[area] else 1.0
            assert value == np.float32(expected)


def test_a_season_by_hand():
    counts = np.full((6, 36), 10)
    counts[:, 11::12] = 30
    view = views(tiny_panel(counts, months=36))
    # The origin is 2023-03, so horizon 10 is December and horizon 4 is June.
    assert Season(shrink=1e-9)(view, HISTORY, 10) == pytest.approx(np.full(6, 30 / (140 / 12)), rel=0.03)
    assert Season(shrink=1e-9)(view, HISTORY, 4) == pytest.approx(np.full(6, 10 / (140 / 12)), rel=0.03)
    totals = group_totals(view.series("police", ["violence"]), np.zeros(6, int), 1)
    assert totals.tolist() == [[180.0 if m % 12 == 11 else 60.0 for m in range(36)]]


def test_last_year_steps_back_to_a_month_that_is_visible():
    counts = np.arange(36)[None, :] + np.zeros((6, 1), dtype=int)
    view = views(tiny_panel(counts, months=36))
    # Newest month is 35; the month forecast at horizon h is 37 + h, so last year's is 25 + h while visible.
    given_back = [SameMonthLastYear()(view, HISTORY, h)[0] for h in range(1, 13)]
    assert given_back == [26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 24, 25]


def test_static_values_are_the_same_at_every_origin():
    view = tiny_panel().as_of(month_start(FIRST + 25))
    block = Latest().over(view, INCOME, [FIRST + 5, FIRST + 25], 7)
    newest = view.panel.static.vintages["iod", "income"][-1].values.astype(np.float32)  # noqa: PD011  # a Vintage is no frame
    assert np.array_equal(block, np.stack([newest, newest], axis=1))
    people = Latest()(view, RESIDENTS, 1)
    assert np.array_equal(people, view.geography.population.astype(np.float32))


def test_a_factor_with_a_denominator_is_a_ratio_and_blank_where_nobody_lives():
    panel = tiny_panel()
    vintage = panel.static.vintages["iod", "income"][-1]
    bottom = np.array([10.0, 0.0, 5.0, 4.0, np.nan, 8.0])
    other = type(vintage)(vintage.period, vintage.published, vintage.level, vintage.codes, bottom, "per.csv")
    static = type(panel.static)({**panel.static.vintages, ("iod", "people"): [other]})
    view = Panel(panel.geography, panel.monthly, static, FIRST).as_of(month_start(FIRST + 25))
    share = Input("x/share", "static", "iod", ("income",), per="people", of=100.0, travels="share")
    given_back = Latest()(view, share, 1)
    top = view.static("iod", "income", travels="share")
    assert np.isnan(given_back[[1, 4]]).all()
    for area in (0, 2, 3, 5):
        assert given_back[area] == np.float32(100 * top[area] / bottom[area])


@pytest.mark.parametrize(
    ("cls", "params"),
    [
        (Lag, {"periods": -1}),
        (RollingMean, {"window": 0}),
        (EwmMean, {"half_life": 0}),
        (Trend, {"short": 12, "long": 12}),
        (NeighbourMean, {"window": 0}),
        (UnlocatedShare, {"window": 0}),
        (PerPopulation, {"window": 0}),
    ],
)
def test_senseless_parameters_are_refused(cls: type, params: dict[str, int]):
    with pytest.raises(ValueError, match=":"):
        cls(**params)
