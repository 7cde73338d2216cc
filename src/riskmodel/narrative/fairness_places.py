"""Places on the fairness page: in go areas put first, expected over recorded and poor bases, out comes a section.

No map shows where people of a group live: it would say nothing of the forecast, and mark places by who lives there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from riskmodel.contracts.audit_tables import AUDIT_PLACES, POOR_BASE
from riskmodel.fairness.poor_base import WITHOUT_POOR_BASE
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.fairness_findings import figure_cells, verdict_cell
from riskmodel.narrative.fairness_records import NONE_MADE
from riskmodel.narrative.fairness_rows import Audited
from riskmodel.narrative.forecast_maps import MapArea, PlaceMap
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.forecast_words import NOT_AVAILABLE
from riskmodel.narrative.maps import Outlines
from riskmodel.narrative.model_places import Names
from riskmodel.narrative.quoted import Quoted, counted, quoted_rows, with_positions
from riskmodel.narrative.tables_html import Heading, HtmlTable, Row

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["places_section"]

_FIRST = (
    "The areas put first are those that an offer of support would reach first: the ones with the most expected records "
    "for their residents, until {share} of all residents live in one. Being put first is no mark against a place or "
    "the people who live there."
)
_NO_GROUPS = (
    "There is no map of where people of a group live: it would say nothing of the forecast, and mark places by who "
    "lives there."
)
_POOR = (
    "In town centres and the like, residents are few of those present, and records per resident say little about the "
    "people who live there. Such areas are marked, and the audit is made again without them."
)
_CLASSES = ((0.0, "none of its residents"), (0.5, "up to half of its residents"), (0.999, "more than half"),
            (math.inf, "all of its residents"))  # fmt: skip
_SHADES = ("class0", "class1", "class2", "class4")
_DISTRICTS = ((0.9, bare("more than 10% less")), (0.97, bare("3% to 10% less")), (1.03, "about as much as recorded"),
              (1.1, bare("3% to 10% more")), (math.inf, bare("more than 10% more")))  # fmt: skip


def places_section(
    audited: Audited,
    places: pd.DataFrame | None,
    poor: pd.DataFrame | None,
    *,
    names: Names,
    outlines: Mapping[str, Outlines],
) -> Section:
    """Which places are put first, how far districts are met, and where residents are a poor base."""
    share = audited.declared("priority_share", audited.policy.priority_share, "share")
    parts = []
    if places is not None and len(places):
        rows = with_positions(places, AUDIT_PLACES)
        parts += [_first_part(audited, rows, names, outlines), _districts_part(audited, rows, names, outlines)]
    parts.append(_poor_part(audited, poor, names))
    words = [_FIRST.format(share=share), _NO_GROUPS]
    return Section("places", "Which places are put first", words if len(parts) > 1 else words[1:], parts=parts)


def _first_part(audited: Audited, places: pd.DataFrame, names: Names, outlines: Mapping[str, Outlines]) -> Section:
    own, beside = (_of(audited, places, model_id, "msoa21") for model_id in (audited.model_id, audited.baseline))
    lines = [("first-forecast", "Put first by the forecast", own)]
    if not audited.is_counting:
        lines.append(("first-counting", "Put first by counting", beside))
    maps: list[PlaceMap] = []
    tables: list[HtmlTable] = []
    for name, title, held in lines:
        table = _first_table(f"{name}-table", title, own, beside, names, folded="msoa21" in outlines)
        if "msoa21" not in outlines:
            tables += [table] if not tables else []
            continue
        shades = {code: _class(row["put_first"], _CLASSES) for code, row in held.items()}
        description = _first_words(audited, name, held)
        legend = [(f"area {_SHADES[n]}", words) for n, (_, words) in enumerate(_CLASSES)]
        maps.append(
            _map(name, title, description, "Living in an area put first", outlines, "msoa21", {
                code: (f"area {_SHADES[shade]}" if shade >= 0 else "area none",
                       f"{bare(names.choice(code))}: {held[code].say('put_first', 'share')} of residents")
                for code, shade in shades.items()
            }, legend, names, table, lambda code: bare(names.place(code)))
        )  # fmt: skip
    words = ["Middle-sized areas (MSOAs) are shown: part of one may be put first and part not."]
    words += [] if maps else ["Outlines of the areas are not held, so there is a table and no map."]
    return Section("first", "Areas put first", words, maps=maps, tables=tables)


def _of(audited: Audited, places: pd.DataFrame, model_id: str, level: str) -> dict[str, Quoted]:
    kept = places[(places["model_id"] == model_id) & (places["level"] == level)].sort_values("location", kind="stable")
    return {row["location"]: row for row in quoted_rows(kept, "audit_places", audited.book)}


def _class(value: float, classes: Sequence[tuple[float, str]]) -> int:
    return next((n for n, (end, _) in enumerate(classes) if value <= end), -1)


def _first_words(audited: Audited, name: str, held: Mapping[str, Quoted]) -> str:
    classed = [(_class(row["put_first"], _CLASSES), row["row"]) for row in held.values()]
    counts = [
        counted(audited.book, f"fairness.{name}.{n}", "audit_places", [row for at, row in classed if at == n])
        for n in range(len(_CLASSES))
    ]
    said = "; ".join(f"{words}: {count} MSOAs" for (_, words), count in zip(_CLASSES, counts, strict=True))
    return f"Share of residents who live in an area put first. {said[:1].upper()}{said[1:]}."


def _first_table(
    name: str, caption: str, own: Mapping[str, Quoted], beside: Mapping[str, Quoted],
    names: Names, *, folded: bool,
) -> HtmlTable:  # fmt: skip
    headings = [Heading("Place"), Heading("Code"), Heading("District"), Heading("Residents", number=True),
                Heading("Living in an area put first by the forecast", number=True),
                Heading("By counting", number=True)]  # fmt: skip
    listed = [
        Row((bare(names.place(code)), bare(code), bare(names.places.get(code, ("", ""))[1]),
             row.say("residents", "people"), row.say("put_first", "share"),
             beside[code].say("put_first", "share") if code in beside else NOT_AVAILABLE), place=code)
        for code, row in own.items()
    ]  # fmt: skip
    return HtmlTable(
        name, f"{caption}: MSOAs", headings, listed, filters=(2,), page=10, folded=folded,
        whole="tables/audit_places.csv",
    )  # fmt: skip


def _map(
    name: str, title: str, description: str, measure: str, outlines: Mapping[str, Outlines], level: str,
    shown: Mapping[str, tuple[str, str]], legend: Sequence[tuple[str, str]], names: Names, table: HtmlTable,
    label: Any,
) -> PlaceMap:  # fmt: skip
    """A map of one level with districts drawn over it, each with its label."""
    own, over = outlines[level], outlines.get("lad24")
    areas = [MapArea(c, path, *shown[c]) for c, path in zip(own.codes, own.paths, strict=True) if c in shown]
    same = over is not None and (over.width, over.height) == (own.width, own.height)
    drawn = over if same else None
    centres = [] if drawn is None else zip(drawn.codes, np.round(drawn.centres).tolist(), strict=True)
    return PlaceMap(
        name, title, description, own.width, own.height, areas, () if drawn is None else drawn.paths,
        [(x, y, label(code)) for code, (x, y) in centres], legend, [(code, bare(names.choice(code))) for code in shown],
        table, measure=measure,
    )  # fmt: skip


def _districts_part(audited: Audited, places: pd.DataFrame, names: Names, outlines: Mapping[str, Outlines]) -> Section:
    """What was forecast over what was recorded, district by district."""
    own, beside = (_of(audited, places, model_id, "lad24") for model_id in (audited.model_id, audited.baseline))
    headings = [Heading("District"), Heading("Residents", number=True),
                Heading("The forecast beside what was recorded", number=True), Heading("Counting", number=True),
                Heading("Living in an area put first by the forecast", number=True),
                Heading("By counting", number=True)]  # fmt: skip
    listed = [
        Row((bare(names.place(code)), row.say("residents", "people"), row.say("ratio", "more_or_less"),
             beside[code].say("ratio", "more_or_less") if code in beside else NOT_AVAILABLE,
             row.say("put_first", "share"),
             beside[code].say("put_first", "share") if code in beside else NOT_AVAILABLE), place=code)
        for code, row in own.items()
    ]  # fmt: skip
    table = HtmlTable("districts-table", "The forecast beside what was recorded, by district", headings, listed, page=0)
    words = ["Over all forecasts of the backtest: more, or less, was forecast for the district than was recorded."]
    if "lad24" not in outlines or not own:
        return Section("districts", "District by district", words, tables=[table])
    shown = {
        code: (f"area class{_class(row['ratio'], _DISTRICTS)}" if row["ratio"] == row["ratio"] else "area none",
               f"{bare(names.place(code))}: {row.say('ratio', 'more_or_less')}")
        for code, row in own.items()
    }  # fmt: skip
    legend = [(f"area class{n}", said) for n, (_, said) in enumerate(_DISTRICTS)]
    description = "; ".join(said for _, said in shown.values())
    drawn = _map(
        "map-districts", "The forecast beside what was recorded", f"{description}.", "Forecast beside recorded",
        outlines, "lad24", shown, legend, names, table, lambda code: shown.get(code, ("", bare(names.place(code))))[1],
    )  # fmt: skip
    return Section("districts", "District by district", words, maps=[drawn])


def _poor_part(audited: Audited, poor: pd.DataFrame | None, names: Names) -> Section:
    """Areas whose residents are a poor base, and the audit without them."""
    name, heading = "poor-base", "Where residents are a poor base"
    if poor is None or poor.empty:
        return Section(name, heading, [_POOR, NONE_MADE])
    book, rows = audited.book, with_positions(poor, POOR_BASE)
    kept = rows[rows["poor_base"] == "yes"].sort_values("area")
    marked = quoted_rows(kept, "poor_base", book)
    are_marked = ["count", "poor_base", {"poor_base": "yes"}]
    number = counted(book, "fairness.poor_base.marked", "poor_base", kept["row"], are_marked)
    areas = counted(book, "fairness.poor_base.areas", "poor_base", rows["row"], ["count", "poor_base", {}])
    words = [_POOR, f"{number} of {areas} small areas are marked."]
    again = [f for f in audited.findings if f.part == WITHOUT_POOR_BASE and f.model_id == audited.model_id]
    tables = []
    if again:
        whole = {f.key: f for f in audited.shown()}
        pairs = [(whole.get(f.key), f) for f in again if " x " not in f.characteristic]
        moved = audited.counted(
            "poor_base.moved", [b.row for a, b in pairs if a is not None and a.verdict != b.verdict]
        )
        again_rows = audited.counted("poor_base.again", [b.row for _, b in pairs])
        words.append(f"Made again without them, the audit has another verdict on {moved} of {again_rows} rows.")
        headings = [Heading("Group"), Heading("Characteristic"), Heading("All areas"), Heading("Without them"),
                    Heading("All areas", number=True, unit="records per 1,000 residents a year"),
                    Heading("Without them", number=True, unit="records per 1,000 residents a year"),
                    Heading("Evidence")]  # fmt: skip
        listed = [
            Row((audited.group(b.characteristic, b.group), audited.title(b.characteristic), verdict_cell(a),
                 verdict_cell(b), figure_cells(a)[0], figure_cells(b)[0], audited.evidence(b)))
            for a, b in pairs
        ]  # fmt: skip
        tables.append(
            HtmlTable("without-table", "The audit without such areas", headings, listed, filters=(1,), folded=True,
                      whole="tables/audit.csv")
        )  # fmt: skip
    else:
        words.append("The audit was not made again without them.")
    if marked:
        headings = [Heading("Area"), Heading("Code"), Heading("District"),
                    Heading("Records that concern visitors", number=True, unit="per 1,000 residents a year"),
                    ]  # fmt: skip
        listed = [
            Row((bare(names.place(r["area"])), bare(r["area"]), bare(names.places.get(r["area"], ("", ""))[1]),
                 r.say("per_1000", "people")))
            for r in marked
        ]  # fmt: skip
        tables.append(
            HtmlTable("poor-table", "Areas marked", headings, listed, folded=True, whole="tables/poor_base.csv")
        )
    return Section(name, heading, words, tables=tables)
