"""A ridge Poisson regression on logarithms of the count features: small, stable, readable."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from riskmodel.models.base import CountModel, checked_features, checked_rows, offset_of

__all__ = ["PoissonRidge"]

Floats = npt.NDArray[np.float64]
# A column this many times as wide needs a coefficient as many times as small, so the ridge all but lets it be.
_FREE = 100.0


class PoissonRidge(CountModel):
    """scikit-learn's PoissonRegressor with an offset.

    Count features enter as log(x + ``plus``), ratios as log(x); all are standardised. A missing value takes the
    training median and, where a column had any missing in training, an indicator of its own; how many values that
    were is kept in ``imputed_`` for the quality report.

    Parameters
    ----------
    alpha : float
        Ridge penalty on standardised coefficients.
    plus : float
        Added to counts before the logarithm, in records a month.
    free : sequence of str
        Features whose coefficients are not held back, by their names; one that the training set lacks is left aside.
        An area's own past says more of it than any one of a hundred factors, and a penalty that suits those leaves
        the past too little say.
    offset, level : str
        As for every candidate: what the score is learned on top of, and where the level comes from.

    Notes
    -----
    scikit-learn's regressor has no offset argument; fitting y / offset with weights ``offset`` has the same
    likelihood up to a constant. Nor has it a penalty for each column; widening a column stands for it.
    """

    def __init__(
        self,
        alpha: float = 1.0,
        plus: float = 0.25,
        offset: str = "rolling_12",
        level: str = "offset",
        free: Sequence[str] = (),
    ) -> None:
        super().__init__(offset, level)
        self.alpha = alpha
        self.plus = plus
        self.free = free

    def fit(
        self,
        X: npt.NDArray[np.float32],
        y: Floats,
        *,
        exposure: Floats | None = None,
        offset: Floats | None = None,
        scales: Sequence[str] | None = None,
        directions: Sequence[int] | None = None,
        names: Sequence[str] | None = None,
    ) -> Self:
        """Learn medians, scaling and coefficients; ``names`` of the columns are needed where some are free."""
        from sklearn.linear_model import PoissonRegressor

        X, y = checked_rows(self, X, y)
        free = [column for column, name in enumerate(names or ()) if name in self.free]
        self.scales_ = tuple(scales) if scales is not None else ("plain",) * X.shape[1]
        offset = offset_of(X, exposure, offset)
        shaped = self._shape(X)
        absent = ~np.isfinite(shaped)
        self.imputed_ = int(absent.sum())
        self.indicators_ = np.flatnonzero(absent.any(axis=0) & ~absent.all(axis=0))
        all_absent = absent.all(axis=0)
        shaped[:, all_absent] = 0.0
        self.medians_ = np.where(all_absent, 0.0, np.nanmedian(shaped, axis=0))
        filled = self._fill(shaped)
        self.mean_ = filled.mean(axis=0)
        spread = filled.std(axis=0)
        self.spread_ = np.where(spread > 1e-9, spread, 1.0)
        width = np.ones(filled.shape[1])
        width[free] = _FREE
        model = PoissonRegressor(alpha=self.alpha, solver="newton-cholesky", max_iter=1000, tol=1e-6)
        level = y.sum() / offset.sum()
        scaled = (filled - self.mean_) / self.spread_ * width
        model.fit(scaled, y / (offset * level), sample_weight=offset * level)
        self.coefficients_ = np.asarray(model.coef_ * width, dtype=np.float64)
        self.intercept_ = float(model.intercept_ + np.log(level))
        return self

    def predict(
        self, X: npt.NDArray[np.float32], *, exposure: Floats | None = None, offset: Floats | None = None
    ) -> Floats:
        """Expected counts."""
        X = checked_features(self, X)
        filled = self._fill(self._shape(X))
        score = ((filled - self.mean_) / self.spread_) @ self.coefficients_ + self.intercept_
        return np.asarray(offset_of(X, exposure, offset) * np.exp(score), dtype=np.float64)

    def _shape(self, X: npt.NDArray[np.floating[Any]]) -> Floats:
        # One memory layout, because products of the same numbers in another layout differ in their last bit.
        shaped = X.astype(np.float64, order="C")
        for column, scale in enumerate(self.scales_):
            if scale == "count":
                shaped[:, column] = np.log(shaped[:, column] + self.plus)
            elif scale == "ratio":
                positive = np.where(shaped[:, column] > 0, shaped[:, column], np.nan)
                shaped[:, column] = np.log(positive)
        return shaped

    def _fill(self, shaped: Floats) -> Floats:
        absent = ~np.isfinite(shaped)
        filled = np.where(absent, self.medians_, shaped)
        return np.hstack([filled, absent[:, self.indicators_].astype(np.float64)])

    def save(self, folder: Path, stem: str) -> dict[str, Any]:
        """Everything learned fits into JSON."""
        arrays = ("indicators_", "medians_", "mean_", "spread_", "coefficients_")
        return {
            "alpha": self.alpha,
            "plus": self.plus,
            "offset": self.offset,
            "level": self.level,
            "free": list(self.free),
            "scales_": list(self.scales_),
            "intercept_": self.intercept_,
            **{name: getattr(self, name).tolist() for name in arrays},
        }

    @classmethod
    def load(cls, folder: Path, stem: str, state: dict[str, Any]) -> Self:
        """From JSON."""
        model = cls(state["alpha"], state["plus"], state["offset"], state["level"], state.get("free") or ())
        model.scales_ = tuple(state["scales_"])
        model.intercept_ = float(state["intercept_"])
        model.indicators_ = np.asarray(state["indicators_"], dtype=np.int64)
        for name in ("medians_", "mean_", "spread_", "coefficients_"):
            setattr(model, name, np.asarray(state[name], dtype=np.float64))
        return model
