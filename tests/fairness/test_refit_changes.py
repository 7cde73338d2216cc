"""A refit beside its model: the same model changes nothing, and each figure is what its formula says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from crossing_builders import invented_groupings
from judging_builders import codes, make_cube
from riskmodel.backtest.metrics import poisson_deviances
from riskmodel.backtest.scores import ForecastCube
from riskmodel.backtest.skill_test import find_skill
from riskmodel.contracts.errors import DefinitionError
from riskmodel.contracts.tables import TableError
from riskmodel.fairness.priority import put_first
from riskmodel.fairness.refit_changes import compare_refits, refit_not_made

AREAS, MONTHS = 40, 24


class Pair:
    """A model, and one learned again that forecasts less where more black residents live."""

    def __init__(self, seed: int = 1) -> None:
        chance = np.random.default_rng(seed)
        self.sex, self.race, *_ = invented_groupings(AREAS, seed)
        self.residents = pd.Series(self.sex.total, index=codes(AREAS))
        mean = np.repeat(chance.gamma(4, 2, (AREAS, 1)), MONTHS, axis=1)
        self.counts = chance.poisson(mean).astype(float)
        share = self.race.shares[:, 1]
        self.again = mean * (0.7**share)[:, None] * np.exp(chance.normal(0, 0.2, (AREAS, 1)))
        self.mean = mean
        self.original = self.cube(mean)
        self.refit = self.cube(self.again)

    def cube(self, mean: np.ndarray) -> ForecastCube:
        return make_cube(
            self.counts, {"lightgbm": mean, "rolling_12": mean * 1.1}, origins=range(6, 20, 2), horizons=[1, 2, 3]
        )

    def compared(self, **changes: object) -> pd.DataFrame:
        asked = {
            "model_id": "lightgbm",
            "name": "proxies",
            "left_out": 7,
            "residents": self.residents,
            "priority_share": 0.2,
        }
        return compare_refits(self.original, self.refit, [self.sex, self.race], **(asked | changes))  # type: ignore[arg-type]


def test_the_same_model_changes_nothing() -> None:
    pair = Pair()
    pair.refit = pair.original
    table = pair.compared()
    assert len(table) == 5
    assert (table[["skill_change", "calibration_change", "people_moved"]].abs() <= 1e-12).all(axis=None)
    assert table["same_places"].to_numpy() == pytest.approx(1.0)


def test_every_figure_is_its_formula() -> None:
    pair = Pair()
    table = pair.compared().set_index("group")
    cells = np.argwhere(~np.isnan(pair.original.mean[0, :, :, 0]))
    months = {}
    old, new, recorded = (np.zeros((7, AREAS)) for _ in range(3))
    for o, h in cells:
        y, m, again = (
            np.asarray(v) for v in (pair.original.observed[o, h], pair.original.mean[0, o, h], pair.refit.mean[0, o, h])
        )
        sums = months.setdefault(int(pair.original.target_months[o, h]), [0.0, 0.0])
        sums[0] += poisson_deviances(y, again).sum()
        sums[1] += poisson_deviances(y, m).sum()
        old[o] += m
        new[o] += again
        recorded[o] += y
    ordered = np.array([months[month] for month in sorted(months)])
    found = find_skill(ordered[:, 0], ordered[:, 1])
    assert table["skill_change"].to_numpy() == pytest.approx(found.skill)
    assert table["skill_low"].to_numpy() == pytest.approx(found.low)
    weight = np.array([(~np.isnan(pair.original.mean[0, o, :, 0])).sum() for o in range(7)]) / len(cells)
    first = [np.array([put_first(v[o], pair.residents.to_numpy(), 0.2) for o in range(7)]) for v in (old, new)]
    people = pair.residents.to_numpy()
    assert table["same_places"].to_numpy() == pytest.approx(
        sum(w * (np.minimum(a, b) @ people) / (a @ people) for w, a, b in zip(weight, *first, strict=True))
    )
    for grouping in (pair.sex, pair.race):
        for g, group in enumerate(grouping.groups):
            s, of = grouping.shares[:, g], grouping.people[:, g] / grouping.people[:, g].sum()
            theta = [np.log((m.sum(0) @ s) / (m.sum(0) @ (1 - s))) for m in (new, old)]
            assert table.loc[group, "calibration_change"] == pytest.approx(theta[0] - theta[1])
            assert table.loc[group, "people_moved"] == pytest.approx(
                sum(w * (b - a) @ of for w, a, b in zip(weight, *first, strict=True))
            )
    assert table.loc["black", "calibration_change"] < 0


def test_only_forecasts_that_both_made_are_compared() -> None:
    pair = Pair()
    fewer = pair.cube(pair.again)
    some = replace(
        fewer,
        origins=fewer.origins[1:],
        mean=fewer.mean[:, 1:],
        low=fewer.low[:, 1:],
        high=fewer.high[:, 1:],
        observed=fewer.observed[1:],
    )
    gap = pair.original.mean.copy()
    gap[:, 0] = np.nan
    pair.refit = some
    expected = pair.compared()
    pair.refit, pair.original = fewer, replace(pair.original, mean=gap)
    pd.testing.assert_frame_equal(pair.compared(), expected)


def test_backtests_that_do_not_belong_together_are_refused() -> None:
    pair = Pair()
    with pytest.raises(DefinitionError, match="lacks the model"):
        pair.compared(model_id="lightgbn")
    refit = pair.refit
    pair.refit = replace(refit, target="robbery@1")
    with pytest.raises(TableError, match="another target"):
        pair.compared()
    pair.refit = replace(refit, observed=refit.observed + 1)
    with pytest.raises(TableError, match="different counts"):
        pair.compared()
    pair.refit = replace(refit, mean=np.full(refit.mean.shape, np.nan))
    with pytest.raises(TableError, match="share no forecast"):
        pair.compared()


def test_a_refit_that_was_not_made_has_its_rows_and_reason() -> None:
    pair = Pair()
    table = refit_not_made("police-generated inputs", [pair.sex, pair.race], left_out=0, reason="the model holds none")
    assert len(table) == 5
    assert set(table["note"]) == {"the model holds none"}
    assert table["skill_change"].isna().all()
