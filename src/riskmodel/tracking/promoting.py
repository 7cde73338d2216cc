"""A stored run and a name go in; the MLflow registry, whose alias leads to that run's model, comes out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from riskmodel.contracts.errors import UsageError
from riskmodel.tracking.entries import TAG_PREFIX
from riskmodel.tracking.records import StoredCandidate, StoredRun
from riskmodel.tracking.store import connected, resolve_store

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

__all__ = ["Promoted", "promote_model"]

_ALIAS = re.compile(r"[A-Za-z0-9_-]{1,255}")
# MLflow keeps these for itself.
_RESERVED = re.compile(r"latest|v\d+", flags=re.IGNORECASE)


@dataclass(frozen=True)
class Promoted:
    """Where an alias leads now, and the version it led to before (None where to none)."""

    name: str
    alias: str
    version: str
    before: str | None


def promote_model(run: StoredRun, model_id: str, *, alias: str, tags: Mapping[str, str], to: Path) -> Promoted:
    """Register a run's model under its experiment's name, once, and let an alias lead to it.

    Parameters
    ----------
    run : StoredRun
    model_id : str
        Which of its models.
    alias : str
        Such as ``approved``.
    tags : mapping of str to str
        What the version rests on; stored as ``riskmodel.<name>``.
    to : Path
        The workspace.

    Returns
    -------
    Promoted

    Raises
    ------
    UsageError
        If MLflow takes no such alias, or the run has stored no such model.
    EnvironmentProblem
        The store cannot be opened.
    """
    if _ALIAS.fullmatch(alias) is None or _RESERVED.fullmatch(alias):
        raise UsageError(
            f"'{alias}' is no alias", allowed="letters, digits, _ and -; not 'latest', nor a v with digits"
        )
    candidate = next((c for c in run.candidates if c.model_id == model_id), None)
    if candidate is None:
        known = [c.model_id for c in run.candidates]
        raise UsageError("the run has stored no such model", where=f"run {run.run_id}", found=model_id, allowed=known)
    with connected(resolve_store(to, run.tracking_uri)) as client:
        before = _registered(client, run.experiment).get(alias)
        version = _version(client, run.experiment, candidate, tags)
        client.set_registered_model_alias(run.experiment, alias, version)
    return Promoted(run.experiment, alias, version, before)


def _registered(client: MlflowClient, name: str) -> dict[str, str]:
    """The aliases of a registered model, which is made where there is none."""
    found = list(client.search_registered_models(f"name = '{name}'"))
    if not found:
        client.create_registered_model(name)
        return {}
    return {str(alias): str(version) for alias, version in dict(found[0].aliases).items()}


def _version(client: MlflowClient, name: str, candidate: StoredCandidate, tags: Mapping[str, str]) -> str:
    held = client.search_model_versions(f"name = '{name}' and run_id = '{candidate.mlflow_id}'")
    if held:
        version = str(held[0].version)
        for key, value in tags.items():
            client.set_model_version_tag(name, version, f"{TAG_PREFIX}{key}", value)
        return version
    # An address by run and not by folder: it holds when mlruns is moved.
    source = f"runs:/{candidate.mlflow_id}/model"
    made = client.create_model_version(
        name, source, candidate.mlflow_id, tags={f"{TAG_PREFIX}{key}": value for key, value in tags.items()}
    )
    return str(made.version)
