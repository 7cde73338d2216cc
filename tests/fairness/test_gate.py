"""The gate: which stop rules an audit meets, by model, severity and characteristic, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deciding_builders import ACTION, audit_rows
from riskmodel.contracts.errors import FairnessGate
from riskmodel.contracts.policy_specs import PolicySpec, StopRuleSpec
from riskmodel.fairness.gate import gate_of

NOTICE = ACTION | {"severity": "notice", "direction": "over"}


def policy(*rules: StopRuleSpec) -> PolicySpec:
    return PolicySpec(title="T", use_statement="U", stop_rules=list(rules))


AT_ACTION = StopRuleSpec(when="concern_at_action", then="It is not used.")
AT_NOTICE = StopRuleSpec(when="concern_at_notice", characteristics=["sex"], then="The reviewers meet.")


def test_a_concern_at_action_level_stops_the_model_shown_and_says_why() -> None:
    gate = gate_of(audit_rows(ACTION), policy(AT_ACTION), "rolling_12")
    assert gate.met[0].words == (
        "1 concern at action level (ethnic_group: black, less was forecast than was recorded). "
        "Agreed beforehand: It is not used."
    )
    with pytest.raises(FairnessGate, match="It is not used") as stopped:
        gate.require_open(hint="read it")
    assert stopped.value.exit_code == 20
    assert "next: read it" in str(stopped.value)


def test_an_intersection_meets_a_rule_about_what_meets_in_it() -> None:
    rows = audit_rows(NOTICE | {"characteristic": "sex x ethnic_group", "group": "female & black"})
    assert gate_of(rows, policy(AT_NOTICE), "rolling_12").stops
    assert not gate_of(audit_rows(NOTICE), policy(AT_NOTICE), "rolling_12").stops


def test_a_group_is_named_once_however_many_rows_speak_of_it() -> None:
    rows = audit_rows(ACTION, ACTION | {"part": "without town centres"}, ACTION | {"group": "asian"})
    gate = gate_of(rows, policy(AT_ACTION), "rolling_12")
    assert [line.partition(",")[0] for line in gate.met[0].concerns] == ["ethnic_group: black", "ethnic_group: asian"]


VERDICTS = ("concern", "no_evidence", "insufficient", "not_visible", "not_assessable", "suppressed", "described")
ROWS = st.fixed_dictionaries(
    {
        "verdict": st.sampled_from(VERDICTS),
        "severity": st.sampled_from(["action", "notice"]),
        "characteristic": st.sampled_from(["sex", "ethnic_group", "sex x ethnic_group", "sexuality"]),
        "model_id": st.sampled_from(["rolling_12", "ridge"]),
    }
)


@given(cases=st.lists(ROWS, max_size=6))
def test_a_rule_is_met_by_a_concern_it_names_and_by_nothing_else(cases: list[dict[str, Any]]) -> None:
    rows = audit_rows({}, *({**row, "group": str(n)} for n, row in enumerate(cases)))
    found = {rule.then for rule in gate_of(rows, policy(AT_ACTION, AT_NOTICE), "ridge").met}
    concerns = [row for row in cases if row["verdict"] == "concern" and row["model_id"] == "ridge"]
    expected = {"It is not used."} if any(row["severity"] == "action" for row in concerns) else set()
    if any("sex" in row["characteristic"].split(" x ") for row in concerns):
        expected.add("The reviewers meet.")
    assert found == expected


def test_without_rules_nothing_stops_and_nothing_is_said() -> None:
    gate = gate_of(audit_rows(ACTION), policy(), "rolling_12")
    assert not gate.stops
    gate.require_open()
