"""The data that reviewers may ask for: in go groups that could not be judged, out come forms ready to be sent.

A form asks for counts and never for records of people.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from riskmodel.contracts.audit_tables import DATA_REQUESTS
from riskmodel.narrative.facts.marks import as_plain, bare
from riskmodel.narrative.fairness_rows import JUDGED, Audited
from riskmodel.narrative.fairness_words import VERDICTS
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.forecast_words import joined
from riskmodel.narrative.quoted import Quoted, counted, quoted_rows, with_positions
from riskmodel.narrative.tables_html import Heading, HtmlTable, Row

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["requests_section"]

_NAMED = 6
"""Groups of one request that are named in a row: more of them are counted, and listed in a table."""


def requests_section(audited: Audited, requests: pd.DataFrame | None) -> Section:
    """For each group that cannot be judged, the data that would settle it, ready to be asked for."""
    name, heading = "requests", "Data to ask for"
    unsettled = [key for key, verdict in audited.statuses().items() if verdict not in JUDGED]
    if requests is None or requests.empty:
        words = (
            "Every single group could be judged, so nothing is asked for."
            if not unsettled
            else f"{_not_judged(audited, unsettled)} cannot be judged, and what would settle it was not worked out."
        )
        return Section(name, heading, [words])
    held = quoted_rows(with_positions(requests, DATA_REQUESTS), "data_requests", audited.book)
    asked: dict[tuple[str, ...], list[Quoted]] = {}
    for row in held:
        key = tuple(row[column] for column in ("characteristic", "wanted", "columns", "breakdowns", "who"))
        asked.setdefault(key, []).append(row)
    parts = []
    for number, (key, rows) in enumerate(asked.items(), start=1):
        characteristic, (wanted, columns, breakdowns, who) = key[0], map(bare, key[1:])
        facts = [
            ("What is asked for", wanted), ("Columns", columns), ("Values of the breakdown", breakdowns),
            ("Who may hold it", who), ("To settle", _settled(audited, f"requests.{number}", rows)),
            ("Asked of, by whom and when", "TO BE COMPLETED"),
        ]  # fmt: skip
        parts.append(
            Section(f"request-{number}", f"{bare(f'Request {number}')}: {audited.title(characteristic)}", facts=facts)
        )
    parts.append(Section("request-groups", "Every group that is asked about", tables=[_asked_table(audited, held)]))
    words = (
        "Each form names a table of counts that would settle what this audit cannot see. Counts are enough: no names "
        "and no records of people are asked for. Small counts can be protected before they are shared."
    )
    return Section(name, heading, [words], parts=parts)


def _settled(audited: Audited, name: str, rows: Sequence[Quoted]) -> str:
    """The groups that one request would settle, by what is said of them now, and how many records that takes."""
    said = []
    for verdict in dict.fromkeys(row["verdict"] for row in rows):
        own = [row for row in rows if row["verdict"] == verdict]
        groups = (
            joined([audited.group(row["characteristic"], row["group"]) for row in own])
            if len(own) <= _NAMED
            else f"{counted(audited.book, f'{name}.{verdict}', 'data_requests', [row['row'] for row in own])} groups"
        )
        said.append(f"{groups}: {VERDICTS.get(verdict, verdict)}")
    needed = sorted((row for row in rows if math.isfinite(row["least_records"])), key=lambda r: r["least_records"])
    if needed:
        least, most = (row.say("least_records", "people") for row in (needed[0], needed[-1]))
        span = least if as_plain(least) == as_plain(most) else f"{least} to {most}, by group"
        said.append(f"records needed of each group: {span}")
    return "; ".join(said) + "."


def _asked_table(audited: Audited, rows: Sequence[Quoted]) -> HtmlTable:
    headings = [Heading("Group"), Heading("Characteristic"), Heading("What can be said now"),
                Heading("Records needed", number=True)]  # fmt: skip
    listed = [
        Row((audited.group(row["characteristic"], row["group"]), audited.title(row["characteristic"]),
             VERDICTS.get(row["verdict"], row["verdict"]), row.say("least_records", "people")))
        for row in rows
    ]  # fmt: skip
    return HtmlTable(
        "requests-table", "Every group that is asked about", headings, listed, filters=(1, 2), folded=True,
        whole="tables/data_requests.csv",
    )  # fmt: skip


def _not_judged(audited: Audited, keys: Sequence[tuple[str, str]]) -> str:
    word = "group" if len(keys) == 1 else "groups"
    return f"{audited.groups('not_judged', keys, less=sorted(JUDGED))} {word}"
