"""A panel of England's and Wales's size, made in memory: as large as the real one, and no more like it than that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from riskmodel.contracts.periods import month_number, month_start
from riskmodel.contracts.registry import load
from riskmodel.features.catalogue import Input, ResolvedFeature
from riskmodel.panel.conversion import make_conversion
from riskmodel.panel.geography import Geography
from riskmodel.panel.view import Monthly, Panel, Release, Static, View, Vintage

FIRST = month_number("2013-07")
LATE = 3
HISTORY = Input("target", "monthly", "police", ("violence",))
BURGLARY = Input("community/burglary", "monthly", "police", ("burglary",))

# column, transform, parameters, input: the 17 features that move with the origin.
DYNAMIC = (
    ("lag_0", "lag", {"periods": 0}, HISTORY),
    ("lag_1", "lag", {"periods": 1}, HISTORY),
    ("lag_2", "lag", {"periods": 2}, HISTORY),
    ("lag_11", "lag", {"periods": 11}, HISTORY),
    ("mean_3", "rolling_mean", {"window": 3}, HISTORY),
    ("mean_6", "rolling_mean", {"window": 6}, HISTORY),
    ("mean_12", "rolling_mean", {"window": 12}, HISTORY),
    ("mean_24", "rolling_mean", {"window": 24}, HISTORY),
    ("ewm_3", "ewm_mean", {"half_life": 3.0}, HISTORY),
    ("ewm_12", "ewm_mean", {"half_life": 12.0}, HISTORY),
    ("last_year", "same_month_last_year", {}, HISTORY),
    ("season_pfa", "season", {"level": "pfa"}, HISTORY),
    ("season_lad24", "season", {"level": "lad24"}, HISTORY),
    ("trend_pfa", "trend", {"level": "pfa"}, HISTORY),
    ("trend_lad24", "trend", {"level": "lad24"}, HISTORY),
    ("neighbours", "neighbour_mean", {"window": 12}, HISTORY),
    ("burglary", "rolling_mean", {"window": 12}, BURGLARY),
)


@dataclass(frozen=True, eq=False)
class England:
    """The panel, its features and the same numbers as plain arrays for the rivals."""

    panel: Panel
    features: tuple[ResolvedFeature, ...]
    origins: tuple[int, ...]
    violence: np.ndarray
    burglary: np.ndarray
    static: np.ndarray
    static_names: tuple[str, ...]

    def view(self) -> View:
        """The panel as known on the newest origin, with nothing worked out yet."""
        return self.panel.as_of(month_start(self.origins[-1]))


def england(areas: int = 35_672, months: int = 150, factors: int = 40, *, seed: int = 1) -> England:
    """Areas on a grid with six neighbours each, in 43 forces and 331 districts; skewed counts, 40 static factors."""
    random = np.random.default_rng(seed)
    geography = _geography(areas, random)
    level = random.gamma(0.8, 4.0, (areas, 1))
    wave = 1.0 + 0.2 * np.sin(2 * np.pi * np.arange(months) / 12)
    counts = np.stack([random.poisson(level * share * wave, (areas, months)) for share in (1.0, 0.3)]).astype(np.int64)
    releases = tuple(Release(FIRST + m, month_start(FIRST + m + LATE), f"month {m}") for m in range(months))
    monthly = Monthly("police", ("violence", "burglary"), geography.areas, releases, counts)
    static = random.normal(size=(areas, factors))
    names = tuple(f"static_{i:02d}" for i in range(factors))
    vintages = {
        ("iod", name): [Vintage("2019", date(2010, 1, 1), "lsoa21", geography.areas, static[:, i], "iod.csv")]
        for i, name in enumerate(names)
    }
    made = [
        ResolvedFeature(label, load("transform", use)(**params), made_of, made_of.name, "history", "history")
        for label, use, params, made_of in DYNAMIC
    ]
    latest = load("transform", "latest")
    for name in names:
        made_of = Input(f"society/{name}", "static", "iod", (name,), travels="population_weighted_mean")
        made.append(ResolvedFeature(name, latest(), made_of, made_of.name, "society", "context"))
    return England(
        panel=Panel(geography, {"police": monthly}, Static(vintages), FIRST),
        features=tuple(made),
        origins=tuple(range(FIRST + LATE, FIRST + LATE + months)),
        violence=counts[0],
        burglary=counts[1],
        static=static.astype(np.float32),
        static_names=names,
    )


def _geography(areas: int, random: np.random.Generator) -> Geography:
    codes = np.array([f"E010{i:05d}" for i in range(areas)])
    residents = random.integers(1000, 3000, areas).astype(np.float64)
    district = np.array([f"E07{i * 331 // areas:06d}" for i in range(areas)])
    force = np.array([f"E23{i * 331 // areas * 43 // 331:06d}" for i in range(areas)])
    conversion = make_conversion(
        codes, pd.DataFrame({"lsoa11": codes, "lsoa21": codes}), pd.Series(residents, index=codes), district=district
    )
    parents = pd.DataFrame({"name": codes, "lad24": district, "pfa": force}, index=codes)
    width = int(np.sqrt(areas))
    left = np.concatenate([np.arange(areas - step) for step in (1, width, width + 1)])
    right = np.concatenate([np.arange(step, areas) for step in (1, width, width + 1)])
    half = csr_array((np.ones(len(left)), (left, right)), shape=(areas, areas))
    neighbours = csr_array(half + half.T)
    points = np.column_stack([np.arange(areas) % width, np.arange(areas) // width]).astype(np.float64)
    return Geography(
        "e", "E92000001", "E", codes, parents, residents, neighbours, points, conversion, (), f"england {areas}"
    )
