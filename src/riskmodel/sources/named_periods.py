"""Periods as tables spell them: in goes a cell and the form a source declares, out comes one spelling for each period.

Months are ``2025-06``, calendar quarters ``2025Q2``, financial years ``2024/25`` (April to March), years ``2025`` and
school terms ``2024/25 autumn``. A term's cell may also be its first month: September, January or April.
"""

from __future__ import annotations

import re
from datetime import date

from riskmodel.contracts.periods import month_from_date, month_label, month_number, month_start
from riskmodel.sources.observed import SourceFile

__all__ = ["FORMS_OF_PERIODS", "as_date", "as_period", "last_month", "published_of"]

FORMS_OF_PERIODS = {
    "month": "2025-06",
    "date": "2025-06-30 or 30/06/2025, perhaps with a time",
    "quarter": "2025Q2 or 2025-Q2",
    "financial_year": "2024/25 or 2024-25",
    "year": "2025",
    "term": "2024/25 autumn, or the term's first month (2024-09, 2025-01, 2025-04)",
}
"""What the cells of each form look like, for messages."""

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})([T ].*)?")
_BRITISH_DAY = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})( .*)?")
_QUARTER = re.compile(r"([0-9]{4})[- ]?Q([1-4])")
_SPAN = re.compile(r"([0-9]{4})[/-]([0-9]{2})")
_YEAR = re.compile(r"([0-9]{4})(\.0)?")
_TERM = re.compile(r"([0-9]{4}[/-][0-9]{2}) (autumn|spring|summer)", re.IGNORECASE)
# Term -> its first and last month; the school year begins in September.
_TERMS = {"autumn": (9, 12), "spring": (1, 3), "summer": (4, 7)}


def as_date(cell: str) -> date | None:
    """Read a day as ISO or British; None where it is neither.

    Examples
    --------
    >>> as_date("30/06/2025").isoformat(), as_date("2025-06-30 23:15").isoformat(), as_date("June")
    ('2025-06-30', '2025-06-30', None)
    """
    found = _DAY.fullmatch(cell)
    numbers = found.group(1, 2, 3) if found else ()
    if found is None and (found := _BRITISH_DAY.fullmatch(cell)):
        numbers = found.group(3, 2, 1)
    try:
        return date(*(int(n) for n in numbers)) if numbers else None
    except ValueError:
        return None


def as_period(cell: str, form: str) -> str | None:
    """Spell a period in the one way of its form; None where the cell is not of that form.

    Parameters
    ----------
    cell : str
        As published.
    form : {'month', 'date', 'quarter', 'financial_year', 'year', 'term'}
        A day becomes its month.

    Examples
    --------
    >>> as_period("2025-06-30", "date"), as_period("2025-Q2", "quarter"), as_period("2025-01", "term")
    ('2025-06', '2025Q2', '2024/25 spring')
    """
    cell = cell.strip()
    if form in ("month", "date"):
        if form == "month" and _MONTH.fullmatch(cell):
            return cell
        day = as_date(cell)
        return None if day is None or (form == "month" and day.day != 1) else month_label(month_from_date(day))
    if form == "quarter":
        quarter = _QUARTER.fullmatch(cell)
        return f"{quarter[1]}Q{quarter[2]}" if quarter else None
    if form == "financial_year":
        return _as_span(cell)
    if form == "year":
        year = _YEAR.fullmatch(cell)
        return year[1] if year else None
    return _as_term(cell)


def _as_span(cell: str) -> str | None:
    span = _SPAN.fullmatch(cell)
    return f"{span[1]}/{span[2]}" if span and (int(span[1]) + 1) % 100 == int(span[2]) else None


def _as_term(cell: str) -> str | None:
    term = _TERM.fullmatch(cell)
    if term:
        span = _as_span(term[1])
        return f"{span} {term[2].lower()}" if span else None
    month = as_period(cell, "month")
    named = {first: name for name, (first, _) in _TERMS.items()}
    if month is None or int(month[5:]) not in named:
        return None
    start = int(month[:4]) - (int(month[5:]) < 9)
    return f"{start}/{(start + 1) % 100:02d} {named[int(month[5:])]}"


def last_month(period: str) -> int:
    """The last month of a period, as a month number.

    Parameters
    ----------
    period : str
        As `as_period` spells it.

    Raises
    ------
    ValueError
        If it is of no known form.

    Examples
    --------
    >>> [month_label(last_month(p)) for p in ("2025-06", "2025Q2", "2024/25", "2025", "2024/25 spring")]
    ['2025-06', '2025-06', '2025-03', '2025-12', '2025-03']
    """
    if term := _TERM.fullmatch(period):
        first, last = _TERMS[term[2]]
        return month_number(f"{int(term[1][:4]) + (first < 9)}-{last:02d}")
    if quarter := _QUARTER.fullmatch(period):
        return month_number(f"{quarter[1]}-{3 * int(quarter[2]):02d}")
    if span := _SPAN.fullmatch(period.replace("-", "/")) if "/" in period else None:
        return month_number(f"{int(span[1]) + 1}-03")
    if _YEAR.fullmatch(period):
        return month_number(f"{period}-12")
    return month_number(period)


def published_of(file: SourceFile, period: str) -> date:
    """The first day on which a period of a file could be known: its rule, counted from the period's last month.

    Parameters
    ----------
    file : SourceFile
        Holding one period, or a table with a column of them.
    period : str
        As `as_period` spells it.
    """
    table, lag = file.spec.table, file.spec.publication.lag_months
    if table is None or table.period is None or lag is None:
        return file.published
    return month_start(last_month(period) + lag)
