"""The scores table against naive loops over the same forecasts, and what a backtest may not be."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from riskmodel.backtest import metrics
from riskmodel.backtest.scores import as_cube, build_scores, score_forecasts
from riskmodel.contracts.errors import DefinitionError
from riskmodel.contracts.tables import BACKTEST, SCORES, TableError, as_table

AREAS = [f"E0100000{i}" for i in range(9)]
ORIGINS = pd.to_datetime(["2024-01-01", "2024-04-01", "2024-07-01"])
MODELS = ["rolling_12", "poisson_ridge"]
POPULATION = pd.Series(np.linspace(1000.0, 2600.0, 9), index=AREAS)
SCALE = {origin: 1.5 + number for number, origin in enumerate(ORIGINS)}
CELL = ["model_id", "origin_date", "horizon"]


def make_backtest(levels: tuple[float, ...] = (0.05, 0.5, 0.95)) -> pd.DataFrame:
    rng = np.random.default_rng(11)
    recorded: dict[tuple[str, pd.Timestamp], float] = {}
    rows = []
    for model in MODELS:
        for origin in ORIGINS:
            for horizon in (1, 2, 3, 4):
                end = origin + pd.DateOffset(months=horizon) - pd.Timedelta(days=1)
                for area in AREAS:
                    observed = recorded.setdefault((area, end), float(rng.poisson(3)))
                    mean = float(rng.gamma(3.0)) + 0.05
                    key = (model, origin, "recorded_violence@1", horizon, end, "lsoa21", area)
                    rows.append((*key, "mean", math.nan, mean, observed))
                    rows += [(*key, "quantile", q, mean * 2 * q, observed) for q in levels]
    return as_table(pd.DataFrame(rows, columns=BACKTEST.names), BACKTEST)


@pytest.fixture(scope="module")
def backtest() -> pd.DataFrame:
    return make_backtest()


@pytest.fixture(scope="module")
def scores(backtest: pd.DataFrame) -> pd.DataFrame:
    return score(backtest)


def score(frame: pd.DataFrame, **changed: object) -> pd.DataFrame:
    given = {"population": POPULATION, "scale": SCALE, "region": "E23000037"} | changed
    return build_scores(frame, **given)


def naive_scores(cell: pd.DataFrame, scale: float) -> dict[str, float]:
    means = cell[cell.output_type == "mean"].set_index("location")
    low = cell[cell.output_type_id == 0.05].set_index("location").value
    high = cell[cell.output_type_id == 0.95].set_index("location").value
    observed, mean, people = means.observed, means.value, POPULATION[means.index]
    error = sum(abs(observed[a] - mean[a]) for a in means.index) / len(means)
    deviance = 0.0
    for a in means.index:
        y, p = observed[a], mean[a]
        deviance += 2 * ((y * math.log(y / p) if y else 0.0) - (y - p))
    found = {
        "poisson_deviance": deviance / len(means),
        "mae": error,
        "mase": error / scale,
        "level_ratio": mean.sum() / observed.sum(),
        "coverage_90": sum(low[a] <= observed[a] <= high[a] for a in means.index) / len(means),
    }
    for share in (0.01, 0.05, 0.10, 0.20):
        taken = follow(sorted(means.index, key=lambda a: -mean[a] / people[a]), people, share)
        best = follow(sorted(means.index, key=lambda a: -observed[a] / people[a]), people, share)
        found[f"hit_rate_{round(share * 100):02d}"] = observed[taken].sum() / observed.sum()
        found[f"pai_{round(share * 100):02d}"] = (
            observed[taken].sum() / observed.sum() / (people[taken].sum() / people.sum())
        )
        found[f"pei_{round(share * 100):02d}"] = observed[taken].sum() / observed[best].sum()
    return found


def follow(order: list[str], people: pd.Series, share: float) -> list[str]:
    taken = [order[0]]
    for area in order[1:]:
        if people[[*taken, area]].sum() > share * people.sum():
            break
        taken.append(area)
    return taken


def test_every_score_agrees_with_a_naive_loop(backtest, scores):
    values = scores.set_index([*CELL, "metric"])["value"]
    compared = 0
    for (model, origin, horizon), cell in backtest.groupby(CELL):
        for metric, expected in naive_scores(cell, SCALE[origin]).items():
            assert values[model, origin, horizon, metric] == pytest.approx(expected), (model, origin, horizon, metric)
            compared += 1
    assert compared == len(scores) == 2 * 3 * 4 * 17


def test_the_table_keeps_its_contract(scores):
    assert as_table(scores, SCORES).equals(scores)
    assert set(scores["location"]) == {"E23000037"}
    assert set(scores["level"]) == {"lsoa21"}
    assert (scores["forecasts"] == len(AREAS)).all()
    assert (scores["note"] == "").all()


def test_forecasts_are_scored_one_by_one(backtest):
    each = score_forecasts(backtest)
    means = backtest[backtest.output_type == "mean"].sort_values([*CELL, "location"], ignore_index=True)
    shared = ["model_id", "origin_date", "target", "horizon", "target_end_date", "level", "location"]
    pd.testing.assert_frame_equal(each[shared], means[shared], check_dtype=False)
    assert each["absolute_error"].to_numpy() == pytest.approx((means.observed - means.value).abs().to_numpy())
    assert each["poisson_deviance"].to_numpy() == pytest.approx(
        [metrics.poisson_deviance([y], [p]) for y, p in zip(means.observed, means.value, strict=True)]
    )


def test_cells_are_means_of_the_forecasts_in_them(backtest, scores):
    summarised = score_forecasts(backtest).groupby(CELL)[["poisson_deviance", "absolute_error"]].mean()
    for metric, column in (("poisson_deviance", "poisson_deviance"), ("mae", "absolute_error")):
        cells = scores[scores.metric == metric].set_index(CELL)["value"]
        pd.testing.assert_series_equal(cells.sort_index(), summarised[column].sort_index(), check_names=False)


def test_neither_row_order_nor_categories_reach_a_score(backtest, scores):
    shuffled = backtest.sample(frac=1.0, random_state=3)
    pd.testing.assert_frame_equal(score(shuffled), scores, check_exact=True)
    narrow = shuffled.astype({"model_id": "category", "location": "category", "output_type": "category"})
    pd.testing.assert_frame_equal(score(narrow), scores, check_exact=True)
    pd.testing.assert_frame_equal(score_forecasts(shuffled), score_forecasts(backtest), check_exact=True)


def test_a_model_without_a_cell_has_blank_rows_there(backtest, scores):
    gap = (backtest.model_id == "poisson_ridge") & (backtest.origin_date == ORIGINS[1]) & (backtest.horizon == 4)
    found = score(backtest[~gap])
    pd.testing.assert_frame_equal(found[[*CELL, "metric"]], scores[[*CELL, "metric"]])
    blank = found[found.forecasts == 0]
    assert len(blank) == 17
    assert blank["value"].isna().all()
    assert blank["note"].str.contains("made no forecast").all()
    assert found["value"].notna().sum() == len(scores) - 17


def test_a_score_over_part_of_the_areas_says_so(backtest):
    part = backtest[(backtest.model_id != "poisson_ridge") | ~backtest.location.isin(AREAS[:2])]
    found = score(part).set_index("model_id")
    assert (found.loc["poisson_ridge", "note"] == "scored on 7 of 9 areas").all()
    assert (found.loc["poisson_ridge", "forecasts"] == 7).all()
    assert (found.loc["rolling_12", "note"] == "").all()


def test_coverage_without_its_quantiles_is_blank_with_the_reason(scores):
    found = score(make_backtest(levels=(0.25, 0.75)))
    coverage = found[found.metric == "coverage_90"]
    assert coverage["value"].isna().all()
    assert coverage["note"].str.contains("0 of 9 areas").all()
    others = found.metric != "coverage_90"
    assert found.loc[others, "value"].notna().all()


def test_a_month_in_which_nothing_was_recorded_is_blank_with_the_reason(backtest):
    quiet = backtest.assign(observed=backtest.observed.where(backtest.target_end_date != "2024-04-30", 0.0))
    found = score(quiet)
    blank = found[found.value.isna()]
    assert set(blank.metric.str.replace(r"_\d+$", "", regex=True)) == {"level_ratio", "hit_rate", "pai", "pei"}
    assert blank["note"].str.contains("nothing was recorded").all()
    assert (blank["forecasts"] == len(AREAS)).all()


def test_an_unknown_scale_leaves_mase_blank_with_its_reason(backtest):
    scale = SCALE | {ORIGINS[0]: metrics.Undefined("nine months are known at the origin")}
    found = score(backtest, scale=scale)
    blank = found[found.value.isna()]
    assert set(blank.metric) == {"mase"}
    assert set(blank.origin_date) == {ORIGINS[0]}
    assert (blank.note == "nine months are known at the origin").all()


def test_only_the_metrics_asked_for(backtest, scores):
    found = score(backtest, metrics=["mae", "pei"])
    assert set(found.metric) == {"mae", "pei_01", "pei_05", "pei_10", "pei_20"}
    expected = scores[scores.metric.isin(set(found.metric))].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected)


def test_a_misspelt_metric_is_refused_with_its_likely_name(backtest):
    with pytest.raises(DefinitionError, match="did you mean 'poisson_deviance'"):
        score(backtest, metrics=["poison_deviance"])


def spoil(frame: pd.DataFrame, column: str, value: object, row: int = 5) -> pd.DataFrame:
    spoilt = frame.copy()
    spoilt.iloc[row, spoilt.columns.get_loc(column)] = value
    return spoilt


FIRST_MEAN = 4
BAD = {
    "a repeated key": (lambda b: pd.concat([b, b.iloc[[FIRST_MEAN]]]), "repeats"),
    "a mean of zero": (lambda b: spoil(b, "value", 0.0, FIRST_MEAN), "not above zero"),
    "a blank mean": (lambda b: spoil(b, "value", math.nan, FIRST_MEAN), "blank, negative or infinite 'value'"),
    "a blank count": (lambda b: spoil(b, "observed", math.nan), "blank, negative or infinite 'observed'"),
    "a negative count": (lambda b: spoil(b, "observed", -1.0), "blank, negative or infinite 'observed'"),
    "models against different counts": (lambda b: spoil(b, "observed", 99.0, FIRST_MEAN), "different observed counts"),
    "a quantile without its mean": (lambda b: b.drop(index=FIRST_MEAN), "without their mean"),
    "another month": (
        lambda b: spoil(b, "target_end_date", pd.Timestamp("2024-03-31"), FIRST_MEAN),
        "does not follow from origin and horizon",
    ),
    "draws": (lambda b: spoil(b.astype({"output_type": "str"}), "output_type", "sample"), "no score reads"),
    "two targets": (lambda b: spoil(b, "target", "robbery@1", FIRST_MEAN), "more than one target"),
    "two levels": (lambda b: spoil(b, "level", "msoa21", FIRST_MEAN), "more than one level"),
    "a blank area": (lambda b: spoil(b, "location", None, FIRST_MEAN), "blank keys"),
    "no means": (lambda b: b[b.output_type_id == 0.5], "no means"),
    "a missing column": (lambda b: b.drop(columns="observed"), "missing"),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_backtest_that_would_mislead_is_refused(backtest, fault):
    make, said = BAD[fault]
    assert backtest["output_type"].iloc[FIRST_MEAN] == "mean"
    with pytest.raises(TableError, match=said):
        as_cube(make(backtest))


def test_a_refusal_names_the_model_origin_horizon_and_area(backtest):
    with pytest.raises(TableError) as caught:
        as_cube(spoil(backtest, "value", 0.0, FIRST_MEAN))
    assert "model_id rolling_12, origin_date 2024-01-01, horizon 1, location E01000001" in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"population": POPULATION.drop(AREAS[3])}, AREAS[3]),
        ({"population": POPULATION.where(POPULATION.index != AREAS[4], 0.0)}, AREAS[4]),
        ({"population": pd.concat([POPULATION, POPULATION.iloc[:1]])}, "two populations"),
        ({"scale": {ORIGINS[0]: 1.0, ORIGINS[1]: 1.0}}, "2024-07-01"),
    ],
)
def test_what_the_scores_lean_on_must_be_whole(backtest, changed, said):
    with pytest.raises(TableError, match=said):
        score(backtest, **changed)
