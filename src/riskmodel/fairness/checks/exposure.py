"""M1, exposure bias: how many more records, or fewer, are forecast for a group's residents than are recorded."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.policy_specs import PolicySpec
from riskmodel.fairness.checks.base import Bounds, Check
from riskmodel.fairness.sums import Sums, ratio

__all__ = ["ExposureBias"]

Floats = npt.NDArray[np.float64]
_PER_1000_A_YEAR = 12_000.0


class ExposureBias(Check):
    """Records forecast beyond those recorded, per 1,000 residents of the group a year (M1).

    12,000 x sum w (M - Y) / (T P) / sum w: w residents of the group, P all residents of an area, T months.
    """

    code = "M1"
    question = "How many more records, or fewer, are forecast {where} than were recorded?"
    unit = "records per 1,000 residents a year"
    signed = True
    reading = "A forecast that is too high or too low everywhere shows here for every group."

    def statistic(self, sums: Sums) -> Floats:
        """Above nought more is forecast than recorded."""
        more = sums.group("expected") - sums.group("recorded")
        return _PER_1000_A_YEAR * ratio(more, sums.residents("months"))

    def bounds(self, policy: PolicySpec, sums: Sums) -> Bounds:
        """Shares of what is recorded of everyone."""
        rate = _PER_1000_A_YEAR * ratio(sums.everyone("recorded")[0], sums.all_residents("months")[0])
        bound = policy.bounds.exposure_bias
        return np.asarray(bound.notice * rate), np.asarray(bound.action * rate)

    def per_1000(self, statistic: Floats, sums: Sums) -> Floats:
        """The statistic is in these terms."""
        return statistic
