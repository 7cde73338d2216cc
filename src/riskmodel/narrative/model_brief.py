"""What a reader of the page on the models must know within a minute: its first section, and words on what is stable.

In: the tables of the explain step. Out: a section. Only what is stable is put into words here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from riskmodel.explain.adds import ALL_FACTORS
from riskmodel.explain.directions import COUNTER
from riskmodel.explain.thresholds import STABLE
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.forecast_words import joined
from riskmodel.narrative.model_names import cluster_name, unit_name
from riskmodel.narrative.model_words import ANOTHER_MODEL, MARKS, RESIDENTS, records
from riskmodel.narrative.quoted import counted, quoted_rows
from riskmodel.narrative.workbook_text import day_words

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.narrative.facts.book import FactBook

__all__ = ["answer_section", "leaning_sentence", "stable_sentence"]

_NAMED = 2
"""Factors named for what a domain holds; the rest are counted."""
_READING = (
    "Association between places, each condition with the others as they are, and never a reason. Not for decisions "
    "about any person."
)
_SIDES = {
    "higher": "Stable, found with higher recorded violence",
    "lower": "Stable, found with lower recorded violence",
    "": "Stable, found with higher here and lower there",
}


def answer_section(
    tables: Mapping[str, pd.DataFrame], *, headline: str, model_id: str, as_of: date, titles: Mapping[str, str],
    book: FactBook | None = None,
) -> Section:  # fmt: skip
    """The first section: what the forecast leans on, what factors add, which conditions are stable.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        ``leaning``, ``domains`` and ``stability``, as far as the run has them, with positions.
    headline, model_id : str
        Whether the forecast beats counting, and the model shown.
    as_of : date
    titles : mapping of str to str
        Of factors, by domain/name.
    book : FactBook, optional
        What the numbers are written through.
    """
    model = f"The model shown is {bare(model_id)}, as of {bare(day_words(as_of))}."
    tiles, points = [], [("The forecast", f"{headline} {model}")]
    if "leaning" in tables:
        everything = tables["leaning"][tables["leaning"]["horizon"] == "all"]
        rows = quoted_rows(everything[everything["split"] == "class"], "leaning", book)
        by_part = {row["part"]: row for row in rows}
        tiles += [
            (f"of what moves the forecast is {part}", by_part[part].say("share", "share"))
            for part in ("history", "factors")
            if part in by_part
        ]
        points.append(("What it leans on", leaning_sentence(everything, titles, book)))
    if "domains" in tables:
        tiles += _added(tables["domains"], book)
    if "stability" in tables:
        stability = tables["stability"]
        domains = _domains(stability)
        stable = _how_many(domains, [STABLE], book)
        tiles.append(("domains of conditions are stable", f"{stable} of {_how_many(domains, list(MARKS), book)}"))
        points.append(("Domains of conditions", stable_sentence(stability, titles, book)))
        points += _stable_conditions(stability, titles)
        points.append(("Two models, never mixed", ANOTHER_MODEL))
    points.append(("How to read it", _READING))
    return Section("answer", "In brief", lead=True, tiles=tiles, points=points)


def leaning_sentence(everything: pd.DataFrame, titles: Mapping[str, str], book: FactBook | None = None) -> str:
    """The shares of each kind of information, the largest first."""
    by_class = everything[everything["split"] == "class"].sort_values("share", ascending=False, kind="stable")
    said = [
        f"{row.say('share', 'share')} on {unit_name(row['part'], titles).lower()}"
        for row in quoted_rows(by_class, "leaning", book)
    ]
    return f"The forecast leans {joined(said)}."


def stable_sentence(stability: pd.DataFrame, titles: Mapping[str, str], book: FactBook | None = None) -> str:
    """Which domains are stable and what they hold, and how many are not."""
    rows = _domains(stability)
    held, number = rows[rows["mark"] == STABLE], _how_many(rows, list(MARKS), book)
    if held.empty:
        return f"None of the {number} domains is stable: nothing firm can be said of conditions here."
    factors = stability[stability["kind"] == "factor"]
    rank = dict(zip(factors["unit"], factors["rank"], strict=True))
    at = dict(zip(factors["unit"], factors["row"], strict=True))
    stable = []
    for unit, members in zip(held["unit"], held["members"], strict=True):
        inside = sorted(members.split("; "), key=rank.__getitem__)
        rest = _rest(unit, [at[name] for name in inside[_NAMED:]], book)
        stable.append(f"{unit_name(unit, {})} ({_holds(inside[:_NAMED], rest, titles)})")
    unsure = _how_many(rows, [mark for mark in MARKS if mark != STABLE], book)
    others = f" Uncertain or too unsure to say: {unsure} of {number}." if len(held) < len(rows) else ""
    return f"Stable when places and months are drawn again: {joined(stable)}.{others}"


def _domains(stability: pd.DataFrame) -> pd.DataFrame:
    """Domains of conditions, the strongest first: how many live in a place is none."""
    held = (stability["kind"] == "domain") & (stability["unit"] != RESIDENTS)
    return stability[held].sort_values("rank", kind="stable")


def _how_many(domains: pd.DataFrame, marks: Sequence[str], book: FactBook | None) -> str:
    """How many domains of conditions have one of some marks."""
    limits = {"kind": "domain", "mark": list(marks)}
    residents = ["count", "stability", limits | {"unit": RESIDENTS}]
    name = f"model.domains.{'+'.join(marks).replace(' ', '_')}"
    rows = domains.loc[domains["mark"].isin(marks), "row"]
    return counted(book, name, "stability", rows, ["subtract", ["count", "stability", limits], residents])


def _rest(domain: str, rows: Sequence[int], book: FactBook | None) -> str:
    """How many factors of a domain are not named; blank where all are."""
    factors = ["count", "stability", {"kind": "factor", "domain": domain}]
    formula = ["subtract", factors, ["number", _NAMED]]
    return f"{counted(book, f'model.rest.{domain}', 'stability', rows, formula)} more" if rows else ""


def _holds(factors: Sequence[str], rest: str, titles: Mapping[str, str]) -> str:
    """What a domain holds, the strongest factors first, in the middle of a sentence."""
    return joined([*(cluster_name(name, titles, inside=True) for name in factors), *filter(None, [rest])])


def _stable_conditions(stability: pd.DataFrame, titles: Mapping[str, str]) -> list[tuple[str, str]]:
    """Single conditions, or those named together, that are stable: one point a direction."""
    factors = {row["unit"]: row for row in records(stability[stability["kind"] == "factor"])}
    clusters = stability[(stability["kind"] == "cluster") & (stability["mark"] == STABLE)]
    said: dict[str, list[str]] = {side: [] for side in _SIDES}
    for row in records(clusters.sort_values("rank", kind="stable")):
        members = [factors[name] for name in row["members"].split("; ")]
        sides = {member["found"] for member in members}
        side = sides.pop() if len(sides) == 1 else ""
        counter = any(member["direction"] == COUNTER for member in members)
        listed = said[side if side in said else ""]
        words = cluster_name(row["members"], titles, inside=bool(listed))
        listed.append(f"{words} (counter to expectation)" if counter else words)
    points = [(_SIDES[side], "; ".join(words) + ".") for side, words in said.items() if words]
    return points or [("Single conditions", "None is stable by itself.")]


def _added(domains: pd.DataFrame, book: FactBook | None) -> list[tuple[str, str]]:
    """By how many points the forecast is better with factors than without."""
    rows = domains[(domains["kind"] == "forecast") & (domains["domain"] == ALL_FACTORS)]
    if rows.empty or not np.isfinite(rows["skill_lost"].iloc[0]):
        return []
    row = quoted_rows(rows.iloc[:1], "domains", book)[0]
    interval = f" ({row.span('low', 'high', 'points')})" if np.isfinite(row["low"]) else ""
    return [(f"points of skill that factors add{interval}", row.say("skill_lost", "points"))]
