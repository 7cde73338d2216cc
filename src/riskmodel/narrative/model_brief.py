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
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.forecast_words import joined
from riskmodel.narrative.model_words import ANOTHER_MODEL, RESIDENTS, cluster_words, percent_words, records, unit_words
from riskmodel.narrative.workbook_text import day_words

if TYPE_CHECKING:
    import pandas as pd

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
    tables: Mapping[str, pd.DataFrame], *, headline: str, model_id: str, as_of: date, titles: Mapping[str, str]
) -> Section:
    """The first section: what the forecast leans on, what factors add, which conditions are stable.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        ``leaning``, ``domains`` and ``stability``, as far as the run has them.
    headline, model_id : str
        Whether the forecast beats counting, and the model shown.
    as_of : date
    titles : mapping of str to str
        Of factors, by domain/name.
    """
    tiles, points = [], [("The forecast", f"{headline} The model shown is {model_id}, as of {day_words(as_of)}.")]
    if "leaning" in tables:
        everything = tables["leaning"][tables["leaning"]["horizon"] == "all"]
        rows = everything[everything["split"] == "class"]
        shares = dict(zip(rows["part"], rows["share"], strict=True))
        tiles += [
            (f"of what moves the forecast is {part}", percent_words(shares[part], 0))
            for part in ("history", "factors")
            if part in shares
        ]
        points.append(("What it leans on", leaning_sentence(everything, titles)))
    if "domains" in tables:
        tiles += _added(tables["domains"])
    if "stability" in tables:
        stability = tables["stability"]
        domains = _domains(stability)
        stable = int((domains["mark"] == STABLE).sum())
        tiles.append(("domains of conditions are stable", f"{stable} of {len(domains)}"))
        points.append(("Domains of conditions", stable_sentence(stability, titles)))
        points += _stable_conditions(stability, titles)
        points.append(("Two models, never mixed", ANOTHER_MODEL))
    points.append(("How to read it", _READING))
    return Section("answer", "In brief", lead=True, tiles=tiles, points=points)


def leaning_sentence(everything: pd.DataFrame, titles: Mapping[str, str]) -> str:
    """The shares of each kind of information, the largest first."""
    by_class = everything[everything["split"] == "class"].sort_values("share", ascending=False, kind="stable")
    said = [
        f"{percent_words(share, 0)} on {unit_words(part, titles).lower()}"
        for part, share in zip(by_class["part"], by_class["share"], strict=True)
    ]
    return f"The forecast leans {joined(said)}."


def stable_sentence(stability: pd.DataFrame, titles: Mapping[str, str]) -> str:
    """Which domains are stable and what they hold, and how many are not."""
    rows = _domains(stability)
    held = rows[rows["mark"] == STABLE]
    if held.empty:
        return f"None of the {len(rows)} domains is stable: nothing firm can be said of conditions here."
    factors = stability[stability["kind"] == "factor"]
    rank = dict(zip(factors["unit"], factors["rank"], strict=True))
    stable = [
        f"{unit_words(unit, {})} ({_holds(sorted(members.split('; '), key=rank.__getitem__), titles)})"
        for unit, members in zip(held["unit"], held["members"], strict=True)
    ]
    rest = len(rows) - len(stable)
    others = f" Uncertain or too unsure to say: {rest} of {len(rows)}." if rest else ""
    return f"Stable when places and months are drawn again: {joined(stable)}.{others}"


def _domains(stability: pd.DataFrame) -> pd.DataFrame:
    """Domains of conditions, the strongest first: how many live in a place is none."""
    held = (stability["kind"] == "domain") & (stability["unit"] != RESIDENTS)
    return stability[held].sort_values("rank", kind="stable")


def _holds(factors: Sequence[str], titles: Mapping[str, str]) -> str:
    """What a domain holds, the strongest factors first, in the middle of a sentence."""
    named = [cluster_words(name, titles, inside=True) for name in factors[:_NAMED]]
    more = len(factors) - len(named)
    return joined([*named, *([f"{more} more"] if more else [])])


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
        words = cluster_words(row["members"], titles, inside=bool(listed))
        listed.append(f"{words} (counter to expectation)" if counter else words)
    points = [(_SIDES[side], "; ".join(words) + ".") for side, words in said.items() if words]
    return points or [("Single conditions", "None is stable by itself.")]


def _added(domains: pd.DataFrame) -> list[tuple[str, str]]:
    """By how many points the forecast is better with factors than without."""
    rows = domains[(domains["kind"] == "forecast") & (domains["domain"] == ALL_FACTORS)]
    if rows.empty or not np.isfinite(rows["skill_lost"].iloc[0]):
        return []
    row = rows.iloc[0]
    interval = f" ({100 * row['low']:.1f} to {100 * row['high']:.1f})" if np.isfinite(row["low"]) else ""
    return [(f"points of skill that factors add{interval}", f"{100 * row['skill_lost']:.1f}")]
