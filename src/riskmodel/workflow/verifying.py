"""Whether a bundle is what its run left, and whether the same inputs give it again: the verb verify.

In: a bundle's folder, and where runs are kept. Out: everything that does not hold. Nothing of the bundle is changed.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodel.contracts.errors import RiskmodelError
from riskmodel.workflow.narrating import AUDIT_FILE, fetch_kept
from riskmodel.workflow.steps import run

if TYPE_CHECKING:
    from riskmodel.narrative.verify import Verified
    from riskmodel.workflow.session import Session

__all__ = ["BundleChecked", "verify_run"]


@dataclass(frozen=True)
class BundleChecked:
    """What was checked of a bundle.

    Attributes
    ----------
    verified : Verified
        Its files against its manifest, its facts against its tables, its pages against its facts.
    problems : list of str
        All that does not hold; empty where everything does.
    held_against : str
        What vouched for the manifest itself: ``expected``, ``run``, ``run's tables`` or ``nothing``.
    made_again : int or None
        How many tables came out the same from the inputs; None where that was not asked.
    """

    verified: Verified
    problems: list[str]
    held_against: str
    made_again: int | None = None


def verify_run(
    folder: Path,
    *,
    workspace: Path,
    expect: str | None = None,
    open_source: Callable[[str, str], Session] | None = None,
    tracking_uri: str | None = None,
) -> BundleChecked:
    """Check a bundle's files, its facts and every number of its pages; on request make its tables again.

    Parameters
    ----------
    folder : Path
        The bundle.
    workspace : Path
        Its ``mlruns`` is asked what the run left, unless ``expect`` says so. Where it holds no such run, only the
        bundle's own manifest can be asked.
    expect : str, optional
        The sha256 of the manifest, as ``riskmodel run`` printed it or a decision kept it.
    open_source : callable, optional
        From the name and the as-of of the experiment to a session: the run is then repeated, and its tables held
        against the bundle's.
    tracking_uri : str, optional
        Another MLflow store than the workspace's own.

    Returns
    -------
    BundleChecked

    Raises
    ------
    UsageError
        If the folder is no bundle.
    """
    from riskmodel.narrative.bundle import MANIFEST
    from riskmodel.narrative.verify import verify_bundle

    verified = verify_bundle(folder, expect=expect)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    problems = list(verified.problems)
    held_against = "expected"
    if expect is None:
        held_against, found = _against_run(verified, manifest, workspace, tracking_uri)
        problems += found
    made_again = None
    if open_source is not None:
        made_again, found = _again(manifest, open_source(str(manifest["experiment"]), str(manifest["as_of"])))
        problems += found
    return BundleChecked(verified, problems, held_against, made_again)


def _against_run(
    verified: Verified, manifest: dict[str, Any], workspace: Path, uri: str | None
) -> tuple[str, list[str]]:
    """A bundle that was written again has other pages than its run left, and must have the same tables and audit."""
    from riskmodel.narrative.bundle import MANIFEST
    from riskmodel.tracking import find_run

    try:
        stored = find_run(verified.run_id, workspace=workspace, uri=uri)
    except RiskmodelError:
        return "nothing", []
    if stored.tags.get("manifest_sha256") == verified.manifest_sha256:
        return "run", []
    with tempfile.TemporaryDirectory() as scratch:
        kept = fetch_kept(stored, Path(scratch))
        left = json.loads((kept.bundle / MANIFEST).read_text(encoding="utf-8"))["files"]
    return "run's tables", _differing(left, manifest["files"], "is not the one that its run left")


def _again(manifest: dict[str, Any], session: Session) -> tuple[int, list[str]]:
    from riskmodel.narrative.bundle import MANIFEST

    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "bundle"
        store = f"sqlite:///{(Path(scratch) / 'runs.db').as_posix()}"
        run(session, out=out, audience=manifest["audience"], tracking_uri=store)
        made = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    if made["run_id"] != manifest["run_id"]:
        words = (
            f"made again from its inputs it is run {made['run_id']}, not {manifest['run_id']}: "
            "inputs, definitions or program are others than they were"
        )
        return 0, [words]
    found = _differing(made["files"], manifest["files"], "does not come out the same from its inputs")
    return sum(1 for name in made["files"] if name.startswith("tables/")) - len(found), found


def _differing(left: dict[str, str], now: dict[str, str], words: str) -> list[str]:
    """Tables and the audit that a manifest lists with another hash, or not at all.

    The workbook and the description of tables carry the state of the run, as pages do.
    """
    lasting = [name for name in left if name == AUDIT_FILE or name.startswith("tables/")]
    lasting = [name for name in lasting if name.endswith((".csv", ".parquet", AUDIT_FILE))]
    return [f"{name}: {words}" for name in sorted(lasting) if now.get(name) != left[name]]
