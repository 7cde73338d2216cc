"""The draft ALGO-CARE checklist (Oswald, Grace, Urwin and Barnes 2018), with what later guidance asks beside it.

In: the papers' contents. Out: ``algo_care.md``, one row a heading: what is asked, in our words; what the run shows; and
what a person must add. The eight headings were checked in the authors' abstract; the questions under each are ours.
"""

from __future__ import annotations

from riskmodel.narrative.papers.atrs_data import sharing_words
from riskmodel.narrative.papers.atrs_tool import USES
from riskmodel.narrative.papers.contents import Papers
from riskmodel.narrative.papers.evidence import audit_words, backtest_words
from riskmodel.narrative.papers.findings import concern_words, judged
from riskmodel.narrative.papers.markdown import TO_BE_COMPLETED, opening, page, section, sentence, table

__all__ = ["algo_care_md"]

_PURPOSE = (
    "What this is for: a checklist for the people who decide whether a public body may use this forecast. The middle "
    "column is filled from the run; the last is theirs."
)
_HEADINGS = ["Heading", "What is asked", "What the run shows", "Left to complete"]


def algo_care_md(papers: Papers) -> str:
    """The checklist's text."""
    return page(
        [
            *opening(papers, f"ALGO-CARE checklist, draft: {papers.title}", _PURPOSE),
            section("ALGO-CARE", table(_HEADINGS, [_marked(row) for row in _rows(papers)])),
            section("What later guidance asks", table(_HEADINGS, [_marked(row) for row in _later(papers)])),
            section("Decision", f"**{TO_BE_COMPLETED}: name and role, date, and what was decided**"),
        ]
    )


def _marked(row: tuple[str, str, str, str]) -> list[str]:
    return [*row[:3], f"{TO_BE_COMPLETED}: {row[3]}"]


def _rows(papers: Papers) -> list[tuple[str, str, str, str]]:
    policy = papers.policy
    rows = judged(papers, papers.model_id)
    concerns = len(concern_words(rows, papers.characteristics))
    permitted = len(policy.permitted_factors)
    return [
        ("Advisory", "Does a person decide, with the forecast as one thing among others?",
         f"The program decides nothing and sends nothing. Use under the policy: {USES[policy.use]}. "
         f"{policy.use_statement} State of this run: {papers.state}.",
         "who decides, and what else they look at"),
        ("Lawful", "Is there a legal basis, and is the use necessary and in proportion to its aim?",
         _lawful(papers),
         "the power relied on, necessity and proportion, and the data protection assessment"),
        ("Granularity", "Are the categories right: is the result too coarse or too fine, or is something left out?",
         f"{papers.target_title}: {papers.covers} Left out: {papers.leaves_out} {papers.differs} Areas, never people.",
         "whether this category and these areas fit the decision"),
        ("Ownership", "Who owns the tool and its data, and can it be inspected?",
         f"Open source. Every figure follows from published files and the code: run {papers.run_id}, riskmodel "
         f"{papers.code_version}.",
         "who owns the use, and who may change it"),
        ("Challengeable", "Can people learn of it, and challenge it?",
         _given(policy.how_to_challenge, "how to challenge") + " " + _given(policy.contact, "contact"),
         "how people affected are told, and what happens after a challenge"),
        ("Accuracy", "Is it accurate enough for the aim, checked on data it has not seen, and again over time?",
         f"{papers.headline} {backtest_words(papers)}",
         "how accurate is enough for this decision, and when it is checked again"),
        ("Responsible", "Would it be ethical, do right by groups of people, and serve the public?",
         f"{' '.join(audit_words(papers))} Concerns of the model: {concerns}. Factors permitted beyond the default: "
         f"{permitted}. {_given(policy.community_view, 'community view')}",
         "the ethics group's view, and its dissent"),
        ("Explainable", "Can its workings and each result be explained to those who use it and those it bears on?",
         "model.html shows what each forecast is made of, and how sure that is; association is never called cause.",
         "who explains it, to whom"),
    ]  # fmt: skip


def _lawful(papers: Papers) -> str:
    enforcement = papers.policy.enforcement
    basis = (
        f"Legal basis of the enforcement use, as the policy states it: {enforcement.legal_basis}."
        if enforcement is not None
        else "The policy does not allow enforcement."
    )
    footing = " ".join(sharing_words(papers).replace("\n- ", " ").split())
    return f"{basis} No personal data reach the model. {footing}"


def _later(papers: Papers) -> list[tuple[str, str, str, str]]:
    # Headings after the NPCC covenant for AI, RUSI 2020 and the ICO's guidance: from our notes on them, not verified.
    stops = "; ".join(f"{rule.when.replace('_', ' ')}: {rule.then}" for rule in papers.policy.stop_rules)
    return [
        ("Integrated impact assessment", "Are data protection, equality and human rights assessed together before use?",
         "Drafts: eqia.md and atrs.md.", "the assessment, and its date"),
        ("Accountable person", "Is a named senior person accountable?", "Nothing: only the organisation knows.",
         "role and name"),
        ("Constant review", "Is it kept under review, and can it be stopped?",
         sentence(f"Each run repeats backtest and audit. Stop rules: {stops or 'none in the policy'}"),
         "dates of review, and who may stop it"),
        ("Robust and secure", "Is it tested, and are data safe?",
         "Runs on one computer, without a server; the same inputs give the same files; the manifest holds the hash of "
         "each.", "where it runs, and who has access"),
        ("Less risky alternatives", "Was something with less risk weighed?",
         f"The baseline {papers.baseline} is audited beside the model.", "what else was weighed"),
    ]  # fmt: skip


def _given(text: str, what: str) -> str:
    return sentence(f"{what[:1].upper()}{what[1:]}: {text.strip() or 'not stated in the policy'}")
