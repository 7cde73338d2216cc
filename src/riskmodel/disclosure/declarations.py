"""What in each table is a count of the target, or follows from one: stated here once for every table of a bundle.

A table without a declaration is refused as soon as a run has a restricted source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

__all__ = ["DECLARATIONS", "Declaration"]

Kind = Literal["no counts", "summary", "counts", "private"]


@dataclass(frozen=True)
class Declaration:
    """What a table holds of a restricted target.

    Parameters
    ----------
    kind : str
        ``no counts``: nothing of any target. ``summary``: figures over many areas and months together, such as skill.
        ``counts``: cells by area and period, protected column by column. ``private``: counts of another shape; rows of
        restricted targets (or sources) are left out of what is published.
    columns : mapping of str to str
        For ``counts``. ``count`` and ``expected`` are sums over areas and months; ``count a year before`` lies twelve
        months earlier; ``known part`` is the part of a period that is known; ``with C`` is another quantity of the
        cell in column C (a quantile); ``change of A on B`` is A / B - 1; ``rank with C`` compares column C over the
        areas of a level; ``not shown`` follows from exact counts in a way that rounding does not hide.
    """

    kind: Kind
    columns: Mapping[str, str] = field(default_factory=dict)


_NONE, _SUMMARY, _PRIVATE = Declaration("no counts"), Declaration("summary"), Declaration("private")
DECLARATIONS: Mapping[str, Declaration] = MappingProxyType(
    {
        "forecasts": Declaration("counts", {"value": "expected"}),
        "outlook": Declaration(
            "counts",
            {
                "mean": "expected",
                "low": "with mean",
                "median": "with mean",
                "high": "with mean",
                "recorded_part": "known part",
                "last_year": "count a year before",
                "change": "change of mean on last_year",
                "change_low": "change of low on last_year",
                "change_high": "change of high on last_year",
                "chance_higher": "not shown",
                "rank_low": "rank with mean",
                "rank_high": "rank with mean",
            },
        ),
        "history": Declaration("counts", {"recorded": "count"}),
        "places": _NONE,
        "areas": _NONE,
        # The audit leaves out restricted figures of few records itself; the rest is over many areas and months.
        "audit": _SUMMARY,
        "audit_places": _PRIVATE,
        "audit_refits": _SUMMARY,
        "data_requests": _NONE,
        "feedback": _NONE,
        # Made from published tables alone.
        "facts": _NONE,
        "since": _NONE,
        "catalogue": _NONE,
        "compared": _NONE,
        "similar": _NONE,
        "gaps": _NONE,
        # Shares over many areas of a public headline; a restricted one leaves none.
        "concentration": _PRIVATE,
        "season_by_month": _PRIVATE,
        # Protects its own rows: one region, one year, few groups.
        "profile": _SUMMARY,
        "costs": _PRIVATE,
        "intersections": _SUMMARY,
        "poor_base": _NONE,
        "proxies": _SUMMARY,
        "tipping_points": _SUMMARY,
        "targets": _NONE,
        "factors": _NONE,
        "groups": _NONE,
        "place_groups": _NONE,
        "calibration": _SUMMARY,
        "attributions": _PRIVATE,
        "effects": _SUMMARY,
        "group_attributions": _SUMMARY,
        "group_differences": _SUMMARY,
        "leaderboard": _SUMMARY,
        "leaning": _SUMMARY,
        "ledger": _PRIVATE,
        "level_ratios": _PRIVATE,
        "noise_floor": _SUMMARY,
        "pairwise": _SUMMARY,
        "rank_stability": _SUMMARY,
        "scenarios": _PRIVATE,
        "search": _SUMMARY,
        "selection": _SUMMARY,
        "stability": _SUMMARY,
        "comparison": _SUMMARY,
        "recording": _PRIVATE,
        "quality": _PRIVATE,
        "observations": _PRIVATE,
        "backtest": _PRIVATE,
        "scores": _PRIVATE,
        "training_set": _PRIVATE,
        "candidates": _PRIVATE,
        "stream_backtest": _PRIVATE,
        "disagreement": _PRIVATE,
        "streams": _NONE,
        "conditions_left_out": _NONE,
        "explain_left_out": _NONE,
        "stream_left_out": _NONE,
        "agreement": _SUMMARY,
        "conditions_comparison": _SUMMARY,
        "conditions_hindsight": _SUMMARY,
        "domains": _SUMMARY,
        "stream_comparison": _SUMMARY,
    }
)
"""For every table of a bundle."""
