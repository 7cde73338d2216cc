"""How well features foretell where groups live: a naive refit agrees, known proxies are found, noise is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from riskmodel.contracts.errors import DefinitionError
from riskmodel.fairness.proxies import attribution_shares, build_proxies, held_out_r_squared, proxies_of

AREAS, BLOCKS = 240, 16


def region(seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Features (proxy, bent proxy, noise, constant), shares of two groups and a third that is the same everywhere."""
    chance = np.random.default_rng(seed)
    share = 1 / (1 + np.exp(-chance.normal(-1.5, 1, AREAS)))
    near = share + chance.normal(0, 0.05, AREAS)
    bent = np.exp(12 * share) * np.exp(chance.normal(0, 0.1, AREAS))
    features = np.c_[near, bent, chance.normal(size=AREAS), np.full(AREAS, 4.0)]
    shares = np.c_[share, 1 - share, np.full(AREAS, 0.5)]
    return features, shares, chance.integers(900, 2000, AREAS).astype(float), np.arange(AREAS) * BLOCKS // AREAS


def naive(values: np.ndarray, share: np.ndarray, residents: np.ndarray, block: np.ndarray, penalty: float) -> float:
    """scikit-learn, refitted for every block left out."""
    weights = residents / residents.sum()
    ranks = pd.Series(values).rank().to_numpy()
    columns = np.c_[values, ranks]
    columns = (columns - weights @ columns) / np.sqrt(weights @ (columns - weights @ columns) ** 2)
    error = 0.0
    for one in range(BLOCKS):
        out = block == one
        fitted = Ridge(penalty).fit(columns[~out], share[~out], sample_weight=weights[~out])
        error += float(weights[out] @ (share[out] - fitted.predict(columns[out])) ** 2)
    return 1 - error / float(weights @ (share - weights @ share) ** 2)


def test_a_naive_refit_for_every_block_agrees() -> None:
    features, shares, residents, block = region()
    found = held_out_r_squared(features, shares, residents=residents, block=block)
    for column in range(3):
        expected = max(naive(features[:, column], shares[:, 0], residents, block, p) for p in (1e-3, 1e-2, 1e-1, 1.0))
        assert found[column, 0] == pytest.approx(expected, abs=1e-9)


def test_proxies_straight_and_bent_are_found_and_noise_is_not() -> None:
    features, shares, residents, block = region()
    found = held_out_r_squared(features, shares, residents=residents, block=block)
    assert found[0, 0] > 0.8
    assert found[1, 0] > 0.8
    assert found[2, 0] < 0.05
    assert found[3, 0] < 0.01
    assert found[4, 0] > found[0, 0] - 0.01
    assert found[:, 0] == pytest.approx(found[:, 1])
    assert np.isnan(found[:, 2]).all()


def test_a_missing_value_can_itself_be_a_proxy() -> None:
    _, shares, residents, block = region()
    gaps = np.where(shares[:, :1] > 0.3, np.nan, 1.0)
    found = held_out_r_squared(gaps, shares, residents=residents, block=block)
    assert found[0, 0] > 0.4
    assert np.isfinite(found[:, :2]).all()


def test_the_table_has_every_feature_and_all_of_them_for_every_group() -> None:
    features, shares, residents, block = region()
    names = ["near", "bent", "noise", "constant"]
    attributions = pd.DataFrame(
        {"feature": np.repeat([*names, "base", "offset"], 2), "value": [0, 3, 0, 1, 0, 0, 0, 0, 9, 9, 0, 4]}
    )
    table = build_proxies(
        features, names, shares, ["a", "b", "c"], characteristic="ethnic_group", residents=residents, block=block,
        bound=0.1, attributions=attributions,
    )  # fmt: skip
    assert len(table) == 5 * 3
    assert proxies_of(table) == ["bent", "near"]
    assert proxies_of(table, ["sex"]) == []
    held = table[table["group"] == "a"].set_index("feature")["attribution_share"]
    assert held["near"] == pytest.approx(3 / 8)
    assert held["all"] == pytest.approx(4 / 8)
    assert (table.loc[table["group"] == "c", "proxy"] == "no").all()
    without = build_proxies(
        features, names, shares, ["a", "b", "c"], characteristic="sex", residents=residents, block=block, bound=0.1
    )
    assert without["attribution_share"].isna().all()


def test_rescaled_weights_and_renamed_blocks_give_the_same() -> None:
    features, shares, residents, block = region()
    again = held_out_r_squared(features, shares, residents=residents * 7, block=block * 3 + 5)
    assert again == pytest.approx(held_out_r_squared(features, shares, residents=residents, block=block), nan_ok=True)


def test_terms_that_move_nothing_have_no_share() -> None:
    still = pd.DataFrame({"feature": ["a", "a"], "value": [2.0, 2.0]})
    assert attribution_shares(still, ["a"]).tolist() == [0.0, 0.0]


def test_one_block_or_a_feature_named_all_is_refused() -> None:
    features, shares, residents, block = region()
    with pytest.raises(DefinitionError, match="left out"):
        held_out_r_squared(features, shares, residents=residents, block=block * 0)
    with pytest.raises(DefinitionError, match="named 'all'"):
        build_proxies(
            features[:, :1], ["all"], shares, ["a", "b", "c"], characteristic="sex", residents=residents, block=block,
            bound=0.1,
        )  # fmt: skip
