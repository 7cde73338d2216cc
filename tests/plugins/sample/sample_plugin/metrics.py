"""A score that a planner can say aloud: in how many areas the forecast was right to two records."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from riskmodel.backtest.metrics import Undefined, absolute_errors

__all__ = ["within_two"]


def within_two(observed: npt.ArrayLike, mean: npt.ArrayLike) -> float:
    """Share of areas whose expected count lies within two of what was recorded.

    Examples
    --------
    >>> within_two([0, 3, 9], [1.0, 5.0, 2.0]) == 2 / 3
    True
    """
    errors = absolute_errors(observed, mean)
    return float(np.mean(errors <= 2.0)) if errors.size else Undefined("no forecasts")
