"""The words of the planner's workbook: its cover, its general notes, its shorthand and the names of levels and windows.

In: what a run is about. Out: lines of text; nothing here touches a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from riskmodel.contracts.periods import day_words

__all__ = [
    "GENERAL_NOTES",
    "LEVEL_NAMES",
    "SHORTHAND",
    "WINDOW_NAMES",
    "SourceNote",
    "TargetNote",
    "cover_lines",
    "day_words",
]

TO_BE_COMPLETED = "TO BE COMPLETED"
LEVEL_NAMES = {
    "pfa": "Police force area",
    "csp24": "Community safety partnership",
    "lad24": "District",
    "local": "Local area",
    "ward24": "Ward",
    "msoa21": "MSOA",
    "lsoa21": "LSOA",
}
"""Levels in the order sheets list them, with the name a planner reads."""
WINDOW_NAMES = {
    "month": "Month",
    "quarter": "Quarter",
    "financial_year": "Financial year",
    "calendar_year": "Calendar year",
    "12_months": "12 months",
}
SHORTHAND = {
    "[c]": "withheld to protect people",
    "[x]": "not available",
    "[z]": "does not apply",
}
"""The symbols of the Analysis Function ("Symbols in tables: definitions and help"), and what each says here."""
GENERAL_NOTES = {
    "located": "Areas are counted by the records that have a known place in them. A record without a place is in no "
    "area's count; the sheet Recording shows how many there are in each month.",
    "range": "The likely range is the middle 90 % of the forecast. Its ends do not add up over places or periods, "
    "because places are seldom all high or all low at once; the expected counts do add up.",
    "reliability": "A range marked 'calibrated' held what it promised when the same forecast was made at past dates. "
    "Treat a range with any other mark as a rough guide.",
    "ranks": "Ranks are given as a range, because places close together cannot be told apart. They count records, "
    "which follow residents, visitors and recording; they say nothing about the people who live there.",
    "missing": "A missing month is missing, not nought. A period with a missing month has no count here and is shown "
    "as [x].",
    "recording_change": "When the share of records with a known place changes, counts change with no change in "
    "violence. The column of remarks says where that share changed.",
    "withheld": "[c] marks a number withheld to protect people: a small count from a restricted source, or a number "
    "from which such a count could be worked out.",
}


@dataclass(frozen=True)
class TargetNote:
    """What is counted: the label tables carry, such as recorded_violence@1, and its definition in words."""

    target: str
    title: str
    covers: str
    leaves_out: str
    version: int


@dataclass(frozen=True)
class SourceNote:
    """A published source the numbers rest on."""

    title: str
    publisher: str
    licence: str


def cover_lines(
    targets: Sequence[TargetNote],
    *,
    as_of: date,
    run_id: str,
    state: str,
    sources: Sequence[SourceNote],
    contact: str,
) -> tuple[list[str], list[str], list[str]]:
    """The cover's introduction, its account of the data and its contact lines."""
    counted = "; ".join(t.title for t in targets)
    intro = [
        state,
        f"What this is: recorded violence by place and period, and the violence expected to be recorded. Counted here: "
        f"{counted}. The forecast uses only what had been published by {day_words(as_of)}.",
        "Who it is for: people who plan prevention in a partnership, district or ward, for a needs assessment or a "
        "local plan.",
        "How to read it: start with the sheet Next_12_months. 'Expected recorded violence' is the forecast's mean. The "
        "likely range beside it is where the count is expected nine times in ten. Read the column Reliability before "
        "relying on a range. The sheet Contents lists all sheets; Notes explains the columns.",
        "What it must not be used for: decisions about individuals; pursuing people; judging a place or the people who "
        "live in it; league tables; measuring the performance of a partner. It counts records, and not all violence "
        "is recorded. Nothing here shows what causes violence.",
    ]
    about = []
    for target in targets:
        about += [
            f"{target.title} (definition {target.target}, version {target.version})",
            f"It covers: {target.covers}",
            f"It leaves out: {target.leaves_out}",
        ]
    about += [f"Source: {s.title}. {s.publisher}. Licence: {s.licence}." for s in sources]
    about += [f"Run {run_id}, as of {day_words(as_of)}. The same tables are in the CSV files beside this workbook."]
    return intro, about, [contact or f"{TO_BE_COMPLETED}: name, organisation and address of who answers questions"]
