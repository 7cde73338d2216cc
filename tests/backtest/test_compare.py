"""Skill, its interval and its verdict against naive loops; the first line of every report."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.backtest.compare import (
    BETTER,
    NO_BETTER,
    NO_FORECAST,
    NO_INTERVAL,
    WORSE,
    block_interval,
    build_comparison,
    headline,
    pooled_denominator,
    resampled_blocks,
)
from riskmodel.backtest.metrics import poisson_deviances
from riskmodel.backtest.scores import score_forecasts
from riskmodel.contracts.errors import DefinitionError
from riskmodel.contracts.tables import BACKTEST, COMPARISON, TableError, as_table

AREAS = [f"E0100000{i}" for i in range(8)]
ORIGINS = pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01"])
HORIZONS = (1, 2, 3)
# How far each model's means lie from the rate that made the counts.
ERRORS = {"rolling_12": 0.35, "close": 0.05, "same": 0.35, "far": 0.9}
CELL = ["origin_date", "horizon"]

law = settings(deadline=None, max_examples=60)


def make_backtest(errors: dict[str, float] = ERRORS, origins: pd.DatetimeIndex = ORIGINS) -> pd.DataFrame:
    rng = np.random.default_rng(23)
    rate = rng.gamma(4.0, 2.0, len(AREAS)) + 0.5
    side = rng.choice([-1.0, 1.0], len(AREAS))
    months = pd.period_range("2024-01", periods=12, freq="M")
    recorded = {month: rng.poisson(rate).astype(float) for month in months}
    rows = []
    for model, error in errors.items():
        for origin in origins:
            for horizon in HORIZONS:
                month = (origin + pd.DateOffset(months=horizon - 1)).to_period("M")
                for a, area in enumerate(AREAS):
                    mean = rate[a] * math.exp(error * side[a])
                    key = (model, origin, "recorded_violence@1", horizon, month.end_time.normalize(), "lsoa21", area)
                    rows.append((*key, "mean", math.nan, mean, recorded[month][a]))
    return as_table(pd.DataFrame(rows, columns=BACKTEST.names), BACKTEST)


@pytest.fixture(scope="module")
def backtest() -> pd.DataFrame:
    return make_backtest()


def compare(frame: pd.DataFrame, **changed: object) -> pd.DataFrame:
    return build_comparison(frame, **({"baseline": "rolling_12", "seed": 4, "resamples": 200} | changed))


def overall(comparison: pd.DataFrame, model: str) -> pd.Series:
    rows = comparison[
        (comparison.model_id == model) & (comparison.origin_date == "all") & (comparison.horizon == "all")
    ]
    assert len(rows) == 1
    return rows.iloc[0]


def naive_rows(frame: pd.DataFrame, baseline: str, seed: int, resamples: int) -> dict[tuple[str, str, str], tuple]:
    """Every row of the comparison, by joining forecasts one to one and looping over resamples."""
    each = score_forecasts(frame)
    reference = each[each.model_id == baseline]
    found = {}
    for model in sorted(set(each.model_id) - {baseline}):
        both = each[each.model_id == model].merge(
            reference, on=["origin_date", "horizon", "target_end_date", "location"], suffixes=("", "_baseline")
        )
        origins, horizons = [*map(str, ORIGINS.date), "all"], [*map(str, HORIZONS), "all"]
        for origin in origins:
            for horizon in horizons:
                cell = both[
                    ((both.origin_date.dt.strftime("%Y-%m-%d") == origin) | (origin == "all"))
                    & ((both.horizon.astype(str) == horizon) | (horizon == "all"))
                ]
                found[model, origin, horizon] = naive_skill(cell, seed, resamples)
    return found


def naive_skill(cell: pd.DataFrame, seed: int, resamples: int) -> tuple:
    if cell.empty:
        return math.nan, math.nan, math.nan, 0, 0
    months = [block for _, block in cell.groupby("target_end_date")]
    skills = []
    if len(months) >= 6:
        for drawn in resampled_blocks(len(months), resamples, seed):
            sample = pd.concat([months[block] for block in drawn])
            skills.append(1 - sample.poisson_deviance.sum() / sample.poisson_deviance_baseline.sum())
    low, high = np.quantile(skills, [0.05, 0.95]) if skills else (math.nan, math.nan)
    skill = 1 - cell.poisson_deviance.mean() / cell.poisson_deviance_baseline.mean()
    return skill, low, high, len(cell), len(months)


def without_some_forecasts(frame: pd.DataFrame) -> pd.DataFrame:
    """A model that lacks two whole cells and another that lacks three areas at one origin."""
    gap = (frame.model_id == "close") & (frame.origin_date == ORIGINS[1]) & (frame.horizon >= 2)
    part = (frame.model_id == "far") & (frame.origin_date == ORIGINS[2]) & frame.location.isin(AREAS[:3])
    return frame[~gap & ~part]


def test_every_row_agrees_with_a_naive_loop_over_joined_forecasts(backtest):
    frame = without_some_forecasts(backtest)
    found = compare(frame, resamples=25)
    expected = naive_rows(frame, "rolling_12", seed=4, resamples=25)
    assert len(found) == len(expected) == 3 * (1 + 3 + 4 + 12)
    for row in found.itertuples():
        numbers = (row.skill, row.low, row.high, row.forecasts, row.month_blocks)
        assert numbers == pytest.approx(expected[row.model_id, row.origin_date, row.horizon], nan_ok=True)


def test_the_table_keeps_its_contract_and_leaves_the_baseline_out(backtest):
    found = compare(backtest)
    assert as_table(found, COMPARISON).equals(found)
    assert set(found["model_id"]) == {"close", "same", "far"}
    assert set(found["metric"]) == {"poisson_deviance"}
    assert set(found["baseline"]) == {"rolling_12"}


def test_verdicts_follow_the_interval(backtest):
    found = compare(backtest)
    assert overall(found, "close")["verdict"] == BETTER
    assert overall(found, "far")["verdict"] == WORSE
    same = overall(found, "same")
    assert (same["verdict"], same["skill"]) == (NO_BETTER, 0.0)
    for row in found.itertuples():
        expected = (
            NO_INTERVAL
            if math.isnan(row.low)
            else BETTER
            if row.low > 1e-9
            else WORSE
            if row.high < -1e-9
            else NO_BETTER
        )
        assert row.verdict == expected


def test_a_model_that_is_better_in_some_months_and_worse_in_others_is_no_better(backtest):
    close, far = (backtest[backtest.model_id == name] for name in ("close", "far"))
    even = close.target_end_date.dt.month % 2 == 0
    mixed = pd.concat([close[even], far[~even.to_numpy()]]).assign(model_id="mixed")
    found = overall(compare(pd.concat([backtest, mixed])), "mixed")
    assert found["low"] < 0.0 < found["high"]
    assert found["verdict"] == NO_BETTER


def test_a_single_month_has_no_interval(backtest):
    found = compare(backtest)
    cells = found[(found.origin_date != "all") & (found.horizon != "all")]
    assert (cells.month_blocks == 1).all()
    assert (cells.verdict == NO_INTERVAL).all()
    assert cells.low.isna().all()
    assert cells.skill.notna().all()


@pytest.mark.parametrize(("origins", "blocks", "enough"), [(3, 5, False), (4, 6, True)])
def test_six_target_months_are_the_least_for_an_interval(origins, blocks, enough):
    found = compare(make_backtest(origins=ORIGINS[:origins]))
    assert overall(found, "close")["month_blocks"] == blocks
    assert math.isfinite(overall(found, "close")["low"]) == enough
    by_horizon = found[(found.origin_date == "all") & (found.horizon == "1")]
    assert (by_horizon.month_blocks == origins).all()
    assert by_horizon.low.isna().all()


def test_gaps_are_rows(backtest):
    found = compare(without_some_forecasts(backtest))
    gaps = found[found.forecasts == 0]
    assert list(zip(gaps.model_id, gaps.origin_date, gaps.horizon, strict=True)) == [
        ("close", "2024-02-01", "2"),
        ("close", "2024-02-01", "3"),
    ]
    assert gaps.skill.isna().all()
    assert (gaps.verdict == NO_FORECAST).all()
    assert overall(found, "close")["forecasts"] == (12 - 2) * len(AREAS)
    assert overall(found, "far")["forecasts"] == 12 * len(AREAS) - 3 * 3


def test_a_cell_that_only_the_baseline_lacks_is_a_row_too(backtest):
    gap = (backtest.model_id == "rolling_12") & (backtest.origin_date == ORIGINS[0]) & (backtest.horizon == 1)
    found = compare(backtest[~gap])
    assert (found.loc[found.forecasts == 0, "verdict"] == NO_FORECAST).all()
    assert (found.forecasts == 0).sum() == 3


@settings(deadline=None, max_examples=10)
@given(st.randoms(use_true_random=False))
def test_neither_row_order_nor_other_models_reach_a_row(random):
    frame = make_backtest(origins=ORIGINS[:2])
    expected = compare(frame)
    order = list(range(len(frame)))
    random.shuffle(order)
    pd.testing.assert_frame_equal(compare(frame.iloc[order]), expected, check_exact=True)
    alone = compare(frame[frame.model_id.isin(["rolling_12", "far"])])
    pd.testing.assert_frame_equal(alone, expected[expected.model_id == "far"].reset_index(drop=True), check_exact=True)


def test_the_same_seed_gives_the_same_bytes(backtest):
    pd.testing.assert_frame_equal(compare(backtest), compare(backtest), check_exact=True)
    assert overall(compare(backtest, seed=5), "far")["low"] != overall(compare(backtest), "far")["low"]


def test_absolute_error_can_be_compared_too(backtest):
    found = overall(compare(backtest, metric="mae"), "far")
    each = score_forecasts(backtest).groupby("model_id")["absolute_error"].mean()
    assert found["skill"] == pytest.approx(1 - each["far"] / each["rolling_12"])


@law
@given(st.lists(st.tuples(st.floats(0.1, 50.0), st.floats(0.1, 50.0)), min_size=6, max_size=20), st.integers(0, 2**32))
def test_the_interval_lies_within_the_months_own_skills(blocks, seed):
    model, baseline = np.array(blocks).T
    low, high = block_interval(model, baseline, resamples=60, seed=seed)
    monthly = 1 - model / baseline
    assert monthly.min() - 1e-9 <= low <= high <= monthly.max() + 1e-9


@law
@given(st.integers(3, 30), st.integers(1, 40), st.integers(0, 2**32))
def test_each_resample_draws_as_many_months_as_there_are(blocks, resamples, seed):
    drawn = resampled_blocks(blocks, resamples, seed)
    assert drawn.shape == (resamples, blocks)
    assert drawn.min() >= 0
    assert drawn.max() < blocks


def test_a_known_bootstrap_interval_is_found():
    """Months of equal baseline score: skill is a mean of months, whose resampled spread is known."""
    rng = np.random.default_rng(2)
    model, baseline = rng.normal(90.0, 5.0, 40), np.full(40, 100.0)
    low, high = block_interval(model, baseline, resamples=4000, seed=0)
    spread = model.std() / 100.0 / math.sqrt(40)
    middle = 1.0 - model.mean() / 100.0
    assert (low, high) == pytest.approx((middle - 1.645 * spread, middle + 1.645 * spread), abs=0.08 * spread * 1.645)


def test_a_baseline_without_error_leaves_skill_undefined():
    frame = make_backtest({"rolling_12": 0.1, "far": 0.9})
    perfect = frame.assign(observed=1.0)
    perfect.loc[perfect.model_id == "rolling_12", "value"] = 1.0
    found = compare(perfect)
    assert found.skill.isna().all()
    assert (found.verdict == NO_INTERVAL).all()
    assert overall(found, "far")["forecasts"] == 12 * len(AREAS)
    assert headline(found).startswith("No better than counting: ")


def test_unknown_names_are_refused_with_the_likely_one(backtest):
    with pytest.raises(DefinitionError, match="did you mean 'rolling_12'"):
        compare(backtest, baseline="roling_12")
    with pytest.raises(DefinitionError, match="poisson_deviance"):
        compare(backtest, metric="level_ratio")


def test_the_headline_names_the_best_model_with_its_interval(backtest):
    found = compare(backtest)
    best = overall(found, "close")
    assert headline(found) == (
        f"Better than counting: close has a skill of {100 * best['skill']:.1f} % against rolling_12 "
        f"(all months ahead together; 90 % interval {100 * best['low']:.1f} % to {100 * best['high']:.1f} %; "
        "forecasts: 96; target months: 6)."
    )


def row(model: str, skill: float, low: float, high: float, verdict: str) -> dict[str, object]:
    return {
        "model_id": model,
        "baseline": "rolling_12",
        "metric": "poisson_deviance",
        "origin_date": "all",
        "horizon": "all",
        "skill": skill,
        "low": low,
        "high": high,
        "forecasts": 12000,
        "month_blocks": 9,
        "verdict": verdict,
    }


@pytest.mark.parametrize(
    ("rows", "start", "parts"),
    [
        (
            [row("a", 0.05, -0.01, 0.11, NO_BETTER), row("b", 0.02, 0.01, 0.03, BETTER)],
            "Better than counting: b has a skill of 2.0 %",
            ["90 % interval 1.0 % to 3.0 %", "forecasts: 12,000", "target months: 9"],
        ),
        (
            [row("a", -0.05, -0.09, -0.01, WORSE), row("b", -0.0004, -0.01, 0.01, NO_BETTER)],
            "No better than counting: the best of the models, b, has a skill of 0.0 %",
            ["90 % interval -1.0 % to 1.0 %"],
        ),
        (
            [row("a", 0.2, math.nan, math.nan, NO_INTERVAL)],
            "No better than counting: the best of the models, a,",
            ["no interval"],
        ),
        ([row("a", math.nan, math.nan, math.nan, NO_FORECAST)], "No better than counting: no model", []),
    ],
)
def test_the_headline_claims_no_more_than_the_interval(rows, start, parts):
    line = headline(as_table(pd.DataFrame(rows), COMPARISON))
    assert line.startswith(start)
    assert line.endswith(".")
    assert "\n" not in line
    assert all(part in line for part in parts)


def test_the_headline_counts_the_gaps_of_the_model_it_names(backtest):
    assert headline(compare(without_some_forecasts(backtest))).endswith("without a forecast: 2).")


def test_the_headline_of_a_baseline_alone_is_no_better(backtest):
    alone = compare(backtest[backtest.model_id == "rolling_12"])
    assert len(alone) == 0
    assert headline(alone).startswith("No better than counting: ")


def test_the_headline_survives_the_way_to_csv_and_back(backtest, tmp_path):
    found = compare(backtest)
    path = tmp_path / "comparison.csv"
    found.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")
    assert headline(pd.read_csv(path)) == headline(found)


@law
@given(st.integers(1, 4), st.integers(13, 30), st.integers(0, 1000))
def test_the_pooled_scale_is_a_mean_over_known_pairs(areas, months, seed):
    rng = np.random.default_rng(seed)
    series = rng.poisson(4, (areas, months)).astype(float)
    series[:, rng.random(months) < 0.2] = math.nan
    known = [
        abs(series[a, t] - series[a, t - 12])
        for a in range(areas)
        for t in range(12, months)
        if not math.isnan(series[a, t]) and not math.isnan(series[a, t - 12])
    ]
    found = pooled_denominator(series)
    if known:
        assert found == pytest.approx(sum(known) / len(known))
    else:
        assert math.isnan(found)
        assert "same month a year before" in found.reason


def test_a_year_or_less_has_no_pooled_scale():
    assert math.isnan(pooled_denominator(np.ones((3, 12))))
    assert math.isnan(pooled_denominator(np.ones((3, 5))))
    with pytest.raises(TableError):
        pooled_denominator(np.ones(20))


def test_deviances_pool_to_the_skill_of_the_whole(backtest):
    means = {model: rows for model, rows in backtest.groupby("model_id")}
    total = {m: poisson_deviances(rows.observed, rows.value).sum() for m, rows in means.items()}
    assert overall(compare(backtest), "far")["skill"] == pytest.approx(1 - total["far"] / total["rolling_12"])


DATA = Path(os.environ.get("RISKMODEL_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
DISTRICTS = "Cheltenham|Cotswold|Forest of Dean|Gloucester|Stroud|Tewkesbury"


def read_recorded_violence(months: pd.PeriodIndex) -> pd.DataFrame:
    """Located, in-force rows of the public category, counted by area and month."""
    paths = [DATA / "police" / f"{month}" / f"{month}-gloucestershire-street.csv.gz" for month in months]
    absent = [path.name for path in paths if not path.exists()]
    if absent:
        pytest.skip(f"published police files are absent, e.g. {absent[0]}")
    rows = pd.concat(pd.read_csv(path, usecols=["Month", "LSOA code", "LSOA name", "Crime type"]) for path in paths)
    violence = rows[rows["Crime type"] == "Violence and sexual offences"]
    located = violence[violence["LSOA name"].str.fullmatch(rf"(?:{DISTRICTS}) \d{{3}}[A-Z]", na=False)]
    return pd.crosstab(located["LSOA code"], located["Month"]).astype(float)


@pytest.mark.real
def test_real_months_repeated_from_a_year_before_are_worse_than_a_rolling_mean():
    counts = read_recorded_violence(pd.period_range("2023-07", "2025-06", freq="M"))
    y, months = counts.to_numpy(), [pd.Period(month) for month in counts.columns]
    rows = []
    for o in range(14, len(months)):
        for horizon in (1, 2, 3):
            t = o + horizon - 1
            if t < len(months):
                forecasts = {"rolling_12": y[:, o - 14 : o - 2].mean(axis=1), "seasonal_naive": y[:, t - 12]}
                for model, mean in forecasts.items():
                    rows.append(
                        pd.DataFrame(
                            {
                                "model_id": model,
                                "origin_date": months[o].start_time,
                                "target": "recorded_violence@1",
                                "horizon": horizon,
                                "target_end_date": months[t].end_time.normalize(),
                                "level": "lsoa21",
                                "location": counts.index,
                                "output_type": "mean",
                                "output_type_id": math.nan,
                                "value": np.maximum(mean, 0.05),
                                "observed": y[:, t],
                            }
                        )
                    )
    backtest = as_table(pd.concat(rows), BACKTEST)
    found = compare(backtest)
    assert overall(found, "seasonal_naive")["verdict"] == WORSE
    assert overall(found, "seasonal_naive")["forecasts"] == len(counts) * (10 + 9 + 8)
    assert headline(found).startswith("No better than counting: ")
    joined = score_forecasts(backtest).groupby("model_id")["poisson_deviance"].mean()
    skill = 1 - joined["seasonal_naive"] / joined["rolling_12"]
    assert overall(found, "seasonal_naive")["skill"] == pytest.approx(skill)
