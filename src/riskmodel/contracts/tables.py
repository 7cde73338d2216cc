"""One record per noun: its key, and each column's dtype, unit and description; ``as_table`` validates.

The same records make the reference pages and the notes of every workbook, so a column is described once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from riskmodel.contracts.assessment_tables import ASSESSMENT_TABLES
from riskmodel.contracts.audit_tables import AUDIT_TABLES
from riskmodel.contracts.comparison_tables import COMPARISON, COMPARISON_TABLES
from riskmodel.contracts.effect_tables import EFFECT_TABLES
from riskmodel.contracts.explain_tables import EXPLAIN_TABLES
from riskmodel.contracts.fact_tables import FACT_TABLES
from riskmodel.contracts.judging_tables import JUDGING_TABLES
from riskmodel.contracts.left_out_tables import LEFT_OUT_TABLES
from riskmodel.contracts.planner_tables import PLANNER_TABLES
from riskmodel.contracts.records import Column, Table, TableError
from riskmodel.contracts.stream_tables import STREAM_TABLES

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "BACKTEST",
    "CANDIDATES",
    "COMPARISON",
    "FORECASTS",
    "GROUPS",
    "OBSERVATIONS",
    "QUALITY",
    "SCORES",
    "SEARCH",
    "STREAM_BACKTEST",
    "TABLES",
    "TRAINING_SET",
    "Column",
    "Table",
    "TableError",
    "as_table",
]


_MODEL = Column("model_id", "str", "The model or baseline, as the experiment names it")
_ORIGIN = Column("origin_date", "date", "The day the forecast is made as of: the first day of a month")
_TARGET = Column("target", "str", "What is forecast, with its version, e.g. recorded_violence@1")
_HORIZON = Column("horizon", "int", "1 is the month that begins on the origin", "months")
_LEVEL = Column("level", "str", "The kind of area, with its boundary year")
_LOCATION = Column("location", "str", "The area's code")
_FORECAST_KEY = (
    "model_id", "origin_date", "target", "horizon", "target_end_date", "level", "location", "output_type",
    "output_type_id",
)  # fmt: skip
_FORECAST = (
    _MODEL,
    _ORIGIN,
    _TARGET,
    _HORIZON,
    Column("target_end_date", "date", "The last day of the period forecast"),
    _LEVEL,
    _LOCATION,
    Column("output_type", "str", "mean or quantile"),
    Column("output_type_id", "float", "The quantile's level; blank for the mean", blank=True),
    Column("value", "float", "Expected recorded count, or its quantile", "records in the period"),
)

OBSERVATIONS = Table(
    "observations",
    ("source", "measure", "breakdown", "area", "period", "published"),
    (
        Column("source", "str", "The source file's name under features/sources"),
        Column("measure", "str", "One column of numbers in the source"),
        Column("breakdown", "str", "total, or the part of the population counted"),
        Column("area", "str", "The code as published; blank where the record has no place", blank=True),
        Column("period", "str", "YYYY-MM, or the year of a static vintage"),
        Column("published", "date", "First day the value could be known"),
        Column("value", "float", "The value", "the measure's", blank=True),
    ),
)
FORECASTS = Table("forecasts", _FORECAST_KEY, _FORECAST)
CANDIDATES = Table("candidates", _FORECAST_KEY, _FORECAST)
BACKTEST = Table(
    "backtest",
    _FORECAST_KEY,
    (
        *_FORECAST,
        Column("observed", "float", "Located, in-force, recorded count as known at the run's as-of", "records a month"),
    ),
)
STREAM_BACKTEST = Table("stream_backtest", BACKTEST.key, BACKTEST.columns)
SCORES = Table(
    "scores",
    ("model_id", "metric", "origin_date", "target", "horizon", "level", "location"),
    (
        _MODEL,
        Column("metric", "str", "The scoring rule"),
        _ORIGIN,
        _TARGET,
        _HORIZON,
        _LEVEL,
        Column("location", "str", "The area's code, or the region's where the score needs all its areas at once"),
        Column("value", "float", "The score; blank where it is undefined", "the metric's", blank=True),
        Column("forecasts", "int", "How many forecasts the score rests on"),
        Column("note", "str", "Why a score is undefined", blank=True),
    ),
)
QUALITY = Table(
    "quality",
    ("source", "file", "period", "measure", "rule"),
    (
        Column("source", "str", "The source file's name under features/sources"),
        Column("file", "str", "The published file, relative to the data folder", blank=True),
        Column("period", "str", "YYYY-MM, or the year of a static vintage", blank=True),
        Column("measure", "str", "The measure, or 'all'"),
        Column("rule", "str", "What was counted, e.g. raw rows, duplicates, unlocated, out of force, located"),
        Column("rows", "float", "How many rows (or values, where the rule says so)"),
        Column("note", "str", "What the rule means for the forecast", blank=True),
    ),
)
TRAINING_SET = Table(
    "training_set",
    ("area", "origin", "horizon"),
    (
        Column("area", "str", "LSOA 2021 code"),
        Column("origin", "date", "The past origin the features are known at"),
        Column("horizon", "int", "Months from the origin", "months"),
        Column("y", "float", "The label", "records a month"),
        Column("exposure", "float", "Usual residents", "people"),
    ),
)
GROUPS = Table(
    "groups",
    ("characteristic", "group", "area"),
    (
        Column("characteristic", "str", "The characteristic file's name under fairness/characteristics"),
        Column("group", "str", "The group; not_classified where the area is in no class of a characteristic of areas"),
        Column("area", "str", "LSOA 2021 code"),
        Column("population", "float", "People of the group who live in the area", "people"),
        Column("share", "float", "Their share of everybody in the same table", "share", blank=True),
        Column("source", "str", "The source file's name under features/sources"),
        Column("period", "str", "The period the source recorded, e.g. 2021"),
        Column("published", "date", "First day the numbers could be known"),
    ),
)
SEARCH = Table(
    "search",
    ("model_id", "target", "origin_date", "trial"),
    (
        _MODEL,
        _TARGET,
        _ORIGIN,
        Column("trial", "int", "In the order tried; 0 are the model's own settings"),
        Column("params", "str", "The settings tried, as JSON"),
        Column("score", "float", "Mean Poisson deviance of training origins held back", "deviance", blank=True),
        Column("chosen", "str", "yes for the settings used at this origin, at all horizons; else no"),
        Column("note", "str", "Why there is no score", blank=True),
    ),
)
_OWN = (
    OBSERVATIONS,
    FORECASTS,
    CANDIDATES,
    BACKTEST,
    STREAM_BACKTEST,
    SCORES,
    QUALITY,
    TRAINING_SET,
    GROUPS,
    SEARCH,
)
TABLES = {
    t.name: t
    for t in (
        *_OWN,
        *COMPARISON_TABLES,
        *STREAM_TABLES,
        *LEFT_OUT_TABLES,
        *PLANNER_TABLES,
        *JUDGING_TABLES,
        *EXPLAIN_TABLES,
        *EFFECT_TABLES,
        *AUDIT_TABLES,
        *ASSESSMENT_TABLES,
        *FACT_TABLES,
    )
}


def as_table(frame: pd.DataFrame, table: Table, *, check_key: bool = True) -> pd.DataFrame:
    """Validate a frame against its record and return it with its columns in order.

    Parameters
    ----------
    frame : DataFrame
        Any frame that should be this noun.
    table : Table
        The noun's record.
    check_key : bool
        Whether to look for repeated keys (a full pass over the frame).

    Returns
    -------
    DataFrame
        The same rows; columns in the record's order, dates as ``datetime64[s]``.

    Raises
    ------
    TableError
        If a column is missing, unexpected, of another dtype or blank where it may not be, or a key repeats.
    """
    missing = [n for n in table.names if n not in frame.columns]
    extra = [str(n) for n in frame.columns if n not in table.names]
    if missing or extra:
        raise TableError(f"columns do not fit the table '{table.name}'", found=list(frame.columns), allowed=table.names)
    out = frame[table.names].copy()
    for column in table.columns:
        place = f"{table.name}.{column.name}"
        blank = out[column.name].isna()
        if not column.blank and blank.any():
            raise TableError(f"blank values in '{place}'", found=int(blank.sum()))
        try:
            out[column.name] = _typed(out[column.name], column.dtype)
        except (TypeError, ValueError) as error:
            raise TableError(f"'{place}' is no {column.dtype}", found=str(error)) from error
    if check_key and out.duplicated(list(table.key)).any():
        first = out.loc[out.duplicated(list(table.key)), list(table.key)].iloc[0].to_dict()
        raise TableError(f"the key of '{table.name}' repeats", found=first, allowed="one row a key")
    return out


def _typed(series: pd.Series[Any], dtype: str) -> pd.Series[Any]:
    """The column in its record's dtype; a fraction is never cut to a whole number, nor a time of day to a date."""
    import pandas as pd

    if dtype == "date":
        days = pd.to_datetime(series, format="ISO8601")
        if (days.dropna() != days.dropna().dt.normalize()).any():
            raise ValueError("a time of day")
        return days.astype("datetime64[s]")
    if dtype == "int":
        whole = series.astype("int64")
        if (whole != series.astype("float64")).any():
            raise ValueError("numbers that are not whole")
        return whole
    if dtype == "bool":
        if not series.isin([True, False]).all():
            raise ValueError("neither true nor false")
        return series.astype("bool")
    return series.astype("str" if dtype == "str" else "float64")
