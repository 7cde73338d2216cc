"""The tables a planner's workbook is made of, small and with every kind of gap, for tests of what is written."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

from riskmodel.contracts.tables import TABLES, as_table

TARGET = "recorded_violence@1"
PLACES = {
    "pfa": {"E23000037": "Gloucestershire"},
    "csp24": {"E22000001": "Severnside"},
    "lad24": {"E07000081": "Gloucester", "E07000079": "Cotswold"},
    "local": {"north": "The north"},
    "ward24": {"E05000001": "Abbey", "E05000002": "Barton"},
    "msoa21": {"E02000001": "Gloucester 001", "E02000002": "Gloucester 002"},
    "lsoa21": {f"E0100000{i}": f"Gloucester 00{i}A" for i in range(1, 5)},
}
WINDOWS = {
    "12_months": [("2025-09-01", "2026-08-31", 12)],
    "financial_year": [("2025-04-01", "2026-03-31", 12)],
    "quarter": [("2025-10-01", "2025-12-31", 3), ("2026-01-01", "2026-03-31", 3)],
    "month": [("2025-09-01", "2025-09-30", 1), ("2025-10-01", "2025-10-31", 1)],
}
GRAIN = {
    level: list(WINDOWS)[: 2 if level == "lsoa21" else 3 if level in ("ward24", "msoa21") else 4] for level in PLACES
}


def places() -> pd.DataFrame:
    rows = [
        {
            "level": level,
            "location": code,
            "name": name,
            "lad24": "E07000081" if level in ("ward24", "msoa21", "lsoa21") else "",
            "population": 1500.0,
            "parent_name": "" if level == "pfa" else "Gloucestershire",
        }
        for level, named in PLACES.items()
        for code, name in named.items()
    ]
    return as_table(pd.DataFrame(rows), TABLES["places"])


def outlook(seed: int = 0) -> pd.DataFrame:
    """Every published grain; a year before that is known, nought or not held."""
    random = np.random.default_rng(seed)
    rows = []
    for level, named in PLACES.items():
        for window, code in product(GRAIN[level], named):
            for start, end, months in WINDOWS[window]:
                mean = float(random.uniform(2, 9) * months)
                low, high = float(np.floor(mean * 0.8)), float(np.ceil(mean * 1.2))
                before = [np.nan, 0.0, float(np.floor(mean)) + 1][len(rows) % 3]
                share = (lambda count, base=before: count / base - 1) if before > 0 else (lambda count: np.nan)
                ranked = window == "12_months"
                rows.append(
                    {
                        "target": TARGET, "window": window, "level": level, "location": code, "start": start,
                        "end": end, "mean": mean, "low": low, "median": float(np.floor(mean)), "high": high,
                        "recorded_part": 0.0, "months_forecast": months, "last_year": before,
                        "last_year_end": None if np.isnan(before) else pd.Timestamp(end) - pd.DateOffset(years=1),
                        "change": share(mean),
                        "change_low": share(low), "change_high": share(high),
                        "chance_higher": np.nan if np.isnan(before) else 0.4, "rank_low": 1.0 if ranked else np.nan,
                        "rank_high": 2.0 if ranked else np.nan, "of": float(len(named)) if ranked else np.nan,
                        "reliability": ["calibrated", "not calibrated", "too few months to say"][len(rows) % 3],
                    }
                )  # fmt: skip
    return as_table(pd.DataFrame(rows), TABLES["outlook"])


def history() -> pd.DataFrame:
    """Five financial years (one not held in full) and a month, for every place."""
    rows = []
    for level, named in PLACES.items():
        for code, year in product(named, range(2020, 2025)):
            held = 10 if year == 2022 else 12
            rows.append(
                {
                    "target": TARGET, "window": "financial_year", "level": level, "location": code,
                    "start": f"{year}-04-01", "end": f"{year + 1}-03-31",
                    "recorded": 100.0 + 7 * (year - 2020) + len(rows) if held == 12 else np.nan,
                    "months_held": held, "months_of": 12, "note": "2 of 12 months missing" if held == 10 else "",
                }
            )  # fmt: skip
    month = {
        "target": TARGET, "window": "month", "level": "pfa", "location": "E23000037", "start": "2024-02-01",
        "end": "2024-02-29", "recorded": 90.0, "months_held": 1, "months_of": 1, "note": "",
    }  # fmt: skip
    return as_table(pd.DataFrame([*rows, month]), TABLES["history"])


def recording() -> pd.DataFrame:
    return as_table(
        pd.DataFrame(
            {
                "period": ["2024-01", "2024-02", "2024-03"],
                "located": [90.0, np.nan, 95.0],
                "unlocated": [10.0, np.nan, 5.0],
                "out_of_force": [1.0, np.nan, 0.0],
                "located_share": [0.9, np.nan, 0.95],
                "all_recorded": [100.0, np.nan, 100.0],
            }
        ),
        TABLES["recording"],
    )


def comparison() -> pd.DataFrame:
    row = {
        "model_id": "ensemble", "baseline": "rolling_12", "metric": "poisson_deviance", "origin_date": "all",
        "forecasts": 400, "month_blocks": 12,
    }  # fmt: skip
    known = row | {"horizon": "all", "skill": 0.051, "low": 0.02, "high": 0.08, "verdict": "better than counting"}
    bare = row | {"horizon": "1", "skill": 0.03, "low": np.nan, "high": np.nan, "verdict": "no interval"}
    return as_table(pd.DataFrame([known, bare]), TABLES["comparison"])


def noise_floor() -> pd.DataFrame:
    """One bound that is known and one that is not."""
    row = {"metric": "crps", "baseline": "rolling_12", "horizons": "all", "sentence": "So much is possible."}
    known = row | {
        "what": "hindsight",
        "model_id": "",
        "skill_bound": 0.083,
        "low": 0.061,
        "high": 0.104,
        "forecasts": 900,
    }
    blank = row | {"what": "true mean", "model_id": "ridge", "skill_bound": np.nan, "low": np.nan, "high": np.nan}
    return as_table(pd.DataFrame([known, blank | {"forecasts": 0}]), TABLES["noise_floor"])


def calibration() -> pd.DataFrame:
    rows = [
        {
            "model_id": "ensemble", "target": TARGET, "window": "month", "level": "lsoa21", "stratum": "all",
            "value": "all", "central": central, "pit_mass": central - 0.01, "low": central - 0.03,
            "high": central + 0.02, "coverage": central + 0.03, "coverage_expected": central + 0.035,
            "forecasts": 400, "month_blocks": 12, "verdict": "calibrated",
        }
        for central in (0.5, 0.8, 0.9, 0.95)
    ]  # fmt: skip
    return as_table(pd.DataFrame(rows), TABLES["calibration"])


def planner_tables() -> dict[str, pd.DataFrame]:
    """All of them, as their records describe them."""
    makers = (outlook, places, history, recording, comparison, noise_floor, calibration)
    return {maker.__name__: maker() for maker in makers}


def forecasts(draws: int = 400, seed: int = 0) -> pd.DataFrame:
    """A hubverse table of means and 23 quantiles: two targets, two levels, two horizons, from draws of counts."""
    random = np.random.default_rng(seed)
    levels = [0.01, 0.025, *np.round(np.arange(0.05, 0.96, 0.05), 3), 0.975, 0.99]
    parts = []
    for target, level, horizon in product((TARGET, f"{TARGET}:quarter"), ("msoa21", "lad24"), (1, 3)):
        codes = list(PLACES[level])
        counts = random.poisson(6 * horizon, size=(draws, len(codes)))
        end = pd.Timestamp("2025-09-01") + pd.DateOffset(months=horizon) - pd.Timedelta(days=1)
        quantiles = np.quantile(counts, levels, axis=0, method="inverted_cdf")
        for ids, values, kind in (([np.nan], counts.mean(axis=0), "mean"), (levels, quantiles, "quantile")):
            grid = pd.MultiIndex.from_product([ids, codes], names=["output_type_id", "location"]).to_frame(index=False)
            parts.append(
                grid.assign(
                    model_id="ensemble", origin_date=pd.Timestamp("2025-09-01"), target=target, horizon=horizon,
                    target_end_date=end, level=level, output_type=kind, value=np.asarray(values).reshape(-1),
                )
            )  # fmt: skip
    return as_table(pd.concat(parts, ignore_index=True), TABLES["forecasts"])
