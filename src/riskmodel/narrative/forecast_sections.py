"""The sections of the forecast page: in go a target's published rows, out come paragraphs, tables, pictures and maps.

One target has one set of sections, in the order a planner reads: the answer, places, periods, time, maps, the smallest
areas, all years.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.forecast_answer import answer_points, answer_sentences, answer_tiles
from riskmodel.narrative.forecast_maps import PlaceMap, place_map
from riskmodel.narrative.forecast_pictures import over_time, share_picture
from riskmodel.narrative.forecast_rows import outlook_table
from riskmodel.narrative.forecast_words import joined, period_words
from riskmodel.narrative.frame import PageLink
from riskmodel.narrative.history_rows import YEARS, periods_table, years_table, years_wide_table
from riskmodel.narrative.maps import Outlines
from riskmodel.narrative.named_facts import cell_of
from riskmodel.narrative.pictures import Picture
from riskmodel.narrative.published import WIDE, Named, Published
from riskmodel.narrative.tables_html import Heading, HtmlTable, Row

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Section", "recording_part", "tables_of", "target_sections"]

_PLACE = ["name", "kind", "expected", "range", "last_year", "change", "drawn", "chance", "rank", "reliability"]
_PERIOD = [
    "name",
    "kind",
    "period",
    "expected",
    "range",
    "recorded_part",
    "last_year",
    "change",
    "drawn",
    "reliability",
]
_FINE = ["name", "location", "district", "period", "expected", "range", "recorded_part", "last_year", "change", "base"]
_MAPPED = ["name", "location", "district", "expected", "range", "rate", "last_year", "change", "rank", "reliability"]
_FINEST = {
    "lsoa21": ("12_months", "financial_year"),
    "msoa21": ("quarter", "financial_year"),
    "ward24": ("quarter", "financial_year"),
}
# A target beside the headline shows one period of each, so that many of them fit on a page.
_FINEST_BESIDE = {"lsoa21": ("12_months",), "msoa21": ("quarter",)}
_PLURALS = {"ward24": "Wards", "msoa21": "MSOAs", "lsoa21": "LSOAs"}
_MANY = 12
_RANK_NOTE = (
    "Ranks count records, so places with many residents or visitors come first; they say nothing about the people who "
    "live there. A band is given because places close together cannot be told apart."
)
_RATE_NOTE = (
    "Rates are per usual resident. In town centres recorded violence falls on visitors too, so that a rate overstates "
    "what residents live with; where residents are known to be a poor base, the count stands alone."
)
_TIME_NOTE = (
    "The line is what was recorded, the broken line what is expected, and the shaded band its likely range: the count "
    "is expected inside it nine times in ten. A cross at the foot marks a missing period: a gap, not a nought. A "
    "dotted upright line marks a change in recording. Each picture has an axis of its own, from nought."
)
_YEARS_NOTE = (
    "A year with a missing month has no count. The range of a recorded change is what counting by itself leaves open "
    "nine times in ten; records of violence vary by more than that. Where recording changed, counts change with no "
    "change in violence, and the remark says so."
)
_BY = {"12_months": "the next 12 months", "quarter": "quarter", "financial_year": "financial year"}
_BESIDE_NOTE = "Other periods of this target, and wards by quarter, are in tables/planner.xlsx."
_SMALL_NOTE = (
    "These are the smallest areas and shortest periods that are published. Small counts vary a good deal by chance: "
    "read the range, not only the middle."
)


@dataclass(frozen=True)
class Section:
    """A section of the page: what it says, then its pictures, maps, tables and parts, some of them folded.

    ``tag`` stands above all else: what kind of evidence the section holds. ``written`` is said of a person's own words.
    A part without a heading follows on. ``links`` are a list of pages; a section that is ``alone`` is printed on a page
    of its own.
    """

    name: str
    heading: str
    paragraphs: Sequence[str] = ()
    lead: bool = False
    tiles: Sequence[tuple[str, str]] = ()
    facts: Sequence[tuple[str, str]] = ()
    bullets: Sequence[str] = ()
    pictures: Sequence[Picture] = ()
    small: Sequence[Picture] = ()
    maps: Sequence[PlaceMap] = ()
    tables: Sequence[HtmlTable] = ()
    points: Sequence[tuple[str, str]] = ()
    parts: Sequence[Section] = ()
    folded: Sequence[Section] = ()
    folded_words: str = ""
    tag: str = ""
    written: bool = False
    links: Sequence[PageLink] = ()
    alone: bool = False


def target_sections(
    published: Published,
    *,
    prefix: str,
    headline: str,
    outlines: Mapping[str, Outlines],
    district_names: Mapping[str, str],
    no_rate: Mapping[str, frozenset[str]],
    recording: Section | None,
    notes: Sequence[str],
) -> list[Section]:
    """The sections of one target; those without rows are left out.

    Parameters
    ----------
    published : Published
    prefix : str
        Begins every id, so that several targets fit on a page.
    headline : str
        Whether the forecast beats counting.
    outlines : mapping of level to Outlines
        Maps are drawn for ward24 and msoa21 where given.
    district_names : mapping of str to str
    no_rate : mapping of level to frozenset of str
    recording : Section or None
        How records were located, beside the pictures over time.
    notes : sequence of str
        Said with the answer.
    """
    answer = Section(
        f"{prefix}answer", "The next 12 months in brief",
        answer_sentences(published), lead=True, tiles=answer_tiles(published),
        points=answer_points(published, headline, notes),
    )  # fmt: skip
    maps = _maps(published, prefix, outlines, dict(district_names), no_rate)
    sections = [
        answer, _places(published, prefix), _periods(published, prefix), _time(published, prefix, recording), maps,
        _smallest(published, prefix, no_rate), _years(published, prefix),
    ]  # fmt: skip
    return [s for s in sections if s.lead or s.tables or s.maps]


def _places(published: Published, prefix: str) -> Section:
    year = published.outlook.where(windows=["12_months"], levels=WIDE)
    paragraphs = [
        "Places are listed by name. The bar beside each shows where the change is expected nine times in ten; where it "
        "crosses the upright line, the forecast leaves open whether there are more or fewer.",
        _RANK_NOTE,
    ]
    force, partnerships = (year.where(levels=[level]).rows["mean"] for level in ("pfa", "csp24"))
    if len(partnerships) and partnerships.sum() < 0.999 * force.sum():
        paragraphs.append(
            "Partnerships are listed only where it is certain which areas belong to them, so they do not add up to the "
            "force area."
        )
    tables = []
    if len(year):
        caption = f"{published.counted.title}: expected, {_span(year)}"
        filters = ("kind",) if len(year) > _MANY else ()
        tables = [
            outlook_table(
                year, _PLACE, name=f"{prefix}year", caption=caption, filters=filters, page=0, base=published.base
            )
        ]
    heading = "The next 12 months by partnership and district"
    return Section(f"{prefix}places", heading, paragraphs, tables=tables)


def _periods(published: Published, prefix: str) -> Section:
    tables = [
        outlook_table(
            rows, _PERIOD, name=f"{prefix}{window.replace('_', '-')}", filters=("name", "period"),
            caption=f"{published.counted.title}: expected by {label}",
        )
        for window, label in (("quarter", "calendar quarter"), ("financial_year", "financial year, April to March"))
        if len(rows := published.outlook.where(windows=[window], levels=WIDE))
    ]  # fmt: skip
    words = "Where some months of a period are already published, their records are part of the count."
    return Section(f"{prefix}periods", "Quarters and financial years", [words], tables=tables)


def _time(published: Published, prefix: str, recording: Section | None) -> Section:
    drawn = over_time(published, prefix)
    name, heading = f"{prefix}time", "What was recorded, and what is expected"
    if drawn is None:
        return Section(name, heading)
    caption = f"{published.counted.title}: the numbers of the pictures, by {drawn.window.replace('_', ' ')}"
    table = periods_table(drawn.history, drawn.outlook, name=f"{prefix}over-time", caption=caption)
    parts = [recording] if recording is not None else []
    return Section(
        name, heading, [_TIME_NOTE], pictures=drawn.large, small=drawn.small, tables=[table], parts=parts
    )  # fmt: skip


def _maps(
    published: Published,
    prefix: str,
    outlines: Mapping[str, Outlines],
    district_names: dict[str, str],
    no_rate: Mapping[str, frozenset[str]],
) -> Section:
    maps, tables = [], []
    for level in ("ward24", "msoa21"):
        rows = published.outlook.where(windows=["12_months"], levels=[level])
        if not len(rows):
            continue
        poor, plural = no_rate.get(level, frozenset()), _PLURALS[level]
        table = outlook_table(
            rows, _MAPPED, name=f"{prefix}{level}",
            caption=f"{published.counted.title}: {plural}, expected, {_span(rows)}",
            filters=("district",), places=True, no_rate=poor, page=10, base=published.base,
        )  # fmt: skip
        if level not in outlines:
            tables.append(table)
            continue
        made = place_map(
            rows, outlines[level], table, name=f"{prefix}map-{level}", no_rate=poor,
            title=f"{plural}: expected records per 1,000 residents, {_span(rows)}", districts=outlines.get("lad24"),
            district_names=district_names,
        )  # fmt: skip
        maps.append(made)
    return Section(f"{prefix}maps", "Wards and MSOAs", [_RATE_NOTE, _RANK_NOTE], maps=maps, tables=tables)


def _smallest(published: Published, prefix: str, no_rate: Mapping[str, frozenset[str]]) -> Section:
    outlook, tables = published.outlook, []
    for level, windows in (_FINEST_BESIDE if prefix else _FINEST).items():
        rows = outlook.where(windows=windows, levels=[level])
        if not len(rows):
            continue
        kinds = joined([_BY[window] for window in windows])
        tables.append(
            outlook_table(
                rows, [*_FINE, "reliability"], name=f"{prefix}{level}-periods", 
                caption=f"{published.counted.title}: {_PLURALS[level]} by {kinds}",
                filters=("district", "period"), base=published.base, no_rate=no_rate.get(level, frozenset()),
            )
        )  # fmt: skip
    return Section(
        f"{prefix}smallest", "The smallest areas", [_SMALL_NOTE, *([_BESIDE_NOTE] if prefix else [])], tables=tables
    )


def _years(published: Published, prefix: str) -> Section:
    history, tables = published.history, []
    wide = history.where(windows=YEARS, levels=WIDE)
    ahead = published.outlook.where(windows=YEARS, levels=WIDE)
    if len(wide):
        caption = f"{published.counted.title}: all years held, recorded and then expected"
        tables.append(years_table(wide, ahead, base=published.base, name=f"{prefix}all-years", caption=caption))
    for level in ("ward24", "msoa21") if prefix else ("ward24", "msoa21", "lsoa21"):
        rows = history.where(windows=["financial_year"], levels=[level])
        if len(rows):
            caption = f"{published.counted.title}: {_PLURALS[level]}, by financial year"
            tables.append(years_wide_table(rows, name=f"{prefix}{level}-years", caption=caption))
    return Section(f"{prefix}years", "All years held", [_YEARS_NOTE], tables=tables)


def tables_of(sections: Sequence[Section]) -> Iterator[HtmlTable]:
    """Every table of a page's sections, those beside maps and folded ones too."""
    for section in sections:
        yield from section.tables
        yield from (drawn.table for drawn in section.maps)
        yield from tables_of([*section.parts, *section.folded])


def recording_part(recording: pd.DataFrame, outlook: Named) -> Section:
    """How many records had a known place, by month, as a part of a section."""
    forms = {"located": "recorded", "unlocated": "recorded", "out_of_force": "recorded", "located_share": "share"}
    columns = [
        [_recorded_cell(outlook, row, name, form, value) for row, value in enumerate(recording[name])]
        for name, form in forms.items()
    ]
    headings = [
        Heading("Month"), Heading("With a known place", number=True), Heading("Without a place", number=True),
        Heading("Placed outside the force area", number=True), Heading("Share with a known place", number=True),
    ]  # fmt: skip
    rows = [Row(cells) for cells in zip(map(bare, recording["period"]), *columns, strict=True)]
    table = HtmlTable("recording", "Records with and without a known place, by month", headings, rows, folded=True)
    picture = share_picture(recording, "located-share", outlook)
    return Section("located", "How many records had a known place", pictures=[picture], tables=[table])


def _recorded_cell(outlook: Named, row: int, column: str, form: str, value: float) -> str:
    return cell_of(outlook.book, "recording", row, column, value, form) if value == value else "missing"


def _span(named: Named) -> str:
    first = named.rows.iloc[0]
    return bare(period_words(first["start"].date(), first["end"].date()))
