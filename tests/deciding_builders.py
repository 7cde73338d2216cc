"""A stored run with an invented audit: the small run's own tables and pages, and an audit that nobody computed.

In: a workspace where the small experiment has run. Out: another workspace, with a store of its own, that holds the same
run as if it had been audited.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from riskmodel.contracts.audit_tables import AUDIT
from riskmodel.contracts.policy_specs import DecisionSpec
from riskmodel.contracts.tables import as_table
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.narrative.papers.audit_json import table_sha256
from riskmodel.tracking import Candidate, RunRecord, find_run, log_run
from riskmodel.workflow.leave import write_outcome
from riskmodel.workflow.narrating import fetch_kept, review_of
from riskmodel.workflow.narration import About, read_narration, save_narration
from riskmodel.workflow.pages import json_text
from riskmodel.workflow.publishing import Published

REPOSITORY = Path(__file__).resolve().parents[1]
ROW = {
    "check": "calibration_ratio", "code": "M2", "characteristic": "ethnic_group", "group": "black",
    "evidence": "composition", "source": "police_uk", "target": "recorded_violence@1", "model_id": "rolling_12",
    "level": "lsoa21", "part": "all", "question": "Is as much forecast as is recorded?", "statistic": 0.08,
    "unit": "log ratio", "no_difference": 0.0, "low": 0.02, "high": 0.14, "p": 0.001, "p_adjusted": 0.004,
    "bound": 0.049, "action_bound": 0.095, "verdict": "no_evidence", "severity": "", "direction": "",
    "smallest_seen": 0.05, "per_1000": 1.25, "per_1000_low": 0.31, "per_1000_high": 2.2, "per_1000_smallest_seen": 0.8,
    "people": 5000.0, "blocks": 16, "explanation": "The interval holds no difference.",
}  # fmt: skip


def audit_rows(*changes: Mapping[str, Any]) -> pd.DataFrame:
    """The audit noun, one row for each mapping of what differs from ``ROW``."""
    return as_table(pd.DataFrame([ROW | change for change in changes]), AUDIT)


ACTION = {"verdict": "concern", "severity": "action", "direction": "under", "explanation": "Less was forecast."}
AUDITED = (
    ACTION,
    {"group": "asian"},
    {"characteristic": "sex", "group": "female", "verdict": "not_visible", "per_1000": float("nan")},
    {"characteristic": "sex", "group": "male", "verdict": "not_visible", "per_1000": float("nan")},
    {"characteristic": "sex x ethnic_group", "group": "female & black", "verdict": "insufficient"},
    ACTION | {"model_id": "eb_seasonal", "group": "other"},
)


@dataclass(frozen=True)
class Stored:
    """A workspace with one stored run that has an audit, and the bundle it left."""

    root: Path
    bundle: Path
    about: About
    audit_sha256: str
    manifest_sha256: str

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.root)

    def decision(self, verdict: str = "accept", **changes: Any) -> DecisionSpec:
        own = {
            "run": self.about.run_id, "audit_sha256": self.audit_sha256, "verdict": verdict,
            "decided_on": date(2026, 5, 2), "decided_by": ["A. Name, chair", "B. Name"], "reasons": "Read.",
            "experiment": "small", "model_id": self.about.model_id, "use": "offers_of_support", "policy": "default",
            "policy_sha256": self.about.policy.rules_sha256, "manifest_sha256": self.manifest_sha256,
        }  # fmt: skip
        return DecisionSpec(**(own | changes))

    def form(self, path: Path, **filled: str) -> Path:
        """The run's own form with some lines filled in, as a person would."""
        lines = (self.bundle / "decision_form.yaml").read_text(encoding="utf-8").splitlines()
        written = [f"{line} {filled.pop(line[:-1])}" if line[:-1] in filled else line for line in lines]
        assert not filled, f"the form does not ask for {filled}"
        path.write_text("\n".join(written) + "\n", encoding="utf-8", newline="\n")
        return path


def new_workspace(root: Path) -> Path:
    for room in ("features", "experiments", "fairness"):
        shutil.copytree(REPOSITORY / room, root / room)
    return root


def store_audited(ran: Path, root: Path, audit: pd.DataFrame, **about: Any) -> Stored:
    """Store the small run of one workspace in another, with this audit, by the steps with which a run leaves.

    ``about`` is what the stored run shall be about, where that is other than the run's own.
    ``audit.json`` is invented too: no version of the program would write it, as none may write a signed one anew.
    """
    with tempfile.TemporaryDirectory() as scratch:
        kept = fetch_kept(find_run("small@latest", workspace=ran), Path(scratch))
        held = read_narration(kept.narration, kept.bundle / "tables")
        shown = audit["model_id"].replace("rolling_12", held.about.model_id)
        tables = {**held.tables, "audit": audit.assign(model_id=shown)}
        said = held.about.model_copy(update={"tables": {**held.about.tables, "audit": "parquet"}, **about})
        named = {"sha256": table_sha256(tables["audit"])}
        record = json_text({"run_id": said.run_id, "rows": len(audit), "table": named})
        digest = hashlib.sha256(record.encode()).hexdigest()
        published = Published(tables=tables, model_id=said.model_id, headline=said.headline, audit=record)
        narration, models = Path(scratch) / "stored", Path(scratch) / "models"
        save_narration(replace(held, about=said, tables=tables), narration)
        out = root / "build" / "small"
        manifest = write_outcome(published, narration, review_of(said, digest, Workspace(root)), out)
        models.mkdir()
        (models / "model.json").write_text("{}\n", encoding="utf-8")
        log_run(
            RunRecord(
                experiment=said.experiment, question=said.question, run_id=said.run_id, params={},
                tags={"manifest_sha256": manifest, "selected": said.model_id},
                candidates=[Candidate(said.model_id, {}, {}, {}, models)], datasets={}, bundle=out, private=None,
                narration=narration,
            ),
            workspace=root,
        )  # fmt: skip
    return Stored(root, out, said, digest, manifest)
