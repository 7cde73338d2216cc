"""Terms of forecasts: they add up for every model, and rivals and brute force give the same ones."""

from __future__ import annotations

import itertools
import math
import warnings
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import FIRST, LAG, MODELS, tiny_panel, tiny_plan
from explain_builders import explained, lines
from riskmodel.contracts.errors import DefinitionError, NotEnoughHistory, UnsoundForecast
from riskmodel.contracts.explain_tables import ATTRIBUTIONS
from riskmodel.contracts.periods import month_start
from riskmodel.contracts.registry import names
from riskmodel.contracts.specs import ModelSpec
from riskmodel.contracts.tables import as_table
from riskmodel.explain.attributions import attribute, build_attributions, explain_forecasts
from riskmodel.explain.contributions import MOST_FEATURES, contributions_of
from riskmodel.explain.explained import TERMS
from riskmodel.forecast import Fitted, Forecasts, Plan, fit_and_forecast, read_fitted, save_fitted
from riskmodel.models.base import CountModel, offset_of
from riskmodel.models.baselines import Rolling12
from riskmodel.models.boosting import LightGbmPoisson
from riskmodel.models.ensemble import Ensemble
from riskmodel.models.histogram import HistogramBoosting
from riskmodel.models.poisson import PoissonRidge
from riskmodel.panel.view import View
from riskmodel.testing import check_future_blindness

pytestmark = pytest.mark.usefixtures("one_thread")
SMALL = {"trees": 8, "minimum_rows": 5, "penalty": 1.0}
EVERY = (
    *MODELS,
    ModelSpec(use="shares_level"),
    ModelSpec(use="exponential_smoothing"),
    ModelSpec(use="region_rate"),
    ModelSpec(use="histogram_boosting", params=SMALL),
    ModelSpec(use="explainable_boosting", params={"rounds": 10, "smoothing": 0, "minimum_rows": 5, "pairs": 2}),
    ModelSpec(name="tweedie", use="lightgbm", params={**SMALL, "objective": "tweedie"}),
    ModelSpec(name="from_residents", use="poisson_ridge", params={"offset": "exposure", "level": "learned"}),
    ModelSpec(name="equal", use="ensemble", params={"members": ["from_eb", "poisson_ridge", "rolling_12"]}),
    ModelSpec(name="skill", use="ensemble", params={"members": ["lightgbm", "histogram_boosting"], "weights": "skill"}),
)


def shap():
    """The package, imported without what its pictures warn of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import shap

    return shap


@cache
def made(floor: float = 0.05) -> tuple[View, Plan, Forecasts]:
    plan = tiny_plan(models=EVERY, floor=floor)
    view = tiny_panel(months=42, areas=12, missing=(9,)).as_of(month_start(FIRST + 42 + LAG - 1))
    return view, plan, fit_and_forecast(view, plan, (1, 5))


@cache
def rows(count: int = 500, *, seed: int = 0, width: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features of which some are unknown, and one never known; counts that follow two of them together."""
    random = np.random.default_rng(seed)
    X = random.normal(0, 1, (count, width)).astype(np.float32)
    offset = random.uniform(0.5, 6, count)
    rate = 0.5 * X[:, 0] * (X[:, 1] > 0) - 0.4 * X[:, 2]
    y = random.poisson(offset * np.exp(rate)).astype(float)
    X[random.random(count) < 0.2, 0] = np.nan
    X[:, -1] = np.nan
    return X, y, offset


LEARNED = {
    "lightgbm": LightGbmPoisson(trees=30, minimum_rows=5, penalty=0.1),
    "histogram_boosting": HistogramBoosting(trees=30, minimum_rows=5, penalty=0.1),
    "poisson_ridge": PoissonRidge(alpha=0.1),
}


@cache
def learned(use: str) -> CountModel:
    X, y, offset = rows()
    shifted = X.copy()
    shifted[:, 3] = np.exp(shifted[:, 3])
    return LEARNED[use].fit(shifted, y, offset=offset, scales=("plain", "plain", "plain", "ratio", "plain"))


def fitted(use: str, model: CountModel, level: float = 1.0) -> Fitted:
    return Fitted(use, use, 1, model, 1.1, level, tuple("abcde"), ("plain",) * 5, 500, 0)


@pytest.mark.parametrize("floor", [0.05, 6.0])
def test_terms_add_up_to_the_forecast_of_every_registered_model(floor: float):
    view, plan, forecasts = made(floor)
    assert {spec.use for spec in plan.models} >= set(names("model"))
    floored = 0
    for row, model_id in enumerate(forecasts.model_ids):
        explained = explain_forecasts(view, plan, forecasts, model_id)
        np.testing.assert_allclose(explained.terms.sum(axis=2), np.log(forecasts.mean[row]), atol=1e-9, rtol=0)
        assert np.isfinite(explained.terms).all()
        floored += int((explained.term("floor") > 0).sum())
    assert (floored > 0) == (floor > 1)


@given(
    st.sampled_from(sorted(LEARNED)),
    st.integers(0, 2**32 - 1),
    st.floats(0.001, 50.0),
    st.floats(0.2, 5.0),
    st.floats(0.0, 1.0),
)
def test_terms_add_up_for_any_rows_offset_level_and_floor(
    use: str, seed: int, floor: float, level: float, unknown: float
):
    random = np.random.default_rng(seed)
    X = random.normal(0, 3, (20, 5)).astype(np.float32)
    X[random.random(X.shape) < unknown] = np.nan
    offset = random.uniform(0.01, 40, 20)
    model = learned(use)
    entry = fitted(use, model, level)
    mean = np.maximum(level * model.predict(X, offset=offset), floor)
    one = attribute(entry, X, offset, floor=floor)
    np.testing.assert_allclose(one.total, np.log(mean), atol=1e-9, rtol=0)
    counted = attribute(fitted("rolling_12", Rolling12()), X, offset, floor=floor)
    np.testing.assert_allclose(counted.total, np.log(np.maximum(offset, floor)), atol=1e-9, rtol=0)
    both = Ensemble(["one", "counted"]).weigh([1.0, 2.5])
    joined = attribute(fitted("ensemble", both), X, offset, floor=floor, members={"one": one, "counted": counted})
    wanted = np.maximum(both.combine([mean, np.maximum(offset, floor)]), floor)
    np.testing.assert_allclose(joined.total, np.log(wanted), atol=1e-9, rtol=0)


def brute_force(booster, row: np.ndarray) -> np.ndarray:
    """Shapley values by their definition, over all orders of the features, tree by tree from LightGBM's own dump."""
    width = len(row)
    total = np.zeros(width + 1)

    def worth(node: dict, known: frozenset[int]) -> float:
        if "leaf_value" in node:
            return node["leaf_value"]
        left, right = node["left_child"], node["right_child"]
        if node["split_feature"] in known:
            value = row[node["split_feature"]]
            goes_left = node["default_left"] if np.isnan(value) else value <= node["threshold"]
            return worth(left if goes_left else right, known)
        counts = [side.get("internal_count", side.get("leaf_count")) for side in (left, right)]
        return (counts[0] * worth(left, known) + counts[1] * worth(right, known)) / sum(counts)

    for tree in booster.dump_model()["tree_info"]:
        held = {s: worth(tree["tree_structure"], s) for s in map(frozenset, powerset(range(width)))}
        total[-1] += held[frozenset()]
        for feature in range(width):
            for subset in powerset([f for f in range(width) if f != feature]):
                weight = math.factorial(len(subset)) * math.factorial(width - len(subset) - 1) / math.factorial(width)
                total[feature] += weight * (held[frozenset({*subset, feature})] - held[frozenset(subset)])
    return total


def powerset(items) -> list[tuple[int, ...]]:
    held = list(items)
    return [s for size in range(len(held) + 1) for s in itertools.combinations(held, size)]


def test_the_trees_terms_are_shapley_values_by_definition():
    X, y, offset = rows()
    model = LightGbmPoisson(trees=4, minimum_rows=5, penalty=0.1, leaves=6).fit(X, y, offset=offset)
    mine = contributions_of(model, X[:6])
    for index in range(6):
        wanted = brute_force(model.booster_, X[index].astype(float))
        np.testing.assert_allclose(mine.features[index], wanted[:-1], atol=1e-9)
        assert mine.base == pytest.approx(model.start_ + wanted[-1], abs=1e-9)


def test_shap_says_the_same_of_both_kinds_of_trees():
    X = rows(seed=1)[0]
    boosted, histogram = learned("lightgbm"), learned("histogram_boosting")
    theirs = shap().TreeExplainer(boosted.booster_).shap_values(X)
    np.testing.assert_allclose(contributions_of(boosted, X).features, theirs, atol=1e-6)
    explainer = shap().TreeExplainer(histogram.trees_, feature_perturbation="tree_path_dependent")
    wanted = explainer(histogram._binned(X[:50]))
    mine = contributions_of(histogram, X[:50])
    np.testing.assert_allclose(mine.features, wanted.values, atol=1e-6)
    assert mine.base == pytest.approx(np.log(histogram.start_) + wanted.base_values[0], abs=1e-6)


def test_shaps_linear_explainer_says_the_same_of_the_regression():
    X = rows()[0]
    model = learned("poisson_ridge")
    shifted = X.copy()
    shifted[:, 3] = np.exp(shifted[:, 3])
    filled = (model._fill(model._shape(shifted)) - model.mean_) / model.spread_
    masker = shap().maskers.Independent(filled, max_samples=len(filled))
    theirs = shap().LinearExplainer((model.coefficients_, model.intercept_), masker)
    wanted = theirs.shap_values(filled)
    mine = contributions_of(model, shifted)
    merged = wanted[:, :5].copy()
    merged[:, model.indicators_] += wanted[:, 5:]
    np.testing.assert_allclose(mine.features, merged, atol=1e-6)
    assert mine.base == pytest.approx(theirs.expected_value, abs=1e-6)
    assert len(model.indicators_) == 1


class Banded(CountModel):
    """A model of no known kind; ``width`` features matter, the first two only together."""

    def __init__(self, width: int = 3, offset: str = "exposure", level: str = "learned") -> None:
        super().__init__(offset, level)
        self.width = width

    def predict(self, X, *, exposure=None, offset=None):
        held = np.nan_to_num(X[:, : self.width].astype(float))
        score = 0.1 * held.sum(axis=1) + 0.5 * (held[:, 0] > 0) * (held[:, 1] > 0)
        return offset_of(X, exposure, offset) * np.exp(score)


def test_a_model_of_no_known_kind_is_explained_exactly_by_what_it_notices():
    X = np.nan_to_num(rows(12)[0])
    mine = contributions_of(Banded(), X)
    background = X
    exact = shap().explainers.Exact(
        lambda held: np.log(Banded().predict(held, offset=np.ones(len(held)))), shap().maskers.Independent(background)
    )
    wanted = exact(X)
    np.testing.assert_allclose(mine.features, wanted.values, atol=1e-9)
    assert mine.base == pytest.approx(wanted.base_values[0])
    assert not mine.features[:, 3:].any()
    one = attribute(fitted("banded", Banded()), X, np.full(12, 2.0), floor=0.05)
    np.testing.assert_allclose(one.total, np.log(Banded().predict(X, offset=np.full(12, 2.0))), atol=1e-9)


def test_a_model_that_notices_too_much_is_refused_and_told_what_to_offer():
    X = np.random.default_rng(0).normal(size=(30, MOST_FEATURES + 1)).astype(np.float32)
    with pytest.raises(DefinitionError, match=r"contributions\(X\)"):
        contributions_of(Banded(MOST_FEATURES + 1), X)


class Seldom(Banded):
    """Looks at its second feature in rows of one kind only, of which few are probed."""

    def predict(self, X, *, exposure=None, offset=None):
        return offset_of(X, exposure, offset) * np.exp(0.3 * (X[:, 0] > 2.9) * X[:, 1] + 0.01 * X[:, 2])


def test_terms_that_do_not_add_up_are_refused_never_returned():
    X = np.random.default_rng(3).uniform(-1, 1, (400, 4)).astype(np.float32)
    X[7, 0] = 3.0
    with pytest.raises(DefinitionError, match="cannot be explained exactly"):
        contributions_of(Seldom(), X)


def test_a_package_can_say_itself_what_its_model_rests_on():
    class Own(Banded):
        def contributions(self, X):
            return 0.5, np.full(X.shape, 0.25)

    mine = contributions_of(Own(), np.zeros((3, 4), np.float32))
    assert mine.base == 0.5
    assert mine.features.tolist() == [[0.25] * 4] * 3


def test_a_class_derived_from_a_known_one_is_not_taken_for_it():
    class Doubled(PoissonRidge):
        def predict(self, X, **given):
            return 2.0 * super().predict(X, **given)

    X, y, offset = rows()
    model = Doubled(alpha=0.1).fit(X, y, offset=offset)
    mine = contributions_of(model, X[:30])
    wanted = np.log(model.predict(X[:30], offset=np.ones(30)))
    np.testing.assert_allclose(mine.base + mine.features.sum(axis=1), wanted, atol=1e-9)


def test_threads_change_no_bit():
    X = rows(seed=2)[0]
    one, two = (contributions_of(learned("lightgbm"), X, threads=n).features for n in (1, 2))
    assert one.tobytes() == two.tobytes()


def test_the_table_is_its_contract_and_adds_up():
    view, plan, forecasts = made()
    table = build_attributions(view, plan, forecasts, "equal", (5,))
    as_table(table, ATTRIBUTIONS)
    sums = table.groupby("location", sort=False)["value"].sum()
    wanted = forecasts.mean[forecasts.model_ids.index("equal"), 1]
    assert list(sums.index) == view.geography.areas.tolist()
    np.testing.assert_allclose(np.exp(sums), wanted, rtol=1e-9)
    assert set(table.loc[table["role"] == "model", "feature"]) == set(TERMS)
    own = table.query("feature == 'mean_12'").iloc[0]
    assert (own["factor"], own["domain"], own["role"]) == ("target", "history", "history")


@given(
    st.lists(st.one_of(st.sampled_from([0.0, 1.0, 2.0, math.nan]), st.floats(-9, 9, width=32)), min_size=1, max_size=40)
)
def test_thirds_are_ordered_and_cut_no_equal_values_apart(values: list[float]):
    held = np.asarray(values, dtype=np.float32)
    made = explained(np.zeros((len(held), 1)), lines(("society/x", "risk", 1)), values=held[None, :, None])
    table = made.frame().query("feature == 'society/x.latest'")
    third = table["third"].fillna("").to_numpy()
    known = np.isfinite(held)
    assert ((third == "") == ~known).all()
    assert made.frame().query("role == 'model'")["third"].fillna("").eq("").all()
    low, middle, high = (held[third == name] for name in ("low", "middle", "high"))
    bounds = [(part.min(), part.max()) for part in (low, middle, high) if len(part)]
    assert all(one[1] < other[0] for one, other in itertools.pairwise(bounds))
    count = len(np.unique(held[known]))
    if count == known.sum() and count > 2:
        assert {len(low), len(high)} <= {(count - 1) // 3 + 1}
    if count == 1:
        assert len(middle) == known.sum()


def test_models_read_from_disk_have_the_same_terms(tmp_path):
    view, plan, forecasts = made()
    kept = [f for f in forecasts.fitted if f.model_id == "from_eb"]
    save_fitted(tmp_path / "m", kept)
    stored = explain_forecasts(view, plan, forecasts, "from_eb", fitted=read_fitted(tmp_path / "m"))
    fresh = explain_forecasts(view, plan, forecasts, "from_eb")
    np.testing.assert_array_equal(stored.terms, fresh.terms)


def test_what_the_offset_is_decides_what_it_is_called():
    view, plan, forecasts = made()
    found = {m: explain_forecasts(view, plan, forecasts, m, (1,)).starts_from for m in forecasts.model_ids}
    assert found["lightgbm"] == "exposure"
    assert found["from_eb"] == "eb_seasonal"
    assert found["rolling_12"] == "itself"
    assert found["equal"] == "several"
    assert found["skill"] == "exposure"


def test_forecasts_of_another_view_are_not_explained():
    view, plan, forecasts = made()
    earlier = view.at(view.origin - 6)
    with pytest.raises(UnsoundForecast, match="do not add up"):
        explain_forecasts(earlier, plan, forecasts, "lightgbm")


def test_mistakes_are_told():
    view, plan, forecasts = made()
    with pytest.raises(DefinitionError, match="did you mean 'lightgbm'"):
        explain_forecasts(view, plan, forecasts, "lightgb")
    with pytest.raises(NotEnoughHistory, match="horizons 3"):
        explain_forecasts(view, plan, forecasts, "lightgbm", (1, 3))
    ensemble = next(f for f in forecasts.fitted if f.model_id == "equal")
    with pytest.raises(DefinitionError, match="without its members"):
        attribute(ensemble, np.empty((0, 0), np.float32), np.empty(0), floor=0.05)
    clash = replace(plan.features[0], label="floor")
    odd = tiny_plan(features=(clash, *plan.features[1:]), models=(ModelSpec(use="poisson_ridge"),))
    with pytest.raises(DefinitionError, match="name of a term"):
        explain_forecasts(view, odd, fit_and_forecast(view, odd, (1,)), "poisson_ridge")


def test_nothing_published_later_changes_a_term():
    plan = tiny_plan(models=MODELS)

    def shown(view: View) -> dict[str, object]:
        return {"terms": explain_forecasts(view, plan, fit_and_forecast(view, plan, (1,)), "from_eb").terms}

    check_future_blindness(tiny_panel(months=42), shown, origins=[FIRST + 30])
