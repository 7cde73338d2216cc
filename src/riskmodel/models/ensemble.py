"""Several candidates as one: a weighted mean of their logarithms.

In: the expected counts of named members of the same experiment. Out: their weighted geometric mean, which keeps every
explanation a sum of logarithms.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from riskmodel.models.base import CountModel, offset_of

__all__ = ["Ensemble"]

Floats = npt.NDArray[np.float64]


class Ensemble(CountModel):
    """A candidate whose offset column is the combination of its members, with a score of zero.

    Parameters
    ----------
    members : sequence of str
        Names of other candidates of the experiment, at least two; not ensembles.
    weights : {"equal", "skill"}
        ``skill``: in inverse proportion to each member's Poisson deviance on the training window's last origins,
        forecast by a copy of the member that has learned from earlier origins only.
    last_origins : int
        How many of the newest training origins ``skill`` is measured on.

    Notes
    -----
    Inverse errors without correlations (Bates and Granger 1969): few origins cannot tell correlations. Members carry
    their own level and floor, so the ensemble has none of its own.
    """

    learns: ClassVar[bool] = False

    def __init__(self, members: Sequence[str] = (), weights: str = "equal", last_origins: int = 6) -> None:
        super().__init__(offset="")
        self.members = members
        self.weights = weights
        self.last_origins = last_origins

    def weigh(self, deviances: Sequence[float] | None) -> Self:
        """Settle the weights.

        Parameters
        ----------
        deviances : sequence of float, optional
            Each member's mean deviance on the origins held back; equal weights if absent or if one is 0.
        """
        count = len(self.members)
        shares = np.ones(count) if deviances is None else np.asarray(deviances, dtype=np.float64)
        shares = np.ones(count) if not (shares > 0).all() else 1.0 / shares
        self.weights_: Floats = shares / shares.sum()
        return self

    def combine(self, means: Sequence[Floats]) -> Floats:
        """The weighted geometric mean of the members' expected counts, in the order of ``members``.

        Examples
        --------
        >>> Ensemble(["a", "b"]).weigh(None).combine([np.array([2.0]), np.array([8.0])]).round(6).tolist()
        [4.0]
        """
        weighted = [share * np.log(mean) for share, mean in zip(self.weights_, means, strict=True)]
        return np.asarray(np.exp(np.sum(weighted, axis=0)), dtype=np.float64)

    def fit(
        self,
        X: npt.NDArray[np.float32],
        y: Floats,
        *,
        exposure: Floats | None = None,
        offset: Floats | None = None,
        scales: Sequence[str] | None = None,
        directions: Sequence[int] | None = None,
    ) -> Self:
        """Nothing to learn from rows: the members have learned."""
        return self

    def predict(
        self, X: npt.NDArray[np.float32], *, exposure: Floats | None = None, offset: Floats | None = None
    ) -> Floats:
        """The offset column itself, which is the members' combination."""
        return offset_of(X, exposure, offset)

    def save(self, folder: Path, stem: str) -> dict[str, Any]:
        """The weights; the members are stored as candidates of their own."""
        return {"settings": {**self.get_params(), "members": list(self.members)}, "weights_": self.weights_.tolist()}

    @classmethod
    def load(cls, folder: Path, stem: str, state: dict[str, Any]) -> Self:
        """From JSON."""
        model = cls(**state["settings"])
        model.weights_ = np.asarray(state["weights_"], dtype=np.float64)
        return model
