"""What is said of the factors follows from the skill lost without them, and from nothing else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from riskmodel.explain.adds import (
    ALL_CONDITIONS,
    ALL_FACTORS,
    COSTS,
    EARNS,
    NO_DIFFERENCE,
    NO_INTERVAL,
    NOT_PUBLISHED,
    conditions_alone,
    factors_add,
)

NOTHING = "add nothing to the forecast beyond the area's own past"


def row(domain: str, lost: float, *, skill: float = 0.05, verdict: str | None = None, kind: str = "forecast") -> dict:
    low, high = lost - 0.01, lost + 0.01
    found = EARNS if low > 0 else COSTS if high < 0 else NO_DIFFERENCE
    named = {"kind": kind, "model_id": "m", "baseline": "rolling_12", "domain": domain, "verdict": verdict or found}
    return {**named, "skill": skill, "skill_without": skill - lost, "skill_lost": lost, "low": low, "high": high}


def table(*rows: dict) -> pd.DataFrame:
    return pd.DataFrame(list(rows))


@pytest.mark.parametrize(
    ("lost", "skill", "nothing"),
    [(0.02, 0.05, False), (0.005, 0.05, True), (-0.005, 0.05, True), (-0.03, 0.05, True), (0.05, -0.01, True)],
)
def test_factors_add_something_where_the_interval_lies_above_nothing_and_counting_is_beaten(
    lost: float, skill: float, nothing: bool
):
    made = table(row("society", 0.5), row(ALL_FACTORS, lost, skill=skill))
    said = factors_add(made)
    assert (NOTHING in said) == nothing
    worse = "worse" if skill < 0 else "better"
    assert f"with them it is {100 * abs(skill):.1f} % {worse} than counting the last twelve months" in said
    assert f"without them {100 * abs(skill - lost):.1f} % " in said
    assert f"(90 % interval {100 * (lost - 0.01):.1f} to {100 * (lost + 0.01):.1f})" in said
    assert ("better without them" in said) == (lost == -0.03)
    assert ("even with them it is" in said) == (skill < 0)
    assert "-0.0 " not in said


def test_conditions_are_told_apart_from_other_recorded_crime():
    made = table(row(ALL_FACTORS, 0.02), row(ALL_CONDITIONS, 0.001))
    said = factors_add(made)
    assert said.startswith("The factors add to the forecast beyond the area's own past: ")
    assert (
        "The conditions of places and people add nothing to the forecast beyond the area's own past and other" in said
    )
    same = table(row(ALL_FACTORS, 0.02), row(ALL_CONDITIONS, 0.02))
    assert "The conditions" not in factors_add(same)


def test_what_was_not_measured_is_said():
    assert "rests on the area's own past" in factors_add(table(row("history", 0.02)))
    assert "asks for no ablation" in factors_add(table(row("society", 0.02, kind="conditions")))
    blank = {**row(ALL_FACTORS, np.nan, skill=np.nan), "verdict": NOT_PUBLISHED}
    assert "none was published by the origins tested" in factors_add(table(blank))
    assert "no model is left" in factors_add(table({**blank, "verdict": "the only domain"}))
    few = {**row(ALL_FACTORS, 0.01), "low": np.nan, "high": np.nan, "verdict": NO_INTERVAL}
    assert factors_add(table(few)).startswith("Too few months to say what is added to the forecast by the factors")
    assert "nan" not in factors_add(table(few))


def test_the_conditions_models_own_skill():
    made = table(row("society", 0.1, skill=0.537, kind="conditions"), row(ALL_FACTORS, 0.0))
    assert conditions_alone(made).endswith("is 53.7 % better than giving every resident the region's rate.")
    assert conditions_alone(table(row(ALL_FACTORS, 0.0))) == ""
