"""The calibration table against loops, closed forms and simulated regions whose truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from riskmodel.backtest.calibration import (
    CALIBRATED,
    NOT_CALIBRATED,
    NOT_JUDGED,
    TOLERANCE,
    TOO_FEW_MONTHS,
    JudgedCube,
    area_class_of,
    build_calibration,
    make_judged_cube,
    reliability_of,
)
from riskmodel.backtest.compare import build_comparison, compare_losses
from riskmodel.backtest.distribution import CENTRALS, central_mass, judge_draws
from riskmodel.backtest.distribution_metrics import crps, pit_mass_90
from riskmodel.backtest.metrics import poisson_deviances
from riskmodel.backtest.scores import build_scores
from riskmodel.contracts.errors import DefinitionError
from riskmodel.contracts.tables import TableError

FIRST, AREAS, SHOCK, SIZE = 24_240, 30, 0.15, 5.0
CODES = [f"E010000{i:02d}" for i in range(AREAS)]
NAMES = {"model_id": "m", "target": "recorded_violence@1"}


def region(seed: int, *, shared: float = 1.0, own: float = SIZE, origins: int = 16) -> list[JudgedCube]:
    """Areas and their total, quarterly origins, horizons 1..6; each month has one shock that all areas share.

    ``shared`` says how much of the shock the forecaster allows for, ``own`` the dispersion it assumes of an area.
    """
    rng = np.random.default_rng(seed)
    starts, horizons = 3 * np.arange(origins), np.arange(1, 7)
    rate = rng.gamma(3.0, 1.5, AREAS)
    months = rng.normal(0.0, SHOCK, (3 * origins + 6, 1))
    observed = rng.negative_binomial(SIZE, SIZE / (SIZE + rate * np.exp(months)))
    fine = make_judged_cube(level="lsoa21", window="month", origins=FIRST + starts, horizons=horizons, areas=CODES)
    whole = make_judged_cube(
        level="pfa", window="month", origins=FIRST + starts, horizons=horizons, areas=["E23000037"]
    )
    for o, start in enumerate(starts):
        for s, horizon in enumerate(horizons):
            drawn = rate * np.exp(rng.normal(0.0, SHOCK, (100, 1)) * shared)
            draws = rng.negative_binomial(own, own / (own + drawn))
            y = observed[start + horizon - 1]
            fine.place(o, s, judge_draws(draws, y), rate)
            whole.place(o, s, judge_draws(draws.sum(axis=1, keepdims=True), [y.sum()]), [rate.sum()])
    return [fine, whole]


def headline(table: pd.DataFrame, level: str) -> pd.Series:
    rows = table[(table.level == level) & (table.stratum == "all") & (table.central == 0.9)]
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.fixture(scope="module")
def truth() -> list[JudgedCube]:
    return region(1)


@pytest.fixture(scope="module")
def table(truth) -> pd.DataFrame:
    classes = {code: "rural" if i < 7 else "urban" for i, code in enumerate(CODES)}
    return build_calibration(truth, area_class=classes, **NAMES)


def in_stratum(row: tuple, cube: JudgedCube, o: int, s: int, u: int) -> bool:
    first, _, last = row.value.partition("..")
    low, high = {"<2": (0, 2), "2..5": (2, 5), "5..10": (5, 10), "10+": (10, np.inf)}.get(row.value, (0, 0))
    if row.stratum == "horizon":
        return int(first) <= cube.horizons[o, s] <= int(last)
    if row.stratum == "size":
        return low <= cube.mean[o, s, u] < high
    return row.stratum == "all" or (row.value == "rural") == (u < 7)


def test_every_row_is_the_mean_over_its_forecasts_in_a_loop(truth, table):
    for cube in truth:
        for row in table[table.level == cube.level].itertuples():
            mass, covered, expected = [], [], []
            c, j = CENTRALS.index(row.central), cube.judged
            for o, s, u in np.ndindex(cube.mean.shape):
                if in_stratum(row, cube, o, s, u):
                    mass.append(central_mass(j.pit_below[o, s, u], j.pit_upto[o, s, u], row.central))
                    covered.append(j.covered[c, o, s, u])
                    expected.append(j.coverage_expected[c, o, s, u])
            assert row.forecasts == len(mass)
            found = (row.pit_mass, row.coverage, row.coverage_expected)
            np.testing.assert_allclose(found, (np.mean(mass), np.mean(covered), np.mean(expected)))


def test_strata_are_those_that_hold_forecasts(table):
    fine = table[table.level == "lsoa21"].groupby("stratum").value.unique().map(set).to_dict()
    assert fine["horizon"] == {"1..3", "4..6"}
    assert fine["urban_rural"] == {"urban", "rural"}
    whole = table[table.level == "pfa"]
    assert set(whole.stratum) == {"all", "horizon", "size"}
    assert set(whole[whole.stratum == "size"].value) == {"10+"}
    for stratum in ("horizon", "size", "urban_rural"):
        parts = table[(table.level == "lsoa21") & (table.stratum == stratum) & (table.central == 0.9)]
        assert parts.forecasts.sum() == headline(table, "lsoa21").forecasts


def test_the_order_of_areas_changes_nothing(truth, table):
    fine = truth[0]
    order = np.random.default_rng(3).permutation(AREAS)
    other = make_judged_cube(
        level="lsoa21", window="month", origins=fine.origins, horizons=fine.horizons, areas=fine.areas[order]
    )
    for target, source in zip([other.mean, *other.judged], [fine.mean, *fine.judged], strict=True):
        target[...] = source[..., order]
    found = build_calibration([other], **NAMES)
    expected = table[(table.level == "lsoa21") & (table.stratum != "urban_rural")].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected, rtol=1e-12)


def test_forecasts_of_the_truth_are_called_calibrated_and_ones_without_the_shared_shock_are_not():
    seeds = range(24)
    alarms = {"truth": 0, "no shock": 0, "fine truth": 0, "fine narrow": 0}
    for seed in seeds:
        found = build_calibration(region(seed), **NAMES)
        alarms["truth"] += headline(found, "pfa").verdict == NOT_CALIBRATED
        alarms["fine truth"] += headline(found, "lsoa21").verdict == NOT_CALIBRATED
        found = build_calibration(region(seed, shared=0.0), **NAMES)
        alarms["no shock"] += headline(found, "pfa").verdict == NOT_CALIBRATED
    for seed in seeds[:8]:
        found = build_calibration(region(seed, own=60.0), **NAMES)
        alarms["fine narrow"] += headline(found, "lsoa21").verdict == NOT_CALIBRATED
    # One in ten is what a 90 % interval lets through: seven of 24 or more would come once in a hundred.
    assert alarms["truth"] <= 6
    assert alarms["fine truth"] <= 1
    assert alarms["no shock"] >= 22
    assert alarms["fine narrow"] == 8


def test_sixteen_forecasts_that_all_lay_inside_are_no_proof_against_nine_in_ten():
    """A share of 1 among 16 comes once in five: resampling it would give no width at all."""
    cube = make_judged_cube(level="pfa", window="quarter", origins=FIRST + 3 * np.arange(16), horizons=[3], areas=["E"])
    pit = np.linspace(0.07, 0.93, 16)[np.random.default_rng(1).permutation(16)]
    cube.judged.pit_below[:, 0, 0], cube.judged.pit_upto[:, 0, 0] = pit, pit + 0.002
    cube.judged.covered[...], cube.judged.coverage_expected[...], cube.mean[...] = 1.0, 0.9, 500.0
    row = headline(build_calibration([cube], **NAMES), "pfa")
    assert row.pit_mass == 1.0
    assert row.low < 0.9 < row.high
    assert row.month_blocks == 16


def one_unit(masses: list[float], *, level: str = "pfa", window: str = "month", ends: list[int] | None = None):
    """A cube whose 90 % masses are given: PIT intervals half in and half out of the central interval."""
    ends = ends or list(range(len(masses)))
    cube = make_judged_cube(level=level, window=window, origins=[FIRST + e for e in ends], horizons=[1], areas=["E"])
    mass = np.array(masses)
    cube.judged.pit_below[:, 0, 0], cube.judged.pit_upto[:, 0, 0] = 0.05 * mass, 0.05 * mass + 0.05
    cube.judged.covered[...], cube.judged.coverage_expected[...], cube.mean[...] = 1.0, 0.9, 500.0
    return cube


@pytest.mark.parametrize(
    ("masses", "level", "verdict"),
    [
        ([0.9] * 5, "pfa", TOO_FEW_MONTHS),
        ([0.885] * 40, "pfa", CALIBRATED),
        ([0.885] * 40, "lsoa21", CALIBRATED),
        ([0.85] * 40, "lsoa21", NOT_CALIBRATED),
        ([0.85] * 40, "pfa", NOT_CALIBRATED),
        ([0.0, *[1.0] * 6], "pfa", TOO_FEW_MONTHS),
        ([0.0, 0.0, *[1.0] * 12] * 4, "pfa", CALIBRATED),
        ([0.0, 0.0, *[1.0] * 12] * 4, "lsoa21", NOT_CALIBRATED),
    ],
)
def test_the_verdict_follows_the_declared_tolerance(masses, level, verdict):
    row = headline(build_calibration([one_unit(masses, level=level)], **NAMES), level)
    assert row.pit_mass == pytest.approx(np.mean(masses))
    assert row.verdict == verdict, (row.low, row.high)


def test_the_interval_is_wilsons_where_each_block_is_one_forecast():
    from scipy import stats

    inside = [1.0] * 27 + [0.0] * 13
    row = headline(build_calibration([one_unit(inside)], **NAMES), "pfa")
    t, p = stats.t.ppf(0.95, 39), 27 / 40
    for end in (row.low, row.high):
        # Wilson's ends are where the score statistic is just what the quantile allows.
        assert abs(p - end) / np.sqrt(end * (1 - end) / 40) == pytest.approx(t)


@pytest.mark.parametrize(
    ("window", "ends", "blocks"),
    [
        ("month", [0, 1, 2, 5], 4),
        ("quarter", [0, 3, 6, 9], 4),
        ("quarter", [0, 1, 2, 3], 2),
        ("12_months", list(range(0, 43, 3)), 4),
        ("financial_year", [0, 12, 24], 3),
    ],
)
def test_overlapping_windows_are_fewer_blocks(window, ends, blocks):
    found = build_calibration([one_unit([0.9] * len(ends), window=window, ends=ends)], **NAMES)
    assert set(found.month_blocks) == {blocks}
    assert found.low.isna().all()


def test_what_was_not_judged_counts_for_nothing(truth):
    fine = truth[0]
    part = make_judged_cube(
        level="lsoa21", window="month", origins=fine.origins, horizons=fine.horizons, areas=fine.areas
    )
    for target, source in zip([part.mean, *part.judged], [fine.mean, *fine.judged], strict=True):
        target[..., :10, :, :] = source[..., :10, :, :]
    found = headline(build_calibration([part], **NAMES), "lsoa21")
    assert found.forecasts == 10 * 6 * AREAS
    assert np.isfinite([found.pit_mass, found.coverage, found.coverage_expected]).all()
    assert found.month_blocks == 33


def test_reliability_is_the_verdict_on_the_ninety_per_cent_interval(table):
    asked = {**NAMES, "window": "month"}
    assert reliability_of(table, level="lsoa21", **asked) == headline(table, "lsoa21").verdict
    assert reliability_of(table, level="msoa21", **asked) == NOT_JUDGED
    assert reliability_of(table, level="lsoa21", **{**asked, "model_id": "other"}) == NOT_JUDGED


def test_the_tolerance_covers_every_central():
    assert set(TOLERANCE.within) == set(CENTRALS)


def test_the_class_of_an_area_is_where_its_residents_are():
    rows = [
        ("urban_rural", g, f"E{i}", float(g == ("urban", "rural")[i % 2])) for i in range(4) for g in ("urban", "rural")
    ]
    rows += [("sex", "female", "E0", 10.0)]
    groups = pd.DataFrame(rows, columns=["characteristic", "group", "area", "population"])
    assert area_class_of(groups) == {"E0": "urban", "E1": "rural", "E2": "urban", "E3": "rural"}
    assert area_class_of(groups, "religion") == {}


def test_a_cube_finds_forecasts_by_month_horizon_and_area(truth):
    fine = truth[0]
    found = fine.at(FIRST + 6, 4, [CODES[9], CODES[2]])
    np.testing.assert_array_equal(found.crps, fine.judged.crps[2, 3, [9, 2]])
    np.testing.assert_array_equal(found.covered, fine.judged.covered[:, 2, 3][:, [9, 2]])
    assert crps(found) == found.crps.mean()
    assert pit_mass_90(found) == central_mass(found.pit_below, found.pit_upto, 0.9).mean()
    for origin, horizon, areas in [(FIRST + 7, 4, CODES), (FIRST + 6, 9, CODES), (FIRST + 6, 4, ["E99"])]:
        assert fine.at(origin, horizon, areas) is None


def test_cubes_that_cannot_be_are_refused(truth):
    with pytest.raises(DefinitionError, match="unknown window 'quarters'"):
        make_judged_cube(level="pfa", window="quarters", origins=[1], horizons=[3], areas=["E"])
    with pytest.raises(TableError, match="horizons do not fit"):
        make_judged_cube(level="pfa", window="quarter", origins=[1, 2, 3], horizons=[[3], [2]], areas=["E"])
    empty = make_judged_cube(level="ward24", window="month", origins=[1], horizons=[3], areas=["E"])
    with pytest.raises(TableError, match="no forecast was judged"):
        build_calibration([empty], **NAMES)
    whole, some = build_calibration([truth[1]], **NAMES), build_calibration([empty, truth[1]], **NAMES)
    pd.testing.assert_frame_equal(whole, some)
    assert reliability_of(some, **NAMES, level="ward24", window="month") == NOT_JUDGED
    with pytest.raises(TableError, match="repeats"):
        build_calibration([truth[1], truth[1]], **NAMES)


def test_losses_given_as_an_array_are_compared_as_those_of_a_backtest():
    rng = np.random.default_rng(7)
    origins, horizons, models = pd.date_range("2023-01-01", periods=5, freq="MS"), [1, 2, 3], ["base", "model"]
    mean, counts = rng.gamma(3, 1, (2, 5, 3, 4)), rng.poisson(3.0, 7 + 1)
    rows = []
    losses = np.full(mean.shape, np.nan)
    for m, o, h, a in np.ndindex(mean.shape):
        if (m, o, h) == (1, 2, 1):
            continue
        y = float(counts[o + h])
        losses[m, o, h, a] = poisson_deviances([y], [mean[m, o, h, a]])[0]
        end = origins[o] + pd.DateOffset(months=h) + pd.offsets.MonthEnd(0)
        key = (models[m], origins[o], "t@1", horizons[h], end, "lsoa21", f"E{a}", "mean", np.nan)
        rows.append((*key, mean[m, o, h, a], y))
    names = ["model_id", "origin_date", "target", "horizon", "target_end_date", "level", "location"]
    backtest = pd.DataFrame(rows, columns=[*names, "output_type", "output_type_id", "value", "observed"])
    asked = {"baseline": "base", "metric": "poisson_deviance", "seed": 3, "resamples": 50}
    found = compare_losses(losses, models=models, origins=origins, horizons=horizons, **asked)
    pd.testing.assert_frame_equal(found, build_comparison(backtest, **asked))
    assert found.low.notna().any()


def test_losses_that_do_not_fit_their_labels_are_refused():
    given = {
        "models": ["a", "b"],
        "origins": pd.DatetimeIndex(["2023-01-01"]),
        "horizons": [1],
        "metric": "crps",
        "seed": 1,
    }
    losses = np.ones((2, 1, 1, 3))
    with pytest.raises(DefinitionError, match="unknown baseline"):
        compare_losses(losses, baseline="c", **given)
    with pytest.raises(TableError, match="do not fit"):
        compare_losses(losses[:, :, :, 0], baseline="a", **given)
    with pytest.raises(TableError, match="infinite"):
        compare_losses(np.full_like(losses, np.inf), baseline="a", **given)


def test_scores_of_distributions_are_fed_from_the_cube_and_blank_without_it(truth):
    rows = []
    fine = truth[0]
    areas, origin = CODES[:5], pd.Timestamp("2020-07-01")
    for horizon in (1, 2, 7):
        end = origin + pd.DateOffset(months=horizon - 1) + pd.offsets.MonthEnd(0)
        rows += [("m", origin, "t@1", horizon, end, "lsoa21", a, "mean", np.nan, 2.0, 1.0) for a in areas]
    names = ["model_id", "origin_date", "target", "horizon", "target_end_date", "level", "location"]
    backtest = pd.DataFrame(rows, columns=[*names, "output_type", "output_type_id", "value", "observed"])
    asked = {
        "population": pd.Series(1000.0, index=areas),
        "scale": {origin: 1.0},
        "region": "E23",
        "metrics": ["crps", "log_score", "interval_score_90", "pit_mass_90"],
    }
    scores = build_scores(backtest, judged={"m": fine}, **asked).set_index(["metric", "horizon"])
    assert FIRST == 12 * 2020
    judged = fine.at(FIRST + 6, 2, areas)
    assert scores.value["crps", 2] == judged.crps.mean()
    assert scores.value["log_score", 2] == judged.log_score.mean()
    assert scores.value["interval_score_90", 2] == judged.interval_score[CENTRALS.index(0.9)].mean()
    assert scores.value["pit_mass_90", 2] == pit_mass_90(judged)
    assert scores.note["crps", 7] == "draws were judged for 0 of 5 areas"
    without = build_scores(backtest, **asked)
    assert without.value.isna().all()
    assert set(without.note) == {"draws were judged for 0 of 5 areas"}
