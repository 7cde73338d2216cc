"""The later sections of the page on the models: curves, groups, and what analysts ask for.

In: the tables ``effects``, ``group_differences``, ``attributions`` and ``stability``. Out: sections.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from riskmodel.explain.effects import RANGES
from riskmodel.explain.groups import EVERYONE
from riskmodel.explain.thresholds import THRESHOLDS
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.forecast_words import joined
from riskmodel.narrative.model_names import unit_name
from riskmodel.narrative.model_pictures import THIRDS, Line, draw_curve, draw_dots, draw_lines
from riskmodel.narrative.model_words import mark_words, records
from riskmodel.narrative.pictures import Picture
from riskmodel.narrative.quoted import Quoted, counted, declared, quoted_rows, worked_out
from riskmodel.narrative.tables_html import Heading, HtmlTable, Row

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.narrative.facts.book import FactBook

__all__ = ["analysts_section", "curves_section", "groups_section"]

_DOTTED = 8
_GROUP_PARTS = ("start", "level", "floor")
_QUARTERS = (0, 0.25, 0.5, 0.75, 1)
_THRESHOLDS = "riskmodel/explain/thresholds.py"
_RANGES = "riskmodel/explain/effects.py"


def curves_section(effects: pd.DataFrame, titles: Mapping[str, str], book: FactBook | None = None) -> Section:
    """A curve for each main factor, with how many places there are."""
    drawings = [
        _curve(number, quoted_rows(rows, "effects", book), titles)
        for number, (_, rows) in enumerate(effects.groupby("feature", sort=False), start=1)
    ]
    headings = [Heading("Condition"), Heading("Value from", number=True), Heading("Value to", number=True),
                Heading("Multiplier", number=True), Heading("Interval", unit="9 in 10"),
                Heading("Attribution", number=True, unit="as a multiplier"), Heading("Places", number=True),
                Heading("Density", number=True, unit=bare("1 is even")), Heading("Supported"),
                Heading("Why not")]  # fmt: skip
    listed = [
        Row((unit_name(r["factor"], titles), r.say("value_low", "shown"), r.say("value_high", "shown"),
             r.say("effect", "log_times"), r.span("low", "high", "log_two_decimals"),
             r.say("attribution", "log_times"), r.say("areas", "whole"), r.say("density", "shown"), r["supported"],
             _why_not(r)))
        for r in quoted_rows(effects, "effects", book)
    ]  # fmt: skip
    words = (
        "Each curve shows by how much the conditions model's expectation differs along one condition, the others as "
        "each "
        "place has them (accumulated local effects). The strip below shows how many places have such values; hatched "
        "are "
        "ranges with too few places, or with wide gaps between them, where the curve rests on little."
    )
    table = HtmlTable("curves-table", "The numbers of the curves", headings, listed, filters=(0,), folded=True)
    return Section("curves", "Along the main conditions", [words], small=drawings, tables=[table])


def _why_not(row: Quoted) -> str:
    """Why a range is not supported, its number of places as the table has it beside."""
    few = f"{row['areas']:.0f} places, fewer than {RANGES.least}"
    if not row["why"].startswith(few):
        return bare(row["why"])
    least = declared(row.book, "model.ranges.least", RANGES.least, "whole", _RANGES)
    return f"{row.say('areas', 'whole')} places, fewer than {least}{bare(row['why'].removeprefix(few))}"


def _curve(number: int, rows: Sequence[Quoted], titles: Mapping[str, str]) -> Picture:
    title = unit_name(rows[0]["factor"], titles)
    book, own = rows[0].book, {"feature": rows[0]["feature"]}
    unsure = [row["row"] for row in rows if row["supported"] == "no"]
    ends = ", ".join(
        f"{row.say('effect', 'log_times')} from {row.say('value_low', 'shown')} to {row.say('value_high', 'shown')}"
        for row in (rows[0], rows[-1])
    )
    name, total = f"model.{own['feature']}", float(sum(row["areas"] for row in rows))
    places = worked_out(book, f"{name}.places", ["sum", "effects", "areas", own], total, "whole")
    ranges = (
        counted(book, f"{name}.{which}", "effects", held, ["count", "effects", own | limits])
        for which, held, limits in (
            ("unsupported", unsure, {"supported": "no"}), ("ranges", [row["row"] for row in rows], {}),
        )
    )  # fmt: skip
    said = f"{title}: {ends}; {places} places" + (f", {' of '.join(ranges)} ranges not supported" if unsure else "")
    columns = {name: np.exp([float(row[name]) for row in rows]) for name in ("effect", "low", "high")}
    return draw_curve(
        f"curve-{number}", [(row["value_low"], row["value_high"]) for row in rows],
        columns["effect"], columns["low"], columns["high"], [int(row["areas"]) for row in rows],
        [row["supported"] == "yes" for row in rows], title=title, description=f"{said}.",
        ends=(rows[0].say("value_low", "shown"), rows[-1].say("value_high", "shown")),
    )  # fmt: skip


def groups_section(differences: pd.DataFrame, titles: Mapping[str, str], book: FactBook | None = None) -> Section:
    """Where groups of residents live, in the terms of the conditions model."""
    held = differences[(differences["other"] == EVERYONE) & differences["multiplier"].notna()]
    empty = differences[(differences["other"] == EVERYONE) & differences["multiplier"].isna()]
    parts = [p for p in dict.fromkeys(held["part"]) if p not in (*_GROUP_PARTS, "all")]
    drawings = []
    for characteristic, rows in held[held["part"] == "all"].groupby("characteristic", sort=True):
        lines = [
            Line(unit_name(row["group"], {}), row["multiplier"], row.say("multiplier", "times"))
            for row in quoted_rows(rows, "group_differences", book)
        ]
        title = unit_name(str(characteristic), titles)
        drawings.append(
            draw_lines(f"group-{characteristic}", lines, title=title, unit="times where everyone lives", start=1.0)
        )
    headings = [Heading("Characteristic"), Heading("Group"), Heading("All together", number=True),
                *(Heading(unit_name(part, titles), number=True) for part in parts)]  # fmt: skip
    listed = []
    for both, rows in held.groupby(["characteristic", "group"], sort=False):
        named, group = (str(part) for part in tuple(both))
        by_part = {row["part"]: row for row in quoted_rows(rows, "group_differences", book)}
        cells = [by_part[part].say("multiplier", "times") for part in ("all", *parts)]
        listed.append(Row((unit_name(named, titles), unit_name(group, {}), *cells)))
    words = [
        "Residents of every group live in many places. The multipliers compare the conditions of the places where a "
        "group "
        "lives, weighted by how many of the group live there, with the places where everyone lives. They describe "
        "places; "
        "they say nothing about the people of a group.",
        "The multipliers of the domains multiply to that of all together, but for where the model starts: its level "
        "and "
        "its least possible number.",
    ]
    if len(empty):
        number = counted(book, "model.groups.empty", "group_differences", empty.drop_duplicates("group")["row"])
        words.append(f"{number} groups have nobody counted in the region and are left out.")
    table = HtmlTable("groups-table", "The places where groups live, by domain", headings, listed, filters=(0,))
    folded = [Section("groups-pictures", "All conditions together, by group", small=drawings)]
    return Section(
        "groups", "Where groups of residents live", words, tables=[table], folded=folded,
        folded_words="Pictures of the same numbers",
    )  # fmt: skip


def analysts_section(
    attributions: pd.DataFrame | None, stability: pd.DataFrame | None, left_out: pd.DataFrame | None,
    titles: Mapping[str, str], book: FactBook | None = None,
) -> Section:  # fmt: skip
    """For analysts: dots of every place, what the marks rest on, the method and its limits."""
    drawings, tables = [], []
    if attributions is not None:
        for number, (model_id, rows) in enumerate(attributions.groupby("model_id", sort=False), start=1):
            drawing, table = _dots(f"dots-{number}", str(model_id), rows, book)
            drawings.append(drawing)
            tables.append(table)
    if stability is not None:
        tables.append(_marks_table(stability, titles, book))
    method = [
        "Every forecast is a sum of terms on the logarithm of the expected records: exact Shapley values for trees, "
        "each "
        "coefficient times the value less its mean for a regression, the members' mean for an ensemble.",
        "Where the model starts, its level correction and its least possible number are terms of their own, so that "
        "the "
        "terms of a forecast add up to its logarithm.",
        *_stability_words(book),
    ]
    caveats = [
        "Attributions describe a model, not the world. Two models as good may spread the same skill otherwise.",
        "Recorded violence is what was reported and recorded; it depends on both.",
        "Factors are old by the time they are used, and what was not published could not be seen.",
        "Intervals show how findings vary over places. They do not show what all places have in common.",
    ]
    parts = [
        Section("model-method", "How it is done", bullets=method),
        Section("model-limits", "Limits", bullets=caveats),
    ]
    if left_out is not None and len(left_out):
        bullets = [f"{bare(row['what'])}: {bare(row['reason'])}" for row in records(left_out)]
        parts.append(Section("model-left-out", "What was not explained", bullets=bullets))
    words = (
        "One dot is one place: how far a feature moves its forecast, at the shortest time ahead. Its shade says "
        "whether the feature's own value is low, middling or high there. Of many places every so many are drawn."
    )
    return Section("analysts", "For analysts", [words], small=drawings, tables=tables, parts=parts)


def _stability_words(book: FactBook | None) -> list[str]:
    """What stability is measured by, and what is asked of a finding that is called stable."""
    limits = THRESHOLDS

    def said(name: str, value: float, form: str = "as_given") -> str:
        return declared(book, f"model.thresholds.{name}", value, form, _THRESHOLDS)

    months = joined([said(f"months_back.{n}", months) for n, months in enumerate(limits.months_back)])
    return [
        f"Stability rests on {said('resamples', limits.resamples)} refits on neighbourhoods "
        f"({bare(limits.block_level)}) drawn again whole, on shorter pasts ({months} months) and, for a model that "
        f"takes one, {said('seeds', limits.seeds)} other seeds.",
        f"Stable asks that {said('sign_agreement', limits.sign_agreement, 'share')} of the refits point the same way, "
        f"a mean of at least {said('z', limits.z)} times its spread, the same sign in a plain regression that holds "
        f"the other factors, and a size of {said('least', limits.least, 'share')} or more. Below "
        f"{said('doubtful', limits.doubtful, 'share')} nothing is said.",
        "Factors are named together where every two of them have a rank correlation of "
        f"{said('correlation', limits.correlation)} or more.",
    ]


def _dots(name: str, model_id: str, rows: pd.DataFrame, book: FactBook | None) -> tuple[Picture, HtmlTable]:
    first = rows[(rows["horizon"] == rows["horizon"].min()) & (rows["role"] != "model")]
    terms = first.groupby("feature", sort=False)
    # Each feature less its mean: what sets places apart.
    spread = (
        terms["value"]
        .agg(lambda held: float((held - held.mean()).abs().mean()))
        .sort_values(ascending=False, kind="stable")
    )
    chosen = [str(feature) for feature in spread.index[:_DOTTED]]
    held = {str(feature): own for feature, own in terms if str(feature) in chosen}
    values = {feature: own["value"].to_numpy(dtype=np.float64) for feature, own in held.items()}
    thirds = {feature: own["third"].fillna("").to_numpy(dtype=np.str_) for feature, own in held.items()}
    horizon = int(first["horizon"].min()) if len(first) else 0
    title = f"{bare(f'{model_id}: main features, {horizon} month')}{'s' if horizon != 1 else ''} ahead"
    lines = [(bare(feature), values[feature], thirds[feature]) for feature in chosen]
    terms_of = [
        _Terms(f"model.{name}.{n}", {"horizon": horizon, "feature": feature, "model_id": model_id}, values[feature],
               thirds[feature], book)
        for n, feature in enumerate(chosen)
    ]  # fmt: skip
    quarters = [[own.quantile(share) for share in _QUARTERS] for own in terms_of]
    means = [[own.mean(third) for third in (THIRDS[0], THIRDS[-1])] for own in terms_of]
    said = "; ".join(
        f"{feature}: {cut[0]} to {cut[-1]}, in the mean {low} where it is low and {high} where it is high"
        for (feature, _, _), cut, (low, high) in zip(lines, quarters, means, strict=True)
    )
    description = f"{said}." if lines else "The model looks at no feature."
    headings = [Heading("Feature"), Heading("Least", number=True), Heading("Lower quarter", number=True),
                Heading("Middle", number=True), Heading("Upper quarter", number=True), Heading("Most", number=True),
                Heading("Mean where it is low", unit="lowest third of its values", number=True),
                Heading("Mean where it is high", unit="highest third of its values", number=True),
                Heading("Places", number=True)]  # fmt: skip
    listed = [
        Row((feature, *cut, *mean, own.places()))
        for (feature, _, _), cut, mean, own in zip(lines, quarters, means, terms_of, strict=True)
    ]
    caption = f"{bare(model_id)}: attributions of its main features"
    picture = draw_dots(name, lines, title=title, description=description)
    return picture, HtmlTable(f"{name}-table", caption, headings, listed, folded=True)


@dataclass(frozen=True, eq=False)
class _Terms:
    """What one feature adds in every place, and the rows of the attributions that hold it."""

    name: str
    rows: Mapping[str, str | int]
    values: npt.NDArray[np.float64]
    thirds: npt.NDArray[np.str_]
    book: FactBook | None

    def quantile(self, share: float) -> str:
        """What a share of the places lie below."""
        formula = ["quantile", "attributions", "value", self.rows, share]
        value = float(np.quantile(self.values, share))
        return worked_out(self.book, f"{self.name}.quantile.{share}", formula, value, "three_decimals")

    def mean(self, third: str) -> str:
        """The mean over the places whose own value lies in a third."""
        held = self.values[self.thirds == third]
        formula = ["mean", "attributions", "value", {**self.rows, "third": third}]
        value = float(held.mean()) if len(held) else float("nan")
        return worked_out(self.book, f"{self.name}.mean.{third}", formula, value, "three_decimals")

    def places(self) -> str:
        """How many places there are."""
        formula = ["count", "attributions", self.rows]
        return worked_out(self.book, f"{self.name}.places", formula, len(self.values), "whole")


def _marks_table(stability: pd.DataFrame, titles: Mapping[str, str], book: FactBook | None) -> HtmlTable:
    headings = [Heading("Unit"), Heading("Kind"), Heading("Mean size", number=True, unit="log records"),
                Heading("Refits that point the same way", number=True), Heading("Mean over spread", number=True),
                Heading("The same, others held", number=True), Heading("Ranks"), Heading("How sure")]  # fmt: skip
    listed = [
        Row((unit_name(r["unit"], titles), r["kind"], r.say("strength", "three_decimals"),
             r.say("sign_agreement", "share"), r.say("z", "one_decimal"), r.say("z_check", "one_decimal"),
             f"{r.span('rank_low', 'rank_high', 'whole')} of {r.say('of', 'whole')}", mark_words(r["mark"])))
        for r in quoted_rows(stability, "stability", book)
    ]  # fmt: skip
    caption = "What the marks rest on"
    return HtmlTable("marks", caption, headings, listed, filters=(1, 7), folded=True, page=10)
