"""LightGBM with a Poisson objective, from scratch or started from a baseline through the offset column."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from riskmodel.models.base import CountModel, offset_of

if TYPE_CHECKING:
    import lightgbm as lgb

__all__ = ["LightGbmPoisson"]

Floats = npt.NDArray[np.float64]


class LightGbmPoisson(CountModel):
    """Gradient-boosted trees on the log-rate scale, deterministic.

    Parameters
    ----------
    trees, leaves, learning_rate, minimum_rows, penalty, feature_share : numbers
        LightGBM's n_estimators, num_leaves, learning_rate, min_data_in_leaf, lambda_l2 and feature_fraction.
    offset, level : str
        What the score starts from (``init_score = log(offset)``), and where the level comes from.
    seed : int
        For the choice of features per tree.

    Notes
    -----
    One thread, row-wise histograms and ``deterministic``: the same rows give the same trees to the last bit; the
    package spreads work over origins and horizons instead. Shrunken leaves leave the level a little short of what was
    recorded in the training rows; the level correction of every candidate mends it.
    """

    def __init__(
        self,
        trees: int = 150,
        leaves: int = 8,
        learning_rate: float = 0.05,
        minimum_rows: int = 100,
        penalty: float = 20.0,
        feature_share: float = 0.7,
        offset: str = "exposure",
        level: str = "learned",
        seed: int = 20260401,
    ) -> None:
        super().__init__(offset, level)
        self.trees, self.leaves, self.learning_rate = trees, leaves, learning_rate
        self.minimum_rows, self.penalty, self.feature_share, self.seed = minimum_rows, penalty, feature_share, seed

    def parameters(self) -> dict[str, Any]:
        """LightGBM's own parameters."""
        return {
            "objective": "poisson",
            "num_leaves": self.leaves,
            "learning_rate": self.learning_rate,
            "min_data_in_leaf": self.minimum_rows,
            "lambda_l2": self.penalty,
            "feature_fraction": self.feature_share,
            "poisson_max_delta_step": 0.7,
            "boost_from_average": False,
            "seed": self.seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbosity": -1,
        }

    def fit(
        self,
        X: npt.NDArray[np.float32],
        y: Floats,
        *,
        exposure: Floats | None = None,
        offset: Floats | None = None,
        scales: Sequence[str] | None = None,
    ) -> Self:
        """Grow the trees from the offset."""
        import lightgbm as lgb

        offset = offset_of(X, exposure, offset)
        self.start_ = float(np.log(y.sum() / offset.sum()))
        start = np.log(offset) + self.start_
        columns = [f"f{index}" for index in range(X.shape[1])]
        data = lgb.Dataset(X, label=y, init_score=start, feature_name=columns, params={"verbosity": -1})
        self.booster_: lgb.Booster = lgb.train(self.parameters(), data, num_boost_round=self.trees)
        return self

    def predict(
        self, X: npt.NDArray[np.float32], *, exposure: Floats | None = None, offset: Floats | None = None
    ) -> Floats:
        """Expected counts: offset x exp(sum of trees)."""
        score = self.start_ + np.asarray(self.booster_.predict(X, raw_score=True, num_threads=1))
        return np.asarray(offset_of(X, exposure, offset) * np.exp(score), dtype=np.float64)

    def save(self, folder: Path, stem: str) -> dict[str, Any]:
        """The trees as LightGBM's text, the rest as JSON."""
        text = self.booster_.model_to_string()
        (folder / f"{stem}.lightgbm.txt").write_text(text, encoding="utf-8", newline="\n")
        return {"offset": self.offset, "level": self.level, "start_": self.start_, "seed": self.seed}

    @classmethod
    def load(cls, folder: Path, stem: str, state: dict[str, Any]) -> Self:
        """From LightGBM's text."""
        import lightgbm as lgb

        model = cls(offset=state["offset"], level=state["level"], seed=state["seed"])
        model.booster_ = lgb.Booster(model_str=(folder / f"{stem}.lightgbm.txt").read_text(encoding="utf-8"))
        model.start_ = float(state["start_"])
        return model
