"""Local plans: one row a finding of the place, every number a fact, what no run can know left open; and they repeat."""

from __future__ import annotations

import re
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import docx
import pandas as pd
import pytest
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn

import assessment_builders as given
from riskmodel.contracts.approach_specs import ApproachSpec
from riskmodel.contracts.tables import TableError
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.narrative.assessment import Assessment
from riskmodel.narrative.assessment.contents import TO_BE_COMPLETED
from riskmodel.narrative.bundle import DRAFT
from riskmodel.narrative.local_plan import write_local_plan

APPROACH = ApproachSpec(
    title="Invented <approach> & more", factors=["society/owned_homes"], prevention_level="secondary",
    evidence_rating="moderate", source="An invented toolkit", link="https://example.org/a?b=1&c=2",
    summary="Something is done.", looked_up=date(2025, 8, 4),
)  # fmt: skip


@pytest.fixture(scope="module")
def held(repository: Path) -> Assessment:
    return given.assessment(Workspace(repository), approaches={"invented": APPROACH})


def plan(assessment: Assessment, folder: Path, level: str, code: str) -> Any:
    write_local_plan(folder / "plan.docx", assessment, level, code)
    return docx.Document(str(folder / "plan.docx"))


def rows_of(document: Any) -> list[dict[str, str]]:
    first, *others = [[cell.text for cell in row.cells] for row in document.tables[0].rows]
    return [dict(zip(first, row, strict=True)) for row in others]


def test_every_stable_cluster_of_the_place_has_a_row_and_nothing_else_has(held: Assessment, tmp_path: Path) -> None:
    first, *others = rows_of(plan(held, tmp_path, "lad24", given.DISTRICT))
    assert "Violence recorded by police" in first["Finding"]
    assert first["Factor"].startswith("does not apply")
    crowded, dense = others
    assert crowded["Factor"] == "Crowded homes\nOwned homes"
    assert crowded["Stage of life"] == "Youth\nAll ages"
    assert "higher recorded violence is found" in crowded["Finding"]
    assert "lower recorded violence is found" in dense["Finding"]
    assert "cause" not in crowded["Finding"]


def test_every_number_is_a_fact_with_the_words_its_table_gives(held: Assessment, tmp_path: Path) -> None:
    document = plan(held, tmp_path, "lad24", given.DISTRICT)
    words = {fact.fact_id: fact.words for fact in held.book.facts}
    _, *notes = [[cell.text for cell in row.cells] for row in document.tables[-1].rows]
    named = {note.strip("[]"): (words, fact_id) for note, words, fact_id in notes}
    cells = [cell for row in rows_of(document) for cell in row.values()]
    said = [found for cell in cells for found in re.findall(r"(\S+) \[(\d+)\]", cell)]
    assert [note for _, note in said] == list(named)
    # What was recorded and both ends of what is expected, once; a condition's strength with both its ends.
    assert len(said) == 3 + 2 * 3
    assert all(named[note][0].endswith(number) for number, note in said)
    quoted = list(named.values())
    assert all(words[fact_id].endswith(said) for said, fact_id in quoted)
    history = held.book.tables["history"]
    (at,) = {int(fact_id.split(".")[1]) for _, fact_id in quoted if fact_id.startswith("history.")}
    newest = history.iloc[at]
    assert (newest["location"], newest["recorded"], str(newest["end"].date())) == (given.DISTRICT, 3023.0, "2024-06-30")


def test_what_no_run_can_know_is_left_open(held: Assessment, tmp_path: Path) -> None:
    document = plan(held, tmp_path, "lad24", given.DISTRICT)
    for row in rows_of(document):
        for asked in ("Prevention level", "Owner", "Action", "Review date", "Evaluation"):
            assert row[asked].startswith(TO_BE_COMPLETED)
    shaded = [c for c in document.tables[0]._cells if c._tc.tcPr.find(qn("w:shd")) is not None]
    assert {c.text for c in shaded} >= {row["Owner"] for row in rows_of(document)}


def test_an_approach_stands_beside_the_condition_it_names_with_its_evidence_and_link(
    held: Assessment, tmp_path: Path
) -> None:
    document = plan(held, tmp_path, "lad24", given.DISTRICT)
    said = [row["Approach and its evidence"] for row in rows_of(document)]
    assert said[0] == TO_BE_COMPLETED
    assert said[1].startswith("Invented <approach> & more (secondary prevention): Something is done. ")
    assert said[1].endswith("Evidence: moderate, as rated by An invented toolkit; looked up on 4 August 2025.")
    assert said[2] == f"{TO_BE_COMPLETED}: no approach is kept for this factor yet"
    assert [r.target_ref for r in document.part.rels.values() if r.is_external] == [APPROACH.link]
    links = list(document.element.body.iter(qn("w:hyperlink")))
    assert ["".join(t.text for t in link.iter(qn("w:t"))) for link in links] == ["An invented toolkit"]


def test_a_ward_tells_its_districts_conditions_and_a_place_of_several_districts_none(
    held: Assessment, tmp_path: Path
) -> None:
    ward = rows_of(plan(held, tmp_path, "ward24", given.WARD))
    assert len(ward) == 3
    assert all("in the district, Gloucester" in row["Finding"] for row in ward[1:])
    split = plan(held, tmp_path, "ward24", "E05000002")
    assert len(rows_of(split)) == 1
    assert any("The plans of its districts" in p.text for p in split.paragraphs)
    assert len(rows_of(plan(held, tmp_path, "pfa", given.REGION))) == 1


def test_what_is_as_in_the_average_place_is_no_finding(repository: Path, tmp_path: Path) -> None:
    near = given.ledger("lad24", given.DISTRICT).assign(multiplier=1.002, low=0.997, high=1.004)
    document = plan(given.assessment(Workspace(repository), {"ledger": near}), tmp_path, "lad24", given.DISTRICT)
    assert len(rows_of(document)) == 1


def test_nothing_stable_is_said(repository: Path, tmp_path: Path) -> None:
    unsure = given.ledger("lad24", given.DISTRICT).assign(mark="uncertain")
    document = plan(given.assessment(Workspace(repository), {"ledger": unsure}), tmp_path, "lad24", given.DISTRICT)
    assert len(rows_of(document)) == 1
    assert any(p.text.startswith("No single condition stays the same") for p in document.paragraphs)


def test_an_invented_region_is_said_to_be_one(held: Assessment, tmp_path: Path) -> None:
    said = "Gloucestershire is an invented region, to show what a plan looks like."
    invented = plan(replace(held, invented=True), tmp_path, "lad24", given.DISTRICT)
    assert said in [p.text for p in invented.paragraphs]
    assert said not in [p.text for p in plan(held, tmp_path, "lad24", given.DISTRICT).paragraphs]


def test_a_withheld_count_is_not_shown(repository: Path, tmp_path: Path) -> None:
    history = given.history()
    mask = pd.DataFrame(False, index=history.index, columns=history.columns)
    mask["recorded"] = True
    blank = history.assign(recorded=float("nan"))
    held = given.assessment(Workspace(repository), {"history": blank}, withheld={"history": mask})
    (first, *_) = rows_of(plan(held, tmp_path, "lad24", given.DISTRICT))
    assert "July 2023 to June 2024: suppressed [1]." in first["Measure and baseline"]


def test_the_page_is_set_for_printing_and_for_screen_readers(held: Assessment, tmp_path: Path) -> None:
    document = plan(held, tmp_path, "lad24", given.DISTRICT)
    (section,) = document.sections
    assert section.orientation == WD_ORIENT.LANDSCAPE
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (297, 210)
    assert section.header.paragraphs[0].text == DRAFT
    assert "Run 0123abcd" in section.footer.paragraphs[0].text
    assert [f.get(qn("w:instr")) for f in section.footer._element.iter(qn("w:fldSimple"))] == ["PAGE", "NUMPAGES"]
    assert {lang.get(qn("w:val")) for lang in document.styles.element.iter(qn("w:lang"))} == {"en-GB"}
    for table in document.tables:
        marked = [row._tr.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is not None for row in table.rows]
        assert marked == [True] + [False] * (len(table.rows) - 1)
        assert table._tbl.tblPr.find(qn("w:tblCaption")).get(qn("w:val"))
    inside = section.page_width - section.left_margin - section.right_margin
    # Word counts in twentieths of a point.
    assert sum(column.width for column in document.tables[0].columns) <= inside + 10 * 635
    headings = [p.style.name for p in document.paragraphs if p.style.name.startswith(("Title", "Heading"))]
    assert headings == ["Title", *["Heading 1"] * 4]


def test_the_same_run_gives_the_same_bytes_and_no_clock_enters_them(held: Assessment, tmp_path: Path) -> None:
    paths = [tmp_path / "a.docx", tmp_path / "b" / "b.docx"]
    for path in paths:
        write_local_plan(path, held, "lad24", given.DISTRICT)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with zipfile.ZipFile(paths[0]) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    properties = docx.Document(str(paths[0])).core_properties
    assert properties.created == properties.modified
    assert str(properties.created.date()) == "2025-09-01"
    assert (properties.author, properties.language) == ("riskmodel", "en-GB")


def test_a_hostile_name_is_text(repository: Path, tmp_path: Path) -> None:
    places = given.tables()["places"]
    bad = "</w:t><script>\x0b\x00 & \u202e"
    places.loc[places["location"] == given.DISTRICT, "name"] = bad
    document = plan(given.assessment(Workspace(repository), {"places": places}), tmp_path, "lad24", given.DISTRICT)
    assert document.paragraphs[0].text == "Local plan for </w:t><script>   & \u202e"


def test_a_place_that_is_not_there_is_refused(held: Assessment, tmp_path: Path) -> None:
    with pytest.raises(TableError, match="no such place"):
        write_local_plan(tmp_path / "plan.docx", held, "lad24", "E09999999")
    assert not (tmp_path / "plan.docx").exists()
