"""Numbers, periods and ranks in the words a planner reads: in go floats and days, out come short texts.

A count of ten or more is shown whole, a smaller mean with one decimal, a share in whole per cent. A blank is never
shown as nought.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from riskmodel.narrative.workbook_text import day_words

__all__ = [
    "MINUS",
    "NOT_AVAILABLE",
    "SMALL_BASE",
    "SUPPRESSED",
    "Counted",
    "chance_words",
    "change_words",
    "expected_words",
    "joined",
    "ordinal",
    "period_words",
    "rank_words",
    "recorded_words",
    "share_words",
    "skill_words",
]

SUPPRESSED = "suppressed"
"""What stands where a number is withheld to protect people."""
NOT_AVAILABLE = "not available"
"""What stands where there is no number."""
MINUS = "\N{MINUS SIGN}"
"""The sign that screen readers say, unlike a hyphen."""
SMALL_BASE = 10
"""Below this many records a year before, a change in per cent says more than is known."""


@dataclass(frozen=True)
class Counted:
    """One target of a page: what is counted, and how it may be shown.

    Parameters
    ----------
    target : str
        The label the tables carry, such as ``recorded_violence@1``.
    title, covers, leaves_out, differs : str
        Its definition; the title heads everything that shows it.
    stream : str
        Who saw it, such as police or ambulance.
    restricted : bool
        Whether its numbers are guarded.
    police_generated : bool
        Whether it follows what the police do: such a target is never a page's headline.
    headline : str
        Whether its forecast beats counting, in one sentence.
    note : str
        What a reader must know first, e.g. that it could not be forecast.
    """

    target: str
    title: str
    covers: str
    leaves_out: str
    differs: str = ""
    stream: str = "police"
    restricted: bool = False
    police_generated: bool = False
    headline: str = ""
    note: str = ""


def expected_words(value: float) -> str:
    """An expected count: whole from ten, else with one decimal.

    Examples
    --------
    >>> expected_words(14612.4), expected_words(4.46), expected_words(0.02), expected_words(float("nan"))
    ('14,612', '4.5', 'under 0.1', 'not available')
    """
    if not math.isfinite(value):
        return NOT_AVAILABLE
    if value >= 9.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 0.05 or value == 0 else "under 0.1"


def recorded_words(value: float) -> str:
    """A count, or the end of a range of counts: whole where it is whole.

    Examples
    --------
    >>> recorded_words(7.0), recorded_words(7.25), recorded_words(1234.0)
    ('7', '7.2', '1,234')
    """
    return f"{value:,.0f}" if math.isfinite(value) and value == round(value) else expected_words(value)


def change_words(value: float) -> str:
    """A change as a signed whole per cent.

    Examples
    --------
    >>> change_words(0.034), change_words(0.004), change_words(float("nan"))
    ('+3%', '0%', 'not available')
    >>> change_words(-0.12) == f"{MINUS}12%"
    True
    """
    if not math.isfinite(value):
        return NOT_AVAILABLE
    whole = round(100 * value)
    sign = "+" if whole > 0 else MINUS if whole < 0 else ""
    return f"{sign}{abs(whole):,}%"


def share_words(value: float) -> str:
    """A share as a whole per cent.

    Examples
    --------
    >>> share_words(0.954), share_words(float("nan"))
    ('95%', 'not available')
    """
    return f"{100 * value:.0f}%" if math.isfinite(value) else NOT_AVAILABLE


def skill_words(value: float) -> str:
    """A skill with one decimal, because one per cent is much here.

    Examples
    --------
    >>> skill_words(0.0541), skill_words(float("nan"))
    ('+5.4%', 'not available')
    """
    sign = "+" if value > 0 else MINUS if value < 0 else ""
    return f"{sign}{abs(100 * value):.1f}%" if math.isfinite(value) else NOT_AVAILABLE


def chance_words(value: float) -> str:
    """A chance as people say it; never certain.

    Examples
    --------
    >>> chance_words(0.71), chance_words(0.5), chance_words(0.97), chance_words(0.01)
    ('about 7 in 10', 'about 5 in 10', 'more than 19 in 20', 'less than 1 in 20')
    """
    if not math.isfinite(value):
        return NOT_AVAILABLE
    if value > 0.95:
        return "more than 19 in 20"
    if value < 0.05:
        return "less than 1 in 20"
    return f"about {min(max(round(10 * value), 1), 9)} in 10"


def ordinal(number: int) -> str:
    """A place in an order.

    Examples
    --------
    >>> [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111)]
    ['1st', '2nd', '3rd', '4th', '11th', '12th', '13th', '21st', '102nd', '111th']
    """
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def rank_words(low: float, high: float, of: float) -> str:
    """A band of ranks as a band: places that cannot be told apart are not put in an order.

    Examples
    --------
    >>> rank_words(1, 3, 6), rank_words(5, 6, 6), rank_words(2, 5, 6)
    ('among the 3 highest of 6', 'among the 2 lowest of 6', 'between 2nd and 5th highest of 6')
    >>> rank_words(1, 1, 6), rank_words(2, 2, 6), rank_words(5, 5, 6), rank_words(1, 6, 6)
    ('the highest of 6', 'among the 2 highest of 6', 'among the 2 lowest of 6', 'anywhere among the 6')
    """
    if not all(map(math.isfinite, (low, high, of))):
        return "not ranked"
    first, last, number = round(low), round(high), round(of)
    if (first, last) == (1, number):
        return f"anywhere among the {number}"
    if first == last:
        # Even a rank that is sure is said as a band.
        first, last = (1, last) if 2 * last <= number else (first, number)
    if first == last:
        return f"the {'highest' if first == 1 else 'lowest'} of {number}"
    if first == 1:
        return f"among the {last} highest of {number}"
    if last == number:
        return f"among the {number - first + 1} lowest of {number}"
    return f"between {ordinal(first)} and {ordinal(last)} highest of {number}"


def period_words(start: date, end: date) -> str:
    """A period by its months.

    Examples
    --------
    >>> period_words(date(2025, 9, 1), date(2026, 8, 31)), period_words(date(2025, 7, 1), date(2025, 9, 30))
    ('September 2025 to August 2026', 'July to September 2025')
    >>> period_words(date(2025, 9, 1), date(2025, 9, 30))
    'September 2025'
    """
    first, last = (day_words(day).partition(" ")[2] for day in (start, end))
    if first == last:
        return last
    return f"{first.partition(' ')[0] if start.year == end.year else first} to {last}"


def joined(words: Sequence[str]) -> str:
    """Words in a row as a sentence lists them.

    Examples
    --------
    >>> joined(["a", "b", "c"]), joined(["a"])
    ('a, b and c', 'a')
    """
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
