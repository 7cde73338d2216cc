"""Repeats of a Crime ID against a plain loop, for IDs as published (64 characters) and for any other."""

from __future__ import annotations

import hashlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmodel.sources import police_uk


def oracle(ids: list[str], located: list[bool]) -> list[bool]:
    """Of each ID the first located row stays, else its first row; rows without an ID all stay."""
    kept: dict[str, int] = {}
    for row, name in enumerate(ids):
        if name not in kept or (located[row] and not located[kept[name]]):
            kept[name] = row
    return [name != "" and kept[name] != row for row, name in enumerate(ids)]


def published(number: int) -> str:
    return "" if number == 0 else hashlib.sha256(str(number).encode("ascii")).hexdigest()


def short(number: int) -> str:
    return "" if number == 0 else "é" * number


def mixed(number: int) -> str:
    return short(number) if number % 2 else published(number)


@pytest.mark.parametrize("spelled", [published, short, mixed])
@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=40), st.integers(0, 40))
def test_repeats_are_what_the_loop_says(spelled, rows: list[tuple[int, bool]], cut: int):
    ids, located = [spelled(number) for number, _ in rows], [place for _, place in rows]
    # Two chunks, the second a slice that does not begin where its buffer does.
    whole = pa.array(ids, pa.string())
    column = pa.chunked_array([pa.array(ids[:cut], pa.string()), whole[cut:]])
    found = police_uk._repeats(column, np.array(located))
    assert found.tolist() == oracle(ids, located)


def test_ids_with_the_same_fingerprint_are_not_the_same_id(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(police_uk, "_MIX", np.zeros(8, dtype=np.uint64))
    ids = [published(1), published(2), published(1), published(3)]
    found = police_uk._repeats(pa.chunked_array([ids]), np.ones(4, dtype=np.bool_))
    assert found.tolist() == [False, False, True, False]
