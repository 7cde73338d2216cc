"""The declared columns of a table file: in go a CSV, Parquet, XLSX or ODS file and names, out come those columns.

No other column is parsed. A CSV or Parquet reader is told the columns beforehand; a spreadsheet can only be unpacked as
a whole, so lists of people should come as CSV or Parquet, where nothing but the declared columns is ever decoded.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from riskmodel.contracts.errors import DataFileError, EnvironmentProblem, did_you_mean
from riskmodel.sources.csv_text import as_number, header_of, numbered_rows, require_columns
from riskmodel.sources.observed import SourceFile

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["Rows", "read_rows"]

_EXTRA = 'install what reads it: python -m pip install "riskmodel[spreadsheets]", or save the table as CSV'


@dataclass(frozen=True, eq=False)
class Rows:
    """Declared columns of a file, and where each of its rows stands."""

    name: str
    table: pa.Table
    place: Callable[[int], str]

    def text(self, column: str) -> pa.Array:
        """A column as text; a blank cell is an empty string, a whole number has no decimal point."""
        import pyarrow as pa
        import pyarrow.compute as pc

        cells = self.table[column].combine_chunks()
        if pa.types.is_dictionary(cells.type):
            cells = cells.cast(cells.type.value_type)
        if pa.types.is_floating(cells.type) and pc.all(pc.equal(pc.floor(cells), cells)).as_py():
            cells = cells.cast(pa.int64())
        return pc.utf8_trim_whitespace(pc.fill_null(cells.cast(pa.string()), ""))

    def numbers(self, column: str, rows: NDArray[np.intp], *, no_value: Sequence[str] = ()) -> NDArray[np.float64]:
        """Some rows of a column as numbers; NaN where a cell is blank, or one of those that stand for a blank.

        Raises
        ------
        DataFileError
            At the first cell that is no finite number in plain notation.
        """
        import pyarrow as pa

        cells = self.table[column].combine_chunks().take(pa.array(rows))
        if pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type):
            found = cells.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
            self._refuse(rows, np.isinf(found), column)
            return np.asarray(found, dtype=np.float64)
        spelt = self.text(column).take(pa.array(rows)).dictionary_encode()
        values = [np.nan if cell in ("", *no_value) else as_number(cell) for cell in spelt.dictionary.to_pylist()]
        index = spelt.indices.to_numpy()
        self._refuse(rows, np.array([value is None for value in values], dtype=bool)[index], column)
        return np.asarray(np.array(values, dtype=np.float64)[index])

    def refuse(self, row: int, what: str, **said: Any) -> NoReturn:
        """Raise for a row, with the line (or, in a binary file, the row) it stands on."""
        raise DataFileError(what, where=self.place(int(row)), **said)

    def _refuse(self, rows: NDArray[np.intp], wrong: NDArray[np.bool_], column: str) -> None:
        if wrong.any():
            row = int(rows[np.argmax(wrong)])
            self.refuse(
                row, f"this is not a number, in column '{column}'", found=self.table[column][row].as_py(),
                hint="a value that is not known is left blank; marks in its place can be named under table: no_value",
            )  # fmt: skip


def read_rows(file: SourceFile, columns: Sequence[str]) -> Rows:
    """Read the declared columns of a table, whichever of the four formats its name says.

    Parameters
    ----------
    file : SourceFile
        ``.parquet``, ``.xlsx`` or ``.ods``; any other name is CSV text, perhaps gzipped.
    columns : sequence of str
        Published headings.

    Raises
    ------
    DataFileError
        If the file is broken or empty, or lacks one of the columns.
    EnvironmentProblem
        If a spreadsheet is to be read and the library for it is not installed.
    """
    wanted = list(dict.fromkeys(columns))
    if file.name.endswith(".parquet"):
        return _parquet(file, wanted)
    if file.name.endswith((".xlsx", ".ods")):
        return _some(Rows(file.name, _workbook(file, wanted), lambda row: f"{file.name}: row {row + 2}"))
    return _csv(file, wanted)


def _csv(file: SourceFile, columns: list[str]) -> Rows:
    import pyarrow as pa
    import pyarrow.csv as pacsv

    text = file.text()
    require_columns(header_of(text, file.name), columns, file.name)

    def place(index: int) -> str:
        lines = (line for number, (line, _) in enumerate(numbered_rows(text, file.name)) if number == index)
        return f"{file.name}:{next(lines, 1)}"

    try:
        table = pacsv.read_csv(
            pa.BufferReader(text),
            parse_options=pacsv.ParseOptions(newlines_in_values=True),
            convert_options=pacsv.ConvertOptions(
                include_columns=columns, column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        for _ in numbered_rows(text, file.name):
            pass
        # Arrow's own message quotes the row, which may hold what must not be read.
        raise DataFileError("this file cannot be read as CSV", where=file.name) from error
    return _some(Rows(file.name, table, place))


def _parquet(file: SourceFile, columns: list[str]) -> Rows:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        held = pq.ParquetFile(pa.BufferReader(file.raw))
        _require(held.schema_arrow.names, columns, file.name)
        table = held.read(columns=columns)
    except (pa.ArrowException, OSError) as error:
        raise DataFileError("this file is no Parquet file, or a damaged one", where=file.name) from error
    return _some(Rows(file.name, table, lambda row: f"{file.name}: row {row + 1}"))


def _workbook(file: SourceFile, columns: list[str]) -> pa.Table:
    try:
        from python_calamine import CalamineWorkbook
    except ImportError as error:
        raise EnvironmentProblem("a spreadsheet cannot be read here", where=file.name, hint=_EXTRA) from error
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(file.raw))
    except Exception as error:  # calamine raises whatever its zip and XML readers meet
        kind = "Excel workbook" if file.name.endswith(".xlsx") else "OpenDocument sheet"
        raise DataFileError(f"this file is no {kind}, or a damaged one", where=file.name) from error
    rows = iter(book.get_sheet_by_name(_sheet(file, book.sheet_names)).to_python(skip_empty_area=False))
    header = [str(cell).strip() for cell in next(rows, ())]
    _require(header, columns, file.name)
    at = [header.index(column) for column in columns]
    return _of_cells(columns, ([row[i] if i < len(row) else None for i in at] for row in rows))


def _sheet(file: SourceFile, sheets: Sequence[str]) -> str:
    wanted = file.spec.table.sheet if file.spec.table is not None else None
    if wanted is None and len(sheets) == 1:
        return sheets[0]
    if wanted is None or wanted not in sheets:
        raise DataFileError(
            "this workbook has several sheets" if wanted is None else f"there is no sheet '{wanted}'",
            where=file.name, found=list(sheets),
            hint=did_you_mean(wanted or "", sheets) or "name one under table: sheet in the source's definition",
        )  # fmt: skip
    return wanted


def _of_cells(columns: list[str], rows: Iterable[Sequence[Any]]) -> pa.Table:
    """Cells of a sheet as text columns; rows below the last filled one are no rows."""
    import pyarrow as pa

    cells = [[_spelt(cell) for cell in row] for row in rows]
    while cells and not any(cells[-1]):
        cells.pop()
    held = list(zip(*cells, strict=True)) if cells else [()] * len(columns)
    return pa.table({column: pa.array(held[i], pa.string()) for i, column in enumerate(columns)})


def _spelt(cell: Any) -> str:
    if cell is None or cell != cell:
        return ""
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == datetime.min.time() else cell.isoformat(sep=" ")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _require(header: Sequence[str], columns: list[str], name: str) -> None:
    try:
        require_columns(header, columns, name)
    except DataFileError as error:
        raise error.at(name) from None


def _some(rows: Rows) -> Rows:
    if rows.table.num_rows == 0:
        raise DataFileError("this file has headings but no rows", where=rows.place(0))
    return rows
