"""What each row of a table is about: in go declared columns as text, out come area, period and breakdown.

Each is spelt one way. Cells are judged once for each distinct spelling; a cell that is not what its column declares is
refused with its line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from riskmodel.contracts.areas import is_area_code
from riskmodel.contracts.specs import FileSpec, TableSpec
from riskmodel.sources.named_periods import FORMS_OF_PERIODS, as_date, as_period
from riskmodel.sources.table_files import Rows

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["NOT_RECORDED", "Keys", "Names", "areas_of", "breakdowns_of", "encoded", "periods_of", "source_of"]

NOT_RECORDED = "not recorded"
"""How a blank cell of a breakdown is spelt."""

_BAND = re.compile(r"(hour_band|weekday_band)\((.+)\)")
_HOUR = re.compile(r"([01]?[0-9]|2[0-3])(:[0-5][0-9](:[0-5][0-9])?)?")
_QUARTERS_OF_DAY = ("00-05", "06-11", "12-17", "18-23")


@dataclass(frozen=True, eq=False)
class Names:
    """A column as its distinct names, and each row's place among them."""

    names: list[str]
    index: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Keys:
    """What a row is about: area, period (one blank name where the file holds a single one) and breakdown."""

    area: Names
    period: Names
    breakdown: Names

    def of(self, rows: NDArray[np.intp]) -> NDArray[np.int64]:
        """One number for each combination."""
        key = self.area.index[rows] * len(self.period.names) + self.period.index[rows]
        return np.asarray(key * len(self.breakdown.names) + self.breakdown.index[rows], dtype=np.int64)

    def spelt(self, key: NDArray[np.int64], measure: str, values: NDArray[np.float64]) -> dict[str, pa.Array]:
        """Observations of one measure."""
        import pyarrow as pa

        rest, breakdown = np.divmod(key, len(self.breakdown.names))
        area, period = np.divmod(rest, len(self.period.names))

        def named(names: Sequence[str], index: NDArray[np.int64]) -> pa.Array:
            return pa.array(names, pa.string()).take(pa.array(index))

        return {
            "measure": named([measure], np.zeros(len(key), dtype=np.int64)),
            "breakdown": named(self.breakdown.names, breakdown),
            "area": named(self.area.names, area),
            "value": pa.array(values, pa.float64(), mask=np.isnan(values)),
            "period": named(self.period.names, period),
        }


def source_of(column: str) -> tuple[str, str]:
    """The band a breakdown is cut into (blank for none), and the column it is cut from."""
    banded = _BAND.fullmatch(column)
    return (banded[1], banded[2].strip()) if banded else ("", column)


def encoded(cells: pa.Array) -> Names:
    """A column of text as its distinct names."""
    found = cells.dictionary_encode()
    return Names(found.dictionary.to_pylist(), found.indices.to_numpy().astype(np.int64))


def _renamed(column: Names, names: Sequence[str]) -> Names:
    """The column under other names, of which several may be the same."""
    distinct, place = np.unique(np.asarray(names, dtype=np.str_), return_inverse=True)
    return Names([str(name) for name in distinct], place.reshape(-1).astype(np.int64)[column.index])


def periods_of(rows: Rows, table: TableSpec, kept: NDArray[np.bool_]) -> tuple[Names, NDArray[np.bool_]]:
    """Periods spelt one way, and whether a row has one; rows that are not kept may say what they like."""
    if table.period is None:
        nothing = np.zeros(rows.table.num_rows, dtype=np.int64)
        return Names([""], nothing), np.ones(len(nothing), dtype=bool)
    cells = encoded(rows.text(table.period))
    spelt = [as_period(cell, table.period_form) or "" for cell in cells.names]
    wrong = np.array([bool(cell) and not period for cell, period in zip(cells.names, spelt, strict=True)], dtype=bool)
    bad = wrong[cells.index] & kept
    if bad.any():
        row = int(np.argmax(bad))
        rows.refuse(
            row, f"this is no {table.period_form.replace('_', ' ')}, in column '{table.period}'",
            found=cells.names[cells.index[row]], allowed=FORMS_OF_PERIODS[table.period_form],
        )  # fmt: skip
    return _renamed(cells, spelt), np.array([period != "" for period in spelt], dtype=bool)[cells.index]


def areas_of(rows: Rows, table: TableSpec, spec: FileSpec, used: NDArray[np.bool_]) -> Names:
    """Area codes of the declared level, blank where a code stands for no area; rows that are not used may differ."""
    cells = encoded(rows.text(table.area))
    spelt = ["" if cell in table.no_area else cell for cell in cells.names]
    # Local authorities have codes of one form in every year.
    level = "lad24" if spec.level.startswith("lad") else spec.level
    wrong = np.array([cell != "" and not is_area_code(cell, level) for cell in spelt], dtype=bool)
    bad = wrong[cells.index] & used
    if bad.any():
        row = int(np.argmax(bad))
        rows.refuse(
            row, f"this is no area code of the declared level, in column '{table.area}'",
            found=cells.names[cells.index[row]], allowed=spec.level,
            hint="a code that stands for no area, or for a larger one, can be named under table: no_area",
        )  # fmt: skip
    return _renamed(cells, spelt)


def breakdowns_of(rows: Rows, table: TableSpec, used: NDArray[np.bool_]) -> Names:
    """All declared breakdowns of a row as one name."""
    whole = Names([""], np.zeros(rows.table.num_rows, dtype=np.int64))
    for name in sorted(table.breakdowns):
        band, column = source_of(table.breakdowns[name])
        cells = encoded(rows.text(column))
        spelt = [_banded(cell, band) if cell else NOT_RECORDED for cell in cells.names]
        bad = np.array([part is None for part in spelt], dtype=bool)[cells.index] & used
        if bad.any():
            row = int(np.argmax(bad))
            rows.refuse(
                row, f"this cannot be a {name}, in column '{column}'", found=cells.names[cells.index[row]],
                allowed={"": "a text without | and =", "hour_band": "an hour, 0 to 23", "weekday_band": "a day"}[band],
            )  # fmt: skip
        parts = _renamed(cells, [part or "" for part in spelt])
        names = [f"{before}|{name}={part}".lstrip("|") for before in whole.names for part in parts.names]
        crossed = Names(names, whole.index * len(parts.names) + parts.index)
        whole = _held_names(crossed)
    return whole if table.breakdowns else Names(["total"], whole.index)


def _held_names(column: Names) -> Names:
    held, index = np.unique(column.index, return_inverse=True)
    return Names([column.names[i] for i in held], index.reshape(-1).astype(np.int64))


def _banded(cell: str, band: str) -> str | None:
    if band == "hour_band":
        hour = _HOUR.fullmatch(cell)
        return _QUARTERS_OF_DAY[int(hour[1]) // 6] if hour else None
    if band == "weekday_band":
        day = as_date(cell)
        return None if day is None else "Monday to Thursday" if day.weekday() < 4 else "Friday to Sunday"
    return None if "|" in cell or "=" in cell else cell
