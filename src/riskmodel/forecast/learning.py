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

from riskmodel.features.training import TrainingSet
from riskmodel.models.base import CountModel

__all__ = ["Learner", "dispersion_of", "held_back", "past_deviances"]

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Learner:
    """A candidate before it has learned, with all it may learn from.

    ``make`` gives it afresh; ``offset`` [area, origin] is its offset column, floored, NaN where it has no history.
    """

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
            model.fit(X, y, offset=start, scales=self.scales, **asked)
        expected = model.predict(X, offset=start)
        level = float(y.sum() / expected.sum()) if model.learns else 1.0
        return model, level, expected


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
    from scipy.special import xlogy

    starts = np.stack([learner.start for learner in learners])
    known: npt.NDArray[np.bool_] = np.asarray(np.isfinite(starts).all(axis=0))
    earlier, test = rows[0][known[rows[0]]], rows[1][known[rows[1]]]
    if not len(earlier) or not len(test) or not learners[0].training.y[earlier].any():
        return None
    y = learners[0].training.y[test]
    found = []
    for learner, start in zip(learners, starts, strict=True):
        model, level, _ = learner.learn(earlier)
        mean = np.maximum(level * model.predict(learner.training.X[test], offset=start[test]), floor)
        found.append(float(np.mean(2.0 * (xlogy(y, y / mean) - y + mean))))
    return found
