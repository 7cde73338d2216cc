"""What is handed to the tracking store and what it hands back: plain records, no mlflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    import pandas as pd

__all__ = ["Candidate", "RunRecord", "StoredCandidate", "StoredRun"]


@dataclass(frozen=True)
class Candidate:
    """One model that took part in a run.

    Parameters
    ----------
    model_id : str
        The model's name in the experiment.
    params : mapping
        Its settings; nested mappings are logged under dotted names.
    metrics : mapping of str to float
        Pooled scores, for example ``{"skill": 0.04, "mae": 1.9}``.
    by_horizon : mapping of str to mapping of int to float
        metric -> horizon in months -> value; logged as ``by_horizon/<metric>`` with the horizon as step.
    files : Path or None
        Folder with the stored model (LightGBM text, JSON, skops), logged under ``model/``.
    """

    model_id: str
    params: Mapping[str, object]
    metrics: Mapping[str, float]
    by_horizon: Mapping[str, Mapping[int, float]]
    files: Path | None


@dataclass(frozen=True)
class RunRecord:
    """Everything one riskmodel run leaves in the tracking store.

    Parameters
    ----------
    experiment, question : str
        The experiment's name and the question it asks, in words.
    run_id : str
        riskmodel's own run id: a hash of inputs, configuration, code version, seed and as_of.
    params : mapping
        The experiment's settings; nested mappings are logged under dotted names.
    tags : mapping of str to str
        as_of, seed, code_version, inputs_sha256, manifest_sha256, baseline, headline; stored as ``riskmodel.<name>``.
    candidates : sequence of Candidate
        One nested run each.
    datasets : mapping of str to (DataFrame, str)
        name -> (small frame or summary, riskmodel's sha256 of the whole table).
    bundle : Path
        The bundle's folder, logged under ``bundle/``.
    private : Path or None
        Folder of unsuppressed tables and draws, logged under ``private/``. With a server as tracking store these
        tables go to that server.
    narration : Path or None
        Folder of what the bundle's pages are made from, logged under ``narration/``; no value that was withheld.
    """

    experiment: str
    question: str
    run_id: str
    params: Mapping[str, object]
    tags: Mapping[str, str]
    candidates: Sequence[Candidate]
    datasets: Mapping[str, tuple[pd.DataFrame, str]]
    bundle: Path
    private: Path | None
    narration: Path | None = None


@dataclass(frozen=True)
class StoredCandidate:
    """A candidate as read back; ``params`` are text, because MLflow keeps them so."""

    model_id: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    mlflow_id: str
    artifact_uri: str
    tracking_uri: str


@dataclass(frozen=True)
class StoredRun:
    """A finished run as read back; ``tags`` are riskmodel's own, without their ``riskmodel.`` prefix."""

    run_id: str
    experiment: str
    question: str
    started: datetime
    params: Mapping[str, str]
    tags: Mapping[str, str]
    candidates: tuple[StoredCandidate, ...]
    mlflow_id: str
    artifact_uri: str
    tracking_uri: str
