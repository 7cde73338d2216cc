"""Street-level records of police.uk: in goes one month of one force, out come counts per crime type and LSOA.

Only four columns are read: Crime ID (to drop repeats), Month, LSOA code and Crime type. Coordinates, street names and
outcomes are never read: nothing here is about a person or an address. Which places are the force's is decided later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from riskmodel.contracts.areas import is_area_code, slug
from riskmodel.contracts.errors import DataFileError, did_you_mean
from riskmodel.sources.csv_text import RowCheck, header_of, read_columns, refuse_row, require_columns
from riskmodel.sources.observed import Counted, Observed, SourceFile

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["COLUMNS", "CRIME_TYPES", "read"]

COLUMNS = (
    "Crime ID", "Month", "Reported by", "Falls within", "Longitude", "Latitude", "Location", "LSOA code", "LSOA name",
    "Crime type", "Last outcome category", "Context",
)  # fmt: skip
"""The published columns, in their order."""

_TYPES = (
    "Anti-social behaviour", "Bicycle theft", "Burglary", "Criminal damage and arson", "Drugs", "Other crime",
    "Other theft", "Possession of weapons", "Public order", "Robbery", "Shoplifting", "Theft from the person",
    "Vehicle crime", "Violence and sexual offences",
)  # fmt: skip

CRIME_TYPES: dict[str, str] = {published: slug(published).replace("-", "_") for published in _TYPES}
"""Published crime type -> our measure."""

_ID_LENGTH = 64
# Odd factors, one for each eight characters of an ID: the powers of the golden ratio's share of 2^64.
_MIX = np.array([pow(0x9E3779B97F4A7C15, power, 1 << 64) for power in range(1, _ID_LENGTH // 8 + 1)], dtype=np.uint64)


@dataclass(frozen=True)
class _Rows:
    """One month as integers: per row its crime type, its place and whether it repeats an earlier Crime ID."""

    measures: list[str]
    areas: list[str]
    measure: NDArray[np.intp]
    area: NDArray[np.intp]
    repeats: NDArray[np.bool_]
    located: NDArray[np.bool_]


def read(file: SourceFile) -> Observed:
    """Count one month of one force per crime type and LSOA code as published.

    Rows that repeat a non-blank Crime ID are dropped but for one (the first that has an LSOA code, else the first).
    Rows without an ID are all kept, because anti-social behaviour has none. Unlocated records have a blank area.

    Parameters
    ----------
    file : SourceFile
        A ``YYYY-MM-<force>-street.csv``, gzipped or inside a zip.

    Returns
    -------
    Observed
        Counts (records) with breakdown ``total``, only those above zero; counted: raw rows, duplicates and unlocated
        rows, per measure and in all.

    Raises
    ------
    DataFileError
        Naming file and line for anything that is not as published: a column, a month other than the file's, an unknown
        crime type, an LSOA code of another form, a row with too many or too few fields.
    """
    text = file.text()
    _check_header(header_of(text, file.name), file.name)
    rows = _encoded(text, file)
    kept = ~rows.repeats
    counts = np.bincount(
        rows.measure[kept] * len(rows.areas) + rows.area[kept], minlength=len(rows.measures) * len(rows.areas)
    )
    found = np.flatnonzero(counts)
    measure, area = np.divmod(found, len(rows.areas))
    return Observed(_table(rows, measure, area, counts[found]), tuple(_counted(rows)))


def _check_header(header: list[str], name: str) -> None:
    if header == list(COLUMNS[:-1]):
        raise DataFileError(
            "the column 'Context' is missing: this is not the file as police.uk publishes it", where=f"{name}:1",
            found=header, allowed=list(COLUMNS),
            hint="altered copies may have lost rows too (those without a Crime ID); download the month from police.uk",
        )  # fmt: skip
    require_columns(header, COLUMNS, name)
    extra = [column for column in header if column not in COLUMNS]
    if extra:
        raise DataFileError(
            "there are columns that police.uk does not publish", where=f"{name}:1", found=extra, allowed=list(COLUMNS),
            hint="download the month from police.uk again",
        )  # fmt: skip


def _encoded(text: bytes, file: SourceFile) -> _Rows:
    import pyarrow as pa

    check = _row_check(file.period)
    words = pa.dictionary(pa.int32(), pa.string())
    types = {"Crime ID": pa.string(), "Month": words, "LSOA code": words, "Crime type": words}
    table = read_columns(text, file.name, types, check=check).combine_chunks()
    months, _ = _words(table["Month"])
    published, measure = _words(table["Crime type"])
    areas, area = _words(table["LSOA code"])
    well_formed = all(is_area_code(code, "lsoa21") for code in areas if code)
    if set(months) != {file.period} or not set(published) <= set(CRIME_TYPES) or not well_formed:
        _refuse(text, file.name, check)
    located = np.array([a != "" for a in areas])[area]
    repeats = _repeats(table["Crime ID"], located)
    return _Rows([CRIME_TYPES[p] for p in published], areas, measure, area, repeats, located)


def _words(column: pa.ChunkedArray) -> tuple[list[str], NDArray[np.intp]]:
    """Return the distinct words of a dictionary column, sorted, and each row's index into them."""
    import pyarrow as pa

    encoded = column.unify_dictionaries().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0)
    held = np.asarray(encoded.dictionary.to_pylist(), dtype=np.str_)
    order = np.argsort(held)
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    words: list[str] = held[order].tolist()
    return words, rank[encoded.indices.to_numpy()]


def _repeats(ids: pa.ChunkedArray, located: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which rows repeat a Crime ID; of each ID the first located row stays, else its first row."""
    import pyarrow as pa

    again = _alike(_fingerprints(ids))
    repeats = np.zeros(len(ids), dtype=np.bool_)
    if len(again):
        same = ids.take(pa.array(again)).combine_chunks().dictionary_encode()
        index = same.indices.to_numpy()
        order = np.lexsort((again, ~located[again], index))
        again, index = again[order], index[order]
        repeats[again[1:]] = index[1:] == index[:-1]
    return repeats


def _alike(fingerprints: NDArray[np.uint64]) -> NDArray[np.intp]:
    """Rows whose fingerprint another row has too, blanks left out; in order."""
    ordered = np.sort(fingerprints)
    shared = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    shared = shared[shared > 0]
    if not len(shared):
        return np.zeros(0, dtype=np.intp)
    # A table of the leading 24 bits rules out nearly every row at once; few are left to look up.
    leading = np.uint64(40)
    perhaps = np.zeros(1 << 24, dtype=np.bool_)
    perhaps[shared >> leading] = True
    rows = np.flatnonzero(perhaps[fingerprints >> leading] & (fingerprints > 0))
    place = np.minimum(np.searchsorted(shared, fingerprints[rows]), len(shared) - 1)
    found: NDArray[np.intp] = rows[shared[place] == fingerprints[rows]]
    return found


def _fingerprints(ids: pa.ChunkedArray) -> NDArray[np.uint64]:
    """One number an ID, the same for the same ID, 0 for a blank; numbers sort far faster than words can be told apart.

    Published IDs are 64 characters long: eight words of a machine, mixed into one. Others are numbered one by one.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    mixed = [_mixed(chunk) for chunk in ids.chunks]
    known = [part for part in mixed if part is not None]
    if len(known) == len(mixed):
        return np.concatenate(known)
    distinct = pc.unique(ids)
    numbers = pc.index_in(ids, distinct).to_numpy().astype(np.uint64) + np.uint64(1)
    blank = pc.equal(ids, pa.scalar("")).to_numpy()
    numbers[blank] = 0
    return np.asarray(numbers, dtype=np.uint64)


def _mixed(words: pa.StringArray) -> NDArray[np.uint64] | None:
    """Fingerprints where every ID is blank or has the published length; None where one has another."""
    starts = np.frombuffer(words.buffers()[1], dtype=np.int32, count=len(words) + 1, offset=4 * words.offset)
    length = np.diff(starts)
    held = length > 0
    if not (length[held] == _ID_LENGTH).all():
        return None
    out = np.zeros(len(words), dtype=np.uint64)
    if held.any():
        text = np.frombuffer(words.buffers()[2], dtype=np.uint64, count=int(held.sum()) * len(_MIX), offset=starts[0])
        out[held] = text.reshape(-1, len(_MIX)) @ _MIX | np.uint64(1)
    return out


def _table(rows: _Rows, measure: NDArray[np.intp], area: NDArray[np.intp], counts: NDArray[np.intp]) -> pa.Table:
    import pyarrow as pa

    return pa.table(
        {
            "measure": pa.array(rows.measures, pa.string()).take(pa.array(measure)),
            "breakdown": pa.array(["total"], pa.string()).take(pa.array(np.zeros(len(measure), dtype=np.int64))),
            "area": pa.array(rows.areas, pa.string()).take(pa.array(area)),
            "value": pa.array(counts.astype(np.float64)),
        }
    )


def _counted(rows: _Rows) -> list[Counted]:
    rules = {
        "raw rows": (np.ones(len(rows.measure), dtype=np.bool_), "rows of the published file"),
        "duplicates": (rows.repeats, "rows that repeat a Crime ID of the same file; left out"),
        "rows without an LSOA": (
            ~rows.located & ~rows.repeats,
            "kept records that have no LSOA code: in the force's totals, in no area's count",
        ),
    }
    counted: list[Counted] = []
    for rule, (chosen, note) in rules.items():
        counted.append(Counted(rule, int(chosen.sum()), note=note))
        per_measure = np.bincount(rows.measure[chosen], minlength=len(rows.measures))
        counted += [Counted(rule, int(n), m, note) for m, n in zip(rows.measures, per_measure, strict=True)]
    return counted


def _row_check(period: str) -> RowCheck:
    def check(row: dict[str, str]) -> DataFileError | None:
        if row["Month"] != period:
            return DataFileError(
                "this row is of another month than the file's name says", found=row["Month"], allowed=period,
                hint="give the file its own month's name and folder, or download it again",
            )  # fmt: skip
        if row["Crime type"] not in CRIME_TYPES:
            return DataFileError(
                "unknown crime type", found=row["Crime type"], allowed=list(CRIME_TYPES),
                hint=did_you_mean(row["Crime type"], CRIME_TYPES) or "download the month from police.uk again",
            )  # fmt: skip
        if row["LSOA code"] and not is_area_code(row["LSOA code"], "lsoa21"):
            return DataFileError(
                "this is no LSOA code", found=row["LSOA code"], allowed="E01 or W01 and six digits, or blank",
                hint="download the month from police.uk again",
            )  # fmt: skip
        return None

    return check


def _refuse(text: bytes, name: str, check: RowCheck) -> NoReturn:
    refuse_row(text, name, check)
    raise AssertionError(f"{name} was refused but every row of it is sound")
