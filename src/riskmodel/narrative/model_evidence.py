"""The later sections of the page on the models: curves, groups, and what analysts ask for.

In: the tables ``effects``, ``group_differences``, ``attributions`` and ``stability``. Out: sections.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from riskmodel.explain.groups import EVERYONE
from riskmodel.explain.thresholds import THRESHOLDS
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.forecast_words import NOT_AVAILABLE, joined, recorded_words
from riskmodel.narrative.model_pictures import THIRDS, Line, draw_curve, draw_dots, draw_lines
from riskmodel.narrative.model_words import (
    between_times,
    mark_words,
    percent_words,
    records,
    times_words,
    unit_words,
)
from riskmodel.narrative.pictures import Picture, shown
from riskmodel.narrative.tables_html import Heading, HtmlTable, Row

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["analysts_section", "curves_section", "groups_section"]

_DOTTED = 8
_GROUP_PARTS = ("start", "level", "floor")


def curves_section(effects: pd.DataFrame, titles: Mapping[str, str]) -> Section:
    """A curve for each main factor, with how many places there are."""
    drawings = [
        _curve(number, records(rows), titles)
        for number, (_, rows) in enumerate(effects.groupby("feature", sort=False), start=1)
    ]
    headings = [Heading("Condition"), Heading("Value from", number=True), Heading("Value to", number=True),
                Heading("Multiplier", number=True), Heading("Interval", unit="9 in 10"),
                Heading("Attribution", number=True, unit="as a multiplier"), Heading("Places", number=True),
                Heading("Density", number=True, unit="1 is even"), Heading("Supported"),
                Heading("Why not")]  # fmt: skip
    listed = [
        Row((unit_words(r["factor"], titles), shown(r["value_low"]), shown(r["value_high"]),
             times_words(np.exp(r["effect"])), between_times(np.exp(r["low"]), np.exp(r["high"])),
             times_words(np.exp(r["attribution"])), f"{r['areas']:.0f}", shown(r["density"]), r["supported"], r["why"]))
        for r in records(effects)
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


def _curve(number: int, rows: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> Picture:
    title = unit_words(rows[0]["factor"], titles)
    first, last = rows[0], rows[-1]
    unsure = [row for row in rows if row["supported"] == "no"]
    said = (
        f"{title}: {times_words(np.exp(first['effect']))} from {shown(first['value_low'])} to "
        f"{shown(first['value_high'])}, {times_words(np.exp(last['effect']))} from {shown(last['value_low'])} to "
        f"{shown(last['value_high'])}; {sum(row['areas'] for row in rows):.0f} places"
        + (f", {len(unsure)} of {len(rows)} ranges not supported" if unsure else "")
        + "."
    )
    columns = {name: np.exp([float(row[name]) for row in rows]) for name in ("effect", "low", "high")}
    return draw_curve(
        f"curve-{number}", [(row["value_low"], row["value_high"]) for row in rows],
        columns["effect"], columns["low"], columns["high"], [int(row["areas"]) for row in rows],
        [row["supported"] == "yes" for row in rows], title=title, description=said,
    )  # fmt: skip


def groups_section(differences: pd.DataFrame, titles: Mapping[str, str]) -> Section:
    """Where groups of residents live, in the terms of the conditions model."""
    held = differences[(differences["other"] == EVERYONE) & differences["multiplier"].notna()]
    empty = differences[(differences["other"] == EVERYONE) & differences["multiplier"].isna()]["group"].nunique()
    parts = [p for p in dict.fromkeys(held["part"]) if p not in (*_GROUP_PARTS, "all")]
    drawings = []
    for characteristic, rows in held[held["part"] == "all"].groupby("characteristic", sort=True):
        lines = [
            Line(unit_words(row["group"], {}), row["multiplier"], times_words(row["multiplier"]))
            for row in records(rows)
        ]
        title = unit_words(str(characteristic), titles)
        drawings.append(
            draw_lines(f"group-{characteristic}", lines, title=title, unit="times where everyone lives", start=1.0)
        )
    headings = [Heading("Characteristic"), Heading("Group"), Heading("All together", number=True),
                *(Heading(unit_words(part, titles), number=True) for part in parts)]  # fmt: skip
    listed = []
    for both, rows in held.groupby(["characteristic", "group"], sort=False):
        named, group = (str(part) for part in tuple(both))
        by_part = dict(zip(rows["part"], rows["multiplier"], strict=True))
        cells = [times_words(by_part[part]) for part in ("all", *parts)]
        listed.append(Row((unit_words(named, titles), unit_words(group, {}), *cells)))
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
    words += [f"{empty} groups have nobody counted in the region and are left out."] if empty else []
    table = HtmlTable("groups-table", "The places where groups live, by domain", headings, listed, filters=(0,))
    folded = [Section("groups-pictures", "All conditions together, by group", small=drawings)]
    return Section(
        "groups", "Where groups of residents live", words, tables=[table], folded=folded,
        folded_words="Pictures of the same numbers",
    )  # fmt: skip


def analysts_section(
    attributions: pd.DataFrame | None, stability: pd.DataFrame | None, left_out: pd.DataFrame | None,
    titles: Mapping[str, str],
) -> Section:  # fmt: skip
    """For analysts: dots of every place, what the marks rest on, the method and its limits."""
    drawings, tables = [], []
    if attributions is not None:
        for number, (model_id, rows) in enumerate(attributions.groupby("model_id", sort=False), start=1):
            drawing, table = _dots(f"dots-{number}", str(model_id), rows)
            drawings.append(drawing)
            tables.append(table)
    if stability is not None:
        tables.append(_marks_table(stability, titles))
    limits = THRESHOLDS
    method = [
        "Every forecast is a sum of terms on the logarithm of the expected records: exact Shapley values for trees, "
        "each "
        "coefficient times the value less its mean for a regression, the members' mean for an ensemble.",
        "Where the model starts, its level correction and its least possible number are terms of their own, so that "
        "the "
        "terms of a forecast add up to its logarithm.",
        f"Stability rests on {limits.resamples} refits on neighbourhoods ({limits.block_level}) drawn again whole, on "
        f"shorter pasts ({joined([str(m) for m in limits.months_back])} months) and, for a model that takes one, "
        f"{limits.seeds} other seeds.",
        f"Stable asks that {percent_words(limits.sign_agreement, 0)} of the refits point the same way, a mean of at "
        "least "
        f"{limits.z:g} times its spread, the same sign in a plain regression that holds the other factors, and a "
        "size of "
        f"{percent_words(limits.least, 0)} or more. Below {percent_words(limits.doubtful, 0)} nothing is said.",
        f"Factors are named together where every two of them have a rank correlation of {limits.correlation:g} or "
        "more.",
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
        bullets = [f"{row['what']}: {row['reason']}" for row in records(left_out)]
        parts.append(Section("model-left-out", "What was not explained", bullets=bullets))
    words = (
        "One dot is one place: how far a feature moves its forecast, at the shortest time ahead. Its shade says "
        "whether the feature's own value is low, middling or high there. Of many places every so many are drawn."
    )
    return Section("analysts", "For analysts", [words], small=drawings, tables=tables, parts=parts)


def _dots(name: str, model_id: str, rows: pd.DataFrame) -> tuple[Picture, HtmlTable]:
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
    title = f"{model_id}: main features, {horizon} month{'s' if horizon != 1 else ''} ahead"
    lines = [(feature, values[feature], thirds[feature]) for feature in chosen]
    means = {feature: [_mean(own[third == t]) for t in (THIRDS[0], THIRDS[-1])] for feature, own, third in lines}
    said = "; ".join(
        f"{feature}: {shown_signed(own.min())} to {shown_signed(own.max())}, in the mean {means[feature][0]} where it "
        f"is low and {means[feature][1]} where it is high"
        for feature, own, _ in lines
    )
    description = f"{said}." if lines else "The model looks at no feature."
    headings = [Heading("Feature"), Heading("Least", number=True), Heading("Lower quarter", number=True),
                Heading("Middle", number=True), Heading("Upper quarter", number=True), Heading("Most", number=True),
                Heading("Mean where it is low", unit="lowest third of its values", number=True),
                Heading("Mean where it is high", unit="highest third of its values", number=True),
                Heading("Places", number=True)]  # fmt: skip
    listed = [
        Row((feature, *(shown_signed(q) for q in np.quantile(own, [0, 0.25, 0.5, 0.75, 1])), *means[feature],
             f"{len(own):,}"))
        for feature, own, _ in lines
    ]  # fmt: skip
    caption = f"{model_id}: attributions of its main features"
    picture = draw_dots(name, lines, title=title, description=description)
    return picture, HtmlTable(f"{name}-table", caption, headings, listed, folded=True)


def _mean(values: npt.NDArray[np.float64]) -> str:
    return shown_signed(float(values.mean())) if len(values) else NOT_AVAILABLE


def shown_signed(value: float) -> str:
    """A term with three decimals and a sign that is read aloud."""
    text = f"{abs(value):.3f}"
    return f"\N{MINUS SIGN}{text}" if value < 0 and float(text) else text


def _marks_table(stability: pd.DataFrame, titles: Mapping[str, str]) -> HtmlTable:
    headings = [Heading("Unit"), Heading("Kind"), Heading("Mean size", number=True, unit="log records"),
                Heading("Refits that point the same way", number=True), Heading("Mean over spread", number=True),
                Heading("The same, others held", number=True), Heading("Ranks"), Heading("How sure")]  # fmt: skip
    listed = [
        Row((unit_words(r["unit"], titles), r["kind"], shown_signed(r["strength"]),
             percent_words(r["sign_agreement"], 0), _ratio(r["z"]), _ratio(r["z_check"]),
             f"{recorded_words(round(r['rank_low']))} to {recorded_words(round(r['rank_high']))} of {r['of']:.0f}",
             mark_words(r["mark"])))
        for r in records(stability)
    ]  # fmt: skip
    caption = "What the marks rest on"
    return HtmlTable("marks", caption, headings, listed, filters=(1, 7), folded=True, page=10)


def _ratio(value: float) -> str:
    if not np.isfinite(value):
        return "not available"
    text = f"{abs(value):.1f}"
    return f"\N{MINUS SIGN}{text}" if value < 0 and float(text) else text
