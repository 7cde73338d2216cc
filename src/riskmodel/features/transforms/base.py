"""What every transform is: a function of (view, input, horizon) that returns one value per area.

In: a view and a declared input. Out: float32 [area], or [area, origin] in the batch form ``over``. Nothing else hands
data to a feature, so what a view does not show cannot be used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from riskmodel.panel.view import View

if TYPE_CHECKING:
    from riskmodel.features.catalogue import Input

__all__ = ["Floats", "Paths", "Trailing", "Transform", "half_of", "read_columns", "require_window"]

Floats = npt.NDArray[np.float32]
Paths = npt.NDArray[np.floating[Any]]


class Transform:
    """Base of every transform; a plugin gives ``__call__`` and may give a faster ``over``.

    ``uses_horizon`` says whether the month forecast matters; ``takes`` which inputs it accepts (``monthly``,
    ``static``, ``exposure``); ``scale`` what its numbers are (``count``: whole-record size, ``ratio``: around 1,
    ``plain``), which tells linear models when to take logarithms. ``keeps_direction``: a higher input gives a higher
    value, so a factor's expected direction holds for the feature. ``takes_two``: the feature names a second input as
    the parameter ``with``. ``quick``: making the values again takes no longer than copying kept ones, so they are not
    kept from one horizon to the next.
    """

    uses_horizon: ClassVar[bool] = False
    takes: ClassVar[tuple[str, ...]] = ("monthly",)
    scale: ClassVar[str] = "plain"
    keeps_direction: ClassVar[bool] = False
    takes_two: ClassVar[bool] = False
    quick: ClassVar[bool] = False

    def __call__(self, view: View, made_of: Input, horizon: int) -> Floats:
        """One value per area [area] at the view's origin; NaN where it cannot be known."""
        raise NotImplementedError

    def over(self, view: View, made_of: Input, origins: Sequence[int], horizon: int) -> Floats:
        """The same at many origins no later than the view's date, [area, origin]."""
        return np.stack([self(view.at(o), made_of, horizon) for o in origins], axis=1)


class Trailing(Transform):
    """A transform whose value at a month uses that month and earlier ones only.

    So one pass over the months serves every origin.
    """

    def path(self, view: View, made_of: Input) -> Paths:
        """Values at every month, [area, period]."""
        raise NotImplementedError

    def __call__(self, view: View, made_of: Input, horizon: int) -> Floats:
        """The value at the newest month visible."""
        return self.over(view, made_of, [view.origin], horizon)[:, 0]

    def over(self, view: View, made_of: Input, origins: Sequence[int], horizon: int) -> Floats:
        """The path, read at each origin's newest visible month."""
        path = self.path(view, made_of)
        return read_columns(path, view.columns(made_of.source, np.asarray(origins, dtype=np.int64)))


def read_columns(path: Paths, columns: npt.NDArray[np.int64]) -> Floats:
    """Columns of an [area, period] array as float32, NaN where a column lies before the first month.

    Columns that follow each other are a view of a float32 array, not a copy.
    """
    shape = (path.shape[0], len(columns))
    if not len(columns) or (np.diff(columns) != 1).any():
        out = np.full(shape, np.nan, dtype=np.float32)
        held = columns >= 0
        out[:, held] = path[:, columns[held]]
        return out
    before, stop = min(max(0, -int(columns[0])), len(columns)), max(0, int(columns[-1]) + 1)
    found = path[:, max(0, int(columns[0])) : stop]
    if not before:
        return np.asarray(found, dtype=np.float32)
    out = np.empty(shape, dtype=np.float32)
    out[:, :before] = np.nan
    out[:, before:] = found
    return out


def require_window(name: str, window: int) -> int:
    """The window, if it is one.

    Raises
    ------
    ValueError
        If it is shorter than a month.
    """
    if window < 1:
        raise ValueError(f"{name}: window is 1 or more months")
    return window


def half_of(window: int) -> int:
    """How many months of a window must be held for its value to count: half of them.

    Examples
    --------
    >>> half_of(12), half_of(3)
    (6, 2)
    """
    return (window + 1) // 2
