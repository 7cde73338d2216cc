"""The assessment's own tables: who is affected, what costs, what is wanted, what each factor is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import poisson

from riskmodel.contracts.errors import DefinitionError
from riskmodel.contracts.specs import DisclosureSpec
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.sources.synthetic import SyntheticRegion
from riskmodel.workflow.assessment import assessment_tables, build_costs
from riskmodel.workflow.definitions import read_definitions
from riskmodel.workflow.profile import guarded, poisson_interval
from riskmodel.workflow.run_tables import group_table
from riskmodel.workflow.session import open_session

COSTS = """costs:
  robbery:
    {title: A robbery, target: robbery, covers: [robbery], unit_cost: 100.0, price_year: 2015/16, source: Somebody 2018}
"""


@given(st.lists(st.integers(0, 60), min_size=2, max_size=8))
def test_no_small_count_can_be_worked_out_from_the_sum(counts: list[int]) -> None:
    made = guarded(
        pd.DataFrame({"group": map(str, range(len(counts))), "records": map(float, counts)}), DisclosureSpec()
    )
    shown = made["records"].notna()
    assert (made.loc[shown, "records"] % 5 == 0).all()
    assert not shown.to_numpy()[np.array(counts) < 10].any()
    hidden = int((~shown).sum())
    assert hidden != 1, "one blank beside a known sum is no blank"
    assert hidden <= sum(c < 10 for c in counts) + 1


@given(st.integers(0, 500))
def test_the_interval_of_a_count_is_the_exact_one(count: int) -> None:
    low, high = (ends[0] for ends in poisson_interval(np.array([float(count)])))
    assert poisson.cdf(count, high) == pytest.approx(0.05, abs=1e-9)
    assert (poisson.sf(count - 1, low) == pytest.approx(0.05, abs=1e-9)) if count else low == 0


def test_tables_of_the_invented_region(workspace: Workspace, synthetic_region: SyntheticRegion) -> None:
    session = open_session(read_definitions(workspace, "demo"), data=synthetic_region.directory)
    groups = group_table(session)[0]
    made = assessment_tables(session, {"groups": groups, "outlook": pd.DataFrame()})
    profile = made["profile"]
    sex = profile[(profile["breakdown"] == "sex") & (profile["source"] == "police_victims")].set_index("group")
    women = groups[(groups["characteristic"] == "sex") & (groups["group"] == "female")]["population"].sum()
    assert sex.loc["female", "people"] == women
    assert sex.loc["female", "rate"] == pytest.approx(1000 * sex.loc["female", "records"] / women)
    assert (profile["state"] != "open").all(), "every breakdown of the invented region is restricted"
    known = profile["rate"].notna()
    assert (profile.loc[known, "rate_low"] <= profile.loc[known, "rate"]).all()
    assert set(made["compared"]["factor"]) <= set(made["catalogue"]["factor"])
    assert set(made["similar"]["location"]) == set(session.held.panel.geography.parents["lad24"])
    assert len(made["gaps"]) > 10


def with_costs(workspace: Workspace, text: str) -> None:
    path = workspace.path("experiment", "gloucestershire")
    held = path.read_text(encoding="utf-8")
    before, _, after = held.partition("costs:\n")
    _, _, rest = after.partition("# Which model planners")
    path.write_text(before + text + "# Which model planners" + rest, encoding="utf-8", newline="\n")


def test_a_cost_is_a_unit_cost_times_what_is_expected(workspace: Workspace) -> None:
    with_costs(workspace, COSTS)
    definitions = read_definitions(workspace, "gloucestershire")
    outlook = pd.DataFrame(
        {
            "target": ["robbery@1", "robbery@1", "recorded_violence@1"],
            "window": ["12_months", "quarter", "12_months"],
            "level": ["lad24"] * 3, "location": ["E07000078"] * 3, "mean": [3.0, 1.0, 90.0], "low": [1.0, 0.0, 70.0],
            "high": [6.0, 3.0, 110.0],
        }
    )  # fmt: skip
    costs = build_costs(definitions, outlook)
    assert costs[["expected", "low", "high"]].to_numpy().tolist() == [[300.0, 100.0, 600.0]]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("target: robbery", "target: recorded_violence", "broader than the offence that was costed"),
        ("target: robbery", "target: robberies", "does not forecast"),
    ],
)
def test_a_cost_of_something_else_is_refused(workspace: Workspace, old: str, new: str, said: str) -> None:
    with_costs(workspace, COSTS.replace(old, new))
    with pytest.raises(DefinitionError, match=said):
        read_definitions(workspace, "gloucestershire")


@pytest.mark.real
def test_real_districts_have_neighbours_from_elsewhere(workspace: Workspace, real_data: Path) -> None:
    session = open_session(read_definitions(workspace, "gloucestershire"), data=real_data)
    groups = group_table(session)[0]
    made = assessment_tables(session, {"groups": groups, "outlook": pd.DataFrame(
        columns=["target", "window", "level", "location", "mean", "low", "high"])})  # fmt: skip
    similar = made["similar"]
    own = set(session.held.panel.geography.parents["lad24"])
    assert not own & set(similar["similar"]) and similar.groupby("location").size().eq(5).all()
    assert made["profile"].empty
    crowding = made["compared"].set_index(["factor", "location"]).loc["society/crowding"]
    assert len(set(crowding["country"])) == 1 < len(set(crowding["value"]))
    assert (crowding["value"] > 0).all() and (crowding["value"] < 100).all()
