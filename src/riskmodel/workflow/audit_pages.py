"""What reviewers read of a narration: the fairness page, the papers, and the audit that a decision is bound to.

In: a narration and where its run stands. Out: texts, and what papers are made from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from riskmodel.fairness.decision_files import form_text
from riskmodel.fairness.decisions import Review
from riskmodel.fairness.tested import read_tested
from riskmodel.narrative.papers import Papers, audit_json
from riskmodel.workflow.narration import Narration

if TYPE_CHECKING:
    from riskmodel.narrative.facts import FactBook
    from riskmodel.narrative.frame import PageLink

__all__ = ["audit_held", "audit_text", "fairness_text", "papers_of"]


def audit_held(narration: Narration) -> bool:
    """Whether the run was audited."""
    held = narration.tables.get("audit")
    return held is not None and len(held) > 0


def fairness_text(narration: Narration, book: FactBook, review: Review, links: Sequence[PageLink]) -> str:
    """The page that reviewers open."""
    from riskmodel.narrative.fairness_page import build_fairness_page

    about, digest = narration.about, review.audited.audit_sha256
    target = about.targets[about.target]
    earlier: dict[str, Any] = {}
    if narration.before is not None and audit_held(narration.before):
        before = narration.before.about
        earlier = {
            "earlier": narration.before.tables["audit"],
            "earlier_run": before.run_id,
            "earlier_model": before.model_id,
        }
    return build_fairness_page(
        narration.tables,
        policy=about.policy,
        characteristics=about.characteristics,
        title=about.region,
        target=target.title,
        source=target.source,
        model_id=about.model_id,
        baseline=about.baseline,
        as_of=about.as_of,
        run_id=about.run_id,
        audit_sha256=digest,
        state=review.state.words,
        decisions=review.decisions,
        tested=read_tested(),
        invented=about.invented,
        form_text=form_text(about.run_id, digest),
        sources={name: spec.title for name, spec in about.sources.items()},
        titles=about.factor_titles,
        shapes=narration.outlines,
        links=links,
        book=book,
        policy_source=f"fairness/policies/{about.policy_name}.yaml",
        **earlier,
    )


def audit_text(narration: Narration) -> str | None:
    """The text of ``audit.json``, which reviewers decide on; None where the run was not audited."""
    return audit_json(papers_of(narration, "")) if audit_held(narration) else None


def papers_of(narration: Narration, state: str) -> Papers:
    """What the papers are made from."""
    about = narration.about
    target = about.targets[about.target]
    return Papers(
        state=state,
        title=about.region,
        experiment=about.experiment,
        question=about.question,
        target=about.target,
        target_title=target.title,
        covers=target.covers,
        leaves_out=target.leaves_out,
        differs=target.differs,
        model_id=about.model_id,
        baseline=about.baseline,
        headline=about.headline,
        tables=narration.tables,
        policy=about.policy,
        policy_name=about.policy_name,
        sources={name: about.sources[name] for name in about.credited},
        factors=about.factors,
        characteristics=about.characteristics,
        models=about.models,
        as_of=about.as_of,
        run_id=about.run_id,
        code_version=about.code_version,
        seed=about.seed,
        inputs=about.inputs,
    )
