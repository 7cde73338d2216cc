"""The simulation of attention: no loop is no loop, more gain is more amplification, and a naive one agrees."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from riskmodel.contracts.errors import DefinitionError
from riskmodel.contracts.policy_specs import FeedbackSpec
from riskmodel.fairness.feedback import amplification, build_feedback

AREAS = 200


def region(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    return chance.gamma(4, 0.5, AREAS), chance.integers(900, 2200, AREAS).astype(float)


def amplified(gain: float, exploration: float = 0.0, simulations: int = 30, steps: int = 24) -> np.ndarray:
    truth, people = region()
    return amplification(
        truth, people, gain=gain, exploration=exploration, share=0.2, steps=steps, simulations=simulations, seed=3
    )


def naive(gain: float, exploration: float, seed: int, steps: int) -> list[float]:
    """One simulation, area by area, with two kinds of records counted apart."""
    chance = np.random.default_rng(seed)
    truth, people = region()
    discovered, uplift = 0.5, gain / 0.5
    months = [chance.poisson(truth) for _ in range(12)]
    found = []
    for _ in range(steps):
        counted = np.sum(months[-12:], axis=0)
        order = sorted(range(AREAS), key=lambda i: -counted[i] / people[i])

        def taken(share: float, order: list[int] = order) -> np.ndarray:
            left, out = share * people.sum(), np.zeros(AREAS)
            for i in order:
                out[i] = min(1.0, left / people[i])
                left -= out[i] * people[i]
                if left <= 0:
                    break
            return out

        first = taken(0.2)
        found.append((first @ counted / counted.sum()) / (first @ truth / truth.sum()))
        attention = np.maximum(taken(0.2 * (1 - exploration)), chance.random(AREAS) < exploration * 0.2)
        seen = chance.poisson(truth * (1 - discovered))
        months.append(seen + chance.poisson(truth * discovered * (1 + uplift * attention)))
    return found


@pytest.mark.parametrize(("gain", "exploration"), [(0.0, 0.0), (1.5, 0.0), (1.5, 0.4)])
def test_a_naive_simulation_agrees(gain: float, exploration: float) -> None:
    ours = amplified(gain, exploration, simulations=40, steps=15)
    theirs = np.array([naive(gain, exploration, seed, 15) for seed in range(40)])
    error = np.sqrt(ours.var(axis=0) / 40 + theirs.var(axis=0) / 40)
    assert (np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) < 4 * error).all()


def test_without_feedback_it_is_not_one_and_does_not_grow() -> None:
    none = amplified(0.0).mean(axis=0)
    assert none[0] > 1.02
    assert none[-1] == pytest.approx(none[0], abs=0.03)


def test_the_stronger_the_loop_the_more_is_amplified_and_places_by_lot_dampen_it() -> None:
    ends = [amplified(gain).mean(axis=0)[-1] for gain in (0.0, 0.3, 1.0, 3.0)]
    assert ends == sorted(ends)
    assert amplified(3.0, 0.5).mean(axis=0)[-1] < amplified(3.0).mean(axis=0)[-1] - 0.1


def test_all_attention_everywhere_amplifies_nothing() -> None:
    truth, people = region()
    made = amplification(truth, people, gain=3.0, exploration=0.0, share=1.0, steps=6, simulations=4, seed=1)
    assert made == pytest.approx(np.ones((4, 6)))


def test_the_table_holds_every_setting_and_no_feedback_beside_them() -> None:
    truth, people = region()
    spec = FeedbackSpec(uplifts=[1.0], discovered=[0.3], exploration=[0.0, 0.2], steps=4)
    table = build_feedback(np.append(truth, 1.0), np.append(people, 0.0), spec, priority_share=0.2, simulations=5)
    keys = table[["uplift", "discovered", "exploration"]].drop_duplicates()
    assert len(keys) == 2 * 2 * 2
    assert len(table) == 8 * 4
    assert (table["low"] <= table["index"]).all()
    assert (table["index"] <= table["high"]).all()
    still = table[(table["uplift"] * table["discovered"]) == 0]
    assert still.groupby("step")["index"].nunique().eq(1).all()
    again = build_feedback(np.append(truth, 1.0), np.append(people, 0.0), spec, priority_share=0.2, simulations=5)
    pd.testing.assert_frame_equal(table, again)


def test_a_region_where_nothing_happens_is_refused() -> None:
    with pytest.raises(DefinitionError, match="not all 0"):
        build_feedback(np.zeros(3), np.ones(3), FeedbackSpec(), priority_share=0.2)
