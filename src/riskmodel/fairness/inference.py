"""A statistic of sums with each block left out in turn in; its interval, p and least visible size out.

The block jackknife of three tilings, of which the least favourable counts: the largest p, the widest interval. In
simulated regions without any difference (``benchmarks/audit.py``) it finds one in fewer than one of twenty; treating
areas as independent does in two of five.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from riskmodel.fairness.blocks import Tilings

__all__ = ["Inferred", "infer"]

Floats = npt.NDArray[np.float64]
# Ends of a 90 % interval; a two-sided 5 % test that finds what is there four times in five.
_INTERVAL, _TWO_SIDED, _POWER = 0.95, 0.975, 0.80
# A model that repeats what was recorded must not differ from it by the rounding of a sum.
_ROUNDING = 1e-9


class Inferred(NamedTuple):
    """All ``[group, model]``; NaN where blocks are too few or a block holds all there is."""

    estimate: Floats
    low: Floats
    high: Floats
    p: Floats
    smallest_seen: Floats
    error: Floats
    blocks: npt.NDArray[np.int64]


def infer(values: Floats, tilings: Tilings, everyone: Floats, groups: Floats, *, nothing: Floats | float) -> Inferred:
    """Interval, p and minimum detectable effect of a statistic.

    Parameters
    ----------
    values : array [replicate, group, model]
        The statistic of the whole, then with each block of each tiling left out.
    tilings : Tilings
    everyone, groups : array [block, group or 1, model]
        What lies in each block, of everyone and of each group. Blocks in which there is nothing do not count.
    nothing : float or array
        What the statistic would be with no difference.

    Notes
    -----
    For each tiling se^2 = (B - 1) / B x sum over blocks of (value without the block - their mean)^2. It is held against
    Student's t with degrees of freedom of one less than the effective number of blocks, (sum q)^2 / sum q^2 with q what
    each block holds of the group: a group that lives in few blocks is little evidence, however many blocks there are.
    Minimum detectable effect: se x (t.975 + t.80).

    References
    ----------
    Efron and Stein (1981), the jackknife estimate of variance. MacKinnon, Nielsen and Webb (2023), cluster-robust
    inference: the jackknife is the safe choice where clusters are few. Kish (1965), the effective sample size.
    """
    from scipy.special import stdtr, stdtrit

    shape = values.shape[1:]
    worst = {"half": np.zeros(shape), "p": np.zeros(shape), "smallest": np.zeros(shape), "error": np.zeros(shape)}
    fewest = np.full(shape, tilings.total)
    for blocks in tilings.slices:
        inside = np.broadcast_to(everyone[blocks] > 0, values[1:][blocks].shape)
        held = np.where(inside, groups[blocks], 0.0)
        holding = (held > 0).sum(axis=0)
        error = _error(values[1:][blocks], inside)
        degrees = _degrees(held, holding)
        found = {
            "half": stdtrit(degrees, _INTERVAL) * error,
            "p": _p(values[0] - nothing, error, degrees, stdtr),
            "smallest": (stdtrit(degrees, _TWO_SIDED) + stdtrit(degrees, _POWER)) * error,
            "error": np.where(holding > 1, error, np.nan),
        }
        # A tiling that cannot say anything leaves nothing to say: maximum keeps NaN.
        worst = {name: np.maximum(worst[name], found[name]) for name in worst}
        fewest = np.minimum(fewest, holding)
    low, high = values[0] - worst["half"], values[0] + worst["half"]
    return Inferred(values[0], low, high, worst["p"], worst["smallest"], worst["error"], fewest)


def _degrees(held: Floats, holding: npt.NDArray[np.int64]) -> Floats:
    """Degrees of freedom from what each block holds of the group; NaN where one block holds all of it."""
    squares = (held**2).sum(axis=0)
    effective = np.divide(held.sum(axis=0) ** 2, squares, out=np.ones(squares.shape), where=squares > 0)
    return np.where(holding > 1, np.maximum(effective - 1.0, 1.0), np.nan)


def _error(values: Floats, inside: npt.NDArray[np.bool_]) -> Floats:
    """Standard error from the values with each block left out."""
    count = np.maximum(inside.sum(axis=0), 1)
    mean = np.where(inside, values, 0.0).sum(axis=0) / count
    squares = np.where(inside, (values - mean) ** 2, 0.0).sum(axis=0)
    return np.asarray(np.sqrt((count - 1) / count * squares))


def _p(difference: Floats, error: Floats, degrees: Floats, stdtr: np.ufunc) -> Floats:
    still = error <= _ROUNDING
    t = np.abs(difference) / np.where(still, 1.0, error)
    settled = np.where(np.abs(difference) <= _ROUNDING, 1.0, 0.0)
    return np.where(still & ~np.isnan(degrees) & ~np.isnan(difference), settled, 2.0 * stdtr(degrees, -t))
