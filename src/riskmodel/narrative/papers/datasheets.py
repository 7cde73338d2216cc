"""A datasheet for each source (after Gebru and others 2021): what it is, how it is used here, and what is not known.

In: the papers' contents. Out: one text a source. What its definition and the run's tables say stands there; questions
that only the publisher or the owner can answer are listed as open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskmodel.contracts.source_specs import FileSpec, LagRule, SourceSpec
from riskmodel.narrative.papers.contents import Papers
from riskmodel.narrative.papers.markdown import (
    TO_BE_COMPLETED,
    bullets,
    number,
    opening,
    page,
    plain,
    section,
    sentence,
    table,
)
from riskmodel.narrative.workbook_text import day_words

if TYPE_CHECKING:
    pass

__all__ = ["datasheet_md"]

_PURPOSE = (
    "What this is for: to know a data set before relying on it. Filled from its definition in this workspace and from "
    "the run; open questions are for its publisher and for whoever answers for its use."
)
_OPEN = (
    "Motivation: who paid for it, and for what was it first collected?",
    "Composition: who is missing from it, and does that differ between groups of people?",
    "Collection: were the people concerned told or asked, and was the ethics of it reviewed?",
    "Distribution: may what is made from it be handed on, beyond what the licence says?",
    "Maintenance: who tells us when it is corrected, changed or stopped?",
)


def datasheet_md(papers: Papers, name: str) -> str:
    """The datasheet of one source.

    Parameters
    ----------
    papers : Papers
    name : str
        A name among ``papers.sources``.
    """
    spec = papers.sources[name]
    uses = papers.measures_of(name)
    return page(
        [
            *opening(papers, f"Datasheet: {spec.title}", _PURPOSE),
            section("Motivation and publisher", table(["What", "Entry"], _identity(name, spec))),
            section("Composition", _composition(papers, name, spec, uses)),
            section("Collection", f"When it could be known: {plain(spec.evidence)}", plain(spec.notes)),
            section("Preparation: what each rule met", *_quality(papers, name, uses)),
            section("Uses in this run", _uses(spec, uses), _caveats(papers, name)),
            section("Distribution and footing", _footing(spec)),
            section("Limits", bullets(_limits(spec))),
            section("Open questions", bullets(_OPEN), f"**{TO_BE_COMPLETED}: what is learned of each**"),
        ]
    )


def _identity(name: str, spec: SourceSpec) -> list[list[str]]:
    return [
        ["Name here", name],
        ["Publisher", spec.publisher],
        ["Licence", spec.licence],
        ["Read by", spec.reader],
        ["Sensitivity", spec.sensitivity],
        ["Serves as", "frame: codes and outlines of places, seen with hindsight" if spec.frame else "data"],
    ]


def _composition(papers: Papers, name: str, spec: SourceSpec, uses: dict[str, list[str]]) -> str:
    held = papers.table("quality")
    read = held[(held["source"] == name) & held["file"].notna() & (held["file"] != "")]
    lines = []
    for role, file in spec.files.items():
        used = f"{len(set(file.measures) & set(uses))} of {len(file.measures)}"
        lines.append([role, file.path, _period(file), file.level, _known_from(file), used])
    files = table(["Table", "File", "Period", "By", "Known from", "Measures used"], lines)
    count = read["file"].nunique()
    return f"{files}\n\nPublished files read in this run: {count}." if count else files


def _period(file: FileSpec) -> str:
    if file.monthly:
        return "one file a month"
    return file.period or "in the table"


def _known_from(file: FileSpec) -> str:
    if isinstance(file.published, LagRule):
        return f"first day of the month {file.published.lag_months} after its own"
    return day_words(file.published)


def _quality(papers: Papers, name: str, uses: dict[str, list[str]]) -> list[str]:
    """Rows by rule and measure, summed over files and periods, for the measures used and for all together."""
    held = papers.table("quality")
    mine = held[(held["source"] == name) & held["measure"].isin(["all", *uses])]
    if not len(mine):
        return ["No rule is counted for this source in tables/quality.csv of this run."]
    summed = mine.pivot_table(index="measure", columns="rule", values="rows", aggfunc="sum", sort=True)
    lines = [
        [str(measure), *(_count(value) for value in row)]
        for measure, row in zip(summed.index, summed.to_numpy(), strict=True)
    ]
    notes = mine.dropna(subset=["note"]).drop_duplicates("rule").set_index("rule")["note"]
    meaning = [f"{rule}: {notes[rule]}" for rule in summed.columns if rule in notes.index and notes[rule]]
    return [table(["Measure", *map(str, summed.columns)], lines), bullets(meaning)]  # fmt: skip


def _count(value: float) -> str:
    return "" if value != value else f"{value:,.0f}"


def _uses(spec: SourceSpec, uses: dict[str, list[str]]) -> str:
    if not uses:
        return "None of its measures is a target, a model input or a group of the audit."
    police = set(spec.police_generated)
    lines = [[measure, "; ".join(said), "yes" if measure in police else "no"] for measure, said in uses.items()]
    return table(["Measure", "Used for", "Follows police activity"], lines)


def _caveats(papers: Papers, name: str) -> str:
    said = [
        f"{factor.title}: {factor.caveat}"
        for factor in papers.used_factors.values()
        if factor.source == name and factor.caveat
    ]
    return f"Caveats of the factors made of it:\n\n{bullets(said)}" if said else ""  # fmt: skip


def _footing(spec: SourceSpec) -> str:
    if spec.sharing is None:
        return sentence(f"Public, under: {plain(spec.licence)}")
    sharing = spec.sharing
    return table(
        ["What", "Entry"],
        [
            ["Controller", sharing.controller],
            ["Agreement", sharing.agreement],
            ["Until", day_words(sharing.expires)],
            ["Lawful basis", sharing.lawful_basis],
            ["Who may see what is made of it", ", ".join(sharing.audiences)],
            ["Small numbers", _rule(spec)],
        ],
    )


def _rule(spec: SourceSpec) -> str:
    rule = spec.sharing.disclosure if spec.sharing is not None else None
    if rule is None:
        return "by the policy's rule"
    reason = f" ({rule.reason})" if rule.reason else ""
    return f"below {number(rule.suppress_below)} left blank, others rounded to {number(rule.round_to)}{reason}"


def _limits(spec: SourceSpec) -> list[str]:
    said = ["It holds what was recorded or answered; what was not is not in it."]
    if spec.police_generated:
        said.append(f"These measures follow what the police do: {', '.join(spec.police_generated)}.")
    if spec.sensitivity == "restricted":
        said.append("Restricted: single places and small numbers made of it are not shown to the public.")
    if any(file.level.startswith("lad") for file in spec.files.values()):
        said.append("Some tables are by district: all areas of a district have the same value.")
    if any(file.level == "lsoa11" for file in spec.files.values()):
        said.append("Some tables use the areas of 2011 and are converted to those of 2021.")
    return said
