"""An invented audit with every verdict in it, and the papers' contents around it: only its shapes are real."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from riskmodel.contracts.audit_tables import AUDIT, DATA_REQUESTS, FEEDBACK, INTERSECTIONS, PROXIES, TIPPING_POINTS
from riskmodel.contracts.judging_tables import LEADERBOARD, SELECTION
from riskmodel.contracts.planner_tables import CALIBRATION, FACTORS, PLACES, RECORDING, TARGETS
from riskmodel.contracts.records import Table
from riskmodel.contracts.specs import ModelSpec
from riskmodel.contracts.tables import COMPARISON, QUALITY, as_table
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.narrative.papers import Papers

MODEL, BASELINE, TARGET = "poisson_ridge", "rolling_12", "recorded_violence@1"
STATE = "Draft: not approved for use"
# What stands in withheld rows: were it to reach a paper, it would be found there.
SECRET = 7654321.0
SECRET_WORDS = "exactly 7654321 people"
_BLANK = float("nan")
# group, characteristic, evidence, source, verdict, severity, log ratio
_FOUND: tuple[tuple[str, str, str, str, str, str, float], ...] = (
    ("black", "ethnic_group", "composition", "police_uk", "concern", "action", 0.1133),
    ("asian", "ethnic_group", "composition", "police_uk", "no_evidence", "", 0.0123),
    ("other", "ethnic_group", "composition", "police_uk", "suppressed", "", SECRET),
    ("female", "sex", "composition", "police_uk", "not_visible", "", 0.0011),
    ("female", "sex", "outcomes", "emergency_department", "insufficient", "", -0.0712),
    ("male", "sex", "outcomes", "emergency_department", "suppressed", "", SECRET),
    ("disabled", "disability", "composition", "police_uk", "not_visible", "", 0.0044),
    ("most_deprived_fifth", "deprivation", "composition", "police_uk", "concern", "notice", -0.0801),
    ("aged_15_to_24", "age_band", "composition", "police_uk", "insufficient", "", 0.0317),
    ("jewish", "religion", "composition", "police_uk", "not_assessable", "", _BLANK),
    ("female & black", "sex x ethnic_group", "composition", "police_uk", "concern", "notice", 0.0934),
    ("male & other", "sex x ethnic_group", "composition", "police_uk", "suppressed", "", SECRET),
)


def _frame(record: Table, rows: list[dict[str, Any]]) -> pd.DataFrame:
    return as_table(pd.DataFrame(rows, columns=record.names), record)


def audit_row(
    model_id: str, group: str, characteristic: str, evidence: str, source: str, verdict: str, severity: str,
    statistic: float, **changes: Any,
) -> dict[str, Any]:  # fmt: skip
    """One row; its other figures follow from the statistic, those of a withheld row give it away."""
    hidden = verdict == "suppressed"
    made = {
        "check": "calibration_ratio", "code": "M2", "characteristic": characteristic, "group": group,
        "evidence": evidence, "source": source, "target": TARGET, "model_id": model_id, "level": "lsoa21",
        "part": "all", "question": f"Is more forecast than recorded where {group} live?", "statistic": statistic,
        "unit": "log ratio", "no_difference": 0.0, "low": statistic - 0.05, "high": statistic + 0.05, "p": 0.0123,
        "p_adjusted": 0.0345, "bound": 0.0488, "action_bound": 0.0953, "verdict": verdict, "severity": severity or None,
        "direction": None if verdict != "concern" else "over" if statistic > 0 else "under", "smallest_seen": 0.0613,
        "per_1000": 30 * statistic, "per_1000_low": 30 * (statistic - 0.05), "per_1000_high": 30 * (statistic + 0.05),
        "per_1000_smallest_seen": 1.84, "people": 12345.0, "blocks": 16,
        "explanation": SECRET_WORDS if hidden else f"Why {group} is {verdict}.",
    }  # fmt: skip
    if hidden:
        made |= {"people": SECRET, "blocks": int(SECRET), "smallest_seen": SECRET, "per_1000_smallest_seen": SECRET}
    return made | changes


def audit_frame() -> pd.DataFrame:
    """Two models, all verdicts, both kinds of evidence, an intersection, and checks that are described by origin."""
    rows = [audit_row(MODEL, *found) for found in _FOUND]
    rows += [audit_row(BASELINE, *found[:-1], found[-1] / 2) for found in _FOUND]
    described = {"check": "exposure_bias", "code": "M1", "unit": "records per 1,000 residents a month"}
    black = ("black", "ethnic_group", "composition", "police_uk")
    rows += [
        audit_row(MODEL, *black, "described", "", value, part=part, **described)
        for value, part in ((0.021, "2023-01-01"), (0.034, "2023-07-01"), (0.028, "all"))
    ]
    return _frame(AUDIT, rows)


def _crossing_frames() -> dict[str, pd.DataFrame]:
    bounds = [
        {"characteristic": "sex x ethnic_group", "group": group, "model_id": MODEL, "knowledge": knowledge,
         "people": people, "low": point - wide, "point": point, "high": point + wide, "depends": depends, "note": None}
        for group, people, point, depends in (
            ("female & black", 4321.0, 1.098, "yes"), ("male & other", SECRET, SECRET, "yes"),
        )
        for knowledge, wide in (("independent", 0.0), ("band", 0.08))
    ]  # fmt: skip
    tipping = [
        {"characteristic": "ethnic_group", "group": group, "model_id": MODEL, "recorded_share": share,
         "statistic": value, "prioritised_share": 0.31, "need_share": 0.33, "verdict": verdict, "changes": changes}
        for group, share, value, verdict, changes in (
            ("black", 1.0, 0.1133, "concern", "no"), ("black", 0.8, 0.0312, "insufficient", "yes"),
            ("black", 0.6, -0.0911, "concern", "yes"), ("other", 1.0, SECRET, "suppressed", "no"),
            ("other", 0.8, SECRET, "concern", "yes"),
        )
    ]  # fmt: skip
    return {
        "intersections": _frame(INTERSECTIONS, bounds),
        "tipping_points": _frame(TIPPING_POINTS, tipping),
        "data_requests": _frame(
            DATA_REQUESTS,
            [
                {"characteristic": "disability", "group": "disabled", "verdict": "not_visible",
                 "wanted": "Counts of people affected, by month, small area and disability.",
                 "columns": "area; month; disability; people", "breakdowns": "disabled; not disabled; not known",
                 "least_records": 1357.0, "who": "police; ambulance trust"},
                {"characteristic": "ethnic_group", "group": "other", "verdict": "suppressed", "wanted": "More records.",
                 "columns": "area", "breakdowns": "other", "least_records": SECRET, "who": "police"},
            ],
        ),
        "proxies": _frame(
            PROXIES,
            [{"characteristic": "ethnic_group", "group": "black", "feature": "community/private_renting.latest",
              "r_squared": 0.31, "attribution_share": 0.04, "proxy": "yes"}],
        ),
        "feedback": _frame(
            FEEDBACK,
            [{"uplift": 3.0, "discovered": 1.0, "exploration": explored, "step": step, "index": index, "low": index,
              "high": index}
             for explored, step, index in ((0.0, 1, 1.1), (0.0, 36, 2.31), (0.2, 1, 1.1), (0.2, 36, 1.62))],
        ),
    }  # fmt: skip


def _run_frames() -> dict[str, pd.DataFrame]:
    skill = [
        ("all", "all", 0.0594, 0.0497, 0.0686),
        ("all", "1", 0.0612, 0.05, 0.07),
        ("2023-01-01", "all", 0.04, _BLANK, _BLANK),
        ("2024-07-01", "all", 0.05, _BLANK, _BLANK),
    ]
    return {
        "comparison": _frame(
            COMPARISON,
            [{"model_id": MODEL, "baseline": BASELINE, "metric": "poisson_deviance", "origin_date": origin,
              "horizon": horizon, "skill": value, "low": low, "high": high, "forecasts": 58950, "month_blocks": 30,
              "verdict": "better than counting"} for origin, horizon, value, low, high in skill],
        ),
        "leaderboard": _frame(
            LEADERBOARD,
            [dict.fromkeys(LEADERBOARD.names) | {"model_id": MODEL, "level_error": 0.0395, "hit_rate_20": 0.4621,
             "forecasts": 58950, "left_out": 0}],
        ),
        "calibration": _frame(
            CALIBRATION,
            [{"model_id": MODEL, "target": TARGET, "window": "month", "level": level, "stratum": "all", "value": "all",
              "central": central, "pit_mass": mass, "low": mass - 0.02, "high": mass + 0.02, "coverage": mass,
              "coverage_expected": 0.92, "forecasts": 5895, "month_blocks": 30, "verdict": verdict}
             for level, central, mass, verdict in (("lsoa21", 0.9, 0.9099, "calibrated"),
                                                   ("lsoa21", 0.5, 0.5111, "calibrated"),
                                                   ("lad24", 0.9, 0.7811, "not calibrated"))],
        ),
        "selection": _frame(
            SELECTION,
            [dict.fromkeys(SELECTION.names) | {"model_id": model, "chosen": chosen, "skill": value,
             "beats_baseline": "yes", "calibrated": "lsoa21: calibrated", "audit": "no audit", "why_not": why}
             for model, chosen, value, why in ((BASELINE, "no", 0.0, "others beat it"), (MODEL, "yes", 0.0594, None))],
        ),
        "places": _frame(
            PLACES,
            [{"level": level, "location": code, "name": code, "lad24": None, "population": people, "parent_name": None}
             for level, code, people in (("pfa", "E1", 645062.0), ("lad24", "E2", 645062.0), ("lsoa21", "E3", 1500.0),
                                         ("lsoa21", "E4", 1600.0))],
        ),
        "recording": _frame(
            RECORDING,
            [{"period": period, "located": 1000.0, "unlocated": 200.0, "out_of_force": 3.0, "located_share": share,
              "all_recorded": 1200.0} for period, share in (("2021-01", 0.8175), ("2025-06", 0.9603))],
        ),
        "targets": _frame(
            TARGETS,
            [{"target": TARGET, "title": "Recorded violence and sexual offences", "covers": "Some records.",
              "leaves_out": "Others.", "differs": "Far wider.", "unit": "located records a month",
              "source": "police_uk", "measures": "violence_and_sexual_offences"}],
        ),
        "factors": _frame(
            FACTORS,
            [{"feature": f"{factor}.latest", "transform": "Latest", "factor": factor, "domain": factor.split("/")[0],
              "role": "risk", "source": "census2021", "measures": "m", "files": 1, "files_sha256": None,
              "left_out": left_out}
             for factor, left_out in (
                 ("target", None), ("community/private_renting", None), ("individual/aged_15_to_19", None),
                 ("individual/bad_health", "not yet published"))],
        ),
        "quality": _frame(
            QUALITY,
            [{"source": "police_uk", "file": f"police/{period}.csv", "period": period, "measure": measure, "rule": rule,
              "rows": rows, "note": note}
             for period in ("2025-05", "2025-06")
             for measure, rule, rows, note in (
                 ("violence_and_sexual_offences", "raw rows", 1203.0, "rows of the published file"),
                 ("violence_and_sexual_offences", "unlocated", 200.0, "no area code"),
                 ("burglary", "raw rows", 99.0, "rows of the published file"))]
            + [{"source": "police_uk", "file": None, "period": None, "measure": "all", "rule": "month missing",
                "rows": 1.0, "note": "missing, never zero"}],
        ),
    }  # fmt: skip


@cache
def _definitions(repository: Path) -> dict[str, Any]:
    workspace = Workspace(repository)
    sources = workspace.read_all("source")
    return {
        "target": workspace.read("target", "recorded_violence"),
        "policy": workspace.read("policy", "default"),
        "sources": {name: sources[name] for name in ("police_uk", "census2021", "geography", "emergency_department")},
        "factors": {f"{domain}/{name}": factor for domain, held in workspace.read_all("factor").items()
                    for name, factor in held.factors.items()},
        "characteristics": workspace.read_all("characteristic"),
    }  # fmt: skip


@cache
def _tables() -> dict[str, pd.DataFrame]:
    return {"audit": audit_frame(), **_crossing_frames(), **_run_frames()}


def make_papers(repository: Path, **changes: Any) -> Papers:
    """The papers of an invented run, with the repository's own definitions."""
    definitions = dict(_definitions(repository))
    target = definitions.pop("target")
    given: dict[str, Any] = {
        "state": STATE, "title": "Exmere", "experiment": "exmere", "question": "Can it be forecast?", "target": TARGET,
        "target_title": target.title, "covers": target.covers, "leaves_out": target.leaves_out,
        "differs": target.differs, "model_id": MODEL, "baseline": BASELINE,
        "headline": "Better than counting: poisson_ridge has a skill of 5.9 % (90 % interval 5.0 % to 6.9 %).",
        "tables": _tables(), "policy_name": "default",
        "models": {MODEL: ModelSpec(use=MODEL, params={"offset": "shares_level"}), BASELINE: ModelSpec(use=BASELINE)},
        "as_of": date(2025, 9, 1), "run_id": "0123456789abcdef", "code_version": "0.1.0+abc", "seed": 1,
        "inputs": {"police/2025-06.csv": "0" * 64},
    }  # fmt: skip
    return Papers(**(given | definitions | changes))


def shuffled(table: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The same rows in another order."""
    order = np.random.default_rng(seed).permutation(len(table))
    return table.iloc[order].reset_index(drop=True)
