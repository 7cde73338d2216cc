"""Every paper into the bundle's folder: in goes their content, out come files that depend on it alone."""

from __future__ import annotations

from pathlib import Path

from riskmodel.narrative.papers.algo_care import algo_care_md
from riskmodel.narrative.papers.atrs import atrs_json, atrs_md
from riskmodel.narrative.papers.audit_json import audit_json
from riskmodel.narrative.papers.contents import Papers
from riskmodel.narrative.papers.datasheets import datasheet_md
from riskmodel.narrative.papers.eqia import eqia_md
from riskmodel.narrative.papers.findings import require_defined
from riskmodel.narrative.papers.model_card import model_card_md

__all__ = ["papers_of", "write_papers"]

_SIGNED = "audit.json"


def papers_of(papers: Papers) -> dict[str, str]:
    """The text of every paper, by its path in the bundle.

    Parameters
    ----------
    papers : Papers

    Raises
    ------
    RiskmodelError
        If the audit is of a characteristic that ``papers.characteristics`` does not define.
    """
    return {_SIGNED: audit_json(papers), **_drafts(papers)}


def _drafts(papers: Papers) -> dict[str, str]:
    require_defined(papers)
    return {
        "atrs.json": atrs_json(papers),
        "atrs.md": atrs_md(papers),
        "eqia.md": eqia_md(papers),
        "algo_care.md": algo_care_md(papers),
        "model_card.md": model_card_md(papers),
        **{f"datasheets/{name}.md": datasheet_md(papers, name) for name in sorted(papers.sources)},
    }


def write_papers(folder: Path, papers: Papers) -> None:
    """Write every paper into a bundle's folder; an ``audit.json`` that is there is what reviewers decide on, and stays.

    Parameters
    ----------
    folder : Path
        Of the bundle; ``datasheets`` is made in it.
    papers : Papers

    Raises
    ------
    RiskmodelError
        As ``papers_of``.
    """
    written = _drafts(papers) if (folder / _SIGNED).is_file() else papers_of(papers)
    for path, text in written.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8", newline="\n")
