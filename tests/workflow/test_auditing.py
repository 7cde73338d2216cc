"""The audit of a whole run: every group has its rows, partners' records are used, and what cannot be seen is said."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from conftest import SmallRun
from riskmodel.contracts import registry
from riskmodel.contracts.audit_tables import AUDIT
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.fairness.audit import listed_rows
from riskmodel.fairness.gate import gate_of
from riskmodel.narrative.facts.file import read_facts
from riskmodel.narrative.papers import rows_in
from riskmodel.narrative.papers.audit_json import table_sha256
from riskmodel.narrative.verify import verify_bundle

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def tables(small_run: SmallRun) -> dict[str, pd.DataFrame]:
    folder = small_run.out / "tables"
    held = {p.stem: pd.read_csv(p, keep_default_na=False, na_values=[""]) for p in folder.glob("*.csv")}
    return held | {p.stem: pd.read_parquet(p) for p in folder.glob("*.parquet")}


def test_every_check_has_a_row_for_every_group_and_model(tables: dict[str, pd.DataFrame]) -> None:
    audit, groups = tables["audit"], tables["groups"]
    policy = Workspace(Path(__file__).resolve().parents[2]).read("policy", "default")
    asked = set(registry.names("check"))
    of_people = {"sex", "ethnic_group", "disability", "age_band", "religion"}
    whole = audit[(audit["part"] == "all") & (audit["evidence"] == "composition")]
    for characteristic in of_people & set(policy.characteristics):
        for group in groups.loc[groups["characteristic"] == characteristic, "group"].unique():
            own = whole[(whole["characteristic"] == characteristic) & (whole["group"] == group)]
            assert set(own["check"]) == asked, (characteristic, group)
            assert set(own["model_id"]) == {"rolling_12", "eb_seasonal", "poisson_ridge", "boosted"}
    crossed = {" x ".join(names) for names in policy.intersections}
    assert crossed <= set(whole["characteristic"])


def test_the_table_that_people_open_has_every_check_of_every_group_and_all_that_pages_quote(
    small_run: SmallRun, tables: dict[str, pd.DataFrame]
) -> None:
    audit, shown = tables["audit"], json.loads((small_run.out / "audit.json").read_text(encoding="utf-8"))
    key, two = AUDIT.key, (shown["model_id"], shown["baseline"])
    opened = pd.read_csv(small_run.out / "tables" / "audit.csv", keep_default_na=False, na_values=[""])
    listed = listed_rows(audit, two)
    assert len(opened) < len(audit)
    assert opened[list(key)].to_numpy().tolist() == listed[list(key)].to_numpy().tolist()
    whole = audit[(audit["part"] == "all") & audit["model_id"].isin(two)]
    assert set(whole.index) <= set(listed.index)
    formulas = [f for fact in read_facts(small_run.out / "facts.json") for f in fact["formulas"]]
    quoted = {f[2] for f in formulas if f[:2] == ["cell", "audit"]}
    assert quoted and quoted <= set(listed.index)


def test_no_word_of_the_audit_says_that_all_is_well(tables: dict[str, pd.DataFrame]) -> None:
    words = {"concern", "no_evidence", "insufficient", "not_visible", "not_assessable", "suppressed", "described"}
    assert set(tables["audit"]["verdict"]) <= words
    said = " ".join(tables["audit"]["explanation"].dropna()).lower()
    for word in (" pass", "is fair", "unbiased", "no bias"):
        assert word not in said


def test_what_partners_record_by_group_is_evidence_of_its_own(tables: dict[str, pd.DataFrame]) -> None:
    audit = tables["audit"]
    outcomes = audit[(audit["evidence"] == "outcomes") & (audit["code"] == "M2")]
    assert {"police_victims", "emergency_department"} <= set(outcomes["source"])
    sex = audit[(audit["characteristic"] == "sex") & (audit["code"] == "M2") & (audit["part"] == "all")]
    by_composition = sex[sex["evidence"] == "composition"]["verdict"]
    assert set(by_composition) <= {"not_visible", "insufficient"}, "women and men live everywhere"


def test_small_numbers_of_restricted_sources_have_no_figure(tables: dict[str, pd.DataFrame]) -> None:
    audit = tables["audit"]
    hidden = audit[audit["verdict"] == "suppressed"]
    figures = ["statistic", "low", "high", "p", "per_1000", "per_1000_low", "per_1000_high"]
    assert hidden[figures].isna().all().all()
    assert not audit.loc[audit["verdict"] == "not_assessable", "statistic"].notna().any()


def test_a_group_that_cannot_be_judged_has_a_request(tables: dict[str, pd.DataFrame]) -> None:
    audit, requests = tables["audit"], tables["data_requests"]
    shown = tables["selection"].loc[tables["selection"]["chosen"] == "yes", "model_id"].iloc[0]
    rows = audit[(audit["model_id"] == shown) & (audit["code"] == "M2") & (audit["part"] == "all")]
    judged = rows[rows["verdict"].isin(["concern", "no_evidence"])]
    seen = set(zip(judged["characteristic"], judged["group"], strict=True))
    wanted = set(zip(requests["characteristic"], requests["group"], strict=True))
    assert wanted and not wanted & seen


def test_the_bundle_holds_every_page_and_paper_and_can_be_checked(small_run: SmallRun) -> None:
    found = {p.relative_to(small_run.out).as_posix() for p in small_run.out.rglob("*") if p.is_file()}
    pages = {"index.html", "forecast.html", "fairness.html", "model.html"}
    papers = {"audit.json", "atrs.json", "atrs.md", "eqia.md", "model_card.md", "algo_care.md", "facts.json"}
    assert pages | papers | {"decision_form.yaml", "decisions.json"} <= found
    checked = verify_bundle(small_run.out, expect=small_run.first.json["manifest_sha256"])
    assert checked.holds, checked.problems[:5]
    assert checked.quoted > 500 and checked.facts > 500


def test_the_gate_reads_the_whole_and_no_part(tables: dict[str, pd.DataFrame]) -> None:
    audit = tables["audit"].copy()
    policy = Workspace(Path(__file__).resolve().parents[2]).read("policy", "default")
    row = audit.index[(audit["code"] == "M2") & (audit["part"] == "all")][0]
    model = audit.loc[row, "model_id"]
    audit["verdict"], audit["severity"] = "no_evidence", ""
    assert not gate_of(audit, policy, model).stops
    audit.loc[row, ["verdict", "severity", "direction"]] = ["concern", "action", "over"]
    assert gate_of(audit, policy, model).stops
    audit.loc[row, "part"] = "2025-01"
    assert not gate_of(audit, policy, model).stops


def test_what_was_audited_is_what_reviewers_decide_on(small_run: SmallRun, tables: dict[str, pd.DataFrame]) -> None:
    held = json.loads((small_run.out / "audit.json").read_text(encoding="utf-8"))
    two = [held["model_id"], held["baseline"]]
    listed = listed_rows(tables["audit"], two)
    assert len(rows_in(held["audit"])) == listed["model_id"].isin(two).sum() > 0
    assert held["table"] == {
        "file": "tables/audit.parquet", "rows": len(tables["audit"]), "sha256": table_sha256(tables["audit"]),
    }  # fmt: skip
    assert held["run_id"] == small_run.first.json["run_id"]
