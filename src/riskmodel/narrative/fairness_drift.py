"""From place to place and from month to month: in go the audit's rows by part of the region, out comes a section."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from riskmodel.fairness.poor_base import WITHOUT_POOR_BASE
from riskmodel.narrative.fairness_brief import concerns_of
from riskmodel.narrative.fairness_facts import contrast_words
from riskmodel.narrative.fairness_findings import unseen_rows
from riskmodel.narrative.fairness_pictures import Dot, draw_contrasts
from riskmodel.narrative.fairness_records import NONE_MADE
from riskmodel.narrative.fairness_rows import ALL, Audited, Finding, as_ratio
from riskmodel.narrative.fairness_words import part_order, part_words
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.forecast_words import NOT_AVAILABLE, SUPPRESSED
from riskmodel.narrative.pictures import Picture
from riskmodel.narrative.quoted import Quoted
from riskmodel.narrative.tables_html import Heading, HtmlTable, Row

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["drift_section"]

_DRAWN = (
    "The pictures show the groups with a concern. The grey band is what the policy lets go unnoticed over the whole."
)
_MANY = 4
_KEY = ("check", "characteristic", "group", "evidence", "source", "part")


def drift_section(audited: Audited) -> Section:
    """The same comparison by district, by origin and by fifth."""
    name, heading = "parts", "From place to place and from month to month"
    rows = audited.rows
    kept = rows["code"].isin(["M9", "M11"]) & ~rows["characteristic"].str.contains(" x ", regex=False)
    kept &= rows["unit"].isin(["log ratio", "times"]) & ~unseen_rows(audited, rows)
    kept &= ~rows["part"].isin([ALL, WITHOUT_POOR_BASE])
    own = rows[kept & (rows["model_id"] == audited.model_id)]
    words = (
        "A forecast that is right on the whole may be wrong in one district, in one season, or where there is much or "
        "little recorded violence, and two wrongs may cancel. The same comparison is made for each. These figures rest "
        "on less, so that some stand out by chance alone; none is a verdict."
    )
    if own.empty:
        return Section(name, heading, [words, NONE_MADE])
    columns = [*_KEY, "statistic", "low", "high", "unit", "verdict", "row"]
    beside = {tuple(row[k] for k in _KEY): row
              for row in audited.quoted(rows.loc[kept & (rows["model_id"] == audited.baseline), columns])}  # fmt: skip
    headings = [Heading("Group"), Heading("Characteristic"), Heading("Part"), Heading("Kind of part"),
                Heading("The forecast beside what was recorded", unit="compared with everyone else"),
                Heading("Counting"), Heading("Evidence")]  # fmt: skip
    listed = []
    # Rows of one group follow each other already; within it parts go from the lowest to the highest.
    at = dict(zip(own["row"], own.groupby(["characteristic", "group", "evidence", "source"], sort=False).ngroup(),
                  strict=True))  # fmt: skip
    known = audited.characteristics
    for row in sorted(audited.quoted(own[columns]), key=lambda r: (at[r["row"]], part_order(r["part"], known))):
        other = beside.get(tuple(row[k] for k in _KEY))
        listed.append(
            Row((audited.group(row["characteristic"], row["group"]), audited.title(row["characteristic"]),
                 part_words(row["part"], known), _kind(row["part"]), _contrast(row), _contrast(other),
                 "counts by group" if row["evidence"] == "outcomes" else "where people live"))
        )  # fmt: skip
    concerns = enumerate(_concerns_by_place(audited), start=1)
    drawings = [_parts_picture(audited, f"parts-{number}", finding, own) for number, finding in concerns]
    table = HtmlTable(
        "parts-table", "The comparison by district, origin and fifth", headings, listed, filters=(0, 1, 3),
        whole="tables/audit.csv",
    )  # fmt: skip
    drawn = [picture for picture in drawings if picture is not None]
    return Section(name, heading, [words, *([_DRAWN] if drawn else [])], small=drawn, tables=[table])


def _concerns_by_place(audited: Audited) -> list[Finding]:
    """The concerns that may look different from place to place, at most a few."""
    return [f for f in concerns_of(audited) if f.evidence != "outcomes"][:_MANY]


def _parts_picture(audited: Audited, name: str, finding: Finding, rows: pd.DataFrame) -> Picture | None:
    """One concern, part by part."""
    same = rows["source"].eq(finding.source) & rows["evidence"].eq(finding.evidence)
    same &= rows["characteristic"].eq(finding.characteristic) & rows["group"].eq(finding.group)
    held = [row for row in audited.quoted(rows[same]) if math.isfinite(row["statistic"])]
    if not held:
        return None
    known = audited.characteristics
    held.sort(key=lambda row: part_order(row["part"], known))
    lines = [(part_words(row["part"], known), [Dot(*_ends(row), _contrast(row))]) for row in held]
    bound = audited.policy.bounds.calibration_ratio.notice
    return draw_contrasts(name, lines, labels=["the forecast"], title=audited.named(finding), notice=bound)


def _ends(row: Quoted) -> tuple[float, float, float]:
    """A contrast and its interval as ratios."""
    ratio, low, high = (as_ratio(row[name], row["unit"]) for name in ("statistic", "low", "high"))
    return ratio, low, high


def _contrast(row: Quoted | None) -> str:
    if row is None:
        return NOT_AVAILABLE
    if row["verdict"] == "suppressed":
        return SUPPRESSED
    return contrast_words(row) if math.isfinite(row["low"]) else row.ratio("statistic", "more_or_less")


def _kind(part: str) -> str:
    return next((kind for kind in ("origin", "district") if part.startswith(f"{kind} ")), "kind of place")
