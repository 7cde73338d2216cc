"""Levels and windows: sums against plain loops, and what was recorded beside what is missing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import FIRST, LAG, TARGET, tiny_geography, tiny_panel
from riskmodel.contracts.periods import month_number, month_start
from riskmodel.contracts.planner_tables import HISTORY, PLACES
from riskmodel.contracts.tables import as_table
from riskmodel.panel.history import build_history, build_places, recorded_months
from riskmodel.panel.totals import levels_of, windows_of

GEOGRAPHY = tiny_geography(9)
LEVELS = levels_of(GEOGRAPHY)


@given(st.lists(st.integers(0, 1000), min_size=9, max_size=9), st.integers(1, 4))
def test_sums_are_those_of_a_plain_loop(counts, draws):
    values = np.array([[c + d for c in counts] for d in range(draws)])
    for name, level in LEVELS.items():
        parents = GEOGRAPHY.areas if name == "lsoa21" else GEOGRAPHY.parents[name]
        for place, code in enumerate(level.codes):
            inside = [a for a, parent in enumerate(parents) if parent == code]
            assert level.sums(values)[:, place].tolist() == [sum(row[a] for a in inside) for row in values.tolist()]


def test_an_area_without_a_certain_partnership_is_in_none():
    assert LEVELS["csp24"].index[0] == -1
    assert LEVELS["csp24"].sums(np.ones(9, dtype=int)).sum() == 8


@given(st.integers(0, 30), st.sets(st.integers(0, 45), min_size=1))
def test_windows_hold_available_months_only_and_reach_the_origin(shift, offsets):
    base = month_number("2024-01")
    origin = base + shift
    available = {base + o for o in offsets}
    for window in windows_of(("month", "quarter", "financial_year", "12_months"), available, origin=origin):
        assert set(window.months) <= available
        assert window.name == "month" or window.stop > origin
        first = window.start % 12
        assert {"month": True, "quarter": first % 3 == 0, "financial_year": first == 3, "12_months": True}[window.name]
        assert len(window.months) == {"month": 1, "quarter": 3}.get(window.name, 12)


def test_a_financial_year_that_has_begun_is_recorded_unpublished_and_to_come():
    origin = month_number("2025-09")
    available = range(month_number("2024-01"), origin + 12)
    found = {(w.name, w.start) for w in windows_of(("quarter", "financial_year"), available, origin=origin)}
    assert ("financial_year", month_number("2025-04")) in found
    assert ("quarter", month_number("2025-07")) in found
    assert ("quarter", month_number("2025-04")) not in found


@pytest.fixture(scope="module")
def view():
    return tiny_panel(months=34, missing=[11]).as_of(month_start(FIRST + 33 + LAG))


def test_history_is_the_plain_sum_of_what_is_recorded(view):
    levels = levels_of(view.geography)
    table = as_table(build_history(view, TARGET, levels, label="x@1"), HISTORY)
    recorded = recorded_months(view, TARGET)
    assert FIRST + 11 not in recorded
    for row in table.to_dict("records"):
        start, end = (month_number(str(row[k])[:7]) for k in ("start", "end"))
        held = [m for m in range(start, end + 1) if m in recorded]
        assert (row["months_of"], row["months_held"]) == (end - start + 1, len(held))
        place = levels[row["level"]].codes.index(row["location"])
        if len(held) < row["months_of"]:
            assert np.isnan(row["recorded"])
            assert "missing" in row["note"]
        else:
            assert row["recorded"] == sum(levels[row["level"]].sums(recorded[m])[place] for m in held)


def test_areas_are_shown_by_year_and_districts_by_month(view):
    table = build_history(view, TARGET, levels_of(view.geography), label="x@1")
    shown = table.groupby("level")["window"].agg(set)
    assert "month" not in shown["lsoa21"] | shown["msoa21"]
    assert "quarter" not in shown["lsoa21"]
    assert "month" in shown["lad24"]


def test_a_year_in_which_recording_changed_says_so(view):
    share = np.r_[np.full(22, 0.8), np.full(40, 0.95)][: view.recorded(TARGET).shape[1]]
    table = build_history(view, TARGET, levels_of(view.geography), label="x@1", located_share=share)
    assert table["note"].str.contains("recording changed: located share 80% to 95%").any()


def test_places_name_every_place_once(view):
    levels = levels_of(view.geography)
    places = as_table(build_places(view.geography, levels), PLACES)
    assert len(places) == sum(len(level.codes) for level in levels.values())
    people = places.groupby("level")["population"].sum()
    assert people["lad24"] == people["pfa"] == pytest.approx(view.geography.population.sum())
