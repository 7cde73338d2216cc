"""The narrative as a document: the sections of the page in its order, plain words, and the same bytes again."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Mm

import assessment_builders as given
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.narrative.assessment import Assessment, build_assessment_page
from riskmodel.narrative.assessment.page import assessment_sections
from riskmodel.narrative.bundle import DRAFT
from riskmodel.narrative.forecast_sections import Section, tables_of
from riskmodel.narrative.frame import PageLink
from riskmodel.narrative.narrative_docx import write_narrative
from riskmodel.narrative.pictures import Picture
from riskmodel.narrative.tables_html import Cell, Heading, HtmlTable, Interval, Row


@pytest.fixture(scope="module")
def held(repository: Path) -> Assessment:
    return given.assessment(Workspace(repository))


def test_the_headings_are_those_of_the_page(held: Assessment, tmp_path: Path) -> None:
    write_narrative(tmp_path / "n.docx", held)
    document = docx.Document(str(tmp_path / "n.docx"))
    page = build_assessment_page(held)
    on_page = [unescape(re.sub(r"<[^>]+>", "", h)) for h in re.findall(r'<h2 id="[^"]+">(.*?)</h2>', page)]
    assert [p.text for p in document.paragraphs if p.style.name == "Heading 1"] == on_page
    assert len(document.tables) == len(list(tables_of(assessment_sections(held))))
    assert document.sections[0].header.paragraphs[0].text == DRAFT


def test_no_mark_of_a_fact_is_left_in_the_words(held: Assessment, tmp_path: Path) -> None:
    write_narrative(tmp_path / "n.docx", held)
    document = docx.Document(str(tmp_path / "n.docx"))
    texts = [p.text for p in document.paragraphs]
    texts += [cell.text for table in document.tables for cell in table._cells]
    assert not [text for text in texts if re.search("[\ue000-\uf8ff]", text)]
    mean = held.book.tables["outlook"].query("window == '12_months' and level == 'pfa'")["mean"].iloc[0]
    assert any(f"{mean:,.0f}" in text for text in texts)


def test_a_long_table_says_how_much_it_leaves_out(
    held: Assessment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = HtmlTable("t", "Many rows", [Heading("Row")], [Row((f"row {n}",)) for n in range(47)])
    monkeypatch.setattr(
        "riskmodel.narrative.narrative_docx.assessment_sections", lambda _: [Section("s", "S", tables=[table])]
    )
    write_narrative(tmp_path / "n.docx", held)
    document = docx.Document(str(tmp_path / "n.docx"))
    assert [row.cells[0].text for row in document.tables[0].rows] == ["Row", *(f"row {n}" for n in range(40))]
    assert document.paragraphs[-1].text == "7 more rows are in index.html."


def shown(folder: Path, monkeypatch: pytest.MonkeyPatch, held: Assessment, *sections: Section) -> Any:
    monkeypatch.setattr("riskmodel.narrative.narrative_docx.assessment_sections", lambda _: sections)
    write_narrative(folder / "n.docx", held)
    return docx.Document(str(folder / "n.docx"))


def test_a_column_that_says_the_same_in_every_row_is_said_once(
    held: Assessment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    headings = [Heading("Place"), Heading("Sure"), Heading("Drawn"), Heading("Count", number=True, unit="records")]
    rows = [Row((f"Place {n}", "too few months", Cell("", drawn=Interval(0, 1, 2)), str(n))) for n in range(3)]
    table = HtmlTable("t", "Three places", headings, rows)
    document = shown(tmp_path, monkeypatch, held, Section("s", "S", tables=[table]))
    first, *_, last = document.tables[0].rows
    assert [cell.text for cell in first.cells] == ["Place", "Count (records)"]
    assert [cell.text for cell in last.cells] == ["Place 2", "2"]
    assert last.cells[1].paragraphs[0].alignment == WD_ALIGN_PARAGRAPH.RIGHT
    assert document.paragraphs[-1].text == "Sure, in every row: too few months."


def test_columns_are_as_wide_as_what_they_hold_and_fill_the_page(
    held: Assessment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [(f"E0200000{n}", f"between {n}th and 75th highest of 82, " * 6, str(n)) for n in range(3)]
    headings = [Heading("Code"), Heading("Rank"), Heading("Count")]
    table = HtmlTable("t", "T", headings, [Row(row) for row in words])
    document = shown(tmp_path, monkeypatch, held, Section("s", "S", tables=[table]))
    (section,) = document.sections
    code, rank, count = (column.width for column in document.tables[0].columns)
    assert rank > code > count
    assert abs(code + rank + count - (section.page_width - section.left_margin - section.right_margin)) < Mm(0.1)
    # Nine wide letters of eight points and the room beside them.
    assert code > Mm(17)


def test_links_are_named_and_a_heading_over_nothing_is_left_out(
    held: Assessment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = Picture("p", "A picture", "In words.", 100, 100, ())
    parts = [Section("a", "Only drawn", pictures=[picture]), Section("b", "Pages", links=[PageLink("x.html", "An X")])]
    document = shown(tmp_path, monkeypatch, held, Section("s", "S", ["Words."], parts=parts))
    assert [p.text for p in document.paragraphs][-4:] == ["S", "Words.", "Pages", "An X: x.html"]


def test_the_same_assessment_gives_the_same_bytes(held: Assessment, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_narrative(tmp_path / name, held)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
