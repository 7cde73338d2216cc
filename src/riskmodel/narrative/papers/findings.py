"""What an audit found, in words: in goes the table ``audit``, out come rows and sentences that several papers share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from riskmodel.contracts.audit_tables import AUDIT
from riskmodel.contracts.errors import RiskmodelError
from riskmodel.contracts.specs import CharacteristicSpec
from riskmodel.narrative.facts.marks import as_plain
from riskmodel.narrative.fairness_words import members_words
from riskmodel.narrative.forecast_words import NOT_AVAILABLE, joined
from riskmodel.narrative.model_words import percent_words
from riskmodel.narrative.papers.contents import Papers
from riskmodel.narrative.papers.markdown import in_people, number, table

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "CARRY_VERDICT",
    "VERDICT_WORDS",
    "characteristic_words",
    "concern_words",
    "counted",
    "figure_words",
    "findings_table",
    "group_words",
    "judged",
    "require_defined",
    "span_words",
    "tipping_words",
]

VERDICT_WORDS = {
    "concern": "concern",
    "no_evidence": "no evidence of a difference",
    "insufficient": "not enough data to tell",
    "not_visible": "cannot be seen this way",
    "not_assessable": "no data to judge by",
    "suppressed": "withheld to protect people",
    "described": "described, not judged",
}
"""Each verdict as a reader meets it; none of them says that all is well."""
CARRY_VERDICT = tuple(verdict for verdict in VERDICT_WORDS if verdict != "described")
_ALL = "all"


def require_defined(papers: Papers) -> None:
    """Refuse an audit of characteristics that no definition explains: a paper would call them unmeasured.

    Raises
    ------
    RiskmodelError
        Naming them.
    """
    audited = {part for name in papers.table("audit")["characteristic"].unique() for part in str(name).split(" x ")}
    unknown = sorted(audited - set(papers.characteristics))
    if unknown:
        raise RiskmodelError(
            "the audit is of characteristics that have no definition",
            found=unknown,
            allowed=sorted(papers.characteristics),
        )


def judged(papers: Papers, model_id: str, names: Iterable[str] | None = None) -> pd.DataFrame:
    """The rows of a model that carry a verdict over all places and origins, of these characteristics or of all."""
    held = papers.table("audit")
    # A check that only describes may lack data too; that is no question left open.
    judging = held.loc[(held["code"] == "M2") | held["verdict"].isin(["concern", "no_evidence"]), "check"].unique()
    keep = (held["model_id"] == model_id) & (held["part"] == _ALL) & held["verdict"].isin(CARRY_VERDICT)
    keep &= held["check"].isin(judging)
    if names is not None:
        keep &= held["characteristic"].isin(list(names))
    return held[keep].sort_values(list(AUDIT.key), kind="stable")


def counted(rows: pd.DataFrame) -> dict[str, int]:
    """How many rows have each verdict, in the order of ``VERDICT_WORDS``; those that none has are left out."""
    found = rows["verdict"].value_counts()
    return {verdict: int(found[verdict]) for verdict in VERDICT_WORDS if verdict in found.index}


def characteristic_words(name: str, specs: Mapping[str, CharacteristicSpec]) -> str:
    """A characteristic by its title, without the remark on its classes; an intersection by the titles of its parts.

    Examples
    --------
    >>> characteristic_words("sex x age_band", {})
    'Sex, together with age band'
    """
    first, *others = [
        specs[part].title.partition(",")[0] if part in specs else _spoken(part) for part in name.split(" x ")
    ]
    own = first[:1].upper() + first[1:]
    return f"{own}, together with {joined([title[:1].lower() + title[1:] for title in others])}" if others else own


def group_words(group: str, characteristic: str, specs: Mapping[str, CharacteristicSpec]) -> str:
    """A group, or the groups of an intersection; names of ethnic groups and religions keep their capital.

    Examples
    --------
    >>> group_words("not_disabled & aged_65_and_over", "disability x age_band", {})
    'Not disabled and aged 65 and over'
    """
    return as_plain(members_words(characteristic, group, specs))


def _spoken(name: str) -> str:
    return name.replace("_", " ")


def figure_words(value: float, unit: str) -> str:
    """A figure of the audit in its unit; a contrast of logs is said as so many times.

    Examples
    --------
    >>> figure_words(0.0488, "log ratio"), figure_words(0.352, "share"), figure_words(float("nan"), "times")
    ('1.05 times', '35.2%', '')
    """
    if value != value:
        return ""
    if unit == "log ratio":
        return f"{math.exp(value):.2f} times"
    return percent_words(value) if unit == "share" else f"{number(value)} {unit}"


def span_words(low: float, high: float, unit: str) -> str:
    """An interval in its unit, the unit said once.

    Examples
    --------
    >>> span_words(-0.01, 0.18, "log ratio"), span_words(0.1, 0.2, "share"), span_words(0.1, float("nan"), "share")
    ('0.99 to 1.20 times', '10.0% to 20.0%', '')
    """
    ends = [figure_words(end, unit) for end in (low, high)]
    said = "times" if unit == "log ratio" else unit
    return f"{ends[0].removesuffix(f' {said}')} to {ends[1]}" if all(ends) else ""


def findings_table(rows: pd.DataFrame, specs: Mapping[str, CharacteristicSpec], *, crossed: bool = False) -> str:
    """Verdict rows as a table: what was found, in both directions, with its interval and what could have been seen."""
    headings = [
        *(["Where these meet"] if crossed else []), "Group", "Asked by", "Held against", "Model", "Found",
        "90 % interval", "Per 1,000 residents a year", "Smallest difference that would be seen", "Verdict",
    ]  # fmt: skip
    lines = []
    for _, row in rows.iterrows():
        lead = [characteristic_words(str(row["characteristic"]), specs)] if crossed else []
        lines.append([*lead, *_finding(row, specs)])
    return table(headings, lines)


def _finding(row: pd.Series[Any], specs: Mapping[str, CharacteristicSpec]) -> list[str]:
    unit, hidden = str(row["unit"]), row["verdict"] == "suppressed"
    # Figures of what cannot be seen would only seem to reassure.
    figures = ["none"] * 4 if row["verdict"] == "not_visible" else [
        figure_words(row["statistic"], unit),
        span_words(row["low"], row["high"], unit),
        _people(row),
        in_people(row["per_1000_smallest_seen"]).removeprefix("+"),
    ]  # fmt: skip
    return [
        group_words(str(row["group"]), str(row["characteristic"]), specs),
        f"{_spoken(str(row['check']))} ({row['code']}, {row['evidence']})",
        str(row["source"]),
        str(row["model_id"]),
        *("withheld" if hidden else figure or NOT_AVAILABLE for figure in figures),
        _verdict(row),
    ]


def _verdict(row: pd.Series[Any]) -> str:
    said = VERDICT_WORDS[str(row["verdict"])]
    if row["verdict"] != "concern":
        return said
    asks = {"action": ", calls for action", "notice": ", to be noticed"}.get(str(row["severity"]), "")
    way = {"over": ": more forecast than recorded", "under": ": less forecast than recorded"}
    return f"{said}{asks}{way.get(str(row['direction']), '')}"


def _people(row: pd.Series[Any]) -> str:
    middle, low, high = (in_people(row[name]) for name in ("per_1000", "per_1000_low", "per_1000_high"))
    return f"{middle} ({low} to {high})" if middle and low and high else middle


def concern_words(rows: pd.DataFrame, specs: Mapping[str, CharacteristicSpec]) -> list[str]:
    """A sentence for each concern among the rows, the most severe first."""
    found = rows[rows["verdict"] == "concern"]
    found = found.sort_values("severity", key=lambda s: s != "action", kind="stable")
    said = []
    for _, row in found.iterrows():
        people = _people(row)
        also = f", or {people} per 1,000 residents a year" if people else ""
        shown, none = (figure_words(row[name], str(row["unit"])) for name in ("statistic", "no_difference"))
        span = span_words(row["low"], row["high"], str(row["unit"])) or NOT_AVAILABLE
        said.append(
            f"{_who(row, specs)}: {shown} (90 % interval {span}; {none} with no difference){also}; "
            f"{_verdict(row)}. Evidence: {row['evidence']}, held against {row['source']}."
        )
    return said


def tipping_words(papers: Papers) -> Sequence[str]:
    """For each group whose verdict would change under a supposed recording: the nearest supposition that does it."""
    held = papers.table("tipping_points")
    held = held[(held["model_id"] == papers.model_id) & (held["changes"] == "yes")]
    said = []
    for _, rows in held.groupby(["characteristic", "group"], sort=True):
        row = rows.loc[(rows["recorded_share"] - 1).abs().sort_values(kind="stable").index[0]]
        said.append(
            f"{_who(row, papers.characteristics)}: if violence that affects the group were recorded at "
            f"{number(row['recorded_share'])} times the rate of others', the verdict would be: "
            f"{VERDICT_WORDS.get(str(row['verdict']), str(row['verdict']))}."
        )
    return said


def _who(row: pd.Series[Any], specs: Mapping[str, CharacteristicSpec]) -> str:
    name = str(row["characteristic"])
    title = characteristic_words(name, specs)
    return f"{group_words(str(row['group']), name, specs)} ({title[:1].lower()}{title[1:]})"
