"""Decisions on a run: kept whole and never changed, void once audit or policy differ, and what pages say of them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.contracts.errors import DefinitionError
from riskmodel.contracts.policy_specs import (
    VERDICTS_OF_REVIEWERS,
    ConditionSpec,
    DecisionFormSpec,
    DecisionSpec,
    EnforcementSpec,
    PolicySpec,
    StopRuleSpec,
)
from riskmodel.contracts.yaml_files import Workspace, read_spec
from riskmodel.fairness.decision_files import form_text, read_decisions, write_decision
from riskmodel.fairness.decisions import DRAFT, Audited, Review, make_review

RUN, AUDIT = "00e1234567890123", "a" * 64
POLICY = PolicySpec(title="Default", use_statement="Offers of support in places.", contact="A")
AUDITED = Audited(RUN, "demo", "ridge", AUDIT, "default", POLICY, POLICY)


def decision(verdict: str = "accept", **changes: Any) -> DecisionSpec:
    own: dict[str, Any] = {
        "run": RUN, "audit_sha256": AUDIT, "verdict": verdict, "decided_on": date(2026, 5, 2),
        "decided_by": ["A. Name, chair"], "reasons": "Read and discussed.", "experiment": "demo", "model_id": "ridge",
        "use": "offers_of_support", "policy": "default", "policy_sha256": POLICY.rules_sha256,
        "manifest_sha256": "b" * 64,
    }  # fmt: skip
    if verdict == "accept_with_conditions":
        own["conditions"] = [ConditionSpec(condition="Ask again", owner="B. Name", due=date(2026, 9, 30))]
    if verdict == "defer":
        own["information_needed"] = ["Health records by sex"]
    return DecisionSpec(**(own | changes))


def review(*decisions: DecisionSpec, audited: Audited = AUDITED) -> Review:
    return make_review(audited, {f"d-{n:03d}": (f"{n:064d}", spec) for n, spec in enumerate(decisions)})


@pytest.fixture
def room(tmp_path: Path) -> Workspace:
    for name in ("features", "experiments", "fairness"):
        (tmp_path / name).mkdir()
    return Workspace(tmp_path)


class TestOnDisk:
    @given(texts=st.lists(st.text(min_size=1), min_size=4, max_size=4), others=st.lists(st.text(min_size=1)))
    @settings(max_examples=60)
    def test_what_is_written_is_read_back_whole(
        self, texts: list[str], others: list[str], tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        folder = tmp_path_factory.mktemp("w")
        for name in ("features", "experiments", "fairness"):
            (folder / name).mkdir()
        reasons, dissent, condition, owner = texts
        spec = decision(
            "accept_with_conditions", reasons=reasons, dissent=dissent, decided_by=[owner, *others],
            conditions=[ConditionSpec(condition=condition, owner=owner, due=date(2026, 9, 30))],
        )  # fmt: skip
        path = write_decision(Workspace(folder), spec)
        assert read_decisions(Workspace(folder))[path.stem][1] == spec

    def test_nothing_is_ever_overwritten_and_one_day_keeps_its_order(self, room: Workspace) -> None:
        verdicts = [VERDICTS_OF_REVIEWERS[n % 4] for n in range(12)]
        paths, held = [], {}
        for verdict in verdicts:
            paths.append(write_decision(room, decision(verdict)))
            assert {p: p.read_bytes() for p in held} == held
            held[paths[-1]] = paths[-1].read_bytes()
        assert [p.stem for p in paths[:3]] == [f"2026-05-02-{RUN}", f"2026-05-02-{RUN}-2", f"2026-05-02-{RUN}-3"]
        read = make_review(AUDITED, read_decisions(room))
        assert [d.spec.verdict for d in read.decisions] == verdicts

    def test_an_unsound_file_is_not_passed_over(self, room: Workspace) -> None:
        path = write_decision(room, decision())
        path.write_text(path.read_text(encoding="utf-8").replace("accept", "perhaps"), encoding="utf-8")
        with pytest.raises(DefinitionError, match="verdict"):
            read_decisions(room)


class TestForm:
    def test_it_asks_for_everything_in_order_and_fills_in_only_what_it_is_about(self, tmp_path: Path) -> None:
        text = form_text(RUN, AUDIT)
        lines = [line.partition(":") for line in text.splitlines() if line and not line.startswith("#")]
        assert [name for name, _, _ in lines] == list(DecisionFormSpec.model_fields)
        assert [name for name, _, value in lines if value] == ["run", "audit_sha256"]
        for verdict in VERDICTS_OF_REVIEWERS:
            assert verdict in text

    def test_left_empty_it_is_refused_for_what_must_be_said_and_nothing_else(self, tmp_path: Path) -> None:
        path = tmp_path / "form.yaml"
        path.write_text(form_text(RUN, AUDIT), encoding="utf-8")
        with pytest.raises(DefinitionError) as refused:
            read_spec(path, DecisionFormSpec)
        named = re.findall(r"form\.yaml:\d+: '(\w+)'", str(refused.value))
        assert named == ["verdict", "decided_on", "decided_by", "reasons"]

    def test_every_fault_is_named_at_once(self, tmp_path: Path) -> None:
        path = tmp_path / "form.yaml"
        text = form_text(RUN, AUDIT)
        for name, value in {
            "verdict": "accept", "decided_on": "soon", "decided_by": "[]", "conditions": "[{condition: c, owner: o}]",
            "information_needed": "[more]", "review_on": "never",
        }.items():  # fmt: skip
            text = text.replace(f"\n{name}:\n", f"\n{name}: {value}\n")
        path.write_text(text + "pass: yes\n", encoding="utf-8")
        with pytest.raises(DefinitionError) as refused:
            read_spec(path, DecisionFormSpec, {"run": "f" * 16, "audit_sha256": "c" * 64})
        message = str(refused.value)
        for name in ("run", "audit_sha256", "decided_on", "decided_by", "reasons", "conditions.0.due",
                     "information_needed", "review_on", "pass"):  # fmt: skip
            assert f"'{name}'" in message
        assert "this one is ffffffffffffffff" in message

    @pytest.mark.parametrize(
        ("verdict", "changes"),
        [
            ("accept", {"conditions": [ConditionSpec(condition="c", owner="o", due=date(2026, 1, 1))]}),
            ("accept_with_conditions", {"conditions": []}),
            ("accept", {"information_needed": ["n"]}),
            ("defer", {"information_needed": []}),
        ],
    )
    def test_conditions_and_questions_belong_to_their_verdicts(self, verdict: str, changes: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="belong"):
            decision(verdict, **changes)


STRICTER = POLICY.model_copy(update={"stop_rules": [StopRuleSpec(when="concern_at_notice", then="Stop.")]})
AGREED = EnforcementSpec(legal_basis="L", agreed_by=["A"], agreed_on=date(2026, 1, 1), minutes="M")
ENFORCING = POLICY.model_copy(update={"use": "enforcement", "enforcement": AGREED})


class TestVoid:
    @pytest.mark.parametrize(
        ("audited", "why"),
        [
            (replace(AUDITED, audit_sha256="c" * 64), "the audit is not the one"),
            (replace(AUDITED, audit_sha256=""), "has no audit"),
            (replace(AUDITED, model_id="trees"), "the run shows trees"),
            (replace(AUDITED, rules_now=STRICTER), "have changed since the run"),
            (replace(AUDITED, rules_now=None), "there is no policy default any more"),
            (replace(AUDITED, rules=STRICTER, rules_now=STRICTER), "under other rules"),
            (replace(AUDITED, policy="stricter"), "under the policy default for offers of support"),
            (replace(AUDITED, policy="patrols", rules=ENFORCING, rules_now=ENFORCING), "audited under patrols for enf"),
        ],
    )
    def test_a_decision_about_anything_else_counts_for_nothing(self, audited: Audited, why: str) -> None:
        before = review(decision())
        assert before.state.approved
        after = review(decision(), audited=audited)
        assert [d.stands for d in after.decisions] == [False]
        assert any(why in reason for reason in after.decisions[0].void), after.decisions[0].void
        assert not after.state.approved
        assert after.state.words == f"{DRAFT}; the decision of 2 May 2026 is void"
        assert why in " ".join(after.state.remarks)

    def test_texts_of_a_policy_may_be_mended(self) -> None:
        mended = POLICY.model_copy(update={"contact": "B", "how_to_challenge": "Write to B", "community_view": "C"})
        assert review(decision(), audited=replace(AUDITED, rules_now=mended)).state.approved

    def test_decisions_on_other_runs_are_left_out(self) -> None:
        assert review(decision(run="f" * 16)).decisions == ()

    def test_enforcement_needs_a_policy_file_of_its_own_and_a_decision_under_it(self) -> None:
        shared = replace(AUDITED, rules=ENFORCING, rules_now=ENFORCING)
        assert "a policy file of its own" in " ".join(shared.in_the_way)
        own = replace(shared, policy="patrols")
        assert own.in_the_way == ()
        under_it = decision(use="enforcement", policy="patrols", policy_sha256=ENFORCING.rules_sha256)
        assert review(under_it, audited=own).state.words == "Approved for enforcement: decision of 2 May 2026"
        assert not review(under_it).state.approved
        assert not review(under_it.model_copy(update={"use": "offers_of_support"}), audited=own).state.approved


CASES = st.lists(st.tuples(st.sampled_from(VERDICTS_OF_REVIEWERS), st.booleans()), max_size=5)


def made(cases: list[tuple[str, bool]]) -> list[DecisionSpec]:
    return [decision(verdict, **({} if stands else {"model_id": "trees"})) for verdict, stands in cases]


class TestState:
    def test_the_words_of_each_verdict(self) -> None:
        assert review().state.words == DRAFT == "Draft: not approved for use"
        assert review(decision()).state.words == "Approved for offers of support: decision of 2 May 2026"
        kept = review(decision("accept_with_conditions")).state
        assert kept.words == "Approved for offers of support: decision of 2 May 2026, with 1 condition"
        assert kept.remarks == ("Condition: Ask again (B. Name, by 30 September 2026).",)
        deferred = review(decision("defer")).state
        assert deferred.words == f"{DRAFT}. Deferred on 2 May 2026: more information needed"
        assert deferred.remarks == ("Information needed: Health records by sex.",)
        assert review(decision("refuse")).state.words == "Refused on 2 May 2026: not for use"
        disputed = review(decision(dissent="C. Name disagrees.", review_on=date(2027, 5, 1))).state
        assert disputed.remarks == ("Dissent: C. Name disagrees.", "To be looked at again on 1 May 2027.")

    @given(cases=CASES)
    def test_approved_only_by_the_newest_decision_of_all(self, cases: list[tuple[str, bool]]) -> None:
        found = review(*made(cases))
        assert [d.stands for d in found.decisions] == [stands for _, stands in cases]
        approved = bool(cases) and cases[-1][1] and cases[-1][0].startswith("accept")
        assert found.state.approved == approved
        assert found.state.words.startswith("Approved for offers of support") == approved
        standing = [verdict for verdict, stands in cases if stands]
        refused = bool(standing) and standing[-1] == "refuse"
        assert found.state.words.startswith("Refused") == refused
        assert approved or refused or found.state.words.startswith(DRAFT)
        words = " ".join([found.state.words, *found.state.remarks]).lower()
        assert not re.search(r"\b(pass|passes|passed|fair|safe)\b", words)
        assert words.count("is void") >= sum(not stands for _, stands in cases)

    @given(cases=CASES, verdict=st.sampled_from(VERDICTS_OF_REVIEWERS))
    def test_a_void_decision_approves_nothing(self, cases: list[tuple[str, bool]], verdict: str) -> None:
        assert not review(*made([*cases, (verdict, False)])).state.approved

    def test_the_newest_is_the_one_of_the_latest_day_however_late_it_was_written(self) -> None:
        later, earlier = decision("refuse", decided_on=date(2026, 6, 1)), decision(decided_on=date(2026, 5, 1))
        assert review(later, earlier).state.words == "Refused on 1 June 2026: not for use"

    def test_the_record_lists_every_decision_with_its_hash_and_reasons(self) -> None:
        record = review(decision("refuse"), decision(model_id="trees")).as_record()
        assert [(d["verdict"], d["stands"], d["sha256"][-1]) for d in record["decisions"]] == [
            ("refuse", True, "0"), ("accept", False, "1"),
        ]  # fmt: skip
        assert record["decisions"][1]["void_because"] == ["it is about the model trees, and the run shows ridge"]
        assert (record["state"], record["approved"]) == ("Refused on 2 May 2026: not for use", False)
        assert record["audit_sha256"] == AUDIT
