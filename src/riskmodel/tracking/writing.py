"""Run records go in; one MLflow run with a nested run per candidate comes out, whole or marked as failed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from riskmodel.contracts.errors import EnvironmentProblem, RiskmodelError, UsageError
from riskmodel.tracking.entries import (
    TAG_PREFIX,
    Entries,
    candidate_entries,
    fitting,
    parent_entries,
)
from riskmodel.tracking.store import Store, connected, local_path, resolve_store

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput
    from mlflow.tracking import MlflowClient

    from riskmodel.tracking.records import RunRecord

__all__ = ["check_store", "log_run"]

_KIND_TAG, _KIND = "mlflow.experimentKind", "custom_model_development"
_LONG_VALUES = "long_values.json"
# MLflow refuses larger batches.
_PARAMS_PER_BATCH, _METRICS_PER_BATCH, _LONGEST_TAG, _LONGEST_PARAM = 100, 800, 8000, 6000
_PICKLE_SUFFIXES = {".pkl", ".pickle", ".joblib", ".dill", ".cloudpickle"}


def check_store(experiment: str, *, workspace: Path, uri: str | None = None) -> Store:
    """Make sure a run of this experiment can be logged, before the work that would be lost if it could not.

    Parameters
    ----------
    experiment : str
        The experiment's name.
    workspace : Path
        Folder whose ``mlruns`` is used unless a URI names another store.
    uri : str, optional
        Tracking URI.

    Returns
    -------
    Store
        Where the run will go; ``remote`` says whether its files leave this machine.

    Raises
    ------
    EnvironmentProblem
        The store cannot be opened, or ``mlruns`` was moved or copied since the experiment was made.
    UsageError
        The tracking URI is of an unknown kind, or the experiment was deleted in MLflow's pages.
    """
    store = resolve_store(workspace, uri)
    if not store.empty:
        with connected(store) as client:
            _known_experiment(client, experiment, store)
    return store


def log_run(record: RunRecord, *, workspace: Path, uri: str | None = None) -> str:
    """Log a finished run: parameters, scores per horizon, dataset digests, models, bundle and private tables.

    Repeating a run makes a second MLflow run under the same riskmodel run id; ``find_run`` returns the newest.

    Parameters
    ----------
    record : RunRecord
        What the run leaves.
    workspace : Path
        Folder whose ``mlruns`` is used unless a URI names another store.
    uri : str, optional
        Tracking URI.

    Returns
    -------
    str
        MLflow's own id of the parent run.

    Raises
    ------
    RiskmodelError
        A name MLflow cannot store, a folder that is not there, or a pickle among the files. Nothing is logged then.
    EnvironmentProblem, UsageError
        As in ``check_store``. A run that fails half-way is marked FAILED, with its candidates, and is never found.
    """
    folders = [record.bundle, record.private, record.narration, *(candidate.files for candidate in record.candidates)]
    _refuse_unfit_folders([folder for folder in folders if folder is not None])
    parent_part, parts = parent_entries(record), [candidate_entries(c, record) for c in record.candidates]
    store = resolve_store(workspace, uri)
    with connected(store) as client:
        experiment_id = _experiment_id(client, record.experiment, store)
        opened: list[str] = []
        try:
            parent = _log_entries(client, experiment_id, parent_part, opened)
            _log_parent_files(client, parent, record)
            for candidate, part in zip(record.candidates, parts, strict=True):
                child = _log_entries(client, experiment_id, part, opened)
                if candidate.files is not None:
                    client.log_artifacts(child, str(candidate.files), "model")
            for run in reversed(opened):
                client.set_terminated(run, "FINISHED")
        except BaseException as error:
            _mark_failed(client, opened, error)
            raise
    return parent


def _log_entries(client: MlflowClient, experiment_id: str, part: Entries, opened: list[str]) -> str:
    from mlflow.entities import Metric, Param

    tags, long_tags = fitting(part.tags, _LONGEST_TAG, _LONG_VALUES)
    params, long_params = fitting(part.params, _LONGEST_PARAM, _LONG_VALUES)
    if opened:
        tags["mlflow.parentRunId"] = opened[0]
    run = client.create_run(experiment_id, tags=tags, run_name=part.name)
    run_id = str(run.info.run_id)
    opened.append(run_id)
    metrics = [Metric(key, value, run.info.start_time, step) for key, step, value in part.metrics]
    for start in range(0, len(metrics), _METRICS_PER_BATCH):
        client.log_batch(run_id, metrics=metrics[start : start + _METRICS_PER_BATCH])
    listed = [Param(key, value) for key, value in params.items()]
    for start in range(0, len(listed), _PARAMS_PER_BATCH):
        client.log_batch(run_id, params=listed[start : start + _PARAMS_PER_BATCH])
    if long_tags or long_params:
        client.log_dict(run_id, {"tags": long_tags, "params": long_params}, _LONG_VALUES)
    return run_id


def _log_parent_files(client: MlflowClient, parent: str, record: RunRecord) -> None:
    if record.datasets:
        client.log_inputs(parent, datasets=_dataset_inputs(record))
    client.log_artifacts(parent, str(record.bundle), "bundle")
    for name, folder in (("private", record.private), ("narration", record.narration)):
        if folder is not None:
            client.log_artifacts(parent, str(folder), name)


def _dataset_inputs(record: RunRecord) -> list[DatasetInput]:
    from mlflow.data.code_dataset_source import CodeDatasetSource
    from mlflow.data.pandas_dataset import from_pandas
    from mlflow.entities import Dataset, DatasetInput, InputTag

    inputs = []
    for name, (frame, sha256) in record.datasets.items():
        # MLflow's digest is of a sample of the rows, so the sha256 of the whole table goes beside it.
        source = CodeDatasetSource({f"{TAG_PREFIX}sha256": sha256})
        described = from_pandas(frame, source=source, name=name).to_dict()
        tags = [InputTag("mlflow.data.context", "training"), InputTag(f"{TAG_PREFIX}sha256", sha256)]
        inputs.append(DatasetInput(Dataset(**described), tags))
    return inputs


def _experiment_id(client: MlflowClient, name: str, store: Store) -> str:
    from mlflow.exceptions import MlflowException

    known = _known_experiment(client, name, store)
    if known is None:
        try:
            return str(client.create_experiment(name, artifact_location=store.artifacts, tags={_KIND_TAG: _KIND}))
        except MlflowException as error:
            # Another run of the same experiment may have made it since we looked.
            known = _known_experiment(client, name, store)
            if known is None:
                raise error
    client.set_experiment_tag(known, _KIND_TAG, _KIND)
    return known


def _known_experiment(client: MlflowClient, name: str, store: Store) -> str | None:
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        return None
    if experiment.lifecycle_stage != "active":
        raise UsageError(
            f"the experiment '{name}' was deleted in MLflow's pages",
            where=store.shown,
            hint="restore it there, or give the experiment another name",
        )
    if store.own:
        _refuse_moved(str(experiment.artifact_location), store)
    return str(experiment.experiment_id)


def _refuse_moved(recorded: str, store: Store) -> None:
    before, here = local_path(recorded), local_path(str(store.artifacts))
    if before is None or here is None or before == here:
        return
    if before.exists() and here.exists() and before.samefile(here):
        return
    raise EnvironmentProblem(
        "mlruns was moved or copied: new files would be written to its old place",
        where=store.shown,
        found=before,
        allowed=here,
        hint="write the new place into its database with: riskmodel doctor --mend",
    )


def _refuse_unfit_folders(folders: Sequence[Path]) -> None:
    for folder in folders:
        if not folder.is_dir():
            raise RiskmodelError("a folder that should be logged is not there", where=folder)
        for path in sorted(folder.rglob("*")):
            if path.is_file() and _is_pickle(path):
                raise RiskmodelError(
                    "a pickle can run code when it is opened, so it is not stored",
                    where=path,
                    allowed=["LightGBM text", "JSON", "skops", "parquet"],
                    hint="store the model in one of the allowed forms",
                )


def _is_pickle(path: Path) -> bool:
    if path.suffix.lower() in _PICKLE_SUFFIXES:
        return True
    with path.open("rb") as opened:
        start = opened.read(2)
    # Protocol 2 and later open with 0x80 and the protocol's number.
    return len(start) == 2 and start[0] == 0x80 and 2 <= start[1] <= 5


def _mark_failed(client: MlflowClient, opened: list[str], error: BaseException) -> None:
    from mlflow.exceptions import MlflowException

    for run in reversed(opened):
        try:
            client.set_terminated(run, "FAILED")
        except (MlflowException, OSError) as second:
            error.add_note(f"MLflow run {run} could not be marked as failed either: {second}")
