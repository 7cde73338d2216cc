"""What reviewers do with a finished run: read its audit, decide on it, and let its model be used.

In: a stored run, and a filled-in form. Out: a decision beside the others, the bundle with its new state, and an alias
in the tracker that leads to approved models alone.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from riskmodel.contracts.audit_tables import AUDIT
from riskmodel.contracts.errors import EnvironmentProblem, FairnessGate, RiskmodelError, UsageError
from riskmodel.contracts.policy_specs import DecisionFormSpec, DecisionSpec
from riskmodel.contracts.tables import as_table
from riskmodel.contracts.yaml_files import Workspace, read_spec
from riskmodel.fairness import verdicts as v
from riskmodel.fairness.audit import WHOLE
from riskmodel.fairness.decision_files import FORM_FILE, form_text, write_decision
from riskmodel.fairness.decisions import Review
from riskmodel.fairness.gate import Gate, gate_of
from riskmodel.workflow.narrating import (
    Kept,
    Narrated,
    earlier_narration,
    fetch_kept,
    narrate_kept,
    review_of,
    since_of,
)

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.tracking import Promoted, StoredRun

__all__ = ["AuditFound", "Decided", "FormFound", "audit_run", "decide_run", "form_of", "promote_run"]

_ORDER = (v.CONCERN, v.NO_EVIDENCE, v.NOT_VISIBLE, v.INSUFFICIENT, v.SUPPRESSED, v.NOT_ASSESSABLE)


@dataclass(frozen=True)
class FormFound:
    """The empty form of a run: where it lies (None where no bundle of the run lies at ``out``), and what it asks."""

    run_id: str
    experiment: str
    path: Path | None
    text: str
    review: Review


@dataclass(frozen=True)
class Decided:
    """A decision that was written, and the bundle that was made again with it."""

    path: Path
    narrated: Narrated


@dataclass(frozen=True, eq=False)
class AuditFound:
    """A stored run's audit of the model shown, the stop rules it meets, and what was decided.

    ``groups`` has one row a group: its verdict over all the evidence, a judged one before one that is not.
    """

    run_id: str
    experiment: str
    model_id: str
    audit: pd.DataFrame
    groups: pd.DataFrame
    gate: Gate
    review: Review


def form_of(reference: str, *, workspace: Path, out: Path | None = None, tracking_uri: str | None = None) -> FormFound:
    """The form by which reviewers decide on a run.

    Parameters
    ----------
    reference : str
        A run id, a prefix of one, or EXPERIMENT@latest.
    workspace : Path
    out : Path, optional
        Where the run's bundle lies; ``build/<experiment>`` of the workspace if absent.
    tracking_uri : str, optional
        Another MLflow store than the workspace's own.

    Raises
    ------
    UsageError
        If the run is unknown, or has no audit.
    """
    room, run = _found(reference, workspace, tracking_uri)
    with tempfile.TemporaryDirectory() as scratch:
        kept = fetch_kept(run, Path(scratch), whole=False)
    _require_audit(kept)
    text = form_text(run.run_id, kept.audit_sha256)
    path = (out or room.root / "build" / run.experiment) / FORM_FILE
    held = path.is_file() and path.read_text(encoding="utf-8") == text
    review = review_of(kept.about, kept.audit_sha256, room)
    return FormFound(run.run_id, run.experiment, path if held else None, text, review)


def decide_run(
    reference: str, form: Path, *, workspace: Path, out: Path | None = None, tracking_uri: str | None = None
) -> Decided:
    """Keep the reviewers' decision on a run, and write the run's bundle again so that every page shows its state.

    Parameters
    ----------
    reference : str
        A run id, a prefix of one, or EXPERIMENT@latest.
    form : Path
        The filled-in form.
    workspace : Path
        Whose ``fairness/decisions`` gets the decision.
    out : Path, optional
        Where the bundle shall lie; ``build/<experiment>`` of the workspace if absent. Where the run's bundle there says
        what changed since an earlier run, the new one does too.
    tracking_uri : str, optional
        Another MLflow store than the workspace's own.

    Returns
    -------
    Decided

    Raises
    ------
    DefinitionError
        Listing everything that is wrong with the form, by line; it may be about another run or another audit.
    UsageError
        If the run, or the earlier one, is unknown, the run has no audit, no decision on it could stand, or ``out`` is
        no place for a bundle.
    EnvironmentProblem
        If the decision was kept and the bundle could not be written.
    """
    from riskmodel.narrative.bundle import require_place

    room, run = _found(reference, workspace, tracking_uri)
    target = out or room.root / "build" / run.experiment
    require_place(target)
    since = since_of(target, run.run_id)
    earlier = None if since is None else _earlier_run(since, run, workspace, tracking_uri)
    with tempfile.TemporaryDirectory() as scratch:
        kept = fetch_kept(run, Path(scratch) / "now")
        _require_audit(kept)
        in_the_way = review_of(kept.about, kept.audit_sha256, room).audited.in_the_way
        if in_the_way:
            raise UsageError(
                f"no decision on run {run.run_id} could stand",
                found="; ".join(in_the_way),
                hint=f"run it again under the policy as it is now: riskmodel run {run.experiment}",
            )
        before = None if earlier is None else earlier_narration(earlier, Path(scratch) / "before")
        path = write_decision(room, _decision(form, kept))
        try:
            return Decided(path, narrate_kept(kept, room, target, before=before))
        except (RiskmodelError, OSError) as error:
            raise EnvironmentProblem(
                f"the decision is kept in {path.as_posix()}, but the bundle could not be written again",
                where=target,
                found=error,
                hint=f"mend what is said above, then: riskmodel narrate {run.run_id} --out DIR"
                + ("" if since is None else f" --since {since}"),
            ) from error


def _earlier_run(since: str, run: StoredRun, workspace: Path, uri: str | None) -> StoredRun:
    from riskmodel.tracking import find_run

    try:
        return find_run(since, workspace=workspace, uri=uri)
    except UsageError as error:
        raise UsageError(
            f"the pages say what changed since run {since}, which is not held any more",
            found=error,
            hint=f"write them without that, then decide: riskmodel narrate {run.run_id}",
        ) from error


def _decision(form: Path, kept: Kept) -> DecisionSpec:
    if not form.is_file():
        raise UsageError("there is no form here", where=form, hint=f"the bundle holds an empty one: {FORM_FILE}")
    about = kept.about
    filled = read_spec(form, DecisionFormSpec, {"run": about.run_id, "audit_sha256": kept.audit_sha256})
    return DecisionSpec(
        **filled.model_dump(),
        experiment=about.experiment,
        model_id=about.model_id,
        use=about.policy.use,
        policy=about.policy_name,
        policy_sha256=about.policy.rules_sha256,
        manifest_sha256=kept.run.tags["manifest_sha256"],
    )


def promote_run(
    reference: str, *, workspace: Path, alias: str = "approved", tracking_uri: str | None = None
) -> Promoted:
    """Let an alias in the tracker lead to a run's model, where reviewers have accepted exactly this run's audit.

    Parameters
    ----------
    reference : str
        A run id, a prefix of one, or EXPERIMENT@latest.
    workspace : Path
        Whose decisions and policies hold.
    alias : str
    tracking_uri : str, optional
        Another MLflow store than the workspace's own.

    Raises
    ------
    FairnessGate
        If no standing decision accepts the run; nothing is changed then.
    UsageError
        If the run is unknown or has no audit, or the alias cannot be.
    """
    from riskmodel.tracking import promote_model

    room, run = _found(reference, workspace, tracking_uri)
    with tempfile.TemporaryDirectory() as scratch:
        kept = fetch_kept(run, Path(scratch), whole=False)
    _require_audit(kept)
    review = review_of(kept.about, kept.audit_sha256, room)
    state = review.state
    if not state.approved:
        raise FairnessGate(
            f"run {run.run_id} is not approved: no alias was moved",
            found="\n    ".join([state.words, *state.remarks]),
            allowed="a run whose newest decision stands and accepts its audit",
            hint=f"ask the reviewers, then: riskmodel decide {run.run_id} --form FILE",
        )
    newest = review.decisions[-1]
    tags = {
        "run_id": run.run_id,
        "model_id": kept.about.model_id,
        "audit_sha256": kept.audit_sha256,
        "decision": newest.name,
        "decision_sha256": newest.sha256,
        "use": kept.about.policy.use,
    }
    return promote_model(run, kept.about.model_id, alias=alias, tags=tags, to=room.root)


def audit_run(reference: str, *, workspace: Path, tracking_uri: str | None = None) -> AuditFound:
    """What the audit of a finished run found, what it could not see, and what was decided.

    Parameters
    ----------
    reference : str
        A run id, a prefix of one, or EXPERIMENT@latest.
    workspace : Path
        Whose decisions and policies hold.
    tracking_uri : str, optional
        Another MLflow store than the workspace's own.

    Returns
    -------
    AuditFound
        With the rows of the audit noun that are about the model shown.

    Raises
    ------
    UsageError
        If the run is unknown, or has no audit.
    """
    from riskmodel.tracking import fetch_artifacts

    room, run = _found(reference, workspace, tracking_uri)
    with tempfile.TemporaryDirectory() as scratch:
        kept = fetch_kept(run, Path(scratch), whole=False)
        _require_audit(kept)
        suffix = kept.about.tables.get("audit")
        if suffix is None:
            raise _no_audit(run)
        held = kept.bundle / "tables" / f"audit.{suffix}"
        table = _read(held if held.is_file() else fetch_artifacts(run, f"bundle/tables/{held.name}", Path(scratch)))
    model_id = kept.about.model_id
    own = table[table["model_id"] == model_id].reset_index(drop=True)
    review = review_of(kept.about, kept.audit_sha256, room)
    gate = gate_of(table, kept.about.policy, model_id)
    return AuditFound(run.run_id, run.experiment, model_id, own, _by_group(own), gate, review)


def _by_group(rows: pd.DataFrame) -> pd.DataFrame:
    whole = rows[(rows["part"] == WHOLE) & rows["verdict"].isin(_ORDER)]
    order = whole["verdict"].map(_ORDER.index).sort_values(kind="stable").index
    first = whole.loc[order].drop_duplicates(["characteristic", "group"]).sort_index()
    return first[["characteristic", "group", "verdict"]].reset_index(drop=True)


def _found(reference: str, workspace: Path, uri: str | None) -> tuple[Workspace, StoredRun]:
    from riskmodel.tracking import find_run

    return Workspace(workspace), find_run(reference, workspace=workspace, uri=uri)


def _require_audit(kept: Kept) -> None:
    if not kept.audit_sha256:
        raise _no_audit(kept.run)


def _no_audit(run: StoredRun) -> UsageError:
    return UsageError(
        f"run {run.run_id} has no audit, so there is nothing to read or to decide on",
        hint=f"run it again: riskmodel run {run.experiment}",
    )


def _read(path: Path) -> pd.DataFrame:
    import pandas as pd

    if path.suffix == ".parquet":
        return as_table(pd.read_parquet(path), AUDIT)
    texts = {column.name: "str" for column in AUDIT.columns if column.dtype == "str"}
    # A group may be called "none": only an empty cell is a blank.
    read = pd.read_csv(path, dtype=texts, keep_default_na=False, na_values={c: [""] for c in AUDIT.names})
    return as_table(read, AUDIT)
