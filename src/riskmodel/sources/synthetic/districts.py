"""What is held by district only: school exclusions by term, young people who enter the justice system by quarter.

In: the places, the census and the true process. Out: two long tidy CSV files. Counts are of invented districts, and
rise with the conditions there; no count describes a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .census import CensusTables
from .conditions import Conditions
from .files import write_csv
from .months import Calendar, month_name
from .names import DISTRICTS
from .places import Places
from .process import ORIGIN, TrueProcess

__all__ = ["Districts", "make_districts", "write_entrants", "write_exclusions"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# First month and relative level of each school term.
TERMS = {"autumn": (9, 1.0), "spring": (1, 0.9), "summer": (4, 0.95)}
SUSPENSIONS, PERMANENT = 0.028, 0.0004
ENTRANTS, ENTRANTS_YEARLY_CHANGE = 0.0005, 0.96
# How strongly the conditions of a district show in what happens to its young people.
SHARED = 0.8


@dataclass(frozen=True)
class Districts:
    """Code, name, pupils, people aged 10 to 17, and the multiplier that the conditions put on each district."""

    code: npt.NDArray[np.str_]
    name: npt.NDArray[np.str_]
    pupils: Ints
    aged_10_to_17: Ints
    level: Floats

    def repeated(self, times: int) -> dict[str, npt.NDArray[Any]]:
        """Return the columns that name each district, once for each of ``times`` periods."""
        return {"ltla24_code": np.tile(self.code, times), "ltla24_name": np.tile(self.name, times)}


def make_districts(places: Places, conditions: Conditions, tables: CensusTables, process: TrueProcess) -> Districts:
    """Return the districts of the force."""
    count, of_area = len(DISTRICTS), places.district[places.new.family]
    weighted = np.bincount(of_area, conditions.residents * process.parts["conditions"])
    level = np.exp(SHARED * weighted / np.bincount(of_area, conditions.residents))[:count]
    ages = np.column_stack([np.bincount(of_area, tables["ts007a"][:, band]) for band in (2, 3, 4)])[:count]
    # Bands 5-9, 10-14 and 15-19: school ages are 5 to 15, the justice system's are 10 to 17.
    pupils = np.round(ages @ np.array([0.95, 0.95, 0.2])).astype(np.int64)
    young = np.round(ages @ np.array([0.0, 1.0, 0.6])).astype(np.int64)
    return Districts(places.district_codes[:count], places.district_names[:count], pupils, young, level)


def write_exclusions(path: Path, rng: np.random.Generator, districts: Districts, calendar: Calendar) -> None:
    """Write suspensions and permanent exclusions by district and school term."""
    starts = {first: (term, weight) for term, (first, weight) in TERMS.items()}
    months = [month for month in calendar.months if month % 12 + 1 in starts]
    terms = [starts[month % 12 + 1] for month in months]
    years = [month // 12 - (month % 12 < 8) for month in months]
    count = len(districts.code)
    exposed = np.outer([weight for _, weight in terms], districts.pupils * districts.level).ravel()
    columns = districts.repeated(len(months)) | {
        "academic_year": np.repeat(np.array([f"{year}/{(year + 1) % 100:02d}" for year in years]), count),
        "term": np.repeat(np.array([term for term, _ in terms]), count),
        "first_month": np.repeat(np.array([month_name(month) for month in months]), count),
        "pupils": np.tile(districts.pupils, len(months)),
        "suspensions": rng.poisson(SUSPENSIONS * exposed),
        "permanent_exclusions": rng.poisson(PERMANENT * exposed),
    }
    write_csv(path, columns)


def write_entrants(path: Path, rng: np.random.Generator, districts: Districts, calendar: Calendar) -> None:
    """Write first-time entrants to the youth justice system by district and quarter, falling slowly."""
    months = [month for month in calendar.months if month % 3 == 0]
    fall = ENTRANTS_YEARLY_CHANGE ** ((np.array(months) - ORIGIN) / 12)
    quarters = np.array([f"{month // 12}Q{month % 12 // 3 + 1}" for month in months])
    columns = districts.repeated(len(months)) | {
        "quarter": np.repeat(quarters, len(districts.code)),
        "aged_10_to_17": np.tile(districts.aged_10_to_17, len(months)),
        "first_time_entrants": rng.poisson(
            ENTRANTS * np.outer(fall, districts.aged_10_to_17 * districts.level).ravel()
        ),
    }
    write_csv(path, columns)
