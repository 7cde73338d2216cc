"""Phrases whose digits belong to the language or to a definition: the same in every run, so they are no facts."""

from __future__ import annotations

__all__ = ["PHRASES"]

PHRASES = (
    # Spans and bases that the design fixes.
    "12 months",
    "next 12",
    "per 1,000",
    "Per 1,000",
    "9 in 10",
    "9 times in 10",
    "90 %",
    "90%",
    "5 %",
    # Names of baselines.
    "rolling_12",
    # Names of sources, laws and standards.
    "Census 2021",
    "2021 Census",
    "LSOA 2021",
    "Equality Act 2010",
    "WCAG 2.2",
    # Names of checks, as the analysts' list has them.
    *(f"M{number}" for number in range(11, 0, -1)),
)
"""Said once for every page; a phrase here may hold no number that a run could change."""
