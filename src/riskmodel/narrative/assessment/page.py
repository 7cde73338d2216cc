"""The page that partners open first: in goes an assessment, out comes ``index.html`` as one self-contained file.

It opens with support and the answer, goes from what was recorded to people, conditions and what is expected, and ends
in what it must not be used for. The same tables give the same bytes.
"""

from __future__ import annotations

from riskmodel.narrative.assessment.closing import (
    cost_section,
    expected_section,
    method_section,
    not_for_section,
    written_sections,
)
from riskmodel.narrative.assessment.conditions import conditions_section, gaps_section
from riskmodel.narrative.assessment.contents import Assessment
from riskmodel.narrative.assessment.opening import SUPPORT, brief_section, principles_section, who_section
from riskmodel.narrative.assessment.people import fairness_section, people_section
from riskmodel.narrative.assessment.recorded import compared_section, concentration_section, recorded_section
from riskmodel.narrative.assessment.since import since_section
from riskmodel.narrative.assessment.writing import links_section
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.forecast_sections import Section, tables_of
from riskmodel.narrative.frame import render_page
from riskmodel.narrative.tables_html import pack
from riskmodel.narrative.workbook_text import day_words

__all__ = ["assessment_sections", "build_assessment_page"]


def build_assessment_page(assessment: Assessment) -> str:
    """The Strategic Needs Assessment as a page.

    Parameters
    ----------
    assessment : Assessment

    Returns
    -------
    str
        The page.

    Raises
    ------
    TableError
        If the page would show a number that is no fact.
    """
    sections = assessment_sections(assessment)
    shared, packed = pack(list(tables_of(sections)))
    return render_page(
        "forecast.html",
        title=f"Violence needs assessment for {bare(assessment.region)}",
        region=bare(assessment.region),
        lede=SUPPORT,
        state=bare(assessment.state),
        contents=[(s.name, s.heading) for s in sections],
        closing=[
            f"Made by riskmodel, run {bare(assessment.run_id)}, as of {bare(day_words(assessment.as_of))}. Places and "
            "groups, never individuals.",
        ],
        links=assessment.links,
        with_script=True,
        book=assessment.book,
        sections=sections,
        words=shared,
        packed=packed,
    )


def assessment_sections(assessment: Assessment) -> list[Section]:
    """The sections of the assessment in the order they are read; those without anything to say are left out."""
    recorded = recorded_section(assessment)
    around = [compared_section(assessment), concentration_section(assessment)]
    sections: list[Section | None] = [
        brief_section(assessment),
        since_section(assessment),
        who_section(assessment),
        links_section(assessment),
        principles_section(assessment),
        recorded,
        *around,
        people_section(assessment),
        conditions_section(assessment),
        gaps_section(assessment),
        expected_section(assessment),
        cost_section(assessment),
        *written_sections(assessment),
        fairness_section(assessment),
        not_for_section(assessment),
        method_section(assessment),
    ]
    return [section for section in sections if section is not None]
