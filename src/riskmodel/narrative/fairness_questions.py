"""Questions for the committee: in go findings and what could not be seen, out come questions with what they rest on.

A question is asked for a reason that is named; the committee may answer otherwise than the audit suggests.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from riskmodel.contracts.audit_tables import INTERSECTIONS, PROXIES, TIPPING_POINTS
from riskmodel.contracts.policy_specs import PolicySpec, StopRuleSpec
from riskmodel.fairness.decisions import USE_WORDS
from riskmodel.fairness.gate import concerns_meeting
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.fairness_brief import concerned, concerns_of, differing
from riskmodel.narrative.fairness_crossing import depending
from riskmodel.narrative.fairness_records import tipping_of
from riskmodel.narrative.fairness_rows import JUDGED, Audited
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.forecast_words import joined
from riskmodel.narrative.quoted import counted, declared, with_positions
from riskmodel.narrative.workbook_text import TO_BE_COMPLETED, day_words

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.contracts.records import Table

__all__ = ["questions_section", "rules_section"]

_NEAR = (0.7, 1.2)
"""Suppositions about recording that are asked about: others are far from equal."""
_MANY = 6
_WHEN = {"concern_at_action": "a concern calls for action", "concern_at_notice": "there is any concern"}


def questions_section(
    audited: Audited, tables: Mapping[str, pd.DataFrame], *, as_of: date, earlier: Audited | None
) -> Section:
    """What the committee may want to ask, from what was found and what could not be seen."""
    again = [] if earlier is not None else [
        "This is the first audit that is at hand. When is the next one, and who looks at it?"
    ]  # fmt: skip
    themes = {
        "On what was found": [*_of_findings(audited), *_of_intersections(audited, tables)],
        "On what could not be seen": [*_of_unseen(audited), *_of_gaps(audited, tables), *_of_others(audited)],
        "On the forecast and its inputs": [*_of_inputs(audited, tables), *_of_counting(audited)],
        "On the rules": [*_of_policy(audited.policy, as_of), *again],
    }
    parts = [
        Section(f"questions-{number}", heading, bullets=asked)
        for number, (heading, asked) in enumerate(themes.items(), start=1)
        if asked
    ]
    words = "These questions follow from this audit. They are a beginning: ask others too."
    return Section("questions", "Questions for the committee", [words], parts=parts)


def _of_findings(audited: Audited) -> list[str]:
    asked = []
    for way, words in (("under", "Less"), ("over", "More")):
        held = concerned(audited, way)
        names = [audited.named(finding) for finding in held]
        if names:
            rest = _rest(audited, way, "audit", [finding.row for finding in held])
            asked.append(
                f"{words} was forecast than recorded for {_few(names, rest)}. What do people of these groups, and "
                f"those who work with them, say of this? What would {USE_WORDS[audited.policy.use]} by this forecast "
                "mean for them, and what could be done about it?"
            )
    return asked


def _few(names: Sequence[str], rest: str) -> str:
    """Names in a row, the last ones as a number where there are many."""
    return joined([*names[:_MANY], *filter(None, [rest])])


def _rest(audited: Audited, name: str, table: str, rows: Sequence[int]) -> str:
    """How many are not named, given one row of each; nothing where all are."""
    left = rows[_MANY:]
    return f"{counted(audited.book, f'fairness.questions.{name}', table, left)} more" if left else ""


def _of_unseen(audited: Audited) -> list[str]:
    unseen: dict[str, list[str]] = {}
    for (characteristic, group), verdict in audited.statuses().items():
        if verdict not in JUDGED:
            unseen.setdefault(characteristic, []).append(audited.group(characteristic, group))
    if not unseen:
        return []
    said = "; ".join(f"{audited.title(name).lower()} ({joined(groups)})" for name, groups in unseen.items())
    return [
        f"Nothing can be said of some groups: {said}. Is the committee content to decide without, or is the data to be "
        "asked for first? What is known of them from elsewhere?"
    ]


def _of_gaps(audited: Audited, tables: Mapping[str, pd.DataFrame]) -> list[str]:
    near = [
        key for key, ends in tipping_of(audited, tables.get("tipping_points")).items()
        if any(math.isfinite(end) and _NEAR[0] <= end <= _NEAR[1] for end in ends)
    ]  # fmt: skip
    if not near:
        return []
    first = _first_rows(tables["tipping_points"], TIPPING_POINTS, {"model_id": audited.model_id})
    rest = _rest(audited, "near", "tipping_points", [first[key] for key in near])
    least, most = (
        declared(audited.book, f"questions.near.{name}", value, "as_given", __name__)
        for name, value in zip(("least", "most"), _NEAR, strict=True)
    )
    named = _few([audited.name(*key) for key in near], rest)
    return [
        f"If violence were recorded less or more fully where they live than elsewhere, somewhere from {least} to "
        f"{most} times, the verdict would change on {named}. Is that likely here? Who reports, who does not, and why?"
    ]


def _of_others(audited: Audited) -> list[str]:
    """Where another service's records disagree."""
    found = differing(audited, audited.against_others)
    if not found:
        return []
    return [
        f"Beside what other services recorded, {joined(found)}. Whose violence does each service see, and who would "
        "know which is nearer to what happened?"
    ]


def _first_rows(table: pd.DataFrame, record: Table, where: Mapping[str, str]) -> dict[tuple[str, str], int]:
    """The position of the first row of each group among those that have these values."""
    rows = with_positions(table, record)
    for column, value in where.items():
        rows = rows[rows[column] == value]
    kept = rows.drop_duplicates(["characteristic", "group"])
    return dict(zip(zip(kept["characteristic"], kept["group"], strict=True), kept["row"], strict=True))


def _of_intersections(audited: Audited, tables: Mapping[str, pd.DataFrame]) -> list[str]:
    dependent = depending(audited, tables.get("intersections"))
    firm = [
        f for f in audited.shown(crossed=True)
        if f.verdict == "concern" and (f.characteristic, f.group) not in dependent
    ]  # fmt: skip
    asked = []
    if firm:
        rest = _rest(audited, "meeting", "audit", [f.row for f in firm])
        more = f"; {rest}" if rest else ""
        named = "; ".join(audited.named(f) for f in firm[:_MANY])
        asked.append(f"Where groups meet, there are concerns on: {named}{more}. Who can speak for them?")
    if dependent:
        first = _first_rows(tables["intersections"], INTERSECTIONS, {"model_id": audited.model_id})
        rows = [first[key] for key in dependent]
        asked.append(
            f"{counted(audited.book, 'fairness.questions.resting', 'intersections', rows)} verdicts where groups meet "
            "rest on an estimate. Does the committee want a published table of these groups together before it relies "
            "on them?"
        )
    return asked


def _of_inputs(audited: Audited, tables: Mapping[str, pd.DataFrame]) -> list[str]:
    proxies = tables.get("proxies")
    if proxies is None:
        return []
    told = proxies[(proxies["feature"] == "all") & (proxies["proxy"] == "yes")]
    if told.empty:
        return []
    names = [audited.name(c, g) for c, g in zip(told["characteristic"], told["group"], strict=True)]
    first = _first_rows(proxies, PROXIES, {"feature": "all", "proxy": "yes"})
    rest = _rest(audited, "inputs", "proxies", list(first.values()))
    return [
        f"The inputs together foretell where people of some groups live: {_few(names, rest)}. The forecast without "
        "such inputs is described above. Is what they add worth it?"
    ]


def _of_policy(policy: PolicySpec, as_of: date) -> list[str]:
    asked = []
    for held in policy.permitted_factors:
        end = "ran out" if held.expires < as_of else "runs out"
        asked.append(
            bare(f"The permission for {held.factor} {end} on {day_words(held.expires)}. Do its reasons still hold?")
        )
    if not policy.community_view.strip():
        asked.append("No view of the community is recorded. Who was asked, who was not, and what did they say?")
    if not policy.how_to_challenge.strip():
        asked.append("How can somebody who is affected challenge the forecast or its use? Nothing is stated.")
    asked.append("Are the bounds, from which a difference is noticed or calls for action, the ones you would choose?")
    asked.append("What would make you stop using the forecast? Are the stop rules below enough?")
    return asked


def _of_counting(audited: Audited) -> list[str]:
    if audited.is_counting:
        return []
    other = concerns_of(audited, audited.baseline)
    has = "has the concerns listed beside it" if other else "has no concern either, as far as this audit can see"
    return [
        f"If the forecast is refused, attention goes by counting, which {has}. Is that the better choice, and for whom?"
    ]


def rules_section(audited: Audited, *, as_of: date) -> Section:
    """Stop rules and whether they are met, permissions, and whom to turn to; what is empty is to be completed."""
    policy = audited.policy
    stops = [
        f"If {_WHEN[rule.when]}{bare(_on(rule.characteristics))}: {bare(rule.then.rstrip('.'))}. {_met(audited, rule)}"
        for rule in policy.stop_rules
    ] or [f"{TO_BE_COMPLETED}: no stop rule is stated"]  # fmt: skip
    permitted = [
        bare(f"{held.factor}: {held.reason.rstrip('.')}. Decided by {held.decided_by}; "
             + (f"ran out on {day_words(held.expires)}: it permits nothing any more."
                if held.expires < as_of else f"runs out on {day_words(held.expires)}."))
        for held in policy.permitted_factors
    ] or ["None: no input that follows police activity or group shares is permitted."]  # fmt: skip
    facts = [
        ("Use", f"{USE_WORDS[policy.use][:1].upper()}{USE_WORDS[policy.use][1:]}. {policy.use_statement}"),
        *_enforcement(policy),
        ("Contact", policy.contact.strip() or TO_BE_COMPLETED),
        ("How to challenge", policy.how_to_challenge.strip() or TO_BE_COMPLETED),
        ("View of the community", policy.community_view.strip() or TO_BE_COMPLETED),
    ]
    return Section(
        "rules", "What the policy says", ["The policy is the reviewers' own. It is the file that names every bound."],
        facts=[(term, bare(words)) for term, words in facts], parts=[
            Section("stop-rules", "What stops the forecast", bullets=stops),
            Section("permissions", "What is permitted, why and until when", bullets=permitted),
        ],
    )  # fmt: skip


def _met(audited: Audited, rule: StopRuleSpec) -> str:
    """Whether what was found is what a stop rule names."""
    held = concerns_meeting(audited.rows, rule, audited.model_id)
    names = dict.fromkeys(audited.name(*key) for key in zip(held["characteristic"], held["group"], strict=True))
    return f"This audit has that: {'; '.join(names)}." if names else "This audit has no such concern."


def _on(characteristics: list[str]) -> str:
    return f" on {joined([name.replace('_', ' ') for name in characteristics])}" if characteristics else ""


def _enforcement(policy: PolicySpec) -> list[tuple[str, str]]:
    held = policy.enforcement
    if held is None:
        return []
    agreed = f"{joined(held.agreed_by)}, {day_words(held.agreed_on)}; minutes: {held.minutes}"
    return [("Legal basis for enforcement", held.legal_basis), ("Agreed by", agreed)]
