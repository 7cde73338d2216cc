"""Places on the page on the models: in go ledgers and scenarios, out come lists a place, maps and comparisons.

A place is chosen by typing. Counts are shown for the total alone: a condition has no records of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from riskmodel.explain.scenarios import scenario_sentence
from riskmodel.explain.thresholds import DO_NOT_NARRATE, STABLE
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.forecast_maps import MapArea, PlaceMap
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.forecast_words import NOT_AVAILABLE
from riskmodel.narrative.maps import Outlines
from riskmodel.narrative.model_names import cluster_name, unit_name
from riskmodel.narrative.model_pictures import Line, draw_lines
from riskmodel.narrative.model_words import MARKS, mark_words, times_words
from riskmodel.narrative.pictures import Picture
from riskmodel.narrative.quoted import Quoted, counted, quoted_rows, worded, worked_out
from riskmodel.narrative.tables_html import Heading, HtmlTable, Row
from riskmodel.narrative.workbook_text import LEVEL_NAMES

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.narrative.facts.book import FactBook

__all__ = ["Names", "ledgers_section", "maps_section", "names_of", "scenarios_section"]

_CLASSES = ((0.9, bare("below \N{MULTIPLICATION SIGN} 0.90")), (0.97, bare("\N{MULTIPLICATION SIGN} 0.90 to 0.97")),
            (1.03, bare("about the average, \N{MULTIPLICATION SIGN} 0.97 to 1.03")),
            (1.1, bare("\N{MULTIPLICATION SIGN} 1.03 to 1.10")),
            (np.inf, bare("above \N{MULTIPLICATION SIGN} 1.10")))  # fmt: skip
"""Upper ends of the shades of a map, the same on all maps so that domains can be compared."""
_CLUSTERS, _DRAWN = 3, 12
_BAND = ("multiplier", "low", "high")
_LEVELS = ("lad24", "msoa21", "lsoa21")
_LEDGER_NOTE = (
    "Multipliers compare a place with the region's average place: "
    f"{bare(times_words(1.18))} is eighteen per cent more recorded violence, {bare('0.85')} fifteen per cent less. "
    "They belong to the place's conditions, not to the people who "
    "live there; in a town centre, violence falls on visitors too. What is too unsure to say is left out of the lists "
    "and counted."
)
_RECORDED_NOTE = (
    "The expected records are those of the conditions model, which knows nothing of what was recorded. Where far more "
    "is recorded than it expects, as in many town centres, its conditions do not hold what sets the place apart."
)


@dataclass(frozen=True)
class Names:
    """Names and districts of places by code, and titles of factors and domains."""

    places: Mapping[str, tuple[str, str]]
    titles: Mapping[str, str]

    def place(self, code: str) -> str:
        """The name of a place; its code where it has none."""
        return self.places.get(code, (code, ""))[0]

    def choice(self, code: str) -> str:
        """The name with the district, as it is typed."""
        name, district = self.places.get(code, (code, ""))
        return f"{name}, {district}" if district and district != name else name


def names_of(places: pd.DataFrame, titles: Mapping[str, str] | None = None) -> Names:
    """Names and districts of the places of the ``places`` noun, with titles of factors and domains."""
    districts = places[places["level"] == "lad24"]
    known = dict(zip(districts["location"], districts["name"], strict=True))
    columns = zip(places["location"], places["name"], places["lad24"], strict=True)
    held = {str(code): (str(name), str(known.get(district, ""))) for code, name, district in columns}
    return Names(held, titles or {})


def ledgers_section(
    ledger: pd.DataFrame, names: Names, recorded: Mapping[str, tuple[int, float]] | None = None,
    book: FactBook | None = None,
) -> Section:  # fmt: skip
    """Two lists a place: conditions found with higher, and with lower, recorded violence; bars for districts.

    Parameters
    ----------
    ledger : DataFrame
        The ``ledger`` noun, with positions.
    names : Names
    recorded : mapping of code to (int, float), optional
        Records over the newest twelve months, where they may be shown, with their position in the ``history`` noun.
    book : FactBook, optional
        What the numbers are written through.
    """
    held = ledger[ledger["level"].isin(_LEVELS)]
    order = held["level"].map(_LEVELS.index)
    rows = quoted_rows(held.assign(order=order).sort_values(["order", "location"], kind="stable"), "ledger", book)
    places: dict[tuple[str, str], list[Quoted]] = {}
    for row in rows:
        places.setdefault((row["level"], row["location"]), []).append(row)
    counts = recorded or {}
    listed = [
        _place_row(level, code, own, names, _a_month(counts.get(code), book)) for (level, code), own in places.items()
    ]
    headings = [
        Heading("Place"), Heading("Code"), Heading("Kind of place"),
        Heading("Expected records a month", number=True, unit="of this model"),
        Heading("Recorded a month", number=True, unit="newest 12 months"), Heading("All conditions together"),
        Heading("Found with higher recorded violence", unit="by domain"),
        Heading("Found with lower recorded violence", unit="by domain"),
        Heading("Single conditions found with higher", unit=bare(f"at most {_CLUSTERS}")),
        Heading("Single conditions found with lower", unit=bare(f"at most {_CLUSTERS}")),
        Heading("Left out: too unsure to say", number=True),
    ]  # fmt: skip
    table = HtmlTable(
        "ledger-table",
        "Ledgers of all places",
        headings,
        listed,
        filters=(2,),
        page=3,
        folded=True,
        whole="tables/ledger.parquet",
    )
    choices = [(code, bare(names.choice(code))) for _, code in places]
    chosen = PlaceMap(
        "ledger", "Choose a place", "", 0, 0, (), (), (), (), choices, table,
    )  # fmt: skip
    districts = [(code, own) for (level, code), own in places.items() if level == "lad24"]
    drawings = [_district_picture(code, own, names) for code, own in districts[:_DRAWN]]
    return Section(
        "ledgers", "Ledgers: conditions of a place", [_LEDGER_NOTE, _RECORDED_NOTE], maps=[chosen],
        parts=[Section("ledger-districts", "The districts", small=drawings)] if drawings else [],
    )  # fmt: skip


def _a_month(recorded: tuple[int, float] | None, book: FactBook | None) -> str:
    """Records a month, of those over twelve months and their position."""
    if recorded is None:
        return NOT_AVAILABLE
    row, count = recorded
    formula = ["divide", ["cell", "history", row, "recorded"], ["number", 12]]
    return worked_out(book, f"history.{row}.a_month", formula, count / 12.0, "expected", "records a month")


def _district_picture(code: str, rows: Sequence[Quoted], names: Names) -> Picture:
    """The domains of a district as bars, the strongest first."""
    total = next(row for row in rows if row["kind"] == "total")
    domains = [row for row in rows if row["kind"] == "domain"]
    domains.sort(key=lambda row: (-abs(np.log(row["multiplier"])), row["unit"]))
    lines = [_domain_line(row, names) for row in domains]
    return draw_lines(
        f"ledger-of-{code}", lines, unit="times the region's average place", start=1.0,
        title=f"{bare(names.place(code))}: all together {total.say('multiplier', 'times')}",
    )  # fmt: skip


def _domain_line(row: Quoted, names: Names) -> Line:
    title, nothing = unit_name(row["unit"], names.titles), float("nan")
    if row["mark"] == DO_NOT_NARRATE:
        return Line(title, nothing, mark_words(row["mark"]))
    said = f"{row.phrase(_BAND, 'times_band')}, {mark_words(row['mark'])}"
    return Line(title, row["multiplier"], said, row["low"], row["high"])


def _place_row(level: str, code: str, rows: Sequence[Quoted], names: Names, recorded: str) -> Row:
    total = next(row for row in rows if row["kind"] == "total")
    said = [row for row in rows if row["kind"] != "total" and row["mark"] != DO_NOT_NARRATE]
    unsure = [row["row"] for row in rows if row["kind"] == "cluster" and row["mark"] == DO_NOT_NARRATE]
    cells = [
        bare(names.place(code)), bare(code), LEVEL_NAMES.get(level, level), total.say("expected_records", "expected"),
        recorded, total.phrase(_BAND, "times_band"),
    ]  # fmt: skip
    for kind, most in (("domain", 99), ("cluster", _CLUSTERS)):
        for side in ("higher", "lower"):
            own = [row for row in said if row["kind"] == kind and row["ledger"] == side]
            own.sort(key=lambda row: (-abs(np.log(row["multiplier"])), row["unit"]))
            cells.append("\n".join(_entry(row, names) for row in own[:most]) or "none")
    # Rows are named: a condition a place would be a look through the whole table for each of them.
    number = counted(total.book, f"ledger.{total['row']}.unsure", "ledger", unsure)
    return Row([*cells, number], place=code)


def _entry(row: Quoted, names: Names) -> str:
    known = row["kind"] == "cluster" and row["members"]
    unit = cluster_name(row["members"], names.titles) if known else unit_name(row["unit"], names.titles)
    return f"{unit} {row.phrase(_BAND, 'times_band')}, {mark_words(row['mark'])}"


def maps_section(
    ledger: pd.DataFrame, stability: pd.DataFrame, outlines: Mapping[str, Outlines], names: Names,
    book: FactBook | None = None,
) -> Section:  # fmt: skip
    """A map for each domain, with its table."""
    held = ledger[(ledger["level"] == "msoa21") & (ledger["kind"] == "domain")]
    order = stability[stability["kind"] == "domain"].sort_values("rank", kind="stable")
    stable = set(order.loc[order["mark"] == STABLE, "unit"])
    maps: list[PlaceMap] = []
    unsure: list[PlaceMap] = []
    tables = []
    for domain in order["unit"]:
        rows = quoted_rows(held[held["unit"] == domain].sort_values("location", kind="stable"), "ledger", book)
        if not rows:
            continue
        table = _map_table(domain, rows, names, folded=True)
        if "msoa21" not in outlines:
            tables.append(table)
        else:
            drawn = _domain_map(domain, rows, outlines, table, names)
            (maps if domain in stable else unsure).append(drawn)
    words = [
        "Shades compare MSOAs with the region's average place by the conditions of one domain; the shades are the "
        "same on "
        "every map. Hatched: too unsure to say. A dark place is no worse place: it has conditions that are found "
        "with more "
        "recorded violence here.",
    ]
    if tables:
        words.append("Outlines of the areas are not held, so there are tables and no maps.")
    folded = [Section("maps-unsure", "Domains that are not stable", maps=unsure)] if unsure else []
    return Section(
        "maps", "Where the conditions are: one map a domain", words, maps=maps, tables=tables, folded=folded,
        folded_words="Maps of the domains that are not stable",
    )  # fmt: skip


def _map_table(domain: str, rows: Sequence[Quoted], names: Names, *, folded: bool) -> HtmlTable:
    headings = [Heading("Place"), Heading("Code"), Heading("District"),
                Heading("Multiplier", unit="of the average place", number=True), Heading("Interval", unit="9 in 10"),
                Heading("Found with"), Heading("How sure")]  # fmt: skip
    listed = [
        Row((bare(names.place(r["location"])), bare(r["location"]),
             bare(names.places.get(r["location"], ("", ""))[1]), r.say("multiplier", "times"),
             r.span("low", "high", "two_decimals"),
             f"{r['ledger']} recorded violence" if r["ledger"] != "neither" else "neither", mark_words(r["mark"])),
            place=r["location"])
        for r in rows
    ]  # fmt: skip
    caption = f"{unit_name(domain, names.titles)}: MSOAs"
    return HtmlTable(
        f"map-{domain}", caption, headings, listed, filters=(2,), page=10, folded=folded, whole="tables/ledger.parquet"
    )


def _domain_map(
    domain: str, rows: Sequence[Quoted], outlines: Mapping[str, Outlines], table: HtmlTable, names: Names
) -> PlaceMap:
    own, over = outlines["msoa21"], outlines.get("lad24")
    by_code = {row["location"]: row for row in rows}
    areas = [
        MapArea(code, path, _shade(by_code[code]), _said(by_code[code], names))
        for code, path in zip(own.codes, own.paths, strict=True)
        if code in by_code
    ]
    mapped = {"level": "msoa21", "kind": "domain", "unit": domain}
    hidden = [row["row"] for row in rows if row["mark"] == DO_NOT_NARRATE]
    number, unsure = (
        counted(rows[0].book, f"model.map.{domain}.{name}", "ledger", own, ["count", "ledger", limits])
        for name, own, limits in (
            ("places", [row["row"] for row in rows], mapped),
            ("unsure", hidden, mapped | {"mark": DO_NOT_NARRATE}),
        )
    )
    least, most = (end(rows, key=_multiplier).say("multiplier", "times") for end in (min, max))
    title = unit_name(domain, names.titles)
    description = (
        f"{title}: {number} MSOAs between {least} and {most} of the average place; {unsure} too unsure to say. Darker "
        "is found with more recorded violence."
    )
    legend = [(f"area class{shade}", words) for shade, (_, words) in enumerate(_CLASSES)]
    same = over is not None and (over.width, over.height) == (own.width, own.height)
    shown = over if same else None
    labels = (
        [(x, y, bare(names.place(c))) for c, (x, y) in zip(shown.codes, np.round(shown.centres).tolist(), strict=True)]
        if shown is not None
        else []
    )
    return PlaceMap(
        f"map-of-{domain}", title, description, own.width, own.height, areas, shown.paths if shown is not None else (),
        labels, [*legend, *([("area none", f"too unsure to say ({unsure})")] if hidden else [])],
        [(row["location"], bare(names.choice(row["location"]))) for row in rows], table,
        measure="Times the average place",
    )  # fmt: skip


def _multiplier(row: Quoted) -> float:
    return float(row["multiplier"])


def _shade(row: Quoted) -> str:
    if row["mark"] == DO_NOT_NARRATE:
        return "area none"
    return f"area class{next(n for n, (end, _) in enumerate(_CLASSES) if row['multiplier'] < end)}"


def _said(row: Quoted, names: Names) -> str:
    return f"{bare(names.choice(row['location']))}: {row.say('multiplier', 'times')}, {mark_words(row['mark'])}"


def scenarios_section(
    scenarios: pd.DataFrame, stability: pd.DataFrame, names: Names, book: FactBook | None = None
) -> Section:
    """Places like a place, with one factor or domain at the regional median."""
    name, heading = "scenarios", "Scenarios, with care"
    limits = {"kind": ["factor", "domain"], "mark": list(MARKS)}
    allowed = stability[stability["kind"].isin(limits["kind"])]
    unstable = allowed[allowed["mark"] != STABLE]
    units, without = (
        counted(
            book, f"model.scenarios.{which}", "stability", own["row"], ["count", "stability", limits | {"mark": marks}]
        )
        for which, own, marks in (
            ("units", allowed, limits["mark"]),
            ("unstable", unstable, [mark for mark in MARKS if mark != STABLE]),
        )
    )
    note = f"Of {units} factors and domains, {without} are not stable and have no scenario."
    care = (
        "A scenario compares a place with places like it whose condition is at the regional median. It is association: "
        "it does not say what follows where a condition changes, and it is not meant for plans about a place."
    )
    if scenarios.empty:
        return Section(name, heading, [care, note])
    rows = quoted_rows(scenarios, "scenarios", book)
    shown = [row for row in rows if not row["refused"]]
    compared = counted(book, "model.scenarios.compared", "scenarios", scenarios["row"], ["count", "scenarios", {}])
    reasons = {"refused": sorted({row["refused"] for row in rows if row["refused"]})}
    refused = counted(
        book, "model.scenarios.refused", "scenarios", [row["row"] for row in rows if row["refused"]],
        ["count", "scenarios", reasons],
    )  # fmt: skip
    note += (
        f" Of {compared} comparisons, {refused} are refused, because hardly any place of the "
        "region "
        "is like that or because a value is not known; tables/scenarios.parquet names them."
    )
    # The middle one by size of those that are clear: the largest would be the one that holds least elsewhere.
    clear = [row for row in shown if row["multiplier_low"] > 1.0 or row["multiplier_high"] < 1.0]
    ordered = sorted(clear or shown, key=lambda r: (abs(np.log(r["multiplier"])), r["location"]))
    lead = ordered[len(ordered) // 2] if ordered else None
    example = (
        [scenario_sentence(
            lead.held, place=bare(names.place(lead["location"])),
            unit=unit_name(lead["unit"], names.titles).lower(), words=worded("scenarios", book),
        )]
        if lead is not None else []
    )  # fmt: skip
    headings = [Heading("Place"), Heading("Code"), Heading("Condition"), Heading("Here", number=True, unit="its value"),
                Heading("Regional median", number=True, unit="its value"),
                Heading("Expected in 12 months", number=True, unit="of this model"),
                Heading("Places like it at the median", number=True, unit="records in 12 months"),
                Heading("Interval", unit="9 in 10"), Heading("Times")]  # fmt: skip
    listed = [_scenario_row(row, names) for row in shown]
    table = HtmlTable(
        "scenario-table",
        "Scenarios of places",
        headings,
        listed,
        filters=(2,),
        page=10,
        folded=True,
        whole="tables/scenarios.parquet",
    )
    return Section(name, heading, [care, note, *example], tables=[table])


def _scenario_row(row: Quoted, names: Names) -> Row:
    return Row(
        (
            bare(names.place(row["location"])), bare(row["location"]), unit_name(row["unit"], names.titles),
            row.say("value_now", "three_digits"), row.say("value_median", "three_digits"),
            row.say("records_now", "expected"), row.say("records_at_median", "expected"),
            row.span("low", "high", "expected"), row.say("multiplier", "times"),
        )
    )  # fmt: skip
