"""The draft equality impact assessment: what the audit found for each characteristic the Equality Act 2010 names.

In: the papers' contents. Out: ``eqia.md``. Poverty stands beside the nine, as it is not among them. The duty is one of
process (section 149; R (Bridges) v South Wales Police [2020] EWCA Civ 1058): what is not known is said, with how to
learn it, and nothing that a person must judge is filled in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from riskmodel.narrative.papers.contents import Papers
from riskmodel.narrative.papers.findings import (
    VERDICT_WORDS,
    characteristic_words,
    concern_words,
    counted,
    findings_table,
    group_words,
    judged,
    tipping_words,
)
from riskmodel.narrative.papers.markdown import TO_BE_COMPLETED, bullets, number, opening, page, plain, section, table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BESIDE", "NINE", "Named", "eqia_md", "status_of_evidence"]

_PURPOSE = (
    "What this is for: a draft for the people who assess how this use of forecasts bears on equality. It says what was "
    "measured and what is not known. It is no assessment until they have completed and signed it."
)


@dataclass(frozen=True)
class Named:
    """A characteristic the Act names, the question of the audit that is about it, and how else to learn of it."""

    name: str
    question: str
    learn: str


# Section 149(7) leaves marriage and civil partnership to the first of the duty's three aims.
NINE = (
    Named("Age", "age", "Ask partners for counts of people affected by age band."),
    Named("Disability", "disability", "Ask partners whether they record disability of people affected."),
    Named("Gender reassignment", "", "Small numbers: not by area. Ask local trans groups, and those who support them."),
    Named(
        "Marriage and civil partnership", "", "Only unlawful discrimination is in question. Ask services for families."
    ),
    Named(
        "Pregnancy and maternity", "", "Ask midwives, health visitors and domestic abuse services for what they see."
    ),
    Named("Race", "race", "Ask partners for counts of people affected by ethnic group."),
    Named("Religion or belief", "religion", "Ask faith groups, and those who record hate crime."),
    Named("Sex", "gender", "Ask partners for counts of people affected by sex, domestic abuse apart."),
    Named(
        "Sexual orientation", "", "Small numbers: not by area. Ask local LGBT groups, and those who record hate crime."
    ),
)
"""In the order of the alphabet, as the Act has them."""
BESIDE = (
    Named("Poverty", "poverty", "Ask councils for counts by receipt of benefits or free school meals."),
    Named("Where people live", "place", "Ask parish councils and rural services what does not reach the records."),
)
"""No characteristic of the Act, and considered beside them."""
MEASURED, TOO_LITTLE = "measured", "measured, not enough data to tell"
NOT_BY_AREA, NO_DATA, HIDDEN = "not measurable at area level", "no data", "measured, figures withheld"
_QUESTIONS = (
    "Who could be left without an offer of support if this forecast is too low for them, and how would they be found?",
    "Who could be looked at more than others if it is too high for them, and what would that do to them?",
    "Where a concern stands above: what changes before the forecast is used (data, model, use), and who checks it?",
    "Where nothing could be seen: which people have been asked, and what did they say?",
    "Does the plan that rests on the forecast advance equality of opportunity and foster good relations? For whom not?",
    "Do people for whom characteristics meet (for example disabled women in poverty) need something of their own?",
    "What would make the organisation stop, and who may say so?",
)
_SIGN_OFF = (
    "What was decided, and why", "Changes made because of this assessment", "People and groups consulted, and when",
    "Name and role of the assessor", "Name and role of the person who signs", "Date", "Date of the next review",
)  # fmt: skip


def status_of_evidence(rows: pd.DataFrame) -> str:
    """What evidence there is of one characteristic, from the rows that carry a verdict on it.

    Examples
    --------
    >>> import pandas as pd
    >>> status_of_evidence(pd.DataFrame({"verdict": ["not_visible", "not_assessable"]}))
    'not measurable at area level'
    >>> status_of_evidence(pd.DataFrame({"verdict": ["not_visible", "concern"]}))
    'measured'
    """
    found = set(rows["verdict"]) if len(rows) else set()
    order = (
        (MEASURED, {"concern", "no_evidence"}),
        (TOO_LITTLE, {"insufficient"}),
        (HIDDEN, {"suppressed"}),
        (NOT_BY_AREA, {"not_visible"}),
    )
    return next((status for status, verdicts in order if found & verdicts), NO_DATA)


def eqia_md(papers: Papers) -> str:
    """The draft's text."""
    parts = [
        *opening(papers, f"Equality impact assessment, draft: {papers.title}", _PURPOSE),
        section(
            "What is assessed",
            f"{plain(papers.question)} The forecast of {plain(papers.target_title.lower())} by {papers.model_id}.",
            f"Stated use: {plain(papers.policy.use_statement)}",
            f"What is counted: {plain(papers.covers)} Left out: {plain(papers.leaves_out)} All figures below are of "
            "records: an audit of records cannot see what was never recorded.",
        ),
        section("Evidence for each characteristic", _overview(papers), _how_to_read(papers)),
        *(_characteristic(papers, one) for one in (*NINE, *BESIDE)),
        _crossings(papers),
        _recording(papers),
        section("Views of the people concerned", plain(papers.policy.community_view) or f"**{TO_BE_COMPLETED}**"),
        section(
            "Questions on what to do",
            bullets(_QUESTIONS),
            f"**{TO_BE_COMPLETED}: an answer to each question, and the actions agreed, with owner and date**",
        ),
        section("Sign-off", table(["What", "Entry"], [[what, TO_BE_COMPLETED] for what in _SIGN_OFF])),
    ]
    return page(parts)


def _named(papers: Papers, one: Named) -> list[str]:
    return [n for n, spec in sorted(papers.characteristics.items()) if one.question and spec.question == one.question]


def _rows(papers: Papers, one: Named, model_id: str) -> pd.DataFrame:
    return judged(papers, model_id, _named(papers, one))


def _overview(papers: Papers) -> str:
    lines = []
    for one in (*NINE, *BESIDE):
        rows = _rows(papers, one, papers.model_id)
        found = "; ".join(f"{VERDICT_WORDS[verdict]}: {count}" for verdict, count in counted(rows).items())
        law = "no; considered beside it" if one in BESIDE else "yes"
        lines.append([one.name, law, status_of_evidence(rows), found])
    return table(
        ["Characteristic", "Named by the Equality Act 2010", "Evidence in this run", "Questions by verdict"], lines
    )


def _how_to_read(papers: Papers) -> str:
    harms = {
        "offers_of_support": "For offers of support, less forecast than recorded may mean that people go without an "
        "offer; more forecast than recorded, that others do, or that a place is spoken of more than it should be.",
        "enforcement": "For enforcement, more forecast than recorded may mean that people are policed more than "
        "others; less, that those who are harmed are left alone.",
    }
    used = papers.table("audit")["source"].unique()
    titles = {name: papers.sources[name].title if name in papers.sources else name for name in sorted(map(str, used))}
    held = "; ".join(f"{name} ({title})" for name, title in titles.items()) or "nothing"
    return (
        "How to read the tables: both directions matter. More than 1.00 times, and +, mean that more was forecast than "
        "was recorded, compared with everybody else; less than 1.00 times, and \N{MINUS SIGN}, that less was. "
        f"{harms[papers.policy.use]} The 90 % interval is the widest of three ways to divide the region. "
        "'The smallest difference that would be seen' is found four times in five; smaller ones mostly go unseen. "
        "All figures are about the places where a group lives, or about counts a source gives by group; never about a "
        f"person. {papers.baseline} stands beside the model: it is what counting alone would do. Held against: {held}."
    )


def _characteristic(papers: Papers, one: Named) -> str:
    import pandas as pd

    mine = _rows(papers, one, papers.model_id)
    both = [_rows(papers, one, model_id) for model_id in dict.fromkeys((papers.model_id, papers.baseline))]
    beside = pd.concat(both).sort_values(["characteristic", "group", "evidence", "source", "check"], kind="stable")
    specs = papers.characteristics
    recorded = [f"{specs[name].title}: {specs[name].recorded_as}" for name in _named(papers, one)]
    audited = [
        line for line, name in zip(recorded, _named(papers, one), strict=True) if name in set(mine["characteristic"])
    ]
    concerns = concern_words(mine, specs)
    return section(
        one.name,
        f"Evidence: {status_of_evidence(mine)}.",
        f"As recorded:\n\n{bullets(audited)}" if audited else "",
        findings_table(beside, specs),
        f"Concerns:\n\n{bullets(concerns)}" if concerns else "",
        f"What is not known, and how to learn it:\n\n{bullets(_unknown(papers, one, mine))}",
        f"**{TO_BE_COMPLETED}: likely effect on these people, positive or negative, and on what evidence**",
        level=3,
    )


def _unknown(papers: Papers, one: Named, rows: pd.DataFrame) -> list[str]:
    """What is not known of a characteristic: the audit's data requests, or whom to ask where no data would do."""
    requests = papers.table("data_requests")
    requests = requests[requests["characteristic"].isin(_named(papers, one))]
    said = [_request(row, papers) for _, row in requests.iterrows()]
    if not len(rows):
        said.append("No source held here says where these people live, or how many of them are affected.")
    return [*said, one.learn]


def _request(row: pd.Series[Any], papers: Papers) -> str:
    least = f" At least {number(row['least_records'])} records of the group." if number(row["least_records"]) else ""
    group = group_words(str(row["group"]), str(row["characteristic"]), papers.characteristics)
    verdict = VERDICT_WORDS.get(str(row["verdict"]), str(row["verdict"]))
    return (
        f"{group} ({verdict}): {row['wanted']} Columns: {row['columns']}. Breakdown: {row['breakdowns']}.{least} "
        f"May be held by: {row['who']}."
    )


def _crossings(papers: Papers) -> str:
    rows = judged(papers, papers.model_id)
    rows = rows[rows["characteristic"].str.contains(" x ", regex=False)]
    specs = papers.characteristics
    summary = [
        [characteristic_words(str(name), specs), str(len(held)),
         "; ".join(f"{VERDICT_WORDS[v]}: {n}" for v, n in counted(held).items())]
        for name, held in rows.groupby("characteristic", sort=True)
    ]  # fmt: skip
    bounds = papers.table("intersections")
    depends = bounds[(bounds["model_id"] == papers.model_id) & (bounds["depends"] == "yes")]
    hanging = sorted({(str(c), str(g)) for c, g in zip(depends["characteristic"], depends["group"], strict=True)})
    said = [f"{group_words(group, name, specs)} ({characteristic_words(name, specs)})" for name, group in hanging]
    requests = papers.table("data_requests")["characteristic"].str.contains(" x ", regex=False).sum()
    return section(
        "Where characteristics meet",
        table(["Where these meet", "Questions", "By verdict"], summary) or "No intersection was audited.",
        findings_table(rows[rows["verdict"] == "concern"], specs, crossed=True),
        "How many people belong to two groups at once is estimated, between bounds."
        + (f" For these the verdict depends on the estimate: {'; '.join(said)}." if said else ""),
        f"Every row is in audit.json, and {number(requests)} data requests for these groups; districts, origins and "
        "fifths are in tables/audit.parquet."
        if len(rows)
        else "",
    )


def _recording(papers: Papers) -> str:
    tipping = tipping_words(papers)
    return section(
        "If recording differed between groups",
        "The audit holds forecasts against records. If violence against a group is recorded less often than against "
        "others, a forecast can match the records and still leave the group's need unseen.",
        bullets(tipping) if tipping else "No supposed recording on the policy's grid changes a verdict."
        if len(papers.table("tipping_points")) else "Not examined in this run.",
    )  # fmt: skip
