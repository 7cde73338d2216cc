"""Strengths, conditions, assets and groups of one place: in go its rows, out come sections.

Only what is stable is named; what is too unsure to say is counted. Nothing here says why violence happens.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from riskmodel.explain.thresholds import DO_NOT_NARRATE, STABLE, UNCERTAIN
from riskmodel.narrative.assessment.contents import Assessment
from riskmodel.narrative.assessment.place_rows import Condition, Place
from riskmodel.narrative.assessment.recorded import between_words, units_of, value_words
from riskmodel.narrative.facts.marks import bare, lowered
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.forecast_words import joined
from riskmodel.narrative.model_pictures import Line, draw_lines
from riskmodel.narrative.tables_html import Heading, HtmlTable, Row

__all__ = [
    "ages_sentence",
    "assets_section",
    "conditions_section",
    "groups_section",
    "ledger_sentence",
    "listed",
    "place_sentence",
    "roles_of",
    "strengths_of",
    "strengths_section",
    "strengths_sentence",
    "times_of",
    "total_sentence",
]

_MANY = 8
_CLEARLY = 0.1
"""By how much of the spread of similar districts a value must lie beyond all of them to be named."""
_AGES = "age_band"
_NOTICED = 0.03
"""By how much, as a share, an age band must differ from the force area's to be named."""
_LEDGER = (
    "A condition is in the list of higher, or of lower, recorded violence by how it stands here beside the region's "
    "average place. This is association, from a model that knows conditions alone: it does not say why violence "
    "happens, and it says nothing about the people who live here."
)


@lru_cache(maxsize=1)
def roles_of(assessment: Assessment) -> dict[str, str]:
    """What the catalogue holds each factor to be."""
    held = assessment.table("catalogue")
    return {} if held is None else dict(zip(held["factor"], held["role"], strict=True))


def times_of(assessment: Assessment, condition: Condition) -> str:
    """A multiplier with its interval."""
    middle = assessment.say("ledger", condition.row, "multiplier", "times")
    low, high = (assessment.say("ledger", condition.row, end, "two_decimals") for end in ("low", "high"))
    return f"{middle}, {low} to {high}"


def listed(assessment: Assessment, conditions: Sequence[Condition]) -> str:
    """Conditions with their multipliers, as a sentence lists them."""
    stands = {"": "", "above": "higher here; ", "below": "lower here; "}
    return joined([f"{lowered(c.words)} ({stands[c.stands]}{times_of(assessment, c)})" for c in conditions])


def place_sentence(assessment: Assessment, place: Place) -> str:
    """What kind of place it is, where, and how many live there."""
    within = place.district or bare(assessment.region)
    where = "" if place.name == within else f" in {within}"
    people = (
        f", home to {assessment.say('places', place.row, 'population', 'whole')} people" if place.people > 0 else ""
    )
    return f"{place.name} is a {place.kind}{where}{people}."


def ages_sentence(assessment: Assessment, place: Place) -> str:
    """In which ages it has clearly more, or fewer, residents than the force area."""
    if not len(place.groups):
        return ""
    own = place.groups[place.groups["characteristic"] == _AGES]
    whole = _of_force(assessment)
    found: dict[str, list[str]] = {"more": [], "fewer": []}
    for at, row in own.iterrows():
        there = whole.get((_AGES, str(row["group"])))
        if there is None or not np.isfinite(row["share"] + there[1]) or abs(row["share"] - there[1]) < _NOTICED:
            continue
        shares = [assessment.say("place_groups", a, "share", "share") for a in (at, there[0])]
        side = "more" if row["share"] > there[1] else "fewer"
        found[side].append(f"{bare(str(row['group']).replace('_', ' '))} ({shares[0]}, in the force area {shares[1]})")
    parts = [f"{side} are {joined(names)}" for side, names in found.items() if names]
    if parts:
        return f"Of its residents, {' and '.join(parts)}."
    return "Its ages are much those of the force area." if len(own) else ""


def strengths_sentence(assessment: Assessment, place: Place) -> str:
    """Protective conditions first, then needs that are found with lower recorded violence as they stand here."""
    protective, needs = strengths_of(assessment, place)
    if protective:
        more = f" So are, as they stand here, {listed(assessment, needs)}." if needs else ""
        return f"Held to protect, and found with lower recorded violence here: {listed(assessment, protective)}.{more}"
    if needs:
        return (
            f"As it stands here, found with lower recorded violence: {listed(assessment, needs)}. No condition that is "
            "held to protect is sure enough to name."
        )
    if not len(place.ledger):
        return "No strength data are held for this kind of place."
    return (
        "No strength of this place is sure enough to name from the data held. That is a limit of the data; it does not "
        "mean that there are none."
    )


def strengths_of(assessment: Assessment, place: Place) -> tuple[list[Condition], list[Condition]]:
    """Of the conditions found with lower recorded violence: those held to protect, and needs that are lighter here."""
    roles = roles_of(assessment)
    lower = place.of("lower")
    return tuple([c for c in lower if roles.get(c.factor) == role] for role in ("protective", "risk"))  # type: ignore[return-value]


def strengths_section(assessment: Assessment, place: Place) -> Section:
    """What is strong, and who lives here."""
    words = [place_sentence(assessment, place), ages_sentence(assessment, place), strengths_sentence(assessment, place)]
    words.append(
        "What people do for each other, and the groups and services they trust, are in no table. People who live here "
        "know them."
    )
    beside = _beside_similar(assessment, place)
    if beside:
        words.append("Of what is thought to protect, there is clearly more here than in any district like this one:")
    return Section("strengths", "Strengths, and who lives here", [w for w in words if w], bullets=beside)


def _beside_similar(assessment: Assessment, place: Place) -> list[str]:
    """Protective conditions of which a district has clearly more than every district like it."""
    roles = roles_of(assessment)
    return [
        f"{assessment.unit(str(r['factor']))}: {value_words(assessment, at, r, 'value')}, in similar districts "
        f"{between_words(assessment, at, r)}"
        for at, r in place.compared.iterrows()
        if roles.get(r["factor"]) == "protective"
        and r["value"] - r["similar_high"] > _CLEARLY * (r["similar_high"] - r["similar_low"])
    ]


def total_sentence(assessment: Assessment, place: Place) -> str:
    """All conditions together, and what was recorded beside what such conditions go with."""
    totals = place.ledger[place.ledger["kind"] == "total"] if len(place.ledger) else place.ledger
    if not len(totals):
        return ""
    row = totals.iloc[0]
    at: Any = totals.index[0]
    if row["mark"] != STABLE or row["low"] <= 1 <= row["high"]:
        return "All conditions together cannot be told apart from those of the region's average place."
    middle = assessment.say("ledger", at, "multiplier", "times")
    low, high = (assessment.say("ledger", at, end, "two_decimals") for end in ("low", "high"))
    side = "higher" if row["multiplier"] > 1 else "lower"
    return (
        f"All conditions together are found with {side} recorded violence than those of the region's average place: "
        f"{middle} ({low} to {high})."
    )


def ledger_sentence(assessment: Assessment, place: Place) -> str:
    """How many conditions are left out, and which are as in the average place."""
    if not len(place.ledger):
        return ""
    of = {"location": place.code, "level": place.level, "kind": "cluster", "mark": [UNCERTAIN, DO_NOT_NARRATE]}
    name = f"ledger.unsure.{place.level}.{place.code}"
    count = assessment.book.count(name, "ledger", of)
    near = joined([lowered(c.words) for c in place.of("near")])
    about = f" About as in the average place: {near}." if near else ""
    return f"Left out as too unsure to say: {count} conditions.{about}"


def conditions_section(assessment: Assessment, place: Place) -> Section:
    """Two lists: found with higher, and with lower, recorded violence."""
    heading = "Conditions of this place"
    if not len(place.ledger):
        words = "Conditions are compared for districts and neighbourhoods (MSOAs) only, so no list is held here."
        return Section("conditions", heading, [words])
    tables: list[HtmlTable] = []
    none: list[str] = []
    for side in ("higher", "lower"):
        own = place.of(side)
        if own:
            tables.append(_ledger_table(assessment, side, own))
        else:
            none.append(f"No condition found with {side} recorded violence is sure enough to name here.")
    said = [_LEDGER, total_sentence(assessment, place), *none, ledger_sentence(assessment, place)]
    small = [_picture(assessment, place)] if tables else []
    return Section("conditions", heading, [w for w in said if w], small=small, tables=tables)


def _ledger_table(assessment: Assessment, side: str, conditions: Sequence[Condition]) -> HtmlTable:
    rows = []
    for c in conditions:
        low, high = (assessment.say("ledger", c.row, end, "two_decimals") for end in ("low", "high"))
        rows.append(Row((
            c.words, c.stands, assessment.say("ledger", c.row, "multiplier", "times"), f"{low} to {high}",
            joined(_catalogued(assessment, c, "stage")), joined(_catalogued(assessment, c, "levers")),
        )))  # fmt: skip
    headings = [
        Heading("Condition"), Heading("Here", unit="beside the average place"),
        Heading("Times the average place", number=True),
        Heading("Likely range", number=True, unit="9 in 10"), Heading("Stage of life"), Heading("Who can act"),
    ]  # fmt: skip
    return HtmlTable(f"found-{side}", f"Found with {side} recorded violence", headings, rows, page=0)


def _catalogued(assessment: Assessment, condition: Condition, column: str) -> list[str]:
    """What the catalogue says of the factors that a condition holds."""
    held = assessment.table("catalogue")
    if held is None:
        return []
    values = held.loc[held["factor"].isin(condition.members), column]
    words = dict.fromkeys(word for value in values for word in str(value).split("; "))
    return ["all ages" if word == "all" else word.replace("_", " ") for word in words]


def _picture(assessment: Assessment, place: Place) -> Any:
    lines = [
        Line(assessment.unit(c.factor), c.multiplier, times_of(assessment, c), c.low, c.high)
        for side in ("higher", "lower")
        for c in place.of(side)
    ]
    title = "Stable conditions beside the region's average place"
    return draw_lines("stable", lines, title=title, unit="times the average place", start=1.0)


def assets_section(assessment: Assessment, place: Place) -> Section:
    """Protective conditions as values, and what nobody holds."""
    words, tables = [], []
    catalogue = assessment.table("catalogue")
    if len(place.compared) and catalogue is not None:
        protective = catalogue.loc[catalogue["role"] == "protective", "factor"]
        own = place.compared[place.compared["factor"].isin(set(protective))]
        if len(own):
            tables.append(_assets_table(assessment, own))
            words.append(_about_assets(assessment, place))
    if not tables:
        words.append(
            f"Values of single protective conditions are held for districts; {place.district} has them on its page."
            if place.district and assessment.table("compared") is not None
            else "No value of a protective condition is held for this place."
        )
    return Section("assets", "Assets", [*words, *_missing(assessment)], tables=tables)


def _about_assets(assessment: Assessment, place: Place) -> str:
    opening = "These are conditions that are held to protect, with their values here and elsewhere."
    if any(roles_of(assessment).get(c.factor) == "protective" for c in place.conditions):
        return opening
    return f"{opening} In this run none of them is sure enough to be named as found with lower recorded violence."


def _assets_table(assessment: Assessment, own: Any) -> HtmlTable:
    units = units_of(assessment)
    rows = [
        Row((assessment.unit(str(r["factor"])), units.get(str(r["factor"]), ""),
             *(value_words(assessment, at, r, column) for column in ("value", "force", "similar")),
             between_words(assessment, at, r), value_words(assessment, at, r, "country")))
        for at, r in own.iterrows()
    ]  # fmt: skip
    headings = [
        Heading("Protective condition"), Heading("Measured as"), Heading("Here", number=True),
        Heading("Force area", number=True),
        Heading("Similar districts", number=True, unit="middle"),
        Heading("Similar districts", number=True, unit="least to greatest"), Heading("England", number=True),
    ]  # fmt: skip
    return HtmlTable("assets-table", "Protective conditions beside other places", headings, rows, page=0)


def _missing(assessment: Assessment) -> list[str]:
    held = assessment.table("gaps")
    if held is None:
        return []
    first = held.drop_duplicates("domain")["title"]
    count = assessment.book.count("gaps.all", "gaps", {"gap": [str(g) for g in held["gap"]]})
    named = joined([bare(lowered(str(title))) for title in first])
    return [
        f"What the assessment wants to know of every place and no source held says: {count} things, such as {named}. "
        "The pages of partners say who could supply them."
    ]


def groups_section(assessment: Assessment, place: Place) -> Section:
    """Who lives here by the characteristics that the audit asks about."""
    heading = "Groups"
    limits = (
        "A forecast of totals cannot be judged on sex or disability: women, men and disabled people live everywhere, "
        "and only records by group could show a difference between them."
    )
    own = place.groups
    audited = [name for name in assessment.policy.characteristics if len(own) and (own["characteristic"] == name).any()]
    if not audited:
        return Section("groups", heading, ["No count of groups is held for this place.", limits])
    whole = _of_force(assessment)
    plain: list[Row] = []
    fine: list[Row] = []
    for name in audited:
        rows = own[own["characteristic"] == name]
        order = _order_of(assessment, name)
        rows = rows.loc[rows["group"].astype("str").map(order).fillna(len(order)).sort_values(kind="stable").index]
        made = [_group_row(assessment, at, r, whole) for at, r in rows.iterrows()]
        (plain if len(made) <= _MANY else fine).extend(made)
    note = "Census counts are public; none of them is a count of anybody affected by violence."
    caption = "Who lives here, by the groups that the audit asks about"
    headings = [
        Heading("Group"), Heading("By"), Heading("Residents", number=True), Heading("Share here", number=True),
        Heading("Share in the force area", number=True), Heading("Counted in"),
    ]  # fmt: skip
    tables = [HtmlTable("groups-table", caption, headings, plain, note=note, page=0)] if plain else []
    if fine:
        tables.append(HtmlTable("groups-fine", "The same in finer groups", headings, fine, folded=True, page=0))
    return Section("groups", heading, [limits], tables=tables)


def _order_of(assessment: Assessment, characteristic: str) -> dict[str, int]:
    """Where each group stands in the file that declares the characteristic."""
    spec = assessment.characteristics.get(characteristic)
    return {} if spec is None else {name: number for number, name in enumerate(spec.names)}


def _group_row(assessment: Assessment, at: Any, row: Any, whole: dict[tuple[str, str], tuple[int, float]]) -> Row:
    there = whole.get((str(row["characteristic"]), str(row["group"])))
    return Row((
        assessment.group(str(row["characteristic"]), str(row["group"])),
        assessment.characteristic(str(row["characteristic"])),
        assessment.say("place_groups", at, "people", "whole"), assessment.say("place_groups", at, "share", "percent"),
        "" if there is None else assessment.say("place_groups", there[0], "share", "percent"), bare(str(row["period"])),
    ))  # fmt: skip


@lru_cache(maxsize=1)
def _of_force(assessment: Assessment) -> dict[tuple[str, str], tuple[int, float]]:
    """Row and share of each group in the force area."""
    held = assessment.table("place_groups")
    if held is None:
        return {}
    own = held[held["level"] == "pfa"]
    columns = zip(own["characteristic"], own["group"], own.index, own["share"], strict=True)
    return {(str(a), str(b)): (int(at), float(share)) for a, b, at, share in columns}
