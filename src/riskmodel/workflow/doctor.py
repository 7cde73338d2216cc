"""What is wrong with a workspace, its runs or this machine, and what of it can be mended here.

In: a workspace folder. Out: one finding or more for every check, so that nothing is absent in silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from riskmodel.contracts.errors import DefinitionError, RiskmodelError
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.workflow.checking import check_workspace
from riskmodel.workflow.definitions import Definitions, read_definitions
from riskmodel.workflow.doctor_environment import examine_environment, examine_writing
from riskmodel.workflow.doctor_store import examine_store
from riskmodel.workflow.findings import MENDED, NOT_LOOKED_AT, OK, TO_DO, Finding, of_error

__all__ = ["Finding", "examine", "left_to_do"]

_NO_WORKSPACE = ("definitions", "tracking", "tracking-moved", "store-damaged", "store-stale", "leftovers")


def examine(
    root: Path, *, data: Path | None = None, tracking_uri: str | None = None, mend: bool = False
) -> list[Finding]:
    """Look at everything that can be broken without a line of YAML being new.

    Parameters
    ----------
    root : Path
        The workspace.
    data : Path, optional
        Where the published files lie, for telling stale parts of the store from used ones.
    tracking_uri : str, optional
        Another tracking store than the workspace's ``mlruns``.
    mend : bool
        Mend what can be mended without losing anything: the addresses of a moved ``mlruns`` (beside a copy of its
        database), parts of the store that are damaged or led to by nothing, leftovers of runs that were ended.

    Returns
    -------
    list of Finding
        In the order looked at.
    """
    findings = list(examine_environment())
    try:
        workspace = Workspace(root)
    except RiskmodelError as error:
        findings.append(of_error("workspace", error))
        reason = "there is no workspace to look at"
        return findings + [Finding(code, NOT_LOOKED_AT, reason, root.as_posix()) for code in _NO_WORKSPACE]
    findings.append(Finding("workspace", OK, "features, experiments and fairness are there", workspace.root.as_posix()))
    findings += examine_writing(workspace.root)
    definitions, found = _definitions(workspace)
    findings += found
    findings += _tracking(workspace.root, tracking_uri, mend=mend)
    findings += examine_store(workspace.root, definitions, data=data, mend=mend)
    return findings


def left_to_do(findings: list[Finding]) -> list[Finding]:
    """The findings somebody has to act on.

    Examples
    --------
    >>> left_to_do([Finding("python", "ok", "Python 3.11"), Finding("writing", "to do", "cannot be written to")])
    [Finding(code='writing', state='to do', what='cannot be written to', where='', next='')]
    """
    return [f for f in findings if f.state == TO_DO]


def _definitions(workspace: Workspace) -> tuple[list[Definitions] | None, list[Finding]]:
    where = workspace.root.as_posix()
    try:
        report = check_workspace(workspace)
        definitions = [read_definitions(workspace, name) for name in report.experiments]
    except RiskmodelError as error:
        step = "correct the file, then: riskmodel check"
        problems = (error.problems if isinstance(error, DefinitionError) else ()) or (error,)
        return None, [
            of_error("definitions", p, next_step=step)
            if isinstance(p, RiskmodelError)
            else Finding("definitions", TO_DO, str(p), where, step)
            for p in problems
        ]
    total = sum(report.counts.values())
    return definitions, [Finding("definitions", OK, f"{total} definition files, all sound", where)]


def _tracking(root: Path, uri: str | None, *, mend: bool) -> Iterator[Finding]:
    from riskmodel.tracking import find_moved, mend_moved, resolve_store

    try:
        store = resolve_store(root, uri)
        moved = find_moved(store)
    except RiskmodelError as error:
        yield of_error("tracking", error)
        yield Finding("tracking-moved", NOT_LOOKED_AT, "the tracking store could not be opened")
        return
    if store.database is None:
        yield Finding("tracking", OK, "a server keeps the runs", store.shown)
        yield Finding("tracking-moved", OK, "a server's addresses are not of this machine", store.shown)
        return
    yield Finding("tracking", OK, "no run logged yet" if store.empty else "the database can be read", store.shown)
    for table, address in moved.unclear:
        what = f"an address of table {table} lies outside every folder of runs that is known: {address}"
        yield Finding("tracking-moved", TO_DO, what, store.shown, "bring its files back to that place, or leave them")
    if not moved.addresses:
        if not moved.unclear:
            yield Finding("tracking-moved", OK, "runs and their files are where the database says", store.shown)
        return
    what = f"runs were moved or copied here from {', '.join(moved.roots)}: {len(moved.addresses)} addresses"
    if not mend:
        step = "riskmodel doctor --mend writes the new place, and keeps a copy of the database"
        yield Finding("tracking-moved", TO_DO, what, store.shown, step)
        return
    try:
        backup = mend_moved(store, moved)
    except RiskmodelError as error:
        yield of_error("tracking-moved", error)
        return
    yield Finding("tracking-moved", MENDED, f"{what} rewritten; the database as it was: {backup.name}", store.shown)
