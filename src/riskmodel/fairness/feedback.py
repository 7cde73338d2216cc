"""What happens if attention follows a forecast and changes what is recorded: a simulation, the ``feedback`` table.

In: a rate of records for each area that is supposed to be true, and what the policy supposes of attention. The forecast
is the plain count of the last twelve months, which is also what people would use without a model. It measures nothing
about a real place: it shows what a loop would do if there were one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.audit_tables import FEEDBACK
from riskmodel.contracts.errors import DefinitionError
from riskmodel.contracts.policy_specs import FeedbackSpec
from riskmodel.contracts.tables import as_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["amplification", "build_feedback"]

Floats = npt.NDArray[np.float64]
_REMEMBERED = 12
_AREAS_SIMULATED = 30_000
_MIDDLE = (0.05, 0.95)


def build_feedback(
    expected: Floats,
    residents: Floats,
    spec: FeedbackSpec,
    *,
    priority_share: float,
    simulations: int | None = None,
    seed: int = 20260401,
) -> pd.DataFrame:
    """Simulate every setting of the policy, and beside it what happens without feedback.

    Parameters
    ----------
    expected : array [area]
        Records a month with no attention anywhere, taken as the truth: such as the mean of the newest years.
    residents : array [area]
        Usual residents; areas without any are left out.
    spec : FeedbackSpec
        Uplifts, shares discovered, shares of exploration and steps; 0 uplift and 0 discovered, which is no feedback,
        are added where they lack.
    priority_share : float
        Share of residents living in the areas put first.
    simulations : int, optional
        5 to 40, fewer the larger the region, if absent: chance averages out over areas.
    seed : int

    Returns
    -------
    DataFrame
        The ``feedback`` noun. Without feedback the index is not 1: the areas put first are those whose counts came out
        high by chance as well (the winner's curse).

    Raises
    ------
    DefinitionError
        If nothing is expected anywhere.
    """
    import pandas as pd

    lived_in = np.asarray(residents) > 0
    truth, people = (np.asarray(values, dtype=np.float64)[lived_in] for values in (expected, residents))
    if not (np.isfinite(truth) & (truth >= 0)).all() or truth.sum() <= 0:
        raise DefinitionError("the rates that attention is simulated on are 0 or more, and not all 0")
    often = simulations or int(np.clip(_AREAS_SIMULATED // len(truth), 5, 40))
    held: dict[tuple[float, float], Floats] = {}
    frames = []
    for uplift, discovered, exploration in _settings(spec):
        # Only the product counts, and without feedback nothing depends on where attention went.
        gain = uplift * discovered
        key = (gain, exploration if gain else 0.0)
        if key not in held:
            held[key] = amplification(
                truth, people, gain=gain, exploration=key[1], share=priority_share, steps=spec.steps, simulations=often,
                seed=seed,
            )  # fmt: skip
        low, high = np.quantile(held[key], _MIDDLE, axis=0)
        frame = pd.DataFrame({"step": np.arange(1, spec.steps + 1), "index": held[key].mean(axis=0)})
        frames.append(frame.assign(uplift=uplift, discovered=discovered, exploration=exploration, low=low, high=high))
    return as_table(pd.concat(frames, ignore_index=True), FEEDBACK)


def amplification(
    expected: Floats,
    residents: Floats,
    *,
    gain: float,
    exploration: float,
    share: float,
    steps: int,
    simulations: int,
    seed: int,
) -> Floats:
    """Share forecast in the areas put first over their true share, [simulation, step].

    Parameters
    ----------
    expected, residents : array [area]
        True records a month, and people, both without feedback.
    gain : float
        Share of records that depends on attention x how much more of it is recorded where attention is given.
    exploration : float
        Share of attention that goes to places drawn by lot, anew each month.
    share : float
        Share of residents living in the areas put first, and so the reach of attention.
    steps, simulations, seed : int

    Notes
    -----
    Records of a month are Poisson(true (1 - d)) + Poisson(true d (1 + uplift x attention of the month before)), which
    is one Poisson count of mean true (1 + gain x attention). After twelve months without attention, every month the
    areas with most records a resident over the last twelve are put first.
    """
    chance = np.random.default_rng(seed)
    shape = (simulations, len(expected))
    months = [chance.poisson(expected, shape) for _ in range(_REMEMBERED)]
    counted = np.sum(months, axis=0)
    true_share = expected / expected.sum()
    found = np.empty((simulations, steps))
    for step in range(steps):
        order = np.argsort(-counted / residents, axis=1, kind="stable")
        before = np.cumsum(residents[order], axis=1) - residents[order]
        reach = share * residents.sum()
        first = _within(order, before, residents, reach)
        found[:, step] = (first * counted).sum(axis=1) / np.maximum(counted.sum(axis=1), 1) / (first @ true_share)
        attention = first
        if exploration > 0:
            drawn = chance.random(shape) < exploration * share
            attention = np.maximum(_within(order, before, residents, (1.0 - exploration) * reach), drawn)
        newest = chance.poisson(expected * (1.0 + gain * attention))
        counted = counted + newest - months.pop(0)
        months.append(newest)
    return found


def _settings(spec: FeedbackSpec) -> Iterator[tuple[float, float, float]]:
    """Every setting once, no feedback among them."""
    for uplift in np.unique([0.0, *spec.uplifts]):
        for discovered in np.unique([0.0, *spec.discovered]):
            for exploration in np.unique(np.asarray(spec.exploration, dtype=np.float64)):
                yield float(uplift), float(discovered), float(exploration)


def _within(order: npt.NDArray[np.intp], before: Floats, residents: Floats, reach: float) -> Floats:
    """How much of each area lies within reach, the last one in part, [simulation, area]."""
    inside = np.empty(order.shape)
    np.put_along_axis(inside, order, np.clip((reach - before) / residents[order], 0.0, 1.0), axis=1)
    return inside
