"""The page of one partner: in go an assessment and a lever, out comes what is sure enough for that partner to act on.

Few conditions are, and where none is, the page says so. It recommends nothing: it says what was found, where, on what
evidence a condition is in the catalogue, and what the partner could add to what is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from riskmodel.contracts.specs import Lever
from riskmodel.contracts.tables import TableError
from riskmodel.explain.thresholds import STABLE
from riskmodel.narrative.assessment.closing import not_for_section
from riskmodel.narrative.assessment.contents import Assessment
from riskmodel.narrative.assessment.place import inner_page
from riskmodel.narrative.assessment.place_rows import condition_of
from riskmodel.narrative.facts.marks import bare, lowered
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.forecast_words import joined
from riskmodel.narrative.model_words import cluster_words, mark_words
from riskmodel.narrative.tables_html import Heading, HtmlTable, Row

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LEVERS", "PARTNERS", "build_partner_page", "partner_file"]

LEVERS: tuple[str, ...] = get_args(Lever)
"""Every partner that a factor can name."""
PARTNERS = {
    "council": "Councils", "education": "Schools and education", "health": "Health services", "housing": "Housing",
    "police": "Police", "youth_justice": "Youth justice", "community": "Community groups",
}  # fmt: skip
"""Each partner as its page is headed."""
_STAGES = {
    "early_years": "early years", "school_age": "school age", "youth": "youth", "adulthood": "adulthood",
    "all": "all ages",
}  # fmt: skip
_ROLES = {
    "risk": "A need: it is expected to go with more recorded violence.",
    "protective": "A strength: it is held to protect.",
    "context": "A feature of places, neither a need nor a strength.",
}
_NOTE = (
    "Named is only what stays the same when places and months are drawn again. These are associations between places: "
    "they do not say why violence happens, and changing a condition need not change what is recorded. Each is found "
    "with the others as they are; by itself it may go the other way."
)


def partner_file(lever: str) -> str:
    """The file of a partner's page."""
    return f"{lever}.html"


def build_partner_page(assessment: Assessment, lever: str) -> str:
    """One partner's page.

    Parameters
    ----------
    assessment : Assessment
    lever : str
        One of ``LEVERS``.

    Returns
    -------
    str
        The page, for a folder below the bundle's own.

    Raises
    ------
    TableError
        If there is no such lever, or the page would show a number that is no fact.
    """
    if lever not in LEVERS:
        raise TableError("no such partner", found=lever, allowed=list(LEVERS))
    known = _catalogued(assessment, lever)
    found = _found(assessment, known)
    sections = [
        _summary(assessment, lever, known, found),
        _factors_section(assessment, known, found),
        _gaps_section(assessment, lever),
        _questions_section(assessment, lever, found),
        not_for_section(assessment),
    ]
    return inner_page(assessment, f"{PARTNERS[lever]}: what was found, and what is not known", sections)


def _catalogued(assessment: Assessment, lever: str) -> pd.DataFrame | None:
    """The catalogue's rows that name the partner; None where the run has no catalogue."""
    held = assessment.table("catalogue")
    if held is None:
        return None
    return held[[lever in str(levers).split("; ") for levers in held["levers"]]]


def _found(assessment: Assessment, known: pd.DataFrame | None) -> list[tuple[int, dict[str, Any]]]:
    """Stable conditions that hold a factor of the partner, the strongest first, each with its row in ``stability``."""
    held = assessment.table("stability")
    if held is None or known is None:
        return []
    own = set(known["factor"])
    rows = held[(held["kind"] == "cluster") & (held["mark"] == STABLE)].sort_values("rank", kind="stable")
    records = [{str(k): v for k, v in row.items()} for row in rows.to_dict("records")]
    pairs = zip(rows.index, records, strict=True)
    return [(int(at), row) for at, row in pairs if own.intersection(str(row["members"]).split("; "))]


def _summary(
    assessment: Assessment, lever: str, known: pd.DataFrame | None, found: list[tuple[int, dict[str, Any]]]
) -> Section:
    heading = "In brief"
    if known is None or assessment.table("stability") is None:
        return Section(
            "brief", heading, ["This run has no model of conditions, so nothing is established."], lead=True, alone=True
        )
    book = assessment.book
    levers = sorted({str(levers) for levers in known["levers"]})
    total = book.count(f"catalogue.{lever}", "catalogue", {"levers": levers})
    used = book.count(
        f"catalogue.{lever}.used", "catalogue", {"levers": levers, "used_in": ["conditions", "forecast; conditions"]}
    )
    opening = f"The catalogue names {total} conditions that this partner can act on. "
    in_use = known["used_in"].fillna("").str.contains("conditions").any()
    opening += (
        f"The model of conditions uses {used} of them." if in_use else "The model of conditions uses none of them."
    )
    if not found:
        words = f"{opening} None established: nothing is sure enough to be named."
        points = [("What that means", "It is a limit of these data, and no sign that this partner matters less.")]
        return Section("brief", heading, [words], lead=True, alone=True, points=points)
    units = [str(row["unit"]) for _, row in found]
    count = book.count(
        f"stability.{lever}", "stability", {"kind": "cluster", "mark": STABLE, "unit": units}
    )  # fmt: skip
    named = joined([lowered(_words(assessment, row)) for _, row in found])
    words = f"{opening} Sure enough to be named: {count}. {named[:1].upper()}{named[1:]}."
    points = [("How to read it", _NOTE), ("Where the decision stands", assessment.decision)]
    return Section("brief", heading, [words], lead=True, alone=True, points=points)


def _words(assessment: Assessment, row: dict[str, Any]) -> str:
    return bare(cluster_words(str(row["members"]), assessment.titles))


def _factors_section(
    assessment: Assessment, known: pd.DataFrame | None, found: list[tuple[int, dict[str, Any]]]
) -> Section:
    heading = "Conditions that are sure enough to name"
    if known is None or not found:
        return Section("factors", heading, ["None established."])
    parts = [_factor_part(assessment, known, number, at, row) for number, (at, row) in enumerate(found, start=1)]
    return Section("factors", heading, parts=parts)


def _factor_part(assessment: Assessment, known: pd.DataFrame, number: int, at: int, row: dict[str, Any]) -> Section:
    members = str(row["members"]).split("; ")
    own = known[known["factor"].isin(members)]
    points = [("What was found", _what(assessment, at, row))]
    for _, factor in own.iterrows():
        title = assessment.unit(str(factor["factor"]))
        evidence = f"{_ROLES.get(str(factor['role']), '')} {_evidence(str(factor['evidence']))}"
        points.append((title if len(own) > 1 else "Why it is in the catalogue", evidence))
        if isinstance(factor["caveat"], str) and factor["caveat"]:
            points.append(("What to know when reading it", bare(factor["caveat"])))
    points.append(
        ("Stage of life", joined(list(dict.fromkeys(_STAGES.get(str(s), bare(str(s))) for s in own["stage"]))))
    )
    where = _where(assessment, number, row)
    return Section(f"factor-{number}", _words(assessment, row), points=points, tables=[where] if where else [])


def _evidence(words: str) -> str:
    """The catalogue's line of evidence as a sentence."""
    return bare(f"What to expect is {words}" if words.startswith("unclear") else words)


def _what(assessment: Assessment, at: int, row: dict[str, Any]) -> str:
    held = assessment.book.tables["stability"]
    factors = held[(held["kind"] == "factor") & (held["unit"] == str(row["members"]).split("; ")[0])]
    side = str(factors["found"].iloc[0]) if len(factors) else ""
    opening = (
        f"Where it is higher, it is found with {side} recorded violence."
        if side in ("higher", "lower")
        else "It is found with higher recorded violence in some places and with lower in others."
    )
    if len(factors) and factors["direction"].iloc[0] == "counter to expectation":
        opening += " That is counter to what the catalogue expects."
    times = assessment.say("stability", at, "multiplier", "times")
    agree = assessment.say("stability", at, "sign_agreement", "share")
    return (
        f"{opening} By it, places typically differ from the average by {times}; {agree} of refits point the same way."
    )


def _where(assessment: Assessment, number: int, row: dict[str, Any]) -> HtmlTable | None:
    """The districts by name, with their multipliers."""
    held = assessment.table("ledger")
    if held is None:
        return None
    own = held[(held["level"] == "lad24") & (held["kind"] == "cluster") & (held["unit"] == row["unit"])]
    places = assessment.book.tables["places"]
    names = dict(zip(places["location"], places["name"], strict=True))
    found = [(bare(str(names.get(r["location"], r["location"]))), r["mark"], condition_of(assessment, at, r))
             for at, r in own.iterrows()]  # fmt: skip
    made = [
        Row((name, assessment.say("ledger", c.row, "multiplier", "times"), _between(assessment, c.row),
             f"{c.side} recorded violence" if c.side != "near" else "about as in the average place", mark_words(mark)))
        for name, mark, c in sorted(found, key=lambda f: (f[0], f[2].row))
    ]  # fmt: skip
    headings = [
        Heading("District"), Heading("Times the average place", number=True),
        Heading("Likely range", number=True, unit="9 in 10"), Heading("As it stands there, found with"),
        Heading("How sure"),
    ]  # fmt: skip
    caption = f"{_words(assessment, row)}: where, by district"
    return HtmlTable(f"where-{number}", caption, headings, made, page=0) if made else None


def _between(assessment: Assessment, at: int) -> str:
    return " to ".join(assessment.say("ledger", at, end, "two_decimals") for end in ("low", "high"))


def _gaps_of(assessment: Assessment, lever: str) -> pd.DataFrame | None:
    """The gaps that name the partner; None where there is none."""
    held = assessment.table("gaps")
    if held is None:
        return None
    own = held[[lever in str(levers).split("; ") for levers in held["levers"].fillna("")]]
    return own if len(own) else None


def _gaps_section(assessment: Assessment, lever: str) -> Section:
    own = _gaps_of(assessment, lever)
    heading = "What nobody holds yet"
    if own is None:
        return Section("gaps", heading, ["No gap that is listed names this partner; index.html lists them all."])
    rows = [
        Row((bare(str(r["title"])), assessment.unit(str(r["domain"])), bare(str(r["why"])),
             bare(str(r["who_could_supply"]))))
        for _, r in own.iterrows()
    ]  # fmt: skip
    headings = [
        Heading("What is wanted"), Heading("Domain"), Heading("Why it is not held"), Heading("Who could supply it"),
    ]  # fmt: skip
    table = HtmlTable("gaps-table", "Wanted, and this partner may hold it or help to get it", headings, rows, page=0)
    words = "What is wanted is counts for places, under an agreement; never records of people."
    return Section("gaps", heading, [words], tables=[table])


def _questions_section(assessment: Assessment, lever: str, found: list[tuple[int, dict[str, Any]]]) -> Section:
    asked = [
        f"{_words(assessment, row)}: does this fit what your service sees, and in which districts does it not?"
        for _, row in found
    ]
    if not found:
        asked.append(
            "None of the conditions you can act on is sure enough to name. What do you know that no table here holds?"
        )
    if _gaps_of(assessment, lever) is not None:
        asked.append(
            "Which of the things that nobody holds could you supply, for which places, and under what agreement?"
        )
    asked += [
        "What do you do already that protects, and how would you know that it does?",
        "Who is never seen by your service, and who could reach them?",
        *(
            ["Records follow reporting and where police look. What would records of other partners show?"]
            if lever == "police"
            else ["What would the people you serve say of these findings before anything is planned?"]
        ),
    ]
    return Section("questions", "Questions", ["These are questions, not recommendations."], bullets=asked)
