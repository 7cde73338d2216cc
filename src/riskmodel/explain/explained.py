"""One model's forecasts as terms, dense: what every page and table about explanation is made from.

In: terms [horizon, area, term] and what each belongs to. Out: ``Explained``; its ``frame`` is the ``attributions``
table, its sums by factor or domain feed the ledgers, the stability marks and the comparison of groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.errors import DefinitionError
from riskmodel.contracts.explain_tables import ATTRIBUTIONS
from riskmodel.contracts.periods import month_start
from riskmodel.features.catalogue import ResolvedFeature
from riskmodel.features.transforms import Month, Season

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TERMS", "Explained", "FeatureLine", "centred", "feature_lines", "sums_by"]

Floats = npt.NDArray[np.float64]

TERMS = ("base", "offset", "level", "floor")
"""The terms that belong to no feature, in their order before the features."""
_THIRDS = ("", "low", "middle", "high")


@dataclass(frozen=True)
class FeatureLine:
    """What a feature is made of; ``kind`` is history, season, residents or factor."""

    label: str
    factor: str
    domain: str
    role: str
    direction: int
    kind: str


def feature_lines(features: Sequence[ResolvedFeature], names: Sequence[str]) -> tuple[FeatureLine, ...]:
    """The lines of some features, in the order of their names.

    Raises
    ------
    DefinitionError
        If a feature bears the name of a term that is no feature.
    """
    clash = [name for name in names if name in TERMS]
    if clash:
        raise DefinitionError(
            "a feature has the name of a term of every forecast", found=clash, hint="give the feature another name"
        )
    held = {f.label: f for f in features}
    return tuple(
        FeatureLine(
            name, held[name].factor, held[name].domain, held[name].role, held[name].direction, _kind(held[name])
        )
        for name in names
    )


def _kind(feature: ResolvedFeature) -> str:
    if isinstance(feature.transform, (Season, Month)):
        return "season"
    if feature.domain == "people":
        return "residents"
    return "history" if "history" in (feature.domain, feature.role) else "factor"


@dataclass(frozen=True, eq=False)
class Explained:
    """One model's forecasts from one origin.

    Parameters
    ----------
    model_id : str
    origin : int
        The month the forecasts were made as of.
    target : str
        With its version.
    areas : array of str, [area]
    population : array [area]
        Usual residents: the weight of an area wherever areas are averaged.
    horizons : tuple of int
    features : tuple of FeatureLine, [feature]
    starts_from : str
        What the offset is: ``exposure``, the name of a baseline, ``itself`` (a baseline), or ``several``.
    values : array [horizon, area, feature]
        Float32; NaN where not known.
    terms : array [horizon, area, term]
        Log records a month; the terms of ``TERMS`` first, then one a feature. They add up to the log of the mean.
    """

    model_id: str
    origin: int
    target: str
    areas: npt.NDArray[np.str_]
    population: Floats
    horizons: tuple[int, ...]
    features: tuple[FeatureLine, ...]
    starts_from: str
    values: npt.NDArray[np.float32]
    terms: Floats

    @property
    def labels(self) -> tuple[str, ...]:
        """The name of each term."""
        return (*TERMS, *(line.label for line in self.features))

    @property
    def mean(self) -> Floats:
        """Expected records a month, [horizon, area]."""
        return np.asarray(np.exp(self.terms.sum(axis=2)), dtype=np.float64)

    def term(self, name: str) -> Floats:
        """One of ``TERMS``, [horizon, area]."""
        return self.terms[:, :, TERMS.index(name)]

    @property
    def of_features(self) -> Floats:
        """The features' terms alone, [horizon, area, feature]."""
        return self.terms[:, :, len(TERMS) :]

    def frame(self) -> pd.DataFrame:
        """The ``attributions`` table: the model's own terms have a blank factor and domain and the role ``model``."""
        import pandas as pd

        from riskmodel.contracts.tables import as_table

        shape = self.terms.shape
        horizon, area, term = (index.reshape(-1) for index in np.indices(shape))
        apart = len(TERMS)
        parts = {
            "factor": ["", *(line.factor for line in self.features)],
            "domain": ["", *(line.domain for line in self.features)],
            "role": ["model", *(line.role for line in self.features)],
        }
        of_feature = np.maximum(term - apart + 1, 0)
        named = {name: pd.Series(values, dtype="str").take(of_feature).array for name, values in parts.items()}
        thirds = np.zeros(shape, dtype=np.intp)
        thirds[:, :, apart:] = _thirds(self.values)
        named["third"] = pd.Series(_THIRDS, dtype="str").take(thirds.reshape(-1)).array
        frame = pd.DataFrame(
            {
                "model_id": self.model_id,
                "origin_date": np.datetime64(month_start(self.origin), "s"),
                "target": self.target,
                "horizon": np.asarray(self.horizons)[horizon],
                "level": "lsoa21",
                "location": pd.Series(self.areas, dtype="str").take(area).array,
                "feature": pd.Series(self.labels, dtype="str").take(term).array,
                **named,
                "value": self.terms.reshape(-1),
            }
        )
        return as_table(frame, ATTRIBUTIONS, check_key=False)


def _thirds(values: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
    """In which third of the places each value lies [horizon, area, feature]: 1 to 3; 0 where it is not known.

    Many equal values are never cut apart: where one value fills more than a third, it is the middle.
    """
    ordered = np.sort(values, axis=1)
    last = np.maximum(np.isfinite(values).sum(axis=1, keepdims=True) - 1, 0)
    lower, upper = (np.take_along_axis(ordered, at, axis=1) for at in (last // 3, last - last // 3))
    found = np.where(np.isfinite(values), 2, 0)
    found[(values <= lower) & (values < upper)] = 1
    found[(values >= upper) & (values > lower)] = 3
    return found


def centred(terms: Floats, weights: Floats) -> Floats:
    """Terms [..., area, part] less their weighted mean over the areas: what sets each place apart."""
    mean = np.einsum("...ap,a->...p", terms, weights / weights.sum())
    return np.asarray(terms - mean[..., None, :], dtype=np.float64)


def sums_by(terms: npt.NDArray[np.floating], parts: Sequence[str]) -> tuple[tuple[str, ...], Floats]:
    """Signed sums [..., part] of terms [..., feature] by what each feature belongs to, in order of appearance.

    Examples
    --------
    >>> sums_by(np.array([[0.5, -0.2, 0.1]]), ["society", "people", "society"])[1].round(6).tolist()
    [[0.6, -0.2]]
    """
    names = tuple(dict.fromkeys(parts))
    member = np.zeros((len(parts), len(names)))
    member[np.arange(len(parts)), [names.index(part) for part in parts]] = 1.0
    return names, np.asarray(terms @ member, dtype=np.float64)
