"""Census 2021 topic summaries as Nomis offers them: in goes one table, out come the mapped columns per LSOA.

The source's YAML maps our measure to the published heading; nothing else is read. Some tables end every heading with
``; measures: Value``, others do not: both are understood.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from riskmodel.contracts.areas import is_area_code
from riskmodel.contracts.errors import DataFileError, DefinitionError
from riskmodel.sources.csv_text import (
    RowCheck,
    as_number,
    header_of,
    long_table,
    read_columns,
    refuse_repeats,
    refuse_row,
    require_columns,
)
from riskmodel.sources.observed import Counted, Observed, SourceFile

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

__all__ = ["AREA_COLUMN", "read"]

AREA_COLUMN = "geography code"
_SUFFIX = "; measures: Value"


def read(file: SourceFile) -> Observed:
    """Read the mapped columns of one Census 2021 table.

    Parameters
    ----------
    file : SourceFile
        A ``census2021-tsNNN-lsoa.csv``; ``file.spec.measures`` maps our name to the published heading without its
        ``; measures: Value``.

    Returns
    -------
    Observed
        One value per measure and LSOA (people, households or, for density, people per square kilometre).

    Raises
    ------
    DataFileError
        Naming file and line: a missing heading, a count that is no number, blank or negative, a repeated or malformed
        geography code, no rows.
    DefinitionError
        If the source maps no measure of this file.
    """
    if not file.spec.measures:
        raise DefinitionError(f"source '{file.source}' maps no measure of its file '{file.role}'", where=file.source)
    text = file.text()
    header = header_of(text, file.name)
    headings = {heading.removesuffix(_SUFFIX): heading for heading in header}
    require_columns([h.removesuffix(_SUFFIX) for h in header], [AREA_COLUMN, *file.spec.measures.values()], file.name)
    published = {measure: headings[column] for measure, column in file.spec.measures.items()}
    table = _read(text, file, published)
    areas = table[AREA_COLUMN].to_pylist()
    values = {m: table[c].to_numpy() for m, c in published.items()}
    counted = Counted("areas read", len(areas), note="rows of the published table, each one area")
    return Observed(long_table(areas, values), (counted,))


def _read(text: bytes, file: SourceFile, published: Mapping[str, str]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    check = _row_check(list(published.values()), file.spec.level)
    types = {AREA_COLUMN: pa.string(), **dict.fromkeys(published.values(), pa.float64())}
    table = read_columns(text, file.name, types, check=check)
    codes_sound = all(is_area_code(code, file.spec.level) for code in table[AREA_COLUMN].unique().to_pylist())
    numbers = [table[column] for column in published.values()]
    sound = codes_sound and all(
        column.null_count == 0 and pc.all(pc.and_(pc.is_finite(column), pc.greater_equal(column, 0))).as_py()
        for column in numbers
    )
    if not sound:
        refuse_row(text, file.name, check)
    refuse_repeats(text, file.name, AREA_COLUMN, table[AREA_COLUMN])
    return table


def _row_check(columns: list[str], level: str) -> RowCheck:
    def check(row: dict[str, str]) -> DataFileError | None:
        if not is_area_code(row[AREA_COLUMN], level):
            return DataFileError(
                "this is no area code of the level this table is for", found=row[AREA_COLUMN], allowed=level,
                hint="choose 2021 super output areas - lower layer on Nomis",
            )  # fmt: skip
        for column in columns:
            number = as_number(row[column])
            if number is None or number < 0:
                what = "this is not a number" if number is None else "a count cannot be negative"
                return DataFileError(f"{what}, in column '{column}'", found=row[column] or "a blank")
        return None

    return check
