"""The assessment itself: published tables and facts in, the page that partners open first out."""

from riskmodel.narrative.assessment.contents import Assessment, HandWritten
from riskmodel.narrative.assessment.page import build_assessment_page

__all__ = ["Assessment", "HandWritten", "build_assessment_page"]
