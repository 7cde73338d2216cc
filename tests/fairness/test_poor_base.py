"""Places where residents are a poor base: rates over the months held, and marks at the policy's bound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from riskmodel.contracts.errors import NotEnoughHistory
from riskmodel.fairness.poor_base import build_poor_base, with_poor_base


@given(arrays(float, (4, 24), elements=st.integers(0, 40).map(float)), st.integers(1, 3))
def test_a_rate_of_whole_years_is_records_a_year_per_thousand(records: np.ndarray, bound: int) -> None:
    residents = np.array([500.0, 1500.0, 2000.0, 0.0])
    table = build_poor_base(list("abcd"), residents, records, per_1000_a_year=bound * 60.0)
    expected = records.sum(axis=1)[:3] / 2.0 / residents[:3] * 1000.0
    assert table["per_1000"].to_numpy()[:3] == pytest.approx(expected)
    assert np.isnan(table["per_1000"].iloc[3])
    marked = with_poor_base(table, list("abcd"))
    assert marked[3]
    clear = np.abs(expected - bound * 60.0) > 1e-9
    assert (marked[:3][clear] == (expected >= bound * 60.0)[clear]).all()


def test_missing_months_are_left_out_of_the_rate() -> None:
    records = np.full((1, 24), 3.0)
    gaps = records.copy()
    gaps[0, ::3] = np.nan
    whole, some = (build_poor_base(["a"], np.array([900.0]), r, per_1000_a_year=60.0) for r in (records, gaps))
    assert some["per_1000"].iloc[0] == pytest.approx(whole["per_1000"].iloc[0])


def test_without_a_month_nothing_can_be_said() -> None:
    with pytest.raises(NotEnoughHistory, match="no month"):
        build_poor_base(["a", "b"], np.ones(2), np.array([[1.0], [np.nan]]), per_1000_a_year=60.0)
