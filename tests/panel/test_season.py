"""Rolling means against pandas, group totals against loops, seasons against a plain decomposition."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from riskmodel.panel.season import RunningSums, group_totals, pooled_season, rolling_mean

COUNTS = st.integers(0, 400).map(float) | st.just(np.nan)


def tables(rows: int = 3, most: int = 60) -> st.SearchStrategy[np.ndarray]:
    return st.integers(1, most).flatmap(lambda width: arrays(np.float64, (rows, width), elements=COUNTS))


@given(tables(), st.integers(1, 30), st.integers(1, 12))
def test_a_rolling_mean_is_that_of_pandas(series: np.ndarray, window: int, least: int):
    least = min(least, window)
    expected = pd.DataFrame(series.T).rolling(window, min_periods=least).mean().to_numpy().T
    np.testing.assert_allclose(rolling_mean(series, window, least=least), expected, rtol=1e-9, atol=1e-9)


@given(tables(), st.integers(1, 30), st.integers(1, 40))
def test_a_rolling_mean_depends_on_its_window_alone(series: np.ndarray, window: int, before: int):
    """Bit for bit: neither what came before the window nor what comes after it."""
    padded = np.hstack([np.full((3, before), 7.0), series])
    whole = rolling_mean(padded, window, least=1)
    np.testing.assert_array_equal(whole[:, before + window :], rolling_mean(series, window, least=1)[:, window:])
    half = series.shape[1] // 2
    np.testing.assert_array_equal(
        rolling_mean(series[:, :half], window, least=1), rolling_mean(series, window, least=1)[:, :half]
    )


@given(tables(rows=5, most=12), st.lists(st.integers(-1, 2), min_size=5, max_size=5))
def test_group_totals_add_up_area_by_area(series: np.ndarray, groups: list[int]):
    totals = group_totals(series.astype(np.float32), np.array(groups), 3)
    for group in range(3):
        for month in range(series.shape[1]):
            expected = sum(series[a, month] for a in range(5) if groups[a] == group)
            assert totals[group, month] == expected or (np.isnan(totals[group, month]) and np.isnan(expected))


def naive_season(totals: np.ndarray, first_month: int, shrink: float) -> np.ndarray:
    """Each month against the centred mean of thirteen, the outer two at half weight; ratios of sums, shrunk."""
    multipliers = []
    for month in range(12):
        own = around = years = 0.0
        for at in range(len(totals)):
            if (first_month + at) % 12 != month or np.isnan(totals[at]):
                continue
            mass = total = 0.0
            for step in range(-6, 7):
                if 0 <= at + step < len(totals) and not np.isnan(totals[at + step]):
                    weight = 0.5 if abs(step) == 6 else 1.0
                    mass += weight
                    total += weight * totals[at + step]
            if mass >= 7 and total > 0:
                own, around, years = own + totals[at], around + total / mass, years + 1
        ratio = own / around if around > 0 else 1.0
        multipliers.append(1 + (ratio - 1) * years / (years + shrink))
    return np.array(multipliers) / np.mean(multipliers)


@given(tables(rows=2), st.integers(24000, 24011), st.sampled_from([0.25, 1.0, 4.0]))
def test_a_season_is_the_plain_decomposition(totals: np.ndarray, first_month: int, shrink: float):
    expected = np.stack([naive_season(row, first_month, shrink) for row in totals])
    np.testing.assert_allclose(pooled_season(totals, first_month, shrink=shrink), expected, rtol=1e-10)


@given(tables(rows=2), st.integers(1, 30), st.integers(1, 30))
def test_empty_months_around_the_series_change_no_bit_of_its_season(totals: np.ndarray, before: int, after: int):
    wide = np.pad(totals, ((0, 0), (before, after)), constant_values=np.nan)
    np.testing.assert_array_equal(pooled_season(wide, 24000 - before), pooled_season(totals, 24000))


@given(tables(rows=1))
def test_a_season_has_mean_one_and_no_months_give_none(totals: np.ndarray):
    assert pooled_season(totals, 24000).mean() == pytest.approx(1.0)
    assert pooled_season(totals[:, :0], 24000).tolist() == [[1.0] * 12]


def test_a_known_season_by_hand():
    """Six years of 100 a month, 160 in December and 40 in June: the centred mean is 100 wherever it is whole."""
    year = np.full(12, 100.0)
    year[11], year[5] = 160.0, 40.0
    season = pooled_season(np.tile(year, 6)[None, :], 2020 * 12, shrink=1e-9)[0]
    assert season[11] == pytest.approx(1.6, rel=0.02)
    assert season[5] == pytest.approx(0.4, rel=0.02)
    assert season[2] == pytest.approx(1.0, rel=0.02)
    # The last December has too few months around it, so five Decembers count: half the way from 1 at five years.
    shrunk = pooled_season(np.tile(year, 6)[None, :], 2020 * 12, shrink=5.0)[0]
    assert shrunk[11] - 1 == pytest.approx((season[11] - 1) / 2, rel=0.02)


def test_what_lies_after_the_window_of_a_month_does_not_reach_it():
    """A season learned at a date is learned from the months given: a changed last month moves nothing it cannot."""
    totals = np.random.default_rng(3).poisson(50, (1, 48)).astype(float)
    changed = totals.copy()
    changed[0, -1] += 30
    ratio = pooled_season(changed, 24000) / pooled_season(totals, 24000)
    touched = {(47 - step) % 12 for step in range(7)}
    untouched = [m for m in range(12) if m not in touched]
    assert np.ptp(ratio[0, untouched]) < 1e-12
    assert np.ptp(ratio[0]) > 1e-4


@given(
    st.integers(0, 2**32),
    st.sampled_from([1.0, 1e4, 2.0**23]),
    st.integers(1, 14),
    st.integers(1, 6),
)
def test_running_sums_give_the_same_means_whatever_their_width(seed, size, window, least):
    """Sums beyond what float32 holds exactly go through float64: the means are those of the plain function."""
    rng = np.random.default_rng(seed)
    series = np.floor(rng.random((5, 20)) * size).astype(np.float32)
    series[:, rng.random(20) < 0.2] = np.nan
    running = RunningSums(series)
    expected = rolling_mean(series, window, least=least)
    np.testing.assert_array_equal(running.means(window, least=least).astype(np.float32), expected.astype(np.float32))
