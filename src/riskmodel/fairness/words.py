"""What was found in; why the verdict is what it is, in words a lay reader can follow, out.

Nothing here says that a forecast is right or wrong about people: figures are of places where people of a group live,
or of counts that a source gives by group.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from riskmodel.contracts.policy_specs import PolicySpec
from riskmodel.fairness import verdicts as v

__all__ = ["Finding", "explain", "shown", "where_they_live", "who_they_are"]

_BETWEEN = {"log ratio": "times", "times": "times", "share": "%"}


@dataclass(frozen=True)
class Finding:
    """One row's figures; NaN where there is none."""

    group: str
    kind: Literal["people", "areas"]
    evidence: str
    unit: str
    nothing: float
    nothing_is: str
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


def who_they_are(group: str, kind: str) -> str:
    """A group's people, or those in places of a class, in words.

    Examples
    --------
    >>> who_they_are("not_disabled & black", "people")
    'people of the group not disabled & black'
    """
    title = group.replace("_", " ")
    return f"people in places of the class {title}" if kind == "areas" else f"people of the group {title}"


def where_they_live(group: str, kind: str, evidence: str = "composition") -> str:
    """Where a group's people live, or whose records are counted, in words.

    Examples
    --------
    >>> where_they_live("most_deprived_fifth", "areas"), where_they_live("female", "people", "outcomes")
    ('in places of the class most deprived fifth', 'for people of the group female')
    """
    if evidence == "outcomes":
        return f"for {who_they_are(group, kind)}"
    if kind == "areas":
        return f"in places of the class {group.replace('_', ' ')}"
    return f"where {who_they_are(group, kind)} live"


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
    verdict: str,
    severity: str | None,
    found: Finding,
    policy: PolicySpec,
    *,
    why_not: str,
    reading: str,
    note: str = "",
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
    note : str
        What is to be known of this figure.
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
        v.DESCRIBED: lambda: _described(found, policy),
    }
    more = (note, reading) if verdict == v.DESCRIBED else ()
    return " ".join(part for part in (sentences[verdict](), *more) if part)


def _interval(found: Finding) -> str:
    if found.low != found.low:
        return "no interval"
    low, high = shown(found.low, found.unit), shown(found.high, found.unit)
    return f"90 % interval {low.removesuffix(_unit(found)).strip()} to {high}"


def _unit(found: Finding) -> str:
    return _BETWEEN.get(found.unit, found.unit)


def _concern(severity: str | None, found: Finding, policy: PolicySpec) -> str:
    more = found.statistic > found.nothing
    side, wanted = (found.action_bound, "action") if severity == v.ACTION else (found.bound, "notice")
    others = "for everybody else" if found.evidence == "outcomes" else "elsewhere"
    people = f" That is about {abs(found.per_1000):.2g} records a year per 1,000 residents of the group."
    return (
        f"In proportion to what was recorded, {'more' if more else 'less'} is forecast "
        f"{where_they_live(found.group, found.kind, found.evidence)} than {others}: "
        f"{shown(found.statistic, found.unit)} ({_interval(found)}), beyond "
        f"{shown(side if more else -side, found.unit)}, from where on the policy wants {wanted}. With no difference, "
        f"as much would be seen in fewer than {100 * policy.evidence.significance:.0f} of 100 regions, allowing for "
        f"{found.groups} groups (p = {found.p_adjusted:.2g})." + (people if found.per_1000 == found.per_1000 else "")
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
        f"The group is {100 * found.own_share:.1f} % of residents where its people live and "
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


def _described(found: Finding, policy: PolicySpec) -> str:
    few = found.blocks < policy.evidence.least_blocks
    interval = f"no interval: in {found.blocks} blocks of places only" if few else _interval(found)
    nothing = "1" if _unit(found) == "times" else shown(found.nothing, found.unit)
    text = f"{shown(found.statistic, found.unit)} ({interval}), where {nothing} is {found.nothing_is}."
    if found.bound != found.bound:
        return text
    side = "Beyond" if abs(found.statistic - found.nothing) > found.bound else "Inside"
    return f"{text} {side} what the policy wants noticed; described, not judged."
