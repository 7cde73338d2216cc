"""Laws and oracles of the scoring rules."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import mean_absolute_error, mean_poisson_deviance

from riskmodel.backtest import metrics
from riskmodel.backtest.metrics import Undefined
from riskmodel.contracts.errors import DefinitionError
from riskmodel.contracts.tables import TableError

# Machines differ in speed; a law does not.
law = settings(deadline=None, max_examples=60)

counts = st.integers(0, 40).map(float)
means = st.floats(0.05, 60.0)
pairs = st.lists(st.tuples(counts, means), min_size=1, max_size=30)
triples = st.lists(
    st.tuples(counts, means | st.just(1.0), st.integers(1, 3000).map(float) | st.just(1500.0)), min_size=1, max_size=30
)
shares = st.floats(0.001, 1.0)

# The example of the ptools package for R: six areas of one size, two of them with equal forecasts.
OBSERVED = [6, 7, 3, 2, 1, 0]
FORECAST = [8, 4, 4, 2, 1, 0]


@pytest.mark.parametrize(
    ("areas", "pai", "pei"), [(1, 1.8947, 0.8571), (2, 1.4211, 0.6923), (3, 1.6842, 1.0), (6, 1.0, 1.0)]
)
def test_rank_scores_of_the_worked_example(areas, pai, pei):
    given = {"population": [250] * 6, "share": areas / 6}
    assert metrics.pai(OBSERVED, FORECAST, **given) == pytest.approx(pai, abs=5e-5)
    assert metrics.pei(OBSERVED, FORECAST, **given) == pytest.approx(pei, abs=5e-5)
    assert metrics.hit_rate(OBSERVED, FORECAST, **given) == pytest.approx(pai * areas / 6, abs=5e-5)


def test_areas_are_ranked_by_rate_and_taken_whole():
    # Rates .02, .01, .03: the third area (100 people), then the first (100 more of 300); the second is too big.
    observed, mean, population = [5, 9, 1], [2.0, 6.0, 3.0], [100, 600, 100]
    given = {"population": population, "share": 300 / 800}
    assert metrics.hit_rate(observed, mean, **given) == pytest.approx(6 / 15)
    assert metrics.pai(observed, mean, **given) == pytest.approx((6 / 15) / (200 / 800))
    # Greedy by recorded rate: .05, .015, .01: the first area, then the second does not fit.
    assert metrics.pei(observed, mean, **given) == pytest.approx(6 / 5)


def test_at_least_one_area_is_taken_even_if_it_alone_exceeds_the_share():
    assert metrics.hit_rate([3, 1], [9.0, 1.0], population=[500, 500], share=0.01) == 0.75


@pytest.mark.parametrize("areas", [7, 15, 29, 30, 100])
def test_rounding_of_the_share_never_costs_an_area(areas):
    population = np.full(areas, 1571.0)
    order = np.arange(areas)
    for taken in range(1, areas + 1):
        assert len(metrics.within_share(order, population, taken / areas)) == taken


@law
@given(triples, shares, shares)
def test_hit_rate_grows_with_the_share(rows, one, other):
    y, p, people = np.array(rows).T
    low, high = (metrics.hit_rate(y, p, population=people, share=s) for s in sorted((one, other)))
    if y.sum() == 0:
        assert math.isnan(low)
        assert math.isnan(high)
    else:
        assert 0.0 <= low <= high <= 1.0


@law
@given(triples, shares)
def test_rank_scores_agree_with_a_walk_down_the_ranking(rows, share):
    y, p, people = np.array(rows).T
    ranked = sorted(
        range(len(y)), key=lambda i: (-np.round(p[i] / people[i] / max(p / people), 12), y[i] / people[i], -people[i])
    )
    best = sorted(range(len(y)), key=lambda i: (-y[i] / people[i], people[i]))

    def walk(order):
        taken, held = [], 0.0
        for i in order:
            held += people[i]
            if taken and held > share * people.sum() * (1 + 1e-9):
                break
            taken.append(i)
        return taken

    if y.sum() > 0:
        taken = walk(ranked)
        given = {"population": people, "share": share}
        hit = y[taken].sum() / y.sum()
        assert metrics.hit_rate(y, p, **given) == pytest.approx(hit)
        assert metrics.pai(y, p, **given) == pytest.approx(hit * people.sum() / people[taken].sum())
        assert metrics.pei(y, p, **given) == pytest.approx(y[taken].sum() / y[walk(best)].sum())


@law
@given(st.lists(st.tuples(counts, st.integers(1, 3).map(float)), min_size=2, max_size=6), st.integers(1, 6))
def test_ties_are_pessimistic(rows, areas):
    """Every way of ordering equal forecasts captures at least as much as the score says."""
    y, p = np.array(rows).T
    taken = min(areas, len(y))
    ours = metrics.hit_rate(y, p, population=np.full(len(y), 1500.0), share=taken / len(y))
    orders = (o for o in itertools.permutations(range(len(y))) if all(p[a] >= p[b] for a, b in itertools.pairwise(o)))
    if y.sum() > 0:
        assert ours == pytest.approx(min(y[list(order[:taken])].sum() for order in orders) / y.sum())


def test_one_rate_for_every_area_is_a_tie_whatever_the_rounding():
    rng = np.random.default_rng(5)
    people = rng.integers(900, 3000, 60).astype(float)
    observed = rng.poisson(people / 400).astype(float)
    even = people * 0.0031
    assert len(set((even / people).tolist())) > 1
    given = {"population": people, "share": 0.2}
    lowest_rate_first = metrics.within_share(np.argsort(observed / people, kind="stable"), people, 0.2)
    assert metrics.hit_rate(observed, even, **given) == observed[lowest_rate_first].sum() / observed.sum()


def test_tied_areas_of_unequal_size_rank_the_same_in_any_row_order():
    """Two areas alike in every rate, one twice the size: only one of them can be taken."""
    for order in ([0, 1, 2], [1, 0, 2], [2, 1, 0]):
        y, p, people = (np.array(v)[order] for v in ([1.0, 2.0, 1.0], [3.0, 6.0, 0.5], [500.0, 1000.0, 500.0]))
        assert metrics.hit_rate(y, p, population=people, share=0.6) == 0.5


@law
@given(triples, shares, st.randoms(use_true_random=False))
def test_no_score_depends_on_the_order_of_areas(rows, share, random):
    shuffled = list(rows)
    random.shuffle(shuffled)
    first, second = np.array(rows).T, np.array(shuffled).T
    for name in ("poisson_deviance", "mae", "level_ratio"):
        metric = getattr(metrics, name)
        assert metric(first[0], first[1]) == pytest.approx(metric(second[0], second[1]), nan_ok=True)
    for name in ("hit_rate", "pai", "pei"):
        one, two = (getattr(metrics, name)(y, p, population=people, share=share) for y, p, people in (first, second))
        assert one == pytest.approx(two, nan_ok=True)


@law
@given(pairs)
def test_deviance_is_never_negative_and_zero_only_for_the_count_itself(rows):
    y, p = np.array(rows).T
    each = metrics.poisson_deviances(y, p)
    assert (each >= 0.0).all()
    assert (each[np.abs(y - p) > 1e-3] > 0.0).all()
    own = np.maximum(y, 1.0)
    assert (metrics.poisson_deviances(own, own) == 0.0).all()


@law
@given(pairs)
def test_deviance_agrees_with_scikit_learn(rows):
    y, p = np.array(rows).T
    assert metrics.poisson_deviance(y, p) == pytest.approx(mean_poisson_deviance(y, p), rel=1e-9, abs=1e-12)
    assert metrics.mae(y, p) == pytest.approx(mean_absolute_error(y, p))


@law
@given(pairs)
def test_deviance_is_the_likelihood_ratio_against_the_count_itself(rows):
    y, p = np.array(rows).T
    naive = [2.0 * ((a * math.log(a) - a if a else 0.0) - (a * math.log(b) - b)) for a, b in zip(y, p, strict=True)]
    assert metrics.poisson_deviances(y, p) == pytest.approx(naive, abs=1e-9)


@law
@given(pairs, st.floats(0.1, 10.0))
def test_level_ratio_scales_with_the_means(rows, factor):
    y, p = np.array(rows).T
    if y.sum() > 0:
        assert metrics.level_ratio(y, factor * p) == pytest.approx(factor * sum(p) / sum(y))


def test_mase_of_the_seasonal_naive_over_its_own_year_is_one():
    last_year, this_year = np.array([4.0, 0.0, 7.0]), np.array([6.0, 1.0, 7.0])
    assert metrics.mase(this_year, last_year, scale=1.0) == 1.0
    assert metrics.mase(this_year, last_year, scale=0.5) == 2.0


@law
@given(arrays.arrays(float, 20, elements=counts))
def test_coverage_counts_both_ends(y):
    assert metrics.coverage_90(y, y, y) == 1.0
    assert metrics.coverage_90(y, y + 1, y + 2) == 0.0
    assert metrics.coverage_90(y, np.where(np.arange(20) < 5, y, y + 1), y + 1) == 0.25


RANKED = {"population": [], "share": 0.1}
EMPTY = [
    ("poisson_deviance", {}),
    ("mae", {}),
    ("level_ratio", {}),
    ("mase", {"scale": 1.0}),
    ("hit_rate", RANKED),
    ("pai", RANKED),
    ("pei", RANKED),
]


@pytest.mark.parametrize(("name", "given"), EMPTY)
def test_no_areas_give_nan_with_a_reason(name, given):
    score = getattr(metrics, name)([], [], **given)
    assert math.isnan(score)
    assert score.reason == "no forecasts"


@pytest.mark.parametrize("name", ["level_ratio", "hit_rate", "pai", "pei"])
def test_nothing_recorded_gives_nan_with_a_reason(name):
    given = {} if name == "level_ratio" else {"population": [10, 10], "share": 0.5}
    score = getattr(metrics, name)([0, 0], [1.0, 2.0], **given)
    assert math.isnan(score)
    assert "nothing was recorded" in score.reason


def test_an_unknown_scale_gives_nan_with_its_own_reason():
    assert (
        metrics.mase([1], [2.0], scale=Undefined("only nine months are known")).reason == "only nine months are known"
    )
    assert "no month" in metrics.mase([1], [2.0], scale=math.nan).reason
    assert "equals the one a year before" in metrics.mase([1], [2.0], scale=0.0).reason


@pytest.mark.parametrize(
    ("name", "args", "said"),
    [
        ("poisson_deviance", ([1.0, 1.0], [1.0, 0.0]), "position 1"),
        ("poisson_deviance", ([-1.0], [1.0]), "negative"),
        ("mae", ([math.nan], [1.0]), "not finite"),
        ("mae", ([1.0], [math.inf]), "not finite"),
        ("mae", ([1.0, 2.0], [1.0]), "one length"),
        ("mae", ([[1.0]], [[1.0]]), "one-dimensional"),
        ("coverage_90", ([1.0], [3.0], [2.0]), "above the 95 %"),
    ],
)
def test_arrays_that_cannot_be_scored_are_refused(name, args, said):
    with pytest.raises(TableError, match=said):
        getattr(metrics, name)(*args)


@pytest.mark.parametrize("given", [{"population": [0, 1], "share": 0.1}, {"population": [1, 1], "share": 0.0}])
@pytest.mark.parametrize("name", ["hit_rate", "pai", "pei"])
def test_areas_without_residents_and_empty_shares_are_refused(name, given):
    with pytest.raises(TableError):
        getattr(metrics, name)([1, 1], [1.0, 2.0], **given)


def test_no_metric_can_ask_for_a_mask():
    def recorded_only(observed, mean, mask):
        return float(np.abs(observed - mean)[mask].mean())

    with pytest.raises(DefinitionError, match="recorded_only"):
        metrics.metric_inputs(recorded_only, "recorded_only")


def test_a_misspelt_input_is_told_the_right_one():
    with pytest.raises(DefinitionError, match="did you mean 'observed'"):
        metrics.metric_inputs(lambda observd, mean: 0.0, "mine")
