"""Evidence: only what every model forecast alike, set on the map; groups with the total of their own table."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.backtest.scores import ForecastCube
from riskmodel.contracts.errors import DefinitionError, NotEnoughHistory
from riskmodel.contracts.periods import month_number
from riskmodel.contracts.specs import CharacteristicSpec
from riskmodel.contracts.tables import TableError
from riskmodel.fairness.columns import COLUMNS, first_seen, make_columns
from riskmodel.fairness.evidence import make_evidence, make_groupings
from riskmodel.fairness.priority import put_first, within_band

AREAS = np.array([f"E01{number:06d}" for number in range(5)])


def geography() -> SimpleNamespace:
    """What evidence takes of a geography: codes, people, points, districts."""
    parents = pd.DataFrame({"lad24_name": ["Hill", "Hill", "Vale", "Vale", "Hill"]}, index=AREAS)
    return SimpleNamespace(
        areas=AREAS, population=np.arange(1.0, 6.0) * 1000, points=np.arange(10.0).reshape(5, 2), parents=parents,
        groups=lambda level: (np.array([0, 0, 1, 1, 0]), ["E07000001", "E07000002"]),
    )  # fmt: skip


def cube(mean: np.ndarray | None = None, areas: np.ndarray = AREAS) -> ForecastCube:
    shape = (2, 2, 3, len(areas))
    held = np.random.default_rng(1).gamma(4.0, 1.0, shape) if mean is None else mean
    return ForecastCube(
        "violence@1", "lsoa21", pd.Index(["model", "rolling_12"], dtype="str"),
        pd.DatetimeIndex(["2024-01-01", "2024-03-01"]), np.array([1, 2, 3]), pd.Index(areas, dtype="str"),
        held, held - 1, held + 1, np.ones(shape[1:]),
    )  # fmt: skip


def test_months_that_a_model_lacks_are_left_out_for_all_and_counted() -> None:
    held = cube()
    held.mean[1, 1, 2] = np.nan
    held.mean[:, :, :, 4] = np.nan
    evidence = make_evidence(held, geography(), source="police_uk", baseline="rolling_12")
    assert evidence.areas.tolist() == AREAS[:4].tolist()
    assert evidence.cells.tolist() == [[True, True, True], [True, True, False]]
    assert evidence.left_out == {"areas": 1, "months of origins": 1}
    assert [evidence.districts[number] for number in evidence.district] == ["Hill", "Hill", "Vale", "Vale"]
    assert evidence.origins.tolist() == [month_number("2024-01"), month_number("2024-03")]
    columns = make_columns(evidence, 0.2)
    assert columns["months"][0, :, 0].tolist() == [3, 2]
    assert columns["expected"][0, 1] == pytest.approx(held.mean[0, 1, :2, :4].sum(axis=0))
    assert np.isfinite([columns[name].sum() for name in COLUMNS]).all()


def test_a_month_counts_once_among_the_records() -> None:
    evidence = make_evidence(cube(), geography(), source="police_uk", baseline="rolling_12")
    columns = make_columns(evidence, 0.2)
    # January to March and March to May: March is looked at twice.
    assert columns["recorded"][0].sum(axis=0).tolist() == [6.0] * 5
    assert columns["recorded_once"][0].sum(axis=0).tolist() == [5.0] * 5


@given(st.integers(0, 10**6))
def test_every_month_looked_at_is_seen_first_once(seed: int) -> None:
    random = np.random.default_rng(seed)
    origins, horizons = np.sort(random.choice(20, 4, replace=False)) + 24000, np.arange(1, 7)
    cells = random.random((4, 6)) < 0.6
    once = first_seen(origins, horizons, cells)
    months = origins[:, None] + horizons
    assert not (once & ~cells).any()
    assert sorted(months[once]) == sorted(set(months[cells]))


def test_what_cannot_be_evidence_is_refused() -> None:
    nothing = cube()
    nothing.mean[0, 0], nothing.mean[1, 1] = np.nan, np.nan
    with pytest.raises(NotEnoughHistory, match="no month was forecast by every model"):
        make_evidence(nothing, geography(), source="police_uk", baseline="rolling_12")
    with pytest.raises(TableError, match="not in the geography"):
        make_evidence(cube(areas=np.array(["E01000001", "E01000009"])), geography(), source="s", baseline="model")
    sound = make_evidence(cube(), geography(), source="police_uk", baseline="model")
    with pytest.raises(TableError, match="'residents' does not fit"):
        replace(sound, residents=np.ones(3))
    with pytest.raises(DefinitionError, match="no such column"):
        make_columns(sound, 0.2)["expect"]


def groups_table(population: np.ndarray, total: np.ndarray, names: list[str]) -> pd.DataFrame:
    frames = []
    for number, name in enumerate(names):
        with np.errstate(invalid="ignore"):
            share = population[:, number] / total
        frames.append(
            pd.DataFrame(
                {"characteristic": "sex", "group": name, "area": AREAS, "population": population[:, number],
                 "share": share, "source": "census2021", "period": "2021", "published": pd.Timestamp("2022-11-02")}
            )
        )  # fmt: skip
    return pd.concat(frames, ignore_index=True)


SEX = CharacteristicSpec(
    title="Sex", question="gender", recorded_as="as answered", source="census2021",
    groups={"female": ["women"], "male": ["men"]}, total="all",
)  # fmt: skip


def test_groups_keep_their_order_their_total_and_places_where_nobody_lives() -> None:
    people = np.array([[5.0, 4.0], [3.0, 3.0], [0.0, 0.0], [1.0, 9.0], [2.0, 2.0]])
    total = people.sum(axis=1) + np.array([1.0, 0.0, 0.0, 0.0, 4.0])
    table = groups_table(people, total, ["male", "female"]).sample(frac=1, random_state=1)
    (grouping,) = make_groupings(table.sort_values("group", ascending=False), {"sex": SEX})
    assert grouping.groups == ("male", "female")
    assert grouping.total == pytest.approx(total)
    assert grouping.people == pytest.approx(people)
    assert grouping.shares[2].tolist() == [0.0, 0.0]
    assert grouping.kind == "people"
    turned = grouping.at(AREAS[[3, 0]])
    assert turned.people.tolist() == [[1.0, 9.0], [5.0, 4.0]]
    assert make_groupings(table, {"sex": SEX}, ["religion", "sex"])[0].characteristic == "sex"
    assert make_groupings(table, {"sex": SEX}, ["religion"]) == []


@settings(max_examples=50)
@given(seed=st.integers(0, 10**6), share=st.floats(0.02, 1.0))
def test_what_is_put_first_holds_exactly_the_share_of_residents(seed: int, share: float) -> None:
    random = np.random.default_rng(seed)
    counts, residents = random.integers(0, 4, 30).astype(float), random.integers(0, 5, 30) * 500.0 + 500
    first = put_first(counts, residents, share)
    assert (first * residents).sum() == pytest.approx(share * residents.sum())
    rate = counts / residents
    # Nobody is put first in part while someone with a lower rate is put first at all.
    part = first < 1 - 1e-9
    assert not len(rate[part]) or (first[rate < rate[part].max() - 1e-12] == 0).all()
    order = random.permutation(30)
    assert put_first(counts[order], residents[order], share) == pytest.approx(first[order])


def test_bands_of_residents_tile_the_region() -> None:
    random = np.random.default_rng(2)
    counts, residents = random.gamma(2.0, 1.0, (3, 40)), random.integers(500, 3000, 40).astype(float)
    bands = [within_band(counts, residents, number / 5, (number + 1) / 5) for number in range(5)]
    assert np.sum(bands, axis=0) == pytest.approx(1.0)
    with pytest.raises(DefinitionError, match="a band of residents"):
        within_band(counts, residents, 0.6, 0.4)
