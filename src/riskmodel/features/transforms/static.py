"""Conditions as published: a factor's newest vintage, how old it is, and two factors together.

In: static measures known on the view's date (for freshness and interactions also monthly ones). Out: values that stay
the same at every horizon.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.errors import DefinitionError
from riskmodel.contracts.periods import month_from_date, month_number
from riskmodel.features.transforms.base import Floats, Transform, half_of, require_window
from riskmodel.panel.season import rolling_mean
from riskmodel.panel.view import View, Vintage

if TYPE_CHECKING:
    from riskmodel.features.catalogue import Input

__all__ = ["Freshness", "Interaction", "Latest"]


class Latest(Transform):
    """A static factor's newest vintage published by the view's date; the same at every origin and horizon."""

    takes = ("static", "exposure")
    keeps_direction = True
    quick = True

    def __call__(self, view: View, made_of: Input, horizon: int) -> Floats:
        """The values as they are."""
        return made_of.values(view).astype(np.float32)

    def over(self, view: View, made_of: Input, origins: Sequence[int], horizon: int) -> Floats:
        """One vector, shown at every origin without a copy."""
        values = made_of.values(view).astype(np.float32)
        return np.broadcast_to(values[:, None], (len(values), len(origins)))


class Freshness(Transform):
    """How many months old a feed is at an origin: one value for all areas.

    A monthly feed: months since the newest month held. A static one: months since the end of its vintage's period
    (a year or a month), or since it was published where its period is neither. A vintage newer than a past origin is
    negative there: what is learned from is the vintage in use, not the one of the time.
    """

    takes = ("monthly", "static")

    def __call__(self, view: View, made_of: Input, horizon: int) -> Floats:
        """A constant vector."""
        return self.over(view, made_of, [view.origin], horizon)[:, 0]

    def over(self, view: View, made_of: Input, origins: Sequence[int], horizon: int) -> Floats:
        """One number an origin."""
        at = np.asarray(origins, dtype=np.int64)
        if made_of.kind == "static":
            age = (at - _ends(view.vintage(made_of.source, made_of.measures[0]))).astype(np.float32)
        else:
            age = self._since_newest(view, made_of, at)
        return np.broadcast_to(age, (len(view.geography.areas), len(age)))

    def _since_newest(self, view: View, made_of: Input, origins: npt.NDArray[np.int64]) -> Floats:
        present = view.present(made_of.source)
        held = np.maximum.accumulate(np.where(present, np.arange(len(present)), -1))
        columns = view.columns(made_of.source, origins)
        newest = np.full(len(origins), -1, dtype=np.int64)
        newest[columns >= 0] = held[columns[columns >= 0]]
        age = origins - (view.panel.first_month + newest)
        return np.where(newest >= 0, age, np.nan).astype(np.float32)


def _ends(vintage: Vintage) -> int:
    """The last month of a vintage's period."""
    if re.fullmatch(r"[0-9]{4}", vintage.period):
        return int(vintage.period) * 12 + 11
    if re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", vintage.period):
        return month_number(vintage.period)
    return month_from_date(vintage.published)


class Interaction(Transform):
    """The product of two inputs, each standardised over the region's areas at the origin.

    The second is named as the parameter ``with``; a monthly input enters as its rolling mean. High where both are
    high or both are low: it shows whether one condition goes with another, beside what each shows alone.

    Parameters
    ----------
    window : int
        Months of the rolling mean of a monthly input.
    """

    takes = ("monthly", "static", "exposure")
    takes_two = True

    def __init__(self, window: int = 12) -> None:
        self.window = require_window("interaction", window)

    def __call__(self, view: View, made_of: Input, horizon: int) -> Floats:
        """The product at the view's origin."""
        return self.over(view, made_of, [view.origin], horizon)[:, 0]

    def over(self, view: View, made_of: Input, origins: Sequence[int], horizon: int) -> Floats:
        """The product at each origin.

        Raises
        ------
        DefinitionError
            If there is no second input.
        """
        if made_of.other is None:
            raise DefinitionError("interaction: name the second input as the parameter 'with'", found=made_of.name)
        first = _standardised(self._values(view, made_of, origins))
        second = _standardised(self._values(view, made_of.other, origins))
        return (first * second).T.astype(np.float32)

    def _values(self, view: View, made_of: Input, origins: Sequence[int]) -> npt.NDArray[np.float64]:
        """[origin, area]."""
        if made_of.kind != "monthly":
            return np.repeat(made_of.values(view)[None, :], len(origins), axis=0)
        path = rolling_mean(made_of.series(view), self.window, least=half_of(self.window))
        columns = view.columns(made_of.source, np.asarray(origins, dtype=np.int64))
        out = np.full((len(origins), path.shape[0]), np.nan)
        out[columns >= 0] = path[:, columns[columns >= 0]].T
        return out


def _standardised(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Mean 0 and spread 1 over the areas of each row; 0 where all areas are the same.

    Sums run over sorted values, so that the order of the areas changes no bit.
    """
    known = np.isfinite(values).sum(axis=1)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.nan_to_num(np.sort(values, axis=1)).sum(axis=1)[:, None] / known
        apart = values - mean
        squares = np.nan_to_num(np.sort(apart * apart, axis=1)).sum(axis=1)[:, None]
        spread = np.sqrt(squares / known)
        return np.asarray(np.where(spread > 1e-9 * np.abs(mean), apart / spread, apart * 0.0), dtype=np.float64)
