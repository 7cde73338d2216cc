"""Regions with a known truth for audits: who lives where, what is forecast and recorded, and by how much it is off.

No model is learned. A forecast is the true rate times an error of each area, one of each block of places, and a bias
that was put in on purpose. Nothing here describes a real place or group.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from riskmodel.contracts.periods import month_number
from riskmodel.fairness.evidence import Evidence, Grouping, OutcomeEvidence
from riskmodel.sources.synthetic.conditions import smooth_field

AREAS, MONTHS, BLOCKS = 1400, 12, 8
A_YEAR = 15.0
OF_AREA, OF_BLOCK = 0.15, 0.10
SIZE = 50.0
MODEL = "made_up"
ETHNIC = ("white", "asian", "black", "mixed", "other")
# Of the logit of each group's share against white: level, slope on deprivation, on a field of its own, and scatter.
SHARES = {
    "asian": (-3.1, 0.25, 1.15, 0.35),
    "black": (-3.0, 0.35, 1.30, 0.35),
    "mixed": (-3.6, 0.20, 0.35, 0.30),
    "other": (-4.4, 0.20, 0.55, 0.40),
}
FIRST = month_number("2024-01")


@dataclass(frozen=True, eq=False)
class Region:
    """Who lives where, and the true rate."""

    points: np.ndarray
    residents: np.ndarray
    deprivation: np.ndarray
    rate: np.ndarray
    block: np.ndarray
    groupings: dict[str, Grouping]

    def share(self, characteristic: str, group: str) -> np.ndarray:
        """Share of a group among residents, by area."""
        held = self.groupings[characteristic]
        return held.shares[:, held.groups.index(group)]


def make_region(seed: int, *, areas: int = AREAS) -> Region:
    """Draw the places, the residents and the truth of one region."""
    random = np.random.default_rng([seed, 1])
    points = random.uniform(0, SIZE, (areas, 2))
    residents = np.round(np.exp(random.normal(np.log(1620.0), 0.19, areas)))
    deprivation = 0.8 * smooth_field(random, points, 8.0) + 0.6 * random.normal(size=areas)
    logits = [np.zeros(areas)]
    for level, slope, own, scatter in SHARES.values():
        field = smooth_field(random, points, 7.0)
        logits.append(level + slope * deprivation + own * field + scatter * random.normal(size=areas))
    odds = np.exp(np.stack(logits, axis=1))
    ethnic = random.multinomial(residents.astype(int), odds / odds.sum(axis=1, keepdims=True))
    female = random.binomial(residents.astype(int), np.clip(0.51 + 0.015 * random.normal(size=areas), 0.4, 0.6))
    logit = -1.6 + 0.2 * deprivation + 0.2 * random.normal(size=areas)
    disabled = random.binomial(residents.astype(int), 1 / (1 + np.exp(-logit)))
    codes = np.array([f"E01{number:06d}" for number in range(areas)])
    fifth = np.searchsorted(np.quantile(deprivation, (0.2, 0.4, 0.6, 0.8)), deprivation)
    rate = A_YEAR / 12 * np.exp(0.45 * deprivation + 0.2 * random.normal(size=areas)) * residents / residents.mean()
    # The blocks that share an error are squares, turned and moved so that no tiling of the audit fits them.
    angle = random.uniform(0, np.pi / 2)
    turned = points @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    cell = np.floor((turned + random.uniform(0, SIZE / BLOCKS, 2)) / (SIZE / BLOCKS)).astype(int)
    _, block = np.unique(cell, axis=0, return_inverse=True)

    def grouping(name: str, question: str, groups: tuple[str, ...], people: np.ndarray, kind: str = "people"):
        return Grouping(name, name, question, groups, codes, people.astype(float), residents, kind)

    groupings = [
        grouping("ethnic_group", "race", ETHNIC, ethnic),
        grouping("sex", "gender", ("female", "male"), np.stack([female, residents - female], axis=1)),
        grouping("disability", "disability", ("disabled", "not_disabled"),
                 np.stack([disabled, residents - disabled], axis=1)),
        grouping("deprivation", "poverty", ("least", "second", "third", "fourth", "most"),
                 (fifth[:, None] == np.arange(5)) * residents[:, None], "areas"),
    ]  # fmt: skip
    return Region(points, residents, deprivation, rate, block.reshape(-1), {g.characteristic: g for g in groupings})


def make_counts(random: np.random.Generator, rate: np.ndarray, months: int = MONTHS) -> np.ndarray:
    """Negative binomial counts by month and area, with a variance of mean + mean squared / 8."""
    return random.poisson(rate * random.gamma(8.0, 1 / 8.0, (months, *rate.shape))).astype(float)


def error_of(random: np.random.Generator, region: Region) -> np.ndarray:
    """What a forecast is off by in each area, shared in part by its block."""
    own = OF_AREA * random.normal(size=len(region.rate))
    return np.exp(own + OF_BLOCK * random.normal(size=region.block.max() + 1)[region.block])


def make_evidence_of(
    region: Region, seed: int, *, bias: Mapping[tuple[str, str], float] | None = None, models: int = 1,
    origins: int = 1, months: int = MONTHS,
) -> Evidence:  # fmt: skip
    """Forecasts with known errors; ``bias`` gives a factor between people by characteristic and group.

    An area is off by the factor to the power of the group's share of its residents.
    """
    random = np.random.default_rng([seed, 2])
    size = len(region.rate)
    observed = make_counts(random, region.rate, months * origins).reshape(origins, months, size)
    off = np.ones(size)
    for (characteristic, group), factor in (bias or {}).items():
        off = off * factor ** region.share(characteristic, group)
    mean = np.empty((models, origins, months, size))
    for model in range(models):
        mean[model] = region.rate * error_of(random, region) * off
    around = 1.6 * np.sqrt(mean + mean**2 / 8)
    names = (MODEL, *(f"{MODEL}_{number}" for number in range(2, models + 1)))
    return Evidence(
        "invented_violence@1", "lsoa21", "police", names, MODEL,
        FIRST + months * np.arange(origins), 1 + np.arange(months), region.groupings["sex"].areas, mean,
        np.maximum(np.floor(mean - around), 0), np.ceil(mean + around), observed,
        np.ones((origins, months), dtype=bool), region.residents, region.points,
        (region.points[:, 0] > SIZE / 2).astype(np.intp), ("West", "East"),
    )  # fmt: skip


def make_outcomes_of(
    region: Region, seed: int, characteristic: str, *, bias: Mapping[str, float] | None = None, origins: int = 1,
    months: int = MONTHS, restricted: bool = False, scale: float = 1.0,
) -> OutcomeEvidence:  # fmt: skip
    """Counts and forecasts of each group; ``bias`` gives the factor by which a group's own forecasts are off."""
    random = np.random.default_rng([seed, 3])
    held = region.groupings[characteristic]
    common = error_of(random, region)
    means, counts = [], []
    for group in held.groups:
        rate = scale * region.rate * region.share(characteristic, group)
        counts.append(make_counts(random, rate, months * origins).reshape(origins, months, -1))
        off = (bias or {}).get(group, 1.0) * common * error_of(random, region)
        means.append(np.broadcast_to(np.maximum(rate * off, 1e-4), counts[-1].shape))
    return OutcomeEvidence(
        "victims", "invented_victims@1", characteristic, held.groups, (MODEL,),
        FIRST + months * np.arange(origins), 1 + np.arange(months), held.areas, np.stack(means)[None],
        np.stack(counts), np.ones((origins, months), dtype=bool), restricted=restricted,
    )  # fmt: skip
