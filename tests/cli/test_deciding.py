"""The verbs of reviewers in the terminal: audit, decide, promote, and what each refuses."""

from __future__ import annotations

import re
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deciding_builders import Stored
from riskmodel.contracts.specs import DecisionSpec
from riskmodel.contracts.yaml_files import read_spec
from riskmodel.fairness.decision_files import write_decision
from riskmodel.narrative.bundle import file_sha256
from riskmodel.tracking import RunRecord, log_run

DAY = {"decided_on": "2026-05-02", "decided_by": '["A. Name, chair", "B. Name"]', "reasons": '"Read: and discussed."'}
ACCEPT = {"verdict": "accept", **DAY}
DRAFT = "Draft: not approved for use"


@pytest.fixture
def stored(audited_run: Stored, tmp_path: Path) -> Stored:
    """A workspace of its own that holds the same run."""
    shutil.copytree(audited_run.root, tmp_path / "w")
    return replace(audited_run, root=tmp_path / "w", bundle=tmp_path / "w" / "build" / "small")


def kept(stored: Stored) -> list[str]:
    return sorted(path.stem for path in (stored.root / "fairness" / "decisions").glob("*.yaml"))


def aliases(stored: Stored) -> list[tuple[Any, ...]]:
    """Which run each alias leads to, by the tracker's own database."""
    opened = sqlite3.connect(stored.root / "mlruns" / "mlflow.db")
    try:
        return opened.execute(
            "select a.alias, a.name, t.value from registered_model_aliases a "
            "join model_version_tags t using (name, version) where t.key = 'riskmodel.run_id'"
        ).fetchall()
    finally:
        opened.close()


class TestDecide:
    def test_without_a_form_it_says_where_the_form_lies_and_what_it_asks(
        self, stored: Stored, command_here: Any
    ) -> None:
        done = command_here("decide", "small@latest", "--workspace", stored.root)
        assert done.code == 0, done.err
        form = stored.bundle / "decision_form.yaml"
        assert f"The empty form: {form.as_posix()}" in done.out
        assert f"Now: {DRAFT}." in done.out
        for asked in ("verdict:", "reasons:", "dissent:", "accept_with_conditions"):
            assert asked in done.out
        form.unlink()
        gone = command_here("decide", "small@latest", "--workspace", stored.root, "--json")
        assert gone.json["form"] is None and gone.json["run_id"] == stored.about.run_id
        assert kept(stored) == []

    def test_a_form_with_faults_is_refused_with_all_of_them_and_nothing_is_kept(
        self, stored: Stored, command_here: Any, tmp_path: Path
    ) -> None:
        form = stored.form(tmp_path / "form.yaml", verdict="defer", decided_on="2026-5", reasons='"R"')
        text = form.read_text(encoding="utf-8")
        form.write_text(text.replace(stored.about.run_id, "f" * 16), encoding="utf-8")
        done = command_here("decide", "small@latest", "--form", form, "--workspace", stored.root)
        assert (done.code, done.out) == (10, "")
        for line, fault in ((5, "run"), (11, "decided_on"), (14, "decided_by"), (23, "information_needed")):
            assert f"{form.as_posix()}:{line}: '{fault}'" in done.err
        assert "the form is about another run" in done.err
        assert kept(stored) == []
        assert command_here("decide", "small@latest", "--form", tmp_path / "no", "--workspace", stored.root).code == 2

    def test_a_form_about_another_audit_is_refused(self, stored: Stored, command_here: Any, tmp_path: Path) -> None:
        form = stored.form(tmp_path / "form.yaml", **ACCEPT)
        form.write_text(form.read_text(encoding="utf-8").replace(stored.audit_sha256, "0" * 64), encoding="utf-8")
        done = command_here("decide", "small@latest", "--form", form, "--workspace", stored.root)
        assert done.code == 10 and "the form is about another audit_sha256" in done.err
        assert kept(stored) == []

    def test_a_decision_is_kept_whole_and_a_second_one_lies_beside_it(
        self, stored: Stored, command_here: Any, tmp_path: Path
    ) -> None:
        form = stored.form(tmp_path / "form.yaml", **ACCEPT)
        done = command_here("decide", "small@latest", "--form", form, "--workspace", stored.root, "--json")
        assert done.code == 0, done.err
        stem = f"2026-05-02-{stored.about.run_id}"
        assert kept(stored) == [stem]
        path = stored.root / "fairness" / "decisions" / f"{stem}.yaml"
        spec = read_spec(path, DecisionSpec)
        assert (spec.verdict, spec.decided_by, spec.reasons) == (
            "accept", ["A. Name, chair", "B. Name"], "Read: and discussed.",
        )  # fmt: skip
        assert (spec.run, spec.audit_sha256) == (stored.about.run_id, stored.audit_sha256)
        assert (spec.experiment, spec.model_id) == ("small", stored.about.model_id)
        assert (spec.policy, spec.use) == ("default", "offers_of_support")
        assert spec.policy_sha256 == stored.about.policy.rules_sha256
        assert spec.manifest_sha256 == stored.manifest_sha256
        words = "Approved for offers of support: decision of 2 May 2026"
        assert (done.json["state"], done.json["approved"]) == (words, True)
        assert words in (stored.bundle / "forecast.html").read_text(encoding="utf-8")
        first = path.read_bytes()
        refusal = stored.form(tmp_path / "again.yaml", verdict="refuse", **DAY)
        out = tmp_path / "elsewhere"
        again = command_here("decide", "small@latest", "--form", refusal, "--workspace", stored.root, "--out", out)
        assert again.code == 0, again.err
        assert "Refused on 2 May 2026: not for use" in again.out
        assert kept(stored) == [stem, f"{stem}-2"] and path.read_bytes() == first
        assert "Refused on 2 May 2026" in (out / "model.html").read_text(encoding="utf-8")
        listed = command_here("list", "decision", "--workspace", stored.root).out.split()
        assert listed == [stem, "accept", f"{stem}-2", "refuse"]

    def test_no_decision_is_kept_that_could_not_stand(self, stored: Stored, command_here: Any, tmp_path: Path) -> None:
        form = stored.form(tmp_path / "form.yaml", **ACCEPT)
        policy = stored.workspace.path("policy", "default")
        before = policy.read_text(encoding="utf-8")
        policy.write_text(before.replace("priority_share: 0.2", "priority_share: 0.1"), encoding="utf-8")
        done = command_here("decide", "small@latest", "--form", form, "--workspace", stored.root)
        assert done.code == 2 and "the rules of the policy default have changed since the run" in done.err
        policy.unlink()
        gone = command_here("decide", "small@latest", "--form", form, "--workspace", stored.root)
        assert gone.code == 2 and "there is no policy default any more" in gone.err
        policy.write_text(before, encoding="utf-8")
        (tmp_path / "full").mkdir()
        (tmp_path / "full" / "holiday.txt").write_text("photos", encoding="utf-8")
        place = ("--out", tmp_path / "full")
        full = command_here("decide", "small@latest", "--form", form, "--workspace", stored.root, *place)
        assert full.code == 2 and "not a bundle" in full.err
        assert kept(stored) == []


class TestPromote:
    def promote(self, stored: Stored, command_here: Any, *more: str) -> Any:
        return command_here("promote", "small@latest", "--workspace", stored.root, "--json", *more)

    def test_an_alias_moves_for_an_accepted_run_alone(self, stored: Stored, command_here: Any) -> None:
        draft = self.promote(stored, command_here)
        assert (draft.code, draft.out) == (20, "")
        assert "is not approved: no alias was moved" in draft.err and DRAFT in draft.err
        assert aliases(stored) == []
        write_decision(stored.workspace, stored.decision())
        done = self.promote(stored, command_here)
        assert done.code == 0, done.err
        assert done.json == {"name": "small", "alias": "approved", "version": "1", "before": None}
        assert aliases(stored) == [("approved", "small", stored.about.run_id)]
        again = self.promote(stored, command_here)
        assert again.json == {"name": "small", "alias": "approved", "version": "1", "before": "1"}
        for kept_by_mlflow in ("latest", "v2", "two words"):
            refused = self.promote(stored, command_here, "--alias", kept_by_mlflow)
            assert refused.code == 2 and "is no alias" in refused.err
        write_decision(stored.workspace, stored.decision("defer", information_needed=["Health records by sex"]))
        deferred = self.promote(stored, command_here, "--alias", "tried")
        assert deferred.code == 20
        assert "Deferred on 2 May 2026" in deferred.err and "Health records by sex" in deferred.err
        assert aliases(stored) == [("approved", "small", stored.about.run_id)]

    def test_a_changed_policy_voids_the_acceptance(self, stored: Stored, command_here: Any) -> None:
        write_decision(stored.workspace, stored.decision())
        policy = stored.workspace.path("policy", "default")
        text = policy.read_text(encoding="utf-8")
        policy.write_text(text.replace("action: 1.10", "action: 1.08", 1), encoding="utf-8")
        done = self.promote(stored, command_here)
        assert done.code == 20 and aliases(stored) == []
        assert "is void: the rules of the policy default have changed since the run" in done.err
        policy.write_text(text.replace('contact: ""', 'contact: "The unit"'), encoding="utf-8")
        assert self.promote(stored, command_here).code == 0


class TestAudit:
    def test_it_says_first_what_could_not_be_seen_then_concerns_and_the_state(
        self, stored: Stored, command_here: Any
    ) -> None:
        done = command_here("audit", "small@latest", "--workspace", stored.root)
        assert done.code == 0, done.err
        unseen, concerns, state = (done.out.index(w) for w in ("What could not be seen", "Concerns (1)", "State:"))
        assert unseen < concerns < state
        assert re.search(r"Not visible, because .*: sex \(all 2 groups\)\.", done.out)
        assert "sex x ethnic group (female & black)" in done.out
        assert "action: ethnic group: black (+1.2 records per 1,000 residents a year, +0.3 to +2.2)." in done.out
        assert "Stops the model: 1 concern at action level" in done.out
        assert "No evidence of a difference was found for: ethnic group (asian)." in done.out
        assert "No evidence of a difference is not evidence of none." in done.out
        assert f"State: {DRAFT}." in done.out and "No decision was made on this run." in done.out
        assert not re.search(r"\b(pass|passed|fair|safe)\b", done.out.lower())
        assert "other" not in re.findall(r"Concerns.*?No evidence", done.out, flags=re.DOTALL)[0].split()

    def test_the_same_as_json_with_the_decisions(self, stored: Stored, command_here: Any) -> None:
        write_decision(stored.workspace, stored.decision("refuse"))
        found = command_here("audit", "small@latest", "--workspace", stored.root, "--json").json
        assert {(g["group"], g["verdict"]) for g in found["groups"]} == {
            ("black", "concern"), ("asian", "no_evidence"), ("female", "not_visible"), ("male", "not_visible"),
            ("female & black", "insufficient"),
        }  # fmt: skip
        assert [(row["group"], row["severity"]) for row in found["concerns"]] == [("black", "action")]
        assert found["state"] == "Refused on 2 May 2026: not for use" and not found["approved"]
        assert [d["verdict"] for d in found["decisions"]] == ["refuse"]
        assert len(found["stop_rules_met"]) == 1
        said = command_here("audit", "small@latest", "--workspace", stored.root).out
        assert "2026-05-02  refuse, stands  (A. Name, chair, B. Name)" in said

    @pytest.mark.parametrize("verb", ["audit", "decide", "promote"])
    def test_a_run_without_an_audit_is_refused(
        self, stored: Stored, command_here: Any, tmp_path: Path, verb: str
    ) -> None:
        for folder, name, text in (("bundle", "manifest.json", '{"files": {}}'), ("narration", "about.json", "")):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / name).write_text(text or stored.about.model_dump_json(), encoding="utf-8")
        record = RunRecord(
            experiment="old", question="Q", run_id="ffff0000ffff0000", params={}, candidates=[], datasets={},
            tags={"manifest_sha256": file_sha256(tmp_path / "bundle" / "manifest.json")},
            bundle=tmp_path / "bundle", private=None, narration=tmp_path / "narration",
        )  # fmt: skip
        log_run(record, workspace=stored.root)
        done = command_here(verb, "old@latest", "--workspace", stored.root)
        assert done.code == 2 and "has no audit" in done.err
        assert "riskmodel run old" in done.err and "Traceback" not in done.err
