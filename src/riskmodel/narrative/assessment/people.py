"""Who is recorded as affected, as far as a source says; and where groups meet."""

from __future__ import annotations

from typing import Any

from riskmodel.fairness.cross_stream import part_of
from riskmodel.narrative.assessment.contents import Assessment
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.forecast_words import NOT_AVAILABLE, SUPPRESSED, period_words
from riskmodel.narrative.model_words import unit_words
from riskmodel.narrative.tables_html import Heading, HtmlTable, Row

__all__ = ["fairness_section", "people_section"]

_NOTE = (
    "A record says how the person affected was written down by the service, which may differ from how people would "
    "describe themselves. A rate is of residents of the group; its range is what chance alone leaves open. Differences "
    "between groups show where harm was recorded and who came to a service, not why."
)


def people_section(assessment: Assessment) -> Section:
    """The descriptive profile, and who lives where groups meet."""
    held = assessment.table("profile")
    if held is None:
        words = (
            "No source that is held says who was affected, when or how. Whether women and girls, disabled people, "
            "young people or ethnic groups are affected more than others cannot be said from these records. The "
            "fairness page says which table would tell, and who may hold it."
        )
        return Section("people", "Who is affected", [words], parts=_meeting(assessment))
    rows = []
    for at, r in held.iterrows():
        hidden = r["state"] == "suppressed"

        def say(column: str, form: str, at: object = at, hidden: bool = hidden, row: object = r) -> str:
            if hidden and column != "people":
                return SUPPRESSED
            return assessment.say("profile", at, column, form) if row[column] == row[column] else NOT_AVAILABLE  # type: ignore[index]

        rate = f"{say('rate', 'one_decimal')} ({say('rate_low', 'one_decimal')} to {say('rate_high', 'one_decimal')})"
        rows.append(
            Row(
                (
                    assessment.characteristic(str(r["breakdown"]).removeprefix("part: ")),
                    assessment.group(str(r["breakdown"]), str(r["group"])),
                    bare(unit_words(str(r["stream"]), {})),
                    say("records", "recorded"),
                    say("people", "whole"),
                    SUPPRESSED if hidden else rate if r["rate"] == r["rate"] else NOT_AVAILABLE,
                )
            )
        )
    first = held.iloc[0]
    span = bare(period_words(first["start"].date(), first["end"].date()))
    headings = [
        Heading("By"), Heading("Group"), Heading("Seen by"), Heading("Recorded", number=True),
        Heading("Residents", number=True), Heading("Per 1,000 residents a year", number=True, unit="9 in 10"),
    ]  # fmt: skip
    table = HtmlTable("profile", f"Who was recorded as affected, {span}", headings, rows, (0, 2))
    restricted = (held["state"] != "open").any()
    notes = [_NOTE, *(["Small numbers are suppressed and the others rounded."] if restricted else [])]
    return Section("people", "Who is affected", notes, tables=[table], parts=_meeting(assessment))


def _meeting(assessment: Assessment) -> list[Section]:
    """How many people live where two or more characteristics meet, as far as margins tell."""
    held = assessment.table("intersections")
    if held is None:
        return []
    points = held[(held["knowledge"] == "independent") & (held["model_id"] == assessment.model_id)]
    points = points[points["people"] > 0]
    rows = [
        Row(
            (
                assessment.characteristic(str(r["characteristic"])),
                assessment.group(str(r["characteristic"]), str(r["group"])),
                assessment.say("intersections", at, "people", "whole"),
            )
        )
        for at, r in points.iterrows()
    ]
    words = (
        "Census tables count each characteristic by itself. How many people belong to several groups at once is worked "
        "out from those margins, as if they were independent within an area: an estimate, not a count. The fairness "
        "page says how far it could be off."
    )
    headings = [Heading("Characteristics"), Heading("Group"), Heading("People, estimated", number=True)]
    table = HtmlTable("meeting", "People where groups meet", headings, rows, (0,), folded=True)
    return [Section("meeting-part", "Where groups meet", [words], tables=[table])] if rows else []


def fairness_section(assessment: Assessment) -> Section:
    """What the audit found and could not see, in a few sentences, and where the decision stands."""
    book = assessment.book
    held = assessment.table("audit")
    heading = "Fairness and the decision"
    if held is None:
        return Section("fairness", heading, ["This run has not been audited.", assessment.decision])
    of = {"model_id": assessment.model_id, "part": "all", "code": "M2"}
    counts = {
        word: book.count(f"audit.{word}", "audit", {**of, "verdict": word})
        for word in ("concern", "no_evidence", "insufficient", "not_visible", "not_assessable", "suppressed")
    }
    own = held[(held["model_id"] == assessment.model_id) & (held["part"] == "all") & (held["code"] == "M2")]
    concerns = own[own["verdict"] == "concern"]
    sentence = (
        "The audit asked of each group, by each kind of evidence, whether more or less was forecast than was recorded. "
        f"A concern was found {counts['concern']} times; no evidence of a difference {counts['no_evidence']} times, "
        f"which does not show that there is none; {counts['insufficient']} times there were too few data to tell; "
        f"{counts['not_visible']} times a difference could not be seen even if it were there; "
        f"{counts['not_assessable']} times no data are held."
    )
    beside = sorted({part for part in held["part"] if part.startswith(part_of(""))})
    if beside:
        found = book.count("audit.concern.beside", "audit", {**of, "part": beside, "verdict": "concern"})
        sentence += (
            f" Held against what other services recorded, one was found {found} times: a reason to ask what each "
            "service sees, and no verdict on the forecast."
        )
    bullets = [
        f"{_group(assessment, r)}: {'more' if r['direction'] == 'over' else 'less'} was forecast than was recorded "
        "where the group lives."
        for _, r in concerns.iterrows()
    ]
    points = [
        ("What cannot be judged", "A forecast of totals says nothing by itself about women, men or disabled people, "
         "who live everywhere: only records by group can show a difference between them."),
        ("Where the decision stands", assessment.decision),
    ]  # fmt: skip
    return Section("fairness", heading, [sentence], bullets=bullets, points=points)


def _group(assessment: Assessment, row: Any) -> str:
    characteristic, group = str(row["characteristic"]), str(row["group"])
    return f"{assessment.group(characteristic, group)} ({assessment.characteristic(characteristic).lower()})"
