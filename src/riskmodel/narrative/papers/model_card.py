"""The model card (after Mitchell and others 2019): what the model is for, how well it does, and for whom.

In: the papers' contents. Out: ``model_card.md``, with the skill against counting in its first line.
"""

from __future__ import annotations

from riskmodel.narrative.papers.atrs_data import recording_words, risk_words
from riskmodel.narrative.papers.atrs_tool import NOT_MEANT_FOR, USES
from riskmodel.narrative.papers.contents import Papers
from riskmodel.narrative.papers.evidence import (
    architecture_words,
    audit_words,
    backtest_words,
    calibration_table,
    candidate_rows,
    factor_words,
    performance_words,
    place_words,
    skill_table,
)
from riskmodel.narrative.papers.findings import characteristic_words, concern_words, findings_table, judged
from riskmodel.narrative.papers.markdown import TO_BE_COMPLETED, bullets, opening, page, plain, section, table

__all__ = ["model_card_md"]

_PURPOSE = "What this is for: a short account of the model for those who use its forecasts or judge it."


def model_card_md(papers: Papers) -> str:
    """The card's text."""
    return page(
        [
            *opening(papers, f"Model card: {papers.model_id}, {papers.title}", _PURPOSE),
            plain(papers.headline),
            _details(papers),
            _use(papers),
            _factors(papers),
            _metrics(papers),
            _data(papers),
            _results(papers),
            section("Ethics", bullets(risk_words(papers))),
            _limits(papers),
        ]
    )


def _details(papers: Papers) -> str:
    shown = [
        ["Model", f"{papers.model_id}: {architecture_words(papers, papers.model_id)}"],
        ["Version", f"run {papers.run_id}, riskmodel {papers.code_version}, seed {papers.seed}"],
        ["What it forecasts", f"{papers.target_title} ({papers.target})"],
        ["Covers", papers.covers],
        ["Leaves out", papers.leaves_out],
        *([["Differs from local definitions", papers.differs]] if papers.differs else []),
        ["Where", place_words(papers)],
        ["Measured against", f"{papers.baseline}: {architecture_words(papers, papers.baseline)}"],
        ["Who made it", TO_BE_COMPLETED],
        ["Questions to", papers.policy.contact.strip() or TO_BE_COMPLETED],
    ]
    return section("Details", table(["What", "Entry"], [row for row in shown if row[1]]))


def _use(papers: Papers) -> str:
    return section(
        "Intended use",
        f"What the policy allows: {USES[papers.policy.use]}. {plain(papers.policy.use_statement)}",
        "For analysts and planners of a Violence Reduction Unit and its partners, who know the places.",
        section(
            "Out of scope",
            bullets(NOT_MEANT_FOR) + ("\n- enforcement of any kind" if papers.policy.use != "enforcement" else ""),
            level=3,
        ),
    )


def _factors(papers: Papers) -> str:
    audited = [
        characteristic_words(name, papers.characteristics)
        for name in papers.policy.characteristics or papers.characteristics
    ]
    crossed = [characteristic_words(" x ".join(names), papers.characteristics) for names in papers.policy.intersections]
    return section(
        "Factors: what results may differ by",
        f"Looked at: {'; '.join(audited)}.",
        f"Where they meet: {'; '.join(crossed)}." if crossed else "",
        "Also by size of place, urban and rural, months ahead and origin: tables/calibration.csv and "
        "tables/comparison.csv.",
    )


def _metrics(papers: Papers) -> str:
    scores = sorted(map(str, papers.table("comparison")["metric"].unique()))
    return section(
        "Metrics",
        bullets(
            [
                f"Skill: 1 less the model's score over that of {papers.baseline}, on the same forecasts; 0 is no "
                f"better than counting. The score: {', '.join(scores).replace('_', ' ') or 'not given'}.",
                "Calibration: how often the middle 90 % of a forecast held what was recorded.",
                "For groups: the calibration ratio, what was forecast over what was recorded, weighted by a group's "
                "share of each area or of counts by group; the other checks are described without a verdict.",
                "Every figure has a 90 % interval where one can be made.",
            ]
        ),
    )


def _data(papers: Papers) -> str:
    sheets = [f"{spec.title} (datasheets/{name}.md)" for name, spec in sorted(papers.sources.items())]
    return section(
        "Data",
        section("For judging", backtest_words(papers) or "This run has no backtest of the model.", level=3),
        section("For learning", f"{factor_words(papers)} Sources:\n\n{bullets(sheets)}", level=3),
    )


def _results(papers: Papers) -> str:
    rows = judged(papers, papers.model_id)
    concerns = concern_words(rows, papers.characteristics)
    single = rows[~rows["characteristic"].str.contains(" x ", regex=False)]
    candidates = table(
        ["Candidate", "What it is", "Skill, by the rule of selection", "Outcome"], candidate_rows(papers)
    )
    return section(
        "Results",
        section("Skill", *map(plain, performance_words(papers)), skill_table(papers), level=3),
        section("Candidates compared", candidates, level=3) if candidates else "",
        section("Likely ranges", calibration_table(papers), level=3) if calibration_table(papers) else "",
        section(
            "Groups of people",
            *map(plain, audit_words(papers)),
            f"Concerns:\n\n{bullets(concerns)}" if concerns else "",
            findings_table(single, papers.characteristics),
            "Where characteristics meet, the baseline and every other check: audit.json." if len(rows) else "",
            level=3,
        ),
    )


def _limits(papers: Papers) -> str:
    return section(
        "Limits, and what to do about them",
        bullets(
            [
                *([recording_words(papers)] if recording_words(papers) else []),
                "A likely range without the mark 'calibrated' is a rough guide.",
                "Counts of small areas are small: compare a band of ranks, never one rank with the next.",
                "Where residents are few of those present, such as town centres, a rate per resident misleads.",
                "Use a run only after a decision that accepts its audit, and not after the review date set there.",
            ]
        ),
        f"**{TO_BE_COMPLETED}: what is known of local conditions that the data do not show**",
    )
