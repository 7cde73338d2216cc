"""What changed since the last assessment: in goes the table ``since``, out comes a section, or none without the table.

A change is told only where the ranges of then and now do not meet; of conditions, only what became or ceased to be
stable; of the audit, only answers that are other than they were.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from riskmodel.explain.thresholds import STABLE
from riskmodel.narrative.assessment.contents import Assessment
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.fairness_words import VERDICTS
from riskmodel.narrative.forecast_sections import Section
from riskmodel.narrative.forecast_words import NOT_AVAILABLE, joined, period_words
from riskmodel.narrative.model_words import cluster_words
from riskmodel.narrative.published import WIDE
from riskmodel.narrative.tables_html import Heading, HtmlTable, Row
from riskmodel.narrative.workbook_text import LEVEL_NAMES, day_words

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["since_section"]

_READING = {
    "more": "more expected than then", "fewer": "fewer expected than then",
    "the ranges meet": "no clear change: the ranges meet", "cannot be said": "cannot be said",
}  # fmt: skip
_CARE = (
    "Then and now, the expected number is that of the twelve months after each assessment, so the months differ. "
    "Records also change when more people report, or when recording changes."
)


def since_section(assessment: Assessment) -> Section | None:
    """The section on what changed."""
    held = assessment.table("since")
    if held is None:
        return None
    then, day = (held.loc[held["what"] == what, "before_words"].iloc[0] for what in ("run", "as_of"))
    opening = bare(f"The last assessment was made from run {then}, as of {_day(day)}.")
    parts = [_numbers(assessment, held), _conditions(assessment, held), _audit(assessment, held), _rests(held)]
    return Section(
        "since", "What changed since the last assessment", [opening], parts=[part for part in parts if part is not None]
    )


def _day(text: str) -> str:
    return day_words(date.fromisoformat(text))


def _span(text: str) -> str:
    first, last = (date.fromisoformat(day) for day in text.split(" to "))
    return period_words(first, last)


def _numbers(assessment: Assessment, held: pd.DataFrame) -> Section | None:
    """Recorded and expected, then and now."""
    at = {tuple(key): row for row, *key in held[["what", "target", "level", "location"]].itertuples()}
    named = assessment.published.outlook.where(windows=["12_months"], levels=WIDE).rows
    listed = set(zip(named["level"], named["location"], strict=True))
    titles = {counted.target: counted.title for counted in assessment.targets}
    counted = held[held["what"].isin(["expected", "recorded"]) & held["target"].isin(list(titles))]
    rows = [
        Row(
            (
                titles[r["target"]], bare(str(r["name"])), LEVEL_NAMES[r["level"]],
                *(_one(assessment, at, "recorded", r, end) for end in ("before", "now")),
                *(_range(assessment, at, r, end) for end in ("before", "now")),
                _READING[r["note"] if r["what"] == "expected" else "cannot be said"],
            )
        )
        for _, r in counted.drop_duplicates(["target", "level", "location"]).iterrows()
        if not listed or (r["level"], r["location"]) in listed
    ]  # fmt: skip
    if not rows:
        return None
    headings = [
        Heading("What is counted"), Heading("Place"), Heading("Kind"), Heading("Recorded then", number=True),
        Heading("Recorded now", number=True), Heading("Expected then", number=True, unit="9 in 10"),
        Heading("Expected now", number=True, unit="9 in 10"), Heading("What can be said"),
    ]  # fmt: skip
    table = HtmlTable(
        "since-numbers", "Twelve months recorded and expected, then and now", headings, rows, (0, 1),
        whole="tables/since.csv",
    )  # fmt: skip
    return Section("since-numbers-part", "Recorded and expected", _told(assessment, held), tables=[table])


def _one(assessment: Assessment, at: dict[Any, int], what: str, row: Any, end: str) -> str:
    found = at.get((what, row["target"], row["level"], row["location"]))
    form = "recorded" if what == "recorded" else "expected"
    return NOT_AVAILABLE if found is None else assessment.say("since", found, end, form)


def _range(assessment: Assessment, at: dict[Any, int], row: Any, end: str) -> str:
    kinds = ("expected", "expected_low", "expected_high")
    middle, low, high = (_one(assessment, at, what, row, end) for what in kinds)
    return middle if low == NOT_AVAILABLE else f"{middle} ({low} to {high})"


def _told(assessment: Assessment, held: pd.DataFrame) -> list[str]:
    """Which months are compared, and in how many places the ranges do not meet."""
    target = assessment.target.target
    sentences = []
    for what, words in (("recorded", "Recorded"), ("expected", "Expected")):
        rows = held[(held["what"] == what) & (held["target"] == target)].dropna(subset=["before_words", "now_words"])
        sentences += [
            bare(f"{words}: then {_span(row['before_words'])}, now {_span(row['now_words'])}.")
            for row in rows.head(1).to_dict("records")
        ]
    rows = held[(held["what"] == "expected") & (held["target"] == target) & (held["level"] == "lad24")]
    if len(rows):
        districts = {"what": "expected", "target": target, "level": "lad24"}
        count = assessment.book.count
        clear = {k: count(f"since.{k}", "since", {**districts, "note": k}) for k in ("more", "fewer")}
        sentences.append(
            f"Of {count('since.districts', 'since', districts)} districts, the range expected now lies above that "
            f"expected then in {clear['more']}, and below it in {clear['fewer']}; in the others no change is clear."
        )
    return [" ".join(sentences), _CARE]


def _conditions(assessment: Assessment, held: pd.DataFrame) -> Section | None:
    """What became stable and what is no longer."""
    if assessment.table("stability") is None:
        return None
    rows = held[held["what"] == "condition"]
    bullets = []
    for row in rows.to_dict("records"):
        words = bare(cluster_words(row["name"], assessment.titles))
        change = "is stable now and was not then" if row["now_words"] == STABLE else "was stable then and is not now"
        note = f" ({row['note']})" if isinstance(row["note"], str) else ""
        bullets.append(f"{words} {change}{note}.")
    words = (
        "A condition that is stable keeps its direction when places and months are drawn again. That one ceases to be "
        "stable does not mean that it no longer matters, only that the data no longer bear naming it."
    )
    none = ["No condition became stable, and none ceased to be."] if not bullets else []
    return Section("since-conditions", "Conditions", [words, *none], bullets=bullets)


def _audit(assessment: Assessment, held: pd.DataFrame) -> Section | None:
    """Answers of the audit that changed."""
    if assessment.table("audit") is None:
        return None
    rows = held[held["what"] == "verdict"]
    if not len(rows):
        return Section("since-audit", "Audit", ["No answer of the audit that both runs hold is other than it was."])
    made = []
    for _, r in rows.iterrows():
        _, characteristic, group, evidence, *_ = str(r["name"]).split("; ")
        made.append(
            Row((assessment.group(characteristic, group), assessment.characteristic(characteristic),
                 "counts by group" if evidence == "outcomes" else "where people live",
                 _answer(r["before_words"]), _answer(r["now_words"])))
        )  # fmt: skip
    headings = [Heading("Group"), Heading("Characteristic"), Heading("Evidence"), Heading("Then"), Heading("Now")]
    caption = "Answers of the audit that are other than they were"
    table = HtmlTable("since-verdicts", caption, headings, made, (1, 3, 4), whole="tables/since.csv")
    words = "An answer can change because more months are known, and without any change for the people concerned."
    return Section("since-audit", "Audit", [words], tables=[table])


def _answer(words: str) -> str:
    verdict, _, severity = words.partition(": ")
    return VERDICTS.get(verdict, verdict) + (f": {severity}" if severity else "")


def _rests(held: pd.DataFrame) -> Section | None:
    """Sources, definitions and the model."""
    bullets = []
    sources = held[held["what"] == "source"]
    for word, verb in (("held", "Added"), ("not held", "Dropped")):
        titles = [bare(str(t)) for t in sources.loc[sources["now_words"] == word, "note"]]
        bullets += [f"{verb}: {joined(titles)}."] if titles else []
    for row in held[held["what"] == "definition"].to_dict("records"):
        bullets.append(bare(f"{row['name']}: {row['note']}, so then and now are not compared."))
    model = held[held["what"] == "model"].iloc[0]
    if model["before_words"] != model["now_words"]:
        bullets.append(bare(f"Another model is shown: {model['now_words']}; then it was {model['before_words']}."))
    words = [] if bullets else ["The same sources, definitions and model."]
    return Section("since-rests", "What the assessments rest on", words, bullets=bullets)
