"""What every reader takes and gives: one published file in, its observations and row counts out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from riskmodel.contracts.specs import FileSpec, SourceSpec

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Counted", "Observed", "Reader", "SourceFile"]


@dataclass(frozen=True)
class SourceFile:
    """One published file that lies in the data folder, perhaps inside a zip.

    ``name`` is its path relative to the data folder with forward slashes (``archive.zip!member`` inside a zip): the
    name used in every message and table. ``published`` is the first day its observations could be known; a table of
    many periods under a lag has no such day (``date.min``): `named_periods.published_of` gives each period's.
    """

    source: str
    role: str
    name: str
    path: Path
    member: str | None
    period: str
    published: date
    spec: FileSpec = field(compare=False)
    source_spec: SourceSpec = field(compare=False)

    @cached_property
    def raw(self) -> bytes:
        """The bytes as they lie on disk (still gzipped where the file is); a zip member's own bytes."""
        from riskmodel.sources.files import read_bytes

        return read_bytes(self)

    @cached_property
    def sha256(self) -> str:
        """The content hash that decides whether a file was ingested before."""
        return hashlib.sha256(self.raw).hexdigest()

    def text(self) -> bytes:
        """The decompressed bytes, refused with a clear error when they are no CSV text."""
        from riskmodel.sources.files import decompress

        return decompress(self)


@dataclass(frozen=True)
class Counted:
    """How many rows of a file met one rule (a row of ``tables/quality.csv``)."""

    rule: str
    rows: int
    measure: str = "all"
    note: str = ""


@dataclass(frozen=True)
class Observed:
    """What a reader made of one file.

    ``table`` has the columns measure, breakdown, area (strings; area blank where a record has no place) and value
    (float64, null where the publisher left it blank); the store adds source, period and published. A file of many
    periods has a further string column period.
    """

    table: pa.Table
    counted: tuple[Counted, ...]

    def __iter__(self) -> Iterator[object]:
        """Unpack as (table, counted)."""
        return iter((self.table, self.counted))


class Reader(Protocol):
    """A reader plugin: one published file to its observations."""

    def __call__(self, file: SourceFile) -> Observed:
        """Read one file; raise DataFileError naming file and line for anything that is not as published."""
        ...
