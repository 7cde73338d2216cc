"""LightGBM with a Poisson or Tweedie objective, from scratch or started from a baseline through the offset column."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.errors import DefinitionError
from riskmodel.models.base import CountModel, checked_features, checked_rows, offset_of

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
    objective : {"poisson", "tweedie"}
        Poisson: variance in proportion to the mean. Tweedie: to the mean to the power ``variance_power``.
    variance_power : float
        Between 1 (Poisson) and 2 (gamma), both excluded; of Tweedie only.
    monotone : bool
        Hold every feature to the direction the catalogue expects; one without a direction stays free.

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
        objective: str = "poisson",
        variance_power: float = 1.5,
        monotone: bool = False,
    ) -> None:
        super().__init__(offset, level)
        self.objective, self.variance_power, self.monotone = objective, variance_power, monotone
        self.trees, self.leaves, self.learning_rate = trees, leaves, learning_rate
        self.minimum_rows, self.penalty, self.feature_share, self.seed = minimum_rows, penalty, feature_share, seed

    def parameters(self, directions: Sequence[int] = ()) -> dict[str, Any]:
        """LightGBM's own parameters."""
        return {
            **self._loss(),
            **({"monotone_constraints": list(directions)} if self.monotone and any(directions) else {}),
            "num_leaves": self.leaves,
            "learning_rate": self.learning_rate,
            "min_data_in_leaf": self.minimum_rows,
            "lambda_l2": self.penalty,
            "feature_fraction": self.feature_share,
            "boost_from_average": False,
            "seed": self.seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbosity": -1,
        }

    def _loss(self) -> dict[str, Any]:
        if self.objective == "poisson":
            return {"objective": "poisson", "poisson_max_delta_step": 0.7}
        if self.objective != "tweedie":
            raise DefinitionError(f"lightgbm: unknown objective '{self.objective}'", allowed=["poisson", "tweedie"])
        if not 1.0 < self.variance_power < 2.0:
            raise DefinitionError(
                "lightgbm: variance_power lies outside its range",
                found=self.variance_power,
                allowed="between 1 and 2, both excluded",
            )
        return {"objective": "tweedie", "tweedie_variance_power": self.variance_power}

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
        """Grow the trees from the offset."""
        import lightgbm as lgb

        X, y = checked_rows(self, X, y)
        offset = offset_of(X, exposure, offset)
        self.start_ = float(np.log(y.sum() / offset.sum()))
        start = np.log(offset) + self.start_
        columns = [f"f{index}" for index in range(X.shape[1])]
        parameters = self.parameters(directions or ())
        data = lgb.Dataset(X, label=y, init_score=start, feature_name=columns, params={"verbosity": -1})
        self.booster_: lgb.Booster = lgb.train(parameters, data, num_boost_round=self.trees)
        return self

    def predict(
        self, X: npt.NDArray[np.float32], *, exposure: Floats | None = None, offset: Floats | None = None
    ) -> Floats:
        """Expected counts: offset x exp(sum of trees)."""
        X = checked_features(self, X)
        score = self.start_ + np.asarray(self.booster_.predict(X, raw_score=True, num_threads=1))
        return np.asarray(offset_of(X, exposure, offset) * np.exp(score), dtype=np.float64)

    def save(self, folder: Path, stem: str) -> dict[str, Any]:
        """The trees as LightGBM's text, the rest as JSON."""
        text = self.booster_.model_to_string()
        (folder / f"{stem}.lightgbm.txt").write_text(text, encoding="utf-8", newline="\n")
        return {"settings": dict(self.get_params()), "start_": self.start_}

    @classmethod
    def load(cls, folder: Path, stem: str, state: dict[str, Any]) -> Self:
        """From LightGBM's text."""
        import lightgbm as lgb

        model = cls(**state["settings"])
        model.booster_ = lgb.Booster(model_str=(folder / f"{stem}.lightgbm.txt").read_text(encoding="utf-8"))
        model.start_ = float(state["start_"])
        return model
