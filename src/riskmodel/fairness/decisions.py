"""What reviewers have decided on a run: which decisions stand, and the words that stand on every page.

In: the decisions as they are kept, and what they must be about. Out: each decision of the run, standing or void with
the reason, and the run's state. Decisions are only ever added: a later one, even a void one, ends an acceptance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from riskmodel.contracts.periods import day_words
from riskmodel.contracts.policy_specs import ACCEPTING, DecisionSpec, PolicySpec

__all__ = ["DRAFT", "USE_WORDS", "Audited", "Decision", "Review", "State", "make_review", "state_of"]

DRAFT = "Draft: not approved for use"
"""What stands on every page until a decision accepts the run's audit."""
USE_WORDS = {"offers_of_support": "offers of support", "enforcement": "enforcement"}
"""What a policy's numbers are used for, in words."""
_SHARED_POLICY = "default"


@dataclass(frozen=True)
class Audited:
    """What a decision must be about.

    Parameters
    ----------
    run_id : str
    experiment : str
    model_id : str
        The model that planners are shown.
    audit_sha256 : str
        Of the bytes of ``audit.json``; empty where the run has no audit.
    policy : str
        The name of the policy the run was audited under.
    rules : PolicySpec
        That policy, as it was.
    rules_now : PolicySpec or None
        The policy of that name as it is now; None where there is none any more.
    """

    run_id: str
    experiment: str
    model_id: str
    audit_sha256: str
    policy: str
    rules: PolicySpec
    rules_now: PolicySpec | None

    @property
    def use(self) -> str:
        """What the policy lets the numbers be used for, in words."""
        return USE_WORDS[self.rules.use]

    @property
    def in_the_way(self) -> tuple[str, ...]:
        """Why no decision on this run can stand; empty where one can."""
        reasons = []
        if not self.audit_sha256:
            reasons.append("the run has no audit")
        if self.rules_now is None:
            reasons.append(f"there is no policy {self.policy} any more")
        elif self.rules_now.rules_sha256 != self.rules.rules_sha256:
            reasons.append(f"the rules of the policy {self.policy} have changed since the run")
        if self.rules.use == "enforcement" and self.policy == _SHARED_POLICY:
            reasons.append(
                f"a use for enforcement needs a policy file of its own; {self.policy} is the one that all share"
            )
        return tuple(reasons)


@dataclass(frozen=True)
class Decision:
    """One decision on a run: its file's name and sha256, what it says, and why it is void (empty where it stands)."""

    name: str
    sha256: str
    spec: DecisionSpec
    void: tuple[str, ...] = ()

    @property
    def stands(self) -> bool:
        """Whether it counts."""
        return not self.void

    @property
    def accepts(self) -> bool:
        """Whether it is a standing acceptance, with or without conditions."""
        return self.stands and self.spec.verdict in ACCEPTING


@dataclass(frozen=True)
class State:
    """Where a run stands: the words for every page, whether it is approved, and what else a reviewer reads."""

    words: str
    approved: bool
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Review:
    """All that was decided on one run so far, oldest first."""

    audited: Audited
    decisions: tuple[Decision, ...] = ()

    @property
    def state(self) -> State:
        """Where the run stands."""
        return state_of(self.decisions, self.audited)

    def as_record(self) -> dict[str, Any]:
        """What ``decisions.json`` says: every decision whole, standing or void, and the state they lead to."""
        listed = [
            {
                **decision.spec.model_dump(mode="json"),
                "file": f"fairness/decisions/{decision.name}.yaml",
                "sha256": decision.sha256,
                "stands": decision.stands,
                "void_because": list(decision.void),
            }
            for decision in self.decisions
        ]
        about = {"run_id": self.audited.run_id, "experiment": self.audited.experiment, "policy": self.audited.policy}
        return about | {
            "audit_sha256": self.audited.audit_sha256,
            "state": self.state.words,
            "approved": self.state.approved,
            "remarks": list(self.state.remarks),
            "decisions": listed,
        }


def make_review(audited: Audited, held: Mapping[str, tuple[str, DecisionSpec]]) -> Review:
    """Every decision on one run, oldest first, each standing or void.

    Parameters
    ----------
    audited : Audited
    held : mapping of str to (str, DecisionSpec)
        All decisions of a workspace, by file name: the file's sha256 and what it says.

    Returns
    -------
    Review
        Decisions on other runs are left out. Those of one day are in the order their files were written.
    """
    own = sorted(
        (spec.decided_on, len(name), name, sha256)
        for name, (sha256, spec) in held.items()
        if spec.run == audited.run_id
    )
    decisions = [Decision(name, sha256, held[name][1], _void(held[name][1], audited)) for _, _, name, sha256 in own]
    return Review(audited, tuple(decisions))


def _void(spec: DecisionSpec, audited: Audited) -> tuple[str, ...]:
    """Every reason why a decision does not count for the run."""
    reasons = list(audited.in_the_way)
    if audited.audit_sha256 and spec.audit_sha256 != audited.audit_sha256:
        reasons.append("the audit is not the one that was decided on")
    if spec.model_id != audited.model_id:
        reasons.append(f"it is about the model {spec.model_id}, and the run shows {audited.model_id}")
    if (spec.policy, spec.use) != (audited.policy, audited.rules.use):
        reasons.append(
            f"it was made under the policy {spec.policy} for {USE_WORDS[spec.use]}, "
            f"and the run is audited under {audited.policy} for {audited.use}"
        )
    elif spec.policy_sha256 != audited.rules.rules_sha256:
        reasons.append(f"it was made under other rules of the policy {spec.policy} than the run's")
    return tuple(reasons)


def state_of(decisions: Sequence[Decision], audited: Audited) -> State:
    """Where a run stands after its decisions.

    An acceptance counts only while it is the newest decision of all; a refusal or a deferral counts until a newer
    decision stands. So a void decision never makes a run more approved than it was.

    Parameters
    ----------
    decisions : sequence of Decision
        Oldest first.
    audited : Audited

    Returns
    -------
    State
    """
    void = [d for d in decisions if not d.stands]
    remarks = [f"The decision of {_day(d)} is void: {'; '.join(d.void)}." for d in void]
    newest = decisions[-1] if decisions else None
    standing = [d for d in decisions if d.stands]
    counts = standing[-1] if standing else None
    if counts is None or (counts.accepts and counts is not newest):
        remarks += [f"The acceptance of {_day(counts)} ended with the later decision."] if counts is not None else []
        words = f"{DRAFT}; the decision of {_day(newest)} is void" if newest is not None else DRAFT
        return State(words, approved=False, remarks=tuple(remarks))
    return State(_words(counts, audited), approved=counts.accepts, remarks=(*_remarks(counts.spec), *remarks))


def _day(decision: Decision) -> str:
    return day_words(decision.spec.decided_on)


def _words(decision: Decision, audited: Audited) -> str:
    number = len(decision.spec.conditions)
    kept = f", with {number} condition{'s' if number > 1 else ''}" if number else ""
    return {
        "accept": f"Approved for {audited.use}: decision of {_day(decision)}",
        "accept_with_conditions": f"Approved for {audited.use}: decision of {_day(decision)}{kept}",
        "defer": f"{DRAFT}. Deferred on {_day(decision)}: more information needed",
        "refuse": f"Refused on {_day(decision)}: not for use",
    }[decision.spec.verdict]


def _remarks(spec: DecisionSpec) -> list[str]:
    def dated(day: date | None) -> str:
        return day_words(day) if day is not None else ""

    said = [f"Condition: {c.condition} ({c.owner}, by {dated(c.due)})." for c in spec.conditions]
    said += [f"Information needed: {needed}." for needed in spec.information_needed]
    said += [f"Dissent: {spec.dissent}"] if spec.dissent else []
    return said + ([f"To be looked at again on {dated(spec.review_on)}."] if spec.review_on else [])
