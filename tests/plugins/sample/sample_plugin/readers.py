"""Tables with semicolons between cells and decimal commas, as many spreadsheets save them: one row an area."""

from __future__ import annotations

import csv
import io
from typing import NoReturn

import pyarrow as pa

from riskmodel.contracts.areas import is_area_code
from riskmodel.contracts.errors import DataFileError
from riskmodel.sources.observed import Counted, Observed, SourceFile

__all__ = ["read"]

AREA = "area"


def read(file: SourceFile) -> Observed:
    """A table with semicolons between cells and decimal commas; its column of codes is called area."""
    header, *rows = csv.reader(io.StringIO(file.text().decode("utf-8")), delimiter=";")
    wanted = [AREA, *file.spec.measures.values()]
    absent = [column for column in wanted if column not in header]
    if absent:
        refuse(file, 1, "a column is missing", found=header, allowed=wanted)
    areas: list[str] = []
    values: dict[str, list[float | None]] = {measure: [] for measure in file.spec.measures}
    for line, row in enumerate(rows, start=2):
        if len(row) != len(header):
            refuse(file, line, "this row has another number of cells", found=len(row), allowed=len(header))
        cells = dict(zip(header, row, strict=True))
        if not is_area_code(cells[AREA], file.spec.level) or cells[AREA] in areas:
            refuse(file, line, "no code of the level, or there before", found=cells[AREA], allowed=file.spec.level)
        areas.append(cells[AREA])
        for measure, column in file.spec.measures.items():
            values[measure].append(number(file, line, cells[column]))
    if not areas:
        refuse(file, 2, "this table has no rows")
    blank = sum(value is None for held in values.values() for value in held)
    table = pa.table(
        {
            "measure": [measure for measure in values for _ in areas],
            "breakdown": ["total"] * (len(values) * len(areas)),
            "area": areas * len(values),
            "value": pa.array([value for held in values.values() for value in held], pa.float64()),
        }
    )
    return Observed(table, (Counted("areas read", len(areas)), Counted("blank values", blank)))


def number(file: SourceFile, line: int, cell: str) -> float | None:
    """A number with a decimal comma; None where the cell is blank."""
    if not cell.strip():
        return None
    if not cell.removeprefix("-").replace(",", "", 1).isdecimal():
        refuse(file, line, "this is not a number", found=cell, allowed="digits, and a comma before decimals")
    return float(cell.replace(",", "."))


def refuse(file: SourceFile, line: int, what: str, *, found: object = None, allowed: object = None) -> NoReturn:
    """Say what is wrong with a line."""
    raise DataFileError(what, where=f"{file.name}:{line}", found=found, allowed=allowed, hint="ask for the table again")
