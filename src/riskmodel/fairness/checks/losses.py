"""M5: whether forecasts miss by more where a group lives, and whether their intervals hold there what they promise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.policy_specs import PolicySpec
from riskmodel.fairness.checks.base import Bounds, Check
from riskmodel.fairness.sums import Sums, ratio

__all__ = ["IntervalCoverage", "LossGap"]

Floats = npt.NDArray[np.float64]
_PROMISED = 0.9


class LossGap(Check):
    """Deviance over the deviance that chance alone would leave, the group's over everyone's (M5).

    Raw losses mostly show how much is recorded; hence the division by what they would be if counts were Poisson around
    the forecasts.
    """

    code = "M5"
    question = "Do forecasts miss by more {where} than chance explains, in proportion to everywhere?"
    unit = "times"
    scale = "ratio"
    evidence = ("composition", "outcomes")
    reading = "Above 1 the forecasts fit less well there, in either direction."

    def statistic(self, sums: Sums) -> Floats:
        """Sum w d / sum w E[d] over the same of everyone."""
        own = ratio(sums.residents("loss"), sums.residents("expected_loss"))
        return ratio(own, ratio(sums.all_residents("loss"), sums.all_residents("expected_loss")))

    def why_not(self, sums: Sums) -> str:
        """Nobody lives there."""
        return "Nobody of the group lives where anything is forecast."


class IntervalCoverage(Check):
    """Share of months whose count lay within the 90 % interval, where the group lives (M5)."""

    code = "M5"
    question = "Do 90 % intervals hold nine counts in ten {where}?"
    unit = "share"
    nothing_is = "what is promised"
    evidence = ("composition", "outcomes")
    reading = "Counts are whole numbers, so somewhat more than 90 % is usual where few are recorded."

    def statistic(self, sums: Sums) -> Floats:
        """Sum w covered / sum w intervals."""
        return sums.once("coverage", lambda: ratio(sums.residents("covered"), sums.residents("intervals")))

    def nothing(self, sums: Sums) -> float:
        """What is promised."""
        return _PROMISED

    def bounds(self, policy: PolicySpec, sums: Sums) -> Bounds:
        """How far below or above the promise the policy lets it lie."""
        below, above = (
            _PROMISED - policy.bounds.interval_coverage_least,
            policy.bounds.interval_coverage_most - _PROMISED,
        )
        return np.where(self.statistic(sums)[0] < _PROMISED, below, above), np.nan

    def why_not(self, sums: Sums) -> str:
        """No quantiles."""
        return "The model gives no 90 % intervals."
