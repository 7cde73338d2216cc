"""The words of a bundle held to the rules of language: pages, papers and documents as they lie there.

In: a bundle. Out: how many files were read, and every phrase to mend with its file. Rules allow for names of places.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from riskmodel.contracts.errors import DefinitionError, UsageError
from riskmodel.narrative.bundle import MANIFEST
from riskmodel.narrative.language import (
    Context,
    Finding,
    Passage,
    lint_html,
    lint_markdown,
    lint_passages,
)
from riskmodel.workflow.language_checks import finding_problem

__all__ = ["bundle_problems"]

_READ = (".docx", ".html", ".md")
_OURS = Context(generated=True)


def bundle_problems(bundle: Path) -> tuple[int, list[DefinitionError]]:
    """Read every page, paper and document of a bundle.

    Parameters
    ----------
    bundle : Path

    Returns
    -------
    number : int
        Files read.
    problems : list of DefinitionError

    Raises
    ------
    UsageError
        If no bundle lies there.
    """
    if not (bundle / MANIFEST).is_file():
        raise UsageError("no bundle lies here", where=bundle, hint=f"name the folder that holds {MANIFEST}")
    names = _names(bundle)
    said = [path for path in sorted(bundle.rglob("*")) if path.suffix in _READ]
    problems = [
        finding_problem(finding, f"{path.as_posix()}:{finding.line}" if finding.line else path.as_posix())
        for path in said
        for finding in _findings(path, names)
    ]
    return len(said), problems


def _findings(path: Path, names: frozenset[str]) -> list[Finding]:
    if path.suffix == ".html":
        return lint_html(path.read_text(encoding="utf-8"), names=names, context=_OURS)
    if path.suffix == ".md":
        return lint_markdown(path, names=names, context=_OURS)
    return lint_passages(_of_document(path), names=names, context=_OURS)


def _names(bundle: Path) -> frozenset[str]:
    """What places are called: a name breaks no rule."""
    import pandas as pd

    found: set[str] = set()
    for table in ("places", "areas"):
        path = bundle / "tables" / f"{table}.csv"
        if path.is_file():
            held = pd.read_csv(path, dtype="str")
            found |= {name for column in held if str(column).endswith("name") for name in held[column].dropna()}
    return frozenset(found)


def _of_document(path: Path) -> list[Passage]:
    """The paragraphs and cells of a Word document, each under its heading."""
    from docx import Document

    document, heading, found = Document(str(path)), "", []
    for number, paragraph in enumerate(document.paragraphs, start=1):
        kind = _kind((paragraph.style.name or "") if paragraph.style is not None else "")
        heading = paragraph.text if kind == "heading" else heading
        found.append(Passage(paragraph.text, number, 0, heading, kind))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return found + [Passage(text, 0, 0, "", "cell") for text in cells]


def _kind(style: str) -> Literal["heading", "item", "prose"]:
    if style.startswith(("Heading", "Title")):
        return "heading"
    return "item" if "List" in style else "prose"
