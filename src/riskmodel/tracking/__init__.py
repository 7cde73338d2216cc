"""Tracking: finished runs go in, MLflow runs and the way back to them come out.

The only package that imports mlflow, and only inside functions. Nothing here reaches the network unless the tracking
store itself is a server, and nothing is written to stdout.
"""

from __future__ import annotations

from riskmodel.tracking.definitions import recorded_definitions, target_tags
from riskmodel.tracking.interface import run_ui, ui_command
from riskmodel.tracking.promoting import Promoted, promote_model
from riskmodel.tracking.reading import fetch_artifacts, find_run, list_runs
from riskmodel.tracking.records import Candidate, RunRecord, StoredCandidate, StoredRun
from riskmodel.tracking.relocate import Moved, find_moved, mend_moved
from riskmodel.tracking.store import Store, resolve_store
from riskmodel.tracking.writing import check_store, log_run

__all__ = [
    "Candidate",
    "Moved",
    "Promoted",
    "RunRecord",
    "Store",
    "StoredCandidate",
    "StoredRun",
    "check_store",
    "fetch_artifacts",
    "find_moved",
    "find_run",
    "list_runs",
    "log_run",
    "mend_moved",
    "promote_model",
    "recorded_definitions",
    "resolve_store",
    "run_ui",
    "target_tags",
    "ui_command",
]
