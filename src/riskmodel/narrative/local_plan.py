"""``local_plan/<code>.docx``: what a run found for one place, set out so that partners can write down what they do.

In: an assessment and a place. Out: a Word document, one row a finding. What no run can know is left to be completed,
and says so. A run never chooses an approach: it shows what people keep on approaches to the conditions it found.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodel.contracts.approach_specs import ApproachSpec
from riskmodel.contracts.tables import TableError
from riskmodel.explain.thresholds import STABLE
from riskmodel.narrative.assessment.conditions import STAGES
from riskmodel.narrative.assessment.contents import TO_BE_COMPLETED, Assessment
from riskmodel.narrative.assessment.place_rows import Condition, condition_of
from riskmodel.narrative.assessment.recorded import value_form
from riskmodel.narrative.facts.marks import as_plain, fact_ids
from riskmodel.narrative.forecast_words import period_words
from riskmodel.narrative.model_words import cluster_words, unit_words
from riskmodel.narrative.word_documents import (
    add_heading,
    add_link,
    add_table,
    new_document,
    save_document,
    write_words,
)
from riskmodel.narrative.workbook_text import LEVEL_NAMES, day_words

if TYPE_CHECKING:
    from docx.document import Document

__all__ = ["write_local_plan"]

_HEADINGS = (
    "Finding", "Factor", "Stage of life", "Prevention level", "Approach and its evidence", "Owner", "Action",
    "Measure and baseline", "Review date", "Evaluation",
)  # fmt: skip
_WIDTHS = (42.0, 25.0, 17.0, 25.0, 35.0, 25.0, 25.0, 27.0, 25.0, 25.0)
_APPROACH, _SIZE = 4, 8.0
_LINES = {
    _HEADINGS[3]: "primary, secondary or tertiary", _HEADINGS[5]: "who answers for it",
    _HEADINGS[6]: "what is done, from when", _HEADINGS[8]: "a day",
    _HEADINGS[9]: "how it is told whether this helped, and whom",
}  # fmt: skip
_USE = (
    "Each row is one finding of the run for this place. Decide together, with those who live there, whether to act on "
    "it; leaving a row out is a decision too.",
    "Shaded cells are for people to fill in. No run can know them.",
    "Primary prevention acts before anything happens, secondary at first signs, tertiary after harm.",
    "A figure in square brackets, such as [1], leads to the last table, which names the number's id. The file "
    "facts.json of the bundle says which table and cell it is from, and riskmodel verify works it out again.",
    "A condition found with recorded violence is an association between places. Changing the condition need not change "
    "what is recorded: evaluate before more is done.",
    "Recorded violence is not all violence. More records can mean that more people report.",
)
_NOT_FOR = (
    "This plan is about a place and its conditions, never about a person or a group of people. It is not for "
    "enforcement, and no measure of the police or of a partner."
)
_NO_FACTOR = "does not apply"
_AS_FIRST = "Recorded violence: as in the first row."
_NO_APPROACH = "no approach is kept for this factor yet"


@dataclass(frozen=True)
class _Place:
    """A place, and the one whose conditions are told for it: its own, or its district's."""

    level: str
    code: str
    name: str
    told_level: str = ""
    told_code: str = ""
    told_name: str = ""


@dataclass
class _Notes:
    """The numbers of one plan: each is said with its note, and the last table says which fact it is."""

    assessment: Assessment
    said: dict[str, str] = field(default_factory=dict)

    def say(self, table: str, at: Any, column: str, form: str) -> str:
        marked = self.assessment.say(table, at, column, form)
        words, (fact_id,) = as_plain(marked), fact_ids(marked)
        self.said.setdefault(fact_id, words)
        return f"{words} [{list(self.said).index(fact_id) + 1}]"


@dataclass(frozen=True)
class _Finding:
    words: str
    factors: tuple[str, ...]
    measure: str


def write_local_plan(path: Path, assessment: Assessment, level: str, code: str) -> None:
    """Write the plan of one place; its numbers join the assessment's book of facts.

    Parameters
    ----------
    path : Path
        A .docx; the same assessment and place give the same bytes.
    assessment : Assessment
    level, code : str
        The place, as the table ``places`` has it. Its conditions are its own where the run's ledger holds them, else
        its district's, and the plan says which.

    Raises
    ------
    TableError
        If the run has no such place.
    """
    place = _place(assessment, level, code)
    document = new_document(
        title=f"Local plan for {place.name}",
        state=as_plain(assessment.state),
        foot=f"Local plan for {place.name}. Run {assessment.run_id}, as of {day_words(assessment.as_of)}.",
        as_of=assessment.as_of,
        landscape=True,
    )
    add_heading(document, f"Local plan for {place.name}", 0)
    about = (
        f"{LEVEL_NAMES[level]} {code}, {as_plain(assessment.region)}. A template, filled in from run "
        f"{assessment.run_id} as of {day_words(assessment.as_of)}; {TO_BE_COMPLETED} stands wherever people decide."
    )
    write_words(document.add_paragraph(), about)
    if assessment.invented:
        words = f"{as_plain(assessment.region)} is an invented region, to show what a plan looks like."
        write_words(document.add_paragraph(), words, bold=True)
    add_heading(document, "How to use this plan", 1)
    for words in (*_USE, _NOT_FOR):
        write_words(document.add_paragraph(style="List Bullet"), words)
    add_heading(document, "Findings, and what partners decide", 1)
    notes = _Notes(assessment)
    _add_findings(document, notes, place)
    add_heading(document, "Agreed by", 1)
    asked = ("Partner", "Name and role", "Date")
    add_table(document, asked, [[TO_BE_COMPLETED] * 3] * 3, caption="Who agrees to this plan", asked=TO_BE_COMPLETED)
    add_heading(document, "Where the numbers are from", 1)
    rows = [[f"[{n}]", words, fact_id] for n, (fact_id, words) in enumerate(notes.said.items(), 1)]
    headings = ("Note", "Number", "Id in facts.json")
    add_table(document, headings, rows, caption="The numbers of this plan", widths=(15.0, 35.0, 90.0), numbers=(1,))
    save_document(document, path)


def _place(assessment: Assessment, level: str, code: str) -> _Place:
    """The place with the one whose conditions are told."""
    places = assessment.book.tables["places"]
    names = {(a, b): str(c) for a, b, c in places[["level", "location", "name"]].itertuples(index=False)}
    if (level, code) not in names:
        raise TableError("the run has no such place", where=f"{level} {code}")
    ledger = assessment.table("ledger")
    held = set() if ledger is None else set(zip(ledger["level"], ledger["location"], strict=True))
    told = [(level, code), *(("lad24", district) for district in _districts(assessment, level, code))]
    found = [place for place in told if place in held]
    # Several districts have several ledgers: none of them is the place's.
    if not found or (found[0] != (level, code) and len(found) > 1):
        return _Place(level, code, names[level, code])
    return _Place(level, code, names[level, code], *found[0], names.get(found[0], found[0][1]))


def _districts(assessment: Assessment, level: str, code: str) -> list[str]:
    areas = assessment.table("areas")
    column = "location" if level == "lsoa21" else level
    if areas is None or column not in areas:
        return []
    return sorted(areas.loc[areas[column] == code, "lad24"].dropna().astype("str").unique())


def _add_findings(document: Document, notes: _Notes, place: _Place) -> None:
    assessment = notes.assessment
    findings = [_recorded(notes, place)]
    conditions = _conditions(notes, place)
    if not conditions:
        words = (
            "No single condition stays the same here when places and months are drawn again, so none is named."
            if place.told_code
            else "The run holds no conditions for a place of this size. The plans of its districts have them."
        )
        write_words(document.add_paragraph(), words)
    findings += conditions
    approaches = [_approaches(assessment, finding.factors) for finding in findings]
    rows = [_row(assessment, finding, bool(kept)) for finding, kept in zip(findings, approaches, strict=True)]
    cells = add_table(
        document, _HEADINGS, rows, caption=f"Findings for {place.name}, one a row", widths=_WIDTHS, size=_SIZE,
        asked=TO_BE_COMPLETED,
    )  # fmt: skip
    for row, kept in zip(cells, approaches, strict=True):
        for number, approach in enumerate(kept):
            cell = row[_APPROACH]
            _add_approach(cell.paragraphs[0] if number == 0 else cell.add_paragraph(), approach)


def _row(assessment: Assessment, finding: _Finding, approached: bool) -> list[str]:
    catalogue = assessment.table("catalogue")
    stages = {} if catalogue is None else dict(zip(catalogue["factor"], catalogue["stage"], strict=True))
    ages = dict.fromkeys(STAGES[stages[name]] for name in finding.factors if name in stages)
    known = {
        "Finding": finding.words,
        "Factor": "\n".join(unit_words(name, assessment.titles) for name in finding.factors) or _NO_FACTOR,
        "Stage of life": "\n".join(ages) or (TO_BE_COMPLETED if finding.factors else _NO_FACTOR),
        _HEADINGS[_APPROACH]: "" if approached else TO_BE_COMPLETED + (f": {_NO_APPROACH}" if finding.factors else ""),
        "Measure and baseline": finding.measure,
    }
    return [known.get(name, f"{TO_BE_COMPLETED}: {_LINES.get(name, '')}") for name in _HEADINGS]


def _recorded(notes: _Notes, place: _Place) -> _Finding:
    """What was recorded in the newest twelve months, and what is expected in the next."""
    words = (
        f"{as_plain(notes.assessment.target.title)}: what was recorded here, and the range expected in the next 12 "
        "months, stand under measure and baseline. Records are not all violence."
    )
    return _Finding(words, (), _baseline(notes, place))


def _baseline(notes: _Notes, place: _Place) -> str:
    """The newest twelve months recorded, and the range of the next twelve."""
    assessment = notes.assessment
    target, sentences = assessment.target.target, []
    history, outlook = assessment.table("history"), assessment.table("outlook")
    if history is not None:
        years = _year(history, place, target)
        years = years[years["months_held"] == years["months_of"]].sort_values("end", kind="stable")
        for at, row in years.tail(1).iterrows():
            count = notes.say("history", at, "recorded", "recorded")
            sentences.append(f"Recorded, {period_words(row['start'].date(), row['end'].date())}: {count}.")
    if outlook is not None:
        for at, row in _year(outlook, place, target).iterrows():
            low, high = (notes.say("outlook", at, end, "expected") for end in ("low", "high"))
            span = period_words(row["start"].date(), row["end"].date())
            sentences.append(f"Expected nine times in ten, {span}: {low} to {high}.")
    return "\n".join(sentences) or TO_BE_COMPLETED


def _year(table: Any, place: _Place, target: str) -> Any:
    of_place = (table["level"] == place.level) & (table["location"] == place.code)
    return table[of_place & (table["target"] == target) & (table["window"] == "12_months")]


def _conditions(notes: _Notes, place: _Place) -> list[_Finding]:
    """Stable clusters of the place's ledger: first those found with higher, then those with lower recorded violence."""
    ledger = notes.assessment.table("ledger")
    if ledger is None or not place.told_code:
        return []
    of_place = (ledger["level"] == place.told_level) & (ledger["location"] == place.told_code)
    rows = ledger[of_place & (ledger["kind"] == "cluster") & (ledger["mark"] == STABLE)]
    held = [(condition_of(notes.assessment, at, row), row) for at, row in rows.iterrows()]
    told = [(c, row) for c, row in held if c.side != "near"]
    told.sort(key=lambda pair: (pair[0].side != "higher", -abs(math.log(pair[0].multiplier)), pair[0].factor))
    return [_condition(notes, place, c, row) for c, row in told]


def _condition(notes: _Notes, place: _Place, condition: Condition, row: Any) -> _Finding:
    own = place.told_code == place.code
    where = "here" if own else f"in the district, {place.told_name}"
    times = notes.say("ledger", condition.row, "multiplier", "times")
    low, high = (notes.say("ledger", condition.row, end, "two_decimals") for end in ("low", "high"))
    stands = f", {condition.stands} the region's average" if condition.stands else ""
    words = (
        f"{cluster_words(row['members'], notes.assessment.titles)}. Where this is as it is {where}{stands}, "
        f"{condition.side} recorded violence is found: {times} that of the region's average place, range {low} to "
        f"{high}. An association; it does not say why."
    )
    factors = tuple(name for name in row["members"].split("; ") if name)
    return _Finding(words, factors, "\n".join([*_values(notes, place, factors), _AS_FIRST]))


def _values(notes: _Notes, place: _Place, factors: tuple[str, ...]) -> list[str]:
    """The conditions as the district has them, where a source gives them."""
    assessment = notes.assessment
    compared, catalogue = assessment.table("compared"), assessment.table("catalogue")
    if compared is None or catalogue is None:
        return []
    units = dict(zip(catalogue["factor"], catalogue["unit"], strict=True))
    rows = compared[(compared["location"] == place.told_code) & compared["factor"].isin(factors)]
    return [
        f"{unit_words(row['factor'], assessment.titles)} ({units.get(row['factor'], '')}), {row['period']}: "
        f"{notes.say('compared', at, 'value', value_form(float(row['value'])))}."
        for at, row in rows.dropna(subset=["value"]).iterrows()
    ]


def _approaches(assessment: Assessment, factors: tuple[str, ...]) -> list[ApproachSpec]:
    """What the workspace keeps on approaches to any of the conditions, by file name."""
    return [
        approach
        for _, approach in sorted(assessment.approaches.items())
        if not set(factors).isdisjoint(approach.factors)
    ]


def _add_approach(paragraph: Any, approach: ApproachSpec) -> None:
    words = f"{approach.title} ({approach.prevention_level} prevention): {approach.summary.strip()} "
    rated = approach.evidence_rating
    write_words(paragraph, f"{words}Evidence: {rated}{'' if rated == 'not rated' else ', as rated'} by ", size=_SIZE)
    add_link(paragraph, approach.source, approach.link, size=_SIZE)
    write_words(paragraph, f"; looked up on {day_words(approach.looked_up)}.", size=_SIZE)
