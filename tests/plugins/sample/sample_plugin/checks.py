"""A question that a reviewer can ask aloud: who lives where nothing at all was recorded?"""

from __future__ import annotations

from typing import Any

from riskmodel.fairness.checks.base import Check
from riskmodel.fairness.sums import Sums, ratio

__all__ = ["NothingRecorded"]


class NothingRecorded(Check):
    """Share of the group living in areas where nothing was recorded."""

    code = "S1"
    question = "What share of {who} live where nothing was recorded?"
    unit = "share"
    nothing_is = "everyone's"

    def statistic(self, sums: Sums) -> Any:
        """Residents of such areas over all of the group."""
        empty = (sums.area_values("recorded") == 0) * 1.0
        return ratio(sums.residents(empty), sums.residents(empty * 0 + 1))

    def nothing(self, sums: Sums) -> Any:
        """The same of everyone."""
        empty = (sums.area_values("recorded") == 0) * 1.0
        return ratio(sums.all_residents(empty), sums.all_residents(empty * 0 + 1))[0]

    def why_not(self, sums: Sums) -> str:
        """Nobody is in the group."""
        return "Nobody of the group lives in the region."
