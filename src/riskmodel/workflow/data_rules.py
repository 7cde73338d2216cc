"""The rules behind the data contracts: in go numbers, out comes a verdict with its reason in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.periods import month_label, month_number
from riskmodel.contracts.specs import FactorSpec

__all__ = [
    "Bounds",
    "Coverage",
    "bounds_of",
    "judge_coverage",
    "judge_drift",
    "judge_range",
    "missing_months",
    "odd_months",
    "rank_correlation",
]

Floats = npt.NDArray[np.float64]
Verdict = tuple[Literal["problem", "look", "fine"], str, str]

_ENOUGH = 20.0
_LOW, _HIGH = 0.5, 2.0
_FULL = 0.95
_UNLIKE = 0.5
_AROUND = 3


@dataclass(frozen=True)
class Bounds:
    """What a factor's unit promises of its values."""

    low: float
    high: float
    said: str

    def judge_units(self, values: Floats) -> Verdict:
        """Whether the values look like the other way of writing a share: 0 to 1, or per cent."""
        held = values[np.isfinite(values)]
        largest = float(held.max()) if len(held) else 0.0
        if self.high == 1.0 and 1.0 < largest <= 100.0:
            return "problem", f"{largest:g}", "values above 1 where 0 to 1 is declared: they look like per cent"
        if self.high == 100.0 and 0.0 < largest <= 1.0:
            return "look", f"{largest:g}", "no value above 1 where per cent is declared: they look like shares of 1"
        return "fine", f"{largest:g}", f"the largest value fits the unit ({self.said})"


def bounds_of(factor: FactorSpec) -> Bounds:
    """What a factor's declared unit says of its range.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> bounds_of(SimpleNamespace(unit="per cent of residents", per="residents", of=100)).high
    100.0
    """
    unit = factor.unit.lower()
    if "per cent" in unit or "percentage" in unit or "%" in unit:
        return Bounds(0.0, 100.0, "0 to 100 per cent")
    if unit.startswith(("percentile", "share", "proportion")):
        return Bounds(0.0, 1.0, "0 to 1")
    if any(word in unit for word in ("index", "score", "points", "difference", "change")):
        return Bounds(-np.inf, np.inf, "any number")
    return Bounds(0.0, np.inf, "0 or more")


def judge_range(values: Floats, bounds: Bounds) -> Verdict:
    """Whether every value that is held lies within what its unit allows."""
    held = values[np.isfinite(values)]
    if not len(held):
        return "problem", "0", "no value of any area of the region"
    # A rate made of two counts that were both changed against disclosure may pass its bound by a hair.
    slack = 1e-9 * max(1.0, abs(bounds.high)) if np.isfinite(bounds.high) else 0.0
    outside = int(((held < bounds.low) | (held > bounds.high + slack)).sum())
    found = f"{held.min():g} to {held.max():g}"
    if outside:
        return "problem", found, f"{outside} of {len(held)} values lie outside {bounds.said}"
    return "fine", found, f"{len(held)} values, all within {bounds.said}"


@dataclass(frozen=True)
class Coverage:
    """How many areas have a value, in all and in the districts where too few have."""

    overall: Verdict
    low: dict[int, Verdict]


def judge_coverage(held: npt.NDArray[np.bool_], district: npt.NDArray[np.intp], districts: int) -> Coverage:
    """Judge the region, and name each district with a value for less than 95 per cent of its areas, or for none.

    Examples
    --------
    >>> judged = judge_coverage(np.array([True, True, False, False]), np.array([0, 0, 1, 1]), 2)
    >>> judged.overall[0], judged.low[1][1]
    ('look', '0 of 2')
    """
    areas = np.bincount(district, minlength=districts)
    with_value = np.bincount(district, weights=held, minlength=districts)
    low: dict[int, Verdict] = {}
    for index in np.flatnonzero(with_value < _FULL * areas):
        severe = with_value[index] == 0
        found = f"{int(with_value[index])} of {int(areas[index])}"
        low[int(index)] = ("problem" if severe else "look", found, "areas of this district that have a value")
    total, size = int(held.sum()), len(held)
    overall: Verdict = ("look" if low else "fine", f"{total} of {size}", "areas of the region that have a value")
    return Coverage(overall, low)


def judge_drift(old: Floats, new: Floats) -> Verdict:
    """Whether two vintages of one measure still rank the areas alike and lie at the same level."""
    both = np.isfinite(old) & np.isfinite(new)
    if both.sum() < _ENOUGH:
        return "look", str(int(both.sum())), "too few areas have a value in both vintages to compare them"
    correlation = rank_correlation(old[both], new[both])
    low, middle, high = np.quantile(old[both], [0.25, 0.5, 0.75])
    moved = float(np.median(new[both]) - middle)
    spread = float(high - low)
    found = f"rank correlation {correlation:.2f}, median {middle:g} then {middle + moved:g}"
    if correlation < 0:
        return "problem", found, "the newer vintage ranks the areas the other way round"
    if correlation < _UNLIKE:
        return "look", found, "the vintages rank the areas differently"
    if abs(moved) > spread:
        return "look", found, "the median moved by more than the middle half of the areas spans"
    return "fine", found, "both vintages rank the areas alike, at a like level"


def rank_correlation(one: Floats, other: Floats) -> float:
    """Spearman's rank correlation of the areas that have both values; ties share a rank; NaN where one is constant.

    Examples
    --------
    >>> rank_correlation(np.array([1.0, 2.0, 3.0, np.nan]), np.array([10.0, 30.0, 20.0, 5.0]))
    0.5
    """
    from scipy.stats import rankdata

    both = np.isfinite(one) & np.isfinite(other)
    if both.sum() < 2:
        return float("nan")
    a, b = rankdata(one[both]), rankdata(other[both])
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0 else float("nan")


def missing_months(held: Sequence[str]) -> list[str]:
    """The months between the first and the last that are not held.

    Examples
    --------
    >>> missing_months(["2024-12", "2025-03"])
    ['2025-01', '2025-02']
    """
    numbers = {month_number(label) for label in held}
    return [month_label(m) for m in range(min(numbers), max(numbers)) if m not in numbers] if numbers else []


def odd_months(months: Sequence[str], totals: Floats) -> list[tuple[str, float, float]]:
    """Months with less than half, or more than twice, the median of the months held up to three before and after.

    Measures with a median below 20 a month are left out: there, halves and doubles are chance.

    Returns
    -------
    list of (month, its total, the median of the months around it)

    Examples
    --------
    >>> odd_months(["2025-01", "2025-02", "2025-03", "2025-04"], np.array([100.0, 90.0, 30.0, 110.0]))
    [('2025-03', 30.0, 100.0)]
    """
    at = np.array([month_number(label) for label in months])
    found = []
    for index, month in enumerate(at):
        around = totals[(np.abs(at - month) <= _AROUND) & (at != month)]
        middle = float(np.median(around)) if len(around) >= 2 else 0.0
        if middle >= _ENOUGH and not _LOW * middle <= totals[index] <= _HIGH * middle:
            found.append((months[index], float(totals[index]), middle))
    return found
