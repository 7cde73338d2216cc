"""Features from a workspace's files: what is refused, what a policy may permit, and every problem in one message."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from riskmodel.contracts.errors import DefinitionError
from riskmodel.contracts.specs import FeatureSetSpec, FeatureSpec, PermissionSpec, PolicySpec
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.features.catalogue import needed_measures, resolve_features

WHERE = "features/sets/mine.yaml"
EXTRA = """title: Invented for a test
factors:
  violence_again: &base
    title: The outcome under another name
    role: risk
    source: police_uk
    measure: robbery
    unit: records
    travels: sum
    missing: zero_is_zero
    contains_outcome: true
    stage: all
    levers: [police]
    expected: higher
    evidence: invented for a test
    owner: a test
  drug_records: {<<: *base, contains_outcome: false, measure: drugs}
  said_to_follow_police: {<<: *base, contains_outcome: false, police_generated: true}
  disabled_people: {<<: *base, contains_outcome: false, characteristic: disability}
  harmless: {<<: *base, contains_outcome: false}
  without_source: {<<: *base, contains_outcome: false, source: polise_uk}
"""


def permitted(*factors: str) -> PolicySpec:
    reason = {"reason": "r", "decided_by": "d", "expires": date(2030, 1, 1)}
    return PolicySpec(
        title="t", use_statement="u", permitted_factors=[PermissionSpec(factor=f, **reason) for f in factors]
    )


def resolve(workspace: Workspace, *features: FeatureSpec, policy: PolicySpec | None = None):
    path = workspace.path("factor", "extra")
    path.write_text(EXTRA, encoding="utf-8", newline="\n")
    target = workspace.read("target", "recorded_violence")
    spec = FeatureSetSpec(title="t", features=list(features))
    return resolve_features(workspace, spec, target, policy=policy or permitted(), where=WHERE)


def of(name: str, transform: str = "rolling_mean", **params: object) -> FeatureSpec:
    return FeatureSpec(of=name, transform=transform, params=params or {"window": 12})


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("extra/violence_again", "contains the outcome that is forecast"),
        ("extra/drug_records", "follows police activity"),
        ("extra/said_to_follow_police", "follows police activity"),
        ("extra/disabled_people", r"measures a characteristic of people \(disability\)"),
    ],
)
def test_a_factor_that_may_mislead_is_refused_unless_the_policy_permits_it(workspace, name: str, reason: str):
    with pytest.raises(DefinitionError, match=f"'{name}' is refused as a feature: it {reason}") as caught:
        resolve(workspace, of(name))
    assert WHERE in str(caught.value)
    assert "permitted_factors" in str(caught.value)
    assert caught.value.exit_code == 10
    [feature] = resolve(workspace, of(name), policy=permitted(name))
    assert feature.factor == name
    with pytest.raises(DefinitionError, match="is refused"):
        resolve(workspace, of(name), policy=permitted("extra/harmless", "extra/another"))


def test_a_characteristic_among_the_shipped_sources_is_never_in_the_shipped_set(workspace: Workspace):
    spec = workspace.read("set", "first")
    factors = {
        f"{domain}/{name}": factor
        for domain, held in workspace.read_all("factor").items()
        for name, factor in held.factors.items()
    }
    used = [factors[f.of] for f in spec.features if f.of in factors]
    assert used
    assert not [f.title for f in used if f.characteristic or f.contains_outcome or f.police_generated]


def test_every_problem_is_told_at_once(workspace: Workspace):
    features = [
        of("extra/harmles"),
        of("target", "roling_mean"),
        FeatureSpec(of="target", transform="rolling_mean", params={"windw": 3}),
        of("target", "lag", periods=-1),
        of("extra/without_source"),
        of("extra/violence_again"),
        of("society/crowding", "lag", periods=0),
        of("extra/harmless"),
    ]
    with pytest.raises(DefinitionError) as caught:
        resolve(workspace, *features)
    message = str(caught.value)
    assert message.startswith("7 problems in the definitions")
    assert message.count(WHERE) == 7
    for part in (
        "unknown factor 'extra/harmles'",
        "did you mean 'extra/harmless'?",
        "unknown transform 'roling_mean'",
        "did you mean 'rolling_mean'?",
        "did you mean 'window'?",
        "lag: periods is 0 or more",
        "unknown source 'polise_uk'",
        "did you mean 'police_uk'?",
        "contains the outcome",
        "'lag' takes monthly input",
        "society/crowding is static",
    ):
        assert part in message


def test_a_transform_without_a_parameter_it_needs_says_which(workspace: Workspace):
    with pytest.raises(DefinitionError, match="window"):
        resolve(workspace, FeatureSpec(of="target", transform="rolling_mean"))


def test_the_kind_of_input_follows_its_files(workspace: Workspace):
    features = resolve(workspace, of("extra/harmless"), of("target"))
    assert features[0].input.kind == "monthly"
    spec = FeatureSpec(of="society/crowding", transform="latest")
    exposure = FeatureSpec(of="exposure", transform="latest")
    crowding, people = resolve(workspace, spec, exposure)
    assert (crowding.input.kind, people.input.kind) == ("static", "exposure")
    assert (crowding.domain, people.domain) == ("society", "people")


def test_needed_measures_name_denominators_and_the_target(workspace: Workspace):
    target = workspace.read("target", "recorded_violence")
    crowding = FeatureSpec(of="society/crowding", transform="latest")
    needed = needed_measures(target, resolve(workspace, of("target"), of("extra/harmless"), crowding))
    factor = workspace.read("factor", "society").factors["crowding"]
    assert needed == {
        "police_uk": {"violence_and_sexual_offences", "robbery"},
        factor.source: {factor.measure, factor.per},
    }


def test_the_whole_shipped_set_resolves_in_order(workspace: Workspace):
    spec = workspace.read("set", "first")
    target = workspace.read("target", "recorded_violence")
    found = resolve_features(workspace, spec, target, policy=workspace.read("policy", "default"), where=WHERE)
    assert [f.label for f in found] == [f.label for f in spec.features]
    assert {f.role for f in found} <= {"history", "context", "risk", "protective"}


def test_a_permission_that_has_expired_permits_no_more():
    """Compared with today: a permission is about what may be done now, not about what was known then."""
    expired = PermissionSpec(factor="community/drugs", reason="r", decided_by="d", expires=date(2020, 1, 1))
    policy = PolicySpec(title="t", use_statement="u", permitted_factors=[expired])
    feature = FeatureSpec(of="community/drugs", transform="rolling_mean", params={"window": 12})
    root = Path(__file__).resolve().parents[2]
    workspace = Workspace(root)
    with pytest.raises(DefinitionError, match=r"permission has expired[\s\S]*expired on 2020-01-01"):
        resolve_features(
            workspace,
            FeatureSetSpec(title="t", features=[feature]),
            workspace.read("target", "recorded_violence"),
            policy=policy,
            where=WHERE,
        )


@pytest.mark.parametrize(("given", "allowed"), [("twelve", "a whole number"), (1.5, "a whole number")])
def test_a_parameter_of_the_wrong_kind_is_refused_before_anything_is_built(given, allowed):
    workspace = Workspace(Path(__file__).resolve().parents[2])
    feature = FeatureSpec(of="target", transform="rolling_mean", params={"window": given}, name="wrong")
    with pytest.raises(DefinitionError, match=f"'window' has a value of the wrong kind[\\s\\S]*{allowed}"):
        resolve_features(
            workspace,
            FeatureSetSpec(title="t", features=[feature]),
            workspace.read("target", "recorded_violence"),
            policy=PolicySpec(title="t", use_statement="u"),
            where=WHERE,
        )
