"""Asked again: on what is known the answers are the audit's own, and they change the way the suppositions say."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from crossing_builders import area_codes, invented_groupings
from riskmodel.contracts.policy_specs import EvidenceSpec, PolicySpec
from riskmodel.fairness.audit import build_audit
from riskmodel.fairness.columns import make_columns
from riskmodel.fairness.cross_stream import build_cross_stream
from riskmodel.fairness.crossed_ratios import build_intersections
from riskmodel.fairness.evidence import Evidence, Grouping
from riskmodel.fairness.intersections import cross
from riskmodel.fairness.priority import put_first
from riskmodel.fairness.reaudit import judge_people, judge_records
from riskmodel.fairness.sensitivity import build_tipping_points, records_if_recorded_alike

AREAS = 300
POLICY = PolicySpec(
    title="test", use_statement="offers of support", checks=["calibration_ratio"],
    evidence=EvidenceSpec(least_people=100, least_records=50),
)  # fmt: skip


@pytest.fixture(scope="module")
def groupings() -> tuple[Grouping, ...]:
    return invented_groupings(AREAS, 4)


@pytest.fixture(scope="module")
def evidence(groupings: tuple[Grouping, ...]) -> Evidence:
    """A model that forecasts 1.5 times too much of what black residents suffer, and one that does not."""
    chance = np.random.default_rng(4)
    true = chance.gamma(4, 1, AREAS) * np.ones((3, 2, 1))
    share = groupings[1].shares[:, 1]
    mean = np.stack([true * (1 + 1.2 * share), true]) * np.exp(chance.normal(0, 0.05, AREAS))
    return Evidence(
        target="recorded_violence@1", level="lsoa21", source="police_uk", models=("skewed", "straight"),
        baseline="straight", origins=np.array([24000, 24002, 24004]), horizons=np.array([1, 2]),
        areas=area_codes(AREAS), mean=mean, low=mean * np.nan, high=mean * np.nan,
        observed=chance.poisson(true).astype(float),
        cells=np.ones((3, 2), dtype=bool), residents=groupings[0].total, points=chance.uniform(0, 40, (AREAS, 2)),
        district=np.zeros(AREAS, dtype=np.intp), districts=("one",),
    )  # fmt: skip


def verdicts(audit: pd.DataFrame) -> pd.DataFrame:
    rows = audit[(audit["code"] == "M2") & (audit["part"] == "all") & (audit["evidence"] == "composition")]
    return rows.set_index(["characteristic", "group", "model_id"])


def tipping(evidence: Evidence, grouping: Grouping) -> pd.DataFrame:
    columns = make_columns(evidence, POLICY.priority_share)
    return build_tipping_points(
        grouping, evidence.models, columns["expected"], columns["recorded"][0], columns["months"][0, :, 0],
        recorded_shares=POLICY.evidence.recorded_shares, judge=judge_records(evidence, grouping, POLICY),
        put_first=partial(put_first, residents=evidence.residents, share=POLICY.priority_share),
    )  # fmt: skip


def test_at_a_share_of_one_the_tipping_points_are_the_audits_rows(
    evidence: Evidence, groupings: tuple[Grouping, ...]
) -> None:
    audit = verdicts(build_audit(evidence, groupings, POLICY))
    assert set(audit["verdict"]) >= {"concern", "not_visible"}
    for grouping in groupings:
        table = tipping(evidence, grouping)
        own = table[table["recorded_share"] == 1.0].set_index(["characteristic", "group", "model_id"])
        same = audit.loc[own.index]
        assert len(own) == len(grouping.groups) * 2
        assert own["statistic"].to_numpy() == pytest.approx(same["statistic"].to_numpy(), abs=1e-12)
        assert own["verdict"].tolist() == same["verdict"].tolist()


def test_another_supposition_is_the_audit_of_other_records(evidence: Evidence, groupings: tuple[Grouping, ...]) -> None:
    race = groupings[1]
    table = tipping(evidence, race)
    rows = table[(table["recorded_share"] == 0.6) & (table["group"] == "black")].set_index("model_id")
    times = records_if_recorded_alike(race.shares[:, 1], [0.6])[0]
    audit = verdicts(build_audit(replace(evidence, observed=evidence.observed * times), [race], POLICY))
    for model in evidence.models:
        row = audit.loc[("ethnic_group", "black", model)]
        assert rows.loc[model, "statistic"] == pytest.approx(row["statistic"], abs=1e-12)
        assert rows.loc[model, "verdict"] == row["verdict"]


def test_a_forecast_that_is_too_high_for_a_group_would_be_right_if_so_much_more_were_recorded(
    evidence: Evidence, groupings: tuple[Grouping, ...]
) -> None:
    table = tipping(evidence, groupings[1])
    rows = table[(table["group"] == "black") & (table["model_id"] == "skewed")].set_index("recorded_share")
    assert rows.loc[1.0, "verdict"] == "concern"
    assert rows.loc[1.0, "statistic"] > 0
    assert (rows["changes"] == "yes").any()


def test_intersections_have_the_audits_points_and_verdicts(evidence: Evidence, groupings: tuple[Grouping, ...]) -> None:
    crossing = cross(groupings[1:])
    crossed = crossing.grouping()
    judge = judge_people(evidence, crossed, POLICY)
    audit = verdicts(build_audit(evidence, [crossed], POLICY))
    for number, model in enumerate(evidence.models):
        said = judge(crossed.people, number)
        own = audit.xs(model, level="model_id").loc[crossed.characteristic].loc[list(crossed.groups)]
        assert [word.split(" ")[0] for word in said] == own["verdict"].tolist()
    columns = make_columns(evidence, POLICY.priority_share)
    table = build_intersections(
        crossing, evidence.models, columns["expected"].sum(axis=1), columns["recorded"][0].sum(axis=0),
        band=POLICY.evidence.odds_ratio_band, judge=judge,
    )  # fmt: skip
    assert len(table) == len(crossing.groups) * 2 * 4
    assert set(table["depends"]) <= {"yes", "no"}
    one_of_people = cross([groupings[1], groupings[3]])
    exact = build_intersections(
        one_of_people, evidence.models, columns["expected"].sum(axis=1), columns["recorded"][0].sum(axis=0),
        band=POLICY.evidence.odds_ratio_band, judge=judge_people(evidence, one_of_people.grouping(), POLICY),
    )  # fmt: skip
    assert set(exact["depends"]) == {"no"}


def test_against_a_stream_that_sees_more_of_a_group_its_rows_say_so(
    evidence: Evidence, groupings: tuple[Grouping, ...]
) -> None:
    chance = np.random.default_rng(8)
    records = chance.poisson(evidence.observed * 0.5 * (1 + 3 * groupings[1].shares[:, 1])).astype(float)

    def held_against(records: np.ndarray) -> pd.DataFrame:
        table = build_cross_stream(evidence, groupings, records, POLICY, source="emergency_department", restricted=True)
        assert set(table["part"]) == {"against emergency_department"}
        assert set(table["source"]) == {"emergency_department"}
        assert set(table["evidence"]) == {"composition"}
        assert len(table) == 12 * 2
        return table.set_index(["characteristic", "group", "model_id"])

    straight = held_against(records).loc[("ethnic_group", "black", "straight")]
    assert straight["verdict"] == "concern"
    assert straight["direction"] == "under"
    few = held_against(np.where(np.arange(AREAS) < 3, records, 0.0))
    assert set(few["verdict"]) <= {"suppressed", "insufficient", "not_assessable"}
    none = held_against(records * 0)
    assert set(none["verdict"]) == {"not_assessable"}
    assert none["explanation"].str.contains("says nothing").all()
