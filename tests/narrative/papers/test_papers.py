"""The papers: numbers are the tables' own, what is withheld leaves none, and what only a person knows is marked."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from narrative.papers.paper_reader import number_of, section_of, tables_of
from narrative.papers.papers_tables import (
    BASELINE,
    MODEL,
    SECRET,
    STATE,
    audit_frame,
    audit_row,
    make_papers,
    shuffled,
)
from riskmodel.contracts.audit_tables import AUDIT
from riskmodel.contracts.errors import RiskmodelError
from riskmodel.contracts.tables import as_table
from riskmodel.fairness.audit import listed_rows
from riskmodel.narrative.papers import Papers, audit_json, papers_of, rows_in, write_papers
from riskmodel.narrative.papers.eqia import BESIDE, NINE
from riskmodel.narrative.papers.findings import VERDICT_WORDS

FORBIDDEN = re.compile(
    r"\b(pass(?:es|ed)?|fair|unbiased|hotspots?|offenders?|flagged|high-crime|BAME|minorities|champion)\b",
    re.IGNORECASE,
)
HOSTILE = "A | B\n# <script>alert(1)</script> | `x`"


@pytest.fixture(scope="module")
def papers(repository: Path) -> Papers:
    return make_papers(repository)


@pytest.fixture(scope="module")
def texts(papers: Papers) -> dict[str, str]:
    return papers_of(papers)


def strict(text: str) -> Any:
    """JSON as the standard has it: NaN and infinity are no values."""

    def refuse(name: str) -> Any:
        raise AssertionError(name)

    return json.loads(text, parse_constant=refuse)


def drawings(texts: dict[str, str]) -> dict[str, str]:
    return {path: text for path, text in texts.items() if path.endswith(".md")}


def test_all_papers_of_the_bundle_are_written(papers: Papers, texts: dict[str, str], tmp_path: Path) -> None:
    write_papers(tmp_path, papers)
    found = {p.relative_to(tmp_path).as_posix(): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert found == {path: text.encode() for path, text in texts.items()}
    assert set(found) == {
        "audit.json", "atrs.json", "atrs.md", "eqia.md", "algo_care.md", "model_card.md", "datasheets/police_uk.md",
        "datasheets/census2021.md", "datasheets/geography.md", "datasheets/emergency_department.md",
    }  # fmt: skip


def test_every_paper_opens_with_its_state_its_run_and_what_it_is_for(texts: dict[str, str]) -> None:
    for path, text in drawings(texts).items():
        title, state, run, purpose, *_ = text.split("\n\n")
        assert title.startswith("# "), path
        assert state == f"**{STATE}**"
        assert run == "Run 0123456789abcdef of experiment exmere, as of 1 September 2025."
        assert purpose.startswith("What this is for: ")


def test_nothing_is_said_to_pass_and_no_place_or_group_is_blamed(texts: dict[str, str]) -> None:
    for path, text in drawings(texts).items():
        assert FORBIDDEN.findall(text) == [], path


def test_withheld_rows_leave_no_number_in_any_paper(papers: Papers, texts: dict[str, str], repository: Path) -> None:
    shapes = [f"{int(value):{form}}" for value in (SECRET, SECRET / 2) for form in ("d", ",d")]
    assert any(shape in audit_frame().to_csv() for shape in shapes)
    for path, text in texts.items():
        assert [shape for shape in shapes if shape in text] == [], path
    # A bound or a supposition about a withheld group tells nothing in words either.
    assert "Male and Other (sex" not in texts["eqia.md"]
    tipping = section_of(texts["eqia.md"], "## If recording differed between groups")
    assert "Black" in tipping
    assert "Other" not in tipping
    rows = [row for row in rows_in(strict(texts["audit.json"])["audit"]) if row["verdict"] == "suppressed"]
    numbers = {c.name for c in AUDIT.columns if c.dtype != "str"}
    assert len(rows) == 6
    assert all(row[name] is None for row in rows for name in numbers)


# --- audit.json


def test_audit_json_holds_every_listed_row_of_the_model_shown_and_of_the_baseline(
    papers: Papers, texts: dict[str, str]
) -> None:
    content = strict(texts["audit.json"])
    for name in ("intersections", "tipping_points", "data_requests"):
        assert len(rows_in(content[name])) == len(papers.tables[name])
    held = papers.tables["audit"]
    listed = listed_rows(held, [MODEL, BASELINE])
    assert len(rows_in(content["audit"])) == listed["model_id"].isin([MODEL, BASELINE]).sum()
    assert content["table"]["rows"] == len(held)
    assert {m: sum(v.values()) for m, v in content["verdicts"].items()} == held["model_id"].value_counts().to_dict()
    assert content["verdicts"][MODEL]["concern"] == int(
        ((held["model_id"] == MODEL) & (held["verdict"] == "concern")).sum()
    )
    assert {row["group"] for row in content["concerns"]} == {"black", "most_deprived_fifth", "female & black"}
    assert {row["model_id"] for row in content["baseline_concerns"]} == {BASELINE}
    assert content["policy"]["rules_sha256"] == papers.policy.rules_sha256


def test_audit_json_says_what_the_table_says(papers: Papers, texts: dict[str, str]) -> None:
    found = {tuple(row[k] for k in AUDIT.key): row for row in rows_in(strict(texts["audit.json"])["audit"])}
    held = listed_rows(papers.tables["audit"], [MODEL, BASELINE])
    for _, row in held[held["model_id"].isin([MODEL, BASELINE])].iterrows():
        said = found[tuple(str(row[k]) for k in AUDIT.key)]
        for column in AUDIT.columns:
            value = row[column.name]
            if pd.isna(value):
                assert said[column.name] is None
            elif column.dtype == "str":
                assert said[column.name] == value
            else:
                assert said[column.name] == pytest.approx(value, rel=1e-9)


def test_audit_json_depends_on_neither_order_nor_csv_nor_state_nor_texts(
    repository: Path, papers: Papers, texts: dict[str, str], tmp_path: Path
) -> None:
    tables = {name: shuffled(table, seed) for seed, (name, table) in enumerate(papers.tables.items())}
    for name in ("audit", "intersections", "tipping_points", "data_requests"):
        path = tmp_path / f"{name}.csv"
        tables[name].to_csv(path, index=False, float_format="%.10g")
        tables[name] = pd.read_csv(path)
    texts_mended = papers.policy.model_copy(update={"contact": "us@example.org", "record": {"team": "The unit"}})
    again = make_papers(repository, tables=tables, state="Accepted on 1 May 2026", policy=texts_mended)
    assert audit_json(again) == texts["audit.json"]
    stricter = papers.policy.model_copy(update={"priority_share": 0.1})
    assert audit_json(make_papers(repository, policy=stricter)) != texts["audit.json"]


@pytest.mark.parametrize("column", ["statistic", "verdict", "explanation", "people", "blocks"])
def test_audit_json_changes_with_every_row_of_the_audit_listed_or_not(
    repository: Path, papers: Papers, texts: dict[str, str], column: str
) -> None:
    audit = audit_frame()
    part = dict(audit.iloc[0]) | {"characteristic": "sex x ethnic_group", "group": "male & black", "part": "2025-01"}
    part |= {"verdict": "described", "statistic": 0.1, "people": 300.0, "blocks": 9}
    other = part | {"model_id": "a candidate nobody is shown"}
    changed = {"statistic": 0.1000001, "verdict": "insufficient", "explanation": "Other.", "people": 301.0, "blocks": 8}

    def said(*rows: dict[str, Any]) -> str:
        whole = as_table(pd.concat([audit, pd.DataFrame(list(rows))], ignore_index=True), AUDIT)
        return audit_json(make_papers(repository, tables={**papers.tables, "audit": whole}))

    before = said(part, other)
    assert before == said(other, part) != texts["audit.json"]
    assert "2025-01" not in before
    for one, two in ((part | {column: changed[column]}, other), (part, other | {column: changed[column]})):
        assert strict(said(one, two))["table"]["sha256"] != strict(before)["table"]["sha256"]


# --- equality impact assessment


@pytest.mark.parametrize("without", [(), ("audit",), ("audit", "intersections", "tipping_points", "data_requests")])
def test_the_nine_are_always_listed_once_each_and_poverty_beside_them(
    repository: Path, papers: Papers, without: tuple[str, ...]
) -> None:
    held = make_papers(repository, tables={n: t for n, t in papers.tables.items() if n not in without})
    text = papers_of(held)["eqia.md"]
    nine = ["Age", "Disability", "Gender reassignment", "Marriage and civil partnership", "Pregnancy and maternity",
            "Race", "Religion or belief", "Sex", "Sexual orientation"]  # fmt: skip
    assert [one.name for one in NINE] == nine
    overview = tables_of(section_of(text, "## Evidence for each characteristic"))[0]
    assert [row["Characteristic"] for row in overview] == [*nine, *(one.name for one in BESIDE)]
    assert [row["Named by the Equality Act 2010"] == "yes" for row in overview] == [True] * 9 + [False] * len(BESIDE)
    for name in nine:
        assert text.count(f"\n### {name}\n") == 1
        section = section_of(text, f"### {name}")
        assert "TO BE COMPLETED BY OWNER: likely effect" in section
        assert "What is not known, and how to learn it:\n\n- " in section
    if without:
        assert {row["Evidence in this run"] for row in overview} == {"no data"}


def test_the_status_of_evidence_follows_from_the_verdicts(texts: dict[str, str]) -> None:
    overview = tables_of(section_of(texts["eqia.md"], "## Evidence for each characteristic"))[0]
    status = {row["Characteristic"]: row["Evidence in this run"] for row in overview}
    assert status["Race"] == status["Poverty"] == "measured"
    assert status["Age"] == status["Sex"] == "measured, not enough data to tell"
    assert status["Disability"] == "not measurable at area level"
    assert status["Religion or belief"] == status["Sexual orientation"] == status["Where people live"] == "no data"


def test_figures_of_the_assessment_are_the_tables_own(papers: Papers, texts: dict[str, str]) -> None:
    held = papers.tables["audit"]
    held = held[(held["verdict"] != "described") & (held["part"] == "all")]
    single = held[~held["characteristic"].str.contains(" x ")]
    found = [
        row
        for one in (*NINE, *BESIDE)
        for table in tables_of(section_of(texts["eqia.md"], f"### {one.name}"))
        for row in table
    ]
    assert len(found) == len(single)
    words = {verdict: said for verdict, said in VERDICT_WORDS.items()}
    for _, row in single.iterrows():
        group = str(row["group"]).replace("_", " ").capitalize()
        mine = [
            line for line in found
            if line["Group"] == group and line["Model"] == row["model_id"] and line["Held against"] == row["source"]
        ]  # fmt: skip
        assert len(mine) == 1
        line = mine[0]
        assert line["Verdict"].startswith(words[row["verdict"]])
        if row["verdict"] == "suppressed":
            assert line["Found"] == line["90 % interval"] == line["Per 1,000 residents a year"] == "withheld"
            continue
        if row["verdict"] == "not_visible":
            figures = ("Found", "90 % interval", "Per 1,000 residents a year", "Smallest difference that would be seen")
            assert {line[name] for name in figures} == {"none"}
            continue
        if np.isnan(row["statistic"]):
            assert line["Found"] == line["90 % interval"] == "not available"
            continue
        assert number_of(line["Found"]) == pytest.approx(math.exp(row["statistic"]), abs=0.005)
        low, high = line["90 % interval"].split(" to ")
        assert number_of(low) == pytest.approx(math.exp(row["low"]), abs=0.005)
        assert number_of(high) == pytest.approx(math.exp(row["high"]), abs=0.005)
        assert number_of(line["Per 1,000 residents a year"]) == pytest.approx(row["per_1000"], abs=0.05)
        seen = line["Smallest difference that would be seen"]
        assert number_of(seen) == pytest.approx(1.84, abs=0.05)


def test_what_only_describes_is_no_open_question(papers: Papers) -> None:
    audit = papers.tables["audit"]
    described = audit[audit["code"] == "M2"].assign(
        check="exposure_bias", code="M1", verdict="insufficient", severity=""
    )
    more = replace(papers, tables={**papers.tables, "audit": pd.concat([audit, described], ignore_index=True)})
    overview = [
        tables_of(section_of(papers_of(p)["eqia.md"], "## Evidence for each characteristic"))[0] for p in (papers, more)
    ]
    assert overview[0] == overview[1]


def test_both_directions_are_told_with_the_baseline_beside(texts: dict[str, str]) -> None:
    race, poverty = (section_of(texts["eqia.md"], f"### {name}") for name in ("Race", "Poverty"))
    assert "concern, calls for action: more forecast than recorded" in race
    assert "concern, to be noticed: less forecast than recorded" in poverty
    assert {row["Model"] for row in tables_of(race)[0]} == {MODEL, BASELINE}
    request = "Columns: area; month; disability; people. Breakdown: disabled; not disabled; not known. At least 1,357"
    assert request in section_of(texts["eqia.md"], "### Disability")


def test_what_a_person_signs_is_left_blank(texts: dict[str, str]) -> None:
    entries = tables_of(section_of(texts["eqia.md"], "## Sign-off"))[0]
    assert {row["Entry"] for row in entries} == {"TO BE COMPLETED BY OWNER"}
    assert section_of(texts["eqia.md"], "## Views of the people concerned").strip() == "**TO BE COMPLETED BY OWNER**"


def test_an_enforcement_use_is_read_for_enforcement(repository: Path, papers: Papers) -> None:
    agreed = {"legal_basis": "Section 1", "agreed_by": ["The board"], "agreed_on": papers.as_of, "minutes": "M"}
    policy = type(papers.policy).model_validate(
        papers.policy.model_dump() | {"use": "enforcement", "enforcement": agreed}
    )
    texts = papers_of(make_papers(repository, policy=policy))
    assert "For enforcement, more forecast than recorded may mean" in texts["eqia.md"]
    assert "Legal basis of the enforcement use, as the policy states it: Section 1" in texts["algo_care.md"]
    assert "enforcement of any kind" not in texts["model_card.md"]


# --- model card and checklist


def test_the_model_card_begins_with_skill_against_counting(papers: Papers, texts: dict[str, str]) -> None:
    assert texts["model_card.md"].split("\n\n")[4] == papers.headline


def test_figures_of_the_model_card_are_the_tables_own(papers: Papers, texts: dict[str, str]) -> None:
    skill = tables_of(section_of(texts["model_card.md"], "### Skill"))[0]
    held = papers.tables["comparison"]
    held = held[held["origin_date"] == "all"]
    assert [number_of(row["Skill"]) / 100 for row in skill] == pytest.approx(held["skill"].tolist(), abs=5e-4)
    ranges = tables_of(section_of(texts["model_card.md"], "### Likely ranges"))[0]
    assert [(row["Places"], row["In the middle 90 %"], row["Verdict"]) for row in ranges] == [
        ("LSOA", "91.0%", "calibrated"), ("District", "78.1%", "not calibrated"),
    ]  # fmt: skip
    scope = section_of(texts["model_card.md"], "### Out of scope")
    assert "any decision about a person" in scope
    assert "- enforcement of any kind" in scope


def test_the_checklist_has_its_eight_headings_in_order_and_leaves_each_to_a_person(texts: dict[str, str]) -> None:
    rows = tables_of(section_of(texts["algo_care.md"], "## ALGO-CARE"))[0]
    assert "".join(row["Heading"][0] for row in rows) == "ALGOCARE"
    everything = [row for table in tables_of(texts["algo_care.md"]) for row in table]
    assert all(row["Left to complete"].startswith("TO BE COMPLETED BY OWNER: ") for row in everything)


# --- datasheets


def test_counts_of_a_datasheet_are_sums_of_the_quality_table(papers: Papers, texts: dict[str, str]) -> None:
    counted = tables_of(section_of(texts["datasheets/police_uk.md"], "## Preparation: what each rule met"))[0]
    found = {(row["Measure"], rule): number_of(cell) for row in counted for rule, cell in row.items()
             if rule != "Measure" and cell}  # fmt: skip
    naive: dict[tuple[str, str], float] = {}
    for _, row in papers.tables["quality"].iterrows():
        if row["source"] == "police_uk" and row["measure"] != "burglary":
            naive[row["measure"], row["rule"]] = naive.get((row["measure"], row["rule"]), 0.0) + row["rows"]
    assert found == naive
    # Burglary is read, and nothing in this run is made of it.
    assert "burglary" not in texts["datasheets/police_uk.md"]
    assert "Published files read in this run: 2." in texts["datasheets/police_uk.md"]


def test_a_datasheet_names_the_factors_made_of_its_source(texts: dict[str, str]) -> None:
    rows = tables_of(section_of(texts["datasheets/census2021.md"], "## Uses in this run"))[0]
    uses = {row["Measure"]: row["Used for"] for row in rows}
    assert "(community/private_renting)" in uses["private_rented_households"]
    assert "(individual/aged_15_to_19)" in uses["aged_15_to_19"]
    assert "audit: Age, in bands of the census" in uses["aged_15_to_19"]
    # Left out of the run's inputs, so that its measure serves nothing here.
    assert "bad_health" not in " ".join(uses.values())


def test_a_restricted_source_says_on_what_footing_it_is_held(papers: Papers, texts: dict[str, str]) -> None:
    footing = tables_of(section_of(texts["datasheets/emergency_department.md"], "## Distribution and footing"))[0]
    said = {row["What"]: row["Entry"] for row in footing}
    sharing = papers.sources["emergency_department"].sharing
    assert sharing is not None
    assert said["Controller"] == sharing.controller
    assert said["Agreement"] == sharing.agreement
    assert said["Who may see what is made of it"] == "partners"
    assert section_of(texts["datasheets/police_uk.md"], "## Distribution and footing").strip() == (
        "Public, under: Open Government Licence v3.0."
    )


# --- what must not happen


def test_a_run_without_an_audit_says_so(repository: Path) -> None:
    texts = papers_of(make_papers(repository, tables={}))
    for path in ("atrs.md", "model_card.md", "algo_care.md"):
        assert "This run holds no audit." in texts[path], path
    assert rows_in(strict(texts["audit.json"])["audit"]) == []


def test_an_audit_of_what_no_definition_explains_is_refused(repository: Path, papers: Papers) -> None:
    row = audit_row(MODEL, "a", "sex x shoe_size", "composition", "police_uk", "concern", "notice", 0.1)
    tables = {**papers.tables, "audit": as_table(pd.DataFrame([row]), AUDIT)}
    with pytest.raises(RiskmodelError, match="no definition") as caught:
        papers_of(make_papers(repository, tables=tables))
    assert "shoe_size" in str(caught.value)


def test_texts_of_others_break_no_table_and_open_no_section(papers: Papers) -> None:
    policy = papers.policy.model_copy(
        update={"use_statement": HOSTILE, "contact": HOSTILE, "community_view": HOSTILE, "record": {"team": HOSTILE}}
    )
    texts = dict.fromkeys(("title", "question", "covers", "leaves_out", "headline", "state", "differs"), HOSTILE)
    hostile, sound = replace(papers, policy=policy, **texts), papers_of(papers)
    for path, text in drawings(papers_of(hostile)).items():
        plain_text = sound[path]
        tables_of(text)
        assert re.findall(r"(?<!\\)<", text) == [], path
        headings = [line for line in text.splitlines()[1:] if re.match(r"\s{0,3}#", line)]
        assert headings == [line for line in plain_text.splitlines()[1:] if re.match(r"\s{0,3}#", line)], path
