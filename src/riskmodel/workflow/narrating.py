"""A finished run's bundle, made again from what is kept with the run: the verb narrate.

In: a stored run, and the decisions of the workspace. Out: the whole bundle, with the run's state on every page. Tables
and the audit are copied byte for byte, pages are written anew; no data folder is needed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodel.contracts.errors import DataFileError, UsageError
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.fairness.decision_files import read_decisions
from riskmodel.fairness.decisions import Audited, Review, make_review
from riskmodel.workflow.narration import About, Narration, read_about, read_narration, with_written
from riskmodel.workflow.pages import write_pages
from riskmodel.workflow.session import code_version
from riskmodel.workflow.since import SINCE_NEEDS, with_since

if TYPE_CHECKING:
    from riskmodel.tracking import StoredRun

__all__ = [
    "AUDIT_FILE",
    "AUDIT_TABLE",
    "Kept",
    "Narrated",
    "earlier_narration",
    "fetch_kept",
    "manifest_of",
    "narrate_kept",
    "narrate_run",
    "review_of",
    "since_of",
]

AUDIT_FILE = "audit.json"
"""The audit in a bundle: its sha256 is what reviewers decide on."""
AUDIT_TABLE = "tables/audit.parquet"
"""Every row of the audit: its hash is in the file that reviewers decide on."""


@dataclass(frozen=True)
class Kept:
    """A stored run's files, copied to a folder: its bundle, its narration, and the sha256 of its audit ('' if none)."""

    run: StoredRun
    bundle: Path
    narration: Path
    about: About
    audit_sha256: str


@dataclass(frozen=True)
class Narrated:
    """A bundle that was made again."""

    run_id: str
    experiment: str
    out: Path
    manifest_sha256: str
    review: Review


def review_of(about: About, audit_sha256: str, workspace: Workspace) -> Review:
    """What was decided on a run so far, by the decisions and the policy of the workspace as they are now.

    Raises
    ------
    DefinitionError
        If a decision, or the policy, cannot be read.
    """
    held = workspace.path("policy", about.policy_name).is_file()
    audited = Audited(
        run_id=about.run_id,
        experiment=about.experiment,
        model_id=about.model_id,
        audit_sha256=audit_sha256,
        policy=about.policy_name,
        rules=about.policy,
        rules_now=workspace.read("policy", about.policy_name) if held else None,
    )
    return make_review(audited, read_decisions(workspace))


def manifest_of(about: About, review: Review) -> dict[str, Any]:
    """What a bundle rests on and where its run stands, without the hashes of its files."""
    return {
        "run_id": about.run_id,
        "experiment": about.experiment,
        "question": about.question,
        "region": about.region,
        "target": about.target,
        "as_of": about.as_of.isoformat(),
        "seed": about.seed,
        "code_version": about.code_version,
        "narrated_with": code_version(),
        "headline": about.headline,
        "model_id": about.model_id,
        "audience": about.audience,
        "state": review.state.words,
        "definitions_sha256": about.definitions_sha256,
        "inputs": about.inputs,
        "geography_sha256": about.geography_sha256,
        "texts": {name: hashlib.sha256(text.encode()).hexdigest() for name, text in about.texts.items()},
        "geography_note": "codes, boundaries and residents are the newest held: fixed for the run, known in hindsight",
    }


def narrate_run(
    reference: str,
    *,
    workspace: Path,
    out: Path | None = None,
    since: str | None = None,
    tracking_uri: str | None = None,
) -> Narrated:
    """Write a finished run's whole bundle again, with the state that its newest decision gives it.

    Parameters
    ----------
    reference : str
        A run id, a prefix of one, or EXPERIMENT@latest.
    workspace : Path
        Whose decisions and policies hold.
    out : Path, optional
        Where the bundle shall lie; ``build/<experiment>`` of the workspace if absent.
    since : str, optional
        An earlier run of the region, named in the same way: the assessment then says what changed since.
    tracking_uri : str, optional
        Another MLflow store than the workspace's own.

    Returns
    -------
    Narrated

    Raises
    ------
    UsageError
        If a run is unknown or was stored without what its pages are made from, ``out`` is no place for a bundle, or the
        run cannot be compared with the earlier one.
    DataFileError
        If a stored file is not the one that was written.
    DefinitionError
        If a decision, text or approach cannot be read.
    """
    from riskmodel.narrative.bundle import require_place
    from riskmodel.tracking import find_run

    room = Workspace(workspace)
    run = find_run(reference, workspace=workspace, uri=tracking_uri)
    target = out or room.root / "build" / run.experiment
    require_place(target)
    earlier = None if since is None else find_run(since, workspace=workspace, uri=tracking_uri)
    with tempfile.TemporaryDirectory() as scratch:
        kept = fetch_kept(run, Path(scratch) / "now")
        before = None if earlier is None else earlier_narration(earlier, Path(scratch) / "before")
        return narrate_kept(kept, room, target, before=before)


def earlier_narration(run: StoredRun, scratch: Path) -> Narration:
    """An earlier run's narration: the tables that are compared, each as it was written.

    Raises
    ------
    UsageError
        If the run was stored without what its pages are made from.
    DataFileError
        If a stored file is not the one that was written.
    """
    kept = fetch_kept(run, scratch)
    for name in [name for name in SINCE_NEEDS if name in kept.about.tables]:
        _require_as_written(kept, f"tables/{name}.{kept.about.tables[name]}", kept.bundle)
    return read_narration(kept.narration, kept.bundle / "tables", only=SINCE_NEEDS)


def since_of(out: Path, run_id: str) -> str | None:
    """The earlier run that the bundle of a run says what changed since; None where there is no such bundle.

    Parameters
    ----------
    out : Path
        Where the bundle may lie.
    run_id : str
        A bundle of another run says nothing of this one.
    """
    from riskmodel.narrative.bundle import MANIFEST

    path = out / MANIFEST
    held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    since = held.get("since") if held.get("run_id") == run_id else None
    return None if since is None else str(since)


def fetch_kept(run: StoredRun, scratch: Path, *, whole: bool = True) -> Kept:
    """Copy what a stored run's bundle is made from, or, where not whole, what its decisions are about.

    Raises
    ------
    UsageError
        If the run was stored without what its pages are made from.
    DataFileError
        If the stored manifest or audit is not the one that was written.
    """
    from riskmodel.narrative.bundle import MANIFEST, file_sha256
    from riskmodel.narrative.papers import is_of_tables
    from riskmodel.tracking import fetch_artifacts

    try:
        narration = fetch_artifacts(run, "narration" if whole else "narration/about.json", scratch)
    except UsageError as error:
        raise UsageError(
            f"run {run.run_id} was stored without what its pages are made from",
            hint=f"run it again: riskmodel run {run.experiment}",
        ) from error
    narration = narration if whole else narration.parent
    fetch_artifacts(run, "bundle" if whole else f"bundle/{MANIFEST}", scratch)
    bundle = scratch / "bundle"
    if file_sha256(bundle / MANIFEST) != run.tags.get("manifest_sha256"):
        raise _not_as_written(run, MANIFEST)
    listed = json.loads((bundle / MANIFEST).read_text(encoding="utf-8"))["files"]
    audit_sha256 = listed.get(AUDIT_FILE, "")
    if audit_sha256:
        path = bundle / AUDIT_FILE if whole else fetch_artifacts(run, f"bundle/{AUDIT_FILE}", scratch)
        if file_sha256(path) != audit_sha256:
            raise _not_as_written(run, AUDIT_FILE)
        if not whole and AUDIT_TABLE in listed:
            fetch_artifacts(run, f"bundle/{AUDIT_TABLE}", scratch)
        # Whoever changed the table may have changed its hash in the manifest too, but not what was signed.
        if not is_of_tables(path, bundle / "tables"):
            raise _not_as_written(run, AUDIT_TABLE)
    return Kept(run, bundle, narration, read_about(narration), audit_sha256)


def narrate_kept(kept: Kept, workspace: Workspace, out: Path, *, before: Narration | None = None) -> Narrated:
    """Write a bundle from a stored run's files, and from what people wrote as it is now.

    Parameters
    ----------
    kept : Kept
    workspace : Workspace
    out : Path
    before : Narration, optional
        An earlier run's: the bundle then holds the table ``since``, and its pages say what changed.

    Raises
    ------
    UsageError
        If the two runs cannot be compared.
    DataFileError
        If a stored table is not the one that was written.
    DefinitionError
        If a decision, text or approach cannot be read.
    """
    from riskmodel.narrative.bundle import write_bundle, write_table

    about = with_written(kept.about, workspace)
    review = review_of(about, kept.audit_sha256, workspace)

    def add(folder: Path) -> None:
        _copy_tables(kept, folder)
        narration = replace(read_narration(kept.narration, folder / "tables"), about=about)
        if before is not None:
            narration = with_since(narration, before)
            write_table(folder / "tables" / "since.csv", narration.tables["since"])
        write_pages(narration, review, folder)

    manifest = manifest_of(about, review) | ({} if before is None else {"since": before.about.run_id})
    manifest_sha256 = write_bundle(out, tables={}, parquet=frozenset(), add=add, manifest=manifest)
    return Narrated(kept.run.run_id, kept.run.experiment, out, manifest_sha256, review)


def _copy_tables(kept: Kept, folder: Path) -> None:
    names = [f"tables/{name}.{suffix}" for name, suffix in kept.about.tables.items()]
    for name in [*names, *([AUDIT_FILE] if kept.audit_sha256 else [])]:
        shutil.copyfile(kept.bundle / name, folder / name)
        _require_as_written(kept, name, folder)


def _require_as_written(kept: Kept, name: str, folder: Path) -> None:
    from riskmodel.narrative.bundle import MANIFEST, file_sha256

    listed = json.loads((kept.bundle / MANIFEST).read_text(encoding="utf-8"))["files"]
    if file_sha256(folder / name) != listed[name]:
        raise _not_as_written(kept.run, name)


def _not_as_written(run: StoredRun, name: str) -> DataFileError:
    return DataFileError(
        "a stored file is not the one that was written",
        where=f"run {run.run_id}, {name}",
        hint=f"put back a good copy of mlruns, or run it again: riskmodel run {run.experiment}",
    )
