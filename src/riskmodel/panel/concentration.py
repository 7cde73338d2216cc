"""Where recorded violence concentrates: what share of it was recorded in how few of the small areas.

In: recorded counts by small area and month. Out: the ``concentration`` table. It describes twelve months that are over;
it forecasts nothing, and part of any concentration is chance, which stands beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.assessment_tables import CONCENTRATION, SEASON_BY_MONTH
from riskmodel.contracts.periods import month_end, month_start
from riskmodel.contracts.specs import TargetSpec
from riskmodel.contracts.tables import as_table
from riskmodel.panel.view import View

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SHARES_OF_AREAS", "build_concentration", "build_season"]

SHARES_OF_AREAS = (0.01, 0.05, 0.1, 0.2)
_DRAWS = 200

Floats = npt.NDArray[np.float64]


def build_concentration(view: View, target: TargetSpec, *, label: str, seed: int) -> pd.DataFrame:
    """The share of records in the areas with the most of them, by twelve months.

    Parameters
    ----------
    view : View
    target : TargetSpec
    label : str
        The target with its version.
    seed : int
        For what chance alone would give.

    Returns
    -------
    DataFrame
        The ``concentration`` noun: the newest twelve months visible and each twelve before them, as far as all their
        months are held. Equal counts at the edge share the last place.

    Notes
    -----
    By chance alone some areas have more records than others: the comparison gives every area the region's rate per
    resident and draws Poisson counts (as Bernasco and Steenbeek 2017 do for the Gini coefficient of crime).
    """
    import pandas as pd

    series = view.recorded(target).astype(np.float64)
    people = view.geography.population
    random = np.random.default_rng([seed, 71])
    rows = []
    before: Floats | None = None
    stop = series.shape[1]
    spans = [(last - 12, last) for last in range(stop, 11, -12)][::-1]
    for first, last in spans:
        months = series[:, first:last]
        counts = months.sum(axis=1)
        if not np.isfinite(counts).all() or counts.sum() == 0:
            before = None
            continue
        chance = random.poisson(counts.sum() * people / people.sum(), (_DRAWS, len(people))).astype(np.float64)
        month = view.panel.first_month + first
        for share in SHARES_OF_AREAS:
            number = max(1, round(share * len(people)))
            weight = _first(counts, number)
            rows.append(
                {
                    "target": label,
                    "start": month_start(month),
                    "end": month_end(month + 11),
                    "share_of_areas": share,
                    "areas": number,
                    "share_of_residents": float(weight @ people / people.sum()),
                    "share_of_records": float(weight @ counts / counts.sum()),
                    "by_chance": float(np.mean([_top_share(c, number) for c in chance])),
                    "same_areas": np.nan
                    if before is None
                    else float(np.minimum(weight, _first(before, number)).sum() / number),
                }
            )
        before = counts
    return as_table(pd.DataFrame(rows, columns=CONCENTRATION.names), CONCENTRATION)


_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def build_season(view: View, target: TargetSpec, *, label: str) -> pd.DataFrame:
    """Each month of the year beside the year's average month, over the calendar years that are held whole.

    Parameters
    ----------
    view : View
    target : TargetSpec
    label : str
        The target with its version.

    Returns
    -------
    DataFrame
        The ``season_by_month`` noun, January first; without rows where no year is whole.
    """
    import pandas as pd

    totals = view.recorded(target).astype(np.float64).sum(axis=0)
    first = -view.panel.first_month % 12
    years = [totals[start : start + 12] for start in range(first, len(totals) - 11, 12)]
    whole = np.array([year / year.mean() for year in years if np.isfinite(year).all() and year.sum() > 0])
    if not len(whole):
        return as_table(pd.DataFrame(columns=SEASON_BY_MONTH.names), SEASON_BY_MONTH)
    frame = pd.DataFrame(
        {
            "target": label,
            "month": _MONTHS,
            "ratio": whole.mean(axis=0),
            "low": whole.min(axis=0),
            "high": whole.max(axis=0),
            "years": len(whole),
        }
    )
    return as_table(frame, SEASON_BY_MONTH)


def _overlap(now: Floats, before: Floats) -> float:
    return float(np.minimum(now, before).sum() / now.sum())


def _top_share(counts: Floats, number: int) -> float:
    return float(np.sort(counts)[::-1][:number].sum() / max(counts.sum(), 1.0))


def _first(counts: Floats, number: int) -> Floats:
    """How far each area is among the first: 1, 0, or a part where equal counts share the last places."""
    edge = np.sort(counts)[::-1][number - 1]
    above, level = counts > edge, counts == edge
    return np.asarray(above + level * (number - above.sum()) / level.sum(), dtype=np.float64)
