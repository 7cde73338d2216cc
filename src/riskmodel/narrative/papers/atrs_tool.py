"""What a run can say of the tool, its use and its models, for the transparency record; the rest is left to its owner.

In: the papers' contents. Out: answers by slug. Nothing about the organisation stands here.
"""

from __future__ import annotations

from riskmodel.narrative.papers.atrs_fields import Answer
from riskmodel.narrative.papers.contents import Papers
from riskmodel.narrative.papers.evidence import (
    architecture_words,
    audit_words,
    backtest_words,
    candidate_rows,
    coverage_words,
    factor_words,
    input_words,
    performance_words,
    place_words,
)
from riskmodel.narrative.papers.findings import concern_words, judged, tipping_words
from riskmodel.narrative.papers.markdown import bullets, table
from riskmodel.narrative.workbook_text import day_words

__all__ = ["NOT_MEANT_FOR", "USES", "tool_answers"]

USES = {
    "offers_of_support": "offers of support",
    "enforcement": "enforcement, under an agreement of its own",
}
"""The policy's word for what the numbers are used for, as a reader meets it."""
NOT_MEANT_FOR = (
    "any decision about a person: no person is in the data, and a place says nothing of anyone who lives there",
    "pursuing people or planning stops, searches, patrols or raids",
    "league tables of places, or measuring the performance of a partner",
    "saying what brings violence about: the conditions shown are found with it",
    "saying how much violence there is: it counts what was recorded",
)


def tool_answers(papers: Papers) -> dict[str, Answer]:
    """Answers to the fields 0.1 to 2.4.2.8, those that only an owner can give left out."""
    return _summary(papers) | _rationale(papers) | _deployment(papers) | _tool(papers) | _model(papers)


def _summary(papers: Papers) -> dict[str, Answer]:
    counted, region = papers.target_title, papers.title
    one = f"A forecast of {counted.lower()} in the small areas of {region}, to plan prevention in places."
    return {
        "title": Answer(f"{counted}: forecast for {region}", "the experiment"),
        "region": Answer(f"{region} (police force area)", "the experiment"),
        "one_sentence_description": Answer(one, "the experiment"),
        "name": Answer(f"riskmodel, experiment {papers.experiment}", "the experiment"),
        "description": Answer(
            f"{papers.question}\n\nThe tool learns from past records and published facts about places how many "
            f"records to expect in each area and month, with a likely range. It is about places and groups, never "
            f"individuals.\n\nWhat is counted: {papers.covers} Left out: {papers.leaves_out}\n\nStated use: "
            f"{papers.policy.use_statement}",
            "the experiment, the target's definition and the policy",
        ),
    }


def _rationale(papers: Papers) -> dict[str, Answer]:
    candidates = table(
        ["Candidate", "What it is", "Skill, by the rule of selection", "Outcome"], candidate_rows(papers)
    )
    return {
        "detailed_description": Answer(
            f"Published files are read and counted by area and month; each value carries the first day it could be "
            f"known. Models are fitted on what had been published by {day_words(papers.as_of)} and, to judge them, as "
            f"if at past dates on what had been published by then. The model shown is {papers.model_id}. Its forecasts "
            f"are explained by the parts it is made of, audited for groups of people, and written as tables and pages. "
            f"{factor_words(papers)}",
            "the run; tables/factors.csv",
        ),
        "benefits": Answer(
            f"Measured so far: {papers.headline}",
            "tables/comparison.csv",
            "what the organisation expects to gain, and how it is to know",
        ),
        "previous_process": Answer(
            f"The forecast is judged against {papers.baseline}: {architecture_words(papers, papers.baseline)} The "
            f"audit is made of it too, as a stand-in for deciding by last year's count.",
            "the experiment; tables/audit.csv",
            "how places were chosen for support before, by whom, on what evidence",
        ),
        "alternatives_considered": Answer(
            f"Models compared on the same past dates:\n\n{candidates}" if candidates else "",
            "tables/selection.csv",
            "what was weighed that needs no model, and why it was not chosen",
        ),
    }


def _deployment(papers: Papers) -> dict[str, Answer]:
    policy = papers.policy
    rules = [f"{rule.when.replace('_', ' ')}: {rule.then}" for rule in policy.stop_rules]
    stops = f"\n\nAgreed before anything was found:\n\n{bullets(rules)}" if rules else ""
    places = place_words(papers)
    return {
        "process_integration": Answer(
            f"The tool writes tables and pages; it sends nothing to another system and decides nothing. Its policy "
            f"({papers.policy_name}) allows: {USES[policy.use]}. {policy.use_statement}\n\nNot meant for:\n\n"
            f"{bullets(NOT_MEANT_FOR)}",
            "the policy",
            "which meeting or plan uses the numbers, beside what else, and with how much weight",
        ),
        "human_review": Answer(
            f"State of this run: {papers.state}. Every page says Draft until a dated, signed decision accepts "
            f"exactly this run's audit; a changed audit or policy voids the decision. A concern at action level ends "
            f"the run with an error after all pages are written.{stops}",
            "the run; the policy",
            "who reads the audit and who decides, how often, and how somebody can set a forecast aside",
        ),
        "frequency_and_scale": Answer(
            f"One run covers {places}." if places else "",
            "tables/places.csv",
            "how often it is run, and how many decisions and people it bears on",
        ),
    }


def _tool(papers: Papers) -> dict[str, Answer]:
    beside = papers.table("streams")
    others = [
        f"{row['title']}: {row['model_id']}"
        for _, row in beside[beside["shown_as"] == "beside"].iterrows()
        if isinstance(row["model_id"], str) and row["model_id"]
    ] if "shown_as" in beside else []  # fmt: skip
    shown = [f"{papers.target_title}: {papers.model_id}", *others]
    until = [f"{held.factor}, until {day_words(held.expires)}" for held in papers.policy.permitted_factors]
    permits = f" Factors that the policy permits for a time: {'; '.join(until)}." if until else ""
    return {
        "system_architecture": Answer(
            "A Python package that runs on one computer, without a server: readers of published files, a store of what "
            "was known when, models, backtest, explanations, fairness audit, and the pages made from them. Runs are "
            "logged with MLflow in a local database. Nothing leaves the computer unless somebody sends it.",
            "the program",
        ),
        "system_level_input": Answer(
            f"Published files of: {input_words(papers)}. Nobody enters anything about a person.",
            "the sources' definitions",
        ),
        "system_level_output": Answer(
            "Expected records with a likely range for small areas, wards, districts and partnerships, by month and "
            "over longer periods; which conditions are found with recorded violence; the audit and these papers. "
            "Counts by small area and month stay with analysts.",
            "the program",
        ),
        "maintenance": Answer(
            f"Made by riskmodel {papers.code_version}, run {papers.run_id}, seed {papers.seed}; the same inputs give "
            f"the same files. Each new run repeats the backtest and the audit, and needs a decision of its own."
            f"{permits}",
            "the run's manifest",
            "how often it is run and reviewed, and by whom it is mended",
        ),
        "models": Answer(bullets(shown), "tables/selection.csv and tables/streams.csv"),
    }


def _model(papers: Papers) -> dict[str, Answer]:
    rows, baseline = judged(papers, papers.model_id), judged(papers, papers.baseline)
    concerns = concern_words(rows, papers.characteristics)
    beside = concern_words(baseline, papers.characteristics)
    groups = [
        "Evaluation over groups of people. " + " ".join(audit_words(papers)),
        f"Concerns of the model:\n\n{bullets(concerns)}" if concerns else "",
        f"Concerns of the baseline, for comparison:\n\n{bullets(beside)}" if beside else "",
        "No finding is not a finding of no difference: a group that cannot be seen, or for which there is not enough "
        "data, is not thereby treated alike." if len(rows) else "",
    ]  # fmt: skip
    tipping = tipping_words(papers)
    groups += [f"If recording differed between groups:\n\n{bullets(tipping)}"] if tipping else []
    performance = [*performance_words(papers), coverage_words(papers), backtest_words(papers), *groups]
    return {
        "model_name": Answer(papers.model_id, "the experiment"),
        "model_version": Answer(f"run {papers.run_id}, riskmodel {papers.code_version}", "the run's manifest"),
        "model_task": Answer(
            f"To forecast {papers.target_title.lower()} ({papers.target}) in each small area by month.",
            "the experiment",
        ),
        "model_input": Answer(factor_words(papers) or "Each area's own past counts.", "tables/factors.csv"),
        "model_output": Answer(
            "For each area and month the expected number of records, and draws from which likely ranges over longer "
            "periods and larger places are made.",
            "the program",
        ),
        "model_architecture": Answer(architecture_words(papers, papers.model_id), "the experiment and the program"),
        "model_performance": Answer(
            "\n\n".join(part for part in performance if part),
            "tables comparison, leaderboard, calibration, audit and tipping_points",
        ),
        "datasets": Answer(bullets(_purposes(papers)), "the sources' definitions; tables/factors.csv"),
    }


def _purposes(papers: Papers) -> list[str]:
    """Each source with what it serves for."""
    words = {"target": "what is forecast, for learning and judging", "factor": "model inputs", "audit": "the audit"}
    said = []
    for name, spec in sorted(papers.sources.items()):
        uses = {use.partition(":")[0] for measure in papers.measures_of(name).values() for use in measure}
        found = [text for key, text in words.items() if key in uses]
        found += ["codes, names and outlines of places"] if spec.frame else []
        serves = "; ".join(found) or "read, and not used for the model shown"
        said.append(f"{spec.title}: {serves} (datasheets/{name}.md)")
    return said
