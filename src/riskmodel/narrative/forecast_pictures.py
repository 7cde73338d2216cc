"""The pictures over time of the forecast page: in go a target's history and outlook, out come fans, one a place.

Each picture is said in words as well, and its numbers are in the table beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.fans import Series, draw_fan, draw_share
from riskmodel.narrative.forecast_words import period_words
from riskmodel.narrative.named_facts import cell_of, number_of
from riskmodel.narrative.pictures import Picture
from riskmodel.narrative.published import Named, Published

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OverTime", "over_time", "place_over_time", "share_picture"]

CHANGED = "recording changed"
"""How a remark begins where recording changed."""
_SHOWN = {"month": 60, "quarter": 24, "financial_year": 12}
_SPAN = {"month": 1, "quarter": 3, "financial_year": 12}
_LEVELS = ("pfa", "lad24", "csp24", "local")


@dataclass(frozen=True, eq=False)
class OverTime:
    """Pictures of the force and of smaller places, and the rows they are drawn from."""

    window: str
    large: tuple[Picture, ...]
    small: tuple[Picture, ...]
    history: Named
    outlook: Named


def over_time(published: Published, prefix: str) -> OverTime | None:
    """The pictures of a target by the finest period that wide areas have; None where there is nothing to draw.

    Parameters
    ----------
    published : Published
    prefix : str
        Begins every id.
    """
    for window in _SPAN:
        past = published.history.where(windows=[window], levels=_LEVELS)
        ahead = published.outlook.where(windows=[window], levels=_LEVELS)
        if len(past) and len(ahead):
            break
    else:
        return None
    # Small pictures for districts, or for partnerships where no district is held.
    smaller = next((level for level in _LEVELS[1:] if (ahead.rows["level"] == level).any()), "")
    large, small = (
        tuple(
            _drawn(past.only(past.rows["location"] == code), ahead.only(ahead.rows["location"] == code), window,
                   counted=published.counted.title, name=f"{prefix}fan-{level}-{number}", small=level != "pfa")
            for number, code in enumerate(dict.fromkeys(ahead.where(levels=[level]).rows["location"]), start=1)
        )
        for level in ("pfa", smaller)
    )  # fmt: skip
    return OverTime(window, large, small, past, ahead)


def place_over_time(past: Named, ahead: Named, *, counted: str, name: str) -> Picture | None:
    """The picture of one place by the finest period held; None where there is nothing to draw.

    Parameters
    ----------
    past, ahead : Named
        The place's rows.
    counted : str
        What is counted.
    name : str
        The picture's id.
    """
    for window in _SPAN:
        recorded, expected = past.where(windows=[window]), ahead.where(windows=[window])
        if len(recorded) and len(expected):
            return _drawn(recorded, expected, window, counted=counted, name=name, small=False)
    return None


def share_picture(recording: pd.DataFrame, name: str, outlook: Named) -> Picture:
    """The share of the force's records that had a known place, by month, on the axis of the force's own picture."""
    ahead = outlook.where(windows=["month"], levels=["pfa"]).rows["start"]
    until = _month_of(ahead.max()) if len(ahead) else 0
    share = recording["located_share"].to_numpy(dtype=np.float64)
    months = np.array([_month_of(date.fromisoformat(f"{p}-01")) for p in recording["period"]], dtype=np.int64)
    held = np.flatnonzero(np.isfinite(share))
    words = "No month has a share."
    if len(held):
        first, last = held[0], held[-1]
        words = (
            f"Of all of the force's records, {share_of(outlook, int(first), share[first])} had a known place in the "
            f"force area in {_month_words(recording['period'].iloc[first])} and "
            f"{share_of(outlook, int(last), share[last])} in {_month_words(recording['period'].iloc[last])}. "
            "Where this share rises, counts rise with no change in violence."
        )
    title = "Share of records with a known place, by month"
    return draw_share(months, share, until=until, name=name, title=title, description=words)


def share_of(outlook: Named, row: int, share: float) -> str:
    """The located share of one month, through the outlook's book where there is one."""
    return cell_of(outlook.book, "recording", row, "located_share", share, "share")


def _drawn(past: Named, ahead: Named, window: str, *, counted: str, name: str, small: bool) -> Picture:
    rows, forecast = past.rows.sort_values("start"), ahead.rows.sort_values("start")
    if small:
        rows = rows.tail(_SHOWN[window])
    recorded = rows["recorded"].to_numpy(dtype=np.float64)
    months, coming = _months(rows), _months(forecast)
    mean, low, high = (forecast[c].to_numpy(dtype=np.float64) for c in ("mean", "low", "high"))
    if len(months) and len(coming) and months[-1] + _SPAN[window] == coming[0] and np.isfinite(recorded[-1]):
        # The fan opens from the last count.
        coming = np.concatenate([months[-1:], coming])
        mean, low, high = (np.concatenate([recorded[-1:], part]) for part in (mean, low, high))
    changed = _changed(rows)
    changes = tuple(zip(months[changed.to_numpy()].tolist(), rows.loc[changed, "note"], strict=True))
    series = Series(months, recorded, coming, mean, low, high, _SPAN[window], changes)
    place = bare(str(forecast["name"].iloc[0]))
    title = place if small else f"{place}: {counted}"
    description = _said(replace(past, rows=rows, withheld=past.withheld.loc[rows.index]), ahead, window)
    return draw_fan(series, name=name, title=title, description=description, small=small)


def _said(past: Named, ahead: Named, window: str) -> str:
    """A picture in words: what it spans, what is missing, and both ends of what is expected."""
    rows, forecast = past.rows.sort_values("start"), ahead.rows.sort_values("start")
    unit = window.replace("_", " ")
    held = rows["recorded"].dropna()
    parts = []
    if len(held):
        span = bare(period_words(rows["start"].iloc[0].date(), rows["end"].iloc[-1].date()))
        missing = len(rows) - len(held)
        gaps = f"; {bare(f'{missing} of {len(rows)}')} {unit}s have no count" if missing else ""
        ends: tuple[Any, Any] = (held.idxmin(), held.idxmax())
        reach = " to ".join(number_of(past, row, "recorded", "recorded") for row in ends)
        parts.append(f"Recorded, {span}: {reach} a {unit}{gaps}.")
    for start, note in rows.loc[_changed(rows), ["start", "note"]].itertuples(index=False):
        parts.append(f"{bare(period_words(start.date(), start.date()))}: {bare(note)}.")
    for when, row in (("first", forecast.iloc[0]), ("last", forecast.iloc[-1])):
        if np.isfinite(row["mean"]) and (when == "first" or len(forecast) > 1):
            at: Any = row.name
            reach = f"{number_of(ahead, at, 'low', 'recorded')} to {number_of(ahead, at, 'high', 'recorded')}"
            period = bare(period_words(row["start"].date(), row["end"].date()))
            parts.append(f"Expected in {period}: {number_of(ahead, at, 'mean', 'expected')} ({reach}).")
    return " ".join(parts) or "Every number of this place is suppressed."


def _changed(rows: pd.DataFrame) -> pd.Series[bool]:
    return rows["note"].fillna("").str.contains(CHANGED)


def _months(rows: pd.DataFrame) -> npt.NDArray[np.int64]:
    return np.array([_month_of(day) for day in rows["start"]], dtype=np.int64)


def _month_of(day: date) -> int:
    return 12 * day.year + day.month - 1


def _month_words(period: str) -> str:
    day = date.fromisoformat(f"{period}-01")
    return bare(period_words(day, day))
