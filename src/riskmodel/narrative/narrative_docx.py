"""The assessment as a Word document, for those who edit and circulate it: the sections of ``index.html``, in its order.

In: an assessment. Out: a .docx with headings, paragraphs and tables. Pictures and maps stay on the page; their tables
are here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from riskmodel.narrative.assessment.contents import TO_BE_COMPLETED, Assessment
from riskmodel.narrative.assessment.opening import SUPPORT
from riskmodel.narrative.assessment.page import assessment_sections
from riskmodel.narrative.assessment.writing import PLACES_AND_PARTNERS
from riskmodel.narrative.facts.marks import as_plain
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.tables_html import Cell, Heading, HtmlTable
from riskmodel.narrative.word_documents import add_heading, add_table, new_document, save_document, write_words
from riskmodel.narrative.workbook_text import day_words

if TYPE_CHECKING:
    from docx.document import Document

__all__ = ["write_narrative"]

_ROWS, _DEEPEST = 40, 3


def write_narrative(path: Path, assessment: Assessment) -> None:
    """Write the assessment's sections as a document.

    Parameters
    ----------
    path : Path
        A .docx; the same assessment gives the same bytes.
    assessment : Assessment

    Notes
    -----
    A table shows its first 40 rows and says how many it leaves to the page.
    """
    title = f"Violence needs assessment for {as_plain(assessment.region)}"
    made = f"Run {assessment.run_id}, as of {day_words(assessment.as_of)}."
    document = new_document(title=title, state=as_plain(assessment.state), foot=made, as_of=assessment.as_of)
    add_heading(document, title, 0)
    opening = (
        as_plain(SUPPORT),
        f"{made} A copy for editing: index.html of the bundle is the assessment itself, with its pictures and maps, "
        "and the table and cell of every number. Numbers in a copy are not checked.",
    )
    for words in opening:
        write_words(document.add_paragraph(), words)
    for section in assessment_sections(assessment):
        # A list of a hundred pages leads nowhere from a document that travels alone.
        if section.name != PLACES_AND_PARTNERS:
            _add(document, section, 1)
    save_document(document, path)


def _add(document: Document, section: Section, depth: int) -> None:
    if section.heading and not _bare(section):
        add_heading(document, as_plain(section.heading), min(depth, _DEEPEST))
    _paragraphs(document, [section.tag] if section.tag else [])
    _pairs(document, section.tiles)
    _paragraphs(document, section.paragraphs)
    _pairs(document, section.points)
    for bullet in section.bullets:
        write_words(document.add_paragraph(style="List Bullet"), as_plain(bullet))
    for link in section.links:
        write_words(document.add_paragraph(style="List Bullet"), f"{as_plain(link.words)}: {link.href}")
    for table in (*(shown.table for shown in section.maps), *section.tables):
        _table(document, table)
    _pairs(document, section.facts)
    for part in (*section.parts, *section.folded):
        _add(document, part, depth + 1)


def _bare(section: Section) -> bool:
    """Whether a section says nothing once its pictures are gone: a heading over nothing helps nobody."""
    said = (
        section.tag, section.tiles, section.paragraphs, section.points, section.bullets, section.links, section.maps,
        section.tables, section.facts,
    )  # fmt: skip
    return not any(said) and all(_bare(part) for part in (*section.parts, *section.folded))


def _paragraphs(document: Document, texts: Iterable[str]) -> None:
    for words in texts:
        plain = as_plain(words)
        write_words(document.add_paragraph(), plain, bold=plain.startswith(TO_BE_COMPLETED))


def _pairs(document: Document, pairs: Iterable[tuple[str, str]]) -> None:
    for label, words in pairs:
        paragraph = document.add_paragraph()
        write_words(paragraph, f"{as_plain(label)}: ", bold=True)
        write_words(paragraph, as_plain(words))


def _table(document: Document, table: HtmlTable) -> None:
    from docx.shared import Pt

    cells = [
        [as_plain(cell.words if isinstance(cell, Cell) else cell) for cell in row.cells] for row in table.rows[:_ROWS]
    ]
    same = _same(cells)
    kept = [n for n in range(len(table.headings)) if n not in same]
    heads = [table.headings[n] for n in kept]
    add_table(
        document,
        [_heading(head) for head in heads],
        [[row[n] for n in kept] for row in cells],
        caption=as_plain(table.caption),
        numbers=[n for n, head in enumerate(heads) if head.number],
        asked=TO_BE_COMPLETED,
    )
    left = len(table.rows) - len(cells)
    notes = [f"{_heading(table.headings[n])}, in every row: {words}." for n, words in same.items() if words]
    notes += [f"{left:,} more rows are in index.html."] if left else []
    for words in [*notes, *([table.note] if table.note else [])]:
        below = document.add_paragraph()
        below.paragraph_format.space_before = Pt(4)
        write_words(below, as_plain(words))


def _heading(heading: Heading) -> str:
    return as_plain(f"{heading.words} ({heading.unit})" if heading.unit else heading.words)


def _same(cells: Sequence[Sequence[str]]) -> dict[int, str]:
    """Columns that say the same in every row, by what they say: a page of paper has no room for them.

    A column of small pictures has no words at all.
    """
    columns = list(zip(*cells, strict=True)) if len(cells) > 2 else []
    return {n: column[0] for n, column in enumerate(columns) if n and len(set(column)) == 1}
