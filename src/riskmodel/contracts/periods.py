"""Months, origins, horizons and publication: the calendar of the design, section 3.

Inside the package a month is an integer (months since year 0), so that arithmetic is arithmetic; at the edges
(frames, files, messages) it is always a label such as ``2025-06``. Only this module converts between the two.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt

__all__ = [
    "Publication",
    "day_words",
    "horizon_month",
    "month_end",
    "month_from_date",
    "month_label",
    "month_number",
    "month_of_year",
    "month_start",
    "origin_month",
]

Months = TypeVar("Months", int, npt.NDArray[np.int64])
_LABEL = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def day_words(day: date) -> str:
    """A day as people write it.

    Examples
    --------
    >>> day_words(date(2025, 9, 1))
    '1 September 2025'
    """
    # The locale's own names would make files differ between machines.
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def month_number(label: str) -> int:
    """The integer of a month label.

    Raises
    ------
    ValueError
        If the label is not ``YYYY-MM``.

    Examples
    --------
    >>> month_number("2025-06") - month_number("2024-12")
    6
    """
    match = _LABEL.fullmatch(label)
    if match is None:
        raise ValueError(f"a month is written YYYY-MM, found '{label}'")
    return int(match[1]) * 12 + int(match[2]) - 1


def month_label(month: int) -> str:
    """The label of a month's integer.

    Examples
    --------
    >>> month_label(month_number("2025-06") + 7)
    '2026-01'
    """
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def month_start(month: int) -> date:
    """The first day of a month."""
    return date(month // 12, month % 12 + 1, 1)


def month_end(month: int) -> date:
    """The last day of a month: the ``target_end_date`` of a monthly forecast."""
    return month_start(month + 1) - timedelta(days=1)


def month_from_date(day: date) -> int:
    """The month a day falls in."""
    return day.year * 12 + day.month - 1


def month_of_year(month: int) -> int:
    """0 for January to 11 for December."""
    return month % 12


def origin_month(day: date) -> int:
    """The month of an origin, which must be the first day of a month.

    Raises
    ------
    ValueError
        If the day is not the first of its month.
    """
    if day.day != 1:
        raise ValueError(f"an origin is the first day of a month, found {day.isoformat()}")
    return month_from_date(day)


def horizon_month(origin: Months, horizon: int) -> Months:
    """The month, or the array of months, forecast at a horizon: horizon 1 begins on the origin.

    Examples
    --------
    >>> month_label(horizon_month(month_number("2025-09"), 1))
    '2025-09'
    """
    return origin + horizon - 1


@dataclass(frozen=True)
class Publication:
    """When an observation of a period could first be known.

    Exactly one of the two rules holds: ``lag_months`` (month M is published on the first day of month
    M + lag) or ``on`` (a fixed day for the whole file).

    Examples
    --------
    >>> Publication(lag_months=3).of("2025-06").isoformat()
    '2025-09-01'
    """

    lag_months: int | None = None
    on: date | None = None

    def __post_init__(self) -> None:
        """Refuse a rule that says nothing, or two things."""
        if (self.lag_months is None) == (self.on is None):
            raise ValueError("published takes exactly one of lag_months and a date")

    def of(self, period: str) -> date:
        """The first day on which an observation of this period could be known."""
        if self.lag_months is not None:
            return month_start(month_number(period) + self.lag_months)
        return cast("date", self.on)
