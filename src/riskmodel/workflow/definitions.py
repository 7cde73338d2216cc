"""An experiment and everything it names, read and cross-checked before any data are touched."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from riskmodel.contracts.errors import DefinitionError, RiskmodelError, did_you_mean
from riskmodel.contracts.registry import names
from riskmodel.contracts.specs import (
    CharacteristicSpec,
    ExperimentSpec,
    ModelSpec,
    PolicySpec,
    RecordedSeries,
    SourceSpec,
    TargetSpec,
)
from riskmodel.contracts.yaml_files import Workspace, place_in
from riskmodel.features.catalogue import ResolvedFeature, needed_measures, resolve_features
from riskmodel.forecast import Plan, make_model
from riskmodel.forecast.search_bounds import search_problems
from riskmodel.forecast.searching import require_search_library
from riskmodel.models.ensemble import Ensemble
from riskmodel.narrative.papers import record_problems
from riskmodel.panel.groups import group_measures
from riskmodel.workflow.conditions import resolve_conditions
from riskmodel.workflow.group_streams import GroupStream, group_streams, policy_problems
from riskmodel.workflow.side_targets import SideTarget, headline_problems, resolve_also, target_problems

__all__ = ["Definitions", "read_definitions"]

GEOGRAPHY = "geography"
CENSUS = "census2021"
RESIDENTS = "usual_residents"


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
    also: tuple[SideTarget, ...] = ()

    @property
    def measures(self) -> dict[str, set[str]]:
        """Source -> measures the targets and the features of all models need."""
        needed = needed_measures(self.target, (*self.features, *self.conditions))
        for side in self.also:
            for source, measures in needed_measures(side.target, side.features).items():
                needed.setdefault(source, set()).update(measures)
        return needed

    @property
    def parts(self) -> tuple[RecordedSeries, ...]:
        """The parts of sources, by breakdown, that targets and features are made of."""
        features = [*self.features, *self.conditions, *(f for side in self.also for f in side.features)]
        series = [self.target.series, *(side.target.series for side in self.also)]
        series += [stream.target.series for stream in self.group_streams]
        series += [part.recorded for f in features for part in f.input.parts if part.recorded is not None]
        return tuple(dict.fromkeys(s.located for s in series if s.part))

    @property
    def target_hashes(self) -> dict[str, str]:
        """Target@version -> the hash of its definition, the headline first."""
        hashes = {self.plan.target_label: self.target.definition_sha256(self.sources[self.target.source])}
        return hashes | {side.label: side.target.definition_sha256(side.source) for side in self.also}

    @property
    def audited(self) -> dict[str, CharacteristicSpec]:
        """The characteristics that the policy audits, in its order."""
        names = self.policy.characteristics or list(self.characteristics)
        return {name: self.characteristics[name] for name in names}

    @property
    def group_streams(self) -> tuple[GroupStream, ...]:
        """Counts by group that the audited characteristics' sources can give, held or not."""
        return group_streams(self.characteristics, self.policy)

    @property
    def if_held(self) -> dict[str, set[str]]:
        """Source -> measures of groups and their counts, a poor base and the country; done without where absent."""
        needed = group_measures(self.characteristics)
        needed.setdefault(CENSUS, set()).add(RESIDENTS)
        for stream in self.group_streams:
            needed.setdefault(stream.source, set()).update(stream.target.measures)
        if self.policy.poor_base is not None:
            needed.setdefault(self.policy.poor_base.source, set()).update(self.policy.poor_base.measures)
        return needed

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

    def plan_of(self, side: SideTarget) -> Plan:
        """What a side target's forecast depends on besides the view: features and models of its own."""
        return replace(
            self.plan,
            target_name=side.name,
            target=side.target,
            features=side.features,
            models=side.models,
            floor=side.spec.floor,
        )


def read_definitions(workspace: Workspace, name: str) -> Definitions:
    """Read an experiment, its targets, feature sets, policy and sources.

    Raises
    ------
    DefinitionError
        Listing every problem found in all of them.
    EnvironmentProblem
        If a model's settings are searched, and the library that does so is not installed.
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
        _require_sources(sources)
        if "target" in read:
            target_path = workspace.path("target", experiment.target)
            problems += target_problems(read["target"], sources, target_path)
            problems += headline_problems(experiment.target, read["target"], sources, path)
        sound = not problems
        if "policy" in read:
            read["also"], wrong = resolve_also(
                workspace, experiment, sources=sources, policy=read["policy"], where=path
            )
            problems += wrong
        if sound:
            set_path = workspace.path("set", experiment.feature_set).as_posix()
            read["features"] = resolve_features(
                workspace, read["set"], read["target"], policy=read["policy"], where=set_path
            )
            read["conditions"] = resolve_conditions(
                workspace, experiment, read["target"], policy=read["policy"], where=path
            )
            problems += _free_problems(experiment.models, read["features"], path, ("models",))
            if experiment.conditions is not None:
                problems += _free_problems(
                    experiment.conditions.models, read["conditions"], path, ("conditions", "models")
                )
    except DefinitionError as error:
        problems.append(error)
    if "policy" in read:
        # Found here and not when the papers are written, at the end of a long run.
        problems += record_problems(read["policy"], workspace.path("policy", experiment.policy))
    problems += _model_problems(experiment, path)
    characteristics = workspace.read_all("characteristic")
    if "policy" in read and not problems:
        problems += policy_problems(workspace, read["policy"], experiment.policy, characteristics, sources)
        targets = {experiment.target: read["target"], **{side.name: side.target for side in read["also"]}}
        problems += _cost_problems(experiment, targets, path)
    if problems:
        raise DefinitionError.of_all(problems)
    _require_library_of_searches(experiment, path)
    return Definitions(
        workspace=workspace,
        name=name,
        experiment=experiment,
        target=read["target"],
        policy=read["policy"],
        sources=sources,
        features=tuple(read["features"]),
        characteristics=characteristics,
        digest=_digest(workspace, experiment, read, sources),
        conditions=read["conditions"],
        also=read["also"],
    )


def _free_problems(
    models: Sequence[ModelSpec], features: Sequence[ResolvedFeature], path: Path, keys: tuple[str, ...]
) -> list[RiskmodelError | str]:
    """Coefficients that shall not be held back, of features that the set does not have."""
    labels = [feature.label for feature in features]
    problems: list[RiskmodelError | str] = []
    for index, spec in enumerate(models):
        named = spec.params.get("free", ())
        unknown = [name for name in named if name not in labels] if isinstance(named, (list, tuple)) else []
        if unknown:
            problems.append(
                DefinitionError(
                    f"model '{spec.model_id}': 'free' names no feature of the set",
                    where=place_in(path, *keys, index),
                    found=unknown,
                    hint=did_you_mean(unknown[0], labels),
                )
            )
    return problems


def _require_sources(sources: Mapping[str, SourceSpec]) -> None:
    for needed in (GEOGRAPHY, CENSUS):
        if needed not in sources:
            raise DefinitionError(
                f"there is no source '{needed}'",
                where="features/sources",
                allowed=sorted(sources),
                hint=did_you_mean(needed, sources),
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
            problems += [wrong.at(place_in(path, "models", index, *at)) for at, wrong in search_problems(spec)]
        except DefinitionError as error:
            problems.append(error.at(place_in(path, "models", index)))
    return problems


def _cost_problems(
    experiment: ExperimentSpec, targets: Mapping[str, TargetSpec], path: Path
) -> list[RiskmodelError | str]:
    """Unit costs of a target that is not forecast, or that is broader than what was costed."""
    problems: list[RiskmodelError | str] = []
    for name, cost in experiment.costs.items():
        place = place_in(path, "costs", name)
        if cost.target not in targets:
            problems.append(
                DefinitionError(
                    f"'{name}' costs a target that the experiment does not forecast",
                    where=place,
                    found=cost.target,
                    allowed=sorted(targets),
                    hint=did_you_mean(cost.target, targets),
                )
            )
            continue
        broader = sorted(set(targets[cost.target].measures) - set(cost.covers))
        if broader:
            problems.append(
                DefinitionError(
                    f"'{name}': the target is broader than the offence that was costed, so its cost is refused",
                    where=place,
                    found=f"'{cost.target}' also counts {', '.join(broader)}",
                    allowed=f"a target that counts {', '.join(cost.covers)} and nothing else",
                    hint="cost a narrower target, or leave the cost out",
                )
            )
    return problems


def _require_library_of_searches(experiment: ExperimentSpec, path: Path) -> None:
    for index, spec in enumerate(experiment.models):
        if spec.search is not None:
            require_search_library(where=place_in(path, "models", index, "search"))


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
        "policy": read["policy"].rules_sha256,
        "also": [
            {"target": side.target.model_dump(mode="json"), "set": _set_of(workspace, side.spec.feature_set)}
            for side in read["also"]
        ],
        "conditions": [] if experiment.conditions is None else _set_of(workspace, experiment.conditions.feature_set),
        "sources": {k: v.model_dump(mode="json") for k, v in sorted(sources.items())},
        "factors": {k: v.model_dump(mode="json") for k, v in sorted(factors.items())},
        "characteristics": {
            k: v.model_dump(mode="json") for k, v in sorted(workspace.read_all("characteristic").items())
        },
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
