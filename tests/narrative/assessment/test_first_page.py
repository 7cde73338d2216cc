"""The first page of the assessment: what it says of people, audit and region follows from the tables, and no more."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape

import pandas as pd
import pytest

from narrative.assessment_tables import assessment
from narrative.fairness_tables import MODEL as AUDITED
from narrative.fairness_tables import REPOSITORY
from narrative.fairness_tables import invented as invented_audit
from riskmodel.contracts.assessment_tables import PROFILE
from riskmodel.contracts.tables import as_table
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.narrative.assessment import build_assessment_page
from riskmodel.narrative.language import lint_html


def words(page: str) -> str:
    main = re.sub(r"<svg.*?</svg>", "", page[page.index("<main") : page.index("</main>")], flags=re.DOTALL)
    main = re.sub(r"</?data[^>]*>", "", main)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", main)))


@pytest.fixture(scope="module")
def audit() -> pd.DataFrame:
    return invented_audit().tables["audit"]


def test_the_audit_is_counted_as_its_table_has_it(audit: pd.DataFrame) -> None:
    held = replace(assessment(audit=audit), model_id=AUDITED)
    page = words(build_assessment_page(held))
    own = audit[(audit["code"] == "M2") & (audit["model_id"] == AUDITED)]
    whole, beside = own[own["part"] == "all"], own[own["part"] == "against ambulance"]
    assert f"A concern was found {(whole['verdict'] == 'concern').sum()} times" in page
    assert f"no evidence of a difference {(whole['verdict'] == 'no_evidence').sum()} times" in page
    found = (beside["verdict"] == "concern").sum()
    assert f"Held against what other services recorded, one was found {found} times: a reason to ask" in page


def test_without_other_services_records_nothing_is_said_of_them(audit: pd.DataFrame) -> None:
    held = replace(assessment(audit=audit[audit["part"] == "all"].reset_index(drop=True)), model_id=AUDITED)
    assert "other services recorded" not in words(build_assessment_page(held))


def test_an_invented_region_says_so_and_a_real_one_does_not() -> None:
    said = "Exmere is made up, to show what an assessment looks like."
    assert said in words(build_assessment_page(replace(assessment(), invented=True)))
    assert said not in words(build_assessment_page(assessment()))


def test_stages_of_life_are_promised_where_conditions_are_held() -> None:
    assert "conditions by stage of life" in words(build_assessment_page(assessment()))
    assert "conditions by stage of life" not in words(build_assessment_page(assessment(without="stability")))


def test_who_was_affected_is_named_as_people_name_themselves() -> None:
    start, end = pd.Timestamp("2024-08-01"), pd.Timestamp("2025-07-31")
    rows = [
        ("victims", "police", "ethnic_group", "black", start, end, 12, 1245.0, 24_129.0, 51.6, 49.2, 54.1, "open"),
        ("victims", "police", "disability", "not_disabled", start, end, 12, 629.0, 545052.0, 1.2, 1.1, 1.3, "open"),
    ]  # fmt: skip
    profile = as_table(pd.DataFrame(rows, columns=PROFILE.names), PROFILE)
    workspace = Workspace(REPOSITORY)
    known = {name: workspace.read("characteristic", name) for name in ("ethnic_group", "disability")}
    held = replace(assessment(profile=profile), characteristics=known)
    page = words(build_assessment_page(held))
    assert "Ethnic group Black Police 1,245 24,129 51.6 (49.2 to 54.1)" in page
    assert "Disability Not disabled Police" in page
    assert "not_disabled" not in page and "ethnic_group" not in page


def test_several_conditions_named_together_stand_apart() -> None:
    page = words(build_assessment_page(assessment()))
    assert "hardship of households, together with missed learning; homes over shops" in page.lower()


def test_the_page_breaks_no_rule_of_language(audit: pd.DataFrame) -> None:
    held = replace(assessment(audit=audit), model_id=AUDITED, invented=True)
    names = frozenset(held.book.tables["places"]["name"])
    assert lint_html(build_assessment_page(held), names=names) == []
