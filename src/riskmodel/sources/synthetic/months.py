"""The months of a region and the three dates its police files turn on: mixed codes, new codes, the gap."""

from __future__ import annotations

from dataclasses import dataclass

from riskmodel.contracts.errors import UsageError

__all__ = ["Calendar", "make_calendar", "month_name"]

_LAST = 2025 * 12 + 11
_MIXED, _NEW_CODES, _ARCHIVE_LAG = 2022 * 12 + 1, 2023 * 12 + 5, 6
# A series must reach back this far before the first mixed month to use the publisher's own dates.
_LEAD = 6


def month_name(ordinal: int) -> str:
    """Return ``YYYY-MM`` for a count of months since year nought.

    Examples
    --------
    >>> month_name(2023 * 12 + 5)
    '2023-06'
    """
    return f"{ordinal // 12:04d}-{ordinal % 12 + 1:02d}"


@dataclass(frozen=True)
class Calendar:
    """Month ordinals (year x 12 + month - 1): all of them, and the ones where the police files change."""

    months: tuple[int, ...]
    first_mixed: int
    first_new_codes: int
    missing: int
    reissued: tuple[int, ...]
    archive: int

    def mixing(self, month: int) -> float:
        """Return the probability that a row of this month carries a 2021 code."""
        if month < self.first_mixed:
            return 0.0
        if month >= self.first_new_codes:
            return 1.0
        return 0.02 + 0.43 * (month - self.first_mixed) / max(1, self.first_new_codes - 1 - self.first_mixed)

    def unlocated(self, month: int) -> float:
        """Return the probability that a violence record has no place: falls from .18 to .04, mostly at the change."""
        length = max(1, self.months[-1] - self.months[0])
        slow = (month - self.months[0]) / length
        return round(0.18 - 0.05 * slow - (0.09 if month >= self.first_new_codes else 0.0), 6)


def make_calendar(months: int) -> Calendar:
    """Return the calendar of a series of ``months`` months that ends in 2025-12.

    Short series keep the order of events (gap, mixed codes, new codes, archive) at other dates.
    """
    if months < 12:
        raise UsageError("a synthetic region needs at least 12 months", found=months, allowed="12 or more")
    first = _LAST - months + 1
    series = tuple(range(first, _LAST + 1))
    mixed, new = _MIXED, _NEW_CODES
    if first > _MIXED - _LEAD:
        mixed, new = first + round(0.35 * months), first + round(0.57 * months)
    reissued = tuple(range(new - 2, new + 1))
    archive = min(new + _ARCHIVE_LAG, _LAST)
    return Calendar(series, mixed, new, mixed - 1, reissued, archive)
