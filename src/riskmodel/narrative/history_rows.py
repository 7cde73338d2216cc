"""The years held, as tables: in go a target's history and outlook, out come counts, changes and what bears on them.

A year with a missing month has no count; the change on the year before carries the range that chance alone would give.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from riskmodel.narrative.chance import change_by_chance
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.forecast_words import (
    NOT_AVAILABLE,
    SMALL_BASE,
    SUPPRESSED,
    period_words,
)
from riskmodel.narrative.named_facts import number_of, past_change, texts
from riskmodel.narrative.published import LEVELS, Named
from riskmodel.narrative.tables_html import Cell, Heading, HtmlTable, Row
from riskmodel.narrative.workbook_text import WINDOW_NAMES

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["YEARS", "periods_table", "years_table", "years_wide_table"]

YEARS = ("financial_year", "calendar_year", "12_months")
"""The windows of a whole year."""
_KEY = ["window", "level", "location"]
_LINE = [
    "window",
    "level",
    "name",
    "location",
    "kind",
    "start",
    "end",
    "state",
    "records",
    "change",
    "reach",
    "remarks",
]


def years_table(
    history: Named, outlook: Named, *, name: str, caption: str, note: str = "", base: str = ""
) -> HtmlTable:
    """One row a place and year: recorded where it is over, expected where it is not; both with the change.

    Parameters
    ----------
    history, outlook : Named
        Rows of whole years, of the levels to be listed.
    name, caption, note : str
    base : str
        The 12 months the next 12 are compared with, where they are not the same months a year before.
    """
    lines = _lines(history, outlook, base)
    kinds = [WINDOW_NAMES[w] for w in lines["window"]]
    columns = _columns(lines, "name", "kind", kinds, _periods(lines), "state", "records", "change", "reach", "remarks")
    headings = [
        Heading("Place"), Heading("Kind of area"), Heading("Kind of year"), Heading("Period"),
        Heading("Recorded or expected"), Heading("Records", number=True),
        Heading("Change on the year before", number=True), Heading("Range of the change", number=True, unit="9 in 10"),
        Heading("Remarks"),
    ]  # fmt: skip
    return HtmlTable(name, caption, headings, _rows(columns, lines["remarks"].to_list()), (0, 2, 4), note)


def periods_table(history: Named, outlook: Named, *, name: str, caption: str) -> HtmlTable:
    """One row a place and period, recorded or expected: the numbers of the pictures over time.

    Parameters
    ----------
    history, outlook : Named
        Rows of one window.
    name, caption : str
    """
    lines = _lines(history, outlook, "")
    columns = _columns(lines, "name", "kind", _periods(lines), "state", "records", "remarks")
    headings = [Heading("Place"), Heading("Kind of area"), Heading("Period"), Heading("Recorded or expected"),
                Heading("Records", number=True), Heading("Remarks")]  # fmt: skip
    return HtmlTable(name, caption, headings, _rows(columns, lines["remarks"].to_list()), (0, 3), folded=True)


def years_wide_table(history: Named, *, name: str, caption: str, note: str = "") -> HtmlTable:
    """One row a place and one column a financial year, the last column being the change between the newest two.

    Parameters
    ----------
    history : Named
        Financial years of one level.
    name, caption, note : str
    """
    rows = _with_change(history)
    ends = sorted(rows["end"].unique())
    changed = rows["note"].fillna("").str.contains("recording changed")
    marked = set(rows.loc[changed, "end"])
    held = dict(zip(zip(rows["location"], rows["end"], strict=True), _recorded_texts(history), strict=True))
    newest = rows[rows["end"] == ends[-1]].set_index("location")
    said = _past_changes(history, rows.loc[rows["end"] == ends[-1]])
    change = {
        code: SUPPRESSED if middle == SUPPRESSED else f"{middle} ({reach})" if np.isfinite(value) else NOT_AVAILABLE
        for code, value, (middle, reach) in zip(newest.index, newest["change"], said, strict=True)
    }
    places = rows.drop_duplicates("location")[["name", "location", "district"]].itertuples(index=False, name=None)
    made = [
        Row((bare(place), bare(code), bare(district), *(held.get((code, end), "not held") for end in ends),
             change.get(code, NOT_AVAILABLE)))
        for place, code, district in places
    ]  # fmt: skip
    years = [
        Heading(
            bare(f"{end.year - 1}/{end.year % 100:02d}"), number=True, unit="recording changed" if end in marked else ""
        )
        for end in ends
    ]
    last = Heading("Newest change", number=True, unit="range by chance")
    headings = [Heading("Place"), Heading("Code"), Heading("District"), *years, last]
    return HtmlTable(name, caption, headings, made, (2,), note, folded=True)


def _lines(history: Named, outlook: Named, base: str) -> pd.DataFrame:
    """Recorded and expected rows as lines of words, by kind of year, level, place and period."""
    import pandas as pd

    past, ahead = _with_change(history), outlook.rows
    hidden = outlook.withheld[["mean", "low", "high", "last_year"]].any(axis=1).to_list()
    low, high = (texts(outlook, column, "recorded") for column in ("low", "high"))
    reach = [SUPPRESSED if SUPPRESSED in ends else " to ".join(ends) for ends in zip(low, high, strict=True)]
    mean = texts(outlook, "mean", "expected")
    future = ahead.assign(
        state="expected",
        records=[m if m == SUPPRESSED else f"{m} ({r})" for m, r in zip(mean, reach, strict=True)],
        change=_expected_changes(outlook, hidden),
        reach=_expected_reaches(outlook, hidden),
        remarks=[
            f"{number_of(outlook, row, 'recorded_part', 'recorded')} of it already recorded"
            if p > 0
            else f"compared with {base}"
            if base and window == "12_months"
            else ""
            for row, p, window in zip(ahead.index, ahead["recorded_part"], ahead["window"], strict=True)
        ],
    )
    changes = _past_changes(history, past)
    past = past.assign(
        state="recorded",
        records=_recorded_texts(history),
        reach=[reach for _, reach in changes],
        change=[change for change, _ in changes],
        remarks=[bare(note) for note in past["note"].fillna("")],
    )
    both = pd.concat([past[_LINE], future[_LINE]], ignore_index=True)
    order = both.assign(
        window=both["window"].map({w: n for n, w in enumerate(WINDOW_NAMES)}),
        level=both["level"].map(LEVELS.index),
    ).sort_values(["window", "level", "name", "location", "start"], kind="stable")
    return both.loc[order.index]


def _with_change(history: Named) -> pd.DataFrame:
    """The history with the change on the same period a year before, where both are held and neither is withheld."""
    import pandas as pd

    rows = history.rows.assign(hidden=history.withheld["recorded"])
    before = rows[[*_KEY, "end", "recorded", "hidden"]].rename(columns={"recorded": "before", "hidden": "hid"})
    before["before_row"] = rows.index
    # The last day of a month is a month's end again a year later, leap years included.
    before["end"] = (before["end"] + pd.DateOffset(years=1) + pd.offsets.MonthEnd(0)).astype(rows["end"].dtype)
    joined = rows.merge(before, on=[*_KEY, "end"], how="left", validate="one_to_one")
    a, b = joined["before"].to_numpy(dtype=np.float64), joined["recorded"].to_numpy(dtype=np.float64)
    sound = np.isfinite(a) & np.isfinite(b) & (a >= SMALL_BASE)
    low, high = change_by_chance(a, b)
    change = np.divide(b, a, out=np.full(len(a), np.nan), where=sound) - 1
    hidden = joined["hidden"].to_numpy(dtype=bool) | joined["hid"].eq(other=True).to_numpy()
    found = joined.assign(change=change, low=low, high=high, hidden=hidden).set_index(rows.index)
    return found.assign(before_row=found["before_row"].fillna(-1).astype("int64"))


def _recorded_texts(history: Named) -> list[str]:
    """The counts in words; a period with a missing month says how many it lacks."""
    rows = history.rows[["recorded", "months_held", "months_of"]].itertuples(name=None)
    return [
        SUPPRESSED if h else number_of(history, row, "recorded", "recorded") if np.isfinite(v)
        else "missing" if of == 1 else bare(f"missing: {of - held} of {of}")
        for (row, v, held, of), h in zip(rows, history.withheld["recorded"].to_list(), strict=True)
    ]  # fmt: skip


def _expected_changes(outlook: Named, hidden: Sequence[bool]) -> list[str]:
    shown = outlook.rows["change"].map(np.isfinite).to_list()
    return [
        SUPPRESSED if h else number_of(outlook, row, "change", "change") if s else NOT_AVAILABLE
        for row, s, h in zip(outlook.rows.index, shown, hidden, strict=True)
    ]


def _expected_reaches(outlook: Named, hidden: Sequence[bool]) -> list[str]:
    shown = np.isfinite(outlook.rows[["change_low", "change_high"]].to_numpy(dtype=np.float64)).all(axis=1)
    return [
        SUPPRESSED if h
        else " to ".join(number_of(outlook, row, c, "change") for c in ("change_low", "change_high")) if s
        else NOT_AVAILABLE
        for row, s, h in zip(outlook.rows.index, shown, hidden, strict=True)
    ]  # fmt: skip


def _past_changes(history: Named, rows: pd.DataFrame) -> list[tuple[str, str]]:
    """Each recorded count's change on the year before, and the range that chance alone leaves open."""
    found = []
    columns = rows[["before_row", "hidden", "change", "low", "high"]].itertuples(name=None)
    for row, before, hidden, change, low, high in columns:
        if hidden:
            found.append((SUPPRESSED, SUPPRESSED))
            continue
        middle, least, most = past_change(history, row, before, change=change, low=low, high=high)
        found.append((middle, f"{least} to {most}" if np.isfinite(low + high) else NOT_AVAILABLE))
    return found


def _columns(lines: pd.DataFrame, *wanted: str | Sequence[str | Cell]) -> list[Sequence[str | Cell]]:
    """Columns of words: those named, and those given as they are."""
    named = ("name", "kind")
    return [
        w if not isinstance(w, str) else [bare(v) for v in lines[w]] if w in named else lines[w].to_list()
        for w in wanted
    ]


def _periods(lines: pd.DataFrame) -> list[Cell]:
    return [
        Cell(bare(period_words(a.date(), b.date())), float(a.strftime("%Y%m")))
        for a, b in zip(lines["start"].to_list(), lines["end"].to_list(), strict=True)
    ]


def _rows(columns: Sequence[Sequence[str | Cell]], remarks: Sequence[str]) -> list[Row]:
    """Rows of cells; one that a remark bears on is marked."""
    marked = ["marked" if remark else "" for remark in remarks]
    return [Row(cells, style=style) for cells, style in zip(zip(*columns, strict=True), marked, strict=True)]
