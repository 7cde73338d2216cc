"""English Indices of Deprivation: in goes one vintage (2019: LSOA 2011, 2025: LSOA 2021), out come its mapped columns.

Ranks become percentiles, because the 2019 copy holds ranks and no scores and ranks of two vintages count different
numbers of areas. Wales publishes its own index and is not in these files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

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
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["percentile_of_rank", "read"]

_RANK = "_rank"
_PERCENTILE_NOTE = "ranks turned into percentiles, 1 - (rank - 0.5) / areas ranked: near 1 is most deprived"


def read(file: SourceFile) -> Observed:
    """Read the mapped columns of one vintage of the Indices of Deprivation.

    A published column whose name ends in ``_rank`` (1 = most deprived) becomes a percentile in [0, 1] by
    `percentile_of_rank`; other columns pass through as numbers, a blank one as null.

    Parameters
    ----------
    file : SourceFile
        A CSV keyed by ``lsoa11_code`` or ``lsoa21_code``, as its ``level`` says.

    Returns
    -------
    Observed
        One value per measure and LSOA.

    Raises
    ------
    DataFileError
        Naming file and line: a missing column, a cell that is no number, a rank beyond the number of areas, a repeated
        or malformed code.
    DefinitionError
        If the source maps no measure of this file.
    """
    if not file.spec.measures:
        raise DefinitionError(f"source '{file.source}' maps no measure of its file '{file.role}'", where=file.source)
    text = file.text()
    code = f"{file.spec.level}_code"
    require_columns(header_of(text, file.name), [code, *file.spec.measures.values()], file.name)
    table = _read(text, file, code)
    values, counted = {}, [Counted("areas read", table.num_rows, note="rows of the published table, each one area")]
    for measure, column in file.spec.measures.items():
        numbers = table[column].to_numpy()
        blank = int(np.isnan(numbers).sum())
        if blank:
            counted.append(Counted("blank values", blank, measure, "left blank by the publisher; kept as missing"))
        if column.endswith(_RANK):
            _check_ranks(text, file.name, column, numbers)
            numbers = percentile_of_rank(numbers)
            counted.append(Counted("ranks as percentiles", len(numbers) - blank, measure, _PERCENTILE_NOTE))
        values[measure] = numbers
    return Observed(long_table(table[code].to_pylist(), values), tuple(counted))


def percentile_of_rank(ranks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn ranks (1 = most deprived) into percentiles: 1 - (rank - 0.5) / areas ranked. Near 1 is most deprived.

    Parameters
    ----------
    ranks : array of float
        NaN where there is none.

    Examples
    --------
    >>> percentile_of_rank(np.array([1.0, 2.0])).tolist()
    [0.75, 0.25]
    """
    ranked = int(np.count_nonzero(~np.isnan(ranks)))
    return np.asarray(1.0 - (ranks - 0.5) / max(ranked, 1), dtype=np.float64)


def _read(text: bytes, file: SourceFile, code: str) -> pa.Table:
    import pyarrow as pa

    level, name = file.spec.level, file.name
    check = _row_check(code, list(file.spec.measures.values()), level)
    types = {code: pa.string(), **dict.fromkeys(file.spec.measures.values(), pa.float64())}
    table = read_columns(text, name, types, check=check)
    infinite = any(np.isinf(table[c].to_numpy()).any() for c in file.spec.measures.values())
    spelt_nan = any(np.isnan(table[c].drop_null().to_numpy()).any() for c in file.spec.measures.values())
    if infinite or spelt_nan or not all(is_area_code(c, level) for c in table[code].unique().to_pylist()):
        refuse_row(text, name, check)
    refuse_repeats(text, name, code, table[code])
    return table


def _check_ranks(text: bytes, name: str, column: str, ranks: NDArray[np.float64]) -> None:
    ranked = np.count_nonzero(~np.isnan(ranks))

    def check(row: dict[str, str]) -> DataFileError | None:
        if row[column] and not 1 <= float(row[column]) <= ranked:
            return DataFileError(
                f"a rank in column '{column}' is beyond the number of areas", found=row[column],
                allowed=f"1 to {ranked}", hint="use the whole national file: a cut-out has no percentiles",
            )  # fmt: skip
        return None

    if np.any((ranks < 1) | (ranks > ranked)):
        refuse_row(text, name, check)


def _row_check(code: str, columns: list[str], level: str) -> RowCheck:
    def check(row: dict[str, str]) -> DataFileError | None:
        if not is_area_code(row[code], level):
            return DataFileError("this is no area code of the vintage's level", found=row[code], allowed=level)
        wrong = [c for c in columns if row[c] and as_number(row[c]) is None]
        if wrong:
            return DataFileError(f"this is not a number, in column '{wrong[0]}'", found=row[wrong[0]])
        return None

    return check
