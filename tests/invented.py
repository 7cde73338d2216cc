"""The invented region as a panel in memory: the same draws that its files are written from, without the files.

In: a size and a seed. Out: a ``Panel`` of located violence with its districts, wards and MSOAs, for tests and
benchmarks that need many seeds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from riskmodel.contracts.periods import month_start
from riskmodel.contracts.registry import load
from riskmodel.contracts.specs import ModelSpec, TargetSpec
from riskmodel.fairness.evidence import Grouping
from riskmodel.features.catalogue import Input, ResolvedFeature
from riskmodel.forecast import Plan
from riskmodel.panel.conversion import make_conversion
from riskmodel.panel.geography import Geography
from riskmodel.panel.view import Monthly, Panel, Release, Static
from riskmodel.sources.synthetic.census import make_census
from riskmodel.sources.synthetic.conditions import make_conditions
from riskmodel.sources.synthetic.deprivation import make_scores
from riskmodel.sources.synthetic.events import draw_month, generator
from riskmodel.sources.synthetic.months import Calendar, make_calendar
from riskmodel.sources.synthetic.people import make_groups
from riskmodel.sources.synthetic.places import Places, make_places
from riskmodel.sources.synthetic.process import make_process

# A file of a month is published on the first day of the third month after it.
LATE = 3
TARGET = TargetSpec(
    title="Invented violence", version=1, covers="c", leaves_out="l", differs="d", source="police",
    measures=["violence"],
)  # fmt: skip
HISTORY = Input("target", "monthly", "police", ("violence",))
# The part of feature set `first` that is made of the target's own past.
FEATURES = (
    ("lag", {"periods": 0}),
    ("lag", {"periods": 1}),
    ("lag", {"periods": 2}),
    ("rolling_mean", {"window": 3}),
    ("rolling_mean", {"window": 6}),
    ("rolling_mean", {"window": 12}),
    ("rolling_mean", {"window": 24}),
    ("ewm_mean", {"half_life": 3.0}),
    ("ewm_mean", {"half_life": 12.0}),
    ("same_month_last_year", {}),
    ("season", {"level": "pfa"}),
    ("season", {"level": "lad24"}),
    ("trend", {"level": "pfa"}),
    ("trend", {"level": "lad24"}),
    ("neighbour_mean", {"window": 12}),
)
MODELS = (
    ModelSpec(use="rolling_12"),
    ModelSpec(use="shares_level"),
    ModelSpec(use="poisson_ridge", params={"offset": "shares_level"}),
)
# Where the census counts groups: table, and the column of each.
WHERE = {
    "sex": ("gender", "ts008", {"female": 1, "male": 2}),
    "ethnic_group": ("race", "ts021", {"asian": 1, "black": 7, "mixed": 11, "white": 16, "other": 22}),
    "disability": ("disability", "ts038", {"disabled": 1, "not_disabled": 4}),
}


@dataclass(frozen=True, eq=False)
class Invented:
    """A region's panel and its months."""

    panel: Panel
    calendar: Calendar

    @property
    def as_of(self) -> date:
        """The day on which the last month is published."""
        return month_start(self.calendar.months[-1] + LATE)


def invented(areas: int, months: int, seed: int, *, steady: bool = False) -> Invented:
    """One region: its places, its process and its police counts, all from the seed.

    The share of records without a place falls by half in June 2023, or, where ``steady``, by five points in all.
    """
    places = make_places(generator(seed, "places"), areas)
    conditions = make_conditions(generator(seed, "conditions"), places)
    tables = make_census(generator(seed, "census"), conditions)
    scores = make_scores(generator(seed, "scores"), places, conditions)
    groups = make_groups(tables, None)
    process = make_process(generator(seed, "process"), places, conditions, tables, scores, groups)
    calendar = make_calendar(months)
    if steady:
        calendar = replace(calendar, first_new_codes=calendar.months[-1] + 1)
    inside = places.in_force
    issued = [month for month in calendar.months if month != calendar.missing]
    counts = [
        draw_month(seed, month, places, process, groups, calendar).counts(int(inside.sum()))["located"]
        for month in issued
    ]
    order = np.argsort(places.new.code[inside])
    geography = _geography(places, np.asarray(conditions.residents[inside], dtype=np.float64), conditions.points)
    releases = tuple(Release(month, month_start(month + LATE), f"month {month}") for month in issued)
    held = np.stack(counts, axis=1)[order][None].astype(np.int64)
    monthly = Monthly("police", ("violence",), geography.areas, releases, held)
    return Invented(Panel(geography, {"police": monthly}, Static({}), calendar.months[0]), calendar)


def plan_of(models: tuple[ModelSpec, ...] = MODELS, *, seed: int = 1) -> Plan:
    """A plan over the region's own past; any seed at all draws the same shocks for all models."""
    features = tuple(
        ResolvedFeature(
            "_".join([use, *(str(value) for value in params.values())]),
            load("transform", use)(**params), HISTORY, HISTORY.name, "history", "history",
        )
        for use, params in FEATURES
    )  # fmt: skip
    return Plan(
        target_name="recorded_violence", target=TARGET, features=features, models=models, floor=0.05,
        minimum_months=6, minimum_training_origins=3, training_origins=None, seed=seed,
    )  # fmt: skip


def invented_groupings(areas: int, seed: int) -> list[Grouping]:
    """Who lives where in the region of this size and seed, as its census counts them."""
    places = make_places(generator(seed, "places"), areas)
    tables = make_census(generator(seed, "census"), make_conditions(generator(seed, "conditions"), places))
    inside = places.in_force
    order = np.argsort(places.new.code[inside])
    found = []
    for characteristic, (question, table, groups) in WHERE.items():
        counted = tables[table][inside][order].astype(np.float64)
        people = np.stack([counted[:, column] for column in groups.values()], axis=1)
        codes = places.new.code[inside][order].astype(np.str_)
        found.append(
            Grouping(characteristic, characteristic, question, tuple(groups), codes, people, people.sum(axis=1))
        )
    return found


def _geography(places: Places, residents: np.ndarray, points: np.ndarray) -> Geography:
    inside = places.in_force
    order = np.argsort(places.new.code[inside])
    codes, family = places.new.code[inside][order], places.new.family[inside][order]
    district = places.district_codes[places.district[family]]
    parents = pd.DataFrame(
        {
            "name": places.new.name[inside][order],
            "msoa21": places.msoa_code[places.msoa[family]],
            "ward24": places.ward_code[places.ward[family]],
            "lad24": district,
            "pfa": "E23900001",
        },
        index=codes,
    )
    people = residents[order]
    conversion = make_conversion(
        codes, pd.DataFrame({"lsoa11": codes, "lsoa21": codes}), pd.Series(people, index=codes), district=district
    )
    # Each area's five nearest stand for those it touches.
    _, near = cKDTree(points[inside][order]).query(points[inside][order], k=6)
    rows = np.repeat(np.arange(len(codes)), 5)
    one_way = csr_array((np.ones(len(rows)), (rows, near[:, 1:].ravel())), shape=(len(codes), len(codes)))
    neighbours = csr_array(one_way.maximum(one_way.T))
    return Geography(
        "invented",
        "E23900001",
        "Invented",
        codes,
        parents,
        people,
        neighbours,
        points[inside][order],
        conversion,
        (),
        "invented",
    )
