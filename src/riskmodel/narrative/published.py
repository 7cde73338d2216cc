"""The tables of a run as a page may show them: in go tables by their records, out comes each target with named rows.

A cell that is withheld stays marked as withheld wherever it is shown. Rows finer than the published grain are refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from riskmodel.contracts.judging_tables import NOISE_FLOOR
from riskmodel.contracts.planner_tables import CALIBRATION, HISTORY, OUTLOOK, PLACES, RECORDING
from riskmodel.contracts.tables import COMPARISON, Table, TableError, as_table
from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.forecast_words import Counted, period_words
from riskmodel.narrative.workbook_text import LEVEL_NAMES, WINDOW_NAMES

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.narrative.facts.book import FactBook

__all__ = ["LEVELS", "WIDE", "Named", "Published", "publish", "table_of"]

LEVELS = tuple(LEVEL_NAMES)
"""Levels from the widest to the smallest."""
WIDE = ("pfa", "csp24", "lad24", "local")
"""The levels whose every row is listed on the page."""
_YEARS = ("12_months", "financial_year", "calendar_year")
_RECORDS = {
    "outlook": OUTLOOK, "history": HISTORY, "places": PLACES, "calibration": CALIBRATION, "recording": RECORDING,
    "comparison": COMPARISON, "noise_floor": NOISE_FLOOR,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Named:
    """Rows with the names of their places, and for each cell whether it is withheld.

    ``rows`` has the table's own columns and name, district, kind, population; ``withheld`` has the table's own columns;
    both have the same index, which is the position in ``table``. ``book`` is what numbers are written through, where
    there is one. ``place_row`` is the place's position in ``places``; ``base_row`` the position in ``history`` of the
    count that stands for last year's, or -1 where the row has its own.
    """

    rows: pd.DataFrame
    withheld: pd.DataFrame
    table: str = ""
    book: FactBook | None = None

    def where(self, *, windows: Sequence[str] = (), levels: Sequence[str] = ()) -> Named:
        """The rows of some windows and levels; all of them where none is named."""
        kept = self.rows["window"].isin(windows) if windows else self.rows["window"].notna()
        if levels:
            kept &= self.rows["level"].isin(levels)
        return self.only(kept)

    def only(self, kept: pd.Series[bool]) -> Named:
        """The rows that are kept."""
        return replace(self, rows=self.rows[kept], withheld=self.withheld[kept])

    def number(self, row: int, column: str) -> float:
        """The number of a row, by its index."""
        held: Any = self.rows.at[row, column]  # noqa: PD008  # a page asks tens of thousands of times
        return float(held)

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.rows)


@dataclass(frozen=True, eq=False)
class Published:
    """One target: what it is, what is expected and what was recorded.

    ``base`` names the 12 months that the next 12 are compared with where they are not the same months a year before.
    """

    counted: Counted
    outlook: Named
    history: Named
    base: str = ""


def publish(
    tables: Mapping[str, pd.DataFrame],
    targets: Sequence[Counted],
    withheld: Mapping[str, pd.DataFrame],
    book: FactBook | None = None,
) -> list[Published]:
    """Each target's rows, named and in the order pages list them: by kind of area, name and period.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        ``outlook`` and ``places`` are needed; ``history`` is used where it is given.
    targets : sequence of Counted
        Every target of the tables, in the order of the page.
    withheld : mapping of str to DataFrame
        For a table, a frame of its shape that is true where a cell is withheld.
    book : FactBook, optional
        What the numbers are written through, so that each knows its cell.

    Raises
    ------
    TableError
        If a table breaks its record, a target or place is unknown, or rows are finer than the published grain.
    """
    places = _with_districts(table_of(tables, "places", withheld)[0])
    outlook, outlook_withheld = table_of(tables, "outlook", withheld)
    _require_published_grain(outlook)
    given = tables if "history" in tables else {"history": _none(HISTORY)}
    history, history_withheld = table_of(given, "history", withheld if "history" in tables else {})
    known = [t.target for t in targets]
    unknown = sorted((set(outlook["target"]) | set(history["target"])) - set(known))
    if unknown:
        raise TableError("a target has no title", found=unknown, allowed=known)
    ahead = replace(_named(outlook, outlook_withheld, places), table="outlook", book=book)
    past = replace(_named(history, history_withheld, places), table="history", book=book)
    made = [Published(t, _of(ahead, t), _of(past, t)) for t in targets]
    return [_one_row_a_place(_with_newest_year(published)) for published in made]


def _of(named: Named, counted: Counted) -> Named:
    return named.only(named.rows["target"] == counted.target)


def table_of(
    tables: Mapping[str, pd.DataFrame], name: str, withheld: Mapping[str, pd.DataFrame]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A table by its record, and which of its cells are withheld; a withheld cell is blank whatever it held.

    Raises
    ------
    TableError
        If the table is not given, breaks its record or has another shape than its mask.
    """
    import numpy as np
    import pandas as pd

    record = _RECORDS[name]
    if name not in tables:
        raise TableError(f"the page needs the table '{name}'", found=sorted(tables))
    table = tables[name].reset_index(drop=True)
    if name not in withheld:
        checked = as_table(table, record)
        return checked, pd.DataFrame(np.zeros(checked.shape, dtype=bool), columns=checked.columns)
    mask = withheld[name].reset_index(drop=True)
    if mask.shape != table.shape or set(mask.columns) != set(table.columns):
        raise TableError(f"the mask of withheld cells is not of the shape of '{name}'", found=mask.shape)
    mask = mask[record.names].astype(bool)
    # A withheld cell may be blank where the record allows none: it is checked as if it were nought, then emptied.
    checked = as_table(table.mask(mask & table[record.names].isna(), 0), record)
    numbers = [c.name for c in record.columns if c.dtype == "float"]
    checked[numbers] = checked[numbers].mask(mask[numbers])
    return checked, mask


def _none(record: Table) -> pd.DataFrame:
    import pandas as pd

    kinds = {"float": "float64", "int": "int64", "date": "datetime64[s]", "str": "str"}
    return pd.DataFrame({c.name: pd.Series(dtype=kinds[c.dtype]) for c in record.columns})


def _require_published_grain(outlook: pd.DataFrame) -> None:
    pairs = outlook[["level", "window"]].drop_duplicates().itertuples(index=False, name=None)
    wrong = sorted(f"{level} by {window}" for level, window in pairs if not _is_published(str(level), str(window)))
    if wrong:
        raise TableError(
            "the outlook holds rows finer than the published grain, or of an unknown level or window",
            found=wrong,
            allowed="lsoa21 by year; msoa21 and ward24 by quarter and longer; other levels by month and longer",
        )


def _is_published(level: str, window: str) -> bool:
    if level not in LEVELS or window not in WINDOW_NAMES:
        return False
    return level in WIDE or (window in _YEARS if level == "lsoa21" else window != "month")


def _with_districts(places: pd.DataFrame) -> pd.DataFrame:
    districts = places[places["level"] == "lad24"].set_index("location")["name"]
    code = places["lad24"].fillna("")
    return places.assign(district=code.map(districts).fillna(code))


def _named(table: pd.DataFrame, withheld: pd.DataFrame, places: pd.DataFrame) -> Named:
    columns = ["level", "location", "name", "district", "population"]
    of_place = places[columns].assign(place_row=range(len(places)))
    rows = table.merge(of_place, on=["level", "location"], how="left", validate="many_to_one").assign(base_row=-1)
    bare = rows["name"].isna()
    if bare.any():
        found = sorted({f"{a} {b}" for a, b in rows.loc[bare, ["level", "location"]].itertuples(index=False)})
        raise TableError("areas are not in the table 'places'", found=found[:20])
    rows["kind"] = rows["level"].map(LEVEL_NAMES)
    order = rows.assign(_level=rows["level"].map(LEVELS.index)).sort_values(
        ["_level", "name", "location", "window", "start"], kind="stable"
    )
    return Named(rows.loc[order.index], withheld.loc[order.index])


def _one_row_a_place(published: Published) -> Published:
    """A partnership that is one district, by its name and its numbers, is listed once."""
    import numpy as np

    year = published.outlook.where(windows=["12_months"], levels=["csp24", "lad24"]).rows
    numbers = ["mean", "low", "high"]
    pairs = year[year["level"] == "csp24"].merge(year[year["level"] == "lad24"], on="name", suffixes=("", "_lad"))
    ours, theirs = (pairs[[f"{n}{tail}" for n in numbers]].to_numpy(dtype=float) for tail in ("", "_lad"))
    same = pairs[np.isclose(ours, theirs, rtol=1e-9, equal_nan=True).all(axis=1)]
    csp, lad = set(same["location"]), set(same["location_lad"])

    def merged(named: Named) -> Named:
        kept = named.only(~((named.rows["level"] == "csp24") & named.rows["location"].isin(csp)))
        both = (kept.rows["level"] == "lad24") & kept.rows["location"].isin(lad)
        kind = kept.rows["kind"].mask(both, "Partnership and district")
        return replace(kept, rows=kept.rows.assign(kind=kind))

    return replace(published, outlook=merged(published.outlook), history=merged(published.history))


def _with_newest_year(published: Published) -> Published:
    """The next 12 months beside the newest 12 published, where the same months a year before are not all published yet.

    Records are published some months late, so that the year before an origin is never complete on it. Twelve months are
    twelve months: every season is in both.
    """
    import numpy as np

    outlook, past = published.outlook, published.history.where(windows=["12_months"])
    year = outlook.rows["window"] == "12_months"
    past = past.only(past.rows["months_held"] == past.rows["months_of"])
    if not year.any() or not len(past) or outlook.rows.loc[year, "last_year"].notna().any():
        return published
    newest = past.only(past.rows["end"] == past.rows["end"].max())
    places = ["level", "location"]
    known = newest.rows[[*places, "recorded"]].assign(hidden=newest.withheld["recorded"], held_at=newest.rows.index)
    rows = outlook.rows[year].merge(known, on=places, how="left").set_index(outlook.rows.index[year])
    base = rows["recorded"].to_numpy(dtype=np.float64)
    filled, hidden = outlook.rows.copy(), outlook.withheld.copy()
    filled.loc[year, "last_year"] = base
    filled.loc[year, "base_row"] = rows["held_at"].fillna(-1).astype("int64")
    hidden.loc[year, "last_year"] |= rows["hidden"].eq(other=True).to_numpy()
    for column, end in (("change", "mean"), ("change_low", "low"), ("change_high", "high")):
        count = rows[end].to_numpy(dtype=np.float64)
        filled.loc[year, column] = np.divide(count, base, out=np.full(len(base), np.nan), where=base > 0) - 1
    first = newest.rows.iloc[0]
    span = bare(period_words(first["start"].date(), first["end"].date()))
    return replace(published, outlook=replace(published.outlook, rows=filled, withheld=hidden), base=span)
