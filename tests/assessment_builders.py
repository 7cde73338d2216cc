"""An assessment of a small invented region with a ledger of conditions, for tests of documents and texts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

import planner_builders as given
from riskmodel.contracts.policy_specs import PolicySpec
from riskmodel.contracts.tables import TABLES, as_table
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.narrative.assessment import Assessment
from riskmodel.narrative.bundle import DRAFT
from riskmodel.narrative.facts import FactBook
from riskmodel.narrative.forecast_words import Counted
from riskmodel.narrative.published import publish
from riskmodel.narrative.workbook_text import SourceNote

DISTRICT, OTHER, WARD, REGION = "E07000081", "E07000079", "E05000001", "E23000037"
COUNTED = Counted(given.TARGET, "Violence recorded by police", "violence", "no fixed place", "none", "police")
CLUSTERS = {
    "society/crowding": ("society/crowding; society/owned_homes", 1.18, "higher", "stable"),
    "community/density": ("community/density", 0.91, "lower", "stable"),
    "community/rural": ("community/rural", 1.02, "higher", "uncertain"),
}


def ledger(level: str, *codes: str) -> pd.DataFrame:
    rows = [
        {
            "model_id": "ridge (conditions)", "level": level, "location": code, "kind": "cluster", "unit": unit,
            "members": members, "ledger": side, "multiplier": times, "low": times - 0.01, "high": times + 0.02,
            "sign_agreement": 1.0, "mark": mark, "expected_records": np.nan,
        }
        for code in codes
        for unit, (members, times, side, mark) in CLUSTERS.items()
    ]  # fmt: skip
    return as_table(pd.DataFrame(rows), TABLES["ledger"])


def history() -> pd.DataFrame:
    """Two whole years and a newer one with a gap, of every place."""
    rows = [
        {
            "target": given.TARGET, "window": "12_months", "level": level, "location": code,
            "start": f"{year}-07-01", "end": f"{year + 1}-06-30", "recorded": np.nan if year == 2024 else 1000.0 + year,
            "months_held": 11 if year == 2024 else 12, "months_of": 12, "note": "",
        }
        for level, named in given.PLACES.items()
        for code in named
        for year in (2022, 2023, 2024)
    ]  # fmt: skip
    return as_table(pd.DataFrame(rows), TABLES["history"])


def tables() -> dict[str, pd.DataFrame]:
    small = list(given.PLACES["lsoa21"])
    areas = pd.DataFrame({"location": small, "msoa21": "E02000001", "ward24": WARD, "pfa": REGION})
    areas["lad24"] = [DISTRICT, DISTRICT, DISTRICT, OTHER]
    areas["ward24"] = [WARD, WARD, "E05000002", "E05000002"]
    return {
        "outlook": given.outlook(),
        "history": history(),
        "places": given.places(),
        "areas": areas,
        "ledger": ledger("lad24", DISTRICT, OTHER),
        "catalogue": pd.DataFrame(
            {
                "factor": ["society/crowding", "society/owned_homes", "community/density"],
                "stage": ["youth", "all", "all"],
                "unit": ["per cent", "per cent", "people"],
                "role": ["risk", "protective", "context"],
                "used_in": ["conditions"] * 3,
            }
        ),
        "comparison": given.comparison(),
        "noise_floor": given.noise_floor(),
        "calibration": given.calibration(),
    }


def assessment(workspace: Workspace, changed: Mapping[str, pd.DataFrame] | None = None, **about: Any) -> Assessment:
    """An assessment whose policy is the workspace's own."""
    held = {**tables(), **(changed or {})}
    withheld = about.pop("withheld", {})
    book = FactBook(held, "0123abcd", withheld=withheld)
    policy: PolicySpec = workspace.read("policy", "default")
    shown = {k: v for k, v in held.items() if k in ("outlook", "history", "places", "calibration", "comparison")}
    own: dict[str, Any] = {
        "book": book, "region": "Gloucestershire", "question": "What is expected?", "run_id": "0123abcd",
        "model_id": "ensemble", "baseline": "rolling_12", "as_of": date(2025, 9, 1), "state": DRAFT,
        "decision": "No decision was made.", "targets": [COUNTED],
        "published": publish(shown, [COUNTED], withheld, book)[0],
        "policy": policy, "titles": {"society/crowding": "Crowded homes"},
        "sources": [SourceNote("Street-level crime", "police.uk", "Open Government Licence v3.0")],
    }  # fmt: skip
    return Assessment(**(own | about))
