"""What was found in; why the verdict is what it is, in words a lay reader can follow, out.

Nothing here says that a forecast is right or wrong about people: figures are of places where people of a group live,
or of counts that a source gives by group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from riskmodel.contracts.policy_specs import PolicySpec
from riskmodel.fairness import verdicts as v

__all__ = ["Finding", "explain", "group_title", "shown"]

KINDS = Literal["people", "areas"]


@dataclass(frozen=True)
class Finding:
    """One row's figures; NaN where there is none."""

    group: str
    kind: KINDS
    evidence: str
    unit: str
    nothing: float
    statistic: float
    low: float
    high: float
    bound: float
    action_bound: float
    smallest_seen: float
    between_people: float
    per_1000: float
    people: float
    records: float
    blocks: int
    own_share: float
    others_share: float
    declared_shows: float
    groups: int
    p_adjusted: float
    restricted: bool


def group_title(group: str) -> str:
    """A group's name as text.

    Examples
    --------
    >>> group_title("not_disabled & black")
    'not disabled & black'
    """
    return group.replace("_", " ")


def shown(value: float, unit: str) -> str:
    """A figure in its unit, as it is read aloud.

    Examples
    --------
    >>> shown(0.0488, "log ratio"), shown(0.931, "times"), shown(0.352, "share")
    ('1.05 times', '0.93 times', '35 %')
    """
    from math import exp

    if unit == "log ratio":
        return f"{exp(value):.2f} times"
    if unit == "times":
        return f"{value:.2f} times"
    if unit == "share":
        return f"{100 * value:.0f} %" if abs(value) >= 0.1 else f"{100 * value:.1f} %"
    return f"{value:.2f} {unit}"


def explain(
    verdict: str, severity: str | None, found: Finding, policy: PolicySpec, *, why_not: str, reading: str
) -> str:
    """Say why a verdict is what it is.

    Parameters
    ----------
    verdict, severity : str
    found : Finding
    policy : PolicySpec
        Whose bounds were applied.
    why_not : str
        Why there is no figure, said where there is none.
    reading : str
        How the check's figure is to be read.
    """
    sentences = {
        v.CONCERN: lambda: _concern(severity, found, policy),
        v.NO_EVIDENCE: lambda: _no_evidence(found),
        v.NOT_VISIBLE: lambda: _not_visible(found, policy),
        v.INSUFFICIENT: lambda: _insufficient(found, policy),
        v.NOT_ASSESSABLE: lambda: why_not if found.people > 0 else "Nobody of the group lives in the region.",
        v.SUPPRESSED: lambda: (
            f"Left out: fewer than {policy.disclosure.suppress_below} records of a restricted source, or a figure that "
            "would give such a number away."
        ),
        v.DESCRIBED: lambda: _described(found),
    }
    return " ".join(part for part in (sentences[verdict](), reading if verdict == v.DESCRIBED else "") if part)


def _where(found: Finding, *, others: bool = False) -> str:
    if found.evidence == "outcomes":
        return "for everybody else" if others else f"for {group_title(found.group)}"
    if found.kind == "areas":
        return "in other places" if others else f"in places of the class {group_title(found.group)}"
    return "where others live" if others else f"where {group_title(found.group)} live"


def _interval(found: Finding) -> str:
    if found.low != found.low:
        return "no interval"
    return f"90 % interval {shown(found.low, found.unit)} to {shown(found.high, found.unit)}"


def _concern(severity: str | None, found: Finding, policy: PolicySpec) -> str:
    more = found.statistic > found.nothing
    beyond = f"beyond {shown(found.bound if more else -found.bound, found.unit)}, from where on the policy wants notice"
    if severity == v.ACTION:
        action = found.action_bound if more else -found.action_bound
        beyond = f"beyond {shown(action, found.unit)}, from where on the policy wants action"
    people = f" It is about {abs(found.per_1000):.2g} records a year per 1,000 residents of the group."
    return (
        f"In proportion to what was recorded, {'more' if more else 'less'} is forecast {_where(found)} than "
        f"{_where(found, others=True)}: {shown(found.statistic, found.unit)} ({_interval(found)}), {beyond}. With no "
        f"difference, as much would be seen in fewer than {100 * policy.evidence.significance:.0f} of 100 regions, "
        f"allowing for {found.groups} groups (p = {found.p_adjusted:.2g})."
        + (people if found.per_1000 == found.per_1000 else "")
    )


def _no_evidence(found: Finding) -> str:
    return (
        f"The {_interval(found)} lies inside what the policy wants noticed, {shown(found.bound, found.unit)} either "
        f"way. {_smallest(found)} That nothing was found does not show that there is nothing."
    )


def _smallest(found: Finding) -> str:
    if found.smallest_seen != found.smallest_seen:
        return ""
    said = f"A difference of {shown(found.smallest_seen, found.unit)} would be found four times in five"
    if found.evidence != "composition" or found.kind == "areas":
        return f"{said}."
    if found.between_people != found.between_people:
        return f"{said}; no difference between people, however large, would show as much between places."
    return f"{said}; between people that would be about {found.between_people:.1f} times."


def _not_visible(found: Finding, policy: PolicySpec) -> str:
    return (
        f"The group makes up {100 * found.own_share:.1f} % of residents where its people live and "
        f"{100 * found.others_share:.1f} % where others do. A difference of {policy.evidence.declared_effect:g} times "
        f"between people would show as {_fine(found.declared_shows)} times between places, less than the "
        f"{_fine(found.bound)} the policy wants noticed. That nothing was found is no evidence either way."
    )


def _fine(log_ratio: float) -> str:
    from math import exp

    return f"{exp(log_ratio):.3f}"


def _insufficient(found: Finding, policy: PolicySpec) -> str:
    asked = policy.evidence
    if found.people < asked.least_people:
        return (
            f"Too few people to judge: {found.people:.0f} of the group, and the policy asks for {asked.least_people}."
        )
    if found.records < asked.least_records:
        base = policy.disclosure.round_to
        held = base * round(found.records / base) if found.restricted else round(found.records)
        return f"Too few records to judge: about {held}, and the policy asks for {asked.least_records}."
    if found.blocks < asked.least_blocks:
        return (
            f"The places lie too close together to judge: in {found.blocks} blocks, and the policy asks for "
            f"{asked.least_blocks}."
        )
    return f"Not enough to tell: {shown(found.statistic, found.unit)} ({_interval(found)}). {_smallest(found)}".strip()


def _described(found: Finding) -> str:
    none = f"{shown(found.nothing, found.unit)} with no difference"
    text = f"{shown(found.statistic, found.unit)} ({_interval(found)}); {none}."
    if found.bound != found.bound:
        return text
    off = abs(found.statistic - found.nothing)
    side = "Beyond" if off > found.bound else "Inside"
    return f"{text} {side} what the policy wants noticed; no verdict, for no test of this figure keeps its size."
