"""What a run can say of its data, their risks and the assessments made, for the transparency record.

In: the papers' contents. Out: answers by slug. Who holds the data, and where, only their owner knows.
"""

from __future__ import annotations

from riskmodel.narrative.forecast_words import joined
from riskmodel.narrative.model_words import percent_words
from riskmodel.narrative.papers.atrs_fields import Answer
from riskmodel.narrative.papers.atrs_tool import USES
from riskmodel.narrative.papers.contents import Papers
from riskmodel.narrative.papers.evidence import backtest_words, factor_words, place_words
from riskmodel.narrative.papers.findings import characteristic_words, group_words, judged, tipping_words
from riskmodel.narrative.papers.markdown import bullets, number, sentence
from riskmodel.narrative.workbook_text import day_words

__all__ = ["data_answers", "recording_words", "risk_words", "sharing_words"]


def data_answers(papers: Papers) -> dict[str, Answer]:
    """Answers to the fields 2.4.3.1 to 2.5.2, those that only an owner can give left out."""
    sensitive, sharing = _sensitive(papers), sharing_words(papers)
    rests = "the sources' definitions; tables/factors.csv"
    return _development(papers) | {
        "development_sensitive_attributes": Answer(sensitive, rests),
        "development_data_sharing": Answer(sharing, "the sources' definitions", "agreements made beside these"),
        "operational_data_sources": Answer(
            f"The same sources as for learning, in their newest issue published by {day_words(papers.as_of)}: "
            f"{'; '.join(spec.title for _, spec in sorted(papers.sources.items()))}.",
            "the sources' definitions",
        ),
        "operational_sensitive_attributes": Answer(f"As for learning. {sensitive}", rests),
        "operational_data_processing": Answer(
            "As for learning: one code path makes the inputs at a past date and in use, so nothing published later can "
            "reach a forecast.",
            "the program",
        ),
        "operational_data_sharing": Answer(sharing, "the sources' definitions", "agreements made beside these"),
        "impact_assessments": Answer(
            "Drafts made with this run: an equality impact assessment (eqia.md), an ALGO-CARE checklist "
            "(algo_care.md), a model card and a datasheet for each source. A draft is not an assessment.",
            "the run",
            "the assessments made, with date and result: data protection, equality, and others",
        ),
        "risks_and_mitigations": Answer(
            bullets(risk_words(papers)),
            "tables audit, recording, feedback, tipping_points and data_requests; the policy",
            "risks of the organisation's own use",
        ),
    }


def _development(papers: Papers) -> dict[str, Answer]:
    recording, places = papers.table("recording"), place_words(papers)
    quantities = (
        f"{len(papers.inputs)} published files." if papers.inputs else "",
        f"{places}." if places else "",
        f"Months of records: {recording['period'].min()} to {recording['period'].max()}." if len(recording) else "",
        factor_words(papers),
        backtest_words(papers),
    )
    return {
        "development_data_description": Answer(
            f"Counts of records by small area and month, and facts about places: population, housing, health, "
            f"education, deprivation and the like. Counted: {papers.covers} Each source has a datasheet.",
            "the target's and the sources' definitions",
        ),
        "development_data_modality": Answer("Tables; outlines of areas for maps.", "the sources' definitions"),
        "development_data_quantities": Answer(
            " ".join(filter(None, quantities)),
            "the run's manifest; tables places, recording, factors and comparison",
        ),
        "development_data_completeness": Answer(
            "\n\n".join(filter(None, (recording_words(papers), _missing(papers)))),
            "tables recording and quality",
        ),
        "development_data_cleaning": Answer(
            "Rows that repeat a record's identifier in one file are left out; older area codes are converted to those "
            "of 2021, with totals kept; a missing month stays missing. Nothing is cut off or filled in unsaid: every "
            "rule and how many rows it met is in tables/quality.csv, and by source in the datasheets.",
            "tables/quality.csv",
        ),
        "development_data_collection": Answer(
            "Collected by their publishers for purposes of their own, and used again here. When each could be known, "
            "and on what that rests, is in its datasheet.",
            "the sources' definitions",
        ),
    }  # fmt: skip


def recording_words(papers: Papers) -> str:
    """How far recording itself changed: records with a known place, first and last month."""
    held = papers.table("recording").dropna(subset=["located_share"])
    if not len(held):
        return ""
    first, last = held.iloc[0], held.iloc[-1]
    return (
        f"Of the force's records, {percent_words(first['located_share'])} had a known place in {first['period']} and "
        f"{percent_words(last['located_share'])} in {last['period']}. A record without a place is in no area's count, "
        f"so counts of areas change with this share, with no change in violence."
    )


def _missing(papers: Papers) -> str:
    held = papers.table("quality")
    gone = held[held["rule"] == "month missing"]
    filled = held[held["rule"].str.startswith(f"values filled in for {papers.model_id} ")] if len(held) else held
    parts = [
        f"Missing months, never taken for nought: {number(gone['rows'].sum())}." if len(gone) else "",
        f"Blank inputs that the model took a typical value for, over all horizons: {number(filled['rows'].sum())}."
        if len(filled)
        else "",
        f"Representativeness: what was recorded, not what happened. {papers.leaves_out}",
    ]
    return " ".join(part for part in parts if part)


def _sensitive(papers: Papers) -> str:
    specs = papers.characteristics
    people = [
        n
        for n in papers.policy.characteristics or specs
        if n in specs and specs[n].question not in ("place", "poverty")
    ]
    audited = joined([characteristic_words(name, specs).lower() for name in people])
    factors = "; ".join(f"{name} ({question})" for name, question in papers.sensitive_factors.items())
    police = "; ".join(papers.police_generated_factors)
    permitted = "; ".join(f"{held.factor} ({held.reason})" for held in papers.policy.permitted_factors)
    foretold = _proxies(papers)
    said = (
        "No personal data reach the model: records become counts by area and month before anything is learned.",
        f"Shares of groups of residents are held for the audit: {audited}." if audited else "",
        f"Model inputs that say who lives in a place: {factors or 'none that the audit knows'}.",
        f"Inputs that their source declares to follow police activity: {police or 'none'}.",
        f"Permitted by the policy: {permitted}." if permitted else "",
        f"Inputs that stand in for where a group lives, as measured:\n\n{bullets(foretold)}" if foretold else "",
    )
    return "\n\n".join(filter(None, said))


def _proxies(papers: Papers) -> list[str]:
    held = papers.table("proxies")
    single = held[(held["proxy"] == "yes") & (held["feature"] != "all")]
    return [
        f"{group_words(str(group), str(name), papers.characteristics)}: {joined(sorted(map(str, rows['feature'])))}"
        for (name, group), rows in single.groupby(["characteristic", "group"], sort=True)
    ]


def sharing_words(papers: Papers) -> str:
    """On what footing the sources are held."""
    restricted = {name: spec for name, spec in sorted(papers.sources.items()) if spec.sharing is not None}
    said = [
        f"{spec.title}: {spec.sharing.agreement}, controller {spec.sharing.controller}, until "
        f"{day_words(spec.sharing.expires)}"
        for spec in restricted.values()
        if spec.sharing is not None
    ]
    licences = dict.fromkeys(spec.licence for name, spec in sorted(papers.sources.items()) if name not in restricted)
    open_ = sentence(f"Published under: {'; '.join(licences)}") if licences else ""
    return "\n\n".join(filter(None, (open_, f"Held under agreements:\n\n{bullets(said)}" if said else "")))


def risk_words(papers: Papers) -> list[str]:
    """What may go wrong, with the run's figures, and what is done about it."""
    rows = judged(papers, papers.model_id)
    concerns = int((rows["verdict"] == "concern").sum())
    unseen = int(rows["verdict"].isin(["not_visible", "not_assessable", "insufficient"]).sum())
    requests, small = papers.table("data_requests"), papers.policy.disclosure
    audited = "" if len(rows) else " This run holds no audit."
    examined = len(papers.table("tipping_points")) > 0
    tipping = f"would change the verdict for {len(tipping_words(papers))} groups" if examined else "was not examined"
    return [
        "Recorded violence is not violence: what is not reported or not recorded is not seen, and recording may "
        f"differ between groups. A supposed difference in recording {tipping}. Other streams of evidence, such as "
        "ambulance call-outs, stand beside the police's where the run has them.",
        f"A group may be forecast too high or too low: {concerns} concerns were found for the model. Too low, people "
        "go without an offer of support; too high, they are looked at more than others. Bounds and stop rules are set "
        f"in the policy before a run.{audited}",
        f"Some groups cannot be judged: {unseen} questions have no answer on the data held, and {len(requests)} "
        "requests say which data would settle them.",
        f"Attention may feed on itself, where more attention brings more records. {_feedback(papers)}Inputs that "
        "follow police activity are refused unless the policy permits them.",
        "Numbers may be used for what they are not meant for, such as judging a place or pursuing people: the pages "
        f"say so, and the policy allows only: {USES[papers.policy.use]}.",
        f"Small numbers may point to people: counts of restricted sources below {small.suppress_below} are left blank, "
        f"others rounded to {small.round_to}, and further ones left blank so that none can be worked out.",
        "What is found with recorded violence may be read as its cause: the pages say that association is not cause.",
        "A forecast may drift: every run repeats the backtest, the calibration and the audit.",
    ]  # fmt: skip


def _feedback(papers: Papers) -> str:
    held = papers.table("feedback")
    if not len(held):
        return ""
    last = held[held["step"] == held["step"].max()]
    without, with_ = (last[(last["exploration"] > 0) == explored]["index"] for explored in (False, True))
    explored = f", and at most {number(with_.max())} with a share given by lot" if len(with_) else ""
    said = f"In a simulation the share forecast in the areas put first came to at most {number(without.max())} times"
    return f"{said} its true share{explored}. " if len(without) else ""
