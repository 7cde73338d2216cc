"""Districts beside their force, their country and districts like them; how far recorded violence concentrates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import TARGET, tiny_panel
from riskmodel.contracts.periods import month_number, month_start
from riskmodel.panel.compared import (
    DECLARED,
    Country,
    NationalFactor,
    build_compared,
    build_similar,
    district_values,
)
from riskmodel.panel.concentration import build_concentration


def country(random: np.random.Generator, districts: int = 9, areas: int = 60) -> Country:
    return Country(
        codes=np.array([f"E{i:04d}" for i in range(areas)]),
        district=np.sort(random.integers(0, districts, areas)).astype(np.intp),
        districts=[f"D{i}" for i in range(districts)],
        names=[f"District {i}" for i in range(districts)],
        residents=random.integers(900, 3000, areas).astype(float),
    )


def national(held: Country, random: np.random.Generator, number: int = 4) -> list[NationalFactor]:
    made = []
    for i in range(number):
        people = random.integers(50, 500, len(held.codes)).astype(float)
        top = np.where(random.random(len(people)) < 0.1, np.nan, people * random.random(len(people)))
        made.append(NationalFactor(f"f{i}", "census2021", "2021", top, people, 100.0))
    return made


@given(st.integers(0, 10_000))
@settings(max_examples=20)
def test_every_figure_is_a_sum_over_a_sum(seed: int) -> None:
    random = np.random.default_rng(seed)
    held = country(random)
    factors = national(held, random)
    values = district_values(factors, held)
    own = [held.districts[i] for i in np.unique(held.district)[:2]]
    similar = build_similar(own, values, held, declared={})
    table = build_compared(own, factors, values, held, similar).set_index(["location", "factor"])
    for code in own:
        for factor in factors:
            sound = np.isfinite(factor.top)
            of_district = sound & (held.district == held.districts.index(code))
            of_force = sound & np.isin(held.district, [held.districts.index(c) for c in own])
            row = table.loc[(code, factor.name)]
            for column, chosen in (("value", of_district), ("force", of_force), ("country", sound)):
                bottom = factor.bottom[chosen].sum()
                expected = 100 * factor.top[chosen].sum() / bottom if bottom else np.nan
                np.testing.assert_allclose(row[column], expected, rtol=1e-12)
            like = similar.loc[similar["location"] == code, "similar"]
            of_like = [values[held.districts.index(c), factors.index(factor)] for c in like]
            of_like = [v for v in of_like if np.isfinite(v)]
            if of_like:
                assert row["similar_low"] == min(of_like) and row["similar_high"] == max(of_like)
                assert row["similar"] == pytest.approx(np.median(of_like))


def test_the_nearest_are_those_a_plain_search_finds_and_never_ones_own() -> None:
    random = np.random.default_rng(5)
    held = country(random, districts=12, areas=400)
    values = random.normal(size=(12, 3)) * [1.0, 100.0, 0.01]
    own = ["D3", "D4"]
    table = build_similar(own, values, held, declared={"D4": ["D0", "D9"]}, how_many=3)
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    far = {f"D{i}": float(np.sqrt(np.mean((scaled[i] - scaled[3]) ** 2))) for i in range(12) if i not in (3, 4)}
    assert table.loc[table["location"] == "D3", "similar"].tolist() == sorted(far, key=far.__getitem__)[:3]
    named = table[table["location"] == "D4"]
    assert named["similar"].tolist() == ["D0", "D9"] and set(named["chosen"]) == {DECLARED}


def test_a_factor_in_other_units_changes_no_likeness() -> None:
    random = np.random.default_rng(6)
    held = country(random, districts=10, areas=300)
    values = random.normal(size=(10, 4))
    one = build_similar(["D1"], values, held, declared={})
    other = build_similar(["D1"], values * [1, 50, 0.1, 7] + [3, 0, -2, 1], held, declared={})
    assert one["similar"].tolist() == other["similar"].tolist()


def concentrated(counts: np.ndarray, missing: list[int] | None = None) -> pd.DataFrame:
    panel = tiny_panel(counts, areas=len(counts), months=counts.shape[1], missing=missing or [])
    view = panel.as_of(month_start(month_number("2020-01") + counts.shape[1] + 2))
    return build_concentration(view, TARGET, label="t@1", seed=3)


@given(st.integers(0, 1000))
@settings(max_examples=15)
def test_shares_of_records_grow_with_areas_and_lie_above_even_shares(seed: int) -> None:
    random = np.random.default_rng(seed)
    counts = random.poisson(3, (20, 24)).astype(float)
    counts[0, :] += 1
    table = concentrated(counts)
    for _, rows in table.groupby("end"):
        assert rows["share_of_records"].is_monotonic_increasing
        assert (rows["share_of_records"] >= rows["areas"] / 20 - 1e-12).all()
        assert rows["share_of_residents"].between(0, 1).all()
    newest = table[table["end"] == table["end"].max()].set_index("areas")
    yearly = np.sort(counts[:, -12:].sum(axis=1))[::-1]
    for number, row in newest.iterrows():
        assert row["share_of_records"] == pytest.approx(yearly[:number].sum() / yearly.sum())
    assert newest["same_areas"].between(0, 1).all()


def test_equal_counts_share_the_last_place_and_order_plays_no_part() -> None:
    counts = np.ones((20, 12)) * 2.0
    table = concentrated(counts)
    assert table["share_of_records"].tolist() == pytest.approx((table["areas"] / 20).tolist())
    random = np.random.default_rng(8)
    uneven = random.poisson(4, (20, 12)).astype(float)
    one, other = concentrated(uneven), concentrated(uneven[::-1])
    np.testing.assert_allclose(one["share_of_records"], other["share_of_records"])


def test_twelve_months_with_a_missing_one_are_left_out() -> None:
    counts = np.ones((20, 24))
    assert len(concentrated(counts)["end"].unique()) == 2
    assert len(concentrated(counts, missing=[5])["end"].unique()) == 1
