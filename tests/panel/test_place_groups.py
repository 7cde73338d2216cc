"""Groups of places are sums of their small areas, whatever the areas hold."""

from __future__ import annotations

import math

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.panel.place_groups import build_place_groups

AREAS = ["A", "B", "C", "D"]
PARENTS = pd.DataFrame({"lad24": ["X", "X", "Y", "Y"], "csp24": ["P", "P", "P", ""]}, index=AREAS)
COUNTS = st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900), st.integers(0, 90)), min_size=4, max_size=4)


def groups_of(counts: list[tuple[int, int, int]]) -> pd.DataFrame:
    """Two groups and some people in neither, as shares of everybody."""
    rows = [
        {"characteristic": "religion", "group": group, "area": area, "population": float(people),
         "share": people / sum(held) if sum(held) else math.nan, "period": "2021"}
        for area, held in zip(AREAS, counts, strict=True)
        for group, people in zip(("one", "two"), held, strict=False)
    ]  # fmt: skip
    return pd.DataFrame(rows)


@given(COUNTS)
def test_people_add_up_and_shares_are_of_everybody(counts: list[tuple[int, int, int]]) -> None:
    made = build_place_groups(groups_of(counts), PARENTS, ["lad24", "csp24"]).set_index(["location", "group"])
    for place, members in {"X": (0, 1), "Y": (2, 3), "P": (0, 1, 2)}.items():
        # Where nobody is in any group, shares say nothing of how many others there are.
        known = [counts[m] for m in members if sum(counts[m][:2])]
        everybody = sum(map(sum, known))
        for number, group in enumerate(("one", "two")):
            row = made.loc[place, group]
            assert row["people"] == sum(counts[m][number] for m in members)
            assert math.isclose(row["share"], row["people"] / everybody) if everybody else math.isnan(row["share"])


def test_an_area_without_a_certain_place_counts_in_none() -> None:
    made = build_place_groups(groups_of([(1, 1, 0)] * 4), PARENTS, ["csp24"])
    assert set(made["location"]) == {"P"} and made["people"].tolist() == [3.0, 3.0]
