"""The answer the forecast page opens with: in goes a target's row for the whole area, out come tiles and sentences.

It says what is expected, how sure that is, how it compares with the year before, and what the number is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.forecast_words import SMALL_BASE, SUPPRESSED, period_words
from riskmodel.narrative.named_facts import number_of
from riskmodel.narrative.published import Named, Published

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RELIABILITY", "answer_points", "answer_sentences", "answer_tiles"]

RELIABILITY = {
    "calibrated": "When the same forecast was made at past dates, ranges of this kind held what they promised: they "
    "are calibrated.",
    "not calibrated": "When the same forecast was made at past dates, ranges of this kind did not hold what they "
    "promised. They are not calibrated: take this one as a rough guide.",
    "too few months to say": "There are too few past months to say whether ranges of this kind hold what they promise. "
    "Take this one as a rough guide.",
    "not judged": "Whether ranges of this kind hold what they promise has not been judged. Take this one as a rough "
    "guide.",
}
"""What a reliability mark means."""
_NOT_ALL = (
    "What the number is not",
    "It counts records, by where they were recorded. It is not all violence, and it says nothing about any person.",
)
_RESTRICTED = (
    "Small numbers, and numbers from which they could be worked out, are suppressed; the others may be rounded. A "
    "suppressed number is not a nought."
)


def answer_tiles(published: Published) -> list[tuple[str, str]]:
    """The four numbers of the answer, each with its label; none where no row is held for the whole area."""
    row = _row(published)
    if row is None:
        return []
    values, say, hidden = row
    if hidden:
        return [("Expected records", SUPPRESSED)]
    reach = f"{say('low', 'recorded')} to {say('high', 'recorded')}"
    tiles = [("Expected records", say("mean", "expected")), ("Likely range, 9 times in 10", reach)]
    if np.isfinite(values["last_year"]):
        when = published.base or "the same months a year before"
        tiles.append((f"Recorded in {when}", say("last_year", "recorded")))
    if np.isfinite(values["change"]) and values["last_year"] >= SMALL_BASE:
        tiles.append(("Expected change", say("change", "change")))
    return tiles


def answer_sentences(published: Published) -> list[str]:
    """What is expected for the whole area and how it compares with the year before."""
    row = _row(published)
    title = published.counted.title
    if row is None:
        return [f"{title}: no forecast of the next 12 months is held for the whole area."]
    values, say, hidden = row
    period, place = bare(period_words(values["start"].date(), values["end"].date())), values["name"]
    if hidden:
        return [f"{title} in {place}, {period}: the number is suppressed to protect people."]
    opening = (
        f"In {place}, {say('mean', 'expected')} records are expected from {period} ({title}). Nine times in "
        f"ten, a count like this lies between {say('low', 'recorded')} and {say('high', 'recorded')}."
    )
    return [f"{opening} {_compared(values, say, published.base)}"]


def answer_points(published: Published, headline: str, notes: Sequence[str]) -> list[tuple[str, str]]:
    """What a reader must know beside the answer, each with its label.

    Parameters
    ----------
    published : Published
    headline : str
        Whether the forecast beats counting.
    notes : sequence of str
        What else a reader must know first.
    """
    counted, row = published.counted, _row(published)
    points = [("How good the forecast is", headline)]
    if row is not None and not row[2]:
        points.append(("How sure the range is", RELIABILITY.get(str(row[0]["reliability"]), "")))
    points += [
        ("What is counted", counted.covers),
        ("What is left out", counted.leaves_out),
        _NOT_ALL,
    ]
    if counted.police_generated:
        points.append(("Follows police activity", "These records follow what the police do as much as what happens."))
    if counted.restricted:
        points.append(("Restricted source", _RESTRICTED))
    points += [("Note", words) for words in (*notes, counted.note)]
    return [point for point in points if point[1]]


Say = Callable[[str, str], str]


def _row(published: Published) -> tuple[pd.Series, Say, bool] | None:
    """The whole area's row for the next 12 months, what writes its numbers, and whether they are withheld."""
    force: Named = published.outlook.where(windows=["12_months"], levels=["pfa"])
    if not len(force):
        return None
    hidden = force.withheld[["mean", "low", "high", "last_year"]].iloc[0].any()
    row = int(force.rows.index[0])
    return force.rows.iloc[0], lambda column, form: number_of(force, row, column, form), bool(hidden)


def _compared(values: pd.Series, say: Say, newest: str) -> str:
    base, low, high = (float(values[c]) for c in ("last_year", "change_low", "change_high"))
    if not np.isfinite(base):
        return "It cannot be compared with the same months a year before, because not all of them are held."
    when = f"the newest 12 months published, {newest}" if newest else "the same months a year before"
    if base < SMALL_BASE or not np.isfinite(values["change"]):
        return f"In {when}, {say('last_year', 'recorded')} were recorded: too few for a per cent change."
    opening = (
        f"In {when}, {say('last_year', 'recorded')} were recorded: an expected change of {say('change', 'change')}, "
        f"with a likely range of {say('change_low', 'change')} to {say('change_high', 'change')}."
    )
    if low > 0:
        return f"{opening} The whole range lies above that year."
    if high < 0:
        return f"{opening} The whole range lies below that year."
    chance = float(values["chance_higher"])
    more = f" The chance of more is {say('chance_higher', 'chance')}." if np.isfinite(chance) else ""
    return f"{opening} The range holds both fewer and more.{more}"
