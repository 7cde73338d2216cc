"""The block jackknife against a naive loop, Holm against its definition, and what has to be so by its nature."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from audited import make_evidence_of, make_region
from riskmodel.contracts.registry import load, names
from riskmodel.fairness.blocks import make_tilings
from riskmodel.fairness.columns import Columns, expected_deviance, make_columns
from riskmodel.fairness.inference import infer
from riskmodel.fairness.sums import CompositionSums, Part, Setting, make_weights
from riskmodel.fairness.verdicts import holm_over_groups
from riskmodel.fairness.visibility import look

AREAS = 120
REGION = make_region(5, areas=AREAS)
EVIDENCE = make_evidence_of(REGION, 5, models=2, origins=2, months=3)
GROUPING = REGION.groupings["ethnic_group"]
TILINGS = make_tilings(EVIDENCE.points)
COLUMNS = make_columns(EVIDENCE, 0.2)
SETTING = Setting(("2024-01", "2024-04"), EVIDENCE.district, EVIDENCE.districts, EVIDENCE.residents)


def sums(part: Part | None = None, columns: Columns = COLUMNS) -> CompositionSums:
    weights = make_weights(TILINGS, GROUPING, EVIDENCE.residents)
    return CompositionSums(columns, weights, part or Part("all"), SETTING)


def naive(values: np.ndarray, everyone: np.ndarray, group: np.ndarray) -> dict[str, float]:
    """One statistic, one tiling, block after block: values without each block, and what each block holds."""
    inside = [value for value, held in zip(values, everyone, strict=True) if held > 0]
    count, mean = len(inside), sum(inside) / len(inside)
    error = np.sqrt((count - 1) / count * sum((value - mean) ** 2 for value in inside))
    degrees = sum(group) ** 2 / sum(held**2 for held in group) - 1
    return {
        "half": student.ppf(0.95, degrees) * error,
        "smallest": (student.ppf(0.975, degrees) + student.ppf(0.8, degrees)) * error,
        "t": 1 / error,
        "degrees": degrees,
    }


def test_the_jackknife_is_that_of_a_naive_loop() -> None:
    held = sums()
    values = load("check", "exposure_bias")().statistic(held)
    everyone, groups = held.in_blocks()
    found = held.infer(values)
    for g in range(len(GROUPING.groups)):
        for m in range(2):
            each = [
                naive(values[1:][blocks][:, g, m], everyone[blocks][:, 0, m], groups[blocks][:, g, m])
                for blocks in TILINGS.slices
            ]
            p = max(2 * student.sf(abs(values[0, g, m]) * one["t"], one["degrees"]) for one in each)
            assert found.p[g, m] == pytest.approx(p)
            assert found.high[g, m] - found.estimate[g, m] == pytest.approx(max(one["half"] for one in each))
            assert found.smallest_seen[g, m] == pytest.approx(max(one["smallest"] for one in each))


# Those whose figure without a block is that of the areas that are left; areas put first stay as they are.
PLAIN = sorted(
    set(names("check"))
    - {"calibration_ratio", "share_gradient", "share_gradient_adjusted", "composition_of_bands"}
    - {"conditional_calibration", "drift", "nothing_recorded"}
)


@pytest.mark.parametrize("name", PLAIN)
def test_leaving_a_block_out_is_an_audit_without_its_areas(name: str) -> None:
    check = load("check", name)()
    values = check.statistic(sums())
    for block in (0, 7, 20, 50):
        tiling = next(row for row, blocks in enumerate(TILINGS.slices) if blocks.start <= block < blocks.stop)
        left = (TILINGS.block[tiling] != block).astype(float)
        assert values[1 + block] == pytest.approx(check.statistic(sums(Part("left", left)))[0])


def test_a_contrast_without_difference_has_the_plain_jackknife_and_a_difference_adds_no_spread() -> None:
    """Forecasts that are off by a factor between people everywhere alike leave nothing to chance."""
    share = GROUPING.shares[:, GROUPING.groups.index("black")]
    observed = EVIDENCE.observed
    mean = np.broadcast_to(np.maximum(observed, 0.0), EVIDENCE.mean.shape) + 0.0
    from dataclasses import replace

    exact = replace(EVIDENCE, mean=mean)
    biased = replace(EVIDENCE, mean=mean * 1.7**share)
    check = load("check", "calibration_ratio")()
    place = GROUPING.groups.index("black")
    for evidence, size in ((exact, 0.0), (biased, None)):
        held = sums(columns=make_columns(evidence, 0.2))
        values = check.statistic(held)
        found = held.infer(values)
        assert np.abs(values[1:, place] - values[0, place]).max() < 1e-9
        assert found.error[place].max() < 1e-9
        if size is not None:
            assert values[0] == pytest.approx(size, abs=1e-12)
            assert found.p == pytest.approx(1.0)
        else:
            assert values[0, place].min() > 0.02
            assert found.p[place].max() == 0.0


def test_a_group_in_one_block_has_no_interval() -> None:
    values = np.random.default_rng(1).normal(size=(1 + TILINGS.total, 1, 1))
    groups = np.zeros((TILINGS.total, 1, 1))
    groups[[blocks.start for blocks in TILINGS.slices]] = 5.0
    found = infer(values, TILINGS, np.ones((TILINGS.total, 1, 1)), groups, nothing=0.0)
    assert found.blocks.item() == 1
    assert np.isnan([found.low, found.high, found.p, found.smallest_seen]).all()


@given(st.lists(st.floats(0, 1) | st.just(float("nan")), min_size=1, max_size=6))
def test_holm_is_its_definition(p: list[float]) -> None:
    found = holm_over_groups(np.array(p)[:, None])[:, 0]
    known = sorted((value, place) for place, value in enumerate(p) if value == value)
    largest = 0.0
    for rank, (value, place) in enumerate(known):
        largest = max(largest, value * (len(known) - rank))
        assert found[place] == pytest.approx(min(largest, 1.0))
    assert all(np.isnan(found[place]) for place, value in enumerate(p) if value != value)


@pytest.mark.parametrize("mean", [0.03, 0.4, 2.0, 17.0, 59.0, 61.0, 400.0])
def test_the_deviance_that_chance_leaves_is_that_of_drawn_counts(mean: float) -> None:
    from scipy.stats import poisson

    counts = np.arange(0, 2000)
    deviance = 2 * (np.where(counts > 0, counts * np.log(np.maximum(counts, 1) / mean), 0.0) - (counts - mean))
    assert expected_deviance(np.array([mean]))[0] == pytest.approx(
        float((poisson.pmf(counts, mean) * deviance).sum()), rel=2e-4
    )


@given(times=st.floats(1.05, 4.0), group=st.integers(0, 4))
def test_what_is_visible_is_what_a_difference_between_people_leaves(times: float, group: int) -> None:
    share = GROUPING.shares[:, [group]]
    y = COLUMNS["recorded"][0].sum(axis=0)[:, None]

    def contrast(factor: float) -> float:
        m = y * (1 + (factor - 1) * share)
        own = (share * m).sum() / (share * y).sum()
        return float(np.log(own / (((1 - share) * m).sum() / ((1 - share) * y).sum())))

    seen = look(sums())
    over, under = contrast(times), contrast(1 / times)
    assert seen.contrast(times)[group, 0] == pytest.approx(min(abs(over), abs(under)))
    assert seen.between_people(np.full((5, 2), over))[group, 0] == pytest.approx(times)
