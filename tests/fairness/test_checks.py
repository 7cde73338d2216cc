"""What each check finds: against fairlearn's MetricFrame, by laws of addition, and where the answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audited import make_evidence_of, make_region
from riskmodel.contracts.registry import load
from riskmodel.fairness.blocks import make_tilings
from riskmodel.fairness.columns import COLUMNS, make_columns
from riskmodel.fairness.evidence import Evidence, Grouping
from riskmodel.fairness.sums import CompositionSums, Part, Setting, make_weights

AREAS = 90
REGION = make_region(11, areas=AREAS)
EVIDENCE = make_evidence_of(REGION, 11, models=2, origins=2, months=3)
ETHNIC = REGION.groupings["ethnic_group"]


def sums_of(evidence: Evidence, grouping: Grouping, *, classes: bool = True) -> CompositionSums:
    fifths = REGION.groupings["deprivation"]
    held = tuple(
        (fifths.characteristic, group, fifths.shares[:, number] > 0) for number, group in enumerate(fifths.groups)
    )
    labels = tuple(map(str, evidence.origins))
    setting = Setting(labels, evidence.district, evidence.districts, evidence.residents, held if classes else ())
    weights = make_weights(make_tilings(evidence.points), grouping, evidence.residents)
    return CompositionSums(make_columns(evidence, 0.2), weights, Part("all"), setting)


def found(name: str, evidence: Evidence = EVIDENCE, grouping: Grouping = ETHNIC) -> np.ndarray:
    """The figure over all the evidence, [group, model]."""
    return load("check", name)().statistic(sums_of(evidence, grouping))[0]


def rows_for_fairlearn() -> pd.DataFrame:
    """One row an area, origin and group of the first model, with both kinds of weight."""
    columns = make_columns(EVIDENCE, 0.2)
    frames = []
    for number, group in enumerate(ETHNIC.groups):
        for origin in range(2):
            held = {name: columns[name][0, origin] for name in COLUMNS}
            frames.append(
                pd.DataFrame({**held, "group": group, "share": ETHNIC.shares[:, number], "w": ETHNIC.people[:, number]})
            )
    return pd.concat(frames, ignore_index=True)


def by_group(rows: pd.DataFrame, true: str, guess: str, weight: str, metric: object) -> pd.Series:
    from fairlearn.metrics import MetricFrame

    frame = MetricFrame(
        metrics=metric, y_true=rows[true], y_pred=rows[guess], sensitive_features=rows["group"],
        sample_params={"sample_weight": rows[weight]},
    )  # fmt: skip
    return frame.by_group.reindex(ETHNIC.groups)


def ratio_of_sums(y_true: pd.Series, y_pred: pd.Series, sample_weight: pd.Series) -> float:
    return float((sample_weight * y_pred).sum() / (sample_weight * y_true).sum())


def mean_error(y_true: pd.Series, y_pred: pd.Series, sample_weight: pd.Series) -> float:
    return float(np.average(y_pred - y_true, weights=sample_weight))


class TestAgainstFairlearn:
    rows = rows_for_fairlearn()

    def test_calibration_ratio(self) -> None:
        sums = sums_of(EVIDENCE, ETHNIC)
        ours = sums.group("expected")[0, :, 0] / sums.group("recorded")[0, :, 0]
        assert ours == pytest.approx(by_group(self.rows, "recorded", "expected", "share", ratio_of_sums).to_numpy())
        rest = self.rows.assign(share=1 - self.rows["share"])
        others = by_group(rest, "recorded", "expected", "share", ratio_of_sums).to_numpy()
        assert found("calibration_ratio")[:, 0] == pytest.approx(np.log(ours) - np.log(others))

    def test_exposure_bias(self) -> None:
        rows = self.rows.assign(
            **{name: self.rows[name] / np.tile(REGION.residents, 10) for name in ("expected", "recorded")}
        )
        ours = found("exposure_bias")[:, 0]
        assert ours == pytest.approx(by_group(rows, "recorded", "expected", "w", mean_error).to_numpy() * 12_000 / 3)

    def test_interval_coverage(self) -> None:
        theirs = by_group(self.rows, "intervals", "covered", "w", ratio_of_sums)
        assert found("interval_coverage")[:, 0] == pytest.approx(theirs.to_numpy())

    def test_coverage_of_recorded(self) -> None:
        theirs = by_group(self.rows, "recorded", "recorded_in_first", "share", ratio_of_sums)
        columns = make_columns(EVIDENCE, 0.2)
        everyone = columns["recorded_in_first"][0].sum() / columns["recorded"][0].sum()
        assert found("coverage_of_recorded")[:, 0] == pytest.approx(theirs.to_numpy() / everyone)

    def test_selection(self) -> None:
        rows = self.rows.assign(one=1.0)
        theirs = by_group(rows, "one", "first", "w", ratio_of_sums)
        everyone = np.average(rows["first"], weights=np.tile(REGION.residents, 10))
        assert found("selection")[:, 0] == pytest.approx(theirs.to_numpy() / everyone)
        beside = by_group(rows, "first_by_recorded", "first", "w", ratio_of_sums)
        assert found("selection_beside_recorded")[:, 0] == pytest.approx(beside.to_numpy())


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6))
def test_group_errors_weighted_by_people_add_up_to_the_whole(seed: int) -> None:
    region = make_region(seed, areas=60)
    evidence = make_evidence_of(region, seed, months=4)
    for characteristic in ("ethnic_group", "sex", "deprivation"):
        grouping = region.groupings[characteristic]
        bias = load("check", "exposure_bias")().statistic(sums_of_plain(evidence, grouping))[0, :, 0]
        people = grouping.people.sum(axis=0)
        off = 12_000 * (evidence.mean[0].sum() - evidence.observed.sum()) / 4
        assert (bias * people).sum() == pytest.approx(off)


def sums_of_plain(evidence: Evidence, grouping: Grouping) -> CompositionSums:
    setting = Setting(("one",), evidence.district, evidence.districts, evidence.residents)
    weights = make_weights(make_tilings(evidence.points), grouping, evidence.residents)
    return CompositionSums(make_columns(evidence, 0.2), weights, Part("all"), setting)


@pytest.mark.parametrize("name", ["exposure_bias", "interval_coverage", "selection", "burden"])
def test_two_groups_merged_have_the_mean_of_both_weighted_by_people(name: str) -> None:
    black, mixed = (ETHNIC.groups.index(group) for group in ("black", "mixed"))
    merged = replace(
        ETHNIC, groups=("white", "asian", "black or mixed", "other"),
        people=np.delete(ETHNIC.people, mixed, axis=1) + ETHNIC.people[:, [mixed]] * (np.arange(4) == black),
    )  # fmt: skip
    apart, people = found(name), ETHNIC.people.sum(axis=0)[[black, mixed]]
    assert found(name, grouping=merged)[black] == pytest.approx(
        np.average(apart[[black, mixed]], axis=0, weights=people)
    )


def test_two_groups_that_are_everybody_mirror_each_other() -> None:
    for name in ("calibration_ratio", "share_gradient"):
        female, male = found(name, grouping=REGION.groupings["sex"])
        assert female == pytest.approx(-male, rel=1e-6)


@settings(max_examples=10)
@given(times=st.floats(0.2, 5.0))
def test_forecasts_that_are_too_high_everywhere_are_no_difference_between_groups(times: float) -> None:
    scaled = replace(EVIDENCE, mean=EVIDENCE.mean * times)
    for name in ("calibration_ratio", "coverage_of_recorded", "selection", "burden", "miss", "drift"):
        assert found(name, scaled) == pytest.approx(found(name), abs=1e-7)
    assert found("share_gradient", scaled) == pytest.approx(found("share_gradient"), abs=1e-5)


def test_forecasts_equal_to_the_counts_leave_nothing_to_find() -> None:
    exact = replace(EVIDENCE, mean=np.broadcast_to(EVIDENCE.observed + 1e-12, EVIDENCE.mean.shape))
    for name in ("calibration_ratio", "exposure_bias", "share_gradient", "conditional_calibration", "drift", "burden"):
        assert found(name, exact) == pytest.approx(0.0, abs=1e-8)
    assert found("miss", exact) == pytest.approx(0.0, abs=1e-8)


def test_the_share_gradient_is_what_was_put_in() -> None:
    share = ETHNIC.shares[:, ETHNIC.groups.index("black")]
    low, high = np.quantile(share, (0.1, 0.9))
    slope = 0.4
    tilted = replace(
        EVIDENCE,
        mean=np.broadcast_to(EVIDENCE.observed * np.exp(slope * share / (high - low)) + 1e-12, EVIDENCE.mean.shape),
    )
    for name in ("share_gradient", "share_gradient_adjusted"):
        assert found(name, tilted)[ETHNIC.groups.index("black")] == pytest.approx(slope, abs=1e-6)


def test_the_share_gradient_is_the_slope_of_a_poisson_regression() -> None:
    from scipy.optimize import minimize

    columns = make_columns(EVIDENCE, 0.2)
    y, m = columns["recorded"][0].sum(axis=0), columns["expected"][0].sum(axis=0)
    for number in range(len(ETHNIC.groups)):
        share = ETHNIC.shares[:, number]
        z = share / np.subtract(*np.quantile(share, (0.9, 0.1)))

        def loss(ab: np.ndarray, z: np.ndarray = z) -> float:
            mu = m * np.exp(ab[0] + ab[1] * (z - z.mean()))
            return float((mu - y * np.log(mu)).sum())

        best = minimize(loss, np.zeros(2), method="BFGS", options={"gtol": 1e-8}).x
        assert found("share_gradient")[number, 0] == pytest.approx(-best[1], abs=1e-4)


def test_calibration_apart_names_the_part_that_is_off() -> None:
    big = make_region(3, areas=500)
    fifths, share = big.groupings["deprivation"], big.share("ethnic_group", "black")
    most = fifths.shares[:, fifths.groups.index("most")] > 0
    evidence = make_evidence_of(big, 3)
    evidence = replace(evidence, mean=np.where(most, evidence.observed.mean(axis=(0, 1)) * 40**share, evidence.mean))
    held = tuple((fifths.characteristic, group, fifths.shares[:, n] > 0) for n, group in enumerate(fifths.groups))
    setting = Setting(("one",), evidence.district, evidence.districts, evidence.residents, held)
    weights = make_weights(make_tilings(evidence.points), big.groupings["ethnic_group"], evidence.residents)
    sums = CompositionSums(make_columns(evidence, 0.2), weights, Part("all"), setting)
    check = load("check", "conditional_calibration")()
    assert check.notes(sums)[ETHNIC.groups.index("black"), 0] == "Largest in: deprivation: most."
    assert check.statistic(sums)[0, ETHNIC.groups.index("black"), 0] > 0.1


def test_drift_names_the_origin_at_which_the_contrast_turned() -> None:
    evidence = make_evidence_of(REGION, 2, origins=6, months=2)
    share = REGION.share("ethnic_group", "black")
    turned = np.where(np.arange(6) < 2, 8.0, 1.0)[:, None, None] ** share
    exact = np.maximum(evidence.observed, 1e-9) * turned
    evidence = replace(evidence, mean=exact[None])
    sums = sums_of(evidence, ETHNIC)
    sums.setting = replace(sums.setting, origins=tuple(f"2024-{month:02d}" for month in range(1, 12, 2)))
    check = load("check", "drift")()
    black = ETHNIC.groups.index("black")
    assert check.notes(sums)[black, 0] == "Largest up to the origin 2024-03."
    assert check.statistic(sums)[0, black, 0] > 0.02
