"""The bounds of skill: sums over a library's distribution, hindsight by loops, and truths that are known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judging_builders import FIRST, make_cube, make_recorded
from riskmodel.backtest.metrics import poisson_deviances
from riskmodel.backtest.noise_floor import (
    Scatter,
    build_noise_floor,
    expected_crps,
    expected_deviances,
    hindsight_means,
    scatter_of,
)
from riskmodel.contracts.errors import DefinitionError
from riskmodel.contracts.judging_tables import NOISE_FLOOR
from riskmodel.contracts.tables import TableError, as_table

law = settings(deadline=None, max_examples=30)


@law
@given(st.floats(0.05, 60.0), st.floats(1.0, 4.0), st.floats(0.0, 0.3))
def test_expected_deviances_agree_with_a_sum_over_scipys_distribution(mean, dispersion, overdispersion):
    from scipy import stats

    ratio = dispersion + overdispersion * mean
    counts = np.arange(6000)
    count = stats.poisson(mean) if ratio < 1.0 + 1e-9 else stats.nbinom(mean / (ratio - 1), 1 / ratio)
    expected = float(count.pmf(counts) @ poisson_deviances(counts, np.full(len(counts), mean)))
    assert expected_deviances([mean], dispersion, overdispersion)[0] == pytest.approx(expected, rel=1e-6, abs=1e-9)


@law
@given(st.floats(0.05, 60.0), st.floats(1.0, 4.0), st.floats(0.0, 0.3))
def test_expected_crps_is_half_the_distance_between_two_counts(mean, dispersion, overdispersion):
    from scipy import stats

    ratio = dispersion + overdispersion * mean
    counts = np.arange(6000)
    count = stats.poisson(mean) if ratio < 1.0 + 1e-9 else stats.nbinom(mean / (ratio - 1), 1 / ratio)
    below = count.cdf(counts)
    expected = float((below * (1.0 - below)).sum())
    assert expected_crps([mean], dispersion, overdispersion)[0] == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_means_between_the_points_of_the_grid_are_as_good():
    means = np.random.default_rng(0).gamma(1.0, 5.0, 300) + 0.05
    found = expected_deviances(means, 1.4, 0.02)
    alone = [expected_deviances([m], 1.4, 0.02)[0] for m in means[:60]]
    assert found[:60].tolist() == pytest.approx(alone, rel=1e-3)


@pytest.mark.parametrize(("mean", "dispersion", "overdispersion"), [(0.0, 1.2, 0), (1.0, 0.9, 0), (1.0, 1.2, -0.1)])
def test_counts_that_cannot_be_are_refused(mean, dispersion, overdispersion):
    with pytest.raises(TableError, match="no count scatters like this"):
        expected_deviances([mean], dispersion, overdispersion)


def naive_hindsight(counts: np.ndarray, bandwidth: float) -> np.ndarray:
    areas, months = counts.shape
    out = np.full(counts.shape, np.nan)
    for t in range(months):
        if np.isnan(counts[:, t]).any():
            continue
        near = np.zeros(areas)
        for s in range(months):
            if s != t and not np.isnan(counts[:, s]).any():
                near += np.exp(-0.5 * ((s - t) / bandwidth) ** 2) * counts[:, s]
        out[:, t] = near / near.sum() * counts[:, t].sum()
    return np.maximum(out, 0.05)


@pytest.fixture(scope="module")
def counts() -> np.ndarray:
    random = np.random.default_rng(4)
    return random.poisson(random.gamma(2.0, 2.0, (40, 1)), (40, 40)).astype(float)


def test_hindsight_agrees_with_loops_and_keeps_each_months_total(counts):
    held = counts.copy()
    held[:, 7] = np.nan
    held[3, 9] = np.nan
    found = hindsight_means(held, 4.0, 0.05)
    np.testing.assert_allclose(found, naive_hindsight(held, 4.0))
    assert np.isnan(found[:, [7, 9]]).all()
    free = hindsight_means(held, 4.0, 1e-12)
    np.testing.assert_allclose(np.delete(free, [7, 9], 1).sum(0), np.delete(held, [7, 9], 1).sum(0))


def test_hindsight_knows_of_a_month_its_total_alone(counts):
    other = counts.copy()
    other[:, 20] = counts[::-1, 20]
    np.testing.assert_array_equal(hindsight_means(counts, 6.0, 0.05)[:, 20], hindsight_means(other, 6.0, 0.05)[:, 20])
    assert (hindsight_means(counts, 6.0, 0.05)[:, 19] != hindsight_means(other, 6.0, 0.05)[:, 19]).any()


@pytest.fixture(scope="module")
def known():
    """400 areas whose true means and scatter are known: variance 1.5 times the mean."""
    random = np.random.default_rng(6)
    truth = random.gamma(2.0, 2.0, (400, 1)) * np.exp(0.2 * np.sin(np.arange(48) / 6.0))
    counts = random.poisson(random.gamma(truth / 0.5, 0.5)).astype(float)
    means = {"truth": truth, "rolling_12": truth * np.exp(random.normal(0.0, 0.4, truth.shape))}
    return make_cube(counts, means, origins=range(12, 46, 3), horizons=range(1, 13)), make_recorded(counts)


def scatter(cube, dispersion: float) -> Scatter:
    shape = cube.observed.shape[:2]
    return Scatter(np.full(shape, dispersion), np.zeros(shape))


def test_true_means_reach_the_bound_and_no_more(known):
    cube, recorded = known
    found = build_noise_floor(cube, recorded, baseline="rolling_12", scatter={"truth": scatter(cube, 1.5)})
    assert as_table(found, NOISE_FLOOR).equals(found)
    row = found.set_index(["what", "horizons"]).loc[("true mean", "all")]
    held = cube.made[0]
    loss = {
        name: poisson_deviances(cube.observed[held], cube.mean[cube.models.get_loc(name)][held]).sum()
        for name in ("truth", "rolling_12")
    }
    assert row.skill_bound == pytest.approx(1 - loss["truth"] / loss["rolling_12"], abs=0.01)
    assert row.low < row.skill_bound < row.high
    assert row.forecasts == held.sum()
    assert f"{100 * row.skill_bound:.1f} %" in row.sentence


def crps_of(cube, dispersion: float) -> np.ndarray:
    """The CRPS of the negative binomial about each mean, summed over its distribution function."""
    from scipy import stats

    below = np.zeros(cube.mean.shape)
    for count in range(120):
        chance = stats.nbinom(cube.mean / (dispersion - 1), 1 / dispersion).cdf(count)
        below += (chance - (count >= cube.observed)) ** 2
    return np.where(cube.made, below, np.nan)


def test_by_crps_too_the_true_distribution_reaches_the_bound_and_hindsight_lies_below_it(known):
    cube, recorded = known
    crps = crps_of(cube, 1.5)
    truth = {"truth": scatter(cube, 1.5)}
    found = build_noise_floor(cube, recorded, baseline="rolling_12", scatter=truth, crps=crps, bandwidths=[12])
    assert set(found["metric"]) == {"poisson_deviance", "crps"}
    rows = found.set_index(["metric", "what", "horizons"])["skill_bound"]
    own, other = (np.nansum(crps[cube.models.get_loc(name)]) for name in ("truth", "rolling_12"))
    assert rows["crps", "true mean", "all"] == pytest.approx(1 - own / other, abs=0.01)
    assert 0.0 < rows["crps", "hindsight", "all"] < rows["crps", "true mean", "all"]
    by_deviance = build_noise_floor(cube, recorded, baseline="rolling_12", scatter=truth, bandwidths=[12])
    assert found[found["metric"] == "poisson_deviance"].reset_index(drop=True).equals(by_deviance)
    with pytest.raises(TableError, match="CRPS does not fit"):
        build_noise_floor(cube, recorded, baseline="rolling_12", crps=crps[:1])


def test_the_wider_counts_scatter_the_less_can_be_reached(known):
    cube, recorded = known
    bounds = [
        build_noise_floor(cube, recorded, baseline="rolling_12", scatter={"truth": scatter(cube, d)}, bandwidths=[12])
        .query("what == 'true mean' and horizons == 'all'")["skill_bound"].item()
        for d in (1.0, 1.5, 2.0)
    ]  # fmt: skip
    assert bounds == sorted(bounds, reverse=True)


def test_hindsight_is_the_best_of_the_smoothers_tried(known):
    cube, recorded = known
    found = {
        widths: build_noise_floor(cube, recorded, baseline="rolling_12", bandwidths=widths)
        .query("horizons == '1..6'")["skill_bound"].item()
        for widths in ((1.0,), (12.0,), (1.0, 12.0))
    }  # fmt: skip
    assert found[1.0, 12.0] == max(found[1.0,], found[12.0,]) > 0.1
    assert found[1.0,] < found[12.0,]


def test_without_a_known_scatter_the_row_says_so(known):
    cube, recorded = known
    found = build_noise_floor(cube, recorded, baseline="rolling_12", scatter={"truth": scatter(cube, np.nan)})
    row = found.set_index(["what", "horizons"]).loc[("true mean", "all")]
    assert (row.forecasts, row.sentence) == (0, "How counts scatter about truth is not known.")
    assert np.isnan(row.skill_bound)


def test_scatter_is_read_from_the_spreads_of_each_origin(known):
    cube, _ = known
    spread = SimpleNamespace(dispersion=(1.2, 1.4), overdispersion=0.01, at=lambda horizon: min(horizon, 2) - 1)
    month = (FIRST + 15).year * 12 + (FIRST + 15).month - 1
    found = scatter_of([SimpleNamespace(origin=month, spread={"truth": spread})], cube)
    assert set(found) == {"truth"}
    row = int(np.flatnonzero(cube.origins == pd.Timestamp("2023-04-01"))[0])
    assert found["truth"].dispersion[row].tolist() == [1.2] + [1.4] * 11
    assert np.isnan(np.delete(found["truth"].dispersion, row, 0)).all()


def test_unknown_models_are_refused(known):
    cube, recorded = known
    with pytest.raises(DefinitionError, match="unknown model 'rolling'"):
        build_noise_floor(cube, recorded, baseline="rolling")
    with pytest.raises(TableError, match="does not fit"):
        build_noise_floor(
            cube, recorded, baseline="truth", scatter={"truth": Scatter(np.ones((1, 1)), np.ones((1, 1)))}
        )
