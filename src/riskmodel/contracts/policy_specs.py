"""What reviewers write: the policy that an audit follows, and the decision on one run's audit.

In: ``fairness/policies`` and ``fairness/decisions``. Out: checked specs. Every bound the audit uses stands here, so
that a reviewer can change it without touching the program.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from riskmodel.contracts.source_specs import DisclosureSpec, Spec, Text
from riskmodel.contracts.target_specs import at_key

__all__ = [
    "ACCEPTING",
    "VERDICTS_OF_REVIEWERS",
    "BoundSpec",
    "BoundsSpec",
    "ConditionSpec",
    "DecisionFormSpec",
    "DecisionSpec",
    "EnforcementSpec",
    "EvidenceSpec",
    "FeedbackSpec",
    "PermissionSpec",
    "PolicySpec",
    "PoorBaseSpec",
    "StopRuleSpec",
]

Share = Annotated[float, Field(gt=0, lt=1)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="64 hexadecimal digits")]
Use = Literal["offers_of_support", "enforcement"]
ReviewersVerdict = Literal["accept", "accept_with_conditions", "defer", "refuse"]
VERDICTS_OF_REVIEWERS: tuple[str, ...] = ("accept", "accept_with_conditions", "defer", "refuse")
ACCEPTING = frozenset({"accept", "accept_with_conditions"})
_TEXTS = frozenset({"title", "use_statement", "contact", "how_to_challenge", "community_view", "record"})


class PermissionSpec(Spec):
    """One factor a policy lets into the features, by whom, why and until when."""

    factor: Text
    reason: Text
    decided_by: Text
    expires: date


class BoundSpec(Spec):
    """From where on a difference is noticed, and from where on it calls for action."""

    notice: float = Field(gt=0)
    action: float = Field(gt=0)

    @model_validator(mode="after")
    def _action_lies_beyond_notice(self) -> BoundSpec:
        if self.action < self.notice:
            raise ValueError("'action' lies at or beyond 'notice'")
        return self


class BoundsSpec(Spec):
    """The differences the policy cares about: choices of people, not findings.

    Ratios are given as how many times the larger is the smaller, in either direction: 1.05 also means 1 / 1.05. Areas
    weighted by who lives there hide most of a difference between people, so ratios near 1 stand for large ones.
    """

    calibration_ratio: BoundSpec = BoundSpec(notice=1.05, action=1.10)
    outcome_calibration_ratio: BoundSpec = BoundSpec(notice=1.10, action=1.25)
    exposure_bias: BoundSpec = BoundSpec(notice=0.05, action=0.10)
    coverage: BoundSpec = BoundSpec(notice=0.10, action=0.20)
    interval_coverage_least: Share = 0.85
    interval_coverage_most: Share = 0.95
    share_gradient: BoundSpec = BoundSpec(notice=1.10, action=1.20)
    proxy_r_squared: Share = Field(default=0.1, description="from here on a feature counts as a proxy of a group")

    @field_validator("calibration_ratio", "outcome_calibration_ratio", "share_gradient")
    @classmethod
    def _ratios_lie_above_one(cls, bound: BoundSpec) -> BoundSpec:
        if bound.notice <= 1:
            raise ValueError("a ratio's bound lies above 1, such as 1.05")
        return bound


class EvidenceSpec(Spec):
    """How much evidence a verdict needs."""

    least_blocks: int = Field(default=6, ge=6, description="blocks of places that hold the group")
    least_people: int = Field(default=500, ge=1, description="people of the group in the region")
    least_records: int = Field(default=100, ge=10, description="records, weighted by the group's share of each area")
    significance: Share = Field(default=0.05, description="after Holm, over the groups of one characteristic")
    declared_effect: float = Field(
        default=1.5, gt=1, description="difference between people that an audit should be able to see"
    )
    odds_ratio_band: list[float] = Field(
        default=[0.5, 2.0],
        min_length=2,
        max_length=2,
        description="how closely two characteristics may go together within an area",
    )
    recorded_shares: list[Annotated[float, Field(gt=0, le=2)]] = Field(
        default=[0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2],
        min_length=1,
        description="supposed recording of a group, relative to others, for the tipping points",
    )

    @field_validator("odds_ratio_band")
    @classmethod
    def _band_holds_one(cls, band: list[float]) -> list[float]:
        if not 0 < band[0] <= 1 <= band[1]:
            raise ValueError("two numbers: one above 0 and at most 1, one at least 1")
        return band


class FeedbackSpec(Spec):
    """What the simulation of attention supposes."""

    uplifts: list[Annotated[float, Field(ge=0)]] = Field(default=[0.0, 1.0, 3.0], min_length=1)
    discovered: list[Annotated[float, Field(ge=0, le=1)]] = Field(default=[0.0, 0.3, 1.0], min_length=1)
    exploration: list[Annotated[float, Field(ge=0, lt=1)]] = Field(default=[0.0, 0.2], min_length=1)
    steps: int = Field(default=36, ge=2, le=240)


class PoorBaseSpec(Spec):
    """Which places have residents as a poor base for a rate: those with many records that concern visitors."""

    source: Text = "police_uk"
    measures: list[Text] = Field(default=["shoplifting", "theft_from_the_person"], min_length=1)
    per_1000_a_year: float = Field(default=60.0, gt=0, description="records per 1,000 residents a year, from here on")


class StopRuleSpec(Spec):
    """What stops a model, agreed before anything was found."""

    when: Literal["concern_at_action", "concern_at_notice"]
    characteristics: list[Text] = Field(default_factory=list, description="which; all that are audited if absent")
    then: Text = Field(description="what is done, by whom")


class EnforcementSpec(Spec):
    """What a use for enforcement needs beside the policy itself."""

    legal_basis: Text
    agreed_by: list[Text] = Field(min_length=1)
    agreed_on: date
    minutes: Text


class PolicySpec(Spec):
    """The bounds reviewers set; it alone can permit a refused factor."""

    title: Text
    use: Use = "offers_of_support"
    use_statement: Text = Field(description="what the numbers are used for, and what not, in a sentence")
    enforcement: EnforcementSpec | None = None
    characteristics: list[Text] = Field(
        default_factory=list, description="which are audited, in this order; all of the workspace if absent"
    )
    intersections: list[list[Text]] = Field(
        default_factory=list, description="which characteristics are audited where they meet"
    )
    checks: list[Text] = Field(default_factory=list, description="which checks are made; all registered ones if absent")
    priority_share: Share = Field(default=0.2, description="share of residents living in the areas put first")
    bounds: BoundsSpec = BoundsSpec()
    evidence: EvidenceSpec = EvidenceSpec()
    feedback: FeedbackSpec = FeedbackSpec()
    poor_base: PoorBaseSpec | None = None
    stop_rules: list[StopRuleSpec] = Field(default_factory=list)
    permitted_factors: list[PermissionSpec] = Field(default_factory=list)
    disclosure: DisclosureSpec = DisclosureSpec()
    contact: str = ""
    how_to_challenge: str = ""
    community_view: str = ""
    record: dict[str, str] = Field(
        default_factory=dict, description="what only the organisation knows, by field of the transparency record"
    )

    @model_validator(mode="after")
    def _enforcement_is_agreed_apart(self) -> PolicySpec:
        if (self.use == "enforcement") != (self.enforcement is not None):
            raise at_key(
                "enforcement", "a use for enforcement, and no other, states its legal basis and who agreed to it"
            )
        return self

    @model_validator(mode="after")
    def _intersections_are_of_audited_characteristics(self) -> PolicySpec:
        for crossed in self.intersections:
            unknown = [name for name in crossed if self.characteristics and name not in self.characteristics]
            if unknown:
                raise at_key("intersections", f"'{unknown[0]}' is not among the characteristics audited")
            if len(set(crossed)) < max(2, len(crossed)):
                raise at_key("intersections", "an intersection names two or more different characteristics")
        return self

    @property
    def rules_sha256(self) -> str:
        """The hash of all that decides a finding or a permission; texts for readers may be mended freely."""
        rules = self.model_dump(mode="json", exclude=set(_TEXTS))
        return hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()


class ConditionSpec(Spec):
    """A condition on which a run is accepted, with who sees to it and by when."""

    condition: Text
    owner: Text
    due: date


class DecisionFormSpec(Spec):
    """What reviewers fill in: their verdict on one run's audit, as the printed form asks for it.

    A line that needs no answer may be left empty. Read with a context of ``run`` and ``audit_sha256``, a form about
    another run, or another audit, is refused.
    """

    run: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$", description="the run's id, 16 hexadecimal digits")]
    audit_sha256: Sha256
    verdict: ReviewersVerdict
    decided_on: date
    decided_by: list[Text] = Field(min_length=1)
    reasons: Text
    conditions: list[ConditionSpec] = Field(default_factory=list, validate_default=True)
    information_needed: list[Text] = Field(default_factory=list, validate_default=True)
    dissent: str = ""
    interests: str = Field(default="", description="interests declared")
    minutes: str = Field(default="", description="where the minutes lie")
    review_on: date | None = None

    @field_validator("conditions", "information_needed", "dissent", "interests", "minutes", mode="before")
    @classmethod
    def _empty_is_nothing(cls, given: Any, info: ValidationInfo) -> Any:
        empty: Any = [] if info.field_name in {"conditions", "information_needed"} else ""
        return empty if given is None else given

    @field_validator("run", "audit_sha256")
    @classmethod
    def _is_about_this_run(cls, given: str, info: ValidationInfo) -> str:
        wanted = (info.context or {}).get(info.field_name, given)
        if given != wanted:
            raise ValueError(f"the form is about another {info.field_name}; this one is {wanted}")
        return given

    @field_validator("conditions")
    @classmethod
    def _conditions_fit_the_verdict(cls, given: list[ConditionSpec], info: ValidationInfo) -> list[ConditionSpec]:
        verdict = info.data.get("verdict")
        if verdict is not None and (verdict == "accept_with_conditions") != bool(given):
            raise ValueError("conditions belong to the verdict accept_with_conditions, which needs one")
        return given

    @field_validator("information_needed")
    @classmethod
    def _what_is_needed_fits_the_verdict(cls, given: list[str], info: ValidationInfo) -> list[str]:
        verdict = info.data.get("verdict")
        if verdict is not None and (verdict == "defer") != bool(given):
            raise ValueError("what is needed belongs to the verdict defer, which names it")
        return given


class DecisionSpec(DecisionFormSpec):
    """A dated, signed verdict on one run's audit, as it is kept."""

    experiment: Text
    model_id: Text
    use: Use
    policy: Text
    policy_sha256: Sha256
    manifest_sha256: Sha256
