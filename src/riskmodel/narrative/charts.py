"""Two pictures of a backtest: skill by horizon, and the region's total expected beside recorded.

In: the comparison and backtest tables. Out: SVG files without dates or random identifiers.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["draw_charts"]

_COLOURS = ("#12436D", "#28A197", "#801650", "#F46A25", "#3D3D3D", "#A285D1", "#6B7280", "#B58900")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")


def draw_charts(folder: Path, *, comparison: pd.DataFrame, backtest: pd.DataFrame, title: str, state: str) -> None:
    """Write ``skill_by_horizon.svg`` and ``region_total.svg`` into a folder.

    Parameters
    ----------
    folder : Path
        An existing folder.
    comparison, backtest : DataFrame
        The nouns of those names.
    title : str
        The region and the target, for the headings.
    state : str
        Stands above each picture, e.g. that it is a draft.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "riskmodel", "svg.fonttype": "path", "font.size": 10}):
        for name, draw in (("skill_by_horizon", _skill), ("region_total", _totals)):
            figure = Figure(figsize=(8.2, 4.6), layout="constrained")
            axes = figure.subplots()
            draw(axes, comparison if name == "skill_by_horizon" else backtest, title)
            axes.spines[["top", "right"]].set_visible(False)
            figure.text(0.995, 0.995, state, ha="right", va="top", fontsize=8, color="#555555")
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": "riskmodel"})


def _skill(axes: Any, comparison: pd.DataFrame, title: str) -> None:
    rows = comparison[
        (comparison["metric"] == "poisson_deviance")
        & (comparison["origin_date"] == "all")
        & (comparison["horizon"] != "all")
        & comparison["skill"].notna()
    ]
    baseline = str(comparison["baseline"].iloc[0]) if len(comparison) else "the baseline"
    ids = list(dict.fromkeys(rows["model_id"]))
    for index, model_id in enumerate(ids):
        own = rows[rows["model_id"] == model_id]
        x = own["horizon"].astype(int).to_numpy() + 0.1 * (index - (len(ids) - 1) / 2)
        y = 100 * own["skill"].to_numpy()
        low = np.nan_to_num(y - 100 * own["low"].to_numpy())
        high = np.nan_to_num(100 * own["high"].to_numpy() - y)
        axes.errorbar(
            x, y, yerr=np.abs(np.vstack([low, high])), fmt=_MARKERS[index % 8], color=_COLOURS[index % 8],
            markersize=5, linewidth=1.2, label=model_id,
        )  # fmt: skip
    axes.axhline(0, color="#222222", linewidth=1)
    axes.set_xlabel("Horizon in months (1 = the month that begins on the origin)" + _limit(axes, rows))
    axes.set_xticks(sorted(rows["horizon"].astype(int).unique()))
    axes.set_ylabel(f"Skill against {baseline}, per cent")
    axes.set_title(f"{title}\nAbove the line: better than counting; bars: 90 % interval over months", loc="left")
    if ids:
        axes.legend(frameon=False, fontsize=8, ncols=3)


def _limit(axes: Any, rows: pd.DataFrame) -> str:
    """Cut the axis where skill is hopeless, and say in words which models lie below it."""
    if rows.empty:
        return ""
    lowest, highest = 100 * float(rows["skill"].min()), 100 * float(rows["skill"].max())
    bottom = max(-15.0, lowest - 3)
    axes.set_ylim(bottom, highest + 4)
    below = list(dict.fromkeys(rows[100 * rows["skill"] < bottom]["model_id"]))
    return f"\nBelow the picture at some horizons: {', '.join(below)}" if below else ""


def _totals(axes: Any, backtest: pd.DataFrame, title: str) -> None:
    means = backtest[backtest["output_type"] == "mean"]
    nearest = means[means["horizon"] == means["horizon"].min()] if len(means) else means
    totals = nearest.groupby(["model_id", "target_end_date"], sort=True)[["value", "observed"]].sum().reset_index()
    for index, model_id in enumerate(dict.fromkeys(nearest["model_id"])):
        own = totals[totals["model_id"] == model_id]
        axes.plot(
            own["target_end_date"], own["value"], marker=_MARKERS[index % 8], color=_COLOURS[index % 8],
            linewidth=1, markersize=4, label=str(model_id),
        )  # fmt: skip
    recorded = totals.drop_duplicates("target_end_date")
    axes.plot(recorded["target_end_date"], recorded["observed"], color="black", linewidth=2.4, label="recorded")
    axes.set_ylim(bottom=0)
    axes.set_ylabel("Records a month, located in the force area")
    nearest_horizon = int(nearest["horizon"].iloc[0]) if len(nearest) else 1
    axes.set_title(f"{title}\nExpected at horizon {nearest_horizon} beside recorded, whole region", loc="left")
    axes.legend(frameon=False, fontsize=8, ncols=4, loc="lower left")
