"""Tipping points: as recorded nothing changes, the direction is right, and a flip is found between the grid."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossing_builders import invented_groupings
from riskmodel.fairness.evidence import Grouping
from riskmodel.fairness.priority import put_first
from riskmodel.fairness.sensitivity import Judged, build_tipping_points, records_if_recorded_alike, tipping_point

GRID = (0.4, 0.6, 0.8, 1.0, 1.2)


def contrast(share: np.ndarray, mean: np.ndarray, recorded: np.ndarray) -> np.ndarray:
    own = (mean @ share) / (recorded @ share)
    return np.log(own / ((mean @ (1 - share)) / (recorded @ (1 - share))))


class Region:
    """Sixty areas, two models and three origins; the judge finds a concern beyond 5 % either way."""

    def __init__(self, seed: int = 2) -> None:
        chance = np.random.default_rng(seed)
        self.grouping: Grouping = invented_groupings(60, seed)[1]
        self.residents = self.grouping.total
        self.expected = chance.gamma(4, 5, (2, 3, 60))
        self.recorded = chance.poisson(self.expected[0]).astype(float)
        self.months = np.array([12.0, 12.0, 6.0])

    def judge(self, times: np.ndarray) -> Judged:
        records = self.recorded.sum(axis=0) * times
        mean = self.expected.sum(axis=1)
        found = np.array(
            [[[contrast(s, m, y) for s in self.grouping.shares.T] for m in mean] for y in records]
        )  # fmt: skip
        return Judged(found, np.where(np.abs(found) > np.log(1.05), "concern", "no_evidence"))

    def table(self, grid: tuple[float, ...] = GRID) -> pd.DataFrame:
        return build_tipping_points(
            self.grouping, ["a", "b"], self.expected, self.recorded, self.months, recorded_shares=grid,
            judge=self.judge, put_first=partial(put_first, residents=self.residents, share=0.2),
        )  # fmt: skip


@given(st.floats(0.2, 2.0), st.floats(0.0, 1.0))
def test_records_if_recorded_alike_follow_the_formula(recorded: float, share: float) -> None:
    rest = 1 - share
    found = 7.0 * records_if_recorded_alike([share], [recorded])
    assert found[0, 0] == pytest.approx(7.0 / np.exp(share * np.log(recorded) + rest * np.log(1.0)))


def test_as_recorded_is_the_audit_itself() -> None:
    region = Region()
    table = region.table()
    own = region.judge(np.ones((1, 60)))
    rows = table[table["recorded_share"] == 1.0].set_index(["model_id", "group"])
    assert set(rows["changes"]) == {"no"}
    for m, model in enumerate("ab"):
        for g, group in enumerate(region.grouping.groups):
            assert rows.loc[(model, group), "statistic"] == own.statistic[0, m, g]
            assert rows.loc[(model, group), "verdict"] == own.verdict[0, m, g]


def test_one_is_added_to_a_grid_without_it() -> None:
    shares = Region().table((0.5, 0.8))["recorded_share"]
    assert {0.5, 0.8, 1.0} <= set(shares)


def test_the_less_is_recorded_the_more_is_missed() -> None:
    table = Region().table()
    for _, rows in table.groupby(["model_id", "group"]):
        ordered = rows.sort_values("recorded_share")
        assert (np.diff(ordered["statistic"]) > 0).all()
        assert (np.diff(ordered["need_share"]) <= 1e-12).all()
        assert (ordered["prioritised_share"] == ordered["prioritised_share"].iloc[0]).all()


def test_who_is_put_first_is_who_lives_there() -> None:
    region = Region()
    rows = region.table().set_index(["model_id", "group", "recorded_share"])
    people, weight = region.grouping.people, region.months / 30.0
    for m, model in enumerate("ab"):
        first = [put_first(region.expected[m, o], region.residents, 0.2) for o in range(3)]
        need = [put_first(region.recorded[o], region.residents, 0.2) for o in range(3)]
        for g, group in enumerate(region.grouping.groups):
            of = people[:, g] / people[:, g].sum()
            row = rows.loc[(model, group, 1.0)]
            assert row["prioritised_share"] == pytest.approx(
                sum(w * f @ of for w, f in zip(weight, first, strict=True))
            )
            assert row["need_share"] == pytest.approx(sum(w * n @ of for w, n in zip(weight, need, strict=True)))


def test_the_flip_between_two_shares_of_the_grid_is_found_to_a_hundredth() -> None:
    region = Region()
    table = region.table()
    changed = table[table["changes"] == "yes"]
    assert len(changed)
    for (model, group), rows in changed.groupby(["model_id", "group"]):
        found = tipping_point(table, "ethnic_group", str(group), str(model))
        assert found in set(rows["recorded_share"])
        g, m = region.grouping.groups.index(str(group)), "ab".index(str(model))
        nearer = found + (0.01 if found < 1 else -0.01)
        words = [
            region.judge(records_if_recorded_alike(region.grouping.shares[:, g], [share]))
            for share in (found, nearer, 1.0)
        ]
        said = [
            (str(w.verdict[0, m, g]), np.sign(w.statistic[0, m, g]) * (w.verdict[0, m, g] == "concern")) for w in words
        ]
        assert said[0] != said[2]
        assert said[1] == said[2]


def test_a_concern_in_the_other_direction_is_another_verdict() -> None:
    region = Region()
    region.judge = lambda times: Judged(  # type: ignore[method-assign]
        np.broadcast_to((times.mean(axis=1) > 1.02)[:, None, None] - 0.5, (len(times), 2, 3)),
        np.full((len(times), 2, 3), "concern"),
    )
    table = region.table()
    low = table[table["recorded_share"] == 0.4]
    assert (low["verdict"] == "concern").all()
    assert (low["changes"] == "yes").any()


def test_no_flip_no_tipping_point() -> None:
    region = Region()
    region.judge = lambda times: Judged(  # type: ignore[method-assign]
        np.zeros((len(times), 2, 3)), np.full((len(times), 2, 3), "not_visible")
    )
    assert tipping_point(region.table(), "ethnic_group", "black", "a") is None
