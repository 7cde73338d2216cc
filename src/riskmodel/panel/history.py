"""What was recorded at every level, by month, quarter and year, with the months that are missing said beside it.

In: a view and a target. Out: the ``history`` table and the ``places`` table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.periods import month_end, month_start
from riskmodel.contracts.specs import TargetSpec
from riskmodel.panel.geography import Geography
from riskmodel.panel.totals import Level
from riskmodel.panel.view import View

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HELD_WINDOWS", "build_history", "build_places", "recorded_months"]

Floats = npt.NDArray[np.float64]
# Name -> months long, and the month of the year it begins in (none: twelve months that end with the newest held).
_SHAPES: Mapping[str, tuple[int, tuple[int, ...]]] = {
    "month": (1, tuple(range(12))),
    "quarter": (3, (0, 3, 6, 9)),
    "financial_year": (12, (3,)),
    "calendar_year": (12, (0,)),
    "12_months": (12, ()),
}
_ALL = tuple(_SHAPES)
HELD_WINDOWS: Mapping[str, tuple[str, ...]] = {
    "lsoa21": ("financial_year", "calendar_year", "12_months"),
    "msoa21": ("quarter", "financial_year", "calendar_year", "12_months"),
    "ward24": ("quarter", "financial_year", "calendar_year", "12_months"),
    **dict.fromkeys(("lad24", "csp24", "local", "pfa"), _ALL),
}
"""The windows shown at each level."""
# A located share that moves by more than this between two years is a change in recording worth a note.
_MOVED = 0.03


def recorded_months(view: View, target: TargetSpec) -> dict[int, Floats]:
    """Month number -> recorded counts [area], of every month held and visible."""
    series = view.recorded(target).astype(np.float64)
    held = np.flatnonzero(np.isfinite(series).all(axis=0))
    return {view.panel.first_month + int(column): series[:, column] for column in held}


def build_history(
    view: View,
    target: TargetSpec,
    levels: Mapping[str, Level],
    *,
    label: str,
    located_share: Sequence[float] | npt.NDArray[np.float64] = (),
) -> pd.DataFrame:
    """Recorded counts of every place and period that has begun, blank where a month is missing.

    Parameters
    ----------
    view : View
    target : TargetSpec
    levels : mapping of str to Level
    label : str
        The target with its version.
    located_share : array [period], optional
        Share of the force's records with a place, by month: years in which it moved carry a note.

    Returns
    -------
    DataFrame
        The history noun.
    """
    import pandas as pd

    series = view.recorded(target).astype(np.float64)
    first, width = view.panel.first_month, series.shape[1]
    present = np.asarray(np.isfinite(series).all(axis=0), dtype=np.bool_)
    share = np.asarray(located_share, dtype=np.float64)
    frames = []
    for level in levels.values():
        totals = level.sums(np.where(present, series, 0.0).T)
        for name in HELD_WINDOWS[level.name]:
            for start in _starts(name, first, width):
                length = _SHAPES[name][0]
                columns = np.arange(start - first, start - first + length)
                inside = columns[(columns >= 0) & (columns < width)]
                held = int(np.count_nonzero(present[inside]))
                recorded = totals[inside].sum(axis=0) if held == length else np.full(len(level.codes), np.nan)
                note = _note(length, held, inside, share)
                frames.append(_frame(label, name, level, (start, length), held, recorded, note))
    return pd.concat(frames, ignore_index=True)


def _starts(name: str, first: int, width: int) -> Iterable[int]:
    length, begins = _SHAPES[name]
    if not begins:
        # Steps of a year back from the newest month visible.
        return sorted(range(first + width - length, first - 1, -length))
    months = range(first - length + 1, first + width)
    return [month for month in months if month % 12 in begins]


def _note(length: int, held: int, inside: npt.NDArray[np.intp], share: Floats) -> str:
    parts = [] if held == length else [f"{length - held} of {length} months missing or not yet published"]
    if len(share) and length == 12 and len(inside) and inside[0] >= 12:
        own, before = share[inside], share[inside - 12]
        if np.isfinite(own).any() and np.isfinite(before).any():
            now, then = float(np.nanmean(own)), float(np.nanmean(before))
            if abs(now - then) > _MOVED:
                parts.append(f"recording changed: located share {100 * then:.0f}% to {100 * now:.0f}%")
    return "; ".join(parts)


def _frame(
    label: str, window: str, level: Level, span: tuple[int, int], held: int, recorded: Floats, note: str
) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {
            "target": label,
            "window": window,
            "level": level.name,
            "location": list(level.codes),
            "start": np.datetime64(month_start(span[0]), "s"),
            "end": np.datetime64(month_end(sum(span) - 1), "s"),
            "recorded": recorded,
            "months_held": held,
            "months_of": span[1],
            "note": note,
        }
    )


def build_places(geography: Geography, levels: Mapping[str, Level]) -> pd.DataFrame:
    """Every place of every level: its name, its district, its residents.

    Parameters
    ----------
    geography : Geography
    levels : mapping of str to Level
    """
    import pandas as pd

    parents = geography.parents
    districts = parents["lad24"].to_numpy(dtype=object)
    names = dict(zip(parents["lad24"], parents["lad24_name"], strict=True))
    frames = []
    for name, level in levels.items():
        held = np.flatnonzero(level.index >= 0)
        first = held[np.unique(level.index[held], return_index=True)[1]]
        title = parents["name" if name == "lsoa21" else f"{name}_name"].to_numpy(dtype=object)[first]
        within = [""] * len(first) if name in ("lad24", "csp24", "local", "pfa") else districts[first]
        above = [names.get(code, geography.title) if code else geography.title for code in within]
        frames.append(
            pd.DataFrame(
                {
                    "level": name,
                    "location": list(level.codes),
                    "name": title,
                    "lad24": within,
                    "population": level.sums(geography.population),
                    "parent_name": [""] * len(first) if name == "pfa" else above,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)
