"""What an area's worst month of the last year was, as a feature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from riskmodel.features.transforms import Transform

if TYPE_CHECKING:
    from riskmodel.features.catalogue import Input
    from riskmodel.panel.view import View

__all__ = ["Highest"]


class Highest(Transform):
    """The highest month among the newest ``window`` visible.

    Parameters
    ----------
    window : int
        Months looked at; 1 or more.
    """

    takes = ("monthly",)
    scale = "count"
    keeps_direction = True

    def __init__(self, window: int = 12) -> None:
        if window < 1:
            raise ValueError("highest: window is 1 or more months")
        self.window = window

    def __call__(self, view: View, made_of: Input, horizon: int) -> Any:
        """NaN where no month of the window is held; a missing month is not a low one."""
        months = made_of.series(view)[:, -self.window :]
        return np.fmax.reduce(months, axis=1, initial=np.nan).astype(np.float32)
