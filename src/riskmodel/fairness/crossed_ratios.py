"""Calibration where characteristics meet: estimates of who lives where in, the ``intersections`` table out.

Each cell has its point estimate and the least and greatest ratio that what is known allows. Where the verdict is not
the same at all three, the cell is marked as depending on the estimate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.audit_tables import INTERSECTIONS
from riskmodel.contracts.tables import as_table
from riskmodel.fairness.bounds import MARGINS_ALONE, RatioBounds, people_bounds, ratio_bounds
from riskmodel.fairness.intersections import Crossing

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["KNOWLEDGE", "DistrictTotals", "Judge", "build_intersections"]

Floats = npt.NDArray[np.float64]
Judge = Callable[[Floats, int], Sequence[str]]
"""The verdict on each of several groups, given people [area, group] and the number of the model."""
KNOWLEDGE = ("independent", "margins", "band", "band and districts")
# Evidence thins out towards the ends, where a group is held to live in few areas: half way is looked at too.
_ALONG = (0.5, 1.0)
_NO_DISTRICTS = "no table of these characteristics together is held for districts"
_UNBOUNDED = "no upper end: the group could live only where nothing was recorded"
_NOTHING = "nothing was recorded where the group can live"
_RESTS_ON = {
    "margins": "the margins of each area alone",
    "band": "the margins of each area and the policy's band for how closely characteristics go together",
    "band and districts": "the same, and the districts' totals of the joint table",
}
_EXACT = "the margins tell it exactly"
_CONTRADICTED = "the districts' totals lie outside the band: the two cannot both hold"


@dataclass(frozen=True, eq=False)
class DistrictTotals:
    """People of each cell in each district, [cell, district], with the district of each area; NaN where not known."""

    district: npt.NDArray[np.intp]
    people: Floats


def build_intersections(
    crossing: Crossing,
    models: Sequence[str],
    mean: Floats,
    observed: Floats,
    *,
    band: Sequence[float],
    judge: Judge,
    districts: DistrictTotals | None = None,
) -> pd.DataFrame:
    """Bounds on the calibration ratio of every cell of a crossing, for every model.

    Parameters
    ----------
    crossing : Crossing
    models : sequence of str
    mean : array [model, area]
        Forecasts, summed over the origins and horizons judged.
    observed : array [area]
        What was recorded, summed over the same.
    band : two numbers
        The policy's odds-ratio band.
    judge : callable
        What the audit says of groups of these people.
    districts : DistrictTotals, optional
        From a joint table of districts, where one is held.

    Returns
    -------
    DataFrame
        The ``intersections`` noun: every cell x model x knowledge, also cells without people, which say why.
    """
    import pandas as pd

    weight = np.divide(1.0, crossing.total, out=np.zeros_like(crossing.total), where=crossing.total > 0)
    margins, within = (_people(crossing, limits) for limits in (MARGINS_ALONE, band))
    frames = []
    for number, model in enumerate(models):
        rates = (mean[number] * weight, observed * weight)
        found = {"margins": ratio_bounds(*rates, *margins), "band": ratio_bounds(*rates, *within)}
        if districts is not None:
            found["band and districts"] = ratio_bounds(
                *rates, *within, district=districts.district, totals=districts.people
            )
        words = _Words(crossing, judge, number)
        point = _points(crossing, *rates)
        columns = [_independent(crossing, point), *(_bounded(name, found, point, words) for name in KNOWLEDGE[1:])]
        for name, values in zip(KNOWLEDGE, columns, strict=True):
            frame = pd.DataFrame({"group": crossing.groups, "point": point, **values})
            frames.append(frame.assign(model_id=model, knowledge=name, people=crossing.people.sum(axis=0)))
    made = pd.concat(frames, ignore_index=True).assign(characteristic=crossing.characteristic)
    empty = made["group"].isin(list(crossing.empty))
    made.loc[empty, ["low", "point", "high"]] = np.nan
    made.loc[empty, "depends"] = "no"
    made.loc[empty, "note"] = [crossing.empty[group] for group in made.loc[empty, "group"]]
    return as_table(made, INTERSECTIONS)


def _people(crossing: Crossing, band: Sequence[float]) -> tuple[Floats, Floats]:
    """Fewest and most people [cell, area]."""
    low, high = people_bounds(crossing.members, crossing.total, band, inside=crossing.inside)
    return low.T, high.T


def _points(crossing: Crossing, expected: Floats, recorded: Floats) -> Floats:
    """The calibration ratio of each cell's estimated people; NaN where nothing was recorded."""
    above, below = expected @ crossing.people, recorded @ crossing.people
    return np.asarray(np.divide(above, below, out=np.full(len(above), np.nan), where=below > 0), dtype=np.float64)


def _independent(crossing: Crossing, point: Floats) -> dict[str, object]:
    """The row of the estimate itself."""
    apart = crossing.difference * crossing.total.sum()
    note = f"the tables' totals differ by {apart:.0f} people in the region; each area is brought to their mean"
    if crossing.left_out > 0:
        note += f"; {crossing.left_out:.0f} people live where one of the tables counts nobody, and are left out"
    return {"low": point, "high": point, "depends": "no", "note": note}


class _Words:
    """The audit's verdicts on the people of each cell, [cell]."""

    def __init__(self, crossing: Crossing, judge: Judge, model: int) -> None:
        self.judge, self.model, self.people = judge, model, crossing.people.T
        self.at_point = self._of(self.people)

    def change(self, people: Floats) -> npt.NDArray[np.bool_]:
        """Whether a cell's verdict changes on the way from its estimate to other people [cell, area]."""
        steps = [self._of(self.people + part * (people - self.people)) != self.at_point for part in _ALONG]
        return np.asarray(np.any(steps, axis=0), dtype=np.bool_)

    def _of(self, people: Floats) -> npt.NDArray[np.str_]:
        return np.asarray(self.judge(np.ascontiguousarray(people.T), self.model), dtype=np.str_)


def _bounded(name: str, found: dict[str, RatioBounds], point: Floats, words: _Words) -> dict[str, object]:
    """The row of one kind of knowledge; blank, and depending on nothing, where the knowledge is not to be had."""
    if name not in found:
        return {"low": np.nan, "high": np.nan, "depends": "no", "note": _NO_DISTRICTS}
    bounds = found[name]
    unbounded, unknown = np.isinf(bounds.high), np.isnan(bounds.low)
    depends = (unknown & ~np.isnan(point)) | words.change(bounds.people_low) | words.change(bounds.people_high)
    exact = np.isclose(bounds.low, bounds.high, rtol=1e-9)
    note = np.select(
        [unknown & np.isnan(point), unknown, unbounded, exact],
        [_NOTHING, _CONTRADICTED, _UNBOUNDED, _EXACT],
        _RESTS_ON[name],
    )
    return {
        "low": bounds.low,
        "high": np.where(unbounded, np.nan, bounds.high),
        "depends": np.where(depends, "yes", "no"),
        "note": note,
    }
