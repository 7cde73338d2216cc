"""What a table record refuses, for every record and every column of it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.contracts.tables import BACKTEST, FORECASTS, TABLES, Column, Table, TableError, as_table

DTYPES = {"str": "str", "int": "int64", "float": "float64", "bool": "bool", "date": "datetime64[s]"}
VALUES: dict[str, list[Any]] = {
    "str": ["a", "b"],
    "int": [1, 2],
    "float": [0.5, 1.5],
    "bool": [False, True],
    "date": [pd.Timestamp("2025-09-01"), pd.Timestamp("2025-10-01")],
}
each = pytest.mark.parametrize("table", TABLES.values(), ids=lambda t: t.name)


def sound(table: Table) -> pd.DataFrame:
    """Two rows that differ in every column."""
    return pd.DataFrame({c.name: VALUES[c.dtype] for c in table.columns})


@each
def test_a_record_describes_every_column_and_its_key(table: Table) -> None:
    assert len(set(table.names)) == len(table.names)
    assert set(table.key) <= set(table.names)
    assert all(c.description and c.dtype in DTYPES for c in table.columns)


@each
def test_a_sound_table_comes_back_in_the_records_order(table: Table) -> None:
    given = sound(table)
    out = as_table(given[table.names[::-1]], table)
    assert list(out.columns) == table.names
    assert {c.name: str(out[c.name].dtype) for c in table.columns} == {c.name: DTYPES[c.dtype] for c in table.columns}
    for name in table.names:
        assert list(out[name]) == list(given[name])


@each
def test_a_missing_and_an_extra_column_are_refused(table: Table) -> None:
    for name in table.names:
        with pytest.raises(TableError, match=f"do not fit the table '{table.name}'"):
            as_table(sound(table).drop(columns=name), table)
    with pytest.raises(TableError, match="do not fit"):
        as_table(sound(table).assign(surplus=1), table)


@each
def test_a_blank_is_refused_but_where_the_record_allows_it(table: Table) -> None:
    for column in table.columns:
        frame = sound(table)
        frame[column.name] = frame[column.name].astype(object)
        frame.loc[0, column.name] = np.nan if column.dtype != "date" else pd.NaT
        if column.blank:
            assert as_table(frame, table)[column.name].isna().sum() == 1
        else:
            with pytest.raises(TableError, match=column.name):
                as_table(frame, table)


@each
def test_a_repeated_key_is_refused_and_shown(table: Table) -> None:
    frame = sound(table)
    twice = pd.concat([frame, frame.iloc[[0]]])
    with pytest.raises(TableError, match=f"the key of '{table.name}' repeats"):
        as_table(twice, table)
    assert len(as_table(twice, table, check_key=False)) == 3
    for name in table.key:
        differs = frame.copy()
        others = [n for n in table.names if n != name]
        differs[others] = differs[others].iloc[[0, 0]].to_numpy()
        assert len(as_table(differs, table)) == 2


WRONG: dict[str, list[Any]] = {
    "int": ["a few", 1],
    "float": ["a few", 1.0],
    "bool": ["True", True],
    "date": ["the first", "2025-09-01"],
}


@each
def test_another_kind_of_value_is_refused(table: Table) -> None:
    for column in table.columns:
        if column.dtype in WRONG:
            with pytest.raises(TableError, match=column.name):
                as_table(sound(table).assign(**{column.name: WRONG[column.dtype]}), table)


@pytest.mark.parametrize("wrong", [[1.5, 2.0], [np.inf, 1.0]], ids=["fraction", "infinite"])
def test_a_number_that_is_not_whole_is_never_made_whole(wrong: list[float]) -> None:
    with pytest.raises(TableError, match="horizon"):
        as_table(sound(FORECASTS).assign(horizon=wrong), FORECASTS)


def test_a_time_of_day_is_never_cut_to_a_date() -> None:
    late = [pd.Timestamp("2025-09-01 13:30:00.25"), pd.Timestamp("2025-10-01")]
    with pytest.raises(TableError, match="origin_date"):
        as_table(sound(FORECASTS).assign(origin_date=late), FORECASTS)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=6))
def test_values_are_not_changed_by_a_bit(values: list[float]) -> None:
    table = Table("t", ("k",), (Column("k", "int", "key"), Column("v", "float", "value")))
    out = as_table(pd.DataFrame({"k": range(len(values)), "v": values}), table)
    assert out["v"].to_numpy().tobytes() == np.asarray(values).tobytes()


def test_as_table_leaves_its_argument_alone() -> None:
    frame = sound(FORECASTS).assign(horizon=["1", "2"]).astype({"horizon": "object"})
    before = frame.copy(deep=True)
    with suppress(TableError):
        as_table(frame, FORECASTS)
    pd.testing.assert_frame_equal(frame, before)


def test_forecasts_and_backtest_use_the_hubverse_columns_in_the_designs_order() -> None:
    columns = [
        "model_id", "origin_date", "target", "horizon", "target_end_date", "level", "location", "output_type",
        "output_type_id",
    ]  # fmt: skip
    assert list(FORECASTS.key) == columns
    assert FORECASTS.names == [*columns, "value"]
    assert BACKTEST.names == [*columns, "value", "observed"]
