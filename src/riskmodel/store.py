"""Observations on disk: one columnar part per published file's content, written once and never changed.

A part's name is made of what it depends on (the file's bytes, the reader, the columns asked for), so a part that
exists *is* the ingested file: there is no index to fall out of step, a file already read is skipped, and a part
appears under its name only when it is complete. What the file is called and when it was published are not part of
the content; they are attached on reading.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from riskmodel.contracts.errors import DataFileError
from riskmodel.contracts.registry import load
from riskmodel.sources.agreements import require_agreement
from riskmodel.sources.named_periods import published_of
from riskmodel.sources.observed import Counted, Observed, SourceFile

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Ingested", "Store"]

_COUNTED = b"riskmodel.counted"


@dataclass(frozen=True)
class Ingested:
    """What one call of ``Store.ingest`` did."""

    read: tuple[str, ...]
    skipped: tuple[str, ...]


class Store:
    """A folder of parts.

    Parameters
    ----------
    root : Path
        The folder; made when the first part is written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> Store(Path(tempfile.mkdtemp())).ingest([])
    Ingested(read=(), skipped=())
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def ingest(
        self,
        files: Iterable[SourceFile],
        *,
        step: Callable[[SourceFile], None] | None = None,
        today: date | None = None,
    ) -> Ingested:
        """Read every file that has no part yet.

        Parameters
        ----------
        files : iterable of SourceFile
            The published files, in any order.
        step : callable, optional
            Called after each file (progress).
        today : date, optional
            The day agreements to share are judged by; the machine's own day if absent.

        Raises
        ------
        DataFileError
            If a file is not as published; parts of files read before it stay, nothing of it does. If the agreement to
            share a source has ended, read before or not.
        """
        read, skipped = [], []
        for file in files:
            require_agreement(file.source, file.source_spec, today=today)
            path = self._path(file)
            if path.is_file():
                skipped.append(file.name)
            else:
                _write(path, load("reader", file.source_spec.reader)(file))
                read.append(file.name)
            if step is not None:
                step(file)
        return Ingested(tuple(read), tuple(skipped))

    def read(self, file: SourceFile) -> Observed:
        """The observations and row counts of an ingested file.

        Raises
        ------
        DataFileError
            If the part is damaged.
        """
        import pyarrow.parquet as pq
        from pyarrow import ArrowException

        path = self._path(file)
        try:
            table = pq.read_table(path, partitioning=None)
            counted = tuple(Counted(**entry) for entry in json.loads((table.schema.metadata or {})[_COUNTED]))
        except (ArrowException, OSError, KeyError, TypeError, ValueError) as error:
            raise DataFileError(
                f"a stored part cannot be read ({type(error).__name__})",
                where=path,
                hint="delete this file and run again: it is rebuilt from the published file",
            ) from error
        return Observed(table, counted)

    def observations(self, files: Iterable[SourceFile]) -> pd.DataFrame:
        """The files' observations as one long frame (the ``observations`` noun)."""
        import pandas as pd

        from riskmodel.contracts.tables import OBSERVATIONS, as_table

        frames = []
        for file in files:
            frame = self.read(file).table.to_pandas()
            if "period" not in frame:
                frame["period"] = file.period
            days = {period: pd.Timestamp(published_of(file, period)) for period in frame["period"].unique()}
            frames.append(frame.assign(source=file.source, published=frame["period"].map(days)))
        columns = OBSERVATIONS.names
        return as_table(pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns), OBSERVATIONS)

    def part_of(self, file: SourceFile) -> Path:
        """Where the part of a published file lies, or would lie."""
        return self._path(file)

    def _path(self, file: SourceFile) -> Path:
        wanted = {
            "reader": file.source_spec.reader,
            "code": _code_version(file.source_spec.reader),
            "period": file.period,
            "level": file.spec.level,
            "measures": dict(file.spec.measures),
        }
        if file.spec.table is not None:
            wanted["table"] = file.spec.table.model_dump(mode="json")
        definition = hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()
        return self.root / file.source / f"{file.sha256[:24]}-{definition[:12]}.parquet"


@cache
def _code_version(reader: str) -> str:
    """The hash of the reader's own module: a changed reader reads again."""
    import inspect

    module = inspect.getmodule(load("reader", reader))
    source = inspect.getsource(module) if module is not None else reader
    return hashlib.sha256(source.encode()).hexdigest()


def _write(path: Path, observed: Observed) -> None:
    import pyarrow.parquet as pq

    counted = json.dumps([asdict(entry) for entry in observed.counted])
    table = observed.table.replace_schema_metadata({_COUNTED: counted.encode()})
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with partial.open("wb") as out:
        pq.write_table(table, out, compression="zstd")
        out.flush()
        os.fsync(out.fileno())
    partial.replace(path)
    for leftover in path.parent.glob(f"{path.name}.*.partial"):
        leftover.unlink(missing_ok=True)
