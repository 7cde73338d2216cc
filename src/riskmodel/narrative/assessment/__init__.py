"""The assessment: published tables and facts in, its first page and the pages of places and partners out."""

from riskmodel.narrative.assessment.contents import Assessment, HandWritten
from riskmodel.narrative.assessment.page import build_assessment_page
from riskmodel.narrative.assessment.partner import build_partner_page
from riskmodel.narrative.assessment.place import build_place_page
from riskmodel.narrative.assessment.writing import write_partners, write_places

__all__ = [
    "Assessment",
    "HandWritten",
    "build_assessment_page",
    "build_partner_page",
    "build_place_page",
    "write_partners",
    "write_places",
]
