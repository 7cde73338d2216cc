"""Features of every area at every origin, England's size: ours beside pandas, polars, mlforecast and a bare fill.

Run: ``python benchmarks/england_features.py [AREAS] [MONTHS]``. Every rival starts from a long table sorted by area and
month, holds the static factors by area, and is given the pooled season ready-made; it ends with one table of all
features. mlforecast knows neither neighbours nor groups, so it makes fewer. What differs by more than rounding is
refused before anything is timed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from england import FIRST, LATE, England, england
from measuring import Cost, measure, table

from riskmodel.features.training import FeatureBlocks
from riskmodel.panel.season import group_totals, pooled_seasons

WINDOWS = (3, 6, 12, 24)
LAGS = (0, 1, 2, 11)
HALF_LIVES = (3.0, 12.0)
LEVELS = ("pfa", "lad24")
# The month forecast at horizon 1 is three after the newest visible, so its month a year before is nine before.
LAST_YEAR = 12 - LATE
MLFORECAST = ("lag_0", "lag_1", "lag_2", "lag_11", "last_year", "mean_3", "mean_6", "mean_12", "mean_24")


@dataclass(frozen=True, eq=False)
class Tables:
    """What a rival holds: the long table, one row an area, the ties of neighbours and the seasons by group."""

    long: pd.DataFrame
    areas: pd.DataFrame
    ties: pd.DataFrame
    seasons: dict[str, pd.DataFrame]


def tables(held: England) -> Tables:
    """The panel as tables, codes as whole numbers."""
    count, months = held.violence.shape
    geography = held.panel.geography
    long = pd.DataFrame(
        {
            "area": np.repeat(np.arange(count, dtype=np.int32), months),
            "month": np.tile(np.arange(months, dtype=np.int32), count),
            "y": held.violence.ravel().astype(np.float32),
            "burglary_count": held.burglary.ravel().astype(np.float32),
        }
    )
    areas = pd.DataFrame(held.static, columns=list(held.static_names))
    areas.insert(0, "area", np.arange(count, dtype=np.int32))
    seasons = {}
    for level in LEVELS:
        group, codes = geography.groups(level)
        areas[level] = group.astype(np.int32)
        totals = group_totals(held.violence.astype(np.float32), group, len(codes))
        known = pooled_seasons(totals, FIRST, np.arange(1, months + 1))
        ahead = (FIRST + LATE + np.arange(months)) % 12
        seasons[level] = pd.DataFrame(
            {
                level: np.repeat(np.arange(len(codes), dtype=np.int32), months),
                "month": np.tile(np.arange(months, dtype=np.int32), len(codes)),
                f"season_{level}": known[:, np.arange(months), ahead].astype(np.float32).ravel(),
            }
        )
    ties = geography.neighbours.tocoo()
    pairs = pd.DataFrame({"area": ties.row.astype(np.int32), "other": ties.col.astype(np.int32)})
    return Tables(long, areas, pairs, seasons)


def ours(held: England) -> Callable[[Any], Any]:
    return lambda view: FeatureBlocks(view, held.features, held.origins).at(1)


def with_pandas(given: Tables) -> pd.DataFrame:
    """Vectorised group-by, merges for what belongs to groups and neighbours."""
    out = given.long.merge(given.areas, on="area", how="left")
    by = out.groupby("area", sort=False)["y"]
    for lag in LAGS:
        out[f"lag_{lag}"] = by.shift(lag)
    out["last_year"] = by.shift(LAST_YEAR)
    for window in WINDOWS:
        out[f"mean_{window}"] = by.rolling(window, min_periods=(window + 1) // 2).mean().to_numpy(dtype=np.float32)
    for half in HALF_LIVES:
        out[f"ewm_{half:.0f}"] = by.ewm(halflife=half).mean().to_numpy(dtype=np.float32)
    burglary = out.groupby("area", sort=False)["burglary_count"]
    out["burglary"] = burglary.rolling(12, min_periods=6).mean().to_numpy(dtype=np.float32)
    for level in LEVELS:
        totals = out.groupby([level, "month"], as_index=False)["y"].sum().astype({"y": np.float64})
        group = totals.groupby(level, sort=False)["y"]
        short, long = (group.rolling(w, min_periods=m).mean().to_numpy() for w, m in ((3, 1), (12, 6)))
        totals[f"trend_{level}"] = (short / long).astype(np.float32)
        totals = totals.drop(columns="y").merge(given.seasons[level], on=[level, "month"])
        out = out.merge(totals, on=[level, "month"], how="left")
    around = given.ties.merge(
        out[["area", "month", "mean_12"]].rename(columns={"area": "other", "mean_12": "neighbours"}), on="other"
    )
    around = around.groupby(["area", "month"], as_index=False)["neighbours"].mean()
    return out.merge(around, on=["area", "month"], how="left")


def with_polars(long: pl.DataFrame, areas: pl.DataFrame, ties: pl.DataFrame, seasons: dict[str, Any]) -> pl.DataFrame:
    """Windows over the area, joins for the rest; lazily, so that polars may plan it."""
    y = pl.col("y")
    made = [y.shift(lag).over("area").alias(f"lag_{lag}") for lag in LAGS]
    made.append(y.shift(LAST_YEAR).over("area").alias("last_year"))
    made += [
        y.rolling_mean(w, min_samples=(w + 1) // 2).over("area").cast(pl.Float32).alias(f"mean_{w}") for w in WINDOWS
    ]
    made += [y.ewm_mean(half_life=h).over("area").cast(pl.Float32).alias(f"ewm_{h:.0f}") for h in HALF_LIVES]
    burglary = pl.col("burglary_count").rolling_mean(12, min_samples=6).over("area").cast(pl.Float32)
    out = long.lazy().with_columns(*made, burglary.alias("burglary")).join(areas.lazy(), on="area", how="left")
    for level in LEVELS:
        totals = out.group_by(level, "month").agg(y.cast(pl.Float64).sum()).sort(level, "month")
        trend = y.rolling_mean(3, min_samples=1) / y.rolling_mean(12, min_samples=6)
        totals = totals.with_columns(trend.over(level).cast(pl.Float32).alias(f"trend_{level}")).drop("y")
        totals = totals.join(seasons[level].lazy(), on=[level, "month"])
        out = out.join(totals, on=[level, "month"], how="left")
    own = out.select(pl.col("area").alias("other"), "month", pl.col("mean_12").alias("neighbours"))
    around = ties.lazy().join(own, on="other").group_by("area", "month").agg(pl.col("neighbours").mean())
    return out.join(around, on=["area", "month"], how="left").sort("area", "month").collect()


def with_mlforecast(frame: Any, static: list[str]) -> Any:
    """Lags, rolling and exponential means of the target, static columns carried along."""
    import lightgbm as lgb
    from mlforecast import MLForecast
    from mlforecast.lag_transforms import ExponentiallyWeightedMean, RollingMean

    means = [RollingMean(w, min_samples=(w + 1) // 2) for w in WINDOWS]
    means += [ExponentiallyWeightedMean(alpha=1 - 0.5 ** (1 / h)) for h in HALF_LIVES]
    forecast = MLForecast(
        models=[lgb.LGBMRegressor()],
        freq=1,
        lags=[lag + 1 for lag in (*LAGS, LAST_YEAR)],
        lag_transforms={1: means},
        num_threads=2,
    )
    return forecast.preprocess(
        frame, id_col="area", time_col="month", target_col="y", static_features=static, dropna=False
    )


def require_equal(held: England, given: Tables, polar: Callable[[], pl.DataFrame], mlframe: Any) -> None:
    """Refuse to time answers that differ by more than rounding."""
    block = FeatureBlocks(held.view(), held.features, held.origins).at(1)
    rivals = {"pandas": with_pandas(given).sort_values(["area", "month"]), "polars": polar().to_pandas()}
    names = [f.label for f in held.features]
    for rival, found in rivals.items():
        for index, name in enumerate(names):
            theirs = found[name].to_numpy(dtype=np.float64).reshape(block.shape[:2])
            np.testing.assert_allclose(block[:, :, index], theirs, rtol=1e-4, atol=1e-5, err_msg=f"{rival} {name}")
    found = with_mlforecast(mlframe(), list(held.static_names))
    columns = [c for c in found.columns if c not in ("area", "month", "y", *held.static_names)]
    for name, column in zip(MLFORECAST, columns, strict=False):
        # mlforecast's features of a month stop at the month before.
        theirs = found[column].to_numpy(dtype=np.float64).reshape(block.shape[:2])[:, 1:]
        mine = block[:, :-1, names.index(name)]
        both = np.isfinite(theirs) & np.isfinite(mine)
        assert both.mean() > 0.8, name
        np.testing.assert_allclose(mine[both], theirs[both], rtol=1e-3, atol=1e-3, err_msg=f"mlforecast {name}")


def run(areas: int = 35_672, months: int = 150, *, repeats: int = 7) -> list[tuple[str, Cost]]:
    """Check on a small panel that all agree, then time them in turn on the large one."""
    small = england(700, months)
    require_equal(small, *_given(small))
    held = england(areas, months)
    given, polar, mlframe = _given(held)
    shape = (len(held.features), areas, months)

    def fill(_: Any) -> Any:
        block = np.empty(shape, dtype=np.float32)
        block.fill(1.0)
        return block

    warm = FeatureBlocks(held.view(), held.features, held.origins)
    warm.at(1)
    del warm
    joined, static = mlframe(), list(held.static_names)

    def rival(work: Callable[[], Any]) -> Cost:
        return measure(
            lambda _: work(), prepare=lambda: _warmed(None, fill), repeats=max(1, repeats // 2)
        )  # a rival runs long enough to need fewer

    return [
        ("riskmodel", measure(ours(held), prepare=lambda: _warmed(held.view(), fill), repeats=repeats)),
        ("allocate and fill", measure(fill, prepare=lambda: _warmed(None, fill), repeats=repeats)),
        ("mlforecast, fewer features", rival(lambda: _matrix(with_mlforecast(mlframe(), static)))),
        ("the same, statics joined before and no matrix made", rival(lambda: with_mlforecast(joined, static))),
        ("polars", rival(polar)),
        ("pandas", rival(lambda: with_pandas(given))),
    ]


def _matrix(frame: pd.DataFrame) -> np.ndarray:
    """What a model is given: every feature in one float32 matrix, as ours ends with."""
    return frame.drop(columns=["area", "month", "y"]).to_numpy(dtype=np.float32)


def _warmed(given: Any, fill: Callable[[Any], Any]) -> Any:
    """Virtual machines give freed memory back to their host; taking it again is then dearer than all the work."""
    fill(None)
    return given


def _given(held: England) -> tuple[Tables, Callable[[], pl.DataFrame], Callable[[], pd.DataFrame]]:
    given = tables(held)
    parts = [pl.from_pandas(frame) for frame in (given.long, given.areas, given.ties)]
    seasons = {level: pl.from_pandas(frame) for level, frame in given.seasons.items()}
    static = given.areas[["area", *held.static_names]]
    plain = given.long.drop(columns="burglary_count")
    return given, lambda: with_polars(*parts, seasons), lambda: plain.merge(static, on="area")


if __name__ == "__main__":
    size = [int(value) for value in sys.argv[1:3]]
    found = run(*size)
    sys.stdout.write(table(found, found[0][0]) + "\n")
