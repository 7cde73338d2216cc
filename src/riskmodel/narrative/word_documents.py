"""Word documents that look alike: in goes what they say, out comes a file of the same bytes whenever that is the same.

A4, British English, a line on top of every page that says where the run stands, real headings, and tables whose
heading row is marked and repeated.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Collection, Sequence
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docx.document import Document
    from docx.table import _Cell
    from docx.text.paragraph import Paragraph

__all__ = ["add_heading", "add_link", "add_table", "new_document", "save_document", "write_words"]

_FONT, _INK, _QUIET, _HEAD, _ASKED = "Arial", "1F2A37", "5B6472", "1F3A5F", "FFF4CC"
_LETTER, _EDGE, _TWIPS, _LINES = 0.18, 1.5, 1440 / 25.4, 40
"""Millimetres that a letter takes for each point of its size; millimetres beside a cell's words; twips a millimetre;
most lines of a cell."""
_DAY = (1980, 1, 1, 0, 0, 0)
"""The oldest day an archive can say: it stands for no day at all."""
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")
_SCHEMA = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"


def new_document(*, title: str, state: str, foot: str, as_of: date, landscape: bool = False) -> Document:
    """An empty document with its styles, and with its state on every page.

    Parameters
    ----------
    title : str
        For the document's properties; the page does not show it.
    state : str
        Stands on top of every page.
    foot : str
        Stands at the foot of every page, before the number of the page.
    as_of : date
        The only day the document knows.
    landscape : bool
    """
    from docx import Document as make
    from docx.enum.section import WD_ORIENT
    from docx.shared import Mm

    document = make()
    section = document.sections[0]
    short, long = Mm(210), Mm(297)
    section.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
    section.page_width, section.page_height = (long, short) if landscape else (short, long)
    section.left_margin = section.right_margin = Mm(13 if landscape else 20)
    section.top_margin = section.bottom_margin = Mm(18)
    section.header_distance = section.footer_distance = Mm(9)
    _set_styles(document)
    head, end = section.header.paragraphs[0], section.footer.paragraphs[0]
    write_words(head, state, bold=True, size=9)
    write_words(end, f"{foot} Page ", size=8, colour=_QUIET)
    _add_field(end, "PAGE")
    write_words(end, " of ", size=8, colour=_QUIET)
    _add_field(end, "NUMPAGES")
    day = datetime(as_of.year, as_of.month, as_of.day)
    properties = document.core_properties
    properties.title, properties.subject, properties.author = _clean(title), _clean(state), "riskmodel"
    properties.last_modified_by, properties.comments, properties.language = "riskmodel", "", "en-GB"
    properties.created = properties.modified = day
    properties.revision = 1
    return document


def _set_styles(document: Document) -> None:
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    sizes = {"Normal": 10, "Title": 22, "Heading 1": 15, "Heading 2": 12, "Heading 3": 10.5, "List Bullet": 10}
    for name, size in sizes.items():
        style: Any = document.styles[name]
        style.font.name, style.font.size = _FONT, Pt(size)
        style.font.color.rgb = RGBColor.from_string(_INK if name in ("Normal", "List Bullet") else _HEAD)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for attribute in [key for key in fonts.attrib if key.endswith("Theme")]:
            del fonts.attrib[attribute]
        for kind in ("w:eastAsia", "w:hAnsi", "w:cs"):
            fonts.set(qn(kind), _FONT)
        style.paragraph_format.space_after = Pt(4)
    for lang in document.styles.element.iter(qn("w:lang")):
        lang.set(qn("w:val"), "en-GB")


def write_words(
    paragraph: Paragraph, words: str, *, bold: bool = False, size: float | None = None, colour: str = ""
) -> None:
    """Add words to a paragraph; what no document can hold becomes a blank."""
    from docx.shared import Pt, RGBColor

    run = paragraph.add_run(_clean(words))
    run.bold = bold or None
    if size is not None:
        run.font.size = Pt(size)
    if colour:
        run.font.color.rgb = RGBColor.from_string(colour)


def add_heading(document: Document, words: str, level: int) -> None:
    """Add a heading; level 0 is the document's title."""
    document.add_heading(_clean(words), level=level)


def add_link(paragraph: Paragraph, words: str, address: str, *, size: float) -> None:
    """Add a link that says where it leads."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    write_words(paragraph, words, size=size, colour="0B4F9E")
    run = paragraph.runs[-1]
    run.underline = True
    link = OxmlElement("w:hyperlink")
    link.set(qn("r:id"), paragraph.part.relate_to(address, _SCHEMA, is_external=True))
    run._r.addprevious(link)  # the library has no door for links
    link.append(run._r)


def add_table(
    document: Document,
    headings: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    caption: str,
    widths: Sequence[float] = (),
    numbers: Collection[int] = (),
    size: float = 8,
    asked: str = "",
) -> list[list[_Cell]]:
    """Add a table with its caption; the heading row is marked and repeated on every page, and no row is cut in two.

    Parameters
    ----------
    document : Document
    headings, rows : sequences of str
        A line break in a cell begins a paragraph.
    caption : str
        Stands above it, and is read out.
    widths : sequence of float
        Millimetres a column; if absent, the page's width is shared by what the columns hold.
    numbers : collection of int
        Columns that are set to the right.
    size : float
        Of the letters, in points.
    asked : str
        Cells that hold these words are shaded: somebody is to write there.

    Returns
    -------
    list of list of cells
        Those of the rows, so that more can be added to one.
    """
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Mm, Pt

    above = document.add_paragraph()
    write_words(above, caption, bold=True, size=size + 1)
    above.paragraph_format.space_before = Pt(6)
    above.paragraph_format.keep_with_next = True
    section = document.sections[0]
    inside = section.page_width - section.left_margin - section.right_margin  # type: ignore[operator]
    widths = widths or _widths([headings, *rows], inside / Mm(1), size)
    table = document.add_table(rows=1 + len(rows), cols=len(headings), style="Table Grid")
    table.autofit = False
    for column, width in zip(table.columns, widths, strict=False):
        column.width = Mm(width)
    for name in ("w:tblCaption", "w:tblDescription"):
        said = OxmlElement(name)
        said.set(qn("w:val"), _clean(caption))
        table._tbl.tblPr.append(said)
    _pad(table)
    # Asked for one by one, the library would look for every cell from the table's start.
    held = [list(row.cells) for row in table.rows]
    for number, (row, cells) in enumerate(zip(table.rows, held, strict=True)):
        _mark_row(row, heads=number == 0)
        for column, cell in enumerate(cells):
            words = headings[column] if number == 0 else rows[number - 1][column]
            cell.width = Mm(widths[column])
            _fill(cell, words, size=size, heads=number == 0, asked=asked, right=column in numbers)
    return held[1:]


def _widths(rows: Sequence[Sequence[str]], inside: float, size: float) -> list[float]:
    """Millimetres a column: no word is broken where there is room for it, and no cell has more lines than needed."""
    edges = 2 * _EDGE + 0.5

    def reach(cells: Sequence[str], *, whole: bool) -> float:
        parts = [[_letters(part) for part in (cell.split("\n") if whole else cell.split())] for cell in cells]
        # A heading is bold, and so wider; that it takes three lines does no harm.
        heads = 0.4 if whole else 1.12
        weights = [heads if number == 0 else 1.0 for number in range(len(cells))]
        return _LETTER * size * max(max(p, default=0.0) * weight for p, weight in zip(parts, weights, strict=True))

    columns = list(zip(*rows, strict=True))
    least, most = ([reach(cells, whole=whole) for cells in columns] for whole in (False, True))
    wanted = least
    for lines in range(_LINES, 0, -1):
        # Words do not fill their lines.
        share = 1.0 if lines == 1 else 1.2 / lines
        wider = [max(narrow, wide * share) for narrow, wide in zip(least, most, strict=True)]
        if sum(wider) + edges * len(columns) > inside:
            break
        wanted = wider
    # What is left over goes first to the columns it saves from a second line.
    for column in sorted(range(len(columns)), key=lambda n: most[n] - wanted[n]):
        wider = [*wanted[:column], max(most[column], wanted[column]), *wanted[column + 1 :]]
        if sum(wider) + edges * len(columns) <= inside:
            wanted = wider
    return [(width + edges) * inside / (sum(wanted) + edges * len(columns)) for width in wanted]


def _letters(words: str) -> float:
    """How many letters of ordinary width some words take."""
    return len(words) + 0.2 * sum(letter.isupper() or letter.isdigit() for letter in words)


def _pad(table: Any) -> None:
    """Room between the words of a cell and its lines."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    held = OxmlElement("w:tblCellMar")
    for side, room in (("top", 30), ("left", _TWIPS * _EDGE), ("bottom", 30), ("right", _TWIPS * _EDGE)):
        edge = OxmlElement(f"w:{side}")
        edge.set(qn("w:w"), str(round(room)))
        edge.set(qn("w:type"), "dxa")
        held.append(edge)
    # The schema wants its parts in their order.
    table._tbl.tblPr.find(qn("w:tblLook")).addprevious(held)


def _mark_row(row: Any, *, heads: bool) -> None:
    from docx.oxml import OxmlElement

    marks = row._tr.get_or_add_trPr()
    marks.append(OxmlElement("w:cantSplit"))
    if heads:
        marks.append(OxmlElement("w:tblHeader"))


def _fill(cell: _Cell, words: str, *, size: float, heads: bool, asked: str, right: bool) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Pt

    for number, line in enumerate(words.split("\n")):
        paragraph = cell.paragraphs[0] if number == 0 else cell.add_paragraph()
        paragraph.paragraph_format.space_after = Pt(1)
        if right:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        before, wanted, after = line.partition(asked) if asked else (line, "", "")
        for part, bold in ((before, heads), (wanted, True), (after, heads)):
            if part:
                write_words(paragraph, part, bold=bold, size=size, colour="FFFFFF" if heads else "")
    if heads:
        _shade(cell, _HEAD)
    elif asked and asked in words:
        _shade(cell, _ASKED)


def _shade(cell: _Cell, colour: str) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    shade = OxmlElement("w:shd")
    for name, value in (("w:val", "clear"), ("w:color", "auto"), ("w:fill", colour)):
        shade.set(qn(name), value)
    cell._tc.get_or_add_tcPr().append(shade)


def _add_field(paragraph: Paragraph, name: str) -> None:
    """A number that Word works out; "1" stands until it has."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    write_words(paragraph, "1", size=8, colour=_QUIET)
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), name)
    run = paragraph.runs[-1]._r
    run.addprevious(field)
    field.append(run)


def save_document(document: Document, path: Path) -> None:
    """Write a document; its archive knows no clock, so that the same document gives the same bytes."""
    held = BytesIO()
    document.save(held)
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(held) as made, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as kept:
        for name in made.namelist():
            entry = zipfile.ZipInfo(name, _DAY)
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 0
            kept.writestr(entry, made.read(name))


def _clean(words: str) -> str:
    return _CONTROL.sub(" ", words)
