"""A model small enough to be read in a minute: bands of the first feature, each with a rate of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np

from riskmodel.models.base import CountModel, checked_features, checked_rows, offset_of

__all__ = ["BandedRates"]


class BandedRates(CountModel):
    """Recorded over expected in bands of the first feature, drawn towards the whole.

    Parameters
    ----------
    bands : int
        How many bands of about as many rows; rows whose feature is not known are a further one.
    prior : float
        Records' worth of the overall rate that every band starts with.
    offset, level : str
        As for every model: what the score starts from, and where the level comes from.
    """

    def __init__(self, bands: int = 5, prior: float = 20.0, offset: str = "rolling_12", level: str = "offset") -> None:
        super().__init__(offset, level)
        self.bands, self.prior = bands, prior

    def fit(
        self,
        X: Any,
        y: Any,
        *,
        exposure: Any = None,
        offset: Any = None,
        scales: Any = None,
        directions: Any = None,
    ) -> Self:
        """Edges from the feature, rates from what was recorded over the offset."""
        X, y = checked_rows(self, X, y)
        offset = offset_of(X, exposure, offset)
        known = X[np.isfinite(X[:, 0]), 0]
        shares = np.linspace(0, 1, self.bands + 1)[1:-1]
        self.edges_ = np.quantile(known, shares).astype(np.float64) if len(known) else np.empty(0)
        band = self._band(X)
        overall = y.sum() / offset.sum()
        recorded = np.bincount(band, y, self.bands + 1) + self.prior
        self.rates_ = overall * recorded / (overall * np.bincount(band, offset, self.bands + 1) + self.prior)
        return self

    def predict(self, X: Any, *, exposure: Any = None, offset: Any = None) -> Any:
        """The offset times the rate of the row's band."""
        X = checked_features(self, X)
        return np.asarray(offset_of(X, exposure, offset) * self.rates_[self._band(X)], dtype=np.float64)

    def _band(self, X: Any) -> Any:
        first = X[:, 0].astype(np.float64)
        return np.where(np.isfinite(first), np.searchsorted(self.edges_, first), self.bands)

    def save(self, folder: Path, stem: str) -> dict[str, Any]:
        """Everything fits into JSON."""
        return {"settings": self.get_params(), "edges_": self.edges_.tolist(), "rates_": self.rates_.tolist()}

    @classmethod
    def load(cls, folder: Path, stem: str, state: dict[str, Any]) -> Self:
        """From JSON."""
        model = cls(**state["settings"])
        model.edges_, model.rates_ = np.asarray(state["edges_"]), np.asarray(state["rates_"])
        return model
