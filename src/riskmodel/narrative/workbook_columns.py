"""The columns of the workbook's sheets: heading, unit, number format, width, and the record each is described by."""

from __future__ import annotations

from dataclasses import dataclass

from riskmodel.contracts.judging_tables import NOISE_FLOOR
from riskmodel.contracts.planner_tables import CALIBRATION, HISTORY, OUTLOOK, RECORDING
from riskmodel.contracts.tables import COMPARISON, Column, Table

__all__ = [
    "CALIBRATION_COLUMNS",
    "COMPARISON_COLUMNS",
    "FORMATS",
    "HISTORY_COLUMNS",
    "NOISE_FLOOR_COLUMNS",
    "OUTLOOK_COLUMNS",
    "RECORDING_COLUMNS",
    "TARGET_COLUMNS",
    "SheetColumn",
]

FORMATS = {"count": "#,##0", "decimal": "#,##0.0", "share": "0%", "share1": "0.0%", "day": "d mmm yyyy", "text": "@"}
_WIDTHS = {"count": 13, "decimal": 13, "share": 13, "share1": 13, "day": 13, "text": 20}
_UNITS = {"share": "per cent"}


@dataclass(frozen=True)
class SheetColumn:
    """One column of a sheet: the frame's column, its heading, how it is written, and its record's column if any."""

    key: str
    heading: str
    kind: str
    width: int
    unit: str = ""
    note: str = ""


def _of(record: Table, key: str, heading: str, kind: str, *, width: int = 0, note: bool = True) -> SheetColumn:
    column: Column = next(c for c in record.columns if c.name == key)
    text = column.description if note else ""
    unit = _UNITS.get(column.unit, column.unit)
    unit = "" if unit in heading.lower() else unit
    return SheetColumn(key, heading, kind, width or _WIDTHS[kind], unit, text)


_PLACE = (
    SheetColumn("name", "Area name", "text", 34),
    SheetColumn("kind", "Kind of area", "text", 28),
    SheetColumn("location", "Area code", "text", 13),
    SheetColumn("district", "District", "text", 22),
    SheetColumn("title", "What is counted", "text", 30),
    SheetColumn("period", "Kind of period", "text", 16),
)
OUTLOOK_COLUMNS = (
    *_PLACE,
    _of(OUTLOOK, "start", "From", "day", note=False),
    _of(OUTLOOK, "end", "To", "day", note=False),
    _of(OUTLOOK, "mean", "Expected recorded violence", "decimal"),
    _of(OUTLOOK, "low", "Likely range: low end", "count"),
    _of(OUTLOOK, "high", "Likely range: high end", "count"),
    _of(OUTLOOK, "reliability", "Reliability of the range", "text", width=18),
    _of(OUTLOOK, "last_year", "Recorded in the months compared with", "count", width=16),
    _of(OUTLOOK, "last_year_end", "Months compared with end on", "day", width=15),
    _of(OUTLOOK, "change", "Expected change on those months", "share"),
    _of(OUTLOOK, "change_low", "Change: low end", "share"),
    _of(OUTLOOK, "change_high", "Change: high end", "share"),
    _of(OUTLOOK, "chance_higher", "Chance of more records than in those months", "share", width=16),
    _of(OUTLOOK, "rank_low", "Range of ranks: from", "count"),
    _of(OUTLOOK, "rank_high", "Range of ranks: to", "count"),
    _of(OUTLOOK, "of", "Areas ranked", "count", note=False),
    _of(OUTLOOK, "median", "Middle of the forecast", "count"),
    _of(OUTLOOK, "recorded_part", "Already recorded in the period", "count"),
    _of(OUTLOOK, "months_forecast", "Months that are forecast", "count"),
)
HISTORY_COLUMNS = (
    *_PLACE,
    _of(HISTORY, "start", "From", "day", note=False),
    _of(HISTORY, "end", "To", "day", note=False),
    _of(HISTORY, "recorded", "Recorded violence", "count"),
    SheetColumn(
        "change",
        "Change on the year before",
        "share1",
        13,
        "per cent",
        "Recorded violence divided by that of the same period a year before, less one; only where all months of both "
        "are held",
    ),
    _of(HISTORY, "months_held", "Months held", "count", note=False),
    _of(HISTORY, "months_of", "Months in the period", "count", note=False),
    _of(HISTORY, "note", "Remarks", "text", width=60),
)
RECORDING_COLUMNS = (
    _of(RECORDING, "period", "Month", "text", width=13, note=False),
    _of(RECORDING, "located", "Located records", "count", width=16),
    _of(RECORDING, "unlocated", "Unlocated records", "count", width=16),
    _of(RECORDING, "out_of_force", "Records outside the force", "count", width=16),
    _of(RECORDING, "located_share", "Located share", "share1", width=16),
    _of(RECORDING, "all_recorded", "All records", "count", width=16),
)
COMPARISON_COLUMNS = (
    _of(COMPARISON, "model_id", "Forecast", "text", note=False, width=24),
    _of(COMPARISON, "baseline", "Compared with", "text", width=18),
    _of(COMPARISON, "metric", "Measured by", "text", width=20),
    _of(COMPARISON, "origin_date", "Forecast made on", "text", width=16),
    _of(COMPARISON, "horizon", "Months ahead", "text", width=12),
    _of(COMPARISON, "skill", "Gain over counting", "share1"),
    _of(COMPARISON, "low", "Gain: low end", "share1"),
    _of(COMPARISON, "high", "Gain: high end", "share1"),
    _of(COMPARISON, "verdict", "Verdict", "text", width=26),
    _of(COMPARISON, "forecasts", "Forecasts judged", "count"),
    _of(COMPARISON, "month_blocks", "Months judged", "count"),
)
NOISE_FLOOR_COLUMNS = (
    _of(NOISE_FLOOR, "what", "What would be known", "text", width=18),
    _of(NOISE_FLOOR, "model_id", "Forecast", "text", note=False, width=24),
    _of(NOISE_FLOOR, "baseline", "Compared with", "text", width=18),
    _of(NOISE_FLOOR, "metric", "Measured by", "text", width=20),
    _of(NOISE_FLOOR, "horizons", "Months ahead", "text", width=12),
    _of(NOISE_FLOOR, "skill_bound", "Gain it would reach", "share1"),
    _of(NOISE_FLOOR, "low", "Gain: low end", "share1"),
    _of(NOISE_FLOOR, "high", "Gain: high end", "share1"),
    _of(NOISE_FLOOR, "forecasts", "Forecasts judged", "count"),
    _of(NOISE_FLOOR, "sentence", "In words", "text", note=False, width=60),
)
CALIBRATION_COLUMNS = (
    _of(CALIBRATION, "model_id", "Forecast", "text", note=False, width=24),
    _of(CALIBRATION, "target", "What is counted", "text", note=False, width=34),
    _of(CALIBRATION, "window", "Kind of period", "text", note=False, width=16),
    _of(CALIBRATION, "level", "Kind of area", "text", note=False, width=28),
    _of(CALIBRATION, "stratum", "Split by", "text", width=14),
    _of(CALIBRATION, "value", "Part", "text", width=14),
    _of(CALIBRATION, "central", "Range judged", "share"),
    _of(CALIBRATION, "pit_mass", "Share found in the range", "share1"),
    _of(CALIBRATION, "low", "That share: low end", "share1"),
    _of(CALIBRATION, "high", "That share: high end", "share1"),
    _of(CALIBRATION, "verdict", "Reliability of the range", "text", width=22),
    _of(CALIBRATION, "coverage", "Share within the range as printed", "share1", width=15),
    _of(CALIBRATION, "coverage_expected", "Expected share within the range as printed", "share1", width=15),
    _of(CALIBRATION, "forecasts", "Forecasts judged", "count"),
    _of(CALIBRATION, "month_blocks", "Months judged", "count"),
)
TARGET_COLUMNS = (
    SheetColumn("title", "What is counted", "text", 34),
    SheetColumn("covers", "It covers", "text", 60),
    SheetColumn("leaves_out", "It leaves out", "text", 60),
    SheetColumn("version", "Version of the definition", "count", 14),
    SheetColumn("target", "Label in the tables", "text", 26),
)
