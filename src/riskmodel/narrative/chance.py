"""What chance alone leaves open in a change between two counts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from riskmodel.narrative.forecast_words import SMALL_BASE

__all__ = ["change_by_chance"]

_Z = 1.6448536269514722


def change_by_chance(
    before: npt.NDArray[np.float64], after: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The range of a change between two counts that counting by itself leaves open, nine times in ten.

    Parameters
    ----------
    before, after : array of float, [place]
        Counts of records; no range is given where one is below 10.

    Returns
    -------
    low, high : array of float, [place]
        As shares: 0.05 is five per cent more.

    Notes
    -----
    The log of a ratio of two Poisson counts has the standard error sqrt(1/a + 1/b) (Rothman, Greenland and Lash,
    Modern Epidemiology, 3rd edition, chapter 14). Records of violence vary by more than this.

    Examples
    --------
    >>> low, high = change_by_chance(np.array([100.0]), np.array([100.0]))
    >>> low.round(2).tolist(), high.round(2).tolist()
    ([-0.21], [0.26])
    """
    sound = (before >= SMALL_BASE) & (after >= SMALL_BASE)
    a, b = np.where(sound, before, np.nan), np.where(sound, after, np.nan)
    error = np.exp(_Z * np.sqrt(1 / a + 1 / b))
    return b / a / error - 1, b / a * error - 1
