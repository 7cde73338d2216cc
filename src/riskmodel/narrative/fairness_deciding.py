"""The decision on the fairness page: in go identifiers and decisions, out come the form and what was decided.

The form is made to be printed and written on; its identifiers tie what is typed later to exactly this audit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from riskmodel.contracts.policy_specs import ACCEPTING, VERDICTS_OF_REVIEWERS
from riskmodel.fairness.decisions import USE_WORDS, Decision
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.fairness_rows import Audited
from riskmodel.narrative.fairness_words import ANSWERS
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.forecast_words import joined
from riskmodel.narrative.workbook_text import day_words

__all__ = ["Form", "decided_section", "decision_sentence", "make_form"]


@dataclass(frozen=True)
class Form:
    """The printed form: what it decides on, the answers, how many lines each box has, and how it is recorded.

    ``text`` is the same form to be typed.
    """

    identifiers: Sequence[tuple[str, str]]
    answers: Sequence[tuple[str, str]]
    conditions: int
    record: str
    text: str


def decision_sentence(decisions: Sequence[Decision]) -> str:
    """Where the decision stands, by the newest of them: the last."""
    if not decisions:
        return "Nothing is decided yet. Until a decision accepts exactly this audit, the forecast is a draft."
    newest = decisions[-1]
    said = f"{ANSWERS[newest.spec.verdict]}, on {day_words(newest.spec.decided_on)}"
    if newest.void:
        return f"The newest decision ({said}) is void: {'; '.join(newest.void)}. The forecast is not approved for use."
    if newest.spec.verdict not in ACCEPTING:
        return f"The newest decision stands: {said}. The forecast is not approved for use."
    return f"The newest decision stands: {said}."


def decided_section(decisions: Sequence[Decision]) -> Section:
    """Every decision so far, given the oldest first and shown the newest first."""
    name, heading = "decided", "Decisions so far"
    if not decisions:
        return Section(name, heading, ["None."])
    parts = [
        Section(
            f"decision-{number}",
            bare(f"{day_words(held.spec.decided_on)}: {ANSWERS[held.spec.verdict]}{' (void)' if held.void else ''}"),
            facts=_facts(held),
        )
        for number, held in enumerate(reversed(decisions), start=1)
    ]
    return Section(name, heading, parts=parts)


def _facts(held: Decision) -> list[tuple[str, str]]:
    decision = held.spec
    due = "; ".join(f"{c.condition} ({c.owner}, by {day_words(c.due)})" for c in decision.conditions)
    shown = [
        ("Standing", f"void: {'; '.join(held.void)}" if held.void else "stands"),
        ("Reasons", decision.reasons),
        ("Conditions", due),
        ("Information needed", "; ".join(decision.information_needed)),
        ("Dissent", decision.dissent or "none recorded"),
        ("Interests declared", decision.interests or "none recorded"),
        ("Decided by", joined(decision.decided_by)),
        ("Minutes", decision.minutes or "not linked"),
        ("Review", day_words(decision.review_on) if decision.review_on else "no date"),
        ("For", f"{decision.model_id}, {USE_WORDS[decision.use]}, run {decision.run}"),
    ]
    return [(term, bare(words)) for term, words in shown if words]


def make_form(audited: Audited, *, run_id: str, audit_sha256: str, target: str, text: str) -> Form:
    """The form for this run's audit.

    Parameters
    ----------
    audited : Audited
    run_id, audit_sha256 : str
        What the decision is on.
    target : str
        What is forecast, in words.
    text : str
        The form to be typed, where it is at hand.
    """
    policy = audited.policy
    identifiers = [
        ("Forecast", f"{target}, model {audited.model_id}"),
        ("Use", f"{USE_WORDS[policy.use]}: {policy.use_statement}"),
        ("Run", run_id),
        ("Audit (sha256)", audit_sha256),
        ("Policy", f"{policy.title}, rules {policy.rules_sha256[:16]}"),
    ]
    answers = [(verdict, ANSWERS[verdict]) for verdict in VERDICTS_OF_REVIEWERS]
    named = [(bare(term), bare(words)) for term, words in identifiers]
    return Form(named, answers, 4, f"riskmodel decide {run_id} --form FILE", text)
