"""Conditions found with higher or lower recorded violence, by domain and by stage of life; what is not held."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from riskmodel.explain.thresholds import STABLE
from riskmodel.narrative.assessment.contents import Assessment
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.forecast_words import joined
from riskmodel.narrative.model_pictures import Line, draw_lines
from riskmodel.narrative.model_words import cluster_words, mark_words
from riskmodel.narrative.tables_html import Heading, HtmlTable, Row

__all__ = ["STAGES", "conditions_section", "gaps_section", "stable_clusters"]

STAGES = {
    "early_years": "Early years", "school_age": "School age", "youth": "Youth", "adulthood": "Adulthood",
    "all": "All ages",
}  # fmt: skip
_NOTE = (
    "These are associations between places, from a model that knows conditions alone. They do not say why violence "
    "happens, and changing a condition need not change what is recorded. Only what stays the same when places and "
    "months are drawn again is named. Each is found with the others as they are; by itself it may go the other way."
)


def stable_clusters(assessment: Assessment) -> list[tuple[int, dict[str, Any]]]:
    """Clusters of conditions that are stable, the strongest first, each with its row in ``stability``."""
    held = assessment.table("stability")
    if held is None:
        return []
    rows = held[(held["kind"] == "cluster") & (held["mark"] == STABLE)].sort_values("rank", kind="stable")
    return [
        (int(at), {str(k): v for k, v in row.items()})
        for at, row in zip(rows.index, rows.to_dict("records"), strict=True)
    ]


def conditions_section(assessment: Assessment) -> Section:
    """By domain, then by stage of life."""
    held = assessment.table("stability")
    heading = "Conditions found with recorded violence"
    if held is None:
        return Section("conditions", heading, ["This run has no model of conditions, so nothing is said of them."])
    domains = held[held["kind"] == "domain"].sort_values("rank", kind="stable")
    lines, rows = [], []
    for at, r in domains.iterrows():
        strength, low, high = (float(r[c]) for c in ("strength", "low", "high"))
        words = assessment.say("stability", at, "multiplier", "times")
        lines.append(
            Line(assessment.unit(r["unit"]), float(np.exp(strength)), f"{words}, {mark_words(r['mark'])}",
                 float(np.exp(low)), float(np.exp(high)))
        )  # fmt: skip
        rows.append(
            Row((assessment.unit(r["unit"]), words, assessment.say("stability", at, "sign_agreement", "share"),
                 mark_words(r["mark"])))
        )  # fmt: skip
    picture = draw_lines(
        "sna-domains", lines, title="By how much places typically differ, by domain of conditions",
        unit="times the average place", start=1.0,
    )  # fmt: skip
    table = HtmlTable(
        "sna-domains-table", "Domains of conditions, the strongest first",
        [Heading("Domain"), Heading("Places differ typically by", number=True),
         Heading("Refits that point the same way", number=True), Heading("How sure")], rows, page=0,
    )  # fmt: skip
    return Section(
        "conditions", heading, [_NOTE, *_sentences(assessment)], small=[picture], tables=[table],
        parts=[_by_stage(assessment)],
    )  # fmt: skip


def _sentences(assessment: Assessment) -> list[str]:
    """Which single conditions are stable, in both directions."""
    found: dict[str, list[str]] = {"higher": [], "lower": []}
    factors = _found(assessment)
    for _, row in stable_clusters(assessment):
        first = row["members"].split("; ")[0]
        if factors.get(first) in found:
            found[factors[first]].append(_named(assessment, row["members"]))
    if not any(found.values()):
        return ["No single condition stays the same when places and months are drawn again, so none is named."]
    return [
        f"Found with {side} recorded violence where they are higher: {_apart(names)}."
        for side, names in found.items()
        if names
    ]


def _found(assessment: Assessment) -> dict[str, str]:
    held = assessment.book.tables["stability"]
    factors = held[held["kind"] == "factor"]
    return {str(unit): str(found) for unit, found in zip(factors["unit"], factors["found"], strict=True)}


def _named(assessment: Assessment, members: str) -> str:
    words = cluster_words(members, assessment.titles)
    return bare(words[:1].lower() + words[1:] if not words[1:2].isupper() else words)


def _apart(names: Sequence[str]) -> str:
    """Names in a row; apart by semicolons where one of them is several conditions."""
    return "; ".join(names) if any("," in name for name in names) else joined(names)


def _by_stage(assessment: Assessment) -> Section:
    """The stable conditions by the ages they matter at."""
    catalogue = assessment.table("catalogue")
    stages = {} if catalogue is None else dict(zip(catalogue["factor"], catalogue["stage"], strict=True))
    factors = _found(assessment)
    placed: dict[str, dict[str, list[str]]] = {stage: {"higher": [], "lower": []} for stage in STAGES}
    for _, row in stable_clusters(assessment):
        first = row["members"].split("; ")[0]
        side = factors.get(first, "")
        if side in ("higher", "lower"):
            placed[stages.get(first, "all")][side].append(_named(assessment, row["members"]))
    rows = [
        Row((words, _apart(placed[stage]["higher"]) or "none that is stable",
             _apart(placed[stage]["lower"]) or "none that is stable"))
        for stage, words in STAGES.items()
    ]  # fmt: skip
    table = HtmlTable(
        "stages", "Stable conditions by stage of life",
        [Heading("Stage of life"), Heading("Found with higher recorded violence"),
         Heading("Found with lower recorded violence")], rows, page=0,
    )  # fmt: skip
    return Section("stages-part", "By stage of life", tables=[table])


def gaps_section(assessment: Assessment) -> Section:
    """What recording and sources leave out."""
    held = assessment.table("gaps")
    words = [
        "What is not recorded cannot be seen here: violence nobody reported, harm behind closed doors, fear, and what "
        "people do to keep each other safe. Records follow reporting, recording practice and where services look.",
    ]
    missing = assessment.table("history")
    if missing is not None:
        months = {"target": assessment.target.target, "window": "month", "level": "pfa", "months_held": 0}
        count = assessment.book.count("history.missing_months", "history", months)
        words.append(
            f"Months of the force's records that are missing: {count}. A missing month is missing, not nought."
        )
    if held is None:
        return Section("gaps", "What is not known", words)
    rows = [
        Row(
            (
                assessment.unit(str(r["domain"])),
                bare(str(r["title"])),
                bare(str(r["why"])),
                bare(str(r["who_could_supply"])),
            )
        )
        for _, r in held.iterrows()
    ]
    headings = [
        Heading("Domain"),
        Heading("What is wanted"),
        Heading("Why it is not held"),
        Heading("Who could supply it"),
    ]
    table = HtmlTable("gaps-table", "Conditions the assessment wants and does not hold", headings, rows, (0,))
    return Section("gaps", "What is not known", words, tables=[table])
