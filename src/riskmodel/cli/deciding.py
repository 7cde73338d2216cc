"""The verbs of reviewers, and of those who write down what they decide: audit, decide, promote, narrate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskmodel.cli.shared import Json, Out, Tracking, WorkspaceDir, age_words, give

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.fairness.decisions import Review
    from riskmodel.workflow.deciding import AuditFound

__all__ = ["audit", "decide", "narrate", "promote"]

Run = Annotated[str, typer.Argument(metavar="RUN", help="A run id, a prefix of one, or EXPERIMENT@latest")]
_UNSEEN = {
    "not_visible": "Not visible, because groups live so evenly that places cannot show a difference between them",
    "insufficient": "Too little to judge, so that only a large difference would have been found",
    "not_assessable": "Not assessable, because what is needed is not held",
    "suppressed": "Suppressed, because the numbers are too small to be shown",
}
_CARE = "No evidence of a difference is not evidence of none. Nothing here approves the model: only a decision does."


def narrate(
    reference: Run,
    out: Out = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="RUN", help="An earlier run: say what changed since")
    ] = None,
    workspace: WorkspaceDir = Path(),
    as_json: Json = False,
    tracking_uri: Tracking = None,
) -> None:
    """Write a finished run's whole bundle again, with the newest decision and what people wrote; needs no data."""
    from riskmodel.workflow import narrate_run, page_ages

    done = narrate_run(reference, workspace=workspace, out=out, since=since, tracking_uri=tracking_uri)
    ages = page_ages(done.out)
    result = {
        "run_id": done.run_id,
        "experiment": done.experiment,
        "out": done.out.as_posix(),
        "manifest_sha256": done.manifest_sha256,
        "state": done.review.state.words,
        "reading_ages": {name: age.years for name, age in ages.items()},
    }
    text = f"{done.out.as_posix()}\n{done.review.state.words}.\nManifest sha256 {done.manifest_sha256}"
    text += "".join(f"\n{name}: {age_words(age)}" for name, age in ages.items())
    give(result, text, as_json=as_json)


def decide(
    reference: Run,
    form: Annotated[Path | None, typer.Option("--form", help="The filled-in form; without it, what it asks")] = None,
    out: Out = None,
    workspace: WorkspaceDir = Path(),
    as_json: Json = False,
    tracking_uri: Tracking = None,
) -> None:
    """Keep the reviewers' decision on a run, and write its pages again with the new state."""
    from riskmodel.workflow import decide_run

    if form is None:
        _say_what_is_asked(reference, workspace, out, tracking_uri, as_json=as_json)
        return
    done = decide_run(reference, form, workspace=workspace, out=out, tracking_uri=tracking_uri)
    bundle = done.narrated
    result = {
        "run_id": bundle.run_id,
        "decision": done.path.as_posix(),
        "out": bundle.out.as_posix(),
        "manifest_sha256": bundle.manifest_sha256,
        "state": bundle.review.state.words,
        "approved": bundle.review.state.approved,
    }
    lines = [f"{bundle.review.state.words}.", *bundle.review.state.remarks]
    lines += [f"Kept: {done.path.as_posix()}", f"Every page was written again: {bundle.out.as_posix()}"]
    give(result, "\n".join(lines), as_json=as_json)


def _say_what_is_asked(reference: str, workspace: Path, out: Path | None, uri: str | None, *, as_json: bool) -> None:
    from riskmodel.workflow import form_of

    found = form_of(reference, workspace=workspace, out=out, tracking_uri=uri)
    where = found.path.as_posix() if found.path is not None else None
    result = {"run_id": found.run_id, "form": where, "state": found.review.state.words, "asks": found.text}
    place = where or f"in no bundle here; write it with: riskmodel narrate {found.run_id} --out DIR"
    lines = [f"The empty form: {place}", f"Now: {found.review.state.words}.", *found.review.state.remarks]
    lines += ["It asks:", *(f"  {line}" for line in found.text.splitlines())]
    give(result, "\n".join(lines), as_json=as_json)


def promote(
    reference: Run,
    alias: Annotated[str, typer.Option(help="The alias in MLflow's registry")] = "approved",
    workspace: WorkspaceDir = Path(),
    as_json: Json = False,
    tracking_uri: Tracking = None,
) -> None:
    """Let the alias of approved models lead to this run's, if reviewers have accepted exactly this run's audit."""
    from dataclasses import asdict

    from riskmodel.workflow import promote_run

    done = promote_run(reference, workspace=workspace, alias=alias, tracking_uri=tracking_uri)
    before = f"version {done.before} before" if done.before else "nothing before"
    text = f"{done.name}@{done.alias} leads to version {done.version} ({before})."
    give(asdict(done), text, as_json=as_json)


def audit(
    reference: Run, workspace: WorkspaceDir = Path(), as_json: Json = False, tracking_uri: Tracking = None
) -> None:
    """What a finished run's audit found, what it could not see, and what was decided."""
    from riskmodel.workflow import audit_run

    found = audit_run(reference, workspace=workspace, tracking_uri=tracking_uri)
    result = {
        "run_id": found.run_id,
        "experiment": found.experiment,
        "model_id": found.model_id,
        **{key: found.review.as_record()[key] for key in ("state", "approved", "remarks", "audit_sha256", "decisions")},
        "stop_rules_met": [rule.words for rule in found.gate.met],
        "concerns": _records(_concerns(found)),
        "groups": _records(found.groups),
    }
    give(result, "\n".join(_audit_lines(found)), as_json=as_json)


def _records(rows: pd.DataFrame) -> Any:
    return json.loads(rows.to_json(orient="records"))


def _audit_lines(found: AuditFound) -> list[str]:
    audited, concerns = found.review.audited, _concerns(found)
    lines = [
        f"Audit of run {found.run_id}: the model {found.model_id}, under the policy {audited.policy} "
        f"(use: {audited.use}).",
        "", "What could not be seen:", *(_unseen_lines(found.groups) or ["  nothing that was asked"]),
        "", f"Concerns ({len(concerns)}):",
    ]  # fmt: skip
    ordered = concerns.sort_values(["severity", "characteristic", "group"], kind="stable").to_dict("records")
    lines += [f"  {row['severity']}: {_group(row)}. {row['question']} {row['explanation']}" for row in ordered]
    lines += [] if ordered else ["  none was found"]
    lines += [f"Stops the model: {rule.words}" for rule in found.gate.met]
    quiet = _by_characteristic(found.groups, "no_evidence")
    lines += ["", f"No evidence of a difference was found for: {quiet}."] if quiet else [""]
    return [*lines, _CARE, "Every group and check: tables/audit.csv.", "", *_decision_lines(found.review)]


def _concerns(found: AuditFound) -> pd.DataFrame:
    """Concerns over all the evidence; those of parts of it tell where to look, and are in the table."""
    return found.audit[(found.audit["verdict"] == "concern") & (found.audit["part"] == "all")]


def _group(row: dict[Any, Any]) -> str:
    people = ""
    if row["per_1000"] == row["per_1000"]:
        ends = f"{row['per_1000_low']:+.1f} to {row['per_1000_high']:+.1f}"
        people = f" ({row['per_1000']:+.1f} records per 1,000 residents a year, {ends})"
    return f"{_plain(row['characteristic'])}: {_plain(row['group'])}{people}"


def _unseen_lines(groups: pd.DataFrame) -> list[str]:
    said = [(words, _by_characteristic(groups, verdict)) for verdict, words in _UNSEEN.items()]
    return [f"  {words}: {names}." for words, names in said if names]


def _by_characteristic(groups: pd.DataFrame, verdict: str) -> str:
    """The characteristics with groups of a verdict: these by name, or counted where all are or where several meet."""
    said = []
    for name, rows in groups.groupby("characteristic", sort=False):
        held = rows.loc[rows["verdict"] == verdict, "group"]
        if len(held) == len(rows) > 1:
            said.append(f"{_plain(name)} (all {len(rows)} groups)")
        elif len(held) > 1 and " x " in str(name):
            said.append(f"{_plain(name)} ({len(held)} of {len(rows)} groups)")
        elif len(held):
            said.append(f"{_plain(name)} ({', '.join(map(_plain, held))})")
    return "; ".join(said)


def _plain(name: object) -> str:
    return str(name).replace("_", " ")


def _decision_lines(review: Review) -> list[str]:
    lines = [f"State: {review.state.words}.", *(f"  {remark}" for remark in review.state.remarks)]
    for decision in review.decisions:
        mark = "stands" if decision.stands else "void"
        by = ", ".join(decision.spec.decided_by)
        lines.append(f"  {decision.spec.decided_on.isoformat()}  {_plain(decision.spec.verdict)}, {mark}  ({by})")
    return lines if review.decisions else [*lines, "  No decision was made on this run."]
