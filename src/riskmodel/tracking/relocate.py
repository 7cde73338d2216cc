"""A moved or copied ``mlruns`` goes in; its database, naming the place where the files now lie, comes out.

MLflow stores absolute addresses, even where relative ones were given, in four columns. They are read and written here
with SQLite itself: MLflow has no verb for it. The database is copied first, and all rows change together or none.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from riskmodel.contracts.errors import EnvironmentProblem
from riskmodel.tracking.store import Store

__all__ = ["COLUMNS", "Moved", "find_moved", "mend_moved"]

COLUMNS = {
    "experiments": "artifact_location",
    "runs": "artifact_uri",
    "logged_models": "artifact_location",
    "model_versions": "storage_location",
}
_SECONDS_LOCKED = 20
_MARK = "/mlruns/artifacts"


@dataclass(frozen=True)
class Moved:
    """Addresses in the tracking database that do not lead into the folder beside it.

    Parameters
    ----------
    addresses : tuple of (table, address, address after mending)
        Each once, however many rows hold it.
    unclear : tuple of (table, address)
        Local addresses that share no root with the workspace's other ones; they are left as they are.
    roots : tuple of str
        Where the files lay when the addresses were written.
    """

    addresses: tuple[tuple[str, str, str], ...]
    unclear: tuple[tuple[str, str], ...]
    roots: tuple[str, ...]


def find_moved(store: Store) -> Moved:
    """Find the addresses that lead elsewhere than to the store's own folder of files.

    Parameters
    ----------
    store : Store
        A store on SQLite, from ``resolve_store``; any other has no addresses of this machine, and nothing is found.

    Returns
    -------
    Moved
        Empty where everything is in place.

    Raises
    ------
    EnvironmentProblem
        The database cannot be read.
    """
    if store.database is None or store.artifacts is None or store.empty:
        return Moved((), (), ())
    here = store.artifacts.rstrip("/")
    try:
        with closing(sqlite3.connect(store.database, timeout=_SECONDS_LOCKED)) as opened:
            held = [(table, address) for table in COLUMNS for address in _addresses(opened, table)]
    except sqlite3.Error as error:
        raise EnvironmentProblem("the tracking database cannot be read", where=store.database, found=error) from error
    elsewhere = [(table, address) for table, address in held if _is_local(address) and not _lies_in(address, here)]
    # An experiment's address is the root itself; the one MLflow makes on its own adds its number.
    roots = [a.rstrip("/").removesuffix("/0") for table, a in elsewhere if table == "experiments"]
    roots += [a[: a.index(_MARK) + len(_MARK)] for _, a in elsewhere if _MARK in a]
    ordered = sorted(set(roots), key=len)
    addresses, unclear = [], []
    for table, address in elsewhere:
        root = next((r for r in ordered if _lies_in(address, r)), None)
        if root is None:
            unclear.append((table, address))
        else:
            addresses.append((table, address, here + address.removeprefix(root)))
    used = {r for r in ordered if any(_lies_in(address, r) for _, address, _ in addresses)}
    return Moved(tuple(addresses), tuple(unclear), tuple(r for r in ordered if r in used))


def mend_moved(store: Store, moved: Moved) -> Path:
    """Write the new addresses, all in one transaction, beside a copy of the database as it was.

    Parameters
    ----------
    store : Store
    moved : Moved
        From ``find_moved``.

    Returns
    -------
    Path
        The copy of the database made before.

    Raises
    ------
    EnvironmentProblem
        The folder of files did not move along, or the database cannot be written; nothing was changed then.
    """
    if store.database is None:
        raise EnvironmentProblem("only a database on this machine can be mended", where=store.shown)
    files = store.database.parent / "artifacts"
    if not files.is_dir():
        raise EnvironmentProblem(
            "the database was moved without the files of its runs",
            where=store.database,
            found=f"no folder {files.as_posix()}",
            hint="bring the folder 'artifacts' along, then repeat",
        )
    backup = _free_name(store.database)
    try:
        with closing(sqlite3.connect(store.database, timeout=_SECONDS_LOCKED, isolation_level=None)) as opened:
            with closing(sqlite3.connect(backup)) as copy:
                opened.backup(copy)
            _write(opened, moved.addresses)
    except sqlite3.Error as error:
        raise EnvironmentProblem(
            "the tracking database could not be changed; it is as it was",
            where=store.database,
            found=error,
            hint="close the program that holds it, and look whether the file may be written to",
        ) from error
    return backup


def _write(opened: sqlite3.Connection, addresses: Sequence[tuple[str, str, str]]) -> None:
    opened.execute("begin immediate")
    try:
        for table, before, after in addresses:
            column = COLUMNS[table]
            opened.execute(f"update {table} set {column} = ? where {column} = ?", (after, before))  # noqa: S608  names from COLUMNS
        opened.execute("commit")
    except sqlite3.Error:
        opened.execute("rollback")
        raise


def _addresses(opened: sqlite3.Connection, table: str) -> list[str]:
    """Distinct addresses of one table; an older database lacks some of the tables."""
    column = COLUMNS[table]
    if column not in {row[1] for row in opened.execute(f"pragma table_info({table})")}:
        return []
    found = opened.execute(f"select distinct {column} from {table} where {column} is not null order by 1")  # noqa: S608  names from COLUMNS
    return [str(row[0]) for row in found if row[0]]


def _is_local(address: str) -> bool:
    """Whether an address is a file's, written on this or another operating system."""
    scheme, colon, _ = address.partition(":")
    return not colon or scheme == "file" or len(scheme) == 1


def _lies_in(address: str, root: str) -> bool:
    return address.rstrip("/") == root or address.startswith(f"{root}/")


def _free_name(database: Path) -> Path:
    number = 1
    while (backup := database.with_name(f"{database.name}.before-mending-{number}")).exists():
        number += 1
    return backup
