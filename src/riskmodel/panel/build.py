"""The store's parts into a panel: dense counts per release and static vintages, for one region."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.errors import DataFileError, DefinitionError, NotEnoughHistory, did_you_mean
from riskmodel.contracts.periods import month_number, month_start
from riskmodel.panel.geography import Geography
from riskmodel.panel.view import Monthly, Panel, Release, Static, Vintage
from riskmodel.sources.observed import Observed, SourceFile
from riskmodel.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["build_panel", "default_as_of"]


def build_panel(
    store: Store,
    files: Sequence[SourceFile],
    geography: Geography,
    *,
    measures: Mapping[str, Collection[str]],
    first_month: str | None = None,
) -> Panel:
    """Assemble the panel of one region.

    Parameters
    ----------
    store : Store
        Holding a part for every file.
    files : sequence of SourceFile
        Ingested files, monthly and static.
    geography : Geography
        The region's frame.
    measures : mapping
        Source -> measures wanted from it.
    first_month : str, optional
        Where the period axis begins; the first month held if absent.

    Raises
    ------
    DefinitionError
        If a measure is in no file of its source.
    NotEnoughHistory
        If a monthly source has no file for the region.
    """
    monthly: dict[str, Monthly] = {}
    vintages: dict[tuple[str, str], list[Vintage]] = {}
    for source, wanted in measures.items():
        own = [f for f in files if f.source == source]
        issued = [f for f in own if f.spec.monthly]
        if issued:
            monthly[source] = _monthly(store, source, issued)
        for file in own:
            if not file.spec.monthly:
                _add_vintages(vintages, store.read(file), file, wanted)
        _require(source, wanted, monthly.get(source), vintages)
    for held in vintages.values():
        held.sort(key=lambda v: (v.published, v.period))
    if not monthly:
        raise NotEnoughHistory(
            "no monthly file of the target's source was found for this region",
            allowed=sorted(measures),
            hint="name the data folder with --data DIR; riskmodel check EXPERIMENT --data DIR lists missing files",
        )
    start = month_number(first_month) if first_month else min(m.releases[0].month for m in monthly.values())
    return Panel(geography, monthly, Static(vintages), start)


def default_as_of(panel: Panel, source: str) -> date:
    """The first origin at which the newest month of a monthly source is visible."""
    releases = panel.monthly[source].releases
    newest = releases[-1].month
    published = min(r.published for r in releases if r.month == newest)
    month = published.year * 12 + published.month - 1
    return month_start(month if published.day == 1 else month + 1)


def _monthly(store: Store, source: str, files: Sequence[SourceFile]) -> Monthly:
    """Every measure is kept, wanted as a feature or not: the row counts of a month must add up."""
    import pyarrow as pa

    files = sorted(files, key=lambda f: (month_number(f.period), f.published, f.name))
    tables = []
    for index, file in enumerate(files):
        table = store.read(file).table.select(["measure", "area", "value"])
        tables.append(table.append_column("release", pa.array(np.full(table.num_rows, index))))
    rows = pa.concat_tables(tables)
    codes, code_index = _encode(rows["area"])
    measures, measure_index = _encode(rows["measure"])
    counts = np.zeros((len(measures), len(codes), len(files)), dtype=np.int64)
    values = rows["value"].to_numpy()
    if not np.array_equal(values, np.floor(values)):
        raise DataFileError(f"'{source}' holds counts that are not whole numbers", where=files[0].name)
    np.add.at(counts, (measure_index, code_index, rows["release"].to_numpy()), values.astype(np.int64))
    releases = tuple(Release(month_number(f.period), f.published, f.name) for f in files)
    return Monthly(source, tuple(str(m) for m in measures), codes, releases, counts)


def _encode(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.str_], npt.NDArray[np.int64]]:
    """Distinct names, sorted, and each row's place among them."""
    encoded = column.combine_chunks().dictionary_encode()
    names = np.asarray(encoded.dictionary.to_pylist(), dtype=np.str_)
    order = np.argsort(names)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return names[order], rank[encoded.indices.to_numpy()]


def _add_vintages(
    vintages: dict[tuple[str, str], list[Vintage]], observed: Observed, file: SourceFile, wanted: Collection[str]
) -> None:
    import pyarrow.compute as pc

    for measure in sorted(set(wanted) & set(file.spec.measures)):
        part = observed.table.filter(pc.equal(observed.table["measure"], measure))
        codes = np.asarray(part["area"].to_pylist(), dtype=np.str_)
        values = part["value"].to_numpy(zero_copy_only=False).astype(np.float64)
        vintages.setdefault((file.source, measure), []).append(
            Vintage(file.period, file.published, file.spec.level, codes, values, file.name)
        )


def _require(
    source: str,
    wanted: Collection[str],
    monthly: Monthly | None,
    vintages: Mapping[tuple[str, str], Sequence[Vintage]],
) -> None:
    """Refuse a measure that no held file supplies; a monthly measure never recorded is refused as well."""
    static = {measure for held, measure in vintages if held == source}
    recorded = set()
    if monthly is not None:
        recorded = {m for i, m in enumerate(monthly.measures) if monthly.counts[i].any()}
    for measure in sorted(set(wanted) - static - recorded):
        known = sorted(static | recorded)
        raise DefinitionError(
            f"no file held of source '{source}' supplies the measure '{measure}'",
            allowed=known,
            hint=did_you_mean(measure, known) or "riskmodel check EXPERIMENT --data DIR lists missing files",
        )
