"""What was recorded in one place and what is expected there: in goes the place, out come sentences chosen by the facts.

A change is only said to be one where its range holds no other; a place is never ranked without a band.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from riskmodel.narrative.assessment.contents import Assessment
from riskmodel.narrative.assessment.place_rows import Place
from riskmodel.narrative.chance import change_by_chance
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.forecast_answer import RELIABILITY
from riskmodel.narrative.forecast_pictures import CHANGED, place_over_time
from riskmodel.narrative.forecast_rows import rate_words, rates_of
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.forecast_words import SMALL_BASE, SUPPRESSED, period_words
from riskmodel.narrative.history_rows import years_table
from riskmodel.narrative.named_facts import number_of, past_change
from riskmodel.narrative.tables_html import HtmlTable

__all__ = ["Counts", "counts_of", "counts_section"]

_PLURALS = {
    "csp24": "partnerships", "lad24": "districts", "local": "local areas", "ward24": "wards", "msoa21": "MSOAs",
    "pfa": "force areas",
}  # fmt: skip


@dataclass(frozen=True)
class Counts:
    """What can be said of a place's counts; empty where nothing can.

    ``moved`` and ``moving`` are more, fewer, no clear change, few, changed (recording changed), or empty: of the
    newest twelve months beside those before, and of the next twelve beside the newest.
    """

    recorded: str = ""
    span: str = ""
    said: str = ""
    moved: str = ""
    expected: str = ""
    reach: str = ""
    ahead: str = ""
    moving: str = ""
    band: str = ""
    rate: str = ""
    reliability: str = ""
    small: bool = False


def counts_of(assessment: Assessment, place: Place) -> Counts:
    """The newest twelve months, the change before, and the next twelve months."""
    return _expected(assessment, place, _recorded(place, assessment.target.title))


def _recorded(place: Place, title: str) -> Counts:
    past = place.history.where(windows=["12_months"])
    whole = past.only(past.rows["months_held"] == past.rows["months_of"])
    if not len(whole):
        return Counts(said="No twelve months in a row are held, so no count is given.")
    rows = whole.rows.sort_values("end", kind="stable")
    newest = int(rows.index[-1])
    last = rows.iloc[-1]
    span = bare(period_words(last["start"].date(), last["end"].date()))
    count = number_of(whole, newest, "recorded", "recorded")
    if count == SUPPRESSED:
        return Counts(count, span, f"The count of {span} is suppressed to protect people.")
    opening = f"In {span}, {count} records were located here ({title})."
    end = last["end"]
    same = (rows["end"].dt.year == end.year - 1) & (rows["end"].dt.month == end.month)
    if not same.any():
        return Counts(count, span, f"{opening} The twelve months before are not held whole.")
    before = int(rows.index[same.to_numpy()][0])
    then = number_of(whole, before, "recorded", "recorded")
    if then == SUPPRESSED:
        return Counts(count, span, f"{opening} The count of the twelve months before is suppressed.")
    moved, words = _compared(whole, newest, before)
    return Counts(count, span, f"{opening} In the twelve months before there were {then}: {words}", moved)


def _compared(whole: Any, newest: int, before: int) -> tuple[str, str]:
    """The change between two counts, and whether it is one."""
    now, then = (whole.number(row, "recorded") for row in (newest, before))
    low, high = (float(end[0]) for end in change_by_chance(np.array([then]), np.array([now])))
    if not np.isfinite(low + high):
        return "few", "too few for a change to be told from chance."
    change, least, most = past_change(whole, newest, before, change=now / then - 1, low=low, high=high)
    reach = f"by chance alone {least} to {most}"
    notes = whole.rows.loc[[newest, before], "note"].fillna("")
    if notes.str.contains(CHANGED).any():
        return "changed", f"{change} ({reach}). Recording changed in these months, so this shows no trend."
    if low <= 0 <= high:
        return "no clear change", f"no clear change ({change}, {reach})."
    side = "more" if low > 0 else "fewer"
    return side, f"{side} than counting alone leaves open ({change}, {reach})."


def _expected(assessment: Assessment, place: Place, counts: Counts) -> Counts:
    year = place.outlook.where(windows=["12_months"])
    if not len(year):
        return replace(counts, ahead="No forecast of the next 12 months is held for this place.")
    row = int(year.rows.index[0])
    values = year.rows.iloc[0]
    period = bare(period_words(values["start"].date(), values["end"].date()))
    if year.withheld[["mean", "low", "high"]].iloc[0].any():
        return replace(counts, ahead=f"What is expected from {period} is suppressed to protect people.")

    def say(column: str, form: str) -> str:
        return number_of(year, row, column, form)

    reach = f"{say('low', 'recorded')} to {say('high', 'recorded')}"
    words = f"From {period}, {say('mean', 'expected')} records are expected, nine times in ten {reach}."
    moving, compared = _change_ahead(assessment, year, row)
    return replace(
        counts, expected=say("mean", "expected"), reach=reach, ahead=f"{words} {compared}", moving=moving,
        band=_band(place, year, row), rate=_rate(place, year, row), reliability=str(values["reliability"]),
        small=bool(values["mean"] < 2 * SMALL_BASE),
    )  # fmt: skip


def _change_ahead(assessment: Assessment, year: Any, row: int) -> tuple[str, str]:
    values = year.rows.loc[row]
    base, low, high = (float(values[c]) for c in ("last_year", "change_low", "change_high"))
    when = assessment.published.base
    beside = f"the newest twelve months ({when})" if when else "the same months a year before"
    if bool(year.withheld.loc[row, "last_year"]) or not np.isfinite(base):
        return "", "There is no count to compare it with."
    if base < SMALL_BASE or not np.isfinite(low + high):
        return "few", f"Beside {beside} the numbers are too small for a change in per cent."
    ends = [number_of(year, row, column, "change") for column in ("change_low", "change_high")]
    reach = f"({ends[0]} to {ends[1]})"
    if low <= 0 <= high:
        return "no clear change", f"Beside {beside} that is no clear change {reach}: there may be fewer or more."
    side = "more" if low > 0 else "fewer"
    return side, f"The whole range lies {'above' if low > 0 else 'below'} {beside} {reach}."


def _band(place: Place, year: Any, row: int) -> str:
    low, high, of = (year.number(row, column) for column in ("rank_low", "rank_high", "of"))
    hidden = year.withheld.loc[row, ["rank_low", "rank_high"]].any()
    if hidden or not np.isfinite(low + high) or of < 2:
        return ""
    words = year.book.cells("outlook", row, ("rank_low", "rank_high", "of"), form="rank_band")
    return f"{words} {_PLURALS.get(place.level, 'places')}"


def _rate(place: Place, year: Any, row: int) -> str:
    if place.counts_only:
        return ""
    rate = float(rates_of(year, frozenset())[0])
    return rate_words(year, row, rate) if np.isfinite(rate) else ""


def counts_section(assessment: Assessment, place: Place, counts: Counts) -> Section:
    """Recorded and expected: sentences, what bears on them, the picture over time and the financial years."""
    title = assessment.target.title
    points = [("What is counted", assessment.target.covers)]
    if counts.band:
        points.append((
            "Rank band by count", f"{counts.band}. The band holds every rank that is likely. It follows how many "
            "people live in a place and visit it, and is no league table.",
        ))  # fmt: skip
    if counts.rate:
        points.append(("Expected per 1,000 residents", f"{counts.rate}. Violence falls on visitors too."))
    elif place.counts_only:
        points.append(("Counts, no rates", _poor_words(place)))
    if counts.reliability:
        points.append(("How sure the range is", RELIABILITY.get(counts.reliability, "")))
    drawn = place_over_time(place.history, place.outlook, counted=title, name="over-time")
    years = _years(assessment, place)
    return Section(
        "recorded", "What was recorded, and what is expected", [counts.said, counts.ahead], points=points,
        pictures=[] if drawn is None else [drawn], tables=[] if years is None else [years],
    )  # fmt: skip


def _poor_words(place: Place) -> str:
    named = list(place.poor)
    where = f"in {named[0]}" if len(named) == 1 else "in several of its small areas"
    return f"{where[:1].upper()}{where[1:]} visitors are many beside residents, so a rate per resident would mislead."


def _years(assessment: Assessment, place: Place) -> HtmlTable | None:
    past, ahead = (named.where(windows=["financial_year"]) for named in (place.history, place.outlook))
    if not len(past):
        return None
    # A year that is not over is shown as expected, with what is recorded of it.
    past = past.only(~past.rows["end"].isin(ahead.rows["end"]))
    made = years_table(past, ahead, name="years", caption="Financial years, recorded and then expected")
    # Place and kinds are the same in every row.
    rows = [replace(row, cells=row.cells[3:]) for row in made.rows]
    return replace(made, headings=made.headings[3:], rows=rows, filters=(), page=0)
