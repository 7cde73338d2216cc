"""What stands beside the findings: the same audit of counting, how good the audit is, and the audit before this one.

In: findings, figures of the audit of the audit, an earlier audit. Out: sections.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.fairness_brief import concerns_of
from riskmodel.narrative.fairness_findings import figure_cells, verdict_cell
from riskmodel.narrative.fairness_rows import STRENGTH, Audited, Finding
from riskmodel.narrative.fairness_words import VERDICTS
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.quoted import declared
from riskmodel.narrative.tables_html import Cell, Heading, HtmlTable, Row

if TYPE_CHECKING:
    from riskmodel.fairness.tested import Tested
    from riskmodel.narrative.facts.book import FactBook

__all__ = ["changed_section", "counting_section", "tested_section"]

_NO_EARLIER = (
    "No earlier audit was named to compare with. An analyst can name one: riskmodel narrate RUN --since EARLIER_RUN."
)
_TESTED_SOURCE = "docs/benchmarks.md"

_WHOSE = {
    "Concerns that both have": (True, True),
    "Concerns that the forecast alone has": (True, False),
    "Concerns that counting alone has": (False, True),
}
_LINES = {
    "concern: less forecast than recorded": ("concern", "under"),
    "concern: more forecast than recorded": ("concern", "over"),
    **{VERDICTS[verdict]: (verdict, "") for verdict in STRENGTH if verdict not in ("concern", "described")},
}


def counting_section(audited: Audited) -> Section:
    """The human baseline: the same audit of counting, beside the forecast's."""
    name, heading = "counting", "The same audit of counting"
    if audited.is_counting:
        return Section(name, heading, ["The forecast shown is counting itself, so there is nothing beside it."])
    findings = audited.shown()
    other = audited.of(audited.baseline, findings)
    listed = []
    for words_of, (verdict, way) in _LINES.items():
        held = [
            [f.row for f in asked if f is not None and f.verdict == verdict and way in ("", f.direction)]
            for asked in (findings, other)
        ]
        if any(held) or verdict == "concern":
            limits = {"verdict": verdict} | ({"direction": way} if way else {})
            asked_of = zip(("forecast", "counting"), (audited.model_id, audited.baseline), held, strict=True)
            numbers = [
                audited.counted(f"counting.{who}.{'.'.join(limits.values())}", rows,
                                ["count", "audit", audited.where(limits, model_id=model_id)])
                for who, model_id, rows in asked_of
            ]  # fmt: skip
            listed.append(Row((words_of, *numbers)))
    own, beside = ({(audited.named(f), f.direction): None for f in concerns_of(audited, model_id)}
                   for model_id in (audited.model_id, audited.baseline))  # fmt: skip
    bullets = [
        f"{words}: {_named([key for key in own | beside if (key in own, key in beside) == both])}."
        for words, both in _WHOSE.items()
    ]
    words = [
        f"If there were no model, attention would most likely go by last year's count ({bare(audited.baseline)}): each "
        "place is expected to have what was recorded there in the last twelve months. Refusing the forecast means "
        "going back to that, so it is audited in the same way. It has every gap of the records too.",
    ]
    headings = [Heading("Verdict"), Heading("The forecast", number=True), Heading("Counting", number=True)]
    table = HtmlTable(
        "counting-table",
        "How many verdicts on single groups, by whatever evidence",
        headings,
        listed,
        page=0,
        whole="tables/audit.csv",
    )
    return Section(name, heading, words, bullets=bullets, tables=[table])


def _named(concerns: Sequence[tuple[str, str]]) -> str:
    words = {"over": "more forecast", "under": "less forecast"}
    return "; ".join(f"{name}, {words.get(way, way)}" for name, way in concerns) or "none"


def tested_section(tested: Sequence[Tested], book: FactBook | None = None) -> Section:
    """How good the audit itself is: wrongs put into forecasts of invented regions, and how often it found them."""
    name, heading, tag = "tested", "How good this audit is", "Tested on an invented region"
    words = [
        "This part is not about your region. Known wrongs were put into forecasts of invented regions, whose truth is "
        "known, and the same audit was made of them. It shows how often the audit speaks up where something is wrong, "
        "and how often where nothing is."
    ]
    if not tested:
        words.append("The figures are not at hand in this run; docs/benchmarks.md has them.")
        return Section(name, heading, words, tag=tag)
    said = [_tested_words(number, t, book) for number, t in enumerate(tested, start=1)]
    bullets = _extremes(tested, said)
    headings = [Heading("What was put in"), Heading("Evidence"), Heading("Times too much or too little", number=True),
                Heading("Regions with a concern", number=True), Heading("Likely range"),
                Heading("Regions", number=True)]  # fmt: skip
    listed = [
        Row((bare(t.what), t.evidence, "none" if t.effect == 1 else w["effect"], w["found"],
             f"{w['low']} to {w['high']}", w["regions"]))
        for t, w in zip(tested, said, strict=True)
    ]  # fmt: skip
    words.append(
        "A large wrong that is found in half of the regions is missed in the other half: that nothing was found is "
        "weak news."
    )
    table = HtmlTable("tested-table", "How often there was a concern", headings, listed, page=0)
    return Section(name, heading, words, bullets=bullets, tables=[table], tag=tag)


def _extremes(tested: Sequence[Tested], said: Sequence[dict[str, str]]) -> list[str]:
    """How often it spoke up where nothing was wrong, at most, and where something was, at least and at most."""
    pairs = sorted(zip(tested, said, strict=True), key=lambda pair: pair[0].found)
    quiet, wrong = ([pair for pair in pairs if (pair[0].effect == 1) == nothing] for nothing in (True, False))

    def line(opening: str, pair: tuple[Tested, dict[str, str]]) -> str:
        held, words = pair
        size = f", {words['effect']} times" if "effect" in words else ""
        return (
            f"{opening}: a concern in {words['found']} of {words['regions']} regions (likely range {words['low']} to "
            f"{words['high']}; {bare(held.what[:1].lower() + held.what[1:])}{size}, by {held.evidence})."
        )

    return [
        *([line("Where nothing was wrong, at most", quiet[-1])] if quiet else []),
        *([line("The wrong it missed most often", wrong[0])] if wrong else []),
        *([line("The wrong it found most often", wrong[-1])] if len(wrong) > 1 else []),
    ]


def _tested_words(number: int, tested: Tested, book: FactBook | None) -> dict[str, str]:
    """The numbers of one line, which the benchmarks declare."""
    forms = {"effect": "as_given"} if tested.effect != 1 else {}
    forms |= {"found": "share", "low": "share", "high": "share", "regions": "whole"}
    return {
        name: declared(book, f"tested.{number}.{name}", float(getattr(tested, name)), form, _TESTED_SOURCE)
        for name, form in forms.items()
    }


def changed_section(audited: Audited, earlier: Audited | None, *, earlier_run: str) -> Section:
    """What changed since the last audit of the same experiment."""
    name, heading = "changed", "What changed since the last audit"
    if earlier is None:
        return Section(name, heading, [_NO_EARLIER])
    before = {f.key: f for f in [*earlier.shown(), *earlier.shown(crossed=True)]}
    now = {f.key: f for f in [*audited.shown(), *audited.shown(crossed=True)]}
    words = [f"Compared with the audit of run {bare(earlier_run) or 'not named'}."]
    if earlier.model_id != audited.model_id:
        words.append(
            f"That audit was of another model, {bare(earlier.model_id)}; this one is of {bare(audited.model_id)}."
        )
    changed = [k for k, f in now.items() if k in before and before[k].said != f.said]
    added, gone = [k for k in now if k not in before], [k for k in before if k not in now]
    own = {"now": now, "changed": changed, "added": added}
    numbers = {name: audited.counted(f"changed.{name}", [now[key].row for key in keys]) for name, keys in own.items()}
    then, left = (
        earlier.counted(name, [before[key].row for key in keys]) for name, keys in (("then", before), ("gone", gone))
    )
    words.append(
        f"Of {numbers['now']} verdicts now and {then} then, {numbers['changed']} changed, {numbers['added']} are new "
        f"and {left} are no longer there."
    )
    headings = [Heading("Group"), Heading("Characteristic"), Heading("Evidence"), Heading("Then"), Heading("Now"),
                Heading("Then", number=True, unit="records per 1,000 residents a year"),
                Heading("Now", number=True, unit="records per 1,000 residents a year")]  # fmt: skip
    listed = [_change_row(audited, key, before.get(key), now.get(key)) for key in (*changed, *added, *gone)]
    table = HtmlTable(
        "changed-table",
        "Verdicts that are not what they were",
        headings,
        listed,
        filters=(1,),
        whole="tables/audit.csv",
    )
    return Section(name, heading, words, tables=[table] if listed else [])


def _change_row(audited: Audited, key: tuple[str, str, str, str], then: Finding | None, now: Finding | None) -> Row:
    characteristic, group, _, _ = key
    held = [f for f in (now, then) if f is not None]
    cells = [verdict_cell(f) if f is not None else Cell("not audited") for f in (then, now)]
    figures = [figure_cells(f)[0] if f is not None else "not audited" for f in (then, now)]
    return Row((
        audited.group(characteristic, group), audited.title(characteristic), audited.evidence(held[0]), *cells,
        *figures,
    ))  # fmt: skip
