"""The store and the build folder: damaged parts, parts nothing leads to any more, and what killed runs left behind.

Parts are made from published files and are made again when they are asked for, so removing one loses time, not data.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from riskmodel.contracts.errors import RiskmodelError
from riskmodel.sources.files import find_files
from riskmodel.store import Store
from riskmodel.workflow.definitions import Definitions
from riskmodel.workflow.findings import NOT_LOOKED_AT, OK, TO_DO, Finding, remove_all
from riskmodel.workflow.held import data_folder

__all__ = ["examine_store"]

_LEFTOVER = re.compile(r".+\.[0-9]+\.(partial|old)")
_HOUR = 3600.0
_MEND = "riskmodel doctor --mend removes it; it is made again when it is needed"


def examine_store(
    root: Path, definitions: Sequence[Definitions] | None, *, data: Path | None = None, mend: bool = False
) -> Iterator[Finding]:
    """Look at every part of the store, and at leftovers in ``build``.

    Parameters
    ----------
    root : Path
        The workspace.
    definitions : sequence of Definitions, optional
        Every experiment; None where they could not be read, and then no part can be called stale.
    data : Path, optional
        The data folder; else each experiment's own, or RISKMODEL_DATA.
    mend : bool
        Remove what is damaged, stale or left over.
    """
    store = Store(root / "build" / "store")
    parts = sorted(store.root.glob("*/*.parquet"))
    damaged = [p for p in parts if not _whole(p)]
    yield from _removals("store-damaged", damaged, "a stored part is damaged", mend=mend)
    if not damaged:
        yield Finding("store-damaged", OK, f"{len(parts)} parts, all whole", store.root.as_posix())
    yield from _stale(store, [p for p in parts if p not in damaged], definitions, data, mend=mend)
    yield from _leftovers(root / "build", mend=mend)


def _whole(path: Path) -> bool:
    import pyarrow.parquet as pq
    from pyarrow import ArrowException

    try:
        table = pq.read_table(path, partitioning=None)
        json.loads(table.schema.metadata[b"riskmodel.counted"])
    except (ArrowException, OSError, KeyError, TypeError, ValueError):
        return False
    return True


def _stale(
    store: Store, parts: list[Path], definitions: Sequence[Definitions] | None, data: Path | None, *, mend: bool
) -> Iterator[Finding]:
    where = store.root.as_posix()
    if not parts:
        yield Finding("store-stale", OK, "the store holds no part", where)
        return
    if definitions is None:
        what = f"{len(parts)} parts: what leads to them is not known before the definitions are sound"
        yield Finding("store-stale", NOT_LOOKED_AT, what, where, "mend the definitions first")
        return
    led_to: set[Path] = set()
    for held in definitions:
        try:
            led_to |= _led_to(store, held, data)
        except RiskmodelError as error:
            what = f"parts of '{held.name}' cannot be told from stale ones: {error.what}"
            yield Finding("store-stale", NOT_LOOKED_AT, what, where, error.hint or "name the folder with --data DIR")
            return
    stale = [p for p in parts if p not in led_to]
    yield from _removals("store-stale", stale, "no definition or file leads to this part any more", mend=mend)
    if not stale:
        yield Finding("store-stale", OK, f"definitions and files lead to all {len(parts)} parts", where)


def _led_to(store: Store, definitions: Definitions, data: Path | None) -> set[Path]:
    """Parts of every published file of the region, needed by this experiment or by another question."""
    folder = data_folder(definitions, None if definitions.experiment.data is not None else data)
    force = definitions.experiment.region.force
    found: set[Path] = set()
    for name, spec in definitions.sources.items():
        if not spec.frame:
            found.update(store.part_of(file) for file in find_files(name, spec, folder, force=force))
    return found


def _leftovers(build: Path, *, mend: bool) -> Iterator[Finding]:
    entries = [*build.glob("*"), *build.glob("store/*/*")]
    found = sorted(p for p in entries if _LEFTOVER.fullmatch(p.name))
    # A run that is still writing holds such a file too; one of the last hour may be its.
    young = [p for p in found if time.time() - p.stat().st_mtime < _HOUR]
    for path in young:
        what = "written in the last hour: another run may be writing it"
        yield Finding(
            "leftovers", TO_DO, what, path.as_posix(), "repeat in an hour, or delete it if nothing is running"
        )
    old = [p for p in found if p not in young]
    yield from _removals("leftovers", old, "left by a run that was ended early", mend=mend)
    if not found:
        yield Finding("leftovers", OK, "no run left anything half written", build.as_posix())


def _removals(code: str, paths: list[Path], what: str, *, mend: bool) -> Iterator[Finding]:
    if mend:
        yield from remove_all(code, paths, what, _remove)
    else:
        yield from (Finding(code, TO_DO, what, path.as_posix(), _MEND) for path in paths)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
