"""An experiment and everything it names, read and cross-checked before any data are touched."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from riskmodel.contracts.errors import DefinitionError, RiskmodelError, did_you_mean
from riskmodel.contracts.registry import names
from riskmodel.contracts.specs import CharacteristicSpec, ExperimentSpec, ModelSpec, PolicySpec, SourceSpec, TargetSpec
from riskmodel.contracts.yaml_files import Workspace, place_in
from riskmodel.features.catalogue import ResolvedFeature, needed_measures, resolve_features
from riskmodel.forecast import Plan, make_model
from riskmodel.models.ensemble import Ensemble
from riskmodel.panel.groups import group_measures
from riskmodel.workflow.conditions import resolve_conditions

__all__ = ["Definitions", "read_definitions"]

GEOGRAPHY = "geography"
CENSUS = "census2021"


@dataclass(frozen=True)
class Definitions:
    """An experiment with all it names."""

    workspace: Workspace
    name: str
    experiment: ExperimentSpec
    target: TargetSpec
    policy: PolicySpec
    sources: Mapping[str, SourceSpec]
    features: tuple[ResolvedFeature, ...]
    characteristics: Mapping[str, CharacteristicSpec]
    digest: str
    conditions: tuple[ResolvedFeature, ...] = ()

    @property
    def measures(self) -> dict[str, set[str]]:
        """Source -> measures the target and the features of both models need."""
        return needed_measures(self.target, (*self.features, *self.conditions))

    @property
    def group_measures(self) -> dict[str, set[str]]:
        """Source -> measures the groups are made of."""
        return group_measures(self.characteristics)

    @property
    def plan(self) -> Plan:
        """What a forecast depends on besides the view."""
        spec = self.experiment
        return Plan(
            target_name=spec.target,
            target=self.target,
            features=self.features,
            models=tuple(spec.models),
            floor=spec.floor,
            minimum_months=spec.history.minimum_months,
            minimum_training_origins=spec.history.minimum_training_origins,
            training_origins=spec.history.training_origins,
            seed=spec.seed,
        )


def read_definitions(workspace: Workspace, name: str) -> Definitions:
    """Read an experiment, its target, feature set, policy and sources.

    Raises
    ------
    DefinitionError
        Listing every problem found in all of them.
    """
    experiment: ExperimentSpec = workspace.read("experiment", name)
    path = workspace.path("experiment", name)
    problems: list[RiskmodelError | str] = []
    read: dict[str, Any] = {}
    for kind, key in (("target", "target"), ("set", "feature_set"), ("policy", "policy")):
        wanted = getattr(experiment, key)
        try:
            read[kind] = workspace.read(kind, wanted)
        except DefinitionError as error:
            absent = not workspace.path(kind, wanted).is_file()
            problems.append(error.at(place_in(path, key)) if absent else error)
    try:
        sources = workspace.read_all("source")
        _require_sources(sources, read.get("target"), workspace.path("target", experiment.target))
        if not problems:
            set_path = workspace.path("set", experiment.feature_set).as_posix()
            read["features"] = resolve_features(
                workspace, read["set"], read["target"], policy=read["policy"], where=set_path
            )
            read["conditions"] = resolve_conditions(
                workspace, experiment, read["target"], policy=read["policy"], where=path
            )
    except DefinitionError as error:
        problems.append(error)
    problems += _model_problems(experiment, path)
    if problems:
        raise DefinitionError.of_all(problems)
    return Definitions(
        workspace=workspace,
        name=name,
        experiment=experiment,
        target=read["target"],
        policy=read["policy"],
        sources=sources,
        features=tuple(read["features"]),
        characteristics=workspace.read_all("characteristic"),
        digest=_digest(workspace, experiment, read, sources),
        conditions=read["conditions"],
    )


def _require_sources(sources: Mapping[str, SourceSpec], target: TargetSpec | None, path: Path) -> None:
    for needed in (GEOGRAPHY, CENSUS, *([target.source] if target else [])):
        if needed not in sources:
            raise DefinitionError(
                f"there is no source '{needed}'",
                where=place_in(path, "source") if target and needed == target.source else "features/sources",
                allowed=sorted(sources),
                hint=did_you_mean(needed, sources),
            )
    known = {m for f in sources[target.source].files.values() for m in f.measures} if target else set()
    unknown = [m for m in target.measures if m not in known] if target else []
    if unknown:
        raise DefinitionError(
            f"the target's source has no measure '{unknown[0]}'",
            where=place_in(path, "measures"),
            allowed=sorted(known),
            hint=did_you_mean(unknown[0], known),
        )


def _model_problems(experiment: ExperimentSpec, path: Path) -> list[RiskmodelError | str]:
    problems: list[RiskmodelError | str] = []
    for index, spec in enumerate(experiment.models):
        try:
            model = make_model(spec, experiment.seed)
            offset = getattr(model, "offset", "")
            if isinstance(model, Ensemble):
                _require_members(spec.model_id, model, experiment.models)
            if offset not in ("", "exposure") and offset not in names("model"):
                known = ["exposure", *names("model")]
                raise DefinitionError(
                    f"model '{spec.model_id}': unknown offset '{offset}'",
                    allowed=known,
                    hint=did_you_mean(offset, known),
                )
        except DefinitionError as error:
            problems.append(error.at(place_in(path, "models", index)))
    return problems


def _require_members(name: str, model: Ensemble, models: Sequence[ModelSpec]) -> None:
    known = [m.model_id for m in models if m.use != "ensemble"]
    members = model.members if isinstance(model.members, (list, tuple)) else []
    wrong = [m for m in members if m not in known]
    if len(members) < 2 or len(set(members)) < len(members) or wrong:
        raise DefinitionError(
            f"ensemble '{name}': members are two or more different models of the experiment, not ensembles",
            found=wrong or list(members) or "none",
            allowed=known,
            hint=did_you_mean(str(wrong[0]), known) if wrong else None,
        )
    if model.weights not in ("equal", "skill") or model.last_origins < 1:
        raise DefinitionError(
            f"ensemble '{name}': weights are 'equal' or 'skill', over at least one origin",
            found=f"{model.weights}, {model.last_origins}",
        )


def _set_of(workspace: Workspace, name: str) -> Any:
    return workspace.read("set", name).model_dump(mode="json")


def _digest(
    workspace: Workspace, experiment: ExperimentSpec, read: Mapping[str, Any], sources: Mapping[str, Any]
) -> str:
    """The hash of every definition that can change a number (names and texts included, comments not)."""
    factors = workspace.read_all("factor")
    parts = {
        "experiment": experiment.model_dump(mode="json"),
        "target": read["target"].model_dump(mode="json"),
        "set": read["set"].model_dump(mode="json"),
        "policy": read["policy"].model_dump(mode="json"),
        "conditions": [] if experiment.conditions is None else _set_of(workspace, experiment.conditions.feature_set),
        "sources": {k: v.model_dump(mode="json") for k, v in sorted(sources.items())},
        "factors": {k: v.model_dump(mode="json") for k, v in sorted(factors.items())},
        "characteristics": {
            k: v.model_dump(mode="json") for k, v in sorted(workspace.read_all("characteristic").items())
        },
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
