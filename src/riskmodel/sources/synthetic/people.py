"""Who is affected: the groups of people in each area, how often they are harmed, how often that is recorded.

In: the census tables. Out: `Groups`, from which the sex, ethnic group, disability and age band of each event are drawn.
Rates differ between groups in the invented region by stated amounts; none of them describes real people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.errors import UsageError

from .census import CensusTables

__all__ = ["CHARACTERISTICS", "HARMED", "RECORDED", "Groups", "make_groups"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CHARACTERISTICS: dict[str, tuple[str, ...]] = {
    "sex": ("female", "male"),
    "ethnic_group": ("asian", "black", "mixed", "other", "white"),
    "disability": ("disabled", "not_disabled"),
    "age_band": ("0_15", "16_24", "25_34", "35_49", "50_64", "65_over"),
}
# Relative rate of being harmed, and of the harm reaching a police record, within an area.
HARMED: dict[str, tuple[float, ...]] = {
    "sex": (1.0, 1.0),
    "ethnic_group": (0.9, 1.15, 1.2, 1.0, 1.0),
    "disability": (1.5, 1.0),
    "age_band": (0.8, 2.0, 1.5, 1.1, 0.6, 0.25),
}
RECORDED: dict[str, tuple[float, ...]] = {
    "sex": (1.0, 1.0),
    "ethnic_group": (0.9, 0.95, 1.0, 0.95, 1.0),
    "disability": (0.85, 1.0),
    "age_band": (0.85, 1.0, 1.0, 1.0, 1.0, 0.9),
}
# Columns of the written tables: table, and for each group the columns that hold it.
_WHERE: dict[str, tuple[str, tuple[tuple[int, ...], ...]]] = {
    "sex": ("ts008", ((1,), (2,))),
    "ethnic_group": ("ts021", ((1,), (7,), (11,), (22,), (16,))),
    "disability": ("ts038", ((1,), (4,))),
    "age_band": ("ts007a", ((1, 2, 3), (4, 5), (6, 7), (8, 9, 10), (11, 12, 13), (14, 15, 16, 17, 18))),
}


@dataclass(frozen=True)
class Groups:
    """Per characteristic: the probability that an affected person is of each group, by area, and recording weights."""

    affected: dict[str, Floats]
    recording: dict[str, Floats]
    fair_recording: dict[str, Floats]

    def mean_recording(self, *, fair: bool = False) -> Floats:
        """Return by area the mean recording weight over the people affected there."""
        weights = self.fair_recording if fair else self.recording
        result = np.ones(len(self.affected["sex"]))
        for characteristic, shares in self.affected.items():
            result = result * (shares @ weights[characteristic])
        return result

    def drawn(self, rng: np.random.Generator, area: Ints) -> dict[str, Ints]:
        """Return the group number of each event's affected person, by characteristic."""
        people: dict[str, Ints] = {}
        for characteristic, shares in self.affected.items():
            steps = np.cumsum(shares[:, :-1], axis=1)
            people[characteristic] = (rng.random(len(area))[:, None] > steps[area]).sum(axis=1)
        return people

    def weight(self, people: Mapping[str, Ints]) -> Floats:
        """Return the recording weight of each event from the groups of the person affected."""
        result = np.ones(len(next(iter(people.values()))))
        for characteristic, number in people.items():
            result *= self.recording[characteristic][number]
        return result


def _multipliers(unfairness: Mapping[str, float] | None) -> dict[str, Floats]:
    """Return the injected recording multipliers, all one unless asked otherwise."""
    injected = {characteristic: np.ones(len(names)) for characteristic, names in CHARACTERISTICS.items()}
    for key, factor in (unfairness or {}).items():
        characteristic, _, group = key.partition(":")
        if group not in CHARACTERISTICS.get(characteristic, ()):
            allowed = [f"{each}:{name}" for each, names in CHARACTERISTICS.items() for name in names]
            raise UsageError("unknown group in unfairness", found=key, allowed=allowed)
        if not (np.isfinite(factor) and factor >= 0):
            raise UsageError("an unfairness multiplier must be a number of at least nought", where=key, found=factor)
        injected[characteristic][CHARACTERISTICS[characteristic].index(group)] = factor
    return injected


def make_groups(tables: CensusTables, unfairness: Mapping[str, float] | None) -> Groups:
    """Return the groups affected in each area, and the chance weights of their harm being recorded."""
    affected: dict[str, Floats] = {}
    for characteristic, (table, columns) in _WHERE.items():
        counts = np.column_stack([tables[table][:, list(each)].sum(axis=1) for each in columns])
        weighted = (counts + 0.01) * np.array(HARMED[characteristic])
        affected[characteristic] = weighted / weighted.sum(axis=1, keepdims=True)
    fair = {characteristic: np.array(weights) for characteristic, weights in RECORDED.items()}
    injected = _multipliers(unfairness)
    recording = {characteristic: weights * injected[characteristic] for characteristic, weights in fair.items()}
    return Groups(affected, recording, fair)
