"""What a YAML file of a workspace may say: one pydantic model per kind, unknown keys refused.

``KINDS`` maps each kind to its folder and its model; the loader, ``riskmodel check``, ``list`` and ``new`` read it,
so a new kind of file is one entry here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from riskmodel.contracts.approach_specs import ApproachSpec
from riskmodel.contracts.periods import month_number
from riskmodel.contracts.policy_specs import DecisionFormSpec, DecisionSpec, PermissionSpec, PolicySpec
from riskmodel.contracts.search_specs import SearchSpec
from riskmodel.contracts.selection_specs import SelectionSpec
from riskmodel.contracts.source_specs import DisclosureSpec, FileSpec, SharingSpec, SourceSpec, Spec, TableSpec, Text
from riskmodel.contracts.target_specs import SLUG, AlsoSpec, RecordedSeries, TargetSpec, at_key

__all__ = [
    "CONDITIONS_BASELINE",
    "FORMS",
    "KINDS",
    "AblationSpec",
    "AlsoSpec",
    "ApproachSpec",
    "AreaClassSpec",
    "BacktestSpec",
    "CharacteristicSpec",
    "ConditionsSpec",
    "CostSpec",
    "DecisionFormSpec",
    "DecisionSpec",
    "DisclosureSpec",
    "ExperimentSpec",
    "FactorSpec",
    "FactorsSpec",
    "FeatureSetSpec",
    "FeatureSpec",
    "FileSpec",
    "GapSpec",
    "Kind",
    "ModelSpec",
    "OutcomeSpec",
    "PermissionSpec",
    "PolicySpec",
    "RecordedSeries",
    "RegionSpec",
    "SelectionSpec",
    "SharingSpec",
    "SourceSpec",
    "Spec",
    "TableSpec",
    "TargetSpec",
]

_MONTH, _FORCE = r"^[0-9]{4}-(0[1-9]|1[0-2])$", r"^[a-z][a-z-]*$"
FORMS = {
    _MONTH: "YYYY-MM",
    _FORCE: "small letters and hyphens, as in police.uk file names: thames-valley",
    SLUG: "a small letter, then small letters, digits and _",
}
Month = Annotated[str, Field(pattern=_MONTH, description="a month, YYYY-MM")]
CONDITIONS_BASELINE = "region_rate"
"""What the conditions model is measured against: residents times the region's rate."""
Lever = Literal["council", "education", "health", "housing", "police", "youth_justice", "community"]


class FactorSpec(Spec):
    """A real-world condition of areas, as the catalogue holds it."""

    title: Text
    role: Literal["risk", "protective", "context"]
    source: Text
    measure: Text
    per: str | None = Field(default=None, description="denominator measure of the same source")
    of: float = Field(default=1.0, gt=0, description="rate multiple, e.g. 100 for per cent")
    unit: Text
    travels: Literal["sum", "population_weighted_mean", "share"]
    missing: Literal["keep", "zero_is_zero"] = Field(description="what an absent value means; no default")
    contains_outcome: bool = False
    police_generated: bool = False
    characteristic: str | None = None
    stage: Literal["early_years", "school_age", "youth", "adulthood", "all"]
    levers: list[Lever] = Field(min_length=1, description="which partner can act")
    expected: Literal["higher", "lower", "unclear"] = Field(description="found with higher or lower recorded violence")
    evidence: Text = Field(description="one line: what the expectation rests on; 'unclear: ...' says why there is none")
    owner: Text
    caveat: str = ""


class GapSpec(Spec):
    """A condition the assessment wants and no source held supplies."""

    title: Text
    why: Text
    who_could_supply: Text
    levers: list[Lever] = Field(default_factory=list, description="which partner's page names it")


class FactorsSpec(Spec):
    """The factors of one domain (one file), and the gaps in it."""

    title: Text
    factors: dict[str, FactorSpec] = Field(min_length=1)
    gaps: dict[str, GapSpec] = Field(default_factory=dict)


class FeatureSpec(Spec):
    """One feature: a transform of the target's history or of a factor."""

    of: Text = Field(description="'target', 'target/name' for another's past, 'exposure' or a factor as domain/name")
    transform: Text
    params: dict[str, Any] = Field(default_factory=dict)
    name: str | None = None

    @property
    def label(self) -> str:
        """The feature's column name: given, or spelt from what it is made of."""
        if self.name:
            return self.name
        params = "_".join(str(v) for v in self.params.values())
        return f"{self.of}.{self.transform}" + (f"_{params}" if params else "")


class FeatureSetSpec(Spec):
    """A named list of features."""

    title: Text
    features: list[FeatureSpec] = Field(min_length=1)

    @field_validator("features")
    @classmethod
    def _names_differ(cls, features: list[FeatureSpec]) -> list[FeatureSpec]:
        labels = [f.label for f in features]
        twice = sorted({name for name in labels if labels.count(name) > 1})
        if twice:
            raise ValueError(f"two features have the same name: {', '.join(twice)}")
        return features


class RegionSpec(Spec):
    """The one place where an experiment names its region."""

    force: Annotated[str, Field(pattern=_FORCE, description="as in police.uk file names")]
    pfa: str | None = Field(default=None, description="the force area's code, where its name does not lead to it")
    local: str | None = Field(default=None, description="a two-column CSV (lsoa21, local area) of your own")
    invented: bool = Field(default=False, description="the region is made up, and the pages say so")


class ModelSpec(Spec):
    """One candidate: a registered model and its settings."""

    use: Text
    name: str | None = None
    params: dict[str, Any] = Field(default_factory=dict)
    search: SearchSpec | None = Field(default=None, description="settings sought between bounds at every origin")

    @property
    def model_id(self) -> str:
        """The name the candidate carries in every table."""
        return self.name or self.use


class BacktestSpec(Spec):
    """The past origins at which the forecast is repeated."""

    first_origin: Month
    last_origin: Month | None = None
    every_months: int = Field(default=3, ge=1, le=12)
    minimum_origins: int = Field(default=2, ge=1)


class HistorySpec(Spec):
    """How much of the target's past a forecast must be able to see."""

    first_month: Month | None = None
    minimum_months: int = Field(default=6, ge=1, description="months present among the newest 12 calendar months")
    minimum_training_origins: int = Field(default=3, ge=1, description="origins a learned model needs at a horizon")
    training_origins: int | None = Field(default=None, ge=1, description="newest training origins kept; all if absent")


Horizon = Annotated[int, Field(ge=1, le=12)]


class ConditionsSpec(Spec):
    """The conditions model: the experiment's target and region, factors only; kept apart from the forecast."""

    feature_set: Text = "conditions"
    models: list[ModelSpec] = Field(min_length=1)
    horizons: list[Horizon] = Field(default_factory=lambda: [1, 6, 12], min_length=1)
    hindsight: bool = Field(default=False, description="newest vintages at all origins; then never quoted as skill")

    @field_validator("models")
    @classmethod
    def _names_differ(cls, models: list[ModelSpec]) -> list[ModelSpec]:
        ids = [m.model_id for m in models]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"two models have the same name: {', '.join(twice)}")
        if CONDITIONS_BASELINE in ids:
            raise ValueError(f"'{CONDITIONS_BASELINE}' is what the models are measured against, and added to them")
        return models


class AblationSpec(Spec):
    """What each domain earns: one model of each kind fitted again without the domain, at few origins and horizons."""

    model: str | None = Field(default=None, description="of the experiment's models; the first that learns if absent")
    conditions_model: str | None = Field(default=None, description="of the conditions models; the first if absent")
    horizons: list[Horizon] = Field(default_factory=lambda: [1, 3, 6], min_length=1)
    origins: int = Field(default=6, ge=2, le=12, description="how many of the backtest's origins, evenly spread")


PlaceLevel = Literal["msoa21", "ward24", "lad24", "csp24", "local"]


class CostSpec(Spec):
    """What one record costs, by a published estimate; it must be of the offences that the target counts."""

    title: Text
    target: Text = Field(description="the target whose records are costed, without its version")
    covers: list[Text] = Field(min_length=1, description="measures of the target's source that the estimate is of")
    unit_cost: float = Field(gt=0, description="pounds for one record")
    price_year: Text
    source: Text = Field(description="who published the estimate, and where")


class ExperimentSpec(Spec):
    """One file = one question."""

    question: Text
    region: RegionSpec
    target: Text = "recorded_violence"
    feature_set: Text = "first"
    models: list[ModelSpec] = Field(min_length=1)
    baseline: Text = "rolling_12"
    also: list[AlsoSpec] = Field(default_factory=list, description="targets forecast beside the headline")
    conditions: ConditionsSpec | None = None
    ablation: AblationSpec | None = Field(default=None, description="true, or which models, horizons and origins")
    horizons: int = Field(default=12, ge=1, le=12, description="forecast horizons 1..this")
    history: HistorySpec = HistorySpec()
    backtest: BacktestSpec
    selection: SelectionSpec = SelectionSpec()
    quantiles: list[Annotated[float, Field(gt=0, lt=1)]] = Field(default_factory=lambda: [0.05, 0.25, 0.5, 0.75, 0.95])
    draws: int = Field(default=500, ge=100, le=5000, description="draws of every forecast")
    floor: float = Field(default=0.05, gt=0, description="least mean of any model or baseline")
    policy: Text = "default"
    places: list[PlaceLevel] = Field(
        default=["lad24"], min_length=1, description="levels of the places that have a page and a plan of their own"
    )
    similar: dict[str, list[Text]] = Field(
        default_factory=dict,
        description="district code -> districts like it, in place of the nearest by census factors",
    )
    costs: dict[str, CostSpec] = Field(default_factory=dict, description="declared unit costs, by a name of their own")
    data: str | None = Field(default=None, description="data folder inside the workspace, where --data is not given")
    seed: int = 20260401

    @field_validator("ablation", mode="before")
    @classmethod
    def _true_means_the_defaults(cls, given: Any) -> Any:
        return {True: {}, False: None}[given] if isinstance(given, bool) else given

    @model_validator(mode="after")
    def _models_hold_the_baseline(self) -> ExperimentSpec:
        ids = [m.model_id for m in self.models]
        if self.baseline not in ids:
            key = "baseline" if "baseline" in self.model_fields_set else "models"
            raise at_key(key, f"baseline '{self.baseline}' is not among the models: {', '.join(ids)}")
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise at_key("models", f"two models have the same name: {', '.join(twice)}")
        last = self.backtest.last_origin
        if last is not None and month_number(last) < month_number(self.backtest.first_origin):
            raise at_key("backtest", "backtest.last_origin lies before backtest.first_origin")
        return self

    @model_validator(mode="after")
    def _targets_differ(self) -> ExperimentSpec:
        named = [self.target, *(a.target for a in self.also)]
        twice = sorted({name for name in named if named.count(name) > 1})
        if twice:
            raise at_key("also", f"a target is forecast twice: {', '.join(twice)}")
        return self


class AreaClassSpec(Spec):
    """A class of areas: those whose measure is at least one value and below another."""

    measure: Text
    least: float | None = None
    below: float | None = None


class OutcomeSpec(Spec):
    """A source that records those affected by group, so that each group's count can be forecast by itself."""

    source: Text
    measures: list[Text] = Field(min_length=1)
    breakdown: Text = Field(description="the source's breakdown that holds the groups")
    groups: dict[str, list[str]] = Field(min_length=1, description="group -> values of the breakdown that make it up")


class CharacteristicSpec(Spec):
    """A characteristic the audit looks at, and what its source recorded."""

    title: Text
    question: Literal["gender", "race", "disability", "age", "religion", "poverty", "place"]
    recorded_as: Text
    source: Text
    groups: dict[str, list[str]] = Field(default_factory=dict, description="group -> measures that add up to it")
    total: str | None = Field(default=None, description="the measure of everybody, of the same table as the groups'")
    rest: str | None = Field(default=None, description="the group of everybody whom the groups leave out")
    classes: dict[str, AreaClassSpec] = Field(
        default_factory=dict, description="group -> the areas whose residents are all of it, in place of groups"
    )
    outcomes: list[OutcomeSpec] = Field(
        default_factory=list, description="sources that record those affected by group, of the same groups"
    )

    @property
    def names(self) -> list[str]:
        """Every group, in the file's order."""
        return [*self.groups, *self.classes, *([self.rest] if self.rest else [])]

    @model_validator(mode="after")
    def _groups_of_people_or_classes_of_areas(self) -> CharacteristicSpec:
        if bool(self.groups) == bool(self.classes):
            raise at_key("groups", "a characteristic has either 'groups' of people or 'classes' of areas")
        if bool(self.groups) != (self.total is not None):
            raise at_key("total", "'total' belongs to 'groups': the measure that their shares are shares of")
        if self.rest is not None and (self.classes or self.rest in self.groups):
            raise at_key("rest", "'rest' is a further group beside 'groups', under a name of its own")
        return self

    @model_validator(mode="after")
    def _outcomes_are_of_these_groups(self) -> CharacteristicSpec:
        known = {*self.groups, *([self.rest] if self.rest else [])}
        for index, outcome in enumerate(self.outcomes):
            unknown = sorted(set(outcome.groups) - known)
            if unknown:
                raise at_key("outcomes", f"entry {index + 1}: '{unknown[0]}' is no group of people of this file")
        return self


@dataclass(frozen=True)
class Kind:
    """One kind of YAML file: where it lies and what it may say."""

    name: str
    folder: str
    model: type[Spec]


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("source", "features/sources", SourceSpec),
        Kind("factor", "features/factors", FactorsSpec),
        Kind("target", "features/targets", TargetSpec),
        Kind("set", "features/sets", FeatureSetSpec),
        Kind("approach", "features/approaches", ApproachSpec),
        Kind("experiment", "experiments", ExperimentSpec),
        Kind("characteristic", "fairness/characteristics", CharacteristicSpec),
        Kind("policy", "fairness/policies", PolicySpec),
        Kind("decision", "fairness/decisions", DecisionSpec),
    )
}

FILE_STEM = re.compile(r"[a-z0-9][a-z0-9_-]*")
