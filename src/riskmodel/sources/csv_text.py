"""CSV text to columns: in goes a checked text and the columns wanted, out come arrow columns, fast.

Arrow reads the good file in one pass. Only when it refuses does a slow walk over the rows find the line to name.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from riskmodel.contracts.errors import DataFileError, did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = [
    "RowCheck",
    "as_number",
    "header_of",
    "long_table",
    "numbered_rows",
    "read_columns",
    "refuse_repeats",
    "refuse_row",
    "require_columns",
]

_NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_AS_PUBLISHED = "use the file exactly as its publisher offers it, or download it again"

RowCheck = Callable[[dict[str, str]], DataFileError | None]
"""Judges one row, given as published column -> cell; its error is raised with the line."""


def header_of(text: bytes, name: str) -> list[str]:
    r"""Return the column headings of a CSV text.

    Raises
    ------
    DataFileError
        If the first line is no row of headings.

    Examples
    --------
    >>> header_of(b'date,"geography code"\n2021,E01000001\n', "one.csv")
    ['date', 'geography code']
    """
    end = text.find(b"\n")
    first = text[: len(text) if end < 0 else end].decode("utf-8").rstrip("\r")
    try:
        header = next(csv.reader([first], strict=True))
    except (csv.Error, StopIteration) as error:
        raise DataFileError(
            "the first line is no row of column headings", where=f"{name}:1", found=first[:80], hint=_AS_PUBLISHED
        ) from error
    return header


def require_columns(header: Sequence[str], wanted: Sequence[str], name: str) -> None:
    """Refuse a header in which a wanted column is missing or appears twice.

    Raises
    ------
    DataFileError
        Naming every missing column and, for the first, the closest heading there is.
    """
    missing = [column for column in wanted if column not in header]
    if missing:
        noun = "column is" if len(missing) == 1 else "columns are"
        raise DataFileError(
            f"{len(missing)} {noun} missing: {', '.join(repr(c) for c in missing[:5])}",
            where=f"{name}:1", found=list(header),
            hint=did_you_mean(missing[0], [c for c in header if c not in wanted]) or _AS_PUBLISHED,
        )  # fmt: skip
    twice = sorted({column for column in wanted if list(header).count(column) > 1})
    if twice:
        raise DataFileError("a column heading is there twice", where=f"{name}:1", found=twice, hint=_AS_PUBLISHED)


def read_columns(
    text: bytes, name: str, types: Mapping[str, pa.DataType], *, check: RowCheck | None = None
) -> pa.Table:
    """Read some columns of a CSV text; only they are converted.

    Parameters
    ----------
    text : bytes
        UTF-8 text with a header line that has these columns.
    name : str
        What messages call the file.
    types : mapping
        Published heading -> arrow type. A blank cell is an empty string, or null in a column of numbers.
    check : callable, optional
        Judges single rows when the fast read fails, so that the message can name a line.

    Raises
    ------
    DataFileError
        With the line, for a row that has another number of fields, a cell that is not of its type, or no rows at all.
    """
    import pyarrow as pa
    import pyarrow.csv as pacsv

    try:
        table = pacsv.read_csv(
            pa.BufferReader(text),
            convert_options=pacsv.ConvertOptions(
                include_columns=list(types), column_types=dict(types), strings_can_be_null=False, null_values=[""]
            ),
        )
    except pa.ArrowInvalid as error:
        refuse_row(text, name, check)
        raise DataFileError(
            "this file cannot be read as CSV", where=name, found=str(error).splitlines()[0], hint=_AS_PUBLISHED
        ) from error
    if table.num_rows == 0:
        raise DataFileError("this file has headings but no rows", where=f"{name}:2", hint=_AS_PUBLISHED)
    return table


def numbered_rows(text: bytes, name: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield every row with the line it ends on, as published heading -> cell: the slow walk.

    Raises
    ------
    DataFileError
        At the first row that has another number of fields than the header, or is no CSV.
    """
    reader = csv.reader(io.StringIO(text.decode("utf-8"), newline=""), strict=True)
    header: list[str] = []
    try:
        for row in reader:
            if not header:
                header = row
            elif row and len(row) != len(header):
                raise DataFileError(
                    "this row has another number of fields than the header", where=f"{name}:{reader.line_num}",
                    found=len(row), allowed=len(header), hint=_AS_PUBLISHED,
                )  # fmt: skip
            elif row:
                yield reader.line_num, dict(zip(header, row, strict=True))
    except csv.Error as error:
        raise DataFileError(
            "this row is no CSV", where=f"{name}:{reader.line_num}", found=str(error), hint=_AS_PUBLISHED
        ) from error


def refuse_row(text: bytes, name: str, check: RowCheck | None) -> None:
    """Raise for the first row that is wrong, with its line; return when none is.

    Parameters
    ----------
    text, name, check
        As in `read_columns`; without a check only the form of the rows is judged.

    Raises
    ------
    DataFileError
        What the check says, with the line added.
    """
    for line, row in numbered_rows(text, name):
        problem = check(row) if check is not None else None
        if problem is not None:
            raise DataFileError(
                problem.what, where=f"{name}:{line}", found=problem.found, allowed=problem.allowed, hint=problem.hint
            )


def refuse_repeats(text: bytes, name: str, column: str, cells: pa.ChunkedArray) -> None:
    """Raise for the first cell of a column that appeared before, naming both lines; return when none did.

    Parameters
    ----------
    text, name
        As in `read_columns`.
    column : str
        The published heading.
    cells : arrow array
        The column as read.

    Raises
    ------
    DataFileError
        At the second row that holds the same cell.
    """
    if len(cells.unique()) == len(cells):
        return
    seen: dict[str, int] = {}
    for line, row in numbered_rows(text, name):
        value = row[column]
        if value in seen:
            raise DataFileError(
                f"'{column}' repeats", where=f"{name}:{line}", found=value, allowed="one row each",
                hint=f"it is on line {seen[value]} already; {_AS_PUBLISHED}",
            )  # fmt: skip
        seen[value] = line


def long_table(areas: list[str], values: Mapping[str, NDArray[np.float64]]) -> pa.Table:
    """Arrange columns of one value per area as observations: measure, breakdown, area, value.

    Examples
    --------
    >>> long_table(["E01000001"], {"usual_residents": np.array([1474.0])}).to_pylist()
    [{'measure': 'usual_residents', 'breakdown': 'total', 'area': 'E01000001', 'value': 1474.0}]
    """
    import pyarrow as pa

    names = list(values)
    rows, width = len(areas), len(values)
    numbers = np.concatenate([values[name] for name in names])
    return pa.table(
        {
            "measure": pa.array(names, pa.string()).take(pa.array(np.repeat(np.arange(width), rows))),
            "breakdown": pa.array(["total"], pa.string()).take(pa.array(np.zeros(rows * width, dtype=np.int64))),
            "area": pa.array(areas, pa.string()).take(pa.array(np.tile(np.arange(rows), width))),
            "value": pa.array(numbers, pa.float64(), mask=np.isnan(numbers)),
        }
    )


def as_number(cell: str) -> float | None:
    """Read a cell as a finite number in plain notation, or None.

    Examples
    --------
    >>> as_number("5432.9"), as_number("nan"), as_number("1_000")
    (5432.9, None, None)
    """
    return float(cell) if _NUMBER.fullmatch(cell.strip()) else None
