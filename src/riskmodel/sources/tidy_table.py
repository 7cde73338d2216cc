"""Any partner's table, described in YAML: in goes a wide or long table or a list of events, out come observations.

Only the declared columns are read. Of a list of events only counts leave this module: by area, month and the declared
breakdowns; what an event was, and who was part of it, is never held.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from riskmodel.contracts.errors import DefinitionError, did_you_mean
from riskmodel.contracts.specs import FileSpec, TableSpec
from riskmodel.sources.observed import Counted, Observed, SourceFile
from riskmodel.sources.table_files import Rows, read_rows
from riskmodel.sources.table_keys import Keys, areas_of, breakdowns_of, encoded, periods_of, source_of

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["EVENTS_MEASURE", "read"]

EVENTS_MEASURE = "rows"
"""What stands for the column of the one measure of a list of events: its rows are counted."""


def read(file: SourceFile) -> Observed:
    """Read a table, or count a list of events, as ``file.spec.table`` describes it.

    Parameters
    ----------
    file : SourceFile
        CSV (perhaps gzipped), Parquet, XLSX or ODS; ``measures`` maps our names to columns (wide), to values of the
        measure column (long), or one name to ``rows`` (events).

    Returns
    -------
    Observed
        One value per measure, breakdown and area; with a column ``period`` where the table has one. A breakdown reads
        ``age_band=18-24|sex=female``, by name, or ``total``. Where a table holds monthly counts, a month with rows of
        which none is kept has a nought without an area: that month is known, and holds none.

    Raises
    ------
    DataFileError
        Naming file and line (or row): a missing column, a cell that is no number, no period of the declared form, or no
        code of the declared level; a key that repeats; monthly counts that are blank, negative or not whole.
    DefinitionError
        If the source says nothing of the table, or of its measures.
    EnvironmentProblem
        If a spreadsheet is to be read and what reads it is not installed.
    """
    table = _described(file)
    rows = read_rows(file, _wanted(table, file.spec))
    kept = _kept(rows, table)
    period, dated = periods_of(rows, table, kept)
    area = areas_of(rows, table, file.spec, kept & dated)
    placed = np.array([name != "" for name in area.names], dtype=bool)[area.index]
    used = kept & dated if file.spec.by_month else kept & dated & placed
    keys = Keys(area, period, breakdowns_of(rows, table, used))
    measures, values = _measured(rows, table, file, used)
    parts = [_observations(rows, file, keys, measure, *values[measure], dated) for measure in measures]
    counted = _counted(file, kept, dated, placed, used, measures, values)
    found = _joined(parts)
    return Observed(found if table.period is not None else found.drop_columns(["period"]), counted)


def _described(file: SourceFile) -> TableSpec:
    where = f"features/sources/{file.source}.yaml"
    table = file.spec.table
    if table is None:
        raise DefinitionError(f"'{file.role}' does not say how its table is laid out", where=where, hint="add: table")
    if not file.spec.measures:
        raise DefinitionError(f"'{file.role}' maps no measure", where=where, hint="add: measures")
    if table.layout == "events" and list(file.spec.measures.values()) != [EVENTS_MEASURE]:
        raise DefinitionError(
            f"'{file.role}' is a list of events: its one measure counts them", where=where,
            found=dict(file.spec.measures), allowed=f"<name>: {EVENTS_MEASURE}",
        )  # fmt: skip
    return table


def _wanted(table: TableSpec, spec: FileSpec) -> list[str]:
    columns = [table.area, *([table.period] if table.period else []), *table.only]
    columns += [source_of(column)[1] for column in table.breakdowns.values()]
    if table.layout == "wide":
        return [*columns, *spec.measures.values()]
    return [*columns, str(table.measure), str(table.value)] if table.layout == "long" else columns


def _kept(rows: Rows, table: TableSpec) -> NDArray[np.bool_]:
    kept = np.ones(rows.table.num_rows, dtype=bool)
    for column, allowed in table.only.items():
        cells = encoded(rows.text(column))
        if not set(allowed) & set(cells.names):
            rows.refuse(
                0, f"no row has any of the values kept of column '{column}'",
                found=sorted(cells.names), allowed=allowed,
                hint=did_you_mean(allowed[0], cells.names) if allowed else "name values under only",
            )  # fmt: skip
        kept &= np.isin(cells.names, allowed)[cells.index]
    return kept


Measured = tuple["NDArray[np.intp]", "NDArray[np.float64]", "NDArray[np.bool_]"]


def _measured(
    rows: Rows, table: TableSpec, file: SourceFile, used: NDArray[np.bool_]
) -> tuple[list[str], dict[str, Measured]]:
    """For each measure: the rows that hold it, their values, and every row that speaks of it, kept or not."""
    measures = list(file.spec.measures)
    at = np.flatnonzero(used)
    everywhere = np.ones(len(used), dtype=bool)
    if table.layout == "events":
        return measures, {measures[0]: (at, np.ones(len(at)), everywhere)}
    if table.layout == "wide":
        return measures, {
            measure: (at, rows.numbers(column, at, no_value=table.no_value), everywhere)
            for measure, column in file.spec.measures.items()
        }
    cells = encoded(rows.text(str(table.measure)))
    found: dict[str, Measured] = {}
    for measure, spelt in file.spec.measures.items():
        if spelt not in cells.names:
            rows.refuse(
                0, f"no row holds the measure '{spelt}', in column '{table.measure}'", found=sorted(cells.names),
                hint=did_you_mean(spelt, cells.names),
            )  # fmt: skip
        speaks = np.array([name == spelt for name in cells.names], dtype=bool)[cells.index]
        own = np.flatnonzero(used & speaks)
        found[measure] = (own, rows.numbers(str(table.value), own, no_value=table.no_value), speaks)
    return measures, found


def _observations(
    rows: Rows,
    file: SourceFile,
    keys: Keys,
    measure: str,
    at: NDArray[np.intp],
    values: NDArray[np.float64],
    speaks: NDArray[np.bool_],
    dated: NDArray[np.bool_],
) -> dict[str, pa.Array]:
    """Observations of one measure: one for each key, and a nought for each month known to hold none."""
    table = file.spec.table
    if file.spec.by_month:
        _refuse_no_counts(rows, file, at, values)
    key = keys.of(at)
    held, first, place = np.unique(key, return_index=True, return_inverse=True)
    if len(held) < len(key) and table is not None and table.layout != "events" and table.repeated == "refuse":
        _refuse_repeats(rows, keys, key, first[place.reshape(-1)], at)
    totals = np.bincount(place.reshape(-1), weights=values, minlength=len(held)).astype(np.float64)
    found = keys.spelt(held, measure, totals)
    if not file.spec.by_month:
        return found
    import pyarrow as pa

    known = np.setdiff1d(keys.period.index[speaks & dated], keys.period.index[at])
    none = {
        "measure": [measure] * len(known),
        "breakdown": ["total"] * len(known),
        "area": [""] * len(known),
        "value": [0.0] * len(known),
        "period": [keys.period.names[i] for i in known],
    }
    return {name: pa.concat_arrays([cells, pa.array(none[name], cells.type)]) for name, cells in found.items()}


def _refuse_no_counts(rows: Rows, file: SourceFile, at: NDArray[np.intp], values: NDArray[np.float64]) -> None:
    wrong = ~(values >= 0) | (values != np.floor(values))
    if wrong.any():
        rows.refuse(
            int(at[np.argmax(wrong)]), "a monthly count is a whole number, nought or more",
            found="a blank" if np.isnan(values[np.argmax(wrong)]) else float(values[np.argmax(wrong)]),
            hint="write 0 where nothing was recorded; leave out the rows of a month that is not known",
        )  # fmt: skip


def _refuse_repeats(
    rows: Rows, keys: Keys, key: NDArray[np.int64], first: NDArray[np.intp], at: NDArray[np.intp]
) -> None:
    placed = np.array([name != "" for name in keys.area.names], dtype=bool)[keys.area.index[at]]
    again = (first != np.arange(len(key))) & placed
    if again.any():
        second = int(np.argmax(again))
        about = [c.names[c.index[at[second]]] for c in (keys.area, keys.period, keys.breakdown)]
        rows.refuse(
            int(at[second]), "this area, period and breakdown were there before", found=[a for a in about if a],
            allowed="one row each",
            hint=f"first at {rows.place(int(at[first[second]]))}; rows that are parts of a total: table: repeated: sum",
        )  # fmt: skip


def _joined(parts: Sequence[dict[str, pa.Array]]) -> pa.Table:
    import pyarrow as pa

    return pa.concat_tables([pa.table(part) for part in parts]).combine_chunks()


def _counted(
    file: SourceFile,
    kept: NDArray[np.bool_],
    dated: NDArray[np.bool_],
    placed: NDArray[np.bool_],
    used: NDArray[np.bool_],
    measures: Sequence[str],
    values: dict[str, Measured],
) -> tuple[Counted, ...]:
    # Two entries of a source may describe the same published file; their counts are told apart by what they measure.
    shared = sum(other.path == file.spec.path for other in file.source_spec.files.values()) > 1
    about = ", ".join(measures) if shared else "all"
    unplaced = "counted for the force, in no area" if file.spec.by_month else "left out"
    counted = [
        Counted("raw rows", len(kept), about, "rows of the table, below its headings"),
        Counted("rows kept", int(used.sum()), about, "what is counted or held"),
        Counted("rows of other values", int((~kept).sum()), about, "left out by 'only' in the source's definition"),
        Counted("rows without a period", int((kept & ~dated).sum()), about, "left out: they belong to no period"),
        Counted("rows without an area", int((kept & dated & ~placed).sum()), about, unplaced),
    ]
    for measure in measures:
        blank = int(np.isnan(values[measure][1]).sum())
        if blank:
            counted.append(Counted("blank values", blank, measure, "left blank by the publisher; kept as missing"))
    return tuple(counted)
