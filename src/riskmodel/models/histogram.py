"""scikit-learn's histogram gradient boosting with a Poisson loss: a second opinion on the trees of LightGBM."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from riskmodel.models.base import CountModel, checked_features, checked_rows, offset_of
from riskmodel.models.skops_file import read_skops, write_skops

__all__ = ["HistogramBoosting"]

Floats = npt.NDArray[np.float64]
_BINS, _ROWS = 255, 200_000


class HistogramBoosting(CountModel):
    """HistGradientBoostingRegressor with an offset.

    Parameters
    ----------
    trees, leaves, learning_rate, minimum_rows, penalty : numbers
        scikit-learn's max_iter, max_leaf_nodes, learning_rate, min_samples_leaf and l2_regularization.
    monotone : bool
        Hold every feature to the direction the catalogue expects; one without a direction stays free.
    offset, level : str
        As for every candidate: what the score is learned on top of, and where the level comes from.
    seed : int
        For the rows the histogram's edges are drawn from.

    Notes
    -----
    scikit-learn's trees take no offset; y / offset with weights ``offset`` has the same Poisson likelihood up to a
    constant, and the same gradients. ``minimum_rows`` still counts rows, whatever their weight. Values are put into
    bins of equally many rows here, because weighted quantiles take scikit-learn longer than the trees.
    """

    def __init__(
        self,
        trees: int = 150,
        leaves: int = 8,
        learning_rate: float = 0.05,
        minimum_rows: int = 100,
        penalty: float = 20.0,
        monotone: bool = False,
        offset: str = "exposure",
        level: str = "learned",
        seed: int = 20260401,
    ) -> None:
        super().__init__(offset, level)
        self.trees, self.leaves, self.learning_rate = trees, leaves, learning_rate
        self.minimum_rows, self.penalty, self.monotone, self.seed = minimum_rows, penalty, monotone, seed

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
        """Grow the trees on the rate over the offset."""
        from sklearn.ensemble import HistGradientBoostingRegressor
        from threadpoolctl import threadpool_limits

        X, y = checked_rows(self, X, y)
        offset = offset_of(X, exposure, offset)
        self.start_ = float(y.sum() / offset.sum())
        self.edges_ = [_edges(X[:, column]) for column in range(X.shape[1])]
        constraints = [int(d) for d in directions] if self.monotone and directions is not None else None
        model = HistGradientBoostingRegressor(
            loss="poisson",
            max_iter=self.trees,
            max_leaf_nodes=self.leaves,
            learning_rate=self.learning_rate,
            min_samples_leaf=self.minimum_rows,
            l2_regularization=self.penalty,
            monotonic_cst=constraints,
            categorical_features=None,
            early_stopping=False,
            random_state=self.seed,
        )
        expected = offset * self.start_
        with threadpool_limits(1):
            self.trees_ = model.fit(self._binned(X), y / expected, sample_weight=expected)
        return self

    def predict(
        self, X: npt.NDArray[np.float32], *, exposure: Floats | None = None, offset: Floats | None = None
    ) -> Floats:
        """Expected counts: offset x level x exp(sum of trees)."""
        X = checked_features(self, X)
        rate = self.start_ * self.trees_.predict(self._binned(X))
        return np.asarray(offset_of(X, exposure, offset) * rate, dtype=np.float64)

    def _binned(self, X: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float32]:
        """The bin of each value; a column without a value in training says nothing, then or later."""
        out = np.zeros(X.shape, dtype=np.float32)
        for column, edges in enumerate(self.edges_):
            if edges is not None:
                values = X[:, column]
                out[:, column] = np.where(np.isnan(values), np.nan, np.searchsorted(edges, values))
        return out

    def save(self, folder: Path, stem: str) -> dict[str, Any]:
        """The trees as a skops file, the rest as JSON."""
        write_skops(folder / f"{stem}.skops", self.trees_)
        return {
            "settings": dict(self.get_params()),
            "start_": self.start_,
            "edges_": [None if e is None else e.tolist() for e in self.edges_],
        }

    @classmethod
    def load(cls, folder: Path, stem: str, state: dict[str, Any]) -> Self:
        """From the skops file; no type is loaded that is not on the package's own list."""
        model = cls(**state["settings"])
        model.trees_ = read_skops(folder / f"{stem}.skops")
        model.start_ = float(state["start_"])
        model.edges_ = [None if e is None else np.asarray(e) for e in state["edges_"]]
        return model


def _edges(values: npt.NDArray[np.floating[Any]]) -> Floats | None:
    """Edges between bins of equally many rows, from at most 200,000 of them evenly spaced; None without a value."""
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    drawn = known[:: -(-len(known) // _ROWS)].astype(np.float64)
    return np.unique(np.quantile(drawn, np.linspace(0.0, 1.0, _BINS)[1:-1]))
