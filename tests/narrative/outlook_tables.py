"""Tables as a run leaves them, for an invented force: exact columns, a missing month, a suppressed stream, gaps.

Counts are drawn once with a seed; every level and window is a sum of the same draws, as in a run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product

import numpy as np
import pandas as pd

from riskmodel.contracts.judging_tables import NOISE_FLOOR
from riskmodel.contracts.planner_tables import CALIBRATION, HISTORY, OUTLOOK, PLACES, RECORDING
from riskmodel.contracts.tables import COMPARISON, as_table
from riskmodel.narrative.forecast_words import Counted
from riskmodel.narrative.maps import Outlines, make_outlines

HEADLINE, AMBULANCE, WEAPONS = "recorded_violence@1", "ambulance_assaults@1", "possession_of_weapons@1"
FIRST, NEWEST, ORIGIN, LAST = (12 * y + m - 1 for y, m in ((2018, 4), (2025, 6), (2025, 9), (2026, 8)))
MISSING = 12 * 2021 + 2
CHANGED = 12 * 2022 + 10
LEVELS = ("lsoa21", "msoa21", "ward24", "lad24", "csp24", "pfa")
DISTRICTS = ("Ashford Vale", "Bramley", "Cold Harbour", "Dunmere", "Eastwick", "Fenton Forest", "Glebe Moor", "Holm")
WINDOWS = {"month": 1, "quarter": 3, "financial_year": 12, "calendar_year": 12, "12_months": 12}
MODEL = "shares_boosted"
CODES = {"pfa": "E23", "lad24": "E07", "csp24": "E22", "ward24": "E05", "msoa21": "E02", "lsoa21": "E01"}


@dataclass
class Invented:
    """Everything a page is built from."""

    tables: dict[str, pd.DataFrame]
    targets: list[Counted]
    suppressed: dict[str, pd.DataFrame]
    shapes: dict[str, Outlines]
    parents: pd.DataFrame
    draws: np.ndarray = field(repr=False)


def invented_parents(areas: int, districts: int = 6) -> pd.DataFrame:
    """Small areas with their parents; the last district's partnership is not certain."""
    area = np.arange(areas)
    district = area * districts // areas
    order = area - np.searchsorted(district, district)
    names = np.array(DISTRICTS)[district]
    msoa, ward = order // 5, order // 3
    joint = np.where((district == 3) | (district == 4), 3, district)
    partnership = np.where(joint == 3, f"{DISTRICTS[3]} and {DISTRICTS[4]}", names)
    certain = district != districts - 1
    frame = {
        "lsoa21": [f"E01{a:06d}" for a in area],
        "name": [f"{n} {m + 1:03d}{chr(65 + o % 5)}" for n, m, o in zip(names, msoa, order, strict=True)],
        "msoa21": [f"E02{d:02d}{m:04d}" for d, m in zip(district, msoa, strict=True)],
        "msoa21_name": [f"{n} {m + 1:03d}" for n, m in zip(names, msoa, strict=True)],
        "ward24": [f"E05{d:02d}{w:04d}" for d, w in zip(district, ward, strict=True)],
        "ward24_name": [f"St {chr(65 + w % 26)}'s and Ward {w + 1}" for w in ward],
        "lad24": [f"E07{d:06d}" for d in district],
        "lad24_name": names,
        "csp24": [f"E22{j:06d}" if c else "" for j, c in zip(joint, certain, strict=True)],
        "csp24_name": np.where(certain, partnership, ""),
        "pfa": "E23000099",
        "pfa_name": "Exmere",
        "population": 1200.0 + 37 * (area * 7919 % 31),
    }
    return pd.DataFrame(frame)


def invented(
    areas: int = 393,
    *,
    districts: int = 6,
    seed: int = 1,
    draws: int = 100,
    parents: pd.DataFrame | None = None,
    squares: np.ndarray | None = None,
) -> Invented:
    """Tables of three targets: the headline, a restricted stream and one that follows the police.

    Parameters
    ----------
    areas, districts : int
        Of the invented force, unless ``parents`` are given.
    seed, draws : int
    parents : DataFrame, optional
        Real areas with their parents, in place of invented ones.
    squares : array of shapely geometries, optional
        Their outlines.
    """
    parents = invented_parents(areas, districts) if parents is None else parents
    rng = np.random.default_rng(seed)
    level = rng.gamma(1.6, 2.8, len(parents))
    streams = [(HEADLINE, 1.0, False), (AMBULANCE, 0.12, True), (WEAPONS, 0.05, False)]
    made = [_stream(rng, parents, level * size, target, draws, restricted=guarded) for target, size, guarded in streams]
    tables = {
        name: pd.concat([m[name] for m in made], ignore_index=True).reindex(columns=record.names)
        for name, record in (("outlook", OUTLOOK), ("history", HISTORY))
    }
    suppressed = {name: tables[name].isna() & False for name in tables}
    floats = [c.name for c in OUTLOOK.columns if c.dtype == "float"]
    for name, numbers in (("outlook", floats), ("history", ["recorded"])):
        value = tables[name]["mean" if name == "outlook" else "recorded"]
        small = (tables[name]["target"] == AMBULANCE) & (value < 10)
        suppressed[name].loc[small, numbers] = True
        tables[name].loc[small, numbers] = np.nan
    tables |= {
        "places": as_table(_places(parents), PLACES),
        "calibration": as_table(_calibration(), CALIBRATION),
        "comparison": as_table(_comparison(), COMPARISON),
        "noise_floor": as_table(_noise_floor(), NOISE_FLOOR),
        "recording": as_table(_recording(made[0]["history"]), RECORDING),
    }
    return Invented(tables, _targets(), suppressed, _shapes(parents, squares), parents, made[0]["draws"])


def _targets() -> list[Counted]:
    return [
        Counted(
            HEADLINE, "Recorded violence and sexual offences",
            "Records that police.uk publishes under that name, located in an area of the force.",
            "Violence nobody recorded; records without a place; robbery.",
            "Local definitions of serious violence name offences; this is one published category.",
            headline="Better than counting: the model has a skill of 4.6% against rolling_12.",
        ),
        Counted(
            AMBULANCE, "Ambulance call-outs to assaults", "Call-outs of the ambulance service to assaults.",
            "Assaults after which nobody called.", stream="ambulance", restricted=True,
            headline="No better than counting: too few months.",
        ),
        Counted(
            WEAPONS, "Recorded possession of weapons", "Records published under possession of weapons.",
            "Weapons nobody found.", police_generated=True,
        ),
    ]  # fmt: skip


def _members(parents: pd.DataFrame, level: str) -> tuple[np.ndarray, np.ndarray]:
    codes, member = np.unique(parents[level].to_numpy(dtype=str), return_inverse=True)
    return codes, member


def _sums(values: np.ndarray, member: np.ndarray, places: int) -> np.ndarray:
    """Totals over areas: values [..., area, month] -> [..., place, month]."""
    order = np.argsort(member, kind="stable")
    starts = np.searchsorted(member[order], np.arange(places))
    return np.add.reduceat(values[..., order, :], starts, axis=-2)


def _stream(
    rng: np.random.Generator, parents: pd.DataFrame, level: np.ndarray, target: str, draws: int, *, restricted: bool
) -> dict[str, pd.DataFrame]:
    months = np.arange(FIRST, LAST + 1)
    season = 1 + 0.12 * np.sin(2 * np.pi * (months % 12 - 3) / 12) + 0.015 * (months - FIRST) / 12
    past, ahead = months <= NEWEST, months > NEWEST
    recorded = rng.poisson(level[:, None] * season[past]).astype(float)
    recorded[:, months[past] == MISSING] = np.nan
    shock = rng.gamma(60, 1 / 60, (draws, 1, int(ahead.sum())))
    drawn = rng.poisson(shock * (level[:, None] * season[ahead])[None]).astype(np.int64)
    outlook, history = [], []
    for name in LEVELS:
        codes, member = _members(parents, name)
        totals, futures = _sums(recorded, member, len(codes)), _sums(drawn, member, len(codes))
        if codes[0] == "":
            codes, totals, futures = codes[1:], totals[1:], futures[:, 1:]
        for window in WINDOWS:
            if _fine(name, window):
                continue
            starts = _starts(window, months)
            over = starts + WINDOWS[window] - 1 <= NEWEST
            history.append(_recorded(target, window, name, codes, starts[over], totals))
            for start in starts[~over]:
                span = np.arange(start, start + WINDOWS[window])
                if span[-1] <= LAST and window != "calendar_year" and (window != "12_months" or start == ORIGIN):
                    outlook.append(_expected(target, window, name, codes, span, totals, futures))
    ahead_frame = pd.concat(outlook, ignore_index=True)
    if restricted:
        counts = ["mean", "low", "median", "high", "last_year"]
        ahead_frame[counts] = (ahead_frame[counts] / 5).round() * 5
    return {"outlook": ahead_frame, "history": pd.concat(history, ignore_index=True), "draws": drawn}


def _fine(level: str, window: str) -> bool:
    if level == "lsoa21":
        return window not in ("12_months", "financial_year")
    return window in ("month", "calendar_year") and level in ("msoa21", "ward24")


def _starts(window: str, months: np.ndarray) -> np.ndarray:
    if window == "12_months":
        return np.array([*range(FIRST + 3, NEWEST, 12), ORIGIN])
    first = {"month": 0, "quarter": 0, "financial_year": 3, "calendar_year": 0}[window]
    return months[(months - first) % WINDOWS[window] == 0]


def _day(month: int) -> pd.Timestamp:
    return pd.Timestamp(year=month // 12, month=month % 12 + 1, day=1)


def _base(target: str, window: str, level: str, codes: np.ndarray, span: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({
        "target": target, "window": window, "level": level, "location": codes.astype(object),
        "start": _day(int(span[0])), "end": _day(int(span[-1])) + pd.offsets.MonthEnd(0),
    })  # fmt: skip


def _recorded(
    target: str, window: str, level: str, codes: np.ndarray, starts: np.ndarray, totals: np.ndarray
) -> pd.DataFrame:
    spans = starts[:, None] + np.arange(WINDOWS[window])
    held = (spans >= FIRST) & (spans != MISSING)
    counted = np.where(held.all(axis=1), totals[:, np.clip(spans - FIRST, 0, None)].sum(axis=2), np.nan).T
    changed = "recording changed: located share 88 % -> 96 %"
    notes = [
        "; ".join([f"{m} of {spans.shape[1]} months missing"] * bool(m) + [changed] * c)
        for m, c in zip((~held).sum(axis=1).tolist(), (spans == CHANGED).any(axis=1).tolist(), strict=True)
    ]  # fmt: skip
    places = len(codes)
    return pd.DataFrame({
        "target": target, "window": window, "level": level, "location": np.tile(codes.astype(object), len(starts)),
        "start": np.repeat([_day(s) for s in spans[:, 0].tolist()], places),
        "end": np.repeat([_day(s) + pd.offsets.MonthEnd(0) for s in spans[:, -1].tolist()], places),
        "recorded": counted.ravel(), "months_held": np.repeat(held.sum(axis=1), places),
        "months_of": spans.shape[1], "note": np.repeat(np.array(notes, dtype=object), places),
    })  # fmt: skip


def _expected(
    target: str, window: str, level: str, codes: np.ndarray, span: np.ndarray, totals: np.ndarray, futures: np.ndarray
) -> pd.DataFrame:
    known = totals[:, span[span <= NEWEST] - FIRST].sum(axis=1)
    sums = known + futures[:, :, span[span > NEWEST] - NEWEST - 1].sum(axis=2)
    before = span - 12
    last = totals[:, before - FIRST].sum(axis=1) if before.max() <= NEWEST else np.full(len(codes), np.nan)
    low, median, high = np.quantile(sums, [0.05, 0.5, 0.95], axis=0, method="inverted_cdf")
    mean = sums.mean(axis=0)
    some = last > 0
    change = {
        n: np.divide(v, last, out=np.full(len(codes), np.nan), where=some) - 1
        for n, v in (("change", mean), ("change_low", low), ("change_high", high))
    }
    ranks = np.full((2, len(codes)), np.nan)
    if window == "12_months":
        ranks = np.quantile((-sums).argsort(axis=1).argsort(axis=1) + 1, [0.05, 0.95], axis=0, method="inverted_cdf")
    return _base(target, window, level, codes, span).assign(
        mean=mean, low=low, median=median, high=high, recorded_part=known, months_forecast=int((span > NEWEST).sum()),
        last_year=last, **change, chance_higher=np.where(np.isfinite(last), (sums > last).mean(axis=0), np.nan),
        rank_low=ranks[0], rank_high=ranks[1], of=float(len(codes)) if window == "12_months" else np.nan,
        reliability={"lsoa21": "calibrated", "pfa": "too few months to say", "ward24": "not calibrated"}.get(
            level, "calibrated" if target == HEADLINE else "not judged"
        ),
    )  # fmt: skip


def _places(parents: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for level in LEVELS:
        first = parents[parents[level] != ""].drop_duplicates(level).set_index(level)
        small = level in ("lsoa21", "msoa21", "ward24")
        people = parents[parents[level] != ""].groupby(level)["population"].sum()
        rows.append(
            pd.DataFrame({
                "level": level, "location": first.index,
                "name": first["name" if level == "lsoa21" else f"{level}_name"].to_numpy(),
                "lad24": first["lad24"].to_numpy() if small else "",
                "population": people.reindex(first.index).to_numpy(),
                "parent_name": first["lad24_name"].to_numpy() if small else "" if level == "pfa" else first["pfa_name"],
            })
        )  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def _calibration() -> pd.DataFrame:
    rows = []
    for level in ("lsoa21", "msoa21", "lad24", "pfa"):
        for stratum, value in (("all", "all"), ("horizon", "1..3"), ("horizon", "4..6"), ("size", "large")):
            for central in (0.5, 0.8, 0.9, 0.95):
                few = level == "pfa"
                rows.append({
                    "model_id": MODEL, "target": HEADLINE, "window": "month", "level": level, "stratum": stratum,
                    "value": value, "central": central, "pit_mass": central + 0.006, "low": central - 0.02,
                    "high": central + 0.02, "coverage": min(central + 0.03, 1.0),
                    "coverage_expected": min(central + 0.024, 1.0), "forecasts": 1200, "month_blocks": 14,
                    "verdict": "too few months to say" if few else "calibrated",
                })  # fmt: skip
    return pd.DataFrame(rows)


def _comparison() -> pd.DataFrame:
    rows = []
    for model, skill in ((MODEL, 0.046), ("poisson_ridge", 0.024), ("seasonal_naive", -0.62)):
        for metric in ("poisson_deviance", "crps"):
            verdict = "better than counting" if skill > 0 else "worse than counting"
            rows.append({
                "model_id": model, "baseline": "rolling_12", "metric": metric, "origin_date": "all", "horizon": "all",
                "skill": skill, "low": skill - 0.015, "high": skill + 0.015, "forecasts": 18864, "month_blocks": 14,
                "verdict": verdict,
            })  # fmt: skip
    return pd.DataFrame(rows)


def _noise_floor() -> pd.DataFrame:
    """Two bounds by each rule, and another model's, which no page shows."""
    parts = product(
        (("poisson_deviance", 0.121), ("crps", 0.077)),
        (("hindsight", "", 0.0), ("true mean", MODEL, 0.03), ("true mean", "x", 0.4)),
        (("1..6", 0.0), ("all", 0.01)),
    )
    return pd.DataFrame([
        {
            "metric": metric, "baseline": "rolling_12", "what": what, "model_id": model, "horizons": horizons,
            "skill_bound": bound + more + further, "low": bound + more - 0.02, "high": bound + more + 0.02,
            "forecasts": 18864, "sentence": "So much is possible.",
        }
        for (metric, bound), (what, model, more), (horizons, further) in parts
    ])  # fmt: skip


def _recording(history: pd.DataFrame) -> pd.DataFrame:
    force = history[(history["level"] == "pfa") & (history["window"] == "month")]
    located = force["recorded"].to_numpy()
    month = force["start"].dt.year * 12 + force["start"].dt.month - 1
    share = np.where(np.isnan(located), np.nan, np.where(month < CHANGED, 0.88, 0.96))
    unlocated = np.round(located / share - located)
    return pd.DataFrame({
        "period": force["start"].dt.strftime("%Y-%m"), "located": located, "unlocated": unlocated,
        "out_of_force": located * 0, "located_share": share, "all_recorded": located + unlocated,
    })  # fmt: skip


def _shapes(parents: pd.DataFrame, squares: np.ndarray | None) -> dict[str, Outlines]:
    import shapely

    if squares is None:
        area = np.arange(len(parents))
        side = int(np.ceil(np.sqrt(len(parents))))
        x, y = -2 + 0.02 * (area // side), 51 + 0.012 * (area % side)
        squares = shapely.box(x, y, x + 0.02, y + 0.012)
    return {level: make_outlines(squares, parents[level].to_list()) for level in ("ward24", "msoa21", "lad24")}
