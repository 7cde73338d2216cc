"""For analysts, folded: codes, bounds, method, hashes and the audit's rows.

In: the audit. Out: one section that a lay reviewer can leave closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from riskmodel.narrative.facts.marks import as_plain, bare
from riskmodel.narrative.fairness_findings import statistic_words
from riskmodel.narrative.fairness_rows import ALL, STRENGTH, Audited, code_number
from riskmodel.narrative.fairness_words import verdict_words
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.quoted import Quoted
from riskmodel.narrative.tables_html import Cell, Heading, HtmlTable, Row

__all__ = ["analysts_section"]

_METHOD = (
    "A contrast (M2) is the logarithm of forecast over recorded, weighted by a group's share of each area, less the "
    "same for everyone else; counts by group need no weights. It is the only check with a verdict.",
    "Sums are taken by blocks of neighbouring areas first. The error is that of leaving out one block at a time, over "
    "three tilings of the region; the largest p and the widest interval of the three count. Areas taken one by one "
    "would give many false alarms, because neighbours go wrong together.",
    "p is adjusted for the groups of a characteristic (Holm). A concern needs an adjusted p below the policy's level "
    "and a contrast beyond the policy's bound.",
    "Weighted by where people live, a difference of half as much again between people typically shows as a contrast of "
    "about 1.06, because every area is home to people of many groups.",
    "The smallest difference found is (t at .975 + t at .80) times the error: it is found four times in five.",
    "Only forecasts made as if in the past, with what was recorded since, are audited; a cell counts only where every "
    "model has a forecast.",
    "Nothing here proves that there is no discrimination, and figures of areas say nothing of any person.",
)
_HEADINGS = (
    Heading("Group"), Heading("Characteristic"), Heading("Check"), Heading("Model"), Heading("Evidence and source"),
    Heading("Statistic", number=True), Heading("Interval", unit="90 %"), Heading("p", number=True),
    Heading("p adjusted", number=True), Heading("Verdict"), Heading("Per 1,000 a year", number=True),
    Heading("Smallest found", number=True), Heading("Blocks", number=True),
)  # fmt: skip


def analysts_section(audited: Audited, *, identifiers: Sequence[tuple[str, str]]) -> Section:
    """Codes, bounds, method, hashes and every row of the audit that is over the whole region."""
    parts = [
        Section("codes", "Checks", facts=[(bare(term), bare(words)) for term, words in _codes(audited)]),
        Section("bounds", "Bounds of the policy", bullets=_bounds(audited)),
        Section("method", "How it is done", bullets=[bare(words) for words in _METHOD]),
        Section("hashes", "Which files this page is made of", facts=list(identifiers)),
        Section("rows", "The audit, row by row", [_kept(audited)], tables=[_table(audited)]),
    ]
    return Section("analysts", "For analysts", folded=parts, folded_words="Codes, bounds, method, hashes and all rows")


def _codes(audited: Audited) -> list[tuple[str, str]]:
    named = audited.rows.drop_duplicates(["code", "check"])
    named = named.iloc[named["code"].map(code_number).argsort(kind="stable")]
    return [
        (f"{row['code']} {row['check'].replace('_', ' ')}", f"{_asked(row)} Statistic: {row['unit']}.")
        for row in audited.quoted(named)
    ]


def _asked(row: Quoted) -> str:
    """A check's question, of any group."""
    group = str(row["group"]).replace("_", " ")
    return str(row["question"]).replace(f"the group {group}", "the group").replace(f" {group} ", " the group ")


def _bounds(audited: Audited) -> list[str]:
    pairs = {
        "calibration_ratio": "Contrast, by where people live",
        "outcome_calibration_ratio": "Contrast, counts by group",
        "exposure_bias": "Exposure bias, share of the mean rate", "coverage": "Coverage, relative difference",
        "share_gradient": "Share gradient",
    }  # fmt: skip

    def said(name: str) -> str:
        return audited.declared(name, float(attrgetter(name)(audited.policy)))

    return [
        *(f"{words}: noticed from {said(f'bounds.{name}.notice')}, action from {said(f'bounds.{name}.action')}"
          for name, words in pairs.items()),
        f"Coverage of a 90 % interval: outside {said('bounds.interval_coverage_least')} to "
        f"{said('bounds.interval_coverage_most')}",
        f"Proxy: from an R\N{SUPERSCRIPT TWO} of {said('bounds.proxy_r_squared')}",
        f"Least evidence: {said('evidence.least_blocks')} blocks, {said('evidence.least_people')} people, "
        f"{said('evidence.least_records')} records; significance {said('evidence.significance')}; declared effect "
        f"{said('evidence.declared_effect')}",
    ]  # fmt: skip


def _kept(audited: Audited) -> str:
    crossed = audited.rows["characteristic"].str.contains(" x ", regex=False).any()
    words = "Rows over the whole region and all origins, for every model and single group."
    if crossed:
        words += (
            f" Intersections are listed for {bare(audited.model_id)} and {bare(audited.baseline)}, with their verdicts."
        )
    return (
        f"{words} The file tables/audit.csv has these with every column and the explanation of each, and the rows of "
        "parts of the region; tables/audit.parquet has every row that was made."
    )


def _table(audited: Audited) -> HtmlTable:
    rows = audited.rows
    crossed = rows["characteristic"].str.contains(" x ", regex=False)
    beside = rows["model_id"].isin([audited.model_id, audited.baseline]) & (rows["code"] == "M2")
    kept = rows[(rows["part"] == ALL) & (~crossed | beside)]
    listed = []
    wanted = ["characteristic", "group", "code", "check", "model_id", "evidence", "source", "statistic", "low", "high",
              "p", "p_adjusted", "verdict", "severity", "per_1000", "per_1000_smallest_seen", "blocks",
              "row"]  # fmt: skip
    for row in audited.quoted(kept[wanted]):
        low, high = (statistic_words(row, name) for name in ("low", "high"))
        verdict = Cell(verdict_words(row["verdict"], row["severity"]), order=STRENGTH.index(row["verdict"]))
        listed.append(
            Row((
                audited.group(row["characteristic"], row["group"]), audited.title(row["characteristic"]),
                bare(f"{row['code']} {row['check'].replace('_', ' ')}"), bare(row["model_id"]),
                bare(f"{row['evidence']}, {row['source']}"),
                statistic_words(row, "statistic"), low if as_plain(low) == as_plain(high) else f"{low} to {high}",
                statistic_words(row, "p"), statistic_words(row, "p_adjusted"), verdict,
                statistic_words(row, "per_1000"), statistic_words(row, "per_1000_smallest_seen", "seen"),
                statistic_words(row, "blocks", "whole"),
            ))
        )  # fmt: skip
    return HtmlTable("audit-table", "The audit", _HEADINGS, listed, filters=(1, 2, 3, 9), whole="tables/audit.csv")
