"""A reference to a run goes in; the run as stored, the list of runs, or its files come out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from riskmodel.contracts.errors import EnvironmentProblem, UsageError, did_you_mean
from riskmodel.tracking.entries import TAG_PREFIX
from riskmodel.tracking.records import StoredCandidate, StoredRun
from riskmodel.tracking.store import Store, connected, local_path, resolve_store

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.entities import FileInfo, Run
    from mlflow.tracking import MlflowClient

__all__ = ["fetch_artifacts", "find_run", "list_runs"]

_SHORTEST_PREFIX = 4
_LATEST = "@latest"
_FINISHED = f"tags.`{TAG_PREFIX}role` = 'run' and attributes.status = 'FINISHED'"


def find_run(reference: str, *, workspace: Path, uri: str | None = None) -> StoredRun:
    """Find a finished run; where a run was repeated, its newest copy.

    Parameters
    ----------
    reference : str
        A run id, the beginning of one (4 characters or more, fitting one run only), or ``EXPERIMENT@latest``.
    workspace : Path
        Folder whose ``mlruns`` is searched unless a URI names another store.
    uri : str, optional
        Tracking URI.

    Returns
    -------
    StoredRun

    Raises
    ------
    UsageError
        No finished run fits, or several do; the newest runs are listed.
    EnvironmentProblem
        The store cannot be opened.
    """
    store = resolve_store(workspace, uri)
    if store.empty:
        raise UsageError(
            "no run has been logged here yet",
            where=store.shown,
            found=reference,
            hint="make one with: riskmodel run EXPERIMENT",
        )
    with connected(store) as client:
        names = _experiment_names(client)
        if reference.endswith(_LATEST):
            run = _latest(client, names, reference, store)
        else:
            run = _by_run_id(client, names, reference, store)
        return _stored(client, run, names[str(run.info.experiment_id)], store)


def list_runs(*, workspace: Path, uri: str | None = None) -> pd.DataFrame:
    """List finished runs, newest first; runs whose logging failed are left out, because they cannot be used.

    Parameters
    ----------
    workspace : Path
        Folder whose ``mlruns`` is read unless a URI names another store.
    uri : str, optional
        Tracking URI.

    Returns
    -------
    DataFrame
        experiment, run_id, target, as_of, headline (text), started (UTC). A repeated run has one row per repetition.
        Runs of different targets, or of different versions of one, are not to be compared.

    Raises
    ------
    EnvironmentProblem
        The store cannot be opened.
    """
    import pandas as pd

    store = resolve_store(workspace, uri)
    rows: list[tuple[str, str, str, str, str, datetime]] = []
    if not store.empty:
        with connected(store) as client:
            names = _experiment_names(client)
            for run in _search(client, list(names), _FINISHED):
                tags = _own_tags(run)
                name = names[str(run.info.experiment_id)]
                target, as_of, headline = (tags.get(key, "") for key in ("target", "as_of", "headline"))
                rows.append((name, tags["run_id"], target, as_of, headline, _started(run)))
    columns = ["experiment", "run_id", "target", "as_of", "headline"]
    frame = pd.DataFrame(rows, columns=[*columns, "started"])
    texts = dict.fromkeys(columns, "str")
    return frame.astype({**texts, "started": "datetime64[ms, UTC]"})


def fetch_artifacts(run: StoredRun | StoredCandidate, folder: str, to: Path) -> Path:
    """Copy one folder (or file) of a run out of the tracking store.

    Parameters
    ----------
    run : StoredRun or StoredCandidate
        A run (``bundle``, ``private``, ``narration``) or one of its candidates (``model``).
    folder : str
        The folder's name in the store; forward slashes between parts.
    to : Path
        Where to put it; made when absent.

    Returns
    -------
    Path
        ``to / folder``.

    Raises
    ------
    UsageError
        The run has no such folder, or there is already something where it would go.
    EnvironmentProblem
        The files are no longer where the store says, because ``mlruns`` was moved.
    """
    parts = PurePosixPath(folder).parts
    if not parts or ".." in parts or PurePosixPath(folder).is_absolute() or "\\" in folder:
        raise UsageError("not a folder inside a run", found=folder, allowed=["bundle", "private", "narration", "model"])
    target = to.joinpath(*parts)
    if target.exists():
        raise UsageError("there is already something here", where=target, hint="name a folder that does not exist yet")
    _refuse_moved_files(run)
    with connected(resolve_store(to, run.tracking_uri)) as client:
        held = [_name(entry) for entry in client.list_artifacts(run.mlflow_id, "/".join(parts[:-1]) or None)]
        if "/".join(parts) not in held:
            raise UsageError(
                "the run has no such folder",
                where=_called(run),
                found=folder,
                allowed=held or "nothing was stored with it",
                hint=did_you_mean(folder, held),
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        client.download_artifacts(run.mlflow_id, "/".join(parts), str(target.parent))
    return target


def _refuse_moved_files(run: StoredRun | StoredCandidate) -> None:
    root = local_path(run.artifact_uri)
    # <artifacts>/<MLflow's id>/artifacts: a run that stored nothing has no folder of its own, but its store is there.
    if root is not None and not root.is_dir() and not root.parent.parent.is_dir():
        raise EnvironmentProblem(
            "mlruns was moved: the files of this run are no longer where the tracking store says",
            where=_called(run),
            found=f"nothing at {root.parent.parent.as_posix()}",
            hint="write the new place into its database with: riskmodel doctor --mend",
        )


def _latest(client: MlflowClient, names: Mapping[str, str], reference: str, store: Store) -> Run:
    wanted = reference.removesuffix(_LATEST)
    ids = [key for key, name in names.items() if name == wanted]
    if not ids:
        known = sorted(set(names.values()) - {"Default"})
        hint = did_you_mean(wanted, known)
        raise UsageError("no run of such an experiment", where=store.shown, found=wanted, allowed=known, hint=hint)
    runs = _search(client, ids, _FINISHED, most=1)
    if not runs:
        raise _unknown(client, names, reference, store)
    return runs[0]


def _by_run_id(client: MlflowClient, names: Mapping[str, str], reference: str, store: Store) -> Run:
    if len(reference) < _SHORTEST_PREFIX or not re.fullmatch(r"[\w-]+", reference):
        raise _unknown(client, names, reference, store)
    found = _search(client, list(names), f"{_FINISHED} and tags.`{TAG_PREFIX}run_id` LIKE '{reference}%'")
    # An underscore in the reference would stand for any character in the search.
    fits = [run for run in found if _own_tags(run)["run_id"].startswith(reference)]
    exact = [run for run in fits if _own_tags(run)["run_id"] == reference]
    distinct = dict.fromkeys(_own_tags(run)["run_id"] for run in fits)
    if exact:
        return exact[0]
    if not fits:
        raise _unknown(client, names, reference, store)
    if len(distinct) > 1:
        raise UsageError(
            "several runs begin so",
            where=store.shown,
            found=reference,
            allowed=list(distinct),
            hint="give more characters of the run id",
        )
    return fits[0]


def _unknown(client: MlflowClient, names: Mapping[str, str], reference: str, store: Store) -> UsageError:
    newest = [
        f"{_own_tags(run)['run_id']} ({names[str(run.info.experiment_id)]})"
        for run in _search(client, list(names), _FINISHED, most=5)
    ]
    return UsageError(
        "no finished run is known by this reference",
        where=store.shown,
        found=reference,
        allowed=f"a run id, its first {_SHORTEST_PREFIX} or more characters, or EXPERIMENT@latest",
        hint="the newest runs are: " + ("; ".join(newest) or "none; make one with: riskmodel run EXPERIMENT"),
    )


def _search(client: MlflowClient, experiment_ids: list[str], where: str, most: int | None = None) -> list[Run]:
    found: list[Run] = []
    token: str | None = None
    while True:
        page = client.search_runs(
            experiment_ids, where, max_results=most or 1000, order_by=["attributes.start_time DESC"], page_token=token
        )
        found.extend(page)
        token = page.token
        if not token or most is not None:
            return found


def _experiment_names(client: MlflowClient) -> dict[str, str]:
    names: dict[str, str] = {}
    token: str | None = None
    while True:
        page = client.search_experiments(page_token=token)
        names.update({str(experiment.experiment_id): str(experiment.name) for experiment in page})
        token = page.token
        if not token:
            return names


def _stored(client: MlflowClient, run: Run, experiment: str, store: Store) -> StoredRun:
    children = _search(client, [run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'")
    candidates = [
        StoredCandidate(
            model_id=_own_tags(child)["model_id"],
            params=dict(child.data.params),
            metrics=dict(child.data.metrics),
            mlflow_id=str(child.info.run_id),
            artifact_uri=str(child.info.artifact_uri),
            tracking_uri=store.uri,
        )
        for child in children
    ]
    tags = _own_tags(run)
    return StoredRun(
        run_id=tags["run_id"],
        experiment=experiment,
        question=tags["question"],
        started=_started(run),
        params=dict(run.data.params),
        tags={key: value for key, value in tags.items() if key not in {"run_id", "role", "question"}},
        candidates=tuple(sorted(candidates, key=lambda candidate: candidate.model_id)),
        mlflow_id=str(run.info.run_id),
        artifact_uri=str(run.info.artifact_uri),
        tracking_uri=store.uri,
    )


def _own_tags(run: Run) -> dict[str, str]:
    return {k.removeprefix(TAG_PREFIX): v for k, v in run.data.tags.items() if k.startswith(TAG_PREFIX)}


def _started(run: Run) -> datetime:
    return datetime.fromtimestamp(run.info.start_time / 1000, tz=UTC)


def _name(entry: FileInfo) -> str:
    return str(entry.path)


def _called(run: StoredRun | StoredCandidate) -> str:
    return f"run {run.run_id}" if isinstance(run, StoredRun) else f"model {run.model_id}"
