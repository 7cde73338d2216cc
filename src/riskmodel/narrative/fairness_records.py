"""Gaps in the records: in go tipping points and findings on other services' records, out comes a section."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from riskmodel.contracts.audit_tables import TIPPING_POINTS
from riskmodel.narrative.fairness_brief import differing
from riskmodel.narrative.fairness_findings import figure_cells, verdict_cell
from riskmodel.narrative.fairness_rows import STRENGTH, Audited
from riskmodel.narrative.fairness_words import VERDICTS
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.forecast_words import NOT_AVAILABLE, SUPPRESSED, joined
from riskmodel.narrative.quoted import Quoted, counted, quoted_rows, with_positions
from riskmodel.narrative.tables_html import Cell, Heading, HtmlTable, Row

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NONE_MADE", "records_section", "tipping_of"]

_GAPS = (
    "Not all violence is recorded, and it may be recorded less fully for one group than for another. The audit cannot "
    "see that. It can say what would follow: for each group it supposes that violence against people who live where "
    "the group lives is recorded less fully, or more fully, than that of others, and looks whether the verdict changes."
)
NONE_MADE = "This was not worked out in this run."
"""Stands where a table is not there."""


def tipping_of(audited: Audited, tipping: pd.DataFrame | None) -> dict[tuple[str, str], tuple[float, float]]:
    """For each group, the supposed recording nearest to equal, below and above, at which the verdict changes.

    Returns
    -------
    dict of (characteristic, group) to (float, float)
        Not a number where it does not change on that side.
    """
    found: dict[tuple[str, str], tuple[float, float]] = {}
    for row in _tipping_rows(audited, tipping):
        key = row["characteristic"], row["group"]
        below, above = found.get(key, (math.nan, math.nan))
        share = row["recorded_share"]
        if row["changes"] == "yes" and share < 1:
            below = max(share, below) if below == below else share
        elif row["changes"] == "yes":
            above = min(share, above) if above == above else share
        found[key] = below, above
    return found


def _tipping_rows(audited: Audited, tipping: pd.DataFrame | None) -> list[Quoted]:
    """Rows of the model shown; what is withheld has no verdict to change."""
    if tipping is None or tipping.empty:
        return []
    held = with_positions(tipping, TIPPING_POINTS)
    rows = quoted_rows(held[held["model_id"] == audited.model_id], "tipping_points", audited.book)
    hidden = {key: audited.withheld(*key) for key in {(row["characteristic"], row["group"]) for row in rows}}
    no_verdict = {"verdict": "suppressed", "changes": "no"}
    return [
        replace(row, held={**row.held, **no_verdict}) if hidden[row["characteristic"], row["group"]] else row
        for row in rows
    ]


def records_section(audited: Audited, tipping: pd.DataFrame | None) -> Section:
    """Tipping points, and the forecast held against the records of other services."""
    rows = _tipping_rows(audited, tipping)
    parts = [_other_streams(audited)]
    if not rows:
        return Section("records", "If the records have gaps", [_GAPS, NONE_MADE], parts=parts)
    at = tipping_of(audited, tipping)
    changing = [key for key, ends in at.items() if any(map(math.isfinite, ends))]
    least, most = (end(rows, key=lambda row: row["recorded_share"]) for end in (min, max))
    by_group: dict[tuple[str, str], dict[float, Quoted]] = {}
    for row in rows:
        by_group.setdefault((row["characteristic"], row["group"]), {})[row["recorded_share"]] = row
    first = {key: next(iter(held.values()))["row"] for key, held in by_group.items()}
    number = counted(audited.book, "fairness.tipping.changing", "tipping_points", [first[key] for key in changing])
    where = {"model_id": audited.model_id}
    groups = counted(audited.book, "fairness.tipping.groups", "tipping_points", first.values(),
                     ["distinct", "tipping_points", ["characteristic", "group"], where])  # fmt: skip
    said = (
        f"Supposing records from {least.say('recorded_share', 'as_given')} to {most.say('recorded_share', 'as_given')} "
        f"times as full as those of others, the verdict on {number} of {groups} groups changes."
    )
    headings = [
        Heading("Group"), Heading("Characteristic"), Heading("Verdict on the records as they are"),
        Heading("If recorded less fully than for others", unit="how full it changes the verdict at"),
        Heading("If recorded more fully than for others", unit="how full it changes the verdict at"),
    ]  # fmt: skip
    listed = []
    for (characteristic, group), held in sorted(by_group.items(), key=lambda entry: entry[0] not in changing):
        below, above = at[characteristic, group]
        as_is = next((r["verdict"] for r in held.values() if r["changes"] == "no"), "")
        cells = [_tip_words(held, end) for end in (below, above)]
        listed.append(
            Row((audited.group(characteristic, group), audited.title(characteristic), _verdict(as_is), *cells))
        )
    table = HtmlTable(
        "tipping-table", "How much under-recording would change a verdict", headings, listed, filters=(1, 2),
        whole="tables/tipping_points.csv",
    )  # fmt: skip
    return Section(
        "records", "If the records have gaps", [_GAPS, said], tables=[table], parts=parts,
        folded=[_all_supposed(audited, rows)], folded_words="Every supposed recording",
    )  # fmt: skip


def _tip_words(held: Mapping[float, Quoted], end: float) -> str:
    if not math.isfinite(end):
        return "the same verdict"
    row = held[end]
    verdict = VERDICTS.get(row["verdict"], row["verdict"])
    return f"{row.say('recorded_share', 'as_given')} times as fully: {verdict}"


def _verdict(verdict: str) -> Cell:
    order = STRENGTH.index(verdict) if verdict in STRENGTH else len(STRENGTH)
    return Cell(VERDICTS.get(verdict, verdict or NOT_AVAILABLE), order=order)


def _all_supposed(audited: Audited, rows: Sequence[Quoted]) -> Section:
    headings = [
        Heading("Group"), Heading("Characteristic"), Heading("Supposed recording", number=True, unit="times others'"),
        Heading("Forecast over recorded, compared with everyone else"), Heading("Living in places put first",
        number=True), Heading("The same if put first by what would have been recorded", number=True),
        Heading("Verdict"), Heading("Changes"),
    ]  # fmt: skip
    listed = []
    for row in rows:
        unseen = row["verdict"] in ("not_visible", "not_assessable")
        shown = (SUPPRESSED,) * 3 if row["verdict"] == "suppressed" else (
            "none" if unseen else row.say("statistic", "log_more_or_less"),
            row.say("prioritised_share", "share"), row.say("need_share", "share"),
        )  # fmt: skip
        listed.append(
            Row((audited.group(row["characteristic"], row["group"]), audited.title(row["characteristic"]),
                 row.say("recorded_share", "as_given"), *shown, _verdict(row["verdict"]), row["changes"]))
        )  # fmt: skip
    table = HtmlTable(
        "supposed-table", "Every supposed recording of every group", headings, listed, filters=(1, 2),
        whole="tables/tipping_points.csv",
    )  # fmt: skip
    return Section("supposed", "Every supposed recording", tables=[table])


def _other_streams(audited: Audited) -> Section:
    """The forecast held against what another service recorded."""
    findings = audited.against_others
    name, heading = "streams", "Held against another service's records"
    words = (
        "No service sees all violence. Where another one recorded it too, such as ambulances or an emergency "
        "department, the forecast is also held against its records: a difference that only shows there points to a "
        "gap in the records the forecast was learned from, or to violence of another kind. It meets no stop rule."
    )
    if not findings:
        return Section(name, heading, [words, "No other service's records were held in this run."])
    bullets = []
    for source in dict.fromkeys(f.source for f in findings):
        found = differing(audited, [f for f in findings if f.source == source])
        said = f"compared with everyone else, {joined(found)}" if found else "no concern in the groups that can be seen"
        bullets.append(f"{audited.source_title(source)}: {said}.")
    headings = [Heading("Group"), Heading("Characteristic"), Heading("Held against"), Heading("The forecast"),
                Heading("Forecast less recorded", number=True, unit="records per 1,000 residents a year"),
                Heading("The same, as a share", number=True), Heading("Counting")]  # fmt: skip
    listed = [
        Row((audited.group(f.characteristic, f.group), audited.title(f.characteristic),
             audited.source_title(f.source), verdict_cell(f), *figure_cells(f), verdict_cell(b)))
        for f, b in sorted(zip(findings, audited.of(audited.baseline, findings), strict=True),
                           key=lambda pair: STRENGTH.index(pair[0].verdict))
    ]  # fmt: skip
    table = HtmlTable(
        "streams-table", "Group by group, against other records", headings, listed, filters=(1, 2, 3),
        whole="tables/audit.csv",
    )  # fmt: skip
    return Section(name, heading, [words], bullets=bullets, tables=[table])
