"""Facts: every number that is written is one, with the table, cell or formula it comes from."""

from riskmodel.narrative.facts.book import FactBook
from riskmodel.narrative.facts.marks import as_html, as_plain, bare, is_marked, stray_digits

__all__ = ["FactBook", "as_html", "as_plain", "bare", "is_marked", "stray_digits"]
