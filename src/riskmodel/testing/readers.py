"""The rules of a reader: the table every later room expects, counts that add up, refusal of what is no file.

In: a reader and one file it should read. Out: nothing, or the rule broken.
"""

from __future__ import annotations

import gzip
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from riskmodel.contracts.errors import DataFileError
from riskmodel.sources.observed import Counted, Observed, SourceFile
from riskmodel.testing.rules import BrokenRule, require

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["VALUES", "check_reader", "damaged_contents"]

VALUES = "values"
"""In ``adds_up``: the sum of the values a measure has in the table."""

_GZIP = b"\x1f\x8b"
_PAGE = b"<!DOCTYPE html>\n<html><head><title>503</title></head><body>Service unavailable</body></html>\n"


def check_reader(
    read: Callable[[SourceFile], Observed],
    file: SourceFile,
    *,
    adds_up: Mapping[str, Sequence[str]] | None = None,
    damaged: Mapping[str, bytes | None] | None = None,
) -> None:
    """Hold a reader to its rules: table, counts, determinism, refusal.

    Parameters
    ----------
    read : callable
        The reader, as registered.
    file : SourceFile
        A file it should read; nothing is written beside it.
    adds_up : mapping, optional
        Counts that are made of others, by rule, for every measure that has them: ``{"raw rows": ["rows kept",
        "rows without a period"]}``. ``VALUES`` stands for the sum of the table's values.
    damaged : mapping, optional
        Further contents the reader must refuse, by a name for the message; None takes one of `damaged_contents` out,
        where no reader could notice.

    Raises
    ------
    BrokenRule
        ``table``: a column is missing, unexpected or of another type, a key is blank or repeats, a value is infinite.
        ``counts``: nothing is counted, a count is below 0 or said twice, or a sum does not add up. ``deterministic``:
        two reads differ. ``refuses damage``: a damaged file is read, or refused by an error that is no DataFileError or
        does not name the file. ``leaves files alone``: the file has changed.
    """
    raw = file.raw
    observed = read(replace(file))
    require(replace(file).raw == raw, "leaves files alone", f"{file.name} was changed by reading it")
    _check_table(observed, file)
    _check_counts(observed, adds_up or {})
    again = read(replace(file))
    alike = observed.table.equals(again.table) and observed.counted == again.counted
    require(alike, "deterministic", f"two reads of {file.name} differ")
    with tempfile.TemporaryDirectory() as folder:
        for name, content in {**damaged_contents(raw), **(damaged or {})}.items():
            if content is not None:
                _check_refusal(read, _with_content(file, content, Path(folder)), name)


def damaged_contents(raw: bytes) -> dict[str, bytes]:
    r"""What may lie on a disk in a file's place, by name: nothing, a part of it, NUL bytes, a web page.

    Parameters
    ----------
    raw : bytes
        A whole file: text, gzipped text or a binary format. Text is cut inside its last line, where a table shows it.

    Examples
    --------
    >>> damaged_contents(b"area,value\nE1,2\n")["truncated"]
    b'area,value\nE'
    """
    text = gzip.decompress(raw) if raw.startswith(_GZIP) else raw
    if b"\0" in text[:4096]:
        return {"empty": b"", "truncated": raw[: len(raw) // 2], "NUL bytes": bytes(len(raw)), "web page": _PAGE}
    last = text.rstrip().rfind(b"\n") + 1
    middle = len(text) // 2
    nul = text[:middle] + b"\0" + text[middle:]
    packed = raw.startswith(_GZIP)
    return {
        "empty": b"",
        "truncated": raw[: len(raw) // 2] if packed else text[: last + 1],
        "NUL bytes": gzip.compress(nul, mtime=0) if packed else nul,
        "web page": _PAGE,
    }


def _with_content(file: SourceFile, content: bytes, folder: Path) -> SourceFile:
    own = file.path.name if file.member is None else file.member.rpartition("/")[2]
    path = folder / own
    path.write_bytes(content)
    return replace(file, path=path, member=None)


def _check_refusal(read: Callable[[SourceFile], Observed], file: SourceFile, damage: str) -> None:
    rule, what = "refuses damage", f"a file that is damaged ({damage})"
    try:
        read(file)
    except DataFileError as error:
        named = file.name in str(error)
        require(named, rule, f"{what} is refused by a message that does not name it: {error}")
    except Exception as error:
        raise BrokenRule(rule, f"{what} ends in {type(error).__name__}, not DataFileError: {error}") from error
    else:
        raise BrokenRule(rule, f"{what} is read as if it were whole")


def _check_table(observed: Observed, file: SourceFile) -> None:
    import pyarrow as pa

    table = observed.table
    text = {"measure", "breakdown", "area"}
    if file.spec.table is not None and file.spec.table.period is not None:
        text |= {"period"}
    wanted, found = text | {"value"}, list(table.column_names)
    require(sorted(found) == sorted(wanted), "table", f"columns are {found}, not {sorted(wanted)}")
    for name in sorted(text):
        column = table[name]
        require(pa.types.is_string(column.type), "table", f"column '{name}' is {column.type}, not string")
        require(column.null_count == 0, "table", f"column '{name}' has nulls; an area that is not known is blank text")
        blank = name != "area" and "" in column.to_pylist()
        require(not blank, "table", f"column '{name}' has blank cells; only an area may be blank")
    kind = table["value"].type
    require(pa.types.is_float64(kind), "table", f"column 'value' is {kind}, not float64")
    values = table["value"].drop_null().to_numpy()
    require(bool(np.isfinite(values).all()), "table", "a value is infinite or NaN; what is not known is null")
    unmapped = sorted(set(table["measure"].to_pylist()) - set(file.spec.measures))
    require(not unmapped, "table", f"measures {unmapped} are not in the source's definition")
    repeated = table.num_rows - _keys(table, sorted(text))
    require(repeated == 0, "table", f"{repeated} rows repeat a measure, breakdown, area (and period)")


def _keys(table: pa.Table, columns: list[str]) -> int:
    return int(table.group_by(columns).aggregate([]).num_rows)


def _check_counts(observed: Observed, adds_up: Mapping[str, Sequence[str]]) -> None:
    counted = observed.counted
    require(bool(counted) and all(isinstance(c, Counted) for c in counted), "counts", "no row of the file is counted")
    wrong = [c for c in counted if isinstance(c.rows, bool) or not isinstance(c.rows, int) or c.rows < 0 or not c.rule]
    require(not wrong, "counts", f"not a named whole number, 0 or more: {wrong[:1]}")
    times = Counter((c.rule, c.measure) for c in counted)
    twice = [key for key, count in times.items() if count > 1]
    require(not twice, "counts", f"counted twice: {twice[:1]}")
    rows = {(c.rule, c.measure): float(c.rows) for c in counted}
    rows |= {(VALUES, measure): total for measure, total in _totals(observed.table).items()}
    for whole, parts in adds_up.items():
        about = [measure for rule, measure in rows if rule == whole]
        require(bool(about), "counts", f"'{whole}' is not counted")
        for measure in about:
            total = sum(rows.get((part, measure), 0.0) for part in parts)
            seen = f"{measure}: '{whole}' is {rows[whole, measure]:g}, its parts {list(parts)} make {total:g}"
            require(total == rows[whole, measure], "counts", seen)


def _totals(table: pa.Table) -> dict[str, float]:
    """The sum of each measure's values, and of all."""
    sums = table.group_by("measure").aggregate([("value", "sum")]).to_pydict()
    each = {m: float(v or 0.0) for m, v in zip(sums["measure"], sums["value_sum"], strict=True)}
    return {**each, "all": sum(each.values())}
