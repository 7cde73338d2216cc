"""For analysts, folded: codes, bounds, method, hashes and the audit's rows.

In: the audit. Out: one section that a lay reviewer can leave closed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskmodel.narrative.fairness_rows import ALL, STRENGTH, Audited, code_number
from riskmodel.narrative.fairness_words import seen_words, verdict_words
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.forecast_words import NOT_AVAILABLE, SUPPRESSED
from riskmodel.narrative.model_sections import records
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
        Section("codes", "Checks", facts=_codes(audited)),
        Section("bounds", "Bounds of the policy", bullets=_bounds(audited)),
        Section("method", "How it is done", bullets=_METHOD),
        Section("hashes", "Which files this page is made of", facts=list(identifiers)),
        Section("rows", "The audit, row by row", [_kept(audited)], tables=[_table(audited)]),
    ]
    return Section("analysts", "For analysts", folded=parts, folded_words="Codes, bounds, method, hashes and all rows")


def _codes(audited: Audited) -> list[tuple[str, str]]:
    named = audited.rows.drop_duplicates(["code", "check"])
    named = named.iloc[named["code"].map(code_number).argsort(kind="stable")]
    return [
        (f"{row['code']} {row['check'].replace('_', ' ')}", f"{_asked(row)} Statistic: {row['unit']}.")
        for row in records(named)
    ]


def _asked(row: Mapping[str, Any]) -> str:
    """A check's question, of any group."""
    group = str(row["group"]).replace("_", " ")
    return str(row["question"]).replace(f"the group {group}", "the group").replace(f" {group} ", " the group ")


def _bounds(audited: Audited) -> list[str]:
    bounds, evidence = audited.policy.bounds, audited.policy.evidence
    pairs = (
        ("Contrast, by where people live", bounds.calibration_ratio), ("Contrast, counts by group",
        bounds.outcome_calibration_ratio), ("Exposure bias, share of the mean rate", bounds.exposure_bias),
        ("Coverage, relative difference", bounds.coverage), ("Share gradient", bounds.share_gradient),
    )  # fmt: skip
    return [
        *(f"{words}: noticed from {bound.notice:g}, action from {bound.action:g}" for words, bound in pairs),
        f"Coverage of a 90 % interval: outside {bounds.interval_coverage_least:g} to {bounds.interval_coverage_most:g}",
        f"Proxy: from an R\N{SUPERSCRIPT TWO} of {bounds.proxy_r_squared:g}",
        f"Least evidence: {evidence.least_blocks} blocks, {evidence.least_people:,} people, "
        f"{evidence.least_records:,} records; significance {evidence.significance:g}; declared effect "
        f"{evidence.declared_effect:g}",
    ]


def _kept(audited: Audited) -> str:
    crossed = audited.rows["characteristic"].str.contains(" x ", regex=False).any()
    words = "Rows over the whole region and all origins, for every model and single group."
    if crossed:
        words += f" Intersections are listed for {audited.model_id} and {audited.baseline}, with their verdicts."
    return f"{words} The file tables/audit.csv has every row and every column, with the explanation of each."


def _table(audited: Audited) -> HtmlTable:
    rows = audited.rows
    crossed = rows["characteristic"].str.contains(" x ", regex=False)
    beside = rows["model_id"].isin([audited.model_id, audited.baseline]) & (rows["code"] == "M2")
    kept = rows[(rows["part"] == ALL) & (~crossed | beside)]
    listed = []
    wanted = ["characteristic", "group", "code", "check", "model_id", "evidence", "source", "statistic", "low", "high",
              "p", "p_adjusted", "verdict", "severity", "per_1000", "per_1000_smallest_seen", "blocks"]  # fmt: skip
    for row in records(kept[wanted]):
        hidden = row["verdict"] == "suppressed"
        low, high = (_figure(row[name], hidden=hidden) for name in ("low", "high"))
        verdict = Cell(verdict_words(row["verdict"], row["severity"]), order=STRENGTH.index(row["verdict"]))
        listed.append(
            Row((
                audited.group(row["characteristic"], row["group"]), audited.title(row["characteristic"]),
                f"{row['code']} {row['check'].replace('_', ' ')}", row["model_id"],
                f"{row['evidence']}, {row['source']}",
                _figure(row["statistic"], hidden=hidden), low if low == high else f"{low} to {high}",
                _figure(row["p"], hidden=hidden), _figure(row["p_adjusted"], hidden=hidden), verdict,
                _figure(row["per_1000"], hidden=hidden), seen_words(row["per_1000_smallest_seen"], hidden=hidden),
                SUPPRESSED if hidden else f"{row['blocks']:.0f}",
            ))
        )  # fmt: skip
    return HtmlTable("audit-table", "The audit", _HEADINGS, listed, filters=(1, 2, 3, 9), whole="tables/audit.csv")


def _figure(value: float, *, hidden: bool) -> str:
    if hidden:
        return SUPPRESSED
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}") if value == value else NOT_AVAILABLE
