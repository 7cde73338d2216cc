"""What was recorded: over time, by season, by year, beside other places, and where it concentrates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from riskmodel.narrative.assessment.contents import Assessment
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.forecast_pictures import over_time
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.forecast_words import joined, period_words
from riskmodel.narrative.history_rows import YEARS, years_table
from riskmodel.narrative.model_pictures import Line, draw_lines
from riskmodel.narrative.published import WIDE
from riskmodel.narrative.tables_html import Heading, HtmlTable, Row

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "between_words",
    "compared_section",
    "concentration_section",
    "recorded_section",
    "units_of",
    "value_form",
    "value_words",
]

_DOMAIN_FIRST = 8
_OVER = (
    "The line is what was recorded, the broken line what is expected, the band its likely range. A cross at the foot "
    "marks a missing period: a gap, not a nought. A dotted upright line marks a change in recording."
)


def recorded_section(assessment: Assessment) -> Section:
    """Recorded violence of the force and its partnerships: over time, by month of the year, by financial year."""
    published = assessment.published
    drawn = over_time(published, "sna-")
    years = published.history.where(windows=YEARS[:1], levels=WIDE)
    ahead = published.outlook.where(windows=YEARS[:1], levels=WIDE)
    tables = []
    if len(years):
        caption = f"{published.counted.title}: financial years, recorded and then expected"
        tables.append(years_table(years, ahead, base=published.base, name="sna-years", caption=caption))
    season = _season(assessment)
    pictures = list(drawn.large) if drawn is not None else []
    small = list(drawn.small) if drawn is not None else []
    parts = [season] if season is not None else []
    located = _located(assessment)
    return Section(
        "recorded", "What was recorded", [*located, _OVER], pictures=pictures, small=small, tables=tables, parts=parts
    )


def _located(assessment: Assessment) -> list[str]:
    """How the share of records with a known place changed, which moves counts with no change in violence."""
    held = assessment.table("recording")
    if held is None:
        return []
    known = held[held["located_share"].notna()]
    if len(known) < 2:
        return []
    first, last = known.index[0], known.index[-1]
    words = (
        f"Only records with a known place are counted by area. Their share was "
        f"{assessment.say('recording', first, 'located_share', 'share')} in {bare(str(known['period'].iloc[0]))} and "
        f"{assessment.say('recording', last, 'located_share', 'share')} in {bare(str(known['period'].iloc[-1]))}."
    )
    grew = float(known["located_share"].iloc[-1]) - float(known["located_share"].iloc[0])
    return [words + (" Part of any rise in the counts of areas is this." if grew > 0.02 else "")]


def _season(assessment: Assessment) -> Section | None:
    held = assessment.table("season_by_month")
    if held is None:
        return None
    lines = []
    rows = []
    for row, of in held.iterrows():
        month = of["month"]
        ends = [assessment.say("season_by_month", row, column, "times") for column in ("ratio", "low", "high")]
        words = f"{ends[0]} ({ends[1]} to {ends[2]})"
        lines.append(Line(str(month), float(of["ratio"]), words, float(of["low"]), float(of["high"])))
        rows.append(Row((str(month), *ends)))
    title = "Records by month of the year, beside the year's average month"
    picture = draw_lines("season", lines, title=title, unit="times the average month", start=1.0)
    table = HtmlTable(
        "season-table", "Each month of the year beside the year's average month",
        [Heading("Month"), Heading("Times the average", number=True), Heading("Least year", number=True),
         Heading("Greatest year", number=True)], rows, page=0,
    )  # fmt: skip
    in_order = held.sort_values("ratio", kind="stable")["month"]
    least, most = in_order.iloc[0], in_order.iloc[-1]
    years = assessment.say("season_by_month", held.index[0], "years", "whole")
    sentence = (
        f"Over {years} whole years held, the most was recorded in {most} and the least in {least}. Months differ from "
        "year to year; the range beside each month is of the years held."
    )
    return Section("season-part", "The seasons", [sentence], small=[picture], tables=[table])


def concentration_section(assessment: Assessment) -> Section | None:
    """In how few areas how much was recorded, over twelve months that are past."""
    held = assessment.table("concentration")
    if held is None:
        return None
    newest = held[held["end"] == held["end"].max()]
    say = assessment.say
    tenth = newest.iloc[(newest["share_of_areas"] - 0.1).abs().argmin()]
    row: Any = tenth.name
    start, end = tenth["start"].date(), tenth["end"].date()
    sentence = (
        f"In {bare(period_words(start, end))}, {say('concentration', row, 'share_of_records', 'share')} of what was "
        f"recorded was recorded in {say('concentration', row, 'areas', 'whole')} of the small areas, "
        f"{say('concentration', row, 'share_of_areas', 'share')} of them, where "
        f"{say('concentration', row, 'share_of_residents', 'share')} of residents live. If all areas had the same "
        f"rate, chance alone would give {say('concentration', row, 'by_chance', 'share')}."
    )
    same = tenth["same_areas"]
    if np.isfinite(same):
        sentence += (
            f" Of these areas, {say('concentration', row, 'same_areas', 'share')} were among them a year before."
        )
    note = (
        "This describes months that are past. It does not foretell where anything happens, and it says nothing about "
        "the people who live there: town centres, where many people meet, are often among these areas."
    )
    rows = [
        Row(
            (
                bare(period_words(r["start"].date(), r["end"].date())),
                *(say("concentration", at, column, form) for column, form in _CONCENTRATED),
            )
        )
        for at, r in held.iloc[::-1].iterrows()
    ]
    headings = [Heading("Twelve months"), *(Heading(words, number=True) for words in _CONCENTRATED_WORDS)]
    table = HtmlTable("concentration", "How recorded violence concentrates, newest first", headings, rows)
    lines = [
        Line(
            f"{say('concentration', at, 'share_of_areas', 'share')} of areas", 100 * float(r["share_of_records"]),
            say("concentration", at, "share_of_records", "share"),
        )
        for at, r in newest.iterrows()
    ]  # fmt: skip
    picture = draw_lines(
        "concentrated", lines, title="Share of recorded violence in the areas with most of it, newest twelve months",
        unit="per cent of records",
    )  # fmt: skip
    return Section("concentration-part", "Where it concentrates", [sentence, note], small=[picture], tables=[table])


_CONCENTRATED = (
    ("share_of_areas", "share"), ("areas", "whole"), ("share_of_residents", "share"), ("share_of_records", "share"),
    ("by_chance", "share"), ("same_areas", "share"),
)  # fmt: skip
_CONCENTRATED_WORDS = (
    "Share of areas", "Areas", "Share of residents", "Share of records", "By chance alone",
    "The same areas a year before",
)  # fmt: skip


def compared_section(assessment: Assessment) -> Section | None:
    """Each district's conditions beside the force, similar districts and England."""
    held = assessment.table("compared")
    if held is None:
        return None
    similar = assessment.table("similar")
    names = dict(
        zip(assessment.book.tables["places"]["location"], assessment.book.tables["places"]["name"], strict=True)
    )
    paragraphs = [
        "Other forces' records are not held, so only conditions are compared, not recorded violence. Similar districts "
        "are those nearest on factors of the census, each in standard deviations over England, or those that the "
        "experiment declares."
    ]
    if similar is not None:
        like = [
            f"{bare(str(names.get(code, code)))}: {joined([bare(str(n)) for n in rows['name']])}"
            for code, rows in similar.groupby("location", sort=True)
        ]
        paragraphs.append("Similar districts. " + ". ".join(like) + ".")
    units = units_of(assessment)
    rows = [
        Row(
            (
                bare(str(names.get(r["location"], r["location"]))),
                assessment.unit(r["factor"]),
                units.get(r["factor"], ""),
                *(value_words(assessment, at, r, column) for column in ("value", "force", "similar", "country")),
                between_words(assessment, at, r),
            )
        )
        for at, r in _in_order(assessment, held).iterrows()
    ]
    headings = [
        Heading("District"), Heading("Condition"), Heading("Measured as"), Heading("Here", number=True),
        Heading("Force area", number=True),
        Heading("Similar districts", number=True, unit="middle"), Heading("England", number=True),
        Heading("Similar districts", number=True, unit="least to greatest"),
    ]  # fmt: skip
    table = HtmlTable(
        "compared", "Conditions of each district beside the force area, similar districts and England", headings, rows,
        (0, 1),
    )  # fmt: skip
    return Section("compared-part", "Beside other places", paragraphs, tables=[table])


def _in_order(assessment: Assessment, held: pd.DataFrame) -> pd.DataFrame:
    """Stable conditions first, then the others; districts by code within each."""
    stability = assessment.table("stability")
    rank = {}
    if stability is not None:
        factors = stability[stability["kind"] == "factor"]
        rank = {u: (m != "stable", r) for u, m, r in factors[["unit", "mark", "rank"]].itertuples(index=False)}
    order = held["factor"].map(lambda name: rank.get(name, (True, 10_000)))
    keys = sorted(range(len(held)), key=lambda i: (order.iloc[i], held["location"].iloc[i]))
    return held.iloc[keys]


def units_of(assessment: Assessment) -> dict[str, str]:
    """What the values of each factor count, as the catalogue says."""
    catalogue = assessment.table("catalogue")
    if catalogue is None:
        return {}
    return {str(f): bare(str(unit)) for f, unit in zip(catalogue["factor"], catalogue["unit"], strict=True)}


def value_form(value: float) -> str:
    """The form in which a value of ``compared`` has as many digits as a reader needs."""
    return "whole" if abs(value) >= 100 else "one_decimal" if abs(value) >= 10 else "two_decimals"


def value_words(assessment: Assessment, at: object, row: pd.Series, column: str) -> str:
    """A value of ``compared`` in words."""
    return assessment.say("compared", at, column, value_form(float(row[column])))


def between_words(assessment: Assessment, at: object, row: pd.Series) -> str:
    """From the least to the greatest value in similar districts."""
    return " to ".join(value_words(assessment, at, row, column) for column in ("similar_low", "similar_high"))
