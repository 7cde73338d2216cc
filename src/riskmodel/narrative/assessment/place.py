"""The page of one place: in go an assessment, a level and a code, out comes one self-contained page.

It opens with a summary that is printed on a page of its own; strengths and who lives there come first, and the page
ends in questions and in what it must not be used for.
"""

from __future__ import annotations

from collections.abc import Sequence

from riskmodel.narrative.assessment.closing import not_for_section
from riskmodel.narrative.assessment.contents import TO_BE_COMPLETED, Assessment
from riskmodel.narrative.assessment.opening import SUPPORT
from riskmodel.narrative.assessment.place_conditions import (
    ages_sentence,
    assets_section,
    conditions_section,
    groups_section,
    ledger_sentence,
    listed,
    place_sentence,
    strengths_section,
    strengths_sentence,
    total_sentence,
)
from riskmodel.narrative.assessment.place_counts import Counts, counts_of, counts_section
from riskmodel.narrative.assessment.place_questions import (
    CONFIDENCE,
    confidence_section,
    questions_of,
    questions_section,
)
from riskmodel.narrative.assessment.place_rows import Place, place_of
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.frame import PageLink, render_page
from riskmodel.narrative.workbook_text import day_words

__all__ = ["build_place_page", "inner_page"]

_NOT_FOR = "Not for decisions about any person, for enforcement, or for judging this place or the people who live here."
_CHALLENGE = f"{TO_BE_COMPLETED}: how a person or a group can challenge this"
_ASKED = 2


def build_place_page(assessment: Assessment, level: str, code: str) -> str:
    """One place's page.

    Parameters
    ----------
    assessment : Assessment
    level, code : str
        A place of the table ``places``; a partnership that is one district is shown as that district.

    Returns
    -------
    str
        The page, for a folder below the bundle's own.

    Raises
    ------
    TableError
        If there is no such place, or the page would show a number that is no fact.
    """
    place = place_of(assessment, level, code)
    counts = counts_of(assessment, place)
    sections = [
        _summary(assessment, place, counts),
        strengths_section(assessment, place),
        counts_section(assessment, place, counts),
        conditions_section(assessment, place),
        assets_section(assessment, place),
        groups_section(assessment, place),
        confidence_section(assessment, place, counts),
        questions_section(assessment, place, counts),
        not_for_section(assessment),
    ]
    return inner_page(assessment, f"Strengths and needs in {place.name}", sections)


def inner_page(assessment: Assessment, title: str, sections: Sequence[Section]) -> str:
    """A page of a folder below the bundle's own, without script.

    Parameters
    ----------
    assessment : Assessment
    title : str
    sections : sequence of Section
    """
    return render_page(
        "forecast.html",
        title=title,
        region=bare(assessment.region),
        lede=SUPPORT,
        state=bare(assessment.state),
        contents=[(s.name, s.heading) for s in sections],
        closing=[
            f"Made by riskmodel, run {bare(assessment.run_id)}, as of {bare(day_words(assessment.as_of))}. Places and "
            "groups, never individuals. Method, sources and licences are on the page of the assessment.",
        ],
        links=[PageLink(f"../{link.href}", link.words) for link in assessment.links],
        book=assessment.book,
        sections=sections,
        packed={},
    )


def _summary(assessment: Assessment, place: Place, counts: Counts) -> Section:
    """All of the page in brief, to be printed alone."""
    tiles = []
    if place.people > 0:
        tiles.append(("Residents", assessment.say("places", place.row, "population", "whole")))
    if counts.recorded:
        tiles.append((f"Recorded, {counts.span}", counts.recorded))
    if counts.expected:
        tiles += [("Expected, next 12 months", counts.expected), ("Likely range, 9 in 10", counts.reach)]
    ages = ages_sentence(assessment, place)
    points = [
        ("Strengths", strengths_sentence(assessment, place)),
        ("Recorded", counts.said),
        ("Expected", counts.ahead),
        ("Conditions", _conditions(assessment, place)),
        ("Rank band by count", counts.band),
        ("How sure the range is", CONFIDENCE.get(counts.reliability, counts.reliability)),
        ("Questions for the community", " ".join(questions_of(assessment, place, counts)[:_ASKED])),
        ("What this must not be used for", _NOT_FOR),
        (
            "How to challenge it",
            bare(assessment.policy.how_to_challenge) or f"{TO_BE_COMPLETED}: how to challenge this",
        ),
        ("Where the decision stands", assessment.decision),
    ]
    opening = f"{place_sentence(assessment, place)} {ages}".strip()
    kept = [(label, words) for label, words in points if words]
    return Section("brief", "In brief", [opening], lead=True, alone=True, tiles=tiles, points=kept)


def _conditions(assessment: Assessment, place: Place) -> str:
    higher = place.of("higher")
    named = f"As it stands here, found with higher recorded violence: {listed(assessment, higher)}. " if higher else ""
    return f"{named}{total_sentence(assessment, place)} {ledger_sentence(assessment, place)}".strip()
