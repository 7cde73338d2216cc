"""An explainable boosting machine: one curve a factor, added up, so that the whole model can be drawn and read.

In: features, counts, an offset. Out: a score that is a sum of terms, each a step function of one feature (or of two,
where pairs are asked for). The library only learns the terms; they are kept, stored and read here as plain numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.errors import EnvironmentProblem
from riskmodel.models.base import CountModel, checked_features, checked_rows, offset_of

__all__ = ["ExplainableBoosting", "Term"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Term:
    """A step function of one or two features.

    Parameters
    ----------
    features : tuple of int
        Columns, one or two.
    cuts : tuple of array
        For each of them where its steps lie; a value on a cut belongs to the step above it.
    scores : array, one axis a feature
        Log-rate; index 0 is "not known", index 1 what lies below the first cut.
    """

    features: tuple[int, ...]
    cuts: tuple[Floats, ...]
    scores: Floats

    def at(self, X: Floats) -> Floats:
        """The term of each row."""
        steps = []
        for column, cuts in zip(self.features, self.cuts, strict=True):
            known = np.isfinite(X[:, column])
            steps.append(np.where(known, 1 + np.searchsorted(cuts, X[:, column], side="right"), 0))
        return np.asarray(self.scores[tuple(steps)], dtype=np.float64)

    def as_record(self) -> dict[str, Any]:
        """For JSON."""
        cuts = [held.tolist() for held in self.cuts]
        return {"features": list(self.features), "cuts": cuts, "scores": self.scores.tolist()}

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Self:
        """Read ``as_record``."""
        cuts = tuple(np.asarray(held, dtype=np.float64) for held in record["cuts"])
        return cls(tuple(record["features"]), cuts, np.asarray(record["scores"], dtype=np.float64))


class ExplainableBoosting(CountModel):
    """A generalised additive model grown by boosting, one feature at a time in turn (a glass box).

    Parameters
    ----------
    rounds : int
        How often every feature is visited; there is no early stopping. The default is for an offset that knows no past;
        beside one that does, such as ``shares_level``, 10 are enough and 80 learn noise (docs/decisions/0018).
    learning_rate, leaves, minimum_rows, penalty : numbers
        interpret's learning_rate, max_leaves, min_samples_leaf and reg_lambda.
    smoothing : int
        How many of the first rounds cut at random places, which makes curves smoother.
    bins : int
        At most so many steps a feature.
    pairs : int
        How many pairs of features get a term of their own; with 0 each feature is one curve.
    monotone : bool
        Hold every feature to the direction the catalogue expects; one without a direction stays free.
    offset, level : str
        What the score starts from (``init_score = log(offset)``), and where the level comes from.
    seed : int
        For the places of the random cuts.

    Notes
    -----
    Lou, Caruana and Gehrke (2012); Lou and others (2013) for pairs; the library is InterpretML's (Nori and others
    2019). Rows held back for early stopping would be other months of the same places, so they could not tell when to
    stop: the rounds are fixed, and all rows are learned from at once. Features take turns, so that those that go
    together share what they explain. The library adds in single precision: another machine agrees to about 1e-6.
    """

    def __init__(
        self,
        rounds: int = 120,
        learning_rate: float = 0.05,
        leaves: int = 3,
        minimum_rows: int = 100,
        penalty: float = 20.0,
        smoothing: int = 50,
        bins: int = 64,
        pairs: int = 0,
        monotone: bool = False,
        offset: str = "exposure",
        level: str = "learned",
        seed: int = 20260401,
    ) -> None:
        super().__init__(offset, level)
        self.rounds, self.learning_rate, self.leaves, self.minimum_rows = rounds, learning_rate, leaves, minimum_rows
        self.penalty, self.smoothing, self.bins, self.pairs = penalty, smoothing, bins, pairs
        self.monotone, self.seed = monotone, seed

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
        """Grow the terms from the offset.

        Raises
        ------
        EnvironmentProblem
            If the library that grows them is not installed.
        """
        X, y = checked_rows(self, X, y)
        offset = offset_of(X, exposure, offset)
        held = X.astype(np.float64, order="C")
        # A column without a value says nothing; one value for all rows says the same.
        held[:, np.isnan(held).all(axis=0)] = 0.0
        self.start_ = float(np.log(y.sum() / offset.sum()))
        library = self._library(held.shape[1], directions)
        library.fit(held, y, init_score=np.log(offset) + self.start_)
        self.intercept_ = self.start_ + float(library.intercept_)
        self.terms_ = [
            _term(tuple(features), library.bins_, scores)
            for features, scores in zip(library.term_features_, library.term_scores_, strict=True)
        ]
        return self

    def _library(self, columns: int, directions: Sequence[int] | None) -> Any:
        monotone = [int(d) for d in directions] if self.monotone and directions is not None else None
        return _regressor()(
            objective="poisson_deviance",
            feature_types=["continuous"] * columns,
            interactions=min(self.pairs, columns * (columns - 1) // 2),
            max_bins=self.bins,
            max_interaction_bins=min(self.bins, 16),
            max_rounds=self.rounds,
            learning_rate=self.learning_rate,
            max_leaves=self.leaves,
            min_samples_leaf=self.minimum_rows,
            reg_lambda=self.penalty,
            smoothing_rounds=self.smoothing,
            interaction_smoothing_rounds=self.smoothing,
            greedy_ratio=0.0,
            cyclic_progress=True,
            monotone_constraints=monotone,
            outer_bags=1,
            validation_size=0,
            early_stopping_rounds=0,
            random_state=self.seed % 2**31,
            n_jobs=1,
        )

    def predict(
        self, X: npt.NDArray[np.float32], *, exposure: Floats | None = None, offset: Floats | None = None
    ) -> Floats:
        """Expected counts: offset x exp(sum of terms)."""
        X = checked_features(self, X)
        held = X.astype(np.float64)
        score = np.full(len(held), self.intercept_)
        for term in self.terms_:
            score += term.at(held)
        return np.asarray(offset_of(X, exposure, offset) * np.exp(score), dtype=np.float64)

    def contributions(self, X: npt.NDArray[np.float32]) -> tuple[float, Floats]:
        """What every row starts from, and each feature's part of its score.

        Parameters
        ----------
        X : array [row, feature]

        Returns
        -------
        base : float
        features : array [row, feature]
            Log-rate. Terms are 0 in the mean over the training rows, so a curve is its feature's Shapley value; a
            pair's term goes to both features in halves.
        """
        held = np.asarray(checked_features(self, X), dtype=np.float64)
        features = np.zeros(held.shape)
        for term in self.terms_:
            features[:, list(term.features)] += (term.at(held) / len(term.features))[:, None]
        return self.intercept_, features

    def save(self, folder: Path, stem: str) -> dict[str, Any]:
        """Every term fits into JSON."""
        terms = [term.as_record() for term in self.terms_]
        return {"settings": dict(self.get_params()), "intercept_": self.intercept_, "terms_": terms}

    @classmethod
    def load(cls, folder: Path, stem: str, state: dict[str, Any]) -> Self:
        """From JSON; the library is not needed."""
        model = cls(**state["settings"])
        model.intercept_ = float(state["intercept_"])
        model.terms_ = [Term.from_record(record) for record in state["terms_"]]
        return model


def _term(features: tuple[int, ...], bins: Sequence[Sequence[Floats]], scores: Floats) -> Term:
    """A term as the library keeps it: coarser steps for pairs, and a last index for what is no number, left out."""
    cuts = tuple(np.asarray(bins[f][min(len(bins[f]), len(features)) - 1], dtype=np.float64) for f in features)
    return Term(features, cuts, np.asarray(scores, dtype=np.float64)[(slice(-1),) * len(features)].copy())


def _regressor() -> Any:
    import warnings

    try:
        from interpret.glassbox import ExplainableBoostingRegressor
    except ImportError as error:
        raise EnvironmentProblem(
            "the model explainable_boosting needs a library that is not installed",
            found="no interpret-core",
            hint='install it: python -m pip install "riskmodel[glassbox]", or take the model out of the experiment',
        ) from error
    # Its pictures show no missing values; those here do. A filter and no context, which threads would share.
    warnings.filterwarnings("ignore", message="Missing values detected", category=UserWarning)
    return ExplainableBoostingRegressor
