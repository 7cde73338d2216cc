"""What the audit found: in go findings, out come sentences in both directions, pictures and tables, counting beside.

Figures are in people's terms, with their likely range, and are read by the policy's use. What cannot be seen is not
given a figure here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.fairness_brief import concerns_of, mark_of
from riskmodel.narrative.fairness_facts import beside_words, contrast_words, effect_words, share_beside_words
from riskmodel.narrative.fairness_pictures import Dot, draw_contrasts
from riskmodel.narrative.fairness_rows import ALL, NO_SOURCE, STRENGTH, Audited, Finding
from riskmodel.narrative.fairness_words import READ
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.forecast_words import NOT_AVAILABLE, SUPPRESSED
from riskmodel.narrative.pictures import Picture
from riskmodel.narrative.quoted import Quoted
from riskmodel.narrative.tables_html import Cell, Heading, HtmlTable, Row

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "contrast_pictures",
    "figure_cells",
    "finding_words",
    "measured_section",
    "statistic_words",
    "unseen_rows",
    "verdict_cell",
]

_PEOPLE = (
    "A figure says by how many records per 1,000 residents a year the forecast was above (+) or below "
    "(\N{MINUS SIGN}) what was recorded for a group, compared with everyone else. The likely range holds the true "
    "figure nine times in ten."
)
_MARKS = "The disc is the forecast shown, the hollow square is counting: what attention would go by without a model."
_ONE_MARK = "The disc is the forecast shown, which is counting itself."
_PICTURES = (
    "Each line is a group. {marks} To the right, more was forecast than recorded compared with everyone else; to the "
    "left, less. The bars are likely ranges. The grey band is what the policy lets go unnoticed. Groups that cannot be "
    "seen have no line."
)


def finding_words(audited: Audited, finding: Finding) -> str:
    """One finding as a sentence's beginning and its numbers in people's terms."""
    said = effect_words(finding.quoted)
    asks = " The policy calls for action." if finding.severity == "action" else ""
    return f"{audited.named(finding)}: {said}. Evidence: {audited.evidence(finding)}.{asks}"


def measured_section(audited: Audited, *, tag: str) -> Section:
    """Findings on this run's data, in both directions."""
    findings = [f for f in audited.shown() if f.source != NO_SOURCE]
    parts = [
        _direction(audited, "under", "Less forecast than recorded"),
        _direction(audited, "over", "More forecast than recorded"),
    ]
    parts += _other_concerns(audited)
    drawn = [f for f in findings if f.drawable]
    drawings = contrast_pictures(audited, drawn)
    table = _findings_table(audited, findings)
    parts.append(
        Section(
            "by-group", "Group by group" if audited.is_counting else "Group by group, the forecast beside counting",
            [_PICTURES.format(marks=_ONE_MARK if audited.is_counting else _MARKS)] if drawings else [],
            small=drawings, tables=[table],
        )
    )  # fmt: skip
    others = _other_measures(audited)
    return Section(
        "measured", "What was found", [_PEOPLE], tag=tag, parts=parts,
        folded=[others] if others is not None else [], folded_words="Other measures, described and not judged",
    )  # fmt: skip


def _direction(audited: Audited, way: str, heading: str) -> Section:
    held = [f for f in concerns_of(audited) if f.direction == way]
    bullets = [finding_words(audited, f) for f in held]
    reading = READ[audited.policy.use, way]
    if held:
        return Section(f"found-{way}", heading, [reading], bullets=bullets)
    words = "No concern in this direction in the groups that could be judged. That is no proof that there is nothing."
    return Section(f"found-{way}", heading, [words, reading])


def _other_concerns(audited: Audited) -> list[Section]:
    """Concerns of checks that another package adds: their figures are not contrasts, so they are said in words."""
    rows = audited.rows
    kept = (rows["verdict"] == "concern") & (rows["code"] != "M2") & (rows["part"] == ALL)
    bullets = [
        f"{audited.name(row['characteristic'], row['group'])}: {bare(row['question'])} {bare(row['explanation'])}"
        for row in audited.quoted(rows[kept & (rows["model_id"] == audited.model_id)])
    ]
    return [Section("found-others", "Concerns of other checks", bullets=bullets)] if bullets else []


def contrast_pictures(audited: Audited, findings: Sequence[Finding]) -> list[Picture]:
    """One picture for each characteristic and kind of evidence."""
    grouped: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        grouped.setdefault((finding.characteristic, finding.evidence, finding.source), []).append(finding)
    labels = ["the forecast", *([] if audited.is_counting else ["counting"])]
    bounds = audited.policy.bounds
    drawings = []
    for number, ((characteristic, evidence, _), own) in enumerate(grouped.items(), start=1):
        other = [None] * len(own) if audited.is_counting else audited.of(audited.baseline, own)
        rows = [
            (audited.group(f.characteristic, f.group), [_as_dot(f), *([] if audited.is_counting else [_as_dot(b)])])
            for f, b in zip(own, other, strict=True)
        ]
        bound = bounds.outcome_calibration_ratio if evidence == "outcomes" else bounds.calibration_ratio
        drawings.append(
            draw_contrasts(
                f"contrast-{number}", rows, labels=labels, notice=bound.notice,
                title=f"{audited.title(characteristic)}, by {audited.evidence(own[0])}",
            )
        )  # fmt: skip
    return drawings


def _as_dot(finding: Finding | None) -> Dot:
    if finding is None or not finding.drawable:
        nothing = float("nan")
        return Dot(nothing, nothing, nothing, NOT_AVAILABLE)
    return Dot(finding.ratio, finding.low, finding.high, contrast_words(finding.quoted))


def _findings_table(audited: Audited, findings: Sequence[Finding]) -> HtmlTable:
    other = audited.of(audited.baseline, findings)
    per = "records per 1,000 residents a year, with the likely range"
    headings = [
        Heading("Group"), Heading("Characteristic"), Heading("Evidence"), Heading("The forecast"),
        Heading("Forecast less recorded", number=True, unit=per), Heading("The same, as a share", number=True),
        Heading("Counting"), Heading("Counting: forecast less recorded", number=True, unit=per),
        Heading("Counting: the same, as a share", number=True),
    ]  # fmt: skip
    listed = []
    for finding, beside in zip(findings, other, strict=True):
        listed.append(
            Row((
                audited.group(finding.characteristic, finding.group), audited.title(finding.characteristic),
                audited.evidence(finding), verdict_cell(finding), *figure_cells(finding),
                verdict_cell(beside), *figure_cells(beside),
            ))
        )  # fmt: skip
    return HtmlTable(
        "findings-table", "The numbers of the pictures, and the groups that have none", headings, listed,
        filters=(1, 2, 3), page=0, folded=True, whole="tables/audit.csv",
    )  # fmt: skip


def verdict_cell(finding: Finding | None) -> Cell:
    """A verdict with its sign."""
    if finding is None:
        return Cell(NOT_AVAILABLE)
    return Cell(finding.said, order=STRENGTH.index(finding.verdict), style=mark_of(finding))


def figure_cells(finding: Finding | None) -> tuple[str, str]:
    """A finding in people's terms and as a share, where it may be shown."""
    if finding is None:
        return NOT_AVAILABLE, NOT_AVAILABLE
    if finding.hidden:
        return SUPPRESSED, SUPPRESSED
    if not finding.drawable:
        return "none", "none"
    return beside_words(finding.quoted), share_beside_words(finding.quoted)


def _other_measures(audited: Audited) -> Section | None:
    """What is described and not judged: who lives in the places put first, what is missed, how wide ranges are."""
    rows = audited.rows
    kept = (rows["code"] != "M2") & (rows["part"] == ALL) & ~rows["characteristic"].str.contains(" x ", regex=False)
    own = rows[kept & (rows["model_id"] == audited.model_id) & ~unseen_rows(audited, rows)]
    if own.empty:
        return None
    key = ["check", "characteristic", "group", "evidence", "source"]
    held = audited.quoted(rows[kept & (rows["model_id"] == audited.baseline)].drop_duplicates(key))
    beside = {tuple(row[k] for k in key): row for row in held}
    headings = [
        Heading("Group"), Heading("Characteristic"), Heading("What is asked"), Heading("The forecast", number=True),
        Heading("Likely range"), Heading("Counting", number=True), Heading("With no difference", number=True),
        Heading("Counted as"), Heading("Evidence"),
    ]  # fmt: skip
    listed = []
    wanted = [*key, "question", "statistic", "low", "high", "no_difference", "unit", "verdict", "row"]
    for row in audited.quoted(own[wanted]):
        other = beside.get(tuple(row[k] for k in key))
        listed.append(
            Row((
                audited.group(row["characteristic"], row["group"]), audited.title(row["characteristic"]),
                bare(row["question"]), statistic_words(row, "statistic"), row.span("low", "high", "figure"),
                SUPPRESSED if row["verdict"] == "suppressed" else
                statistic_words(other, "statistic") if other is not None else NOT_AVAILABLE,
                statistic_words(row, "no_difference"), bare(row["unit"]),
                "counts by group" if row["evidence"] == "outcomes" else "where people live",
            ))
        )  # fmt: skip
    words = (
        "These figures have no verdict: chance alone moves them too much, or they would differ between groups even if "
        "nothing were wrong. Read them beside those of counting. Groups that cannot be seen are left out."
    )
    table = HtmlTable(
        "measures-table", "Other measures by group", headings, listed, filters=(1, 2), whole="tables/audit.csv"
    )
    return Section("measures", "Other measures", [words], tables=[table])


def unseen_rows(audited: Audited, rows: pd.DataFrame) -> pd.Series[bool]:
    """Whether a row's evidence can show nothing of its group."""
    import pandas as pd

    key = pd.MultiIndex.from_frame(rows[["characteristic", "group", "evidence", "source"]])
    return pd.Series(key.isin(list(audited.unseen)) if audited.unseen else False, index=rows.index)


def statistic_words(row: Quoted, column: str, form: str = "figure") -> str:
    """A number of a row of the audit; withheld where the row is."""
    return SUPPRESSED if row["verdict"] == "suppressed" else row.say(column, form)
