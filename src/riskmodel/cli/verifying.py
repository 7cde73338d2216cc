"""The verb of everybody who is given a bundle: verify."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskmodel.cli.shared import Data, Jobs, Json, Tracking, WorkspaceDir, give, session_of
from riskmodel.contracts.errors import DataFileError

if TYPE_CHECKING:
    from riskmodel.workflow import Session

__all__ = ["verify"]

_VOUCHED = {
    "expected": "The manifest is the one expected.",
    "run": "The manifest is the one that its run left.",
    "run's tables": "The bundle was written again after its run; its tables and its audit are those that the run left.",
    "nothing": (
        "No run of this workspace vouches for the manifest itself, so whoever changed a file could have changed it "
        "too: pass --expect with the sha256 that the run printed."
    ),
}
_SHOWN = 20


def verify(
    bundle: Annotated[Path, typer.Argument(metavar="DIR", help="A bundle: what riskmodel run wrote")],
    expect: Annotated[
        str | None, typer.Option("--expect", metavar="SHA256", help="The sha256 that its manifest should have")
    ] = None,
    from_source: Annotated[
        bool, typer.Option("--from-source", help="Repeat the run from its inputs, and compare every table")
    ] = False,
    data: Data = None,
    workspace: WorkspaceDir = Path(),
    jobs: Jobs = 2,
    as_json: Json = False,
    tracking_uri: Tracking = None,
) -> None:
    """Check a bundle: every file, every number's working, and every number on every page."""
    from riskmodel.workflow import verify_run

    def again(experiment: str, as_of: str) -> Session:
        return session_of(experiment, workspace, data, as_of, jobs)

    checked = verify_run(
        bundle, workspace=workspace, expect=expect, open_source=again if from_source else None,
        tracking_uri=tracking_uri,
    )  # fmt: skip
    held = checked.verified
    result = {
        "run_id": held.run_id,
        "manifest_sha256": held.manifest_sha256,
        "files": held.files,
        "facts": held.facts,
        "numbers_on_pages": held.quoted,
        "held_against": checked.held_against,
        "tables_made_again": checked.made_again,
        "holds": not checked.problems,
        "problems": checked.problems,
    }
    lines = [
        f"{bundle.as_posix()}: {'everything holds' if not checked.problems else 'it does not hold'}.",
        f"{held.files:,} files, {held.facts:,} facts, {held.quoted:,} numbers on pages.",
        _VOUCHED[checked.held_against],
    ]
    if checked.made_again is not None:
        lines.append(f"{checked.made_again} tables came out the same from the inputs.")
    lines.append(f"Manifest sha256 {held.manifest_sha256}")
    give(result, "\n".join(lines), as_json=as_json)
    if checked.problems:
        shown = checked.problems[:_SHOWN]
        if len(checked.problems) > _SHOWN:
            shown.append(f"and {len(checked.problems) - _SHOWN:,} more (--json lists all)")
        raise DataFileError(
            "the bundle is not what its run left",
            where=bundle,
            found="\n  ".join(["", *shown]),
            hint="write it again from the kept run: riskmodel narrate RUN; and ask who changed it",
        )
