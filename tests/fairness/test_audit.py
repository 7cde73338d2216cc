"""The audit as a whole: no row absent, verdicts by their rule, words that promise nothing, numbers that do not leak."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from audited import MODEL, make_evidence_of, make_outcomes_of, make_region
from riskmodel.contracts.errors import DefinitionError, NotEnoughHistory
from riskmodel.contracts.policy_specs import EvidenceSpec, PolicySpec, StopRuleSpec
from riskmodel.contracts.registry import load, names
from riskmodel.contracts.tables import TableError
from riskmodel.fairness.audit import WHOLE, action_concerns, build_audit, concerns_of
from riskmodel.fairness.evidence import Grouping
from riskmodel.fairness.verdicts import (
    ACTION,
    CONCERN,
    DESCRIBED,
    INSUFFICIENT,
    NO_EVIDENCE,
    NOT_ASSESSABLE,
    NOT_VISIBLE,
    NOTICE,
    SUPPRESSED,
    VERDICTS,
    Held,
    described,
    judge,
    severity,
    with_another,
)

POLICY = PolicySpec(title="Test", use_statement="None")
ONLY = PolicySpec(title="Test", use_statement="None", checks=["calibration_ratio"])
REGION = make_region(21, areas=300)
GROUPINGS = list(REGION.groupings.values())
EVIDENCE = make_evidence_of(REGION, 21, models=2, origins=2, months=6)
PARTS = {"without the east": REGION.points[:, 0] < 30}
OUTCOMES = [make_outcomes_of(REGION, 21, "sex", bias={"female": 1.5}, origins=2, months=6)]
KEY = ["check", "characteristic", "group", "evidence", "source", "target", "model_id", "level", "part"]


@pytest.fixture(scope="module")
def audit() -> pd.DataFrame:
    """Everything the audit can say of one small region."""
    return build_audit(EVIDENCE, GROUPINGS, POLICY, outcomes=OUTCOMES, detailed=[MODEL], parts=PARTS)


class TestRows:
    def test_no_row_is_absent(self, audit: pd.DataFrame) -> None:
        whole = audit[audit["part"] == WHOLE]
        key = ["check", "characteristic", "group", "evidence", "model_id"]
        held = set(whole[key].itertuples(index=False, name=None))
        for name in names("check"):
            check = load("check", name)
            for grouping in GROUPINGS:
                for group in grouping.groups:
                    if "composition" in check.evidence:
                        for model in EVIDENCE.models:
                            assert (name, grouping.characteristic, group, "composition", model) in held
                    if "outcomes" in check.evidence and grouping.characteristic == "sex":
                        assert (name, "sex", group, "outcomes", MODEL) in held
                    if check.verdict and grouping.kind == "people" and grouping.characteristic != "sex":
                        assert (name, grouping.characteristic, group, "outcomes", MODEL) in held

    def test_every_verdict_is_a_known_word_with_its_reason(self, audit: pd.DataFrame) -> None:
        assert set(audit["verdict"]) <= set(VERDICTS)
        assert audit["explanation"].str.len().min() > 20
        assert audit["question"].str.endswith("?").all()
        assert not audit["explanation"].str.contains("nan").any()

    def test_only_the_tested_check_gives_verdicts(self, audit: pd.DataFrame) -> None:
        judged = audit[audit["verdict"].isin([CONCERN, NO_EVIDENCE, NOT_VISIBLE])]
        assert set(judged["code"]) == {"M2"}
        assert set(judged["part"]) <= {WHOLE, *PARTS}
        assert audit.loc[audit["code"] != "M2", "p"].isna().all()

    def test_what_has_no_figure_says_so_and_carries_none(self, audit: pd.DataFrame) -> None:
        rows = audit[audit["verdict"].isin([NOT_ASSESSABLE, SUPPRESSED])]
        assert len(rows)
        assert rows[["statistic", "low", "high", "p", "per_1000", "smallest_seen"]].isna().all(axis=None)

    def test_every_finding_of_nothing_names_what_would_have_been_found(self, audit: pd.DataFrame) -> None:
        rows = audit[(audit["code"] == "M2") & audit["verdict"].isin([NO_EVIDENCE, INSUFFICIENT, NOT_VISIBLE])]
        rows = rows[rows["blocks"] >= POLICY.evidence.least_blocks]
        assert rows[["smallest_seen", "per_1000_smallest_seen"]].notna().all(axis=None)

    def test_no_word_says_that_all_is_well(self, audit: pd.DataFrame) -> None:
        said = re.compile(r"\b(?:pass(?:es|ed)?|fair(?:ly)?|unfair|safe|unbiased|proves?|causes?)\b", re.IGNORECASE)
        for column in ("question", "verdict", "explanation", "unit", "part", "check"):
            assert not audit[column].astype(str).str.contains(said).any(), column

    def test_parts_are_looked_at_for_the_models_asked_for_only(self, audit: pd.DataFrame) -> None:
        parts = audit[audit["part"] != WHOLE]
        assert set(parts["model_id"]) == {MODEL}
        found = set(parts["part"])
        assert {"without the east", "origin 2024-01", "origin 2024-07", "district West", "district East"} <= found
        assert {"expected: highest fifth", "deprivation: most", "most expected twentieth"} <= found
        assert not ((parts["part"].str.startswith("deprivation")) & (parts["characteristic"] == "deprivation")).any()

    def test_a_model_is_audited_as_if_alone(self, audit: pd.DataFrame) -> None:
        alone = replace(
            EVIDENCE, models=EVIDENCE.models[1:], baseline=EVIDENCE.models[1],
            **{name: getattr(EVIDENCE, name)[1:] for name in ("mean", "low", "high")},
        )  # fmt: skip
        own = audit[(audit["model_id"] == EVIDENCE.models[1]) & (audit["part"] == WHOLE)].reset_index(drop=True)
        other = build_audit(alone, GROUPINGS, POLICY)
        columns = [*KEY, "statistic", "low", "high", "p", "verdict", "explanation"]
        own = own[~((own["evidence"] == "outcomes") & (own["source"] != "none"))]
        other = other[~((other["evidence"] == "outcomes") & (other["characteristic"] == "sex"))]
        pd.testing.assert_frame_equal(
            own[columns].reset_index(drop=True), other[columns].reset_index(drop=True), rtol=1e-9, atol=1e-9
        )

    def test_names_and_order_of_areas_and_groups_change_nothing(self) -> None:
        order = np.random.default_rng(4).permutation(len(EVIDENCE.areas))
        moved = replace(
            EVIDENCE,
            **{name: getattr(EVIDENCE, name)[..., order] for name in ("mean", "low", "high", "observed")},
            **{name: getattr(EVIDENCE, name)[order] for name in ("areas", "residents", "points", "district")},
        )
        turned = [replace(g, groups=g.groups[::-1], people=g.people[:, ::-1]) for g in GROUPINGS]
        columns = [*KEY, "statistic", "low", "high", "p_adjusted", "verdict", "people", "blocks"]
        first, second = (build_audit(*given, POLICY)[columns] for given in ((EVIDENCE, GROUPINGS), (moved, turned)))
        pd.testing.assert_frame_equal(first, second, rtol=1e-7, atol=1e-7)


class TestVerdicts:
    @pytest.mark.parametrize(
        ("statistic", "half", "p", "visible", "people", "records", "blocks", "hidden", "word"),
        [
            (0.08, 0.04, 0.01, True, 5000, 900, 16, False, CONCERN),
            (-0.08, 0.04, 0.01, True, 5000, 900, 16, False, CONCERN),
            (0.08, 0.04, 0.01, False, 5000, 900, 16, False, CONCERN),
            (0.04, 0.01, 0.001, True, 5000, 900, 16, False, INSUFFICIENT),
            (0.04, 0.005, 0.001, True, 5000, 900, 16, False, NO_EVIDENCE),
            (0.0, 0.02, 0.9, True, 5000, 900, 16, False, NO_EVIDENCE),
            (0.0, 0.02, 0.9, False, 5000, 900, 16, False, NOT_VISIBLE),
            (0.0, 0.08, 0.9, False, 5000, 900, 16, False, NOT_VISIBLE),
            (0.0, 0.08, 0.9, True, 5000, 900, 16, False, INSUFFICIENT),
            (0.08, 0.1, 0.2, True, 5000, 900, 16, False, INSUFFICIENT),
            (0.08, 0.04, 0.01, True, 400, 900, 16, False, INSUFFICIENT),
            (0.08, 0.04, 0.01, True, 5000, 90, 16, False, INSUFFICIENT),
            (0.08, 0.04, 0.01, True, 5000, 900, 5, False, INSUFFICIENT),
            (0.0, np.nan, np.nan, True, 5000, 900, 16, False, INSUFFICIENT),
            (np.nan, np.nan, np.nan, True, 5000, 900, 16, False, NOT_ASSESSABLE),
            (0.08, 0.04, 0.01, True, 0, 0, 0, False, NOT_ASSESSABLE),
            (0.08, 0.04, 0.01, True, 5000, 900, 16, True, SUPPRESSED),
        ],
    )
    def test_the_rule(self, statistic, half, p, visible, people, records, blocks, hidden, word) -> None:
        def one(value):
            return np.array([[value]])

        held = Held(one(float(people)), one(float(records)), one(blocks), one(hidden))
        found = judge(
            one(statistic), one(statistic - half), one(statistic + half), one(p), notice=np.log(1.05),
            visible=one(visible), held=held, evidence=EvidenceSpec(),
        )  # fmt: skip
        assert found.item() == word
        plain = described(one(statistic), held, EvidenceSpec()).item()
        few = people < 500 or records < 100
        same = {SUPPRESSED, NOT_ASSESSABLE} & {word}
        assert plain == (word if same else INSUFFICIENT if few else DESCRIBED)
        grade = severity(found, one(statistic), np.log(1.10)).item()
        assert grade == (None if word != CONCERN else NOTICE)

    def test_a_large_concern_calls_for_action(self) -> None:
        words = np.array([[CONCERN, CONCERN, NO_EVIDENCE]], dtype=object)
        found = severity(words, np.array([[0.09, -0.12, 0.2]]), np.log(1.10))
        assert found.tolist() == [[NOTICE, ACTION, None]]

    def test_a_hidden_group_is_never_alone(self) -> None:
        random = np.random.default_rng(9)
        for _ in range(50):
            records = random.integers(0, 40, (4, 1)).astype(float)
            hidden = with_another(records < 10, records)
            assert hidden[records < 10].all()
            assert hidden.sum() != 1


class TestFindings:
    def test_a_bias_between_people_is_found_and_a_mirror_of_it(self) -> None:
        region = make_region(31, areas=1400)
        evidence = make_evidence_of(region, 31, bias={("ethnic_group", "black"): 2.0})
        audit = build_audit(evidence, [region.groupings["ethnic_group"]], ONLY)
        found = concerns_of(audit, MODEL).set_index("group")
        assert found.loc["black", ["severity", "direction"]].tolist() == [ACTION, "over"]
        assert found.loc["black", "per_1000_low"] > 0
        under = make_evidence_of(region, 31, bias={("ethnic_group", "black"): 0.5})
        found = concerns_of(build_audit(under, [region.groupings["ethnic_group"]], ONLY), MODEL).set_index("group")
        assert found.loc["black", "direction"] == "under"
        assert found.loc["black", "per_1000_high"] < 0

    def test_composition_cannot_see_what_records_by_group_show(self, audit: pd.DataFrame) -> None:
        rows = audit[(audit["characteristic"] == "sex") & (audit["check"] == "calibration_ratio")]
        rows = rows[(rows["part"] == WHOLE) & (rows["model_id"] == MODEL)].set_index(["evidence", "group"])
        assert set(rows.loc["composition", "verdict"]) == {NOT_VISIBLE}
        assert rows.loc[("outcomes", "female"), ["verdict", "severity", "direction"]].tolist() == [
            CONCERN,
            ACTION,
            "over",
        ]
        assert rows.loc[("outcomes", "male"), "direction"] == "under"

    def test_clean_regions_raise_few_concerns_and_biased_ones_many(self) -> None:
        alarms, found = 0, 0
        for seed in range(60):
            region = make_region(seed, areas=500)
            groupings = [region.groupings["ethnic_group"], region.groupings["deprivation"]]
            audit = build_audit(make_evidence_of(region, seed), groupings, ONLY)
            alarms += len(concerns_of(audit, MODEL)[["characteristic"]].drop_duplicates())
            if seed < 20:
                biased = make_evidence_of(region, seed, bias={("deprivation", "most"): 1.5})
                rows = concerns_of(build_audit(biased, groupings[1:], ONLY), MODEL)
                found += (rows["group"] == "most").any()
        # 120 characteristics at most one in twenty of which may alarm; of 20 differences of 1.5 times nearly all show.
        assert alarms <= 12
        assert found >= 17

    def test_the_gate_counts_what_a_stop_rule_is_about(self) -> None:
        rules = [StopRuleSpec(when="concern_at_action", then="stopped")]
        sex = [StopRuleSpec(when="concern_at_notice", characteristics=["sex"], then="looked at")]
        rows = {
            "model_id": ["a", "a", "a", "b"], "verdict": [CONCERN, CONCERN, NO_EVIDENCE, CONCERN],
            "severity": [ACTION, NOTICE, None, NOTICE], "part": [WHOLE, WHOLE, WHOLE, "without"],
            "characteristic": ["race", "sex x race", "sex", "sex"],
        }  # fmt: skip
        audit = pd.DataFrame(rows)
        assert action_concerns(audit, POLICY.model_copy(update={"stop_rules": rules}))["characteristic"].tolist() == [
            "race"
        ]
        named = action_concerns(audit, POLICY.model_copy(update={"stop_rules": sex}), "a")
        assert named["characteristic"].tolist() == ["sex x race"]
        assert action_concerns(audit, POLICY).empty


class TestSmallNumbers:
    def test_small_groups_of_a_restricted_source_are_left_out_with_another(self) -> None:
        few = make_outcomes_of(REGION, 3, "ethnic_group", months=6, restricted=True, scale=0.05)
        records = few.observed.sum(axis=(1, 2, 3))
        audit = build_audit(make_evidence_of(REGION, 3, months=6), GROUPINGS, POLICY, outcomes=[few])
        rows = audit[(audit["source"] == "victims")]
        small = set(np.array(few.groups)[records < 10])
        assert small
        for _, of_check in rows.groupby("check"):
            hidden = set(of_check.loc[of_check["verdict"] == SUPPRESSED, "group"])
            assert small <= hidden
            assert len(hidden) >= 2
        numbers = rows.select_dtypes("float").drop(columns="people")
        assert numbers[rows["verdict"] == SUPPRESSED].isna().all(axis=None)
        shown = rows.loc[rows["verdict"] != SUPPRESSED, "explanation"]
        counts = [int(number) for text in shown for number in re.findall(r"about (\d+)", text)]
        assert all(number % 5 == 0 for number in counts)

    def test_of_two_groups_one_never_stands_alone(self) -> None:
        few = make_outcomes_of(REGION, 5, "disability", months=3, restricted=True, scale=0.02)
        audit = build_audit(make_evidence_of(REGION, 5, months=3), GROUPINGS, POLICY, outcomes=[few])
        rows = audit[audit["source"] == "victims"]
        for _, of_check in rows.groupby("check"):
            assert set(of_check["verdict"]) == {SUPPRESSED}

    def test_figures_of_a_restricted_source_are_coarse(self) -> None:
        held = make_outcomes_of(REGION, 5, "sex", months=6, restricted=True)
        audit = build_audit(make_evidence_of(REGION, 5, months=6), GROUPINGS, POLICY, outcomes=[held])
        rows = audit[(audit["source"] == "victims") & (audit["check"] == "calibration_ratio")]
        assert rows["statistic"].notna().all()
        for name in ("statistic", "low", "high", "per_1000"):
            assert all(value == float(f"{value:.2g}") or value == round(value, 2) for value in rows[name])

    def test_few_people_and_nobody_are_said(self) -> None:
        people = np.zeros((300, 3))
        people[:200, 0] = 2.0
        people[:, 2] = REGION.residents - 10
        grouping = Grouping("few", "Few", "race", ("some", "none", "many"), EVIDENCE.areas, people, REGION.residents)
        rows = build_audit(EVIDENCE, [grouping], POLICY)
        rows = rows[(rows["evidence"] == "composition") & (rows["model_id"] == MODEL)].set_index(["check", "group"])
        assert rows.loc[("calibration_ratio", "some"), "verdict"] == INSUFFICIENT
        assert "400 of the group" in rows.loc[("calibration_ratio", "some"), "explanation"]
        assert rows.loc[("calibration_ratio", "none"), "verdict"] == NOT_ASSESSABLE
        assert "Nobody" in rows.loc[("selection", "none"), "explanation"]


class TestRefusals:
    def test_a_check_or_model_that_is_not_there(self) -> None:
        with pytest.raises(DefinitionError, match="unknown check"):
            build_audit(EVIDENCE, GROUPINGS, POLICY.model_copy(update={"checks": ["calibration"]}))
        with pytest.raises(DefinitionError, match="cannot go into detail"):
            build_audit(EVIDENCE, GROUPINGS, ONLY, detailed=["absent"])
        with pytest.raises(DefinitionError, match="baseline is no model"):
            replace(EVIDENCE, baseline="absent")

    def test_parts_and_groups_that_do_not_fit(self) -> None:
        with pytest.raises(TableError, match="does not fit the areas"):
            build_audit(EVIDENCE, GROUPINGS, ONLY, detailed=[MODEL], parts={"half": np.ones(3, dtype=bool)})
        short = replace(GROUPINGS[0], areas=GROUPINGS[0].areas[1:], people=GROUPINGS[0].people[1:],
                        total=GROUPINGS[0].total[1:])  # fmt: skip
        with pytest.raises(TableError, match="areas without the groups"):
            build_audit(EVIDENCE, [short], ONLY)
        with pytest.raises(TableError, match="more people than its table"):
            replace(GROUPINGS[0], total=GROUPINGS[0].total / 3)

    def test_records_by_group_that_do_not_fit(self) -> None:
        held = OUTCOMES[0]
        with pytest.raises(TableError, match="not audited"):
            build_audit(EVIDENCE, GROUPINGS[:1], ONLY, outcomes=[held])
        with pytest.raises(TableError, match="audited models"):
            build_audit(EVIDENCE, GROUPINGS, ONLY, outcomes=[replace(held, models=("another",))])
        with pytest.raises(NotEnoughHistory, match="no origin"):
            build_audit(EVIDENCE, GROUPINGS, ONLY, outcomes=[replace(held, origins=held.origins + 1)])
