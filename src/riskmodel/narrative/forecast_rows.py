"""The rows of the forecast page: in go a target's named outlook, out come tables in words, small pictures beside them.

Every range is written beside its number, every rank as a band, every blank with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.forecast_words import (
    NOT_AVAILABLE,
    SMALL_BASE,
    SUPPRESSED,
    change_words,
    expected_words,
    period_words,
    rank_words,
    recorded_words,
)
from riskmodel.narrative.named_facts import changes_of, number_of, texts
from riskmodel.narrative.published import Named
from riskmodel.narrative.tables_html import PAGE, Cell, Heading, HtmlTable, Interval, Row

__all__ = ["outlook_table", "rate_words", "rates_of"]

Words = Sequence[str | Cell]
_MARKS = {
    "calibrated": "mark-yes", "not calibrated": "mark-no", "too few months to say": "mark-few",
    "not judged": "mark-none",
}  # fmt: skip
_HALF = 76.0
_SMALL = bare(f"base below {SMALL_BASE}")
# A change and the count it starts from give the count it leads to: where one is withheld, no change is shown.
_OF_A_CHANGE = ("mean", "low", "high", "last_year", "change", "change_low", "change_high")


def outlook_table(
    named: Named,
    columns: Sequence[str],
    *,
    name: str,
    caption: str,
    note: str = "",
    filters: Sequence[str] = (),
    folded: bool = False,
    page: int = PAGE,
    places: bool = False,
    no_rate: frozenset[str] = frozenset(),
    base: str = "",
) -> HtmlTable:
    """What is expected as a table.

    Parameters
    ----------
    named : Named
        Rows of the outlook, in the order to be shown.
    columns : sequence of str
        Keys of columns, the first of them ``name``; see ``_CELLS``.
    name, caption, note : str
    filters : sequence of str
        The columns a reader can choose a value of.
    folded : bool
    page : int
        Rows shown at once; 0 shows all.
    places : bool
        Whether rows are found by the map beside the table.
    no_rate : frozenset of str
        Codes of places whose residents are a poor base for a rate.
    base : str
        The 12 months compared with, where they are not the same months a year before.
    """
    empty = {
        "recorded_part": not (named.rows["recorded_part"] > 0).any(),
        "chance": named.rows["chance_higher"].isna().all(),
        "drawn": named.rows["change"].isna().all(),
        "base": not named.rows["location"].isin(no_rate).any(),
    }
    shown = [c for c in columns if not empty.get(c, False)]
    limit = _limit(named)
    own: dict[str, Callable[[Named], Words]] = {
        "drawn": lambda rows: _drawn(rows, limit),
        "rate": lambda rows: _rates(rows, no_rate),
        "base": lambda rows: ["residents are a poor base" if p else "" for p in rows.rows["location"].isin(no_rate)],
    }
    made: list[Words] = [(own.get(c) or _CELLS[c])(named) for c in shown]
    codes = named.rows["location"].to_list() if places else [""] * len(named)
    rows = [Row(cells, code) for cells, code in zip(zip(*made, strict=True), codes, strict=True)]
    special = {"drawn": _drawn_heading(limit), "last_year": _compared_heading(named, base)}
    headings = [special.get(c) or _HEADINGS[c] for c in shown]
    chosen = [shown.index(c) for c in filters if c in shown]
    return HtmlTable(name, caption, headings, rows, chosen, note, folded, page)


def rates_of(named: Named, no_rate: frozenset[str]) -> npt.NDArray[np.float64]:
    """Expected records per 1,000 residents; not a number where there is no sound base or the count is withheld."""
    people = named.rows["population"].to_numpy(dtype=np.float64)
    sound = (people > 0) & ~named.rows["location"].isin(no_rate).to_numpy()
    count = named.rows["mean"].mask(named.withheld["mean"]).to_numpy(dtype=np.float64)
    rates: npt.NDArray[np.float64] = np.divide(1000 * count, people, out=np.full(len(people), np.nan), where=sound)
    return rates


def _plain(column: str) -> Callable[[Named], Words]:
    return lambda named: [bare(str(v)) for v in named.rows[column]]


def _counts(column: str, form: str) -> Callable[[Named], Words]:
    return lambda named: texts(named, column, form)


def _either(named: Named, *columns: str) -> list[bool]:
    return named.withheld[list(columns)].any(axis=1).to_list()


def _period(named: Named) -> Words:
    starts, ends = named.rows["start"].to_list(), named.rows["end"].to_list()
    written: dict[Any, Cell] = {}
    for key in zip(starts, ends, strict=True):
        if key not in written:
            words = bare(period_words(key[0].date(), key[1].date()))
            written[key] = Cell(words, float(key[0].strftime("%Y%m")))
    return [written[key] for key in zip(starts, ends, strict=True)]


def _range(named: Named) -> Words:
    low, high = (texts(named, c, "recorded") for c in ("low", "high"))
    hidden = _either(named, "low", "high")
    return [
        SUPPRESSED if h else a if NOT_AVAILABLE in (a, b) else f"{a} to {b}"
        for a, b, h in zip(low, high, hidden, strict=True)
    ]


def _change(named: Named) -> Words:
    rows, hidden = named.rows, _either(named, *_OF_A_CHANGE)
    values = zip(rows.index, rows["last_year"].to_list(), rows["change"].to_list(), hidden, strict=True)
    return [
        SUPPRESSED if h else _SMALL if np.isfinite(base) and base < SMALL_BASE
        else changes_of(named, row) if np.isfinite(middle) else NOT_AVAILABLE
        for row, base, middle, h in values
    ]  # fmt: skip


def _limit(named: Named) -> float:
    """The ends of the small pictures' axis: the widest range of the table, in tens of per cent."""
    rows = named.rows
    sound = ((rows["last_year"] >= SMALL_BASE) & rows["change"].notna()).to_numpy()
    ends = np.abs(rows[["change_low", "change_high"]].to_numpy(dtype=np.float64)[sound])
    widest = float(np.nanmax(ends)) if np.isfinite(ends).any() else 0.1
    return float(min(max(np.ceil(10 * widest) / 10, 0.1), 1.0))


def _drawn_heading(limit: float) -> Heading:
    ends = bare(f"{change_words(-limit)} to {change_words(limit)}")
    return Heading("Change as a picture", unit=f"{ends}; upright line: no change", sorts=False)


def _compared_heading(named: Named, base: str) -> Heading:
    """What counts are compared with; a table of several windows says which rows have another base."""
    windows = set(named.rows["window"])
    if not base or "12_months" not in windows:
        return _HEADINGS["last_year"]
    if windows == {"12_months"}:
        return Heading("Newest 12 months", number=True, unit=base)
    return Heading("A year before", number=True, unit=f"same months; beside the next 12: {base}")


def _drawn(named: Named, limit: float) -> Words:
    values = named.rows[["last_year", "change_low", "change", "change_high"]].to_numpy(dtype=np.float64)
    hidden = np.array(_either(named, *_OF_A_CHANGE))
    drawn = np.isfinite(values).all(axis=1) & (values[:, 0] >= SMALL_BASE) & ~hidden
    across = np.round(80 + _HALF * np.clip(values[:, 1:] / limit, -1, 1), 1)
    return [Cell("", drawn=Interval(*x)) if d else "" for x, d in zip(across.tolist(), drawn.tolist(), strict=True)]


def _chance(named: Named) -> Words:
    values, hidden = (
        zip(named.rows.index, named.rows["chance_higher"], strict=True),
        _either(named, "mean", "last_year", "chance_higher"),
    )
    return [
        SUPPRESSED if h
        else Cell(number_of(named, row, "chance_higher", "chance"), _order(v)) if np.isfinite(v) else NOT_AVAILABLE
        for (row, v), h in zip(values, hidden, strict=True)
    ]  # fmt: skip


def _rank(named: Named) -> Words:
    values = named.rows[["rank_low", "rank_high", "of"]].to_numpy(dtype=np.float64).tolist()
    hidden = _either(named, "rank_low", "rank_high", "mean")
    return [
        SUPPRESSED if h else "not ranked" if not np.isfinite(v[0]) or v[2] == 1
        else Cell(_band(named, int(row), v), _order(v[0] + v[1] / 10_000), "rank")
        for row, v, h in zip(named.rows.index, values, hidden, strict=True)
    ]  # fmt: skip


def _band(named: Named, row: int, values: Sequence[float]) -> str:
    if named.book is None:
        return rank_words(*values)
    return named.book.cells(named.table, row, ("rank_low", "rank_high", "of"), form="rank_band")


def _rates(named: Named, no_rate: frozenset[str]) -> Words:
    hidden, poor = named.withheld["mean"].to_list(), named.rows["location"].isin(no_rate).to_list()
    return [
        SUPPRESSED if h else "count only" if p else rate_words(named, int(row), r)
        for row, r, h, p in zip(named.rows.index, rates_of(named, no_rate).tolist(), hidden, poor, strict=True)
    ]


def rate_words(named: Named, row: int, rate: float) -> str:
    """Expected records per 1,000 residents of one place."""
    if named.book is None or not np.isfinite(rate):
        return expected_words(rate)
    count = ["multiply", ["cell", named.table, row, "mean"], ["number", 1000]]
    people = ["cell", "places", int(named.number(row, "place_row")), "population"]
    name = f"{named.table}.{row}.rate"
    return named.book.made(name, ["divide", count, people], form="expected", unit="records per 1,000 residents")


def _people(named: Named) -> Words:
    if named.book is None:
        return [recorded_words(v) for v in named.rows["population"]]
    places = named.rows["place_row"]
    return [named.book.cell("places", int(row), "population", form="recorded") for row in places]


def _reliability(named: Named) -> Words:
    made = {word: Cell(word, style=mark) for word, mark in _MARKS.items()}
    return [made.get(word, word) for word in named.rows["reliability"]]


def _order(value: float) -> float:
    return round(float(value), 4)


_HEADINGS = {
    "name": Heading("Place"),
    "kind": Heading("Kind of area"),
    "location": Heading("Code"),
    "district": Heading("District"),
    "period": Heading("Period"),
    "expected": Heading("Expected", number=True, unit="records"),
    "range": Heading("Likely range", number=True, unit="9 in 10"),
    "recorded_part": Heading("Already recorded", number=True, unit="part of the count"),
    "last_year": Heading("A year before", number=True, unit="same months"),
    "change": Heading("Expected change", number=True, unit="likely range"),
    "chance": Heading("Chance of more than a year before"),
    "rank": Heading("Rank band", unit="by count"),
    "rate": Heading("Per 1,000 residents", number=True, unit="expected"),
    "population": Heading("Residents", number=True),
    "base": Heading("Remark"),
    "reliability": Heading("Reliability of the range"),
}
_CELLS: dict[str, Callable[[Named], Words]] = {
    "name": _plain("name"),
    "kind": _plain("kind"),
    "location": _plain("location"),
    "district": _plain("district"),
    "period": _period,
    "expected": _counts("mean", "expected"),
    "range": _range,
    "recorded_part": _counts("recorded_part", "recorded"),
    "last_year": _counts("last_year", "recorded"),
    "change": _change,
    "chance": _chance,
    "rank": _rank,
    "population": _people,
    "reliability": _reliability,
}
