"""Blocks of places: every area once in each tiling, compact, none a sliver, and the same whatever areas are called."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmodel.contracts.errors import DefinitionError
from riskmodel.fairness.blocks import TILINGS, make_tilings


def points_of(seed: int, areas: int, towns: int) -> np.ndarray:
    """Areas scattered around a few towns of unlike size, as in a real region."""
    random = np.random.default_rng(seed)
    middle = random.uniform(0, 60, (towns, 2))
    return middle[random.integers(0, towns, areas)] + random.normal(size=(areas, 2)) * random.uniform(1, 12, (areas, 1))


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), areas=st.integers(1, 900), towns=st.integers(1, 8))
def test_every_area_is_in_one_block_of_each_tiling_and_blocks_are_about_equal(
    seed: int, areas: int, towns: int
) -> None:
    tilings = make_tilings(points_of(seed, areas, towns))
    assert tilings.block.shape == (3, areas)
    for blocks, members, (wanted, _) in zip(tilings.slices, tilings.block, TILINGS, strict=True):
        sizes = np.bincount(members - blocks.start)
        assert len(sizes) == blocks.stop - blocks.start == min(wanted, max(areas // 4, 1))
        assert sizes.min() >= min(2, areas)
        assert sizes.max() <= 2.2 * areas / len(sizes) + 1


@pytest.mark.parametrize("towns", [1, 6])
def test_blocks_are_compact(towns: int) -> None:
    points = points_of(4, 800, towns)
    everywhere = points.var(axis=0).sum()
    for members in make_tilings(points).block:
        within = np.mean([points[members == block].var(axis=0).sum() for block in np.unique(members)])
        # As many blocks drawn by lot would leave the variance as it is.
        assert within < everywhere / 3


def test_evenly_spread_areas_give_no_slivers() -> None:
    points = np.random.default_rng(8).uniform(0, 50, (1400, 2))
    for members, (_, degrees) in zip(make_tilings(points).block, TILINGS, strict=True):
        angle = np.deg2rad(degrees)
        turned = points @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        sides = np.array([np.ptp(turned[members == block], axis=0) for block in np.unique(members)])
        assert (sides.max(axis=1) / sides.min(axis=1)).max() < 6


def test_what_areas_are_called_does_not_matter() -> None:
    points = points_of(2, 300, 5)
    order = np.random.default_rng(3).permutation(300)
    assert np.array_equal(make_tilings(points[order]).block, make_tilings(points).block[:, order])


@pytest.mark.parametrize("points", [np.empty((0, 2)), np.array([[1.0, np.nan]]), np.ones(4)])
def test_places_that_are_not_known_are_refused(points: np.ndarray) -> None:
    with pytest.raises(DefinitionError, match="where each area lies"):
        make_tilings(points)
