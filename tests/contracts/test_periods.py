"""The calendar: months as numbers, origins, horizons and publication, against the standard library's dates."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.contracts.periods import (
    Publication,
    horizon_month,
    month_end,
    month_from_date,
    month_label,
    month_number,
    month_of_year,
    month_start,
    origin_month,
)

days = st.dates(date(1900, 1, 1), date(2199, 12, 31))
months = st.integers(1900 * 12, 2200 * 12 - 1)


@given(months)
def test_a_label_and_a_number_are_the_same_month(month: int) -> None:
    assert month_number(month_label(month)) == month
    assert month_from_date(month_start(month)) == month_from_date(month_end(month)) == month
    assert month_of_year(month) == month_start(month).month - 1


@given(days)
def test_a_day_lies_in_its_month(day: date) -> None:
    month = month_from_date(day)
    assert month_label(month) == day.isoformat()[:7]
    assert month_start(month) <= day <= month_end(month)


@given(months)
def test_a_month_ends_the_day_before_the_next_begins(month: int) -> None:
    assert month_end(month) + timedelta(days=1) == month_start(month + 1)


@given(months, st.integers(-600, 600))
def test_labels_sort_as_months_do(month: int, step: int) -> None:
    other = month + step
    if other >= 0:
        assert (month_label(month) < month_label(other)) == (month < other)


@given(days)
def test_only_the_first_of_a_month_is_an_origin(day: date) -> None:
    if day.day == 1:
        assert month_start(origin_month(day)) == day
    else:
        with pytest.raises(ValueError, match=day.isoformat()):
            origin_month(day)


@given(months, st.integers(1, 24))
def test_horizon_1_is_the_month_that_begins_on_the_origin(origin: int, horizon: int) -> None:
    assert month_start(horizon_month(origin, 1)) == month_start(origin)
    assert horizon_month(origin, horizon + 1) == horizon_month(origin, horizon) + 1


@given(months, st.integers(0, 60))
def test_a_lag_counts_months_from_the_month_itself(month: int, lag: int) -> None:
    day = Publication(lag_months=lag).of(month_label(month))
    first = month_start(month)
    assert day.day == 1
    assert (day.year - first.year) * 12 + day.month - first.month == lag


def test_the_designs_own_example() -> None:
    published = Publication(lag_months=3).of("2025-06")
    assert published == date(2025, 9, 1)
    assert month_label(horizon_month(origin_month(published), 1)) == "2025-09"


def test_a_fixed_day_holds_for_every_period() -> None:
    rule = Publication(on=date(2025, 10, 30))
    assert rule.of("2021") == rule.of("2025-06") == date(2025, 10, 30)


@pytest.mark.parametrize("rule", [{}, {"lag_months": 3, "on": date(2025, 1, 1)}], ids=["nothing", "two things"])
def test_a_publication_rule_says_one_thing(rule: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        Publication(**rule)


@pytest.mark.parametrize(
    "label", ["2025", "2025-1", "2025-13", "2025-00", "25-01", " 2025-01", "2025-01\n", "2025-01-01", "202\uff15-01"]
)
def test_what_is_no_month_is_refused(label: str) -> None:
    with pytest.raises(ValueError, match="YYYY-MM"):
        month_number(label)
