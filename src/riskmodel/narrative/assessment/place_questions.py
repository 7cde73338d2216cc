"""How sure the page of a place is, and what it asks: in goes the place, out come points and questions.

Questions come from what was found and what is not known; none of them recommends anything.
"""

from __future__ import annotations

from datetime import date

from riskmodel.narrative.assessment.contents import Assessment
from riskmodel.narrative.assessment.place_conditions import roles_of, strengths_of
from riskmodel.narrative.assessment.place_counts import Counts
from riskmodel.narrative.assessment.place_rows import Place
from riskmodel.narrative.facts.marks import bare, lowered
from riskmodel.narrative.forecast_answer import RELIABILITY
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.forecast_words import joined, period_words

__all__ = ["CONFIDENCE", "confidence_section", "questions_of", "questions_section"]

_MOVED = {
    "more": "More was recorded than in the twelve months before. Did more happen, or did more people report it, or was "
    "more written down?",
    "fewer": "Fewer were recorded than in the twelve months before. Did less happen, or did fewer people report it?",
    "no clear change": "The records show no clear change. Does that fit what people here have lived through?",
    "changed": "Recording changed, so the counts of two years cannot be compared. Who here would know whether things "
    "have become safer?",
    "few": "The counts are too small to show a change. Who here would know of one?",
}
_AHEAD = {
    "more": "More is expected than was recorded. Which services and groups would need to know that early?",
    "fewer": "Fewer are expected than were recorded. What here should not be taken away because of that?",
}
CONFIDENCE = {
    "calibrated": "Ranges of this kind held what they promised at past dates.",
    "not calibrated": "Ranges of this kind did not hold what they promised at past dates: a rough guide only.",
    "too few months to say": "There are too few past months to judge ranges of this kind: a rough guide only.",
    "not judged": "Ranges of this kind have not been judged: a rough guide only.",
}
"""A reliability mark in a line."""


def confidence_section(assessment: Assessment, place: Place, counts: Counts) -> Section:
    """How far each part of the page can be relied on."""
    points = []
    if counts.reliability:
        points.append(("The range", CONFIDENCE.get(counts.reliability, RELIABILITY.get(counts.reliability, ""))))
    located = _located(assessment)
    if located:
        points.append(("Records with a place", located))
    if place.poor:
        points.append(("Residents as a base", _poor(place)))
    if counts.small:
        points.append(("Small counts", "Counts this small vary a good deal by chance: read the range, not the middle."))
    points.append(("Conditions", _conditions(place)))
    points.append(("What records leave out", "Violence that nobody reported or wrote down is on no page. Fewer records "
                   "can mean less trust as well as less violence."))  # fmt: skip
    return Section("confidence", "How sure this is", points=points)


def _located(assessment: Assessment) -> str:
    held = assessment.table("recording")
    known = None if held is None else held[held["located_share"].notna()]
    if known is None or not len(known):
        return ""
    share = assessment.say("recording", known.index[-1], "located_share", "share")
    day = date.fromisoformat(f"{known['period'].iloc[-1]}-01")
    period = bare(period_words(day, day))
    return f"Of all the force's records in {period}, {share} had a known place. Only those are counted here."


def _poor(place: Place) -> str:
    named = list(place.poor)
    if len(named) <= 3:
        where = joined(named)
        return f"In {where} visitors are many beside residents, so a rate per resident would mislead there."
    return "In several small areas here visitors are many beside residents; rates per resident would mislead there."


def _conditions(place: Place) -> str:
    if not len(place.ledger):
        return "No list of conditions is held for this kind of place."
    if not place.conditions:
        return "No single condition stays the same when places and months are drawn again, so none is named."
    return (
        "Named is only what stays the same when places and months are drawn again. It is association between places, "
        "not what explains this one."
    )


def questions_of(assessment: Assessment, place: Place, counts: Counts) -> list[str]:
    """Questions for the community, the most telling first."""
    asked = []
    roles = roles_of(assessment)
    higher = [c for c in place.of("higher") if roles.get(c.factor) != "context"]
    protective, lighter = strengths_of(assessment, place)
    if protective:
        asked.append(f"{protective[0].words}: what does this look like from where you live, and who keeps it strong?")
    elif lighter:
        asked.append(
            f"{lighter[0].words}: does this weigh less on people here than elsewhere, and is that so for everybody?"
        )
    else:
        asked.append(f"No table shows what is strong in {place.name}. What is, and who should be asked first?")
    if counts.moved in _MOVED:
        asked.append(_MOVED[counts.moved])
    if higher:
        asked.append(f"{higher[0].words}: does this describe how people live here, and what already helps?")
    if counts.moving in _AHEAD:
        asked.append(_AHEAD[counts.moving])
    if place.counts_only:
        asked.append("How much of what is recorded here happens to people who only visit, and who speaks for them?")
    gap = _gap(assessment, place)
    if gap:
        asked.append(gap)
    asked.append("Whose experience is in no record here, and whom do they trust to hear it?")
    return asked


def _gap(assessment: Assessment, place: Place) -> str:
    """What is not held in the domain of the strongest condition named; of any domain where none is."""
    held = assessment.table("gaps")
    if held is None:
        return ""
    named = sorted(place.conditions, key=lambda c: (c.side == "near", -abs(c.multiplier - 1), c.factor))
    domain = named[0].factor.partition("/")[0] if named else ""
    own = held[held["domain"] == domain] if (held["domain"] == domain).any() else held
    row = own.iloc[0]
    return f"No source held knows this here: {bare(lowered(str(row['title'])))}. What do people see?"


def questions_section(assessment: Assessment, place: Place, counts: Counts) -> Section:
    """What to ask the people who live here."""
    words = "Numbers begin a conversation; people who live and work here can say what they mean."
    asked = questions_of(assessment, place, counts)
    return Section("questions", "Questions for the community", [words], bullets=asked)
