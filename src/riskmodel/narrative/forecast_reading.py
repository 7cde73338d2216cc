"""The end of the forecast page: how to read it, what it is not for, the method, its record so far and its sources.

In: the calibration, comparison and noise_floor tables and what the run rests on. Out: one section.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from riskmodel.backtest.noise_floor import HINDSIGHT, TRUE_MEAN
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.forecast_words import NOT_AVAILABLE, Counted
from riskmodel.narrative.named_facts import cell_of
from riskmodel.narrative.tables_html import Cell, Heading, HtmlTable, Row
from riskmodel.narrative.workbook_text import LEVEL_NAMES, WINDOW_NAMES, SourceNote, day_words

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.narrative.facts.book import FactBook

__all__ = ["reading_section"]

_READING = (
    "Expected: the middle of what the forecast holds possible, a count of records. Read it with its likely range.",
    "Likely range: where the count is expected nine times in ten. The ends of ranges do not add up over places or "
    "periods, because places are seldom all high or all low at once; the expected counts do add up.",
    "Change: against the same months a year before or, where these are not all published yet, against the newest 12 "
    "months. Where its range holds no change, the forecast leaves open whether there are more or fewer.",
    "Rank band: the ranks a place can have, nine times in ten, by its count. It is not a league table.",
    "Reliability: whether ranges of this kind held what they promised at past dates. Treat a range with any mark but "
    "calibrated as a rough guide.",
    "Suppressed: withheld to protect people; not a nought. Not available: there is no number.",
)
_NOT_FOR = (
    "decisions about any person, or pursuing people",
    "enforcement, patrols, searches or surveillance",
    "judging a place or the people who live in it, or league tables of places",
    "measuring the performance of the police or of a partner",
    "saying why violence happens: nothing here shows causes",
)
_METHOD = (
    "The forecast uses only what had been published by the day it is made as of.",
    "Recorded violence of the whole area is forecast first; each small area has a share of it that moves slowly.",
    "Conditions of places enter where the model has them; the page of the model says which.",
    "Many possible futures are drawn for every small area and month; wards, districts and years are sums of the same "
    "futures, so that all levels agree.",
    "The same forecast was made at past dates and compared with what was then recorded; the tables below show how it "
    "did.",
)
_SPLITS = {"all": "All", "horizon": "Months ahead", "size": "Size of the area", "urban_rural": "Urban or rural"}
_METRICS = {
    "poisson_deviance": "error of the expected count (Poisson deviance)",
    "crps": "error of the whole range (CRPS)",
}


def reading_section(
    *,
    calibration: pd.DataFrame | None,
    comparison: pd.DataFrame | None,
    noise_floor: pd.DataFrame | None = None,
    targets: Sequence[Counted],
    model_id: str,
    method: Sequence[str],
    sources: Sequence[SourceNote],
    as_of: date,
    run_id: str,
    contact: str,
    book: FactBook | None = None,
) -> Section:
    """How to read the page and what it rests on.

    Parameters
    ----------
    calibration, comparison, noise_floor : DataFrame or None
        The nouns of those names.
    targets : sequence of Counted
    model_id : str
        The model whose forecast is shown.
    method : sequence of str
        The method in about five lines; a general account stands where none is given.
    sources : sequence of SourceNote
    as_of : date
    run_id : str
    contact : str
        Who answers questions.
    book : FactBook, optional
        What numbers are written through.
    """
    titles = {t.target: t.title for t in targets}
    judged = (
        [] if calibration is None or not len(calibration) else _calibration_tables(calibration, model_id, titles, book)
    )
    compared = [] if comparison is None or not len(comparison) else _comparison_tables(comparison, book)
    if noise_floor is not None and len(noise_floor):
        compared += _possible_tables(noise_floor, model_id, book)
    parts = [
        Section("how-to-read", "How to read the numbers", bullets=_READING),
        Section("not-for", "What this page must not be used for", ["Places and groups, never individuals."],
                bullets=_NOT_FOR),
        Section("method", "How the forecast is made", bullets=tuple(method) or _METHOD),
        Section("record", "How the forecast has done", [_RECORD_NOTE], tables=[*compared, *judged]),
        Section("sources", "Sources and licence", facts=_facts(targets, sources, model_id, as_of, run_id, contact)),
    ]  # fmt: skip
    return Section("reading", "How to read this page", parts=parts)


_RECORD_NOTE = (
    "Skill is by how much the error is smaller than that of counting, on the same forecasts: nought is no better than "
    "counting. Counting is mostly the mean of the newest 12 months. A range is reliable if what was "
    "recorded fell inside it about as often as it promised."
)


def _comparison_tables(comparison: pd.DataFrame, book: FactBook | None) -> list[HtmlTable]:
    headings = [Heading("Model"), Heading("Compared with"), Heading("Measured by"), Heading("Skill", number=True),
                Heading("Range of the skill", number=True, unit="9 in 10"), Heading("Verdict"),
                Heading("Months", number=True)]  # fmt: skip
    overall = (comparison["origin_date"] == "all") & (comparison["horizon"] == "all")
    rows = []
    for at, r in _records(comparison[overall]):
        say = partial(_say, book, "comparison", at, r)
        rows.append(
            Row((bare(r["model_id"]), bare(r["baseline"]), _METRICS.get(r["metric"], r["metric"].replace("_", " ")),
                 say("skill", "skill"), _between(say, r, "skill"), r["verdict"], say("month_blocks", "whole")))
        )  # fmt: skip
    return [HtmlTable("comparison", "Skill against counting, all origins and months ahead", headings, rows, page=0)]


_KNOWN = {
    HINDSIGHT: "Each month's own total and, for the shares of places, the months before and after it: hindsight",
    TRUE_MEAN: "Each place's true mean, if counts scatter about it as they did about this forecast's",
}


def _possible_tables(noise_floor: pd.DataFrame, model_id: str, book: FactBook | None) -> list[HtmlTable]:
    """The skill that could be reached at all, beside which the others are read."""
    headings = [Heading("What would be known"), Heading("Measured by"), Heading("Skill it would reach", number=True),
                Heading("Range of the skill", number=True, unit="9 in 10")]  # fmt: skip
    own = (noise_floor["what"] == HINDSIGHT) | (noise_floor["model_id"] == model_id)
    rows = []
    for at, r in _records(noise_floor[own & (noise_floor["horizons"] == "all")]):
        say = partial(_say, book, "noise_floor", at, r)
        measured = _METRICS.get(r["metric"], r["metric"].replace("_", " "))
        rows.append(Row((_KNOWN[r["what"]], measured, say("skill_bound", "skill"), _between(say, r, "skill"))))
    caption = "What skill is possible at all, for counts scatter and no forecast foresees that"
    return [HtmlTable("noise-floor", caption, headings, rows, page=0)] if rows else []


def _calibration_tables(
    calibration: pd.DataFrame, model_id: str, titles: dict[str, str], book: FactBook | None
) -> list[HtmlTable]:
    own = calibration[(calibration["model_id"] == model_id) & calibration["target"].isin(list(titles))]
    plain = (own["stratum"] == "all") & np.isclose(own["central"], 0.9)
    tables = [
        ("calibration", "Of ranges that promise 90%: how often what was recorded fell inside", own[plain], False),
        ("calibration-all", "Every range judged, and by months ahead, size and kind of area", own[~plain], True),
    ]
    return [
        HtmlTable(name, caption, _JUDGED, _judged_rows(rows, titles, book), (0, 1) if folded else (), folded=folded)
        for name, caption, rows, folded in tables
        if len(rows)
    ]


_JUDGED = [
    Heading("What is counted"), Heading("Kind of area"), Heading("Kind of period"), Heading("Split by"),
    Heading("Range promises", number=True), Heading("Found inside", number=True, unit="ties shared"),
    Heading("Its own range", number=True, unit="9 in 10"), Heading("Inside as printed", number=True),
    Heading("Expected inside as printed", number=True), Heading("Forecasts", number=True),
    Heading("Months", number=True), Heading("Reliability of the range"),
]  # fmt: skip


def _judged_rows(rows: pd.DataFrame, titles: dict[str, str], book: FactBook | None) -> list[Row]:
    marks = {"calibrated": "mark-yes", "not calibrated": "mark-no", "too few months to say": "mark-few"}
    found = []
    for at, r in _records(rows):
        say = partial(_say, book, "calibration", at, r)
        split = _SPLITS.get(r["stratum"], r["stratum"]) + ("" if r["stratum"] == "all" else f": {r['value']}")
        found.append(
            Row((
                titles[r["target"]], LEVEL_NAMES.get(r["level"], r["level"]),
                WINDOW_NAMES.get(r["window"], r["window"]), bare(split),
                say("central", "share"), say("pit_mass", "share"), _between(say, r, "share"),
                say("coverage", "share"), say("coverage_expected", "share"), say("forecasts", "whole"),
                say("month_blocks", "whole"), Cell(r["verdict"], style=marks.get(r["verdict"], "")),
            ))
        )  # fmt: skip
    return found


def _records(frame: pd.DataFrame) -> list[tuple[int, dict[str, Any]]]:
    """Rows as dicts, each with its position in the table."""
    rows = zip(frame.index, frame.to_dict("records"), strict=True)
    return [(int(at), {str(name): value for name, value in row.items()}) for at, row in rows]


def _say(book: FactBook | None, table: str, at: int, row: Mapping[str, Any], column: str, form: str) -> str:
    return cell_of(book, table, at, column, float(row[column]), form)


def _between(say: Callable[[str, str], str], row: Mapping[str, Any], form: str) -> str:
    held = np.isfinite(row["low"] + row["high"])
    return f"{say('low', form)} to {say('high', form)}" if held else NOT_AVAILABLE


def _facts(
    targets: Sequence[Counted], sources: Sequence[SourceNote], model_id: str, as_of: date, run_id: str, contact: str
) -> list[tuple[str, str]]:
    facts = [
        (bare(f"Source {n}"), bare(f"{s.title}. {s.publisher}. Licence: {s.licence}."))
        for n, s in enumerate(sources, start=1)
    ]
    facts += [(bare(f"Definition {t.target}"), bare(f"{t.title}. {t.differs}")) for t in targets if t.differs]
    facts += [("As of", bare(day_words(as_of))), ("Model", bare(model_id)), ("Run", bare(run_id))]
    facts.append(("The same numbers", "tables/planner.xlsx, and as CSV in the folder tables."))
    return [*facts, ("Questions", bare(contact) or "TO BE COMPLETED: name, organisation and address")]
