"""How well the model does and what it rests on, in words that several papers share.

In: the papers' contents. Out: sentences and tables whose numbers are those of ``comparison``, ``leaderboard``,
``calibration``, ``domains``, ``places``, ``recording`` and ``factors``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from riskmodel.contracts.registry import load, names
from riskmodel.explain.adds import ALL_FACTORS, factors_add
from riskmodel.narrative.forecast_words import joined
from riskmodel.narrative.model_words import percent_words
from riskmodel.narrative.papers.contents import Papers
from riskmodel.narrative.papers.findings import VERDICT_WORDS, counted, judged
from riskmodel.narrative.papers.markdown import number, table
from riskmodel.narrative.workbook_text import LEVEL_NAMES, WINDOW_NAMES

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "architecture_words",
    "audit_words",
    "backtest_words",
    "calibration_table",
    "candidate_rows",
    "coverage_words",
    "factor_words",
    "input_words",
    "performance_words",
    "place_words",
    "skill_table",
]

_CENTRAL = 0.9
_PLACES = {"lsoa21": "LSOAs", "msoa21": "MSOAs", "lad24": "districts"}


def performance_words(papers: Papers) -> list[str]:
    """Skill against counting first, then level, order of places and what the factors add."""
    said = [papers.headline]
    row = papers.row("leaderboard", papers.model_id)
    if row is not None:
        said.append(
            f"Level: over the backtest's origins, the mean size of log(expected / recorded) for the whole region is "
            f"{number(row['level_error'])}. Order of places: the first 20 % of residents by expected rate lived where "
            f"{percent_words(row['hit_rate_20'])} of records lay."
        )
    domains = papers.table("domains")
    if len(domains) and (domains["domain"] == ALL_FACTORS).any():
        said.append(factors_add(domains))
    return said


def coverage_words(papers: Papers) -> str:
    """Whether the likely ranges by month held what they promised, level by level."""
    rows = _calibration(papers)
    rows = rows[rows["window"] == "month"]
    parts = [
        f"{LEVEL_NAMES.get(str(row['level']), str(row['level']))} {percent_words(row['pit_mass'])}{_ends(row)}: "
        f"{row['verdict']}"
        for _, row in rows.iterrows()
    ]
    if not parts:
        return ""
    return (
        "Share of monthly counts in the middle 90 % of their forecast, which should be 90 %: " + "; ".join(parts) + "."
    )


def calibration_table(papers: Papers) -> str:
    """The same for every length of period."""
    return table(
        ["Period", "Places", "In the middle 90 %", "90 % interval", "Forecasts", "Verdict"],
        [
            [
                WINDOW_NAMES.get(str(row["window"]), str(row["window"])),
                LEVEL_NAMES.get(str(row["level"]), str(row["level"])),
                percent_words(row["pit_mass"]),
                _ends(row).removeprefix(" (").removesuffix(")"),
                number(row["forecasts"]),
                str(row["verdict"]),
            ]
            for _, row in _calibration(papers).iterrows()
        ],
    )


def _calibration(papers: Papers) -> pd.DataFrame:
    held = papers.table("calibration")
    mine = (held["model_id"] == papers.model_id) & (held["target"] == papers.target)
    return held[mine & (held["stratum"] == "all") & ((held["central"] - _CENTRAL).abs() < 1e-9)]


def _ends(row: pd.Series[Any]) -> str:
    if row["low"] != row["low"]:
        return ""
    return f" ({percent_words(row['low'])} to {percent_words(row['high'])})"


def skill_table(papers: Papers) -> str:
    """Skill against the baseline by horizon, over all origins."""
    held = papers.table("comparison")
    rows = held[(held["model_id"] == papers.model_id) & (held["origin_date"] == "all")]
    return table(
        ["Score", "Months ahead", "Skill", "90 % interval", "Forecasts", "Verdict"],
        [
            [
                str(row["metric"]).replace("_", " "),
                str(row["horizon"]),
                percent_words(row["skill"]),
                _ends(row).removeprefix(" (").removesuffix(")"),
                number(row["forecasts"]),
                str(row["verdict"]),
            ]
            for _, row in rows.iterrows()
        ],
    )


def backtest_words(papers: Papers) -> str:
    """On what the model was judged."""
    held = papers.table("comparison")
    mine = held[held["model_id"] == papers.model_id]
    whole = mine[(mine["origin_date"] == "all") & (mine["horizon"] == "all")]
    origins = sorted({str(day) for day in mine["origin_date"]} - {"all"})
    if not len(whole) or not origins:
        return ""
    return (
        f"Judged on forecasts made as if at {len(origins)} past dates, {origins[0]} to {origins[-1]}, from what "
        f"had been published by then: {number(whole['forecasts'].iloc[0])} forecasts of small areas by month, in "
        f"{number(whole['month_blocks'].iloc[0])} target months. No month was learned from before it was forecast."
    )


def candidate_rows(papers: Papers) -> list[list[str]]:
    """Every candidate and how it fared: name, kind, skill as the rule of selection measures it, and its outcome."""
    held = papers.table("selection")
    return [
        [
            str(row["model_id"]),
            architecture_words(papers, str(row["model_id"])),
            percent_words(row["skill"]),
            "chosen" if row["chosen"] == "yes" else str(row["why_not"]),
        ]
        for _, row in held.iterrows()
    ]


def architecture_words(papers: Papers, model_id: str) -> str:
    """What kind of model it is: the first sentence its own definition says of itself."""
    spec = papers.models.get(model_id)
    if spec is None or spec.use not in names("model"):
        return ""
    first = (load("model", spec.use).__doc__ or "").strip().split("\n\n")[0]
    settings = "; ".join(
        f"{key}: {joined([str(v) for v in value]) if isinstance(value, list) else value}"
        for key, value in sorted(spec.params.items())
    )
    return " ".join(first.replace("`", "").split()) + (f" Settings: {settings}." if settings else "")


def place_words(papers: Papers) -> str:
    """How many places and residents it is about."""
    held = papers.table("places")
    if not len(held):
        return ""
    counts = {name: int((held["level"] == level).sum()) for level, name in _PLACES.items()}
    parts = [f"{count:,} {name}" for name, count in counts.items() if count]
    whole = held[held["level"] == "pfa"]
    residents = f", {number(whole['population'].iloc[0])} usual residents" if len(whole) == 1 else ""
    return f"{joined(parts)}{residents}"


def input_words(papers: Papers) -> str:
    """The sources, by title and publisher."""
    return "; ".join(f"{spec.title} ({spec.publisher})" for _, spec in sorted(papers.sources.items()))


def factor_words(papers: Papers) -> str:
    """How many inputs the model has, by where they come from."""
    features = papers.features
    if not len(features):
        return ""
    domains = features["domain"].fillna("").value_counts().sort_index()
    left_out = len(papers.table("factors")) - len(features)
    said = "; ".join(f"{domain or 'other'}: {count}" for domain, count in domains.items())
    gone = f" {left_out} more were left out, with the reason in tables/factors.csv." if left_out else ""
    return f"{len(features)} model inputs ({said}).{gone}"


def audit_words(papers: Papers) -> list[str]:
    """What the audit asked and how its rows came out, for the model and for the baseline beside it."""
    said = []
    for model_id, name in {papers.baseline: "baseline", papers.model_id: "model"}.items():
        rows = judged(papers, model_id)
        found = "; ".join(f"{VERDICT_WORDS[verdict]}: {count}" for verdict, count in counted(rows).items())
        if len(rows):
            said.append(f"The {name}, {model_id}: {len(rows)} questions that carry a verdict. {found}.")
    return said[::-1] or ["This run holds no audit."]
