"""Tiny regions and panels built by hand: every number in them is chosen by the test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from riskmodel.contracts.periods import month_number, month_start
from riskmodel.contracts.specs import ModelSpec, TargetSpec
from riskmodel.features.catalogue import Input, ResolvedFeature
from riskmodel.features.transforms import EwmMean, Lag, Latest, RollingMean, SameMonthLastYear, Season
from riskmodel.forecast import Plan
from riskmodel.panel.conversion import make_conversion
from riskmodel.panel.geography import Geography
from riskmodel.panel.view import Monthly, Panel, Release, Static, Vintage

FIRST = month_number("2020-01")
LAG = 3
TARGET = TargetSpec(
    title="t", version=1, covers="c", leaves_out="l", differs="d", source="police", measures=["violence"]
)
HISTORY = Input("target", "monthly", "police", ("violence",))
BURGLARY = Input("community/burglary", "monthly", "police", ("burglary",))
INCOME = Input("society/income", "static", "iod", ("income",), travels="population_weighted_mean")
RESIDENTS = Input("exposure", "exposure")
MEASURES = ("burglary", "violence")


def code(index: int) -> str:
    return f"E0100{index:04d}"


def tiny_geography(areas: int = 6, *, seed: int = 1) -> Geography:
    """A chain of areas in two districts; the last two are the halves of one 2011 area."""
    random = np.random.default_rng(seed)
    codes = np.array([code(i) for i in range(areas)])
    ties = [(c, c) for c in codes[:-2]] + [("E01009999", codes[-2]), ("E01009999", codes[-1])]
    ties += [("E01008888", "E01008888")]
    district = np.array([f"E0700000{1 + 2 * i // areas}" for i in range(areas)])
    residents = random.integers(900, 3000, areas).astype(float)
    conversion = make_conversion(
        codes,
        pd.DataFrame(ties, columns=["lsoa11", "lsoa21"]),
        pd.Series([*residents, 1500.0], index=[*codes, "E01008888"]),
        district=district,
    )
    step = np.arange(areas - 1)
    chain = csr_array((np.ones(areas - 1), (step, step + 1)), shape=(areas, areas))
    parents = pd.DataFrame(
        {
            "name": codes,
            "msoa21": [f"E0200000{1 + i // 2}" for i in range(areas)],
            "msoa21_name": [f"M{1 + i // 2}" for i in range(areas)],
            "lad24": district,
            "lad24_name": district,
            "csp24": ["", *["E22000001"] * (areas - 1)],
            "csp24_name": ["", *["P"] * (areas - 1)],
            "pfa": "E23000001",
            "pfa_name": "F",
        },
        index=codes,
    )
    return Geography(
        "f",
        "E23000001",
        "F",
        codes,
        parents,
        residents,
        csr_array(chain + chain.T),
        np.column_stack([np.arange(areas, dtype=float), np.zeros(areas)]),
        conversion,
        (),
        f"tiny {areas}",
    )


def issue(month: int, published: date | None = None, file: str = "") -> Release:
    return Release(month, published or month_start(month + LAG), file or f"month {month}")


def tiny_panel(
    counts: np.ndarray | None = None,
    *,
    areas: int = 6,
    months: int = 30,
    missing: Sequence[int] = (),
    again: Sequence[tuple[int, int]] = (),
    seed: int = 0,
    geography: Geography | None = None,
    first_month: int | None = None,
) -> Panel:
    """Two measures of one monthly source, and a static one in two vintages.

    ``counts`` is violence [area, month]; ``missing`` are offsets of months with no file; ``again`` pairs the offset of
    a month with the offset of the month on whose first day it is issued again with other counts. Codes carry a blank, a
    2011 code that is split between the last two areas, and one of another force.
    """
    random = np.random.default_rng(seed)
    geography = geography or tiny_geography(areas)
    areas = len(geography.areas)
    codes = np.array(sorted(["", "E01008888", "E01009999", *geography.areas]))
    at = np.searchsorted(codes, geography.areas)
    issues: list[tuple[Release, np.ndarray]] = []
    for month in range(months):
        column = random.poisson(6, (2, len(codes)))
        if counts is not None:
            column[1] = 0
            column[1, at] = counts[:, month]
        if month not in missing:
            issues.append((issue(FIRST + month), column))
        for held, when in again:
            if held == month:
                other = issue(FIRST + month, month_start(FIRST + when), f"month {month} again")
                issues.append((other, random.poisson(9, column.shape)))
    issues.sort(key=lambda i: (i[0].month, i[0].published))
    monthly = Monthly("police", MEASURES, codes, tuple(r for r, _ in issues), np.stack([c for _, c in issues], axis=2))
    vintages = [
        Vintage("old", date(2019, 9, 26), "lsoa21", geography.areas, random.uniform(0, 50, areas), "old.csv"),
        Vintage("new", month_start(FIRST + 20), "lsoa21", geography.areas, random.uniform(0, 50, areas), "new.csv"),
    ]
    static = Static({("iod", "income"): vintages})
    return Panel(geography, {"police": monthly}, static, FIRST if first_month is None else first_month)


def reordered(panel: Panel, order: np.ndarray) -> Panel:
    """The same region with its areas in another order (``areas`` is then not sorted, which nothing may need)."""
    frame = panel.geography
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    whole = frame.conversion

    def moved(index: np.ndarray) -> np.ndarray:
        return np.where(index >= 0, place[np.maximum(index, 0)], index)

    conversion = replace(
        whole,
        areas=whole.areas[order],
        target=moved(whole.target),
        part_area=moved(whole.part_area),
        link_area=moved(whole.link_area),
        district=whole.district[order],
        residents=whole.residents[order],
    )
    geography = replace(
        frame,
        areas=frame.areas[order],
        parents=frame.parents.iloc[order],
        population=frame.population[order],
        neighbours=csr_array(frame.neighbours[order][:, order]),
        conversion=conversion,
    )
    monthly = {k: replace(v, _converted=[]) for k, v in panel.monthly.items()}
    return Panel(geography, monthly, panel.static, panel.first_month)


def feature(label: str, transform: object, made_of: Input = HISTORY) -> ResolvedFeature:
    return ResolvedFeature(label, transform, made_of, made_of.name, "history", "history")


FEATURES = (
    feature("lag", Lag()),
    feature("mean_12", RollingMean(12)),
    feature("ewm", EwmMean(3)),
    feature("last_year", SameMonthLastYear()),
    feature("season", Season()),
    feature("burglary", RollingMean(12), BURGLARY),
    feature("income", Latest(), INCOME),
)
MODELS = (
    ModelSpec(use="rolling_12"),
    ModelSpec(use="seasonal_naive"),
    ModelSpec(use="historic_mean"),
    ModelSpec(use="eb_seasonal"),
    ModelSpec(use="poisson_ridge"),
    ModelSpec(use="lightgbm", params={"trees": 8, "minimum_rows": 5}),
    ModelSpec(
        name="from_eb",
        use="lightgbm",
        params={"trees": 8, "minimum_rows": 5, "offset": "eb_seasonal", "level": "offset"},
    ),
)


def tiny_plan(**changes: object) -> Plan:
    plan = Plan(
        target_name="recorded_violence",
        target=TARGET,
        features=FEATURES,
        models=MODELS,
        floor=0.05,
        minimum_months=6,
        minimum_training_origins=3,
        training_origins=None,
        seed=1,
    )
    return replace(plan, **changes)
