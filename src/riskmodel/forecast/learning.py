"""One candidate on the rows of one training set: level, spread, and how well its like did before.

In: a model, a ``TrainingSet`` and the model's offset column [area, origin]. Out: expected counts of the training rows,
and for ensembles the deviance of members that learned from earlier origins only. Nothing here sees more than the
training set, whose labels were published by its view's date.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.specs import TargetSpec
from riskmodel.features.training import TrainingSet
from riskmodel.forecast.guards import check_column, check_counts
from riskmodel.models.base import Baseline, CountModel, offset_column
from riskmodel.panel.view import View

__all__ = ["Learner", "deviance_rows", "dispersion_of", "held_back", "level_at", "past_deviances", "start_column"]

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


def start_column(
    model: CountModel, view: View, target: TargetSpec, origins: Sequence[int], horizon: int, *, floor: float
) -> Floats:
    """What a candidate starts from at each origin, [area, origin], floored; NaN where it has no history.

    A baseline starts from what it expects itself, a learned model from its offset.

    Raises
    ------
    UnsoundForecast
        If a number below 0 or an infinite one stands in the column, which the floor would hide.
    """
    if isinstance(model, Baseline):
        name, column = type(model).__name__, model.expected(view, target, origins, horizon)
    else:
        name, column = model.offset, offset_column(model.offset, view, target, origins, horizon)
    check_column(column, view, name=name, horizon=horizon)
    return np.maximum(column, floor)


@dataclass(frozen=True, eq=False)
class Learner:
    """A candidate before it has learned, with all it may learn from.

    ``make`` gives it afresh; ``offset`` [area, origin] is its offset column, floored, NaN where it has no history.
    """

    model_id: str
    areas: npt.NDArray[np.str_]
    make: Callable[[], CountModel]
    offset: Floats
    training: TrainingSet
    scales: tuple[str, ...]
    directions: tuple[int, ...]

    @property
    def start(self) -> Floats:
        """The offset of each training row."""
        return self.offset[self.training.area, self.training.origin]

    def learn(self, rows: Rows) -> tuple[CountModel, float, Floats]:
        """Learn from some of the training rows.

        Returns
        -------
        model : CountModel
        level : float
            Recorded over expected in those rows; 1 for a baseline.
        expected : array [row]
            Expected counts of those rows, before level and floor.
        """
        model, start = self.make(), self.start[rows]
        whole = len(rows) == len(self.training.y)
        X, y = (self.training.X, self.training.y) if whole else (self.training.X[rows], self.training.y[rows])
        if model.learns:
            if model.level == "offset":
                start = _levelled(start, y, self.training.origin[rows])
            asked: dict[str, Any] = {"directions": self.directions} if getattr(model, "monotone", False) else {}
            if getattr(model, "free", ()):
                asked["names"] = self.training.names
            model.fit(X, y, offset=start, scales=self.scales, **asked)
        expected = self.sound(model.predict(X, offset=start), rows)
        level = float(y.sum() / expected.sum()) if model.learns else 1.0
        return model, level, expected

    def sound(self, predicted: Floats, rows: Rows | None = None) -> Floats:
        """What the model gave, unless it cannot be (``check_counts``); for every area at the origin if no rows are."""
        areas = self.areas if rows is None else self.areas[self.training.area[rows]]
        origin, horizon = self.training.origins[-1], self.training.horizon
        learning = rows is not None
        check_counts(predicted, areas, model_id=self.model_id, origin=origin, horizon=horizon, learning=learning)
        return predicted

    def corrected(self, model: CountModel, level: float, rows: Rows) -> Floats:
        """Expected counts of rows, which hold every area of their origins, after the level correction."""
        start, origin = self.start[rows], self.training.origin[rows]
        predicted = self.sound(model.predict(self.training.X[rows], offset=start), rows)
        if not model.learns or model.level != "offset":
            return level * predicted
        total, wanted = np.bincount(origin, predicted), np.bincount(origin, start)
        ratio = np.divide(wanted, total, out=np.ones_like(total), where=total > 0)
        return np.asarray(predicted * ratio[origin], dtype=np.float64)


def level_at(model: CountModel, level: float, predicted: Floats, offset: Floats) -> float:
    """The level correction of one origin's forecasts.

    Parameters
    ----------
    model : CountModel
    level : float
        What was learned from the training rows; it stands unless the model takes its level from the offset.
    predicted, offset : array [area]
        Before the correction.

    Returns
    -------
    float
        With ``level: offset``, what makes the forecasts add up to the offset column: who has which share is the
        model's to say, how much there is in all the offset's.
    """
    if not model.learns or model.level != "offset":
        return level
    return float(offset.sum() / predicted.sum())


def _levelled(offset: Floats, y: Floats, origin: npt.NDArray[np.intp]) -> Floats:
    """The offset scaled so that at each origin it adds up to what was recorded."""
    recorded = np.bincount(origin, y)
    expected = np.bincount(origin, offset)
    ratio = np.divide(recorded, expected, out=np.ones_like(expected), where=expected > 0)
    return np.asarray(offset * ratio[origin], dtype=np.float64)


def dispersion_of(y: Floats, mean: Floats) -> float:
    """Pearson's dispersion of the training rows, at least just above Poisson."""
    if len(y) == 0:
        return 1.001
    return max(1.001, float(np.mean((y - mean) ** 2 / mean)))


def held_back(training: TrainingSet, *, lateness: int, last_origins: int, least: int) -> tuple[Rows, Rows] | None:
    """Rows of the newest training origins, and rows whose labels were visible at the first of those.

    Parameters
    ----------
    training : TrainingSet
    lateness : int
        Months between an origin and the newest month of the target visible then.
    last_origins : int
        How many origins to hold back.
    least : int
        How many earlier origins must be left to learn from.

    Returns
    -------
    tuple of (earlier rows, rows held back), or None where too little would be left to learn from.
    """
    months = np.asarray(training.origins)[training.origin]
    distinct = np.unique(months)
    if len(distinct) <= last_origins:
        return None
    first = distinct[-last_origins]
    earlier = months + training.horizon - 1 <= first - lateness
    if len(np.unique(months[earlier])) < least:
        return None
    return np.flatnonzero(earlier), np.flatnonzero(months >= first)


def past_deviances(learners: Sequence[Learner], rows: tuple[Rows, Rows], *, floor: float) -> list[float] | None:
    """Mean Poisson deviance of each learner on the rows held back, having learned from the earlier ones.

    None where the learners share no row that can be forecast, or an earlier row is without an offset.
    """
    starts = np.stack([learner.start for learner in learners])
    known: npt.NDArray[np.bool_] = np.asarray(np.isfinite(starts).all(axis=0))
    earlier, test = rows[0][known[rows[0]]], rows[1][known[rows[1]]]
    if not len(earlier) or not len(test) or not learners[0].training.y[earlier].any():
        return None
    return [float(np.mean(deviance_rows(learner, (earlier, test), floor=floor))) for learner in learners]


def deviance_rows(learner: Learner, rows: tuple[Rows, Rows], *, floor: float) -> Floats:
    """Poisson deviance [row] of the second rows, having learned from the first; all of them with an offset."""
    from scipy.special import xlogy

    earlier, test = rows
    model, level, _ = learner.learn(earlier)
    y, mean = learner.training.y[test], np.maximum(learner.corrected(model, level, test), floor)
    return np.asarray(2.0 * (xlogy(y, y / mean) - y + mean), dtype=np.float64)
