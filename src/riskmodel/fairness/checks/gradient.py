"""M8, the share gradient: how the forecast's error changes from areas with few of a group to areas with many."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.policy_specs import PolicySpec
from riskmodel.fairness.checks.base import Bounds, Check
from riskmodel.fairness.sums import Sums, ratio

__all__ = ["AdjustedShareGradient", "ShareGradient"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.intp]
_LOW, _HIGH = 0.1, 0.9
_STEPS, _SETTLED, _MOST = 40, 1e-10, 5.0
_FLAT = 1e-12


class ShareGradient(Check):
    """Over-forecast in an area with a high share of the group, against one with a low share (M8).

    Y ~ Poisson(M exp(a + b z)) with z the share over the distance between its tenth and ninetieth percentile among the
    areas; the statistic is -b. It is less hidden by who else lives in an area than M2 is. In 150 simulated regions
    without bias one 90 % interval in ten lay wholly on one side of nought, as it should; it stays without a verdict,
    for M2 asks the same.
    """

    code = "M8"
    question = "Is more forecast, in proportion to what was recorded, in areas with many {who} than in areas with few?"
    unit = "log ratio"
    signed = True
    kinds = ("people",)
    reading = "Who else lives in an area hides less of a difference here than in the calibration ratio."

    def statistic(self, sums: Sums) -> Floats:
        """-b, one Newton step from it for every block left out."""
        expected, recorded = sums.area_values("expected"), sums.area_values("recorded")
        strata = self._strata(sums)
        out = np.full((1 + sums.weights.tilings.total, len(sums.grouping.groups), len(expected)), np.nan)
        for model in range(len(expected)):
            some = np.flatnonzero(expected[model] > 0)
            if strata is not None and len(some):
                score = _scaled(sums.grouping.shares[some])
                out[:, :, model] = -_gradients(
                    sums, some, expected[model, some], recorded[model, some], score, strata[some]
                )
        return out

    def bounds(self, policy: PolicySpec, sums: Sums) -> Bounds:
        """Logs of the policy's ratios."""
        bound = policy.bounds.share_gradient
        return float(np.log(bound.notice)), float(np.log(bound.action))

    def why_not(self, sums: Sums) -> str:
        """Shares do not vary."""
        return "The group's share hardly differs between areas, or too little was recorded."

    def _strata(self, sums: Sums) -> Ints | None:
        return np.zeros(len(sums.grouping.areas), dtype=np.intp)


class AdjustedShareGradient(ShareGradient):
    """The share gradient among areas of the same classes, such as deprivation fifths and urban or rural (M8)."""

    question = (
        "Among areas of the same classes, is more forecast, in proportion to what was recorded, in areas with many "
        "{who} than in areas with few?"
    )

    def why_not(self, sums: Sums) -> str:
        """No classes, or shares do not vary within them."""
        if sums.setting.strata is None:
            return "No classes of areas are audited, such as deprivation fifths, that areas could be alike in."
        return super().why_not(sums)

    def _strata(self, sums: Sums) -> Ints | None:
        return sums.setting.strata


def _scaled(shares: Floats) -> Floats:
    """Shares over the distance between low and high ones, [area, group]; NaN where these are the same."""
    low, high = np.quantile(shares, (_LOW, _HIGH), axis=0)
    return shares / np.where(high - low > _FLAT, high - low, np.nan)


def _gradients(sums: Sums, areas: Ints, expected: Floats, recorded: Floats, score: Floats, strata: Ints) -> Floats:
    """Slope b of the whole and with each block left out, [replicate, group]."""
    slope = np.zeros(score.shape[1])
    numbers = np.unique(strata)
    for _ in range(_STEPS):
        added = [_moments(expected, recorded, score, slope, strata == number).sum(axis=2) for number in numbers]
        first, second = _derivatives(np.stack(added)[None])
        step = np.where(second[0] > _FLAT, first[0] / np.where(second[0] > _FLAT, second[0], 1.0), np.nan)
        slope = np.clip(slope + np.clip(step, -1.0, 1.0), -_MOST, _MOST)
        if not np.abs(np.nan_to_num(step)).max(initial=0.0) > _SETTLED:
            break
    replicates = []
    for number in numbers:
        inside = strata == number
        moments = _moments(expected, recorded, score, slope, inside)
        flat = sums.over_blocks(moments.reshape(-1, moments.shape[2]), areas[inside])
        replicates.append(flat.reshape(len(flat), *moments.shape[:2]))
    first, second = _derivatives(np.stack(replicates, axis=1))
    steps = np.where(second > _FLAT, first / np.where(second > _FLAT, second, 1.0), np.nan)
    steps[0] = np.where(np.isnan(steps[0]), np.nan, 0.0)
    return np.asarray(slope + steps)


def _moments(expected: Floats, recorded: Floats, score: Floats, slope: Floats, inside: npt.NDArray[np.bool_]) -> Floats:
    """Of the areas of a stratum: level, level z, level z^2, Y and Y z, [5, group, area]."""
    z, y = score[inside], recorded[inside][:, None]
    level = expected[inside][:, None] * np.exp(slope * z)
    return np.stack([level, level * z, level * z**2, np.broadcast_to(y, z.shape), y * z]).transpose(0, 2, 1)


def _derivatives(moments: Floats) -> tuple[Floats, Floats]:
    """Derivatives of the likelihood, each stratum's level at its best; moments [..., stratum, 5, group]."""
    level, first, second, y, yz = np.moveaxis(moments, -2, 0)
    mean = np.nan_to_num(ratio(first, level))
    spread = np.nan_to_num(ratio(second, level)) - mean**2
    return (yz - y * mean).sum(axis=-2), (y * spread).sum(axis=-2)
