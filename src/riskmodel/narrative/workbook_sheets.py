"""The sheets of the planner's workbook as frames: their rows and columns in order, with a mark in every blank cell.

In: the tables of a run. Out: sheets, each one table with a title, in which every number is the table's own and every
blank says why it is blank.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from riskmodel.contracts.judging_tables import NOISE_FLOOR
from riskmodel.contracts.planner_tables import CALIBRATION, HISTORY, OUTLOOK, PLACES, RECORDING
from riskmodel.contracts.tables import COMPARISON, Table, TableError, as_table
from riskmodel.narrative.workbook_columns import (
    CALIBRATION_COLUMNS,
    COMPARISON_COLUMNS,
    HISTORY_COLUMNS,
    NOISE_FLOOR_COLUMNS,
    OUTLOOK_COLUMNS,
    RECORDING_COLUMNS,
    TARGET_COLUMNS,
    SheetColumn,
)
from riskmodel.narrative.workbook_text import LEVEL_NAMES, WINDOW_NAMES, TargetNote, day_words

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Sheet", "build_sheets"]

_WIDE = ("pfa", "csp24", "lad24", "local")
# label, title, window, levels, general notes: every row of the outlook lies in exactly one of them.
_OUTLOOK_SHEETS: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("Next_12_months", "the next 12 months, by partnership and district", ("12_months",), _WIDE),
    ("Wards", "the next 12 months, by ward", ("12_months",), ("ward24",)),
    ("MSOAs", "the next 12 months, by MSOA", ("12_months",), ("msoa21",)),
    ("Quarters", "by quarter", ("quarter",), (*_WIDE, "ward24", "msoa21")),
    ("Financial_years", "by financial year", ("financial_year",), (*_WIDE, "ward24", "msoa21")),
    ("Months", "by month, partnership and district", ("month",), _WIDE),
    ("LSOAs_by_year", "by LSOA and year", ("12_months", "financial_year"), ("lsoa21",)),
)
_YEARS = ("financial_year", "calendar_year", "12_months")


@dataclass(frozen=True)
class Sheet:
    """One worksheet: its tab, its title, lines above the table, the columns and the rows (only text, numbers, days)."""

    label: str
    title: str
    lines: tuple[str, ...]
    notes: tuple[str, ...]
    columns: tuple[SheetColumn, ...]
    rows: pd.DataFrame


def build_sheets(
    tables: Mapping[str, pd.DataFrame],
    targets: Sequence[TargetNote],
    suppressed: Mapping[str, pd.DataFrame],
) -> list[Sheet]:
    """Every sheet that has rows, in the order a planner reads them.

    Raises
    ------
    TableError
        If a table breaks its record, a blank is unexplained, a place or target has no name, or the outlook holds rows
        finer than the published grain.
    """
    titles = {t.target: t.title for t in targets}
    names = _names(_checked(tables, "places", PLACES, suppressed))
    outlook = _named(_marked_outlook(tables, suppressed), names, titles)
    sheets = [_outlook_sheet(outlook, *entry, several=len(titles) > 1) for entry in _OUTLOOK_SHEETS]
    _require_all_rows_shown(outlook, sheets)
    if "history" in tables:
        history = _named(_marked_history(tables, suppressed), names, titles)
        sheets.append(_history_sheet(history, several=len(titles) > 1))
    for name, record, columns, label, title in (
        ("recording", RECORDING, RECORDING_COLUMNS, "Recording", "How many records had a known place, by month"),
        ("comparison", COMPARISON, COMPARISON_COLUMNS, "How_well", "How well the forecast has done against counting"),
        ("noise_floor", NOISE_FLOOR, NOISE_FLOOR_COLUMNS, "At_most", "What gain over counting is possible at all"),
        ("calibration", CALIBRATION, CALIBRATION_COLUMNS, "Calibration", "How often ranges held what they promised"),
    ):
        if name in tables:
            rows = _marked(_checked(tables, name, record, suppressed), record, suppressed.get(name))
            sheets.append(Sheet(label, title, (), (), columns, _numbered(_spelt(rows, titles))))
    sheets.append(_target_sheet(targets))
    return [s for s in sheets if len(s.rows)]


def _checked(
    tables: Mapping[str, pd.DataFrame], name: str, record: Table, suppressed: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """The table as its record says, but for cells that are blank because they are withheld."""
    if name not in tables:
        raise TableError(f"the workbook needs the table '{name}'", found=sorted(tables))
    table = tables[name].reset_index(drop=True)
    if name not in suppressed:
        return as_table(table, record)
    mask = suppressed[name].reset_index(drop=True)
    if mask.shape != table.shape or list(mask.columns) != list(table.columns):
        raise TableError(f"the mask of withheld cells is not of the shape of '{name}'", found=mask.shape)
    return as_table(table.mask(mask & table.isna(), 0), record).mask(mask)


def _marked(table: pd.DataFrame, record: Table, mask: pd.DataFrame | None) -> pd.DataFrame:
    """The table with a shorthand in each blank cell: withheld, else not available."""
    shown = table.astype(object)
    shown = shown.mask(table.isna(), "[x]")
    texts = [c.name for c in record.columns if c.dtype == "str"]
    shown[texts] = shown[texts].mask(shown[texts] == "", "[z]")
    if mask is not None:
        shown = shown.mask(mask.reset_index(drop=True)[record.names], "[c]")
    return shown


def _marked_outlook(tables: Mapping[str, pd.DataFrame], suppressed: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    table = _checked(tables, "outlook", OUTLOOK, suppressed)
    mask = suppressed.get("outlook")
    shown = _marked(table, OUTLOOK, mask)
    ranks, changes = ["rank_low", "rank_high", "of"], ["change", "change_low", "change_high"]
    withheld = shown == "[c]"
    no_base = (table["last_year"] == 0).to_numpy()[:, None]
    shown[ranks] = shown[ranks].mask(table[ranks].isna() & ~withheld[ranks], "[z]")
    shown[changes] = shown[changes].mask(table[changes].isna() & ~withheld[changes] & no_base, "[z]")
    return shown


def _marked_history(tables: Mapping[str, pd.DataFrame], suppressed: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The history with the change on the same period a year before, where both are held in full."""
    import pandas as pd

    table = _checked(tables, "history", HISTORY, suppressed)
    key = ["target", "window", "level", "location"]
    before = table[[*key, "end", "recorded"]].rename(columns={"recorded": "before"})
    # The last day of a month is a month's end again a year later, leap years included.
    before["end"] = (before["end"] + pd.DateOffset(years=1) + pd.offsets.MonthEnd(0)).astype("datetime64[s]")
    joined = table.merge(before, on=[*key, "end"], how="left", validate="one_to_one")
    shown = _marked(table, HISTORY, suppressed.get("history"))
    change = (joined["recorded"] / joined["before"].where(joined["before"] > 0) - 1).astype(object)
    change = change.mask(joined["before"] == 0, "[z]")
    change = change.mask(change.isna(), "[x]").mask((shown["recorded"] == "[c]").to_numpy(), "[c]")
    return shown.assign(change=change.to_numpy())


def _names(places: pd.DataFrame) -> pd.DataFrame:
    """Each place's name and its district's, by level and code."""
    districts = places[places["level"] == "lad24"].set_index("location")["name"]
    district = places["lad24"].map(districts).fillna(places["lad24"])
    return places.assign(district=district.mask(district == "", "[z]"))[["level", "location", "name", "district"]]


def _named(shown: pd.DataFrame, names: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """The rows with names in place of codes, sorted by kind of area, name and period."""
    unknown = sorted(set(shown["target"]) - set(titles))
    if unknown:
        raise TableError("a target has no title", found=unknown, allowed=sorted(titles))
    out = shown.merge(names.astype(object), on=["level", "location"], how="left", validate="many_to_one")
    bare = out["name"].isna()
    if bare.any():
        found = sorted(
            {f"{level} {code}" for level, code in out.loc[bare, ["level", "location"]].itertuples(index=False)}
        )
        raise TableError("areas are not in the table 'places'", found=found[:20])
    order = list(LEVEL_NAMES)
    out["title"] = out["target"].map(titles)
    out["kind"] = out["level"].map(LEVEL_NAMES)
    out["period"] = out["window"].map(WINDOW_NAMES)
    return out.sort_values(
        ["title", "level", "name", "location", "end", "window"],
        key=lambda column: column.map(order.index) if column.name == "level" else column,
        kind="stable",
    )


def _outlook_sheet(
    outlook: pd.DataFrame,
    label: str,
    about: str,
    windows: tuple[str, ...],
    levels: tuple[str, ...],
    *,
    several: bool,
) -> Sheet:
    rows = outlook[outlook["window"].isin(windows) & outlook["level"].isin(levels)]
    drop = _not_needed(rows, levels, several)
    lines: tuple[str, ...] = ()
    if len(rows) and "12_months" in windows and rows[["start", "end"]].drop_duplicates().shape[0] == 1:
        start, end = rows["start"].iloc[0], rows["end"].iloc[0]
        lines = (f"Period: {_days(start)} to {_days(end)}",)
        drop |= {"start", "end"}
    if "12_months" not in windows:
        drop |= {"rank_low", "rank_high", "of"}
    notes = ("located", "range", "reliability", *(("ranks",) if "12_months" in windows else ()))
    columns = tuple(c for c in OUTLOOK_COLUMNS if c.key not in drop)
    return Sheet(label, f"Expected recorded violence, {about}", lines, notes, columns, _numbered(rows))


def _history_sheet(history: pd.DataFrame, *, several: bool) -> Sheet:
    levels = tuple(level for level in LEVEL_NAMES if level != "lsoa21")
    rows = history[history["window"].isin(_YEARS) & history["level"].isin(levels)]
    drop = _not_needed(rows, levels, several) - {"period"}
    columns = tuple(c for c in HISTORY_COLUMNS if c.key not in drop)
    lines = ("LSOAs, quarters and months are in the file history.csv.",)
    notes = ("located", "missing", "recording_change")
    return Sheet("All_years", "Recorded violence in all years held", lines, notes, columns, _numbered(rows))


def _target_sheet(targets: Sequence[TargetNote]) -> Sheet:
    import pandas as pd

    rows = pd.DataFrame([vars(t) for t in targets], columns=[c.key for c in TARGET_COLUMNS]).astype(object)
    return Sheet("Targets", "What is counted", (), (), TARGET_COLUMNS, rows)


def _not_needed(rows: pd.DataFrame, levels: Sequence[str], several: bool) -> set[str]:
    """Columns that would say the same in every row of a sheet."""
    drop = set() if several else {"title"}
    drop |= {"kind"} if len(levels) == 1 else set()
    drop |= {"district"} if set(levels) <= set(_WIDE) else set()
    return drop | ({"period"} if rows["window"].nunique() < 2 else set())


def _require_all_rows_shown(outlook: pd.DataFrame, sheets: Sequence[Sheet]) -> None:
    shown = sum(len(s.rows) for s in sheets)
    if shown != len(outlook):
        places = {(str(label), str(level)) for _, _, w, levels in _OUTLOOK_SHEETS for label in w for level in levels}
        pairs = set(outlook[["window", "level"]].drop_duplicates().itertuples(index=False, name=None))
        raise TableError(
            "the outlook holds rows that no sheet shows: finer than is published, or of an unknown level",
            found=sorted(f"{level} by {window}" for window, level in pairs - places),
        )


def _spelt(rows: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """Targets, kinds of area and of period in the words a planner reads, where a table has them."""
    known = {"target": titles, "level": LEVEL_NAMES, "window": WINDOW_NAMES}
    return rows.assign(**{name: rows[name].replace(words) for name, words in known.items() if name in rows.columns})


def _numbered(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.reset_index(drop=True)


def _days(moment: pd.Timestamp) -> str:
    return day_words(date(moment.year, moment.month, moment.day))
