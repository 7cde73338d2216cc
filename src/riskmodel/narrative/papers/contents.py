"""What the papers are made from: the run's tables as they are published, its definitions, and what the policy says.

In: what ``workflow`` holds. Out: one frozen record every paper reads, with what they all ask of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from riskmodel.contracts.specs import CharacteristicSpec, FactorSpec, ModelSpec, PolicySpec, SourceSpec
from riskmodel.contracts.tables import TABLES
from riskmodel.narrative.papers.withholding import safe_tables

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Papers"]


@dataclass(frozen=True, eq=False)
class Papers:
    """One run, as reviewers' papers see it.

    Parameters
    ----------
    state : str
        The first line of every paper, such as "Draft: not approved for use".
    title : str
        The region's name.
    experiment, question : str
        The experiment's name and the question it asks.
    target, target_title, covers, leaves_out, differs : str
        The headline's label, such as ``recorded_violence@1``, and its definition.
    model_id, baseline, headline : str
        The model planners are shown, what it is measured against, and in one sentence whether it beats counting.
    tables : mapping of str to DataFrame
        As published, small numbers safe. ``audit`` is what the papers are about; all others are used where given.
    policy, policy_name : PolicySpec, str
        The policy the run was audited under, and its file's name.
    sources : mapping of str to SourceSpec
        The sources whose files the run read.
    factors : mapping of str to FactorSpec
        The catalogue, each as domain/name.
    characteristics : mapping of str to CharacteristicSpec
        Every characteristic of the workspace.
    models : mapping of str to ModelSpec
        The experiment's candidates by ``model_id``.
    as_of, run_id, code_version, seed
        What names the run.
    inputs : mapping of str to str
        Published file -> sha256.
    """

    state: str
    title: str
    experiment: str
    question: str
    target: str
    target_title: str
    covers: str
    leaves_out: str
    model_id: str
    baseline: str
    headline: str
    tables: Mapping[str, pd.DataFrame]
    policy: PolicySpec
    policy_name: str
    sources: Mapping[str, SourceSpec]
    factors: Mapping[str, FactorSpec]
    characteristics: Mapping[str, CharacteristicSpec]
    models: Mapping[str, ModelSpec]
    as_of: date
    run_id: str
    code_version: str
    seed: int
    inputs: Mapping[str, str] = field(default_factory=dict)
    differs: str = ""

    def __post_init__(self) -> None:
        """Leave withheld figures out, whoever asks for a paper."""
        object.__setattr__(self, "tables", safe_tables(self.tables))

    def table(self, name: str) -> pd.DataFrame:
        """A table, without rows and with its record's columns where the run has none."""
        import pandas as pd

        held = self.tables.get(name)
        return held if held is not None else pd.DataFrame(columns=TABLES[name].names)

    def row(self, name: str, model_id: str) -> pd.Series | None:
        """The one row a table has of a model, where it has one."""
        held = self.table(name)
        found = held[held["model_id"] == model_id] if "model_id" in held else held
        return found.iloc[0] if len(found) else None

    @property
    def features(self) -> pd.DataFrame:
        """The model inputs that were used: those of the table ``factors`` that were not left out."""
        held = self.table("factors")
        return held[held["left_out"].fillna("") == ""]

    @property
    def used_factors(self) -> dict[str, FactorSpec]:
        """The catalogue's entries that the used inputs are made of, by domain/name."""
        used = set(self.features["factor"].dropna())
        return {name: factor for name, factor in sorted(self.factors.items()) if name in used}

    def measures_of(self, source: str) -> dict[str, list[str]]:
        """What the run makes of a source's measures: measure -> uses, in words.

        Counted are the target and the targets beside it, the model inputs, and the groups that the audit looks at.
        """
        uses: dict[str, dict[str, None]] = {}

        def add(measure: str, use: str) -> None:
            uses.setdefault(measure, {})[use] = None

        for name in ("targets", "streams"):
            held = self.table(name)
            for _, row in held[held["source"] == source].iterrows():
                for measure in str(row["measures"]).split(" + "):
                    add(measure, f"target: {row['title']}")
        for name, factor in self.used_factors.items():
            for measure in filter(None, (factor.measure, factor.per)) if factor.source == source else ():
                add(measure, f"factor: {factor.title} ({name})")
        for characteristic in self.characteristics.values():
            for measure in _measures_of_groups(characteristic) if characteristic.source == source else ():
                add(measure, f"audit: {characteristic.title}")
            for outcome in characteristic.outcomes:
                for measure in outcome.measures if outcome.source == source else ():
                    add(measure, f"audit: {characteristic.title}, counts by group")
        return {measure: list(said) for measure, said in sorted(uses.items())}

    @property
    def sensitive_factors(self) -> dict[str, str]:
        """Used factors that measure who lives in a place: domain/name -> the question that the audit asks of it."""
        groups = {
            (spec.source, measure): spec.question
            for _, spec in sorted(self.characteristics.items())
            if spec.question not in ("place", "poverty")
            for measure in _measures_of_groups(spec)
        }
        found: dict[str, str] = {}
        for name, factor in self.used_factors.items():
            if factor.characteristic is not None:
                named = self.characteristics.get(factor.characteristic)
                found[name] = named.question if named is not None else factor.characteristic
            elif (factor.source, factor.measure) in groups:
                found[name] = groups[factor.source, factor.measure]
        return found

    @property
    def police_generated_factors(self) -> list[str]:
        """Used factors that follow what the police do."""
        return [
            name
            for name, factor in self.used_factors.items()
            if factor.police_generated
            or (factor.source in self.sources and factor.measure in self.sources[factor.source].police_generated)
        ]


def _measures_of_groups(spec: CharacteristicSpec) -> list[str]:
    groups = [measure for measures in spec.groups.values() for measure in measures]
    classes = [held.measure for held in spec.classes.values()]
    return list(dict.fromkeys([*groups, *([spec.total] if spec.total else []), *classes]))
