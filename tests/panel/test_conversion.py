"""Codes to LSOA 2021: nothing lost or negative, no look ahead, no favour; equal to placing one record at a time."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.contracts.errors import DataFileError
from riskmodel.panel.apportionment import apportion
from riskmodel.panel.conversion import CodeConversion, make_conversion

# Old codes A.. and new codes: one unchanged, two merged, one split in three, a complex pair, one other force's.
TIES = [
    ("E01000001", "E01000001"),
    ("E01000002", "E01000091"),
    ("E01000003", "E01000091"),
    ("E01000004", "E01000092"),
    ("E01000004", "E01000093"),
    ("E01000004", "E01000094"),
    ("E01000005", "E01000095"),
    ("E01000005", "E01000096"),
    ("E01000006", "E01000096"),
    ("E01000007", "E01000097"),
    ("E01000007", "E01000098"),
    ("E01000008", "E01000008"),
    ("E01000009", "E01000098"),
    ("E01000009", "E01000099"),
]
NEW = sorted({new for _, new in TIES})
OLD = sorted({old for old, _ in TIES})
# E01000097 is another force's, so E01000007 is split over the border; E01000008 and E01000099 lie there as well.
ELSEWHERE = {"E01000097", "E01000008", "E01000099"}
REGION = [code for code in NEW if code not in ELSEWHERE]
CODES = sorted({*NEW, *OLD, ""})


def make(weights: dict[str, int], ties: list[tuple[str, str]] | None = None) -> CodeConversion:
    lookup = pd.DataFrame(ties or TIES, columns=["lsoa11", "lsoa21"])
    return make_conversion(
        np.array(REGION), lookup, pd.Series(weights, dtype=float), district=np.array(["E07000001"] * len(REGION))
    )


@dataclass
class Naive:
    """The oracle: takes records one at a time, in the order of the months."""

    weights: dict[str, int]

    def __post_init__(self) -> None:
        self.holds: dict[tuple[str, str], int] = {}

    def place(self, code: str) -> str:
        if code in NEW:
            return code
        parts = sorted(new for old, new in TIES if old == code)
        turn = {p: Fraction(2 * self.holds.get((code, p), 0) + 1, self.weights[p]) for p in parts}
        chosen = min(parts, key=lambda p: (turn[p], p))
        self.holds[code, chosen] = self.holds.get((code, chosen), 0) + 1
        return chosen

    def convert(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        periods = counts.shape[1]
        areas = np.zeros((len(REGION), periods), dtype=np.int64)
        unlocated, outside, through = (np.zeros(periods, dtype=np.int64) for _ in range(3))
        for period in range(periods):
            for row, code in enumerate(CODES):
                for _ in range(counts[row, period]):
                    place = self.place(code) if code else ""
                    if not place:
                        unlocated[period] += 1
                    elif place in ELSEWHERE:
                        outside[period] += 1
                    else:
                        areas[REGION.index(place), period] += 1
                        through[period] += code not in NEW
        return areas, unlocated, outside, through


weights_strategy = st.fixed_dictionaries({code: st.integers(1, 12) for code in NEW})


@st.composite
def count_tables(draw: st.DrawFn, measures: int | None = None) -> np.ndarray:
    periods = draw(st.integers(1, 6))
    shape = (len(CODES), periods) if measures is None else (measures, len(CODES), periods)
    flat = draw(st.lists(st.integers(0, 7), min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
    return np.array(flat, dtype=np.int64).reshape(shape)


@given(weights=weights_strategy, counts=count_tables())
@settings(max_examples=60, deadline=None)
def test_equals_placing_one_record_at_a_time(weights: dict[str, int], counts: np.ndarray) -> None:
    got = make(weights).counts(np.array(CODES), counts)
    areas, unlocated, outside, through = Naive(weights).convert(counts)
    assert np.array_equal(got.counts, areas)
    assert np.array_equal(got.unlocated, unlocated)
    assert np.array_equal(got.out_of_force, outside)
    assert np.array_equal(got.converted, through)


@given(weights=weights_strategy, counts=count_tables(measures=2))
@settings(max_examples=40, deadline=None)
def test_no_record_is_lost_and_none_is_negative(weights: dict[str, int], counts: np.ndarray) -> None:
    got = make(weights).counts(np.array(CODES), counts)
    assert np.array_equal(got.located + got.unlocated + got.out_of_force, counts.sum(axis=1))
    assert np.array_equal(got.counts.sum(axis=1), got.located)
    assert got.counts.min() >= 0 and (got.converted <= got.located).all()
    assert got.counts.dtype == np.int64


@given(weights=weights_strategy, counts=count_tables(), later=count_tables())
@settings(max_examples=40, deadline=None)
def test_later_months_never_change_earlier_ones(weights: dict[str, int], counts: np.ndarray, later: np.ndarray) -> None:
    conversion = make(weights)
    alone = conversion.counts(np.array(CODES), counts)
    longer = conversion.counts(np.array(CODES), np.concatenate([counts, 50 * later], axis=1))
    assert np.array_equal(longer.counts[:, : counts.shape[1]], alone.counts)


@given(weights=weights_strategy, counts=count_tables(), order=st.permutations(range(len(CODES))), seed=st.randoms())
@settings(max_examples=30, deadline=None)
def test_the_order_of_codes_and_of_the_lookup_does_not_matter(
    weights: dict[str, int], counts: np.ndarray, order: list[int], seed: object
) -> None:
    shuffled = list(TIES)
    seed.shuffle(shuffled)  # type: ignore[attr-defined]
    expected = make(weights).counts(np.array(CODES), counts)
    got = make(weights, shuffled).counts(np.array(CODES)[order], counts[order])
    assert np.array_equal(got.counts, expected.counts)


def test_a_code_given_in_two_rows_is_one_series() -> None:
    weights = dict.fromkeys(NEW, 5)
    twice = make(weights).counts(np.array(["E01000004", "E01000004"]), np.array([[1, 0], [2, 4]]))
    once = make(weights).counts(np.array(["E01000004"]), np.array([[3, 4]]))
    assert np.array_equal(twice.counts, once.counts)


def test_halves_stay_halves_at_one_record_a_month() -> None:
    rng = np.random.default_rng(7)
    counts = rng.poisson(1.0, size=(1, 400, 120))
    owner = np.repeat(np.arange(400), 2)
    parts = np.diff(apportion(np.cumsum(counts, axis=-1), owner, np.full(800, 50.0)), axis=-1, prepend=0)
    first, second = parts[0, ::2], parts[0, 1::2]
    assert (first + second == counts[0]).all()
    assert abs(first.sum() / counts.sum() - 0.5) < 0.005
    # A part never runs ahead of its half by more than one record, so the share is right at any length.
    assert np.abs(np.cumsum(first - second, axis=-1)).max() <= 1


@given(
    weights=st.lists(st.integers(1, 3000), min_size=1, max_size=9),
    steps=st.lists(st.integers(0, 40), min_size=1, max_size=8),
)
@settings(max_examples=80, deadline=None)
def test_apportionment_never_takes_back_and_stays_near_the_share(weights: list[int], steps: list[int]) -> None:
    cumulative = np.cumsum(np.array([steps]), axis=-1)
    held = apportion(cumulative, np.zeros(len(weights), dtype=np.intp), np.array(weights, dtype=float))
    assert (np.diff(held, axis=-1, prepend=0) >= 0).all()
    assert np.array_equal(held.sum(axis=0), cumulative[0])
    quota = np.array(weights)[:, None] / sum(weights) * cumulative
    assert (np.abs(held - quota) <= np.maximum(1.0, len(weights) / 2)).all()


def test_a_part_without_residents_gets_nothing() -> None:
    assert apportion(np.array([[5]]), np.array([0, 0]), np.array([0.0, 3.0])).tolist() == [[0], [5]]


def test_codes_in_no_lookup_are_listed() -> None:
    conversion = make(dict.fromkeys(NEW, 1))
    with pytest.raises(DataFileError, match=r"police\.csv: these area codes are in no lookup\n  found: E01999998, W01"):
        conversion.counts(np.array(["E01000001", "W01999999", "E01999998"]), np.ones((3, 1), int), where="police.csv")


@pytest.mark.parametrize("counts", [np.ones((3, 2), int), np.ones((2, 2)), -np.ones((2, 2), int), np.ones(2, int)])
def test_counts_of_another_shape_or_kind_are_refused(counts: np.ndarray) -> None:
    with pytest.raises(ValueError, match="counts"):
        make(dict.fromkeys(NEW, 1)).counts(np.array(["E01000001", ""]), counts)


def test_weights_must_be_known_for_areas_that_share_a_code_with_the_region() -> None:
    with pytest.raises(DataFileError, match=r"not known\n  found: E01000097"):
        make({code: 1 for code in NEW if code != "E01000097"})
    make({code: 1 for code in NEW if code != "E01000008"})


WEIGHTS = dict(zip(NEW, range(100, 100 + 10 * len(NEW), 10), strict=True))


def value_of(conversion: CodeConversion, values: dict[str, float], travels: str) -> dict[str, float]:
    got = conversion.static(np.array(list(values)), np.array(list(values.values())), travels=travels, level="lsoa11")
    return dict(zip(REGION, got.tolist(), strict=True))


def test_means_are_inherited_by_parts_and_averaged_over_merged_areas() -> None:
    values = {old: float(n + 1) for n, old in enumerate(OLD)}
    got = value_of(make(WEIGHTS), values, "population_weighted_mean")
    assert got["E01000001"] == 1.0
    assert got["E01000091"] == pytest.approx(2.5)
    assert got["E01000092"] == got["E01000093"] == got["E01000094"] == 4.0
    assert got["E01000095"] == 5.0


def test_merged_areas_are_weighted_by_the_residents_of_their_old_areas() -> None:
    lookup = pd.DataFrame(TIES, columns=["lsoa11", "lsoa21"])
    old = pd.Series({code: 300.0 if code == "E01000002" else 100.0 for code in OLD})
    conversion = make_conversion(
        np.array(REGION), lookup, pd.Series(WEIGHTS, dtype=float),
        district=np.array(["E07000001"] * len(REGION)), residents_2011=old,
    )  # fmt: skip
    got = value_of(conversion, {code: (8.0 if code == "E01000002" else 4.0) for code in OLD}, "share")
    assert got["E01000091"] == pytest.approx(7.0)


def test_an_area_made_of_parts_is_weighted_by_the_part_each_old_area_gave() -> None:
    got = value_of(make(WEIGHTS), {code: (9.0 if code == "E01000005" else 0.0) for code in OLD}, "share")
    given = WEIGHTS["E01000096"] / (WEIGHTS["E01000095"] + WEIGHTS["E01000096"])
    assert got["E01000096"] == pytest.approx(9.0 * given / (given + 1.0))


def test_sums_are_conserved_where_every_part_lies_in_the_region() -> None:
    inside = [old for old in OLD if not {new for o, new in TIES if o == old} & ELSEWHERE]
    got = value_of(make(WEIGHTS), {old: (6.0 if old in inside else 0.0) for old in OLD}, "sum")
    assert sum(got.values()) == pytest.approx(6.0 * len(inside))
    parts = [got[new] for new in ("E01000092", "E01000093", "E01000094")]
    assert np.allclose(
        np.array(parts) / 6.0, np.array([WEIGHTS[n] for n in NEW[3:6]]) / sum(WEIGHTS[n] for n in NEW[3:6])
    )


def test_a_blank_or_absent_part_leaves_a_blank() -> None:
    got = value_of(make(WEIGHTS), {"E01000001": 1.0, "E01000002": float("nan"), "E01000003": 3.0}, "share")
    assert got.pop("E01000001") == 1.0
    assert np.isnan(list(got.values())).all()


def test_values_of_2021_pass_through_whatever_their_order() -> None:
    codes = np.array(["E01000092", "E01000001", "E01000099"])
    got = make(WEIGHTS).static(codes, np.array([2.0, 1.0, 9.0]), travels="sum", level="lsoa21")
    assert dict(zip(REGION, got, strict=True))["E01000092"] == 2.0
    assert np.isnan(got).sum() == len(REGION) - 2


def test_district_values_reach_every_area() -> None:
    lookup = pd.DataFrame(TIES, columns=["lsoa11", "lsoa21"])
    district = np.array(["E07000001"] * 3 + ["E07000002"] * (len(REGION) - 3))
    conversion = make_conversion(np.array(REGION), lookup, pd.Series(WEIGHTS, dtype=float), district=district)
    codes, values = np.array(["E07000009", "E07000002", "E07000001"]), np.array([1.0, 8.0, 4.0])
    share = conversion.static(codes, values, travels="share", level="lad24")
    assert share.tolist() == [4.0] * 3 + [8.0] * (len(REGION) - 3)
    total = conversion.static(codes, values, travels="sum", level="lad24")
    assert total[:3].sum() == pytest.approx(4.0) and total[3:].sum() == pytest.approx(8.0)


def test_static_codes_must_be_known_and_given_once() -> None:
    conversion = make(WEIGHTS)
    with pytest.raises(DataFileError, match="in no lookup"):
        conversion.static(np.array(["E01999999"]), np.array([1.0]), travels="share", level="lsoa21")
    with pytest.raises(DataFileError, match=r"two values\n  found: E01000001"):
        conversion.static(np.array(["E01000001"] * 2), np.array([1.0, 2.0]), travels="share", level="lsoa21")
    with pytest.raises(ValueError, match="travel"):
        conversion.static(np.array(["E01000001"]), np.array([1.0]), travels="teleport", level="lsoa21")
