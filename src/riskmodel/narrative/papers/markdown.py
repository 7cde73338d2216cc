"""Markdown from words and numbers: in go strings, out come paragraphs and tables that any viewer shows alike.

What others wrote (titles, notes, an owner's own text) is never read as markup: an angle bracket, and a mark that would
begin a heading, are escaped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from riskmodel.narrative.forecast_words import MINUS
from riskmodel.narrative.papers.contents import Papers
from riskmodel.narrative.workbook_text import day_words

__all__ = [
    "TO_BE_COMPLETED",
    "bullets",
    "in_people",
    "number",
    "opening",
    "page",
    "plain",
    "section",
    "sentence",
    "table",
]

TO_BE_COMPLETED = "TO BE COMPLETED BY OWNER"
"""What stands where only a person can say what is so."""
_HEADING = re.compile(r"^(\s{0,3})(#)", flags=re.MULTILINE)
_TAG = re.compile(r"(?<!\\)<")


def opening(papers: Papers, name: str, purpose: str) -> list[str]:
    """The lines every paper begins with: whose it is, its state, its run, and what it is for."""
    return [
        f"# {plain(name)}",
        f"**{plain(papers.state)}**",
        f"Run {papers.run_id} of experiment {papers.experiment}, as of {day_words(papers.as_of)}.",
        plain(purpose),
    ]


def page(parts: Sequence[str]) -> str:
    """Paragraphs as one file; empty ones are left out."""
    return "\n\n".join(part for part in parts if part) + "\n"


def section(heading: str, *parts: str, level: int = 2) -> str:
    """A heading with what stands under it."""
    return "\n\n".join([f"{'#' * level} {plain(heading)}", *(part for part in parts if part)])


def plain(text: str) -> str:
    r"""Text as it stands, on as many lines, but never as a heading or a tag; twice is as once.

    Examples
    --------
    >>> print(plain("a < b"), plain("# A"), plain("folded  by a YAML file"))
    a \< b \# A folded by a YAML file
    """
    lines = [" ".join(line.split()) for line in text.strip().split("\n")]
    return _TAG.sub(r"\\<", _HEADING.sub(r"\1\\\2", "\n".join(lines)))


def bullets(items: Sequence[str]) -> str:
    """A list."""
    return "\n".join(f"- {plain(item)}" for item in items)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    r"""A table; nothing where there are no rows.

    Examples
    --------
    >>> print(table(["Group", "Found"], [["A | B", "1.2"]]))
    | Group | Found |
    | --- | --- |
    | A \| B | 1.2 |
    """
    if not rows:
        return ""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return plain(text).replace("\n", " ").replace("|", "\\|")


def number(value: float) -> str:
    """A number to three significant digits, counts whole; nothing where there is none.

    Examples
    --------
    >>> number(1.0642), number(645062.0), number(0.03), number(float("nan"))
    ('1.06', '645,062', '0.03', '')
    >>> number(-1.5) == f"{MINUS}1.5"
    True
    """
    if value != value:
        return ""
    said = f"{abs(value):,.0f}" if abs(value) >= 100 else f"{abs(value):.3g}"
    return f"{MINUS if value < 0 and float(said.replace(',', '')) else ''}{said}"


def in_people(value: float) -> str:
    """A difference in records per 1,000 residents, with its sign; nothing where there is none.

    Examples
    --------
    >>> in_people(1.23), in_people(0.01), in_people(-0.903) == f"{MINUS}0.9", in_people(float("nan"))
    ('+1.2', '0.0', True, '')
    """
    if value != value:
        return ""
    said = f"{abs(value):,.1f}"
    return said if not float(said.replace(",", "")) else f"{'+' if value > 0 else MINUS}{said}"


def sentence(text: str) -> str:
    """Text with one full stop at its end.

    Examples
    --------
    >>> sentence("Open licence"), sentence("Open licence. ")
    ('Open licence.', 'Open licence.')
    """
    return f"{text.strip().rstrip('.')}."
