"""Records go in; the names, texts and numbers MLflow can hold come out, with nothing cut off unseen."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from riskmodel.contracts.errors import RiskmodelError

if TYPE_CHECKING:
    from riskmodel.tracking.records import Candidate, RunRecord

__all__ = ["TAG_PREFIX", "Entries", "candidate_entries", "fitting", "parent_entries"]

TAG_PREFIX = "riskmodel."

_Value = TypeVar("_Value")

_RESERVED_TAGS = {"run_id", "role", "model_id", "question", "not_finite"}
# MLflow also takes a colon, but not on Windows.
_NAME = re.compile(r"[\w. -]+(/[\w. -]+)*")


@dataclass(frozen=True)
class Entries:
    """What one MLflow run holds besides files: its name, tags, params and (metric, step, value) triples."""

    name: str
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: tuple[tuple[str, int, float], ...]


def parent_entries(record: RunRecord) -> Entries:
    """Make the parent run's entries.

    Raises
    ------
    RiskmodelError
        A name MLflow cannot store, or a tag that would hide one of ours.
    """
    if taken := _RESERVED_TAGS & set(record.tags):
        raise RiskmodelError("these tags are set by the tracking itself", found=taken, hint="leave them out")
    tags = {"run_id": record.run_id, "role": "run", "question": record.question, **record.tags}
    shown = {"mlflow.note.content": record.question, **_source_tags()}
    return Entries(
        name=f"{record.experiment} {record.run_id[:12]}",
        tags={**shown, **{TAG_PREFIX + key: value for key, value in _named(tags.items())}},
        params=_params(record.params),
        metrics=(),
    )


def candidate_entries(candidate: Candidate, record: RunRecord) -> Entries:
    """Make a candidate's entries; scores that are not finite are named in a tag, because a database cannot hold them.

    Raises
    ------
    RiskmodelError
        A name MLflow cannot store.
    """
    pooled = [(name, 0, float(value)) for name, value in _named(candidate.metrics.items())]
    stepped = [
        (f"by_horizon/{name}", int(horizon), float(value))
        for name, values in _named(candidate.by_horizon.items())
        for horizon, value in values.items()
    ]
    missing = [f"{name}@{step}={value}" for name, step, value in pooled + stepped if not math.isfinite(value)]
    tags = {"parent_run_id": record.run_id, "role": "candidate", "model_id": candidate.model_id}
    if missing:
        tags["not_finite"] = ", ".join(missing)
    return Entries(
        name=candidate.model_id,
        tags={**_source_tags(), **{TAG_PREFIX + key: value for key, value in tags.items()}},
        params=_params(candidate.params),
        metrics=tuple(entry for entry in pooled + stepped if math.isfinite(entry[2])),
    )


def fitting(texts: Mapping[str, str], longest: int, elsewhere: str) -> tuple[dict[str, str], dict[str, str]]:
    """Shorten what MLflow would cut off, saying so, and return the whole of it beside.

    Returns
    -------
    (dict, dict)
        Every text, none longer than ``longest``; and the whole of those that were shortened.

    Examples
    --------
    >>> short, whole = fitting({"a": "x" * 90, "b": "y"}, 50, "long.json")
    >>> short
    {'a': 'xxxxxxxxxx ... (90 characters, whole in long.json)', 'b': 'y'}
    >>> list(whole)
    ['a']
    """
    whole = {key: text for key, text in texts.items() if len(text) > longest}
    short = dict(texts)
    for key, text in whole.items():
        remark = f" ... ({len(text)} characters, whole in {elsewhere})"
        short[key] = text[: longest - len(remark)] + remark
    return short, whole


def _source_tags() -> dict[str, str]:
    return {"mlflow.source.name": "riskmodel", "mlflow.source.type": "LOCAL"}


def _params(values: Mapping[str, object]) -> dict[str, str]:
    named = list(_named(_flat(values)))
    if twice := sorted(key for key, count in Counter(key for key, _ in named).items() if count > 1):
        raise RiskmodelError("two parameters would be stored under one name", found=twice, hint="rename one of them")
    return dict(named)


def _flat(values: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", _as_text(value)


def _as_text(value: object) -> str:
    if isinstance(value, (list, tuple, Mapping)):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return str(value)


def _named(entries: Iterable[tuple[str, _Value]]) -> Iterator[tuple[str, _Value]]:
    for key, value in entries:
        if not _NAME.fullmatch(key) or len(key) > 200:
            raise RiskmodelError(
                "MLflow cannot store a parameter, tag or metric of this name",
                found=key,
                allowed="letters, digits, _ - . space and /, up to 200 characters",
                hint="rename it where it is declared",
            )
        yield key, value
