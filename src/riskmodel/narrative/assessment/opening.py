"""How the assessment opens: in brief, whom it is for, and the principles it serves or does not serve yet."""

from __future__ import annotations

from riskmodel.narrative.assessment.contents import TO_BE_COMPLETED, Assessment
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.forecast_answer import answer_points, answer_sentences, answer_tiles
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.frame import PageLink
from riskmodel.narrative.headlines import skill_sentence
from riskmodel.narrative.tables_html import Heading, HtmlTable, Row

__all__ = ["SUPPORT", "brief_section", "principles_section", "who_section"]

SUPPORT = bare(
    "This page is about violence. If reading it brings up something hard, you can talk to somebody: Samaritans, free, "
    "day and night, on 116 123; Victim Support on 08 08 16 89 111. In an emergency call 999."
)
_COUNTED = (
    "These are records, counted where they were recorded. Not all violence is reported or recorded, and recording "
    "changes over time."
)


def brief_section(assessment: Assessment) -> Section:
    """What a reader must know within a minute."""
    headline = skill_sentence(assessment.book, model_id=assessment.model_id)
    points = answer_points(assessment.published, headline, ())
    kept = [point for point in points if point[0] in ("How good the forecast is", "How sure the range is")]
    if assessment.invented:
        said = (
            f"{bare(assessment.region)} is made up, to show what an assessment looks like. Nothing is of a real place."
        )
        kept.insert(0, ("An invented region", said))
    kept += [("What this counts", _COUNTED), ("Where the decision stands", assessment.decision)]
    return Section(
        "brief", "In brief", answer_sentences(assessment.published), lead=True,
        tiles=answer_tiles(assessment.published), points=kept,
    )  # fmt: skip


def who_section(assessment: Assessment) -> Section:
    """Whom the pages are for, and how to read them."""
    pages = {
        "forecast.html": "For planners: what is expected by partnership, district, ward and neighbourhood",
        "fairness.html": "For reviewers: what the audit found and could not see, and the form by which they decide",
        "model.html": "For analysts: what the models rest on, and how sure that is",
        "narrative.docx": "For editors: this page as a document (Word)",
        "tables/planner.xlsx": "For planners: the numbers as a workbook (Excel)",
    }
    held = {link.href for link in assessment.links} | {"narrative.docx", "tables/planner.xlsx"}
    links = [PageLink(name, words) for name, words in pages.items() if name in held]
    paragraphs = [
        "This assessment is for everybody who can help to prevent violence early: councils, health, schools, housing, "
        "youth justice, police and community groups. It is about places and groups, never about a person.",
        "Every number on these pages can be followed to the table it is from. A number without a range is a count; a "
        "number that is expected has a range beside it. Where nothing can be said, the page says so.",
    ]
    parts = [Section("who-pages", "The other pages", links=links)]
    return Section("who", "Who this is for, and how to read it", paragraphs, parts=parts)


def principles_section(assessment: Assessment) -> Section:
    """What a public-health approach and trauma-informed practice ask for, what serves them here, what is missing."""
    streams = assessment.table("streams")
    kinds = sorted(set(streams["stream"])) if streams is not None else ["police"]
    partners = [kind.replace("_", " ") for kind in kinds if kind != "police"]
    views = assessment.written("community_views")
    wanted = assessment.written("recommendations")
    stages = "; conditions by stage of life" if assessment.table("stability") is not None else ""
    rows = [
        ("Public health", "With and for communities", _by_whom(views), "" if views else "no community view is written"),
        ("Public health", "Shared by all partners",
         f"records of: police, {', '.join(partners)}" if partners else "police records alone",
         "" if partners else "records of health, schools and other partners"),
        ("Public health", "Early, not only in a crisis", f"expected numbers for the next 12 months{stages}",
         "" if wanted else "no recommendation is written"),
        ("Public health", "Built on data and its limits", "likely ranges, an audit by group, what records cannot show",
         "what nobody records"),
        ("Public health", "Rooted in what works", "each plan asks for an approach and the evidence behind it",
         "evidence of what was tried here"),
        ("Trauma-informed", "Safety", "support named first; no picture or story of an event", ""),
        ("Trauma-informed", "Trust", "every number can be checked; what is not known is said", ""),
        ("Trauma-informed", "Choice and collaboration", "a decision form, and a way to challenge",
         "" if assessment.policy.how_to_challenge else "how to challenge is not written yet"),
        ("Trauma-informed", "Empowerment", "strengths come first on the pages of places",
         "" if _strengths(assessment) else "no strength data are held"),
        ("Trauma-informed", "Culture and identity", "groups as they described themselves in the census",
         "the voices of the groups themselves"),
    ]  # fmt: skip
    table = HtmlTable(
        "principles", "Principles, what serves them here, and what is missing",
        [Heading("Approach"), Heading("Principle"), Heading("What serves it here"), Heading("What is missing")],
        [Row((approach, name, serves, missing or "nothing known")) for approach, name, serves, missing in rows], page=0,
    )  # fmt: skip
    words = (
        "A public-health approach to violence works with communities, across partners, early, from data, and by what "
        "is known to work (World Health Organization; Office for Health Improvement and Disparities). Trauma-informed "
        "practice asks for safety, trust, choice, collaboration, empowerment and respect for culture."
    )
    return Section("principles", "The principles this serves", [words], tables=[table])


def _by_whom(views: object) -> str:
    return "the section on community views" if views else TO_BE_COMPLETED


def _strengths(assessment: Assessment) -> bool:
    catalogue = assessment.table("catalogue")
    if catalogue is None:
        return False
    used = catalogue["used_in"].fillna("") != ""
    return bool(((catalogue["role"] == "protective") & used).any())
