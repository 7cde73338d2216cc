"""Learned models: scikit-learn's shape, the likelihood they claim, what an offset does, storage without pickle."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.base import clone

from riskmodel.contracts.registry import load, names
from riskmodel.models.base import Baseline, CountModel
from riskmodel.models.boosting import LightGbmPoisson
from riskmodel.models.poisson import PoissonRidge

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = {"lightgbm": {"trees": 20, "minimum_rows": 5}}


def made(name: str) -> CountModel:
    return load("model", name)(**SMALL.get(name, {}))


def problem(rows: int = 300, *, seed: int = 0, holes: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    X = random.gamma(2.0, 2.0, (rows, 4)).astype(np.float32)
    offset = random.uniform(0.5, 8.0, rows)
    y = random.poisson(offset * np.exp(0.4 * np.log(X[:, 0] + 0.25) - 0.1 * X[:, 2])).astype(float)
    if holes:
        X[random.random(rows) < 0.1, 1] = np.nan
        X[:, 3] = np.nan
    return X, y, offset


# An ensemble is made of other candidates and cannot be fitted alone: the plan is its test bench.
ALONE = [name for name in names("model") if name != "ensemble"]
LEARNED = [name for name in ALONE if load("model", name).learns]


@pytest.mark.parametrize("name", ALONE)
def test_a_model_is_shaped_like_those_of_scikit_learn(name: str):
    model = made(name)
    copy = clone(model)
    assert type(copy) is type(model)
    assert copy.get_params() == model.get_params()
    assert copy.set_params(**model.get_params()).get_params() == model.get_params()
    X, y, _ = problem()
    assert model.fit(X, y) is model
    found = model.predict(X)
    assert found.shape == y.shape
    assert found.dtype == np.float64
    assert (found > 0).all()
    assert np.isfinite(found).all()
    if model.learns:
        assert isinstance(model.score(X, y), float)
        assert not [k for k in vars(clone(model)) if k.endswith("_")]


@pytest.mark.parametrize("name", LEARNED)
def test_two_fits_are_the_same_to_the_last_bit(name: str):
    X, y, offset = problem(holes=True)
    first, second = (made(name).fit(X, y, offset=offset).predict(X, offset=offset) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("name", LEARNED)
def test_a_prediction_is_in_proportion_to_its_offset(name: str):
    X, y, offset = problem()
    model = made(name).fit(X, y, offset=offset)
    np.testing.assert_allclose(
        model.predict(X, offset=offset), offset * model.predict(X, offset=np.ones(len(X))), rtol=1e-12
    )
    np.testing.assert_array_equal(model.predict(X, exposure=offset), model.predict(X, offset=offset))


@pytest.mark.parametrize("name", LEARNED)
def test_the_unit_of_the_offset_does_not_matter(name: str):
    """Residents or thousands of residents: the level is learned, so the means stay."""
    X, y, offset = problem()
    here = made(name).fit(X, y, offset=offset).predict(X, offset=offset)
    there = made(name).fit(X, y, offset=1000 * offset).predict(X, offset=1000 * offset)
    np.testing.assert_allclose(there, here, rtol=1e-6)


@pytest.mark.parametrize("scales", [None, ("count", "ratio", "plain", "count")])
def test_the_ridge_minimises_the_poisson_likelihood_with_its_penalty(scales):
    X, y, offset = problem(rows=400)
    alpha, plus = 0.7, 0.25
    model = PoissonRidge(alpha=alpha, plus=plus).fit(X, y, offset=offset, scales=scales)
    shaped = X.astype(float)
    for column, scale in enumerate(scales or ()):
        shaped[:, column] = {"count": np.log(shaped[:, column] + plus), "ratio": np.log(shaped[:, column])}.get(
            scale, shaped[:, column]
        )
    Z = (shaped - shaped.mean(axis=0)) / shaped.std(axis=0)
    total = offset.sum() * (y.sum() / offset.sum())

    def objective(theta: np.ndarray) -> float:
        mean = offset * np.exp(Z @ theta[1:] + theta[0])
        return float((mean - y * np.log(mean)).sum() / total + 0.5 * alpha * (theta[1:] @ theta[1:]))

    best = minimize(objective, np.zeros(5), method="BFGS", options={"gtol": 1e-9, "maxiter": 2000}).x
    np.testing.assert_allclose(model.coefficients_, best[1:], atol=2e-4)
    np.testing.assert_allclose(model.intercept_, best[0], atol=2e-4)
    expected = offset * np.exp(Z @ best[1:] + best[0])
    np.testing.assert_allclose(model.predict(X, offset=offset), expected, rtol=1e-3)


def test_a_free_coefficient_is_not_held_back():
    X, y, offset = problem(rows=400)
    names = ("a", "b", "c", "d")
    model = PoissonRidge(alpha=0.7, free=["a", "elsewhere"]).fit(X, y, offset=offset, names=names)
    Z = (X.astype(float) - X.astype(float).mean(axis=0)) / X.astype(float).std(axis=0)

    def objective(theta: np.ndarray) -> float:
        mean = offset * np.exp(Z @ theta[1:] + theta[0])
        return float((mean - y * np.log(mean)).sum() / y.sum() + 0.5 * 0.7 * (theta[2:] @ theta[2:]))

    best = minimize(objective, np.zeros(5), method="BFGS", options={"gtol": 1e-9, "maxiter": 2000}).x
    np.testing.assert_allclose([model.intercept_, *model.coefficients_], best, atol=5e-4)
    held = PoissonRidge(alpha=0.7).fit(X, y, offset=offset, names=names)
    assert abs(model.coefficients_[0]) > 1.3 * abs(held.coefficients_[0])
    bare = PoissonRidge(alpha=0.7, free=["elsewhere"]).fit(X, y, offset=offset, names=names)
    assert bare.coefficients_.tolist() == held.coefficients_.tolist()


def test_the_ridge_says_how_many_values_it_filled_in():
    X, y, offset = problem(holes=True)
    model = PoissonRidge().fit(X, y, offset=offset)
    assert model.imputed_ == int(np.isnan(X).sum())
    assert model.indicators_.tolist() == [1]
    whole = PoissonRidge().fit(*problem()[:2])
    assert whole.imputed_ == 0
    unseen = np.full((2, 4), np.nan, dtype=np.float32)
    assert np.isfinite(model.predict(unseen)).all()
    # Where nothing is known and nothing was missing in training, the median stands in.
    middle = np.median(problem()[0].astype(float), axis=0)[None, :].astype(np.float32)
    np.testing.assert_allclose(whole.predict(unseen)[:1], whole.predict(middle), rtol=1e-6)


def test_trees_start_from_the_offset():
    """A score with nothing to learn is the level alone: the offset comes back, scaled to what was recorded."""
    random = np.random.default_rng(1)
    offset = random.uniform(1, 9, 400)
    y = random.poisson(2.5 * offset).astype(float)
    blank = np.zeros((400, 2), dtype=np.float32)
    model = LightGbmPoisson(trees=5).fit(blank, y, offset=offset)
    np.testing.assert_allclose(model.predict(blank, offset=offset), offset * y.sum() / offset.sum(), rtol=1e-6)


@pytest.mark.parametrize("name", ALONE)
@pytest.mark.parametrize("holes", [False, True])
def test_a_stored_model_predicts_the_same_bits(name: str, holes: bool, tmp_path: Path):
    X, y, offset = problem(holes=holes)
    model = made(name).fit(X, y, offset=offset, scales=("count", "ratio", "plain", "count"))
    state = json.loads(json.dumps(model.save(tmp_path, "h01")))
    again = load("model", name).load(tmp_path, "h01", state)
    assert np.array_equal(again.predict(X, offset=offset), model.predict(X, offset=offset))
    assert (again.offset, again.level) == (model.offset, model.level)
    for path in tmp_path.iterdir():
        assert path.read_bytes()[:1] != b"\x80"
        assert path.suffix in (".txt", ".skops")


@pytest.mark.parametrize("name", ALONE)
def test_a_stored_model_says_how_it_was_made(name: str, tmp_path: Path):
    """What is read back has the settings it was learned with, not the defaults of today."""
    params = {"lightgbm": {"trees": 7, "leaves": 4}, "eb_seasonal": {"window": 36, "season_level": "lad24"}}
    params |= {"poisson_ridge": {"alpha": 3.0, "free": ["target.lag_0"]}, "rolling_12": {"window": 6}}
    model = load("model", name)(**params.get(name, {}))
    X, y, offset = problem()
    model.fit(X, y, offset=offset)
    again = load("model", name).load(tmp_path, "h01", json.loads(json.dumps(model.save(tmp_path, "h01"))))
    assert again.get_params() == model.get_params()


def test_baselines_learn_nothing():
    X, y, offset = problem()
    for name in ALONE:
        model = made(name)
        assert isinstance(model, Baseline) != model.learns
        if not model.learns:
            assert model.fit(X, y).predict(X, offset=offset) is offset
