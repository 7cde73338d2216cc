"""Request forms: one for each group that no evidence could judge, with as many records as a test really needs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crossing_builders import invented_groupings
from riskmodel.contracts.policy_specs import EvidenceSpec
from riskmodel.fairness.blocks import TILINGS
from riskmodel.fairness.evidence import Grouping
from riskmodel.fairness.intersections import cross
from riskmodel.fairness.requests import build_data_requests, records_needed


def audited(rows: list[tuple[str, str, str, str]]) -> pd.DataFrame:
    """Rows (characteristic, group, evidence, verdict) of the check with a verdict, for one model."""
    frame = pd.DataFrame(rows, columns=["characteristic", "group", "evidence", "verdict"])
    return frame.assign(code="M2", part="all", model_id="lightgbm")


def requested(audit: pd.DataFrame, groupings: list[Grouping]) -> pd.DataFrame:
    return build_data_requests(audit, groupings, EvidenceSpec(), model_id="lightgbm", level="lsoa21")


def test_a_form_for_each_group_that_cannot_be_judged_and_for_no_other() -> None:
    sex, race, disability, fifth = invented_groupings(30, 1)
    audit = audited(
        [
            ("sex", "female", "composition", "not_visible"),
            ("sex", "male", "composition", "not_visible"),
            ("sex", "male", "outcomes", "no_evidence"),
            ("ethnic_group", "black", "composition", "concern"),
            ("ethnic_group", "asian", "composition", "insufficient"),
            ("disability", "disabled", "composition", "not_visible"),
            ("disability", "disabled", "outcomes", "insufficient"),
            ("deprivation", "a", "composition", "insufficient"),
        ]
    )
    table = requested(audit, [sex, race, disability, fifth]).set_index("group")
    assert set(table.index) == {"female", "asian", "disabled", "a"}
    assert table.loc["disabled", "verdict"] == "insufficient"
    assert table.loc["female", "columns"] == "lsoa21; month; sex; people_affected"
    assert table.loc["female", "breakdowns"] == "sex: female, male, not known"
    assert table.loc["female", "wanted"].startswith("A table of people affected")
    assert table.loc["asian", "wanted"].startswith("A table of people affected")
    assert table.loc["disabled", "wanted"].startswith("More months of people affected")
    assert table.loc["asian", "least_records"] == records_needed(
        race.people[:, 0].sum() / race.total.sum(), EvidenceSpec(), groups=3
    )
    assert pd.isna(table.loc["a", "least_records"])
    assert table.loc["a", "breakdowns"].startswith("none")
    assert table["who"].str.startswith("the police force").all()


def test_other_models_parts_and_checks_ask_for_nothing() -> None:
    sex, *_ = invented_groupings(30, 1)
    audit = audited([("sex", "female", "composition", "not_visible")])
    for column, value in (("model_id", "rolling_12"), ("part", "2024-01"), ("code", "M1")):
        assert requested(audit.assign(**{column: value}), [sex]).empty


def test_an_intersection_asks_for_its_characteristics_together() -> None:
    sex, _, disability, fifth = invented_groupings(30, 1)
    made = cross([sex, disability, fifth])
    codes = sex.areas
    crossed = Grouping(made.characteristic, "", "gender x disability", made.groups, codes, made.people, made.total)
    name = "female & disabled & a"
    audit = audited([(crossed.characteristic, name, "composition", "not_visible")])
    row = requested(audit, [sex, disability, fifth, crossed]).iloc[0]
    assert row["group"] == name
    assert row["columns"] == "lsoa21; month; sex; disability; people_affected"
    assert row["breakdowns"] == "sex: female, male, not known; disability: disabled, not_disabled, not known"
    assert "sex as recorded and where a disability is recorded" in row["who"]


@pytest.mark.parametrize(("share", "groups"), [(0.51, 2), (0.04, 5), (0.17, 2)])
def test_so_many_records_show_the_declared_effect_four_times_in_five(share: float, groups: int) -> None:
    """Counts twice as variable as chance, in the fewest blocks of any tiling; adjusted for all groups."""
    from scipy.stats import t

    spec = EvidenceSpec()
    records = records_needed(share, spec, groups=groups)
    chance = np.random.default_rng(7)
    runs, blocks = 3000, TILINGS[0][0]

    def drawn(mean: float) -> np.ndarray:
        """Negative binomial counts of mean and variance (mean, 2 mean)."""
        return chance.negative_binomial(mean / blocks, 0.5, (runs, blocks)).astype(float)

    own, rest = drawn(records), drawn(records * (1 - share) / share)
    expected = records / blocks * spec.declared_effect

    def contrast(own_y: np.ndarray, rest_y: np.ndarray, count: int) -> np.ndarray:
        rest_mean = records * (1 - share) / share / blocks * count
        return np.log(expected * count / own_y) - np.log(rest_mean / rest_y)

    whole = contrast(own.sum(1), rest.sum(1), blocks)
    left = contrast(own.sum(1, keepdims=True) - own, rest.sum(1, keepdims=True) - rest, blocks - 1)
    error = np.sqrt((blocks - 1) / blocks * ((left - left.mean(1, keepdims=True)) ** 2).sum(1))
    found = 2 * t.sf(np.abs(whole) / error, blocks - 1) < spec.significance / groups
    assert 0.76 <= found.mean() <= 0.92


def test_fewer_suffice_for_a_larger_effect_and_never_fewer_than_the_policys_least() -> None:
    needed = [records_needed(0.2, EvidenceSpec(declared_effect=effect), groups=2) for effect in (1.2, 1.5, 2.0, 9.0)]
    assert needed == sorted(needed, reverse=True)
    assert needed[-1] == 100.0
    assert np.isnan(records_needed(0.0, EvidenceSpec(), groups=2))
    assert np.isnan(records_needed(1.0, EvidenceSpec(), groups=1))


def test_nothing_asked_is_an_empty_table() -> None:
    sex, *_ = invented_groupings(10, 1)
    assert requested(audited([("sex", "female", "composition", "concern")]), [sex]).empty
