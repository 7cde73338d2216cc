"""Where runs are kept: a workspace or tracking URI goes in, a quiet and offline MLflow client comes out."""

from __future__ import annotations

import logging
import os
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from riskmodel.contracts.errors import EnvironmentProblem, UsageError

if TYPE_CHECKING:
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

__all__ = ["OFFLINE_SETTINGS", "Store", "connected", "local_path", "resolve_store"]

OFFLINE_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}

_SQLITE = "sqlite:///"
_SERVERS = ("http", "https", "databricks")
_DATABASES = ("postgresql", "mysql", "mssql")
_SECONDS_LOCKED = 20
_CHATTY_LOGGERS = ("mlflow", "alembic", "sqlalchemy.engine")


@dataclass(frozen=True)
class Store:
    """A tracking store, found but not yet opened.

    Parameters
    ----------
    uri : str
        MLflow's tracking URI.
    database : Path or None
        The SQLite file, when there is one.
    artifacts : str or None
        URI of the folder new experiments keep their files in; None when a server decides.
    own : bool
        True for the workspace's ``mlruns``, False for a store the user named.
    """

    uri: str
    database: Path | None
    artifacts: str | None
    own: bool

    @property
    def remote(self) -> bool:
        """Whether files that are logged leave for a server."""
        return self.artifacts is None

    @property
    def empty(self) -> bool:
        """Whether nothing was ever logged here; known without opening the store."""
        return self.database is not None and not (self.database.exists() and self.database.stat().st_size)

    @property
    def shown(self) -> str:
        """The store's place, without the user name and password a URI may carry."""
        if self.database is not None:
            return self.database.as_posix()
        return _without_credentials(self.uri)


def resolve_store(workspace: Path, uri: str | None = None) -> Store:
    """Find the tracking store: the URI given, else ``MLFLOW_TRACKING_URI``, else the workspace's ``mlruns``.

    Needs no mlflow, so that a wrong store is refused before a long run and not after it.

    Parameters
    ----------
    workspace : Path
        Folder holding ``features/ experiments/ fairness/``.
    uri : str, optional
        ``sqlite:///PATH``, a database URI or the address of a tracking server.

    Returns
    -------
    Store

    Raises
    ------
    UsageError
        The URI is of a kind MLflow can no longer write to.
    EnvironmentProblem
        ``mlruns`` was written by MLflow's old file store, or its database cannot be read.

    Examples
    --------
    >>> resolve_store(Path("anywhere"), "https://name:word@tracking.example").shown
    'https://tracking.example'
    """
    chosen = uri or os.environ.get("MLFLOW_TRACKING_URI")
    if not chosen:
        return _own_store(workspace)
    scheme = "databricks" if chosen == "databricks" else urlsplit(chosen).scheme.partition("+")[0]
    if chosen.startswith(_SQLITE):
        return _sqlite_store(Path(chosen.removeprefix(_SQLITE)), own=False)
    if scheme in _SERVERS:
        return Store(chosen, None, None, own=False)
    if scheme in _DATABASES:
        return Store(chosen, None, (workspace.resolve() / "mlruns" / "artifacts").as_uri(), own=False)
    raise UsageError(
        "this kind of tracking store cannot be written to",
        found=_without_credentials(chosen),
        allowed=["sqlite:///PATH", "https://SERVER", "postgresql://...", "mysql://...", "mssql://...", "databricks"],
        hint="leave the tracking URI out (option and MLFLOW_TRACKING_URI) to use the workspace's own mlruns",
    )


def _own_store(workspace: Path) -> Store:
    folder = workspace.resolve() / "mlruns"
    database = folder / "mlflow.db"
    if not database.exists() and any(folder.glob("*/meta.yaml")):
        raise EnvironmentProblem(
            "this folder was written by MLflow's file store, which MLflow no longer writes to",
            where=folder,
            hint="move the folder aside (a new one is made), or carry its runs over with: python -m mlflow "
            f'migrate-filestore --source "OLD FOLDER" --target "{_SQLITE}{database.as_posix()}"',
        )
    return _sqlite_store(database, own=True)


def _sqlite_store(database: Path, *, own: bool) -> Store:
    database = database.resolve()
    if database.exists():
        _refuse_unreadable(database)
    return Store(_SQLITE + database.as_posix(), database, (database.parent / "artifacts").as_uri(), own=own)


def _refuse_unreadable(database: Path) -> None:
    # MLflow would try again and again for minutes, then fail with SQLAlchemy's words.
    try:
        with closing(sqlite3.connect(database, timeout=_SECONDS_LOCKED)) as opened:
            opened.execute("select count(*) from sqlite_master").fetchall()
    except sqlite3.Error as error:
        raise EnvironmentProblem(
            "the tracking database cannot be read",
            where=database,
            found=error,
            hint="close the program that holds it, put back a good copy, or move it aside and a new one is made",
        ) from error


def _without_credentials(uri: str) -> str:
    parts = urlsplit(uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def local_path(uri: str) -> Path | None:
    """Turn a ``file:`` URI or plain path into a folder, or None when it is somewhere else.

    Examples
    --------
    >>> local_path("file:///data/a%20b").as_posix().endswith("/data/a b")
    True
    >>> local_path("mlflow-artifacts:/3/abc") is None
    True
    """
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return Path(url2pathname(f"//{parts.netloc}{parts.path}" if parts.netloc else parts.path))
    # A scheme of one letter is a Windows drive.
    return Path(uri) if len(parts.scheme) <= 1 else None


@contextmanager
def connected(store: Store) -> Iterator[MlflowClient]:
    """Open the store, made on first use, with mlflow offline and silent; its refusals become our errors.

    Raises
    ------
    EnvironmentProblem
        MLflow refused (server out of reach, database of another MLflow version) or a file operation failed.
    """
    with _offline_and_quiet():
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient

        try:
            _make_database(store)
            yield MlflowClient(tracking_uri=store.uri, registry_uri=store.uri)
        except MlflowException as error:
            raise _explained(error, store) from error
        except ModuleNotFoundError as error:
            raise EnvironmentProblem(
                "this tracking store needs a package that is not installed",
                where=store.shown,
                found=error.name,
                hint="install the driver of that database, or leave the tracking URI out to use the workspace's mlruns",
            ) from error
        except OSError as error:
            raise EnvironmentProblem(
                "a file of a run could not be read or written",
                where=error.filename or store.shown,
                found=error.strerror or error,
                hint="look for a full disk, a folder that may not be written to, or a file another program holds open",
            ) from error


def _make_database(store: Store) -> None:
    if not store.empty or store.database is None or store.artifacts is None:
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store.database.parent.mkdir(parents=True, exist_ok=True)
    # Left to the client, MLflow's "Default" experiment would be recorded under the current directory.
    SqlAlchemyStore(store.uri, store.artifacts)  # type: ignore[no-untyped-call]  # mlflow leaves it untyped


def _explained(error: MlflowException, store: Store) -> EnvironmentProblem:
    message = str(error.message).replace(store.uri, _without_credentials(store.uri))
    credentials = urlsplit(store.uri).netloc.rpartition("@")[0]
    message = message.replace(f"{credentials}@", "") if credentials else message
    if "out-of-date database schema" in message:
        return EnvironmentProblem(
            "the tracking database was written by another version of MLflow",
            where=store.shown,
            hint=f'copy the file first, then run: python -m mlflow db upgrade "{_without_credentials(store.uri)}"',
        )
    return EnvironmentProblem(
        "the tracking store refused",
        where=store.shown,
        found=message.strip().partition("\n")[0],
        hint="look for a full disk, a read-only or locked file, or a server that is not running",
    )


@contextmanager
def _offline_and_quiet() -> Iterator[None]:
    # MLflow reads these while it is being imported.
    os.environ.update(OFFLINE_SETTINGS)
    # MLflow waits minutes for a server that does not answer.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
    with warnings.catch_warnings():
        # mlflow/store/tracking/sqlalchemy_store.py uses a loader that SQLAlchemy 2.1 deprecates.
        warnings.filterwarnings("ignore", message=r"The ``noload`` loader strategy", category=DeprecationWarning)
        # mlflow/data/digest_utils.py calls DataFrame.all with a positional argument, which pandas 3 deprecates.
        warnings.filterwarnings("ignore", message=r"Starting with pandas version 4\.0 all arguments of all")
        # mlflow/types/utils.py advises on models served elsewhere whenever a frame holds whole numbers.
        warnings.filterwarnings("ignore", message=r"Hint: Inferred schema contains integer", category=UserWarning)
        import mlflow  # noqa: F401  importing it sets its loggers up, which must come before they are silenced

        levels = {name: logging.getLogger(name).level for name in _CHATTY_LOGGERS}
        try:
            for name in levels:
                logging.getLogger(name).setLevel(logging.CRITICAL)
            yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
