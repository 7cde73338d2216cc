"""Invented people and records, for the tests of what is crossed, supposed and simulated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from riskmodel.fairness.evidence import Grouping


def area_codes(areas: int) -> np.ndarray:
    return np.array([f"E0100{i:04d}" for i in range(areas)])


def make_grouping(
    name: str, groups: Sequence[str], people: np.ndarray, *, kind: str = "people", question: str = "gender"
) -> Grouping:
    """A characteristic whose groups are everybody."""
    held = np.asarray(people, dtype=float)
    codes = area_codes(len(held))
    return Grouping(name, name, question, tuple(groups), codes, held, held.sum(axis=1), kind)  # type: ignore[arg-type]


def invented_groupings(areas: int, seed: int) -> tuple[Grouping, Grouping, Grouping, Grouping]:
    """Sex, ethnic group and disability, each table a little off the others as a census's are, and fifths of areas."""
    chance = np.random.default_rng(seed)
    residents = chance.integers(900, 2500, areas)

    def table(shares: np.ndarray) -> np.ndarray:
        return np.maximum(np.rint(residents[:, None] * shares) + chance.integers(-2, 3, shares.shape), 0)

    female = np.clip(chance.normal(0.51, 0.02, areas), 0.4, 0.6)
    black = 1 / (1 + np.exp(-chance.normal(-2.5, 1.0, areas)))
    asian = (1 - black) * 0.2
    disabled = np.clip(chance.normal(0.17, 0.045, areas), 0.03, 0.4)
    fifth = np.eye(5)[chance.integers(0, 5, areas)] * residents[:, None]
    return (
        make_grouping("sex", ("female", "male"), table(np.c_[female, 1 - female])),
        make_grouping(
            "ethnic_group", ("asian", "black", "white"), table(np.c_[asian, black, 1 - asian - black]), question="race"
        ),
        make_grouping(
            "disability", ("disabled", "not_disabled"), table(np.c_[disabled, 1 - disabled]), question="disability"
        ),
        make_grouping("deprivation", tuple("abcde"), fifth, kind="areas", question="poverty"),
    )
