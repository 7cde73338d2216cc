"""The opening of the fairness page: in go findings, out come what is asked, what was found, and what cannot be seen.

The first lines say where a forecast of totals alone cannot be judged. The counts are of groups, not of rows.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence, Sized

from riskmodel.fairness.decisions import USE_WORDS
from riskmodel.narrative.facts.formulas import Formula
from riskmodel.narrative.facts.marks import as_plain, bare
from riskmodel.narrative.fairness_rows import JUDGED, STRENGTH, Audited, Finding
from riskmodel.narrative.fairness_words import (
    MARKS_OF,
    MEANS,
    VERDICTS,
)
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.forecast_words import SUPPRESSED, joined
from riskmodel.narrative.tables_html import Cell, Heading, HtmlTable, Row

__all__ = [
    "brief_section",
    "concerned",
    "concerns_of",
    "differing",
    "first_line",
    "mark_of",
    "seen_section",
    "smallest_words",
]

_ASKED = (
    "You are asked whether this forecast may be used for {use}. The policy says of that: {statement} There are four "
    "answers: accept, accept with conditions, defer until more is known, or refuse. The form at the end is yours to "
    "print and fill in. No knowledge of statistics is needed: what the numbers mean is said in words."
)
_PLACES = (
    "The forecast is of places, so the audit is too. It asks whether the places where people of a group live get a "
    "forecast that is further above, or further below, what was later recorded than the places of everyone else."
)
_TWO_KINDS = (
    "There are two kinds of evidence. Where people live: places are weighted by how many of a group live there. It "
    "can only see groups who live in some places much more than in others, and it shows a difference between people "
    "much smaller than it is: a small figure here may stand for a large difference. Counts by group: where a source "
    "says whom the recorded violence was against, each group's count is forecast and compared by itself. That sees "
    "groups who live everywhere too."
)
_SMALLEST = (
    "The smallest difference that would be found is the one that an audit like this one notices four times in five. "
    "Anything smaller may be there unseen."
)
_RECORDS = (
    "The audit compares the forecast with records. Violence that was never reported or recorded is in neither, so no "
    "figure here can show it; the section on gaps in the records asks what it would change."
)
_ELSEWHERE = (
    "One of them may miss some violence, or count another kind: a reason to ask, and no verdict on the forecast."
)
_NO_PROOF = "Where nothing was found, that is no proof that there is nothing."


def first_line(audited: Audited) -> str:
    """What a reader must know before any finding: what a forecast of totals cannot be judged on."""
    blind = blind_characteristics(audited)
    if not blind:
        return (
            "What this forecast gets wrong, and for whom, as far as the records can show it; and what they cannot show."
        )
    names = " or ".join(audited.title(name).lower() for name in blind)
    helped = [
        name for name in blind
        if any(f.evidence == "outcomes" and f.verdict in JUDGED for f in audited.shown() if f.characteristic == name)
    ]  # fmt: skip
    line = (
        f"A forecast of totals alone cannot be judged on {names}: people of these groups live nearly everywhere, so "
        "that places cannot show whether it serves one of them worse."
    )
    if not helped:
        return f"{line} No counts by group were there to judge by instead."
    by = joined([audited.title(name).lower() for name in helped])
    rest = [audited.title(name).lower() for name in blind if name not in helped]
    left = f" For {joined(rest)} there were none." if rest else ""
    return f"{line} Counts by {by}, where a source gives them, were judged instead.{left}"


def blind_characteristics(audited: Audited) -> list[str]:
    """The characteristics on which where people live says nothing at all."""
    by_name: dict[str, set[str]] = {}
    for finding in audited.shown():
        if finding.evidence != "outcomes":
            by_name.setdefault(finding.characteristic, set()).add(finding.verdict)
    return [name for name, verdicts in by_name.items() if verdicts == {"not_visible"}]


def brief_section(audited: Audited, *, decision: str, model: str) -> Section:
    """What a reviewer must know within a minute.

    Parameters
    ----------
    audited : Audited
    decision : str
        Where the decision stands, in a sentence.
    model : str
        Which model is shown, in a sentence.
    """
    statuses = audited.statuses()
    judged = audited.groups("judged", [key for key, v in statuses.items() if v in JUDGED], sorted(JUDGED))
    concerns = {way: concerned(audited, way) for way in ("over", "under")}
    numbers = {
        way: audited.groups(f"concern.{way}", [f.key[:2] for f in held], ["concern"], direction=way)
        for way, held in concerns.items()
    }
    tiles = [
        ("groups could be judged", f"{judged} of {audited.groups('groups', statuses)}"),
        ("groups with a concern: less forecast than recorded", numbers["under"]),
        ("groups with a concern: more forecast than recorded", numbers["over"]),
    ]
    points = [
        ("What was found", _found(audited, concerns)),
        ("What could not be seen", _unseen(audited, statuses)),
        *_elsewhere(audited),
        ("Beside it: counting", _beside(audited)),
        ("Where the decision stands", decision),
        ("What no audit of records can show", _RECORDS),
        ("The forecast", model),
    ]
    policy = audited.policy
    asked = _ASKED.format(use=USE_WORDS[policy.use], statement=f"{bare(policy.use_statement.rstrip('.'))}.")
    return Section("answer", "In brief", [asked, _PLACES], lead=True, tiles=tiles, points=points)


def concerns_of(audited: Audited, model_id: str = "") -> list[Finding]:
    """The concerns on single groups, on whatever evidence, those that call for action first."""
    held = [f for f in audited.shown(model_id=model_id) if f.verdict == "concern"]
    return sorted(held, key=lambda f: f.severity != "action")


def concerned(audited: Audited, direction: str, model_id: str = "") -> list[Finding]:
    """The concerns in one direction, one a group."""
    found: dict[tuple[str, str], Finding] = {}
    for finding in concerns_of(audited, model_id):
        if finding.direction == direction:
            found.setdefault((finding.characteristic, finding.group), finding)
    return list(found.values())


def _found(audited: Audited, concerns: dict[str, list[Finding]]) -> str:
    parts = []
    for way, words in (("under", "less was forecast than recorded"), ("over", "more was forecast than recorded")):
        if concerns[way]:
            names = joined([audited.named(f) for f in concerns[way]])
            parts.append(f"Compared with everyone else, {words} for: {names}.")
    urgent = dict.fromkeys(audited.named(f) for held in concerns.values() for f in held if f.severity == "action")
    if urgent:
        parts.append(f"The policy calls for action on: {joined(list(urgent))}.")
    return " ".join(parts) if parts else f"No concern was found in the groups that could be judged. {_NO_PROOF}"


def _unseen(audited: Audited, statuses: dict[tuple[str, str], str]) -> str:
    counted = Counter(statuses.values())
    left = [verdict for verdict in STRENGTH if verdict not in JUDGED and counted[verdict]]
    if not left:
        return "Every group could be judged, down to the smallest difference named for it."
    by = {verdict: [key for key, held in statuses.items() if held == verdict] for verdict in left}
    numbers = {verdict: audited.with_status("status", keys, verdict) for verdict, keys in by.items()}
    said = joined([f"{numbers[verdict]} group{_plural(by[verdict])} ({VERDICTS[verdict]})" for verdict in left])
    return f"Nothing can be said of {said}. That nothing was found for them says nothing."


def _elsewhere(audited: Audited) -> list[tuple[str, str]]:
    """What stands out beside the records of other services, where the run holds any."""
    if not audited.against_others:
        return []
    found = differing(audited, audited.against_others)
    if not found:
        return [("Beside other services' records", f"No concern in the groups that could be judged. {_NO_PROOF}")]
    return [("Beside other services' records", f"Compared with everyone else, {joined(found)}. {_ELSEWHERE}")]


def differing(audited: Audited, findings: Sequence[Finding]) -> list[str]:
    """The groups with a concern in each direction, in words; each group once."""
    said = []
    for way, words in (("under", "less was forecast than recorded"), ("over", "more")):
        held = [f for f in findings if f.verdict == "concern" and f.direction == way]
        if held:
            said.append(f"{words} for {joined(list(dict.fromkeys(audited.named(f) for f in held)))}")
    return said


def _beside(audited: Audited) -> str:
    if audited.is_counting:
        return "The forecast shown is counting itself: each place is expected to have what it had in the last year."
    own, other = (
        {(f.characteristic, f.group, way): f.row for way in ("over", "under") for f in
         concerned(audited, way, model_id)}
        for model_id in (audited.model_id, audited.baseline)
    )  # fmt: skip
    both, alone = ([row for key, row in own.items() if (key in other) == shared] for shared in (True, False))
    numbers = {
        name: audited.counted(f"beside.{name}", rows, formula) if rows else "none"
        for name, rows, formula in (
            ("own", own.values(), _concerns_formula(audited, audited.model_id)),
            ("other", other.values(), _concerns_formula(audited, audited.baseline)),
            ("both", both, None), ("alone", alone, None),
        )
    }  # fmt: skip
    begins = "Without a model, attention would go by last year's count."
    if not other:
        return f"{begins} The same audit has no concern on counting, and {numbers['own']} on the forecast."
    return (
        f"{begins} The same audit of counting has {numbers['other']} concern{_plural(other)}, "
        f"{numbers['both']} of which the forecast has too; the forecast has {numbers['alone']} "
        "that counting has not."
    )


def _concerns_formula(audited: Audited, model_id: str) -> Formula:
    where = audited.where({"verdict": "concern"}, model_id=model_id)
    return ["distinct", "audit", ["characteristic", "group", "direction"], where]


def seen_section(audited: Audited) -> Section:
    """What can and what cannot be seen, characteristic by characteristic, and what the verdicts mean."""
    findings = audited.shown()
    names = dict.fromkeys(f.characteristic for f in findings)
    facts = [(audited.title(name), _of_characteristic(audited, name, findings)) for name in names]
    words = [(f"{VERDICTS[v][:1].upper()}{VERDICTS[v][1:]}", MEANS[v]) for v in STRENGTH if v != "described"]
    headings = [
        Heading("Group"), Heading("Characteristic"), Heading("People in the region", number=True),
        Heading("Evidence"), Heading("What can be said"),
        Heading("Smallest difference that would be found", number=True, unit="records per 1,000 residents a year"),
        Heading("Why", sorts=False),
    ]  # fmt: skip
    listed = [
        Row((
            audited.group(f.characteristic, f.group), audited.title(f.characteristic),
            SUPPRESSED if f.hidden else f.quoted.say("people", "people"), audited.evidence(f),
            Cell(f.said, order=STRENGTH.index(f.verdict), style=mark_of(f)),
            smallest_words(f), bare(f.explanation),
        ))
        for f in findings
    ]  # fmt: skip
    table = HtmlTable(
        "seen-table", "Every group, the evidence there is, and what it can show", headings, listed, filters=(1, 3, 4),
        page=0, folded=True, whole="tables/audit.csv",
    )  # fmt: skip
    return Section(
        "seen", "What can and what cannot be seen", [_TWO_KINDS, _SMALLEST], facts=facts,
        parts=[Section("verdicts", "What the verdicts mean", facts=words), Section("groups", "Group by group",
        tables=[table])],
    )  # fmt: skip


def smallest_words(finding: Finding) -> str:
    """The smallest difference that would be found, where its evidence can show any."""
    if finding.verdict == "not_visible":
        return "none"
    return SUPPRESSED if finding.hidden else finding.quoted.say("per_1000_smallest_seen", "seen")


def mark_of(finding: Finding) -> str:
    """The style of a finding's verdict."""
    return "mark-no" if finding.severity == "action" else MARKS_OF.get(finding.verdict, "mark-none")


def _of_characteristic(audited: Audited, name: str, findings: Sequence[Finding]) -> str:
    """One characteristic: for each kind of evidence which groups it can judge and how finely, and what was recorded."""
    own = [f for f in findings if f.characteristic == name]
    parts = []
    for evidence in dict.fromkeys(audited.evidence(f) for f in own):
        held = [f for f in own if audited.evidence(f) == evidence]
        parts.append(f"By {evidence}: {_verdicts(audited, held)}.{_finest(held)}")
    sized = sorted((f for f in own if math.isfinite(f.people)), key=lambda f: f.people)
    if sized:
        least, most = (f.quoted.say("people", "people") for f in (sized[0], sized[-1]))
        parts.append(f"Groups of {least} to {most} people.")
    recorded = audited.characteristics[name].recorded_as if name in audited.characteristics else ""
    return "\n".join([*parts, *([f"Recorded as: {bare(recorded.rstrip('.'))}."] if recorded else [])])


def _verdicts(audited: Audited, held: Sequence[Finding]) -> str:
    """Each verdict with the groups it is on."""
    by = {v: [audited.group(f.characteristic, f.group) for f in held if f.verdict == v] for v in STRENGTH}
    kept = {verdict: groups for verdict, groups in by.items() if groups}
    if len(kept) == 1 and len(held) > 1:
        verdict, first = next(iter(kept)), held[0]
        name = f"all.{first.characteristic}.{first.evidence}.{first.source}"
        number = "both" if len(held) == 2 else f"all {audited.counted(name, [f.row for f in held])}"
        return f"{VERDICTS[verdict]} ({number} groups)"
    return "; ".join(f"{VERDICTS[verdict]} ({joined(groups)})" for verdict, groups in kept.items())


def _finest(held: Sequence[Finding]) -> str:
    """The smallest differences that would be found, over the groups that can be judged or nearly so."""
    able = sorted((f for f in held if f.drawable and math.isfinite(f.smallest)), key=lambda f: f.smallest)
    if not able:
        return ""
    low, high = (smallest_words(f) for f in (able[0], able[-1]))
    span = low if as_plain(low) == as_plain(high) else f"{low} to {high}, by group,"
    return f" The smallest difference that would be found is {span} records per 1,000 residents a year."


def _plural(held: Sized) -> str:
    return "" if len(held) == 1 else "s"
