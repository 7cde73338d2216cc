"""The bundle a run leaves: every table, written once and whole, with a manifest of hashes.

Tables are written beside the target folder and moved into place together, so a killed run leaves the old bundle, the
new one or, between two renames, neither under its name: never a mixture. No wall-clock time, machine name or path
enters a file: the same inputs give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodel.contracts.errors import UsageError
from riskmodel.fairness.decisions import DRAFT

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DRAFT", "MANIFEST", "file_sha256", "require_place", "write_bundle", "write_table"]

MANIFEST = "manifest.json"


def write_bundle(
    out: Path,
    *,
    tables: Mapping[str, pd.DataFrame],
    parquet: frozenset[str],
    add: Callable[[Path], None] | None,
    manifest: Mapping[str, Any],
) -> str:
    """Write the bundle and return the sha256 of its manifest.

    Parameters
    ----------
    out : Path
        Where it shall lie; an earlier bundle there is replaced.
    tables : mapping of str to DataFrame
        Written to ``tables/<name>.csv``, and those named in ``parquet`` to ``tables/<name>.parquet``.
    parquet : frozenset of str
        Tables too long for a spreadsheet.
    add : callable, optional
        Given the bundle's folder, writes all that is no table: pages, pictures, the workbook.
    manifest : mapping
        What the files rest on and where the run stands; the hashes of all files are added.

    Raises
    ------
    UsageError
        If something that is not a bundle lies at ``out``.
    """
    require_place(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f"{out.name}.{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        _write(partial, tables, parquet, add, manifest)
        digest = file_sha256(partial / MANIFEST)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    _replace(partial, out)
    return digest


def require_place(out: Path) -> None:
    """Refuse a place where something lies that is not a bundle, before any work is done.

    Raises
    ------
    UsageError
        Saying so.
    """
    if out.exists() and not (out / MANIFEST).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(
            "here lies something that is not a bundle", where=out, hint="name another folder with --out DIR"
        )


def _write(
    partial: Path,
    tables: Mapping[str, pd.DataFrame],
    parquet: frozenset[str],
    add: Callable[[Path], None] | None,
    manifest: Mapping[str, Any],
) -> None:
    (partial / "tables").mkdir(parents=True)
    for name, table in tables.items():
        if name in parquet:
            write_table(partial / "tables" / f"{name}.parquet", table)
        else:
            write_table(partial / "tables" / f"{name}.csv", table)
    if add is not None:
        add(partial)
    files = sorted(p for p in partial.rglob("*") if p.is_file())
    hashes = {p.relative_to(partial).as_posix(): file_sha256(p) for p in files}
    text = json.dumps({**manifest, "files": hashes}, indent=2, sort_keys=True, ensure_ascii=False)
    (partial / MANIFEST).write_text(text + "\n", encoding="utf-8", newline="\n")


def _replace(partial: Path, out: Path) -> None:
    old = out.with_name(f"{out.name}.{os.getpid()}.old")
    if out.exists():
        out.replace(old)
    partial.replace(out)
    shutil.rmtree(old, ignore_errors=True)


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write one table as CSV or Parquet, by its suffix.

    Raises
    ------
    UsageError
        If the suffix is neither.
    """
    if path.suffix == ".parquet":
        table.to_parquet(path, index=False, compression="zstd")
    elif path.suffix == ".csv":
        table.to_csv(
            path,
            index=False,
            lineterminator="\n",
            encoding="utf-8",
            float_format="%.10g",
            date_format="%Y-%m-%d",
        )
    else:
        raise UsageError("a table is written as .csv or .parquet", found=path.name)


def file_sha256(path: Path) -> str:
    """The sha256 of a file's bytes."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
