"""M2, the calibration contrast: the only check whose size was tested, and so the only one that may say concern."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.policy_specs import PolicySpec
from riskmodel.fairness.checks.base import Bounds, Check
from riskmodel.fairness.sums import CompositionSums, OutcomeSums, Sums, ratio

__all__ = ["CalibrationRatio", "calibration_contrast"]

Floats = npt.NDArray[np.float64]
_MOST = float(np.log(4.0))
_STEPS, _SETTLED, _FLAT = 30, 1e-10, 1e-12


def calibration_contrast(sums: Sums) -> Floats:
    """Log of expected over recorded for the group, less the same for the rest, [replicate, group, model].

    The first replicate is what was found. In those with a block left out, a difference between people as large as was
    found has been taken out of the forecasts first, and is added to the result: leaving out a block then shows what
    chance does to the contrast in this region, and not that the group lives in some places more than in others. In
    simulated regions this finds a difference of 1.5 times between people in 46 of 100, where leaving blocks out of the
    forecasts as they are finds 27, with false alarms as rare as promised (decision record 19).
    """
    own, rest = (ratio(of("expected"), of("recorded")) for of in (sums.group, sums.rest))
    found = _log(own) - _log(rest)
    if isinstance(sums, CompositionSums):
        found[1:] = found[0] + _without_difference(sums)
    return np.where(np.isfinite(found), found, np.nan)


def _without_difference(sums: CompositionSums) -> Floats:
    """The contrast with each block left out, of forecasts from which the difference found has been taken."""
    shares = sums.grouping.shares
    expected, recorded = sums.area_values("expected"), sums.area_values("recorded")
    own, rest = sums.group("recorded")[1:], sums.rest("recorded")[1:]
    out = np.empty(own.shape)
    for model in range(len(expected)):
        some = np.flatnonzero(expected[model] > 0)
        share, forecast = shares[some], expected[model, some]
        level = forecast[:, None] * np.exp(-_between_people(forecast, recorded[model, some], share) * share)
        added = sums.over_blocks(np.concatenate([(share * level).T, ((1.0 - share) * level).T]), some)[1:]
        theirs, others = np.split(added, 2, axis=1)
        out[:, :, model] = _log(ratio(theirs, own[:, :, model])) - _log(ratio(others, rest[:, :, model]))
    return out


def _between_people(expected: Floats, recorded: Floats, shares: Floats) -> Floats:
    """Log of the factor between people, [group], that the contrast found stands for, of at most four times.

    With b as found, forecasts divided by exp(b s) have no contrast. Newton's steps; the contrast falls in b.
    """
    theirs, others = shares.T @ recorded, (1.0 - shares).T @ recorded
    log_factor = np.zeros(shares.shape[1])
    for _ in range(_STEPS):
        level = expected[:, None] * np.exp(-log_factor * shares)
        own, squared, everyone = (shares * level).sum(axis=0), (shares**2 * level).sum(axis=0), level.sum(axis=0)
        contrast = _log(ratio(own, theirs)) - _log(ratio(everyone - own, others))
        slope = ratio(squared, own) - ratio(own - squared, everyone - own)
        step = np.divide(contrast, slope, out=np.zeros(contrast.shape), where=np.isfinite(contrast) & (slope > _FLAT))
        log_factor = np.clip(log_factor + step, -_MOST, _MOST)
        if np.abs(step).max(initial=0.0) < _SETTLED:
            break
    return log_factor


def _log(values: Floats) -> Floats:
    return np.log(values, out=np.full(values.shape, np.nan), where=values > 0)


class CalibrationRatio(Check):
    """Expected over recorded where the group lives, against the same where others live (M2).

    CR_g = sum s M / sum s Y with s the group's share of an area's residents, M expected and Y recorded; the statistic
    is log CR_g - log CR of the rest, whose weights are 1 - s. With records by group, M and Y are the group's own.
    """

    code = "M2"
    question = "Is more, or less, forecast in proportion to what was recorded {where} than elsewhere?"
    unit = "log ratio"
    verdict = True
    signed = True
    evidence = ("composition", "outcomes")

    def statistic(self, sums: Sums) -> Floats:
        """The contrast."""
        return calibration_contrast(sums)

    def bounds(self, policy: PolicySpec, sums: Sums) -> Bounds:
        """Logs of the policy's ratios; records by group have bounds of their own."""
        outcomes = isinstance(sums, OutcomeSums)
        bound = policy.bounds.outcome_calibration_ratio if outcomes else policy.bounds.calibration_ratio
        return float(np.log(bound.notice)), float(np.log(bound.action))

    def per_1000(self, statistic: Floats, sums: Sums) -> Floats:
        """Forecast for the group's people a year, beyond what the rest's ratio would give them."""
        rate = 12_000.0 * ratio(sums.group("recorded")[0], sums.residents("months")[0])
        rest = ratio(sums.rest("expected")[0], sums.rest("recorded")[0])
        return rate * rest * np.expm1(statistic)
