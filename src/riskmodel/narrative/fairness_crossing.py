"""Where characteristics meet: in go findings on intersections and their bounds, out comes a section.

What is known of an area is how many belong to each group, not to both at once. A conclusion that rests on the estimate
of how groups meet is marked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from riskmodel.contracts.audit_tables import INTERSECTIONS
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.fairness_findings import verdict_cell
from riskmodel.narrative.fairness_rows import STRENGTH, Audited, Finding
from riskmodel.narrative.fairness_words import VERDICTS
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.forecast_words import NOT_AVAILABLE, SUPPRESSED
from riskmodel.narrative.quoted import Quoted, quoted_rows, with_positions
from riskmodel.narrative.tables_html import Cell, Heading, HtmlTable, Row

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["crossing_section", "depending"]

_WORDS = (
    "Groups meet: a woman may be Black and disabled, and live in a poor place. The census says for each small place "
    "how many people belong to each group, but not how many to several at once. The figures here rest on an estimate "
    "of that. The bounds beside each figure are the least and the greatest that it could be if the estimate were "
    "wrong: within what is known to be likely, and within all that is possible."
)
_DEPENDS = (
    "Marked rows have a verdict that would be another one somewhere inside the bounds: do not rely on them alone."
)
_REPEAT = bare(
    "Figures are of places weighted by how many people of the groups live there: 1 is as much as was recorded. A "
    "verdict compares a figure with that of everyone else: a forecast that is too low everywhere is no concern here."
)


def crossing_section(audited: Audited, intersections: pd.DataFrame | None) -> Section:
    """Findings where characteristics meet, with what the bounds allow to be said."""
    name, heading = "crossing", "Where groups meet"
    findings = _strongest(audited)
    bounds = _bounds(audited, intersections)
    keys = [*findings, *(key for key in bounds if key not in findings)]
    if not keys:
        return Section(name, heading, ["No intersection was audited: the policy names none."])
    beside = dict(zip(findings, audited.of(audited.baseline, list(findings.values())), strict=True))
    dependent = depending(audited, intersections)
    rows = [_row(audited, key, findings.get(key), beside.get(key), bounds.get(key, {}), key in dependent)
            for key in sorted(keys, key=lambda k: _order(k, findings, dependent))]  # fmt: skip
    headings = [
        Heading("Groups"), Heading("Characteristics"), Heading("People, estimated", number=True),
        Heading("The forecast"), Heading("Forecast over recorded", number=True),
        Heading("Bounds: likely", unit="with the districts' totals where known"), Heading("Bounds: all possible"),
        Heading("Rests on the estimate"), Heading("Counting"), Heading("Note", sorts=False),
    ]  # fmt: skip
    table = HtmlTable(
        "crossing-table", "Where groups meet, with bounds", headings, rows, filters=(1, 3, 7),
        whole="tables/intersections.csv",
    )  # fmt: skip
    rests = Section("crossing-rests", "What the estimates rest on", bullets=_rests_on(audited, bounds))
    return Section(
        name, heading, [_WORDS, _REPEAT, _said(audited, findings, dependent), _DEPENDS], tables=[table],
        folded=[rests] if rests.bullets else [], folded_words="What the estimates rest on",
    )  # fmt: skip


def _rests_on(audited: Audited, bounds: Mapping[tuple[str, str], Mapping[str, Quoted]]) -> list[str]:
    """What is said of the estimate of each crossing, once."""
    notes = {(characteristic, by["independent"]["note"]) for (characteristic, _), by in bounds.items()
             if "independent" in by and by["independent"]["note"]}  # fmt: skip
    return [f"{audited.title(characteristic)}: {bare(note)}." for characteristic, note in sorted(notes)]


def _strongest(audited: Audited) -> dict[tuple[str, str], Finding]:
    """For each intersection the finding that says most, whatever the evidence."""
    found: dict[tuple[str, str], Finding] = {}
    for finding in sorted(audited.shown(crossed=True), key=lambda f: STRENGTH.index(f.verdict)):
        found.setdefault((finding.characteristic, finding.group), finding)
    return found


def depending(audited: Audited, intersections: pd.DataFrame | None) -> set[tuple[str, str]]:
    """The intersections whose verdict on the model shown changes inside the likely bounds."""
    held = _bounds(audited, intersections)
    return {key for key, by in held.items() if (row := _likely(by)) is not None and row["depends"] == "yes"}


def _likely(bounds: Mapping[str, Quoted]) -> Quoted | None:
    """The narrowest bounds that are to be had."""
    held = [bounds[name] for name in ("band and districts", "band") if name in bounds]
    return next((row for row in held if math.isfinite(row["low"])), held[-1] if held else None)


def _bounds(audited: Audited, intersections: pd.DataFrame | None) -> dict[tuple[str, str], dict[str, Quoted]]:
    if intersections is None:
        return {}
    rows = with_positions(intersections, INTERSECTIONS)
    found: dict[tuple[str, str], dict[str, Quoted]] = {}
    for row in quoted_rows(rows[rows["model_id"] == audited.model_id], "intersections", audited.book):
        found.setdefault((row["characteristic"], row["group"]), {})[row["knowledge"]] = row
    return found


def _order(
    key: tuple[str, str], findings: Mapping[tuple[str, str], Finding], dependent: set[tuple[str, str]]
) -> tuple[int, bool, int]:
    """Concerns first, then what rests on the estimate, then fewer characteristics."""
    finding = findings.get(key)
    at = STRENGTH.index(finding.verdict) if finding is not None else len(STRENGTH)
    return at, key not in dependent, key[0].count(" x ")


def _said(audited: Audited, findings: Mapping[tuple[str, str], Finding], dependent: set[tuple[str, str]]) -> str:
    by = {verdict: [key for key, f in findings.items() if f.verdict == verdict] for verdict in STRENGTH}
    numbers = {verdict: audited.with_status("crossing", keys, verdict, crossed=True) for verdict, keys in by.items()
               if keys}  # fmt: skip
    listed = ", ".join(f"{number} {VERDICTS[verdict]}" for verdict, number in numbers.items())
    firm = ""
    if by["concern"]:
        resting = [findings[key].row for key in by["concern"] if key in dependent]
        number = audited.counted("crossing.resting", resting)
        firm = f" Concerns that rest on the estimate: {number} of {numbers['concern']}."
    number = audited.groups("crossing", findings, crossed=True)
    return f"{number} intersections were audited: {listed}.{firm}"


def _row(
    audited: Audited, key: tuple[str, str], finding: Finding | None, beside: Finding | None,
    bounds: Mapping[str, Quoted], depends: bool,
) -> Row:  # fmt: skip
    characteristic, group = key
    hidden = finding is not None and finding.hidden
    people, point = (_first(bounds, column, form) for column, form in (("people", "people"), ("point", "times")))
    likely = _likely(bounds)
    blank = likely is not None and (point == NOT_AVAILABLE or not math.isfinite(likely["low"]))
    withheld = SUPPRESSED
    return Row(
        (
            audited.group(characteristic, group), audited.title(characteristic), withheld if hidden else people,
            verdict_cell(finding), withheld if hidden else point,
            withheld if hidden else _between(likely), withheld if hidden else _between(bounds.get("margins")),
            Cell("yes", style="mark-notice") if depends else "no", verdict_cell(beside),
            bare(likely["note"]) if blank and likely is not None and not hidden else "",
        ),
        style="marked" if depends else "",
    )  # fmt: skip


def _first(bounds: Mapping[str, Quoted], column: str, form: str) -> str:
    """A number that is the same whatever is known, from the first row that has it."""
    return next((row.say(column, form) for row in bounds.values() if math.isfinite(row[column])), NOT_AVAILABLE)


def _between(row: Quoted | None) -> str:
    """Bounds; what has no upper end says so."""
    if row is None or not math.isfinite(row["low"]):
        return NOT_AVAILABLE
    low = row.say("low", "two_decimals")
    return f"{low} to {row.say('high', 'two_decimals')}" if math.isfinite(row["high"]) else f"{low} and more"
