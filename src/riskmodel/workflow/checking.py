"""Validate a workspace without data, and name every published file a data folder lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from riskmodel.contracts.errors import DefinitionError, RiskmodelError, UsageError, did_you_mean
from riskmodel.contracts.specs import KINDS
from riskmodel.contracts.yaml_files import Workspace, place_in
from riskmodel.narrative.language import ReadingAge
from riskmodel.narrative.papers import record_problems
from riskmodel.sources.files import missing_files
from riskmodel.workflow.approaches import read_approaches
from riskmodel.workflow.definitions import CENSUS, GEOGRAPHY, RESIDENTS, Definitions, read_definitions
from riskmodel.workflow.language_checks import language_problems, text_ages
from riskmodel.workflow.side_targets import target_problems
from riskmodel.workflow.target_versions import version_problems

__all__ = ["CheckReport", "Missing", "check_workspace"]


@dataclass(frozen=True)
class Missing:
    """A published file that is not in the data folder."""

    experiment: str
    force: str
    publisher: str
    file: str
    folder: str
    needed: bool


@dataclass(frozen=True)
class CheckReport:
    """What ``check_workspace`` found.

    ``texts`` is how many texts it read for their language; ``reading_ages`` has those that people wrote, by path.
    """

    counts: dict[str, int]
    experiments: tuple[str, ...]
    missing: tuple[Missing, ...] = field(default=())
    texts: int = 0
    reading_ages: Mapping[str, ReadingAge] = field(default_factory=dict)


def check_workspace(workspace: Workspace, *, experiment: str | None = None, data: Path | None = None) -> CheckReport:
    """Read and cross-check every definition; with a data folder, list the files its regions lack.

    Their words, and the texts people wrote beside them, are held to the rules of language. Targets are also held
    against the runs logged in the workspace: a changed definition is a new version.

    Parameters
    ----------
    workspace : Workspace
    experiment : str, optional
        Check the files of this experiment's region only.
    data : Path, optional
        Where the published files lie.

    Raises
    ------
    DefinitionError
        Listing every problem of every file.
    UsageError
        If the data folder is not there.
    """
    from riskmodel.tracking import recorded_definitions

    if data is not None and not data.is_dir():
        raise UsageError("the data folder is not there", where=data, hint="name an existing folder with --data DIR")
    problems: list[RiskmodelError | str] = []
    counts = {}
    for kind in KINDS:
        try:
            counts[kind] = len(workspace.read_all(kind))
        except DefinitionError as error:
            problems.append(error)
    if not problems:
        problems += _factor_problems(workspace)
        problems += _approach_problems(workspace)
        problems += _target_problems(workspace)
        problems += _record_problems(workspace)
    wanted = [experiment] if experiment else workspace.names("experiment")
    definitions = []
    for name in wanted:
        try:
            definitions.append(read_definitions(workspace, name))
        except DefinitionError as error:
            problems.append(error)
    texts, wrong = language_problems(workspace, wanted)
    problems += wrong
    recorded = recorded_definitions(workspace=workspace.root)
    problems += [problem for held in definitions for problem in version_problems(held, recorded)]
    if problems:
        raise DefinitionError.of_all(problems)
    missing = [m for d in definitions for m in _missing(d, data)] if data is not None else []
    names = tuple(d.name for d in definitions)
    return CheckReport(counts, names, tuple(missing), texts, text_ages(workspace, names))


def _factor_problems(workspace: Workspace) -> list[RiskmodelError | str]:
    """Factors of measures that no source declares, used by a feature set or not."""
    measures = {
        name: {m for file in source.files.values() for m in file.measures}
        for name, source in workspace.read_all("source").items()
    }
    problems: list[RiskmodelError | str] = []
    for domain, held in workspace.read_all("factor").items():
        for name, factor in held.factors.items():
            if factor.source not in measures:
                key, wrong, known = "source", factor.source, set(measures)
            else:
                known = measures[factor.source]
                named = {"measure": factor.measure, "per": factor.per or factor.measure}
                key, wrong = next(((k, m) for k, m in named.items() if m not in known), ("", ""))
            if key:
                problems.append(
                    DefinitionError(
                        f"factor '{domain}/{name}': unknown {key} '{wrong}'",
                        where=place_in(workspace.path("factor", domain), "factors", name, key),
                        allowed=sorted(known),
                        hint=did_you_mean(wrong, known),
                    )
                )
    return problems


def _approach_problems(workspace: Workspace) -> list[RiskmodelError | str]:
    """Approaches to conditions that the catalogue does not hold."""
    try:
        read_approaches(workspace)
    except DefinitionError as error:
        return [error]
    return []


def _target_problems(workspace: Workspace) -> list[RiskmodelError | str]:
    """Targets that their source cannot supply, named by an experiment or not."""
    sources = workspace.read_all("source")
    return [
        problem
        for name, target in workspace.read_all("target").items()
        for problem in target_problems(target, sources, workspace.path("target", name))
    ]


def _record_problems(workspace: Workspace) -> list[RiskmodelError | str]:
    """Fields of the transparency record that a policy fills and the record does not have."""
    return [
        problem
        for name, policy in workspace.read_all("policy").items()
        for problem in record_problems(policy, workspace.path("policy", name))
    ]


def _missing(definitions: Definitions, data: Path) -> list[Missing]:
    region, history = definitions.experiment.region, definitions.experiment.history
    found: list[Missing] = []
    measures: dict[str, Any] = {**definitions.measures, GEOGRAPHY: set()}
    measures.setdefault(CENSUS, set()).add(RESIDENTS)
    for source, wanted in sorted(measures.items()):
        spec = definitions.sources[source]
        roles = [r for r, f in spec.files.items() if spec.frame or f.monthly or wanted & set(f.measures)]
        gaps = missing_files(source, spec, data, force=region.force, first_month=history.first_month, roles=roles)
        found += [
            Missing(
                definitions.name,
                region.force,
                gap.publisher,
                gap.file,
                gap.folder,
                needed=gap.period == "" or not spec.files[gap.role].monthly,
            )
            for gap in gaps
        ]
    return found
