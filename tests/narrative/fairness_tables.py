"""The tables of an invented audit, by their records, with every verdict in them, and what names them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from riskmodel.contracts.audit_tables import (
    AUDIT,
    AUDIT_PLACES,
    AUDIT_REFITS,
    DATA_REQUESTS,
    FEEDBACK,
    INTERSECTIONS,
    POOR_BASE,
    PROXIES,
    TIPPING_POINTS,
)
from riskmodel.contracts.policy_specs import DecisionSpec, PolicySpec
from riskmodel.contracts.specs import CharacteristicSpec
from riskmodel.contracts.tables import as_table
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.fairness.cross_stream import part_of
from riskmodel.fairness.decisions import Decision
from riskmodel.fairness.poor_base import WITHOUT_POOR_BASE
from riskmodel.fairness.tested import Tested
from riskmodel.narrative.maps import Outlines, make_outlines

REPOSITORY = Path(__file__).resolve().parents[2]
RUN, SHA = "0123456789abcdef", "ab" * 32
MODEL, BASELINE, SOURCE = "lightgbm_poisson", "rolling_12", "police_uk"
OTHERS = ("poisson_ridge", "history_poisson", "ensemble", "hist_poisson", "ebm", "rolling_36", "same_month")
# Verdict, contrast and its error by (characteristic, evidence, group); the rest is decided by the error alone.
PLANNED = {
    ("ethnic_group", "composition", "black"): ("concern", "action", -0.118, 0.03),
    ("ethnic_group", "composition", "white"): ("concern", "notice", 0.061, 0.017),
    ("ethnic_group", "composition", "asian"): ("no_evidence", "", 0.006, 0.018),
    ("ethnic_group", "composition", "mixed"): ("insufficient", "", -0.031, 0.05),
    ("ethnic_group", "ambulance", "asian"): ("concern", "action", -0.14, 0.03),
    ("ethnic_group", "outcomes", "other"): ("suppressed", "", -0.021, 0.4),
    ("ethnic_group", "outcomes", "black"): ("concern", "action", -0.31, 0.09),
    ("sex", "outcomes", "female"): ("concern", "notice", -0.13, 0.03),
    ("sex", "outcomes", "male"): ("no_evidence", "", 0.02, 0.03),
    ("disability", "outcomes", "disabled"): ("insufficient", "", -0.08, 0.11),
    ("disability", "outcomes", "not_disabled"): ("no_evidence", "", 0.03, 0.02),
    ("religion", "composition", "sikh"): ("not_assessable", "", float("nan"), float("nan")),
    ("religion", "composition", "jewish"): ("suppressed", "", 0.077, 0.1),
    ("deprivation", "composition", "most_deprived_fifth"): ("concern", "notice", -0.055, 0.015),
}
QUESTION = "Is more, or less, forecast in proportion to what was recorded where {group} live than where others do?"
UNSEEN = ("sex", "disability")
OUTCOMES = ("sex", "disability", "ethnic_group")
WHY = {
    "concern": "The difference lies beyond the bound and is hard to explain by chance.",
    "no_evidence": "The interval lies inside the bound.",
    "insufficient": "The interval reaches over the bound on either side.",
    "not_visible": "Shares of the group hardly differ between areas.",
    "not_assessable": "Fewer than 500 people of the group live in the region.",
    "suppressed": "17 records are too few to show.",
    "described": "A figure to look at.",
}
DESCRIBED = (
    ("exposure_bias", "M1", "How far is the forecast above what was recorded, for the group's residents?",
     "records per 1,000 residents a month", 0.0),
    ("coverage", "M3", "What share of recorded violence lies in the areas put first?", "share", 0.4),
    ("yield", "M4", "How much is recorded where areas are put first?", "records per 1,000", 90.0),
    ("loss", "M5", "How far off is the forecast beside what is to be expected?", "times", 1.0),
    ("selection", "M6", "How many of the group live in the areas put first?", "share", 0.2),
    ("burden", "M7", "How many live in areas put first that would not be by the records?", "share", 0.05),
    ("share_gradient", "M8", "How does the forecast change with the group's share?", "log ratio", 0.0),
    ("level", "M9", "Is the worst fifth of places as well forecast?", "log ratio", 0.0),
    ("composition", "M10", "Who lives in the areas most put first?", "share", 0.2),
    ("drift", "M11", "Does the contrast change over time?", "log ratio", 0.0),
)  # fmt: skip


@dataclass
class Invented:
    """All that a fairness page is made of."""

    tables: dict[str, pd.DataFrame]
    policy: PolicySpec
    characteristics: dict[str, CharacteristicSpec]
    shapes: dict[str, Outlines] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    tested: list[Tested] = field(default_factory=list)


def invented(*, models: int = 2, crossed: int = 1, more: bool = False, areas: int = 36, seed: int = 7) -> Invented:
    """An audit of several models and crossings; ``more`` adds nineteen ethnic groups beside the five."""
    workspace = Workspace(REPOSITORY)
    policy = workspace.read("policy", "default")
    policy = policy.model_copy(update={"intersections": policy.intersections[:crossed]})
    names = [*policy.characteristics, *(["ethnic_group_19"] if more else [])]
    held = {name: workspace.read("characteristic", name) for name in names}
    groups = {name: [*(spec.groups or spec.classes), *([spec.rest] if spec.rest else [])]
              for name, spec in held.items()}  # fmt: skip
    chance = np.random.default_rng(seed)
    ids = [MODEL, BASELINE, *OTHERS][:models]
    tables = {
        "audit": _audit(ids, groups, policy, chance),
        "intersections": _intersections(ids[:2], groups, policy, chance),
        "tipping_points": _tipping(ids[:2], groups, policy),
        "feedback": _feedback(policy),
        "proxies": _proxies(groups, chance),
        "audit_refits": _refits(groups, chance),
        "data_requests": _requests(),
        **_places(areas, ids[:2], chance),
    }
    sources = {"police_uk": "Recorded crime by place", "police_victims": "People affected, by the police",
               "ambulance": "Ambulance call-outs for assault"}  # fmt: skip
    return Invented(tables, policy, held, _shapes(areas), sources, _tested())


def _row(**given: Any) -> dict[str, Any]:
    blank = {c.name: np.nan if c.dtype == "float" else "" for c in AUDIT.columns}
    return blank | {"target": "recorded_violence@1", "level": "lsoa21", "part": "all", "blocks": 16} | given


def _audit(
    models: list[str], groups: dict[str, list[str]], policy: PolicySpec, chance: np.random.Generator
) -> pd.DataFrame:
    rows = []
    for name, own in groups.items():
        for model, group in product(models, own):
            people = float(chance.integers(600, 300_000))
            rows.append(_verdict(model, name, group, "composition", SOURCE, people, policy, chance))
            if name in OUTCOMES:
                rows.append(_verdict(model, name, group, "outcomes", "police_victims", people, policy, chance))
            elif name in ("religion", "age_band"):
                rows.append(_no_source(model, name, group, people))
            rows += [_described(model, name, group, people, entry, chance) for entry in DESCRIBED]
            if model in models[:2] and name in ("ethnic_group", "deprivation"):
                rows += _parts(model, name, group, people, policy, chance)
            if name == "ethnic_group":
                rows.append(_verdict(model, name, group, "composition", "ambulance", people, policy, chance,
                                     part_of("ambulance")))  # fmt: skip
    for names in policy.intersections:
        for model, parts in product(models, product(*(groups[name] for name in names))):
            people = float(chance.integers(20, 9_000))
            rows.append(_verdict(model, " x ".join(names), " & ".join(parts), "composition", SOURCE, people, policy,
                                 chance))  # fmt: skip
    return as_table(pd.DataFrame(rows, columns=AUDIT.names), AUDIT)


def _verdict(
    model: str, name: str, group: str, evidence: str, source: str, people: float, policy: PolicySpec,
    chance: np.random.Generator, part: str = "all",
) -> dict[str, Any]:  # fmt: skip
    bounds = policy.bounds.outcome_calibration_ratio if evidence == "outcomes" else policy.bounds.calibration_ratio
    theta, error = float(chance.normal(0, 0.015)), float(chance.uniform(0.012, 0.06))
    verdict, severity = ("no_evidence" if abs(theta) + 1.75 * error < np.log(bounds.notice) else "insufficient"), ""
    if name in UNSEEN and evidence == "composition":
        verdict = "not_visible"
    planned = PLANNED.get((name, source if source == "ambulance" else evidence, group))
    if planned is not None and model != BASELINE:
        verdict, severity, theta, error = planned
    if " x " in name and people < 500:
        verdict, theta, error = "not_assessable", np.nan, np.nan
    elif " x " in name and chance.random() < 0.06:
        verdict, severity, theta = "concern", "notice", float(chance.choice([-1, 1])) * 4 * error + 0.05
    rate = 38.0
    return _row(
        check="calibration_ratio", code="M2", characteristic=name, group=group, evidence=evidence, source=source,
        model_id=model, part=part, question=QUESTION.format(group=group.replace("_", " ")),
        statistic=theta, unit="log ratio", no_difference=0.0, low=theta - 1.75 * error, high=theta + 1.75 * error,
        p=0.01 if verdict == "concern" else 0.4, p_adjusted=0.03 if verdict == "concern" else 0.8,
        bound=np.log(bounds.notice), action_bound=np.log(bounds.action), verdict=verdict, severity=severity,
        direction="over" if theta > 0 else "under" if theta < 0 else "", smallest_seen=2.99 * error,
        per_1000=rate * np.expm1(theta), per_1000_low=rate * np.expm1(theta - 1.75 * error),
        per_1000_high=rate * np.expm1(theta + 1.75 * error), per_1000_smallest_seen=rate * np.expm1(2.99 * error),
        people=people, explanation=WHY[verdict],
    )  # fmt: skip


def _no_source(model: str, name: str, group: str, people: float) -> dict[str, Any]:
    """Asked of every group, though no source gives its counts."""
    return _row(
        check="calibration_ratio", code="M2", characteristic=name, group=group, evidence="outcomes", source="none",
        model_id=model, question=QUESTION.format(group=group.replace("_", " ")), unit="log ratio",
        verdict="not_assessable", people=people, blocks=0, explanation="No source held gives records by these groups.",
    )  # fmt: skip


def _described(
    model: str, name: str, group: str, people: float, entry: tuple[str, str, str, str, float],
    chance: np.random.Generator,
) -> dict[str, Any]:  # fmt: skip
    check, code, question, unit, nothing = entry
    value = nothing + float(chance.normal(0, 0.1 * max(nothing, 0.2)))
    return _row(
        check=check, code=code, characteristic=name, group=group, evidence="composition", source=SOURCE,
        model_id=model, question=question, statistic=value, unit=unit, no_difference=nothing, low=value - 0.02,
        high=value + 0.02, verdict="described", people=people, explanation=WHY["described"],
    )  # fmt: skip


def _parts(
    model: str, name: str, group: str, people: float, policy: PolicySpec, chance: np.random.Generator
) -> list[dict[str, Any]]:
    found = []
    parts = ["origin 2023-01", "origin 2023-07", "origin 2024-01", "district East", "district West"]
    for part in [*parts, *(f"fifth {n} by level expected" for n in range(1, 6))]:
        row = _verdict(model, name, group, "composition", SOURCE, people, policy, chance, part)
        code, check = ("M9", "conditional_calibration") if part.startswith("fifth") else ("M11", "drift_parts")
        found.append(row | {"check": check, "code": code, "verdict": "described", "severity": "", "direction": ""})
    found.append(_verdict(model, name, group, "composition", SOURCE, people, policy, chance,
                          WITHOUT_POOR_BASE))  # fmt: skip
    return found


def _intersections(
    models: list[str], groups: dict[str, list[str]], policy: PolicySpec, chance: np.random.Generator
) -> pd.DataFrame:
    rows = []
    for names in policy.intersections:
        for model, (place, parts) in product(models, enumerate(product(*(groups[name] for name in names)))):
            point = float(chance.normal(1, 0.04))
            key = {"characteristic": " x ".join(names), "group": " & ".join(parts), "model_id": model,
                   "people": float(chance.integers(20, 9_000)), "point": point}  # fmt: skip
            depends = "yes" if place % 7 == 2 else "no"
            rows += [
                key | {"knowledge": "independent", "low": point, "high": point, "depends": "no",
                       "note": "the tables' totals differ by up to 0.12%"},
                key | {"knowledge": "margins", "low": 0.3 * point, "high": np.nan, "depends": "yes",
                       "note": "no upper end: the group could live only where nothing was recorded"},
                key | {"knowledge": "band", "low": 0.93 * point, "high": 1.08 * point, "depends": depends, "note": ""},
                key | {"knowledge": "band and districts", "low": np.nan, "high": np.nan, "depends": "no",
                       "note": "no table of these characteristics together is held for districts"},
            ]  # fmt: skip
    return as_table(pd.DataFrame(rows, columns=INTERSECTIONS.names), INTERSECTIONS)


def _tipping(models: list[str], groups: dict[str, list[str]], policy: PolicySpec) -> pd.DataFrame:
    rows = []
    for name, own in groups.items():
        for model, (place, group), share in product(models, enumerate(own), policy.evidence.recorded_shares):
            as_is = "insufficient" if place % 2 else "no_evidence"
            changes = place % 3 == 0 and share <= 0.8
            rows.append({
                "characteristic": name, "group": group, "model_id": model, "recorded_share": share,
                "statistic": 0.05 * np.log(share), "prioritised_share": 0.2 + 0.01 * place, "need_share": 0.21,
                "verdict": "concern" if changes else "suppressed" if group == "jewish" else as_is,
                "changes": "yes" if changes else "no",
            })  # fmt: skip
    return as_table(pd.DataFrame(rows, columns=TIPPING_POINTS.names), TIPPING_POINTS)


def _feedback(policy: PolicySpec) -> pd.DataFrame:
    spec = policy.feedback
    rows = []
    for uplift, part, lot, step in product(spec.uplifts, spec.discovered, spec.exploration, range(1, spec.steps + 1)):
        gain = uplift * part * (1 - (lot if uplift * part else 0.0))
        index = 1.06 + 0.45 * gain**0.7 * (1 - np.exp(-step / 9))
        rows.append({"uplift": uplift, "discovered": part, "exploration": lot, "step": step, "index": index,
                     "low": index - 0.05, "high": index + 0.06})  # fmt: skip
    return as_table(pd.DataFrame(rows, columns=FEEDBACK.names), FEEDBACK)


def _proxies(groups: dict[str, list[str]], chance: np.random.Generator) -> pd.DataFrame:
    rows = []
    features = ["community/private_renting.latest", "society/income_deprivation.latest", "target.mean_12", "exposure"]
    for name, own in groups.items():
        for group, feature in product(own, ["all", *features]):
            known = float(chance.uniform(-0.05, 0.25)) + (0.15 if feature == "all" else 0.0)
            rows.append({"characteristic": name, "group": group, "feature": feature, "r_squared": known,
                         "attribution_share": float(chance.uniform(0, 0.3)) if feature != "all" else np.nan,
                         "proxy": "yes" if known > 0.1 else "no"})  # fmt: skip
    return as_table(pd.DataFrame(rows, columns=PROXIES.names), PROXIES)


def _refits(groups: dict[str, list[str]], chance: np.random.Generator) -> pd.DataFrame:
    rows = []
    for refit, note in (("proxies", ""), ("police-generated inputs", "the model has no such input")):
        for name in ("ethnic_group", "deprivation"):
            for group in groups[name]:
                change = (-0.004, -0.009, 0.001, float(chance.normal(0, 0.01)), 0.94, float(chance.normal(0, 0.01)))
                held = change if not note else (np.nan,) * 6
                figures = zip(("skill_change", "skill_low", "skill_high", "calibration_change", "same_places",
                               "people_moved"), held, strict=True)  # fmt: skip
                rows.append({"refit": refit, "characteristic": name, "group": group, "left_out": 0 if note else 7,
                             "note": note, **dict(figures)})  # fmt: skip
    return as_table(pd.DataFrame(rows, columns=AUDIT_REFITS.names), AUDIT_REFITS)


def _requests() -> pd.DataFrame:
    rows = [
        {"characteristic": "disability", "group": "disabled", "verdict": "insufficient", "least_records": 2_400.0,
         "wanted": "Counts of people affected by recorded violence, by month, small area and whether they are disabled",
         "columns": "area; period; disability; people_affected", "breakdowns": "disabled; not disabled",
         "who": "The police force; victim services"},
        {"characteristic": "religion", "group": "sikh", "verdict": "not_assessable", "least_records": np.nan,
         "wanted": "Counts of people affected by recorded violence, by quarter, district and religion",
         "columns": "area; period; religion; people_affected", "breakdowns": "as in the census",
         "who": "The police force"},
        {"characteristic": "religion", "group": "jewish", "verdict": "suppressed", "least_records": 900.0,
         "wanted": "Counts of people affected by recorded violence, by quarter, district and religion",
         "columns": "area; period; religion; people_affected", "breakdowns": "as in the census",
         "who": "The police force"},
    ]  # fmt: skip
    return as_table(pd.DataFrame(rows, columns=DATA_REQUESTS.names), DATA_REQUESTS)


def _codes(areas: int) -> pd.DataFrame:
    number = np.arange(areas)
    side = int(np.ceil(np.sqrt(areas)))
    middle = (number // side // 2) * (side // 2 + 1) + (number % side) // 2
    district = (number % side >= side // 2).astype(int) + 2 * (number // side >= side // 2)
    return pd.DataFrame({
        "lsoa21": [f"E01{n:06d}" for n in number], "msoa21": [f"E02{n:06d}" for n in middle],
        "lad24": [f"E0700000{n + 1}" for n in district],
    })  # fmt: skip


def _places(areas: int, models: list[str], chance: np.random.Generator) -> dict[str, pd.DataFrame]:
    codes = _codes(areas)
    frames = [pd.DataFrame({"level": "lsoa21", "location": codes["lsoa21"], "name": "Lea " + codes["lsoa21"],
                            "lad24": codes["lad24"]})]  # fmt: skip
    for level, called in (("msoa21", "Middle "), ("lad24", "District ")):
        own = codes.drop_duplicates(level)
        inside = own["lad24"] if level != "lad24" else None
        frames.append(pd.DataFrame({"level": level, "location": own[level], "name": called + own[level].str[-2:],
                                    "lad24": inside}))  # fmt: skip
    places = pd.concat(frames, ignore_index=True).assign(population=np.nan, parent_name="")
    rows = [
        {"target": "recorded_violence@1", "model_id": model, "level": level, "location": code,
         "residents": float(chance.integers(5_000, 9_000)), "ratio": float(chance.normal(1, 0.05)),
         "put_first": float(chance.choice([0.0, 0.0, 0.0, 0.3, 0.7, 1.0]))}
        for model in models for level in ("lad24", "msoa21") for code in codes[level].unique()
    ]  # fmt: skip
    per = np.where(np.arange(areas) % 20 == 3, 140.0, chance.gamma(1.0, 9.0, areas))
    poor = pd.DataFrame({"area": codes["lsoa21"], "per_1000": per, "poor_base": np.where(per > 60, "yes", "no")})
    return {
        "places": places,
        "audit_places": as_table(pd.DataFrame(rows, columns=AUDIT_PLACES.names), AUDIT_PLACES),
        "poor_base": as_table(poor, POOR_BASE),
    }


def _shapes(areas: int) -> dict[str, Outlines]:
    import shapely

    codes = _codes(areas)
    side = int(np.ceil(np.sqrt(areas)))
    x, y = np.arange(areas) % side * 0.01 - 2, np.arange(areas) // side * 0.006 + 51
    boxes = np.array(shapely.box(x, y, x + 0.01, y + 0.006), dtype=object)
    return {level: make_outlines(boxes, codes[level].tolist()) for level in ("msoa21", "lad24")}


def _tested() -> list[Tested]:
    where, counts = "where people live", "counts by group"
    return [
        Tested("Nothing wrong was put in", where, 1.0, 0.021, 0.011, 0.039, 400),
        Tested("Half too little for an ethnic group", where, 1.5, 0.44, 0.39, 0.49, 400),
        Tested("Half too little for women", counts, 1.5, 0.96, 0.93, 0.98, 400),
    ]


def decision(**changes: Any) -> DecisionSpec:
    """A decision on the invented run."""
    given: dict[str, Any] = {
        "run": RUN, "audit_sha256": SHA, "verdict": "accept_with_conditions", "decided_on": date(2025, 10, 2),
        "decided_by": ["A. Reviewer", "B. Reviewer"], "reasons": "Better than counting for those it can see.",
        "conditions": [{"condition": "Ask for counts by disability", "owner": "The unit's analyst",
                        "due": date(2026, 1, 31)}],
        "dissent": "One member held that too little is known of disabled people.", "interests": "none",
        "minutes": "minutes/2025-10-02.pdf", "review_on": date(2026, 4, 1), "experiment": "demo", "model_id": MODEL,
        "use": "offers_of_support", "policy": "default", "policy_sha256": SHA, "manifest_sha256": SHA,
    }  # fmt: skip
    return DecisionSpec.model_validate(given | changes)


def decided(spec: DecisionSpec, *void: str) -> Decision:
    """A decision as it is kept, with the reasons why it does not count."""
    return Decision("2025-10-02-run", SHA, spec, void)
