"""The audit of the audit is able to fail, counts what it says, and runs from counts to verdicts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from scipy.stats import binom

# Benchmarks are scripts beside each other, not a package.
sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))

import audit

from riskmodel.contracts.registry import names
from riskmodel.fairness.tested import read_tested
from riskmodel.fairness.verdicts import VERDICTS


@pytest.fixture(scope="module")
def found() -> audit.Found:
    """One seed's findings."""
    return audit.one(1)


def test_a_report_that_alarms_too_often_or_finds_too_little_says_so(found: audit.Found) -> None:
    never = dict.fromkeys(found, 0.0)
    always = dict.fromkeys(found, 1.0)
    for each, met in ((never, {"alarm": "met", "power": "not met"}), (always, {"alarm": "not met", "power": "met"})):
        lines = audit.report([each] * 400).splitlines()
        verdicts = {line.rpartition("| ")[2].removesuffix(" |") for line in lines if line.startswith("| false alarms")}
        assert verdicts == {met["alarm"]}
        verdicts = {line.rpartition("| ")[2].removesuffix(" |") for line in lines if "at least" in line}
        assert verdicts == {met["power"]}


def test_what_is_put_in_shows_as_much_less_between_places(found: audit.Found) -> None:
    assert 1.04 < found["1,400 areas", "shows as", "Black residents x 1.5"] < 1.12
    assert found["by group", "not visible", "women"] == found["by group", "not visible", "disabled people"] == 1.0
    assert found["by group", "x 1.5", "women"] == 1.0


def test_every_bias_has_its_line_on_the_page(found: audit.Found) -> None:
    lines = audit.tested([found] * 10)
    assert len({(line.what, line.evidence, line.effect) for line in lines}) == len(lines)
    assert {line.regions for line in lines} == {10}
    kept = read_tested()
    assert [line.what for line in kept] == [line.what for line in lines]
    assert min(line.regions for line in kept) >= 400


@pytest.mark.parametrize(("hits", "count"), [(0, 40), (3, 40), (40, 40), (210, 600)])
def test_intervals_are_those_of_the_binomial(hits: int, count: int) -> None:
    share, low, high = audit.interval([1.0] * hits + [0.0] * (count - hits))
    assert share == hits / count
    assert low == 0 or binom.sf(hits - 1, count, low) == pytest.approx(0.025)
    assert high == 1 or binom.cdf(hits, count, high) == pytest.approx(0.025)


def test_the_whole_pipeline_ends_in_an_audit() -> None:
    rows = audit.whole_pipeline(1, areas=60, origins=("2024-07", "2025-01"), draws=0)
    assert set(rows["check"]) == set(names("check"))
    assert set(rows["verdict"]) <= set(VERDICTS)
    assert set(rows["model_id"]) == {"rolling_12", "shares_level", "poisson_ridge"}
    assert {"all", "origin 2024-07"} <= set(rows["part"])
