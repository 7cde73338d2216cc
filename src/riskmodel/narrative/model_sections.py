"""Sections of the page on the models: leaning, what factors add, and which conditions are stable.

In: the tables of the explain step. Out: sections in the order they are read. Every picture has its table below it,
folded where the picture's own words hold the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from riskmodel.explain.adds import ALL_CONDITIONS, ALL_FACTORS, conditions_alone
from riskmodel.explain.directions import COUNTER
from riskmodel.explain.thresholds import DO_NOT_NARRATE
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.model_brief import leaning_sentence, stable_sentence
from riskmodel.narrative.model_names import cluster_name, unit_name
from riskmodel.narrative.model_pictures import Line, draw_lines
from riskmodel.narrative.model_words import ANOTHER_MODEL, MARKS, cluster_words, mark_words, records, times_words
from riskmodel.narrative.pictures import Picture
from riskmodel.narrative.quoted import Quoted, quoted_rows, worded
from riskmodel.narrative.tables_html import Heading, HtmlTable, Row

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.narrative.facts.book import FactBook

__all__ = ["adds_section", "conditions_section", "leaning_section"]

_LEANING_NOTE = (
    "A share says how much of what sets a forecast apart from the average place and month comes from each kind of "
    "information. Terms that cancel count for nothing."
)
_SPLIT_NOTE = (
    "With factors split by domain the shares differ a little from those above, because domains that point different "
    "ways in a place no longer cancel."
)
_ADDS_NOTE = (
    "The model is learned again without a domain, and forecasts the same past months. The bar is the skill that is "
    "lost without it, in points of per cent; the whisker holds it nine times in ten when months are drawn again. Left "
    "of the upright line the forecast is better without."
)
_STRENGTH_NOTE = (
    "A bar says by how much places typically differ from the region's average place by the conditions of a domain: "
    f"{bare(times_words(1.1))} is ten per cent more or fewer records. The whisker holds it nine times in ten when "
    "whole neighbourhoods are drawn again."
)
_ABLATED = ("features", "skill", "skill_without", "skill_lost")
_ADDED_ROWS = {ALL_FACTORS: "All factors", ALL_CONDITIONS: "All conditions of places and people"}


def leaning_section(leaning: pd.DataFrame, titles: Mapping[str, str], book: FactBook | None = None) -> Section:
    """What the forecast leans on, as bars of shares and a table by horizon."""
    everything = leaning[leaning["horizon"] == "all"]
    drawings = {}
    for split, title in (("class", "What the forecast leans on"), ("domain", "The same, with factors by domain")):
        lines = [
            Line(unit_name(row["part"], titles), row["share"], row.say("share", "share"))
            for row in quoted_rows(everything[everything["split"] == split], "leaning", book)
        ]
        drawings[split] = draw_lines(
            f"leaning-{split}", _scaled(lines), title=title, unit="share of what moves forecasts, per cent"
        )
    rows = [
        Row((unit_name(row["part"], titles),
             "all factors together" if row["split"] == "class" else "factors by domain",
             "all shown" if row["horizon"] == "all" else bare(row["horizon"]), row.say("share", "percent"),
             row.say("multiplier", "times")))
        for row in quoted_rows(leaning, "leaning", book)
    ]  # fmt: skip
    headings = [Heading("Rests on"), Heading("Split"), Heading("Months ahead"), Heading("Share", number=True),
                Heading("Moves a forecast typically by", number=True)]  # fmt: skip
    caption = "What the forecast leans on, by months ahead"
    table = HtmlTable(
        "leaning", caption, headings, rows, filters=(1, 2), folded=True, whole="tables/leaning.csv"
    )  # fmt: skip
    more = Section("leaning-split", "Factors by domain", [_SPLIT_NOTE], small=[drawings["domain"]], tables=[table])
    return Section(
        "leans-on", "What the forecast leans on", [leaning_sentence(everything, titles, book), _LEANING_NOTE],
        small=[drawings["class"]], folded=[more], folded_words="Factors by domain, and all numbers by months ahead",
    )  # fmt: skip


def _scaled(lines: Sequence[Line]) -> list[Line]:
    return [Line(line.label, 100 * line.value, line.words, 100 * line.low, 100 * line.high) for line in lines]


def adds_section(domains: pd.DataFrame | None, sentence: str, advice: str, book: FactBook | None = None) -> Section:
    """How much the factors add, domain by domain, and the model with its history alone."""
    name, heading = "adds", "How much the factors add to the forecast"
    paragraphs = [sentence, *([advice] if advice else [])]
    if domains is None or not (domains["kind"] == "forecast").any():
        return Section(name, heading, paragraphs)
    held = domains[domains["kind"] == "forecast"]
    held = held.iloc[np.argsort(~held["domain"].isin(list(_ADDED_ROWS)), kind="stable")]
    first = held.iloc[0]
    paragraphs.append(
        f"Measured on {bare(first['model_id'])}, one of the candidates, at {bare(first['rests_on'])}: fewer months "
        "than the whole backtest, so its skill differs a little from the one above."
    )
    pair = _history_picture(held, book)
    drawings = [pair] if pair is not None else []
    title = "Skill lost without each domain: the forecast model"
    drawings.append(_ablation_picture(held, "adds-domains", title, book))
    table = _ablation_table(held, "domains-forecast", "What the forecast model loses without each domain", book)
    return Section(name, heading, [*paragraphs, _ADDS_NOTE], small=drawings, tables=[table])


def _domain_label(name: str) -> str:
    return _ADDED_ROWS.get(name) or unit_name(name, {})


def _ablation_picture(rows: pd.DataFrame, name: str, title: str, book: FactBook | None) -> Picture:
    lines = [
        Line(
            _domain_label(row["domain"]), row["skill_lost"],
            f"{row.say('skill_lost', 'percent')} ({row.say('low', 'percent')} to {row.say('high', 'percent')})"
            if np.isfinite(row["skill_lost"]) else row["verdict"],
            row["low"], row["high"],
        )
        for row in quoted_rows(rows, "domains", book)
    ]  # fmt: skip
    return draw_lines(name, _scaled(lines), title=title, unit="points of per cent of skill lost")


def _history_picture(rows: pd.DataFrame, book: FactBook | None) -> Picture | None:
    """The full model beside the one that is left with history, season and residents."""
    held = rows[(rows["domain"] == ALL_FACTORS) & np.isfinite(rows["skill_without"])]
    if held.empty:
        return None
    row = quoted_rows(held.iloc[:1], "domains", book)[0]
    pair = (("With factors", "skill"), ("From the area's own past alone", "skill_without"))
    lines = [Line(label, row[column], row.say(column, "percent")) for label, column in pair]
    title = f"Skill over {bare(row['baseline'])}, with factors and without"
    return draw_lines("adds-history", _scaled(lines), title=title, unit="skill, per cent")


def _ablation_table(rows: pd.DataFrame, name: str, caption: str, book: FactBook | None) -> HtmlTable:
    headings = [Heading("Left out"), Heading("Features", number=True), Heading("Skill with it", number=True),
                Heading("Skill without", number=True), Heading("Skill lost", number=True, unit="points"),
                Heading("Interval", unit="9 in 10"), Heading("Verdict"), Heading("Months", number=True)]  # fmt: skip
    listed = [
        Row((_domain_label(r["domain"]), *(r.say(c, "whole" if c == "features" else "percent") for c in _ABLATED),
             r.span("low", "high", "percent"), r["verdict"], r.say("month_blocks", "whole")))
        for r in quoted_rows(rows, "domains", book)
    ]  # fmt: skip
    model, baseline, rests_on = (bare(str(rows.iloc[0][name])) for name in ("model_id", "baseline", "rests_on"))
    note = f"Model {model} against {baseline}; {rests_on}."
    return HtmlTable(name, caption, headings, listed, note=note, folded=True)


def conditions_section(
    stability: pd.DataFrame, domains: pd.DataFrame | None, titles: Mapping[str, str], book: FactBook | None = None
) -> Section:
    """The conditions model: strength and marks by domain, then factors, and what is counter to expectation."""
    by_domain = stability[stability["kind"] == "domain"].sort_values("rank", kind="stable")
    paragraphs = [ANOTHER_MODEL, stable_sentence(stability, titles, book)]
    ranked = quoted_rows(by_domain, "stability", book)
    drawings = [_strength_picture(ranked, titles)]
    tables = [_strength_table(ranked, "domains-found", "Domains of conditions, the strongest first", titles)]
    if domains is not None:
        held = domains[domains["kind"] == "conditions"]
        said = conditions_alone(domains, worded("domains", book)).replace(" %", "%")
        paragraphs += [said] if said else []
        if len(held):
            title = "Skill lost without each domain: the conditions model"
            drawings.append(_ablation_picture(held, "conditions-domains", title, book))
            caption = "What the conditions model loses without each domain"
            tables.append(_ablation_table(held, "domains-conditions", caption, book))
    parts = [_factors_part(stability, titles, book), _counter_part(stability, titles)]
    return Section(
        "conditions", "Conditions found with recorded violence", [*paragraphs, _STRENGTH_NOTE], small=drawings,
        tables=tables, parts=parts,
    )  # fmt: skip


def _strength_picture(rows: Sequence[Quoted], titles: Mapping[str, str]) -> Picture:
    lines = [
        Line(
            unit_name(row["unit"], titles), row["multiplier"],
            f"{row.say('multiplier', 'times')} ({row.span('low', 'high', 'log_two_decimals')}), "
            f"{mark_words(row['mark'])}",
            float(np.exp(row["low"])), float(np.exp(row["high"])),
        )
        for row in rows
    ]  # fmt: skip
    title = "By how much places typically differ, by domain"
    return draw_lines("conditions-strength", lines, title=title, unit="times the average place", start=1.0)


def _strength_table(rows: Sequence[Quoted], name: str, caption: str, titles: Mapping[str, str]) -> HtmlTable:
    headings = [Heading("Domain"), Heading("Places differ typically by", number=True),
                Heading("Interval", unit="9 in 10"), Heading("Rank"),
                Heading("Refits that point the same way", number=True), Heading("How sure"),
                Heading("Why not surer")]  # fmt: skip
    listed = [
        Row((unit_name(r["unit"], titles), r.say("multiplier", "times"), r.span("low", "high", "log_two_decimals"),
             _rank_words(r), r.say("sign_agreement", "share"), mark_words(r["mark"]), bare(r["why"])))
        for r in rows
    ]  # fmt: skip
    return HtmlTable(name, caption, headings, listed, folded=True)


def _rank_words(row: Quoted) -> str:
    same = round(row["rank_low"]) == round(row["rank_high"])
    reach = row.say("rank_low", "whole") if same else row.span("rank_low", "rank_high", "whole")
    return f"{row.say('rank', 'whole')} ({reach} of {row.say('of', 'whole')})"


def _factors_part(stability: pd.DataFrame, titles: Mapping[str, str], book: FactBook | None) -> Section:
    """Factors in clusters, the surest first: those that cannot be told apart are one row."""
    clusters = stability[stability["kind"] == "cluster"].sort_values("rank", kind="stable")
    clusters = clusters.iloc[np.argsort(clusters["mark"].map(list(MARKS).index), kind="stable")]
    factors = {row["unit"]: row for row in records(stability[stability["kind"] == "factor"])}
    headings = [Heading("Condition"), Heading("How sure"), Heading("Where it is higher, recorded violence is found"),
                Heading("Expected"), Heading("Direction"), Heading("Places differ typically by", number=True),
                Heading("Interval", unit="9 in 10"), Heading("Rank"), Heading("Why not surer")]  # fmt: skip
    listed = []
    for row in quoted_rows(clusters, "stability", book):
        members = [factors[name] for name in row["members"].split("; ") if name in factors]
        unsure = row["mark"] == DO_NOT_NARRATE
        found, expected, direction = (
            _each(members, what, titles) for what in ("found", "expected", "direction")
        )  # fmt: skip
        listed.append(
            Row((cluster_name(row["members"], titles), mark_words(row["mark"]),
                 mark_words(row["mark"]) if unsure else found, expected or "not stated",
                 mark_words(row["mark"]) if unsure else direction, row.say("multiplier", "times"),
                 row.span("low", "high", "log_two_decimals"), _rank_words(row), bare(row["why"])))
        )  # fmt: skip
    words = (
        "Factors that go together so closely in this region that they cannot be told apart are named together. The "
        "direction compares what is found with what the catalogue of factors expects; a factor found with lower "
        "recorded violence is called protective only where that was expected."
    )
    caption = "Conditions one by one, the surest and strongest first"
    table = HtmlTable(
        "factors-found", caption, headings, listed, filters=(1,), page=10, whole="tables/stability.csv"
    )  # fmt: skip
    return Section("factors", "Conditions one by one", [words], tables=[table])


def _each(members: Sequence[Mapping[str, Any]], what: str, titles: Mapping[str, str]) -> str:
    """One word where all factors of a cluster agree, else a word each."""
    words = [str(member[what]) for member in members]
    if len(set(words)) <= 1:
        return words[0] if words else ""
    return "; ".join(
        f"{unit_name(m['unit'], titles)}: {w or 'not stated'}" for m, w in zip(members, words, strict=True)
    )


def _counter_part(stability: pd.DataFrame, titles: Mapping[str, str]) -> Section:
    held = stability[(stability["kind"] == "factor") & (stability["direction"] == COUNTER)]
    bullets = [
        f"{unit_name(row['unit'], titles)}: found with {row['found']} recorded violence where it is higher, against "
        f"what is expected ({row['expected']}). How sure: {mark_words(row['mark'])}. Likely reasons: "
        f"{_reasons(row['reasons'], titles)}."
        for row in records(held.sort_values("rank", kind="stable"))
    ]
    words = (
        "A finding that is counter to expectation is shown and not explained away. It makes no condition protective, "
        "and none a risk: other things that go with it may lie behind it."
        if bullets
        else "No condition was found counter to what the catalogue of factors expects."
    )
    return Section("counter", "Counter to expectation", [words], bullets=bullets)


def _reasons(reasons: str, titles: Mapping[str, str]) -> str:
    # The longest first: one name may begin another.
    for name in sorted(titles, key=len, reverse=True):
        reasons = reasons.replace(name, cluster_words(name, titles, inside=True))
    return bare(reasons)
