"""A workspace and a port go in; MLflow's pages, opened at the right view, come out on this machine only."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from riskmodel.contracts.errors import EnvironmentProblem, UsageError
from riskmodel.tracking.store import OFFLINE_SETTINGS, resolve_store

if TYPE_CHECKING:
    from types import FrameType

__all__ = ["DEFAULT_PORT", "run_ui", "serve", "ui_command"]

DEFAULT_PORT = 5055
_HOST = "127.0.0.1"
_SECONDS_TO_CLOSE = 10
_STANDARD_ERROR = 2


def ui_command(*, workspace: Path, uri: str | None = None, port: int = DEFAULT_PORT) -> tuple[list[str], str]:
    """Build the command that serves MLflow's pages, and the address that opens the view for models.

    Parameters
    ----------
    workspace : Path
        Folder whose ``mlruns`` is shown unless a URI names another store.
    uri : str, optional
        Tracking URI.
    port : int
        Port on this machine.

    Returns
    -------
    (list of str, str)
        Command and address. Without the address's last part MLflow opens its view for language models.

    Raises
    ------
    UsageError
        Nothing has been logged yet, or the store is a server that has pages of its own.
    """
    store = resolve_store(workspace, uri)
    if store.artifacts is None:
        raise UsageError("the tracking store is a server with its own pages", found=store.shown, hint="open that one")
    if store.empty:
        raise UsageError(
            "no run has been logged here yet", where=store.shown, hint="make one with: riskmodel run EXPERIMENT"
        )
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store.uri]
    command += ["--artifacts-destination", store.artifacts, "--host", _HOST, "--port", str(port), "--workers", "1"]
    return command, f"http://{_HOST}:{port}/#/experiments?workflowType=machine_learning"


def run_ui(*, workspace: Path, uri: str | None = None, port: int = DEFAULT_PORT) -> int:
    """Serve MLflow's pages in the foreground until Ctrl-C; the server's own log goes to stderr.

    Parameters
    ----------
    workspace : Path
        Folder whose ``mlruns`` is shown unless a URI names another store.
    uri : str, optional
        Tracking URI.
    port : int
        Port on this machine.

    Returns
    -------
    int
        0 after Ctrl-C, else the server's exit code.

    Raises
    ------
    UsageError
        As in ``ui_command``.
    EnvironmentProblem
        The port is taken.
    """
    command, _ = ui_command(workspace=workspace, uri=uri, port=port)
    _refuse_taken(port)
    return serve(command)


def serve(command: Sequence[str]) -> int:
    """Run a server in the foreground; Ctrl-C, a closed terminal or a request to end also end the server.

    Parameters
    ----------
    command : sequence of str
        Program and arguments; no shell takes part.

    Returns
    -------
    int
        0 when it was ended from here, else the server's exit code.
    """
    # MLflow would otherwise start job runners that serve nothing but its language-model pages.
    environment = {**os.environ, **OFFLINE_SETTINGS, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    # A group of its own, because uvicorn ends in a traceback when Ctrl-C reaches it from terminal and parent at once.
    group = None if sys.platform == "win32" else 0
    with _ends_as_ctrl_c():
        server = subprocess.Popen(command, env=environment, stdout=_STANDARD_ERROR, process_group=group)  # noqa: S603
        try:
            return server.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            _close(server)


@contextmanager
def _ends_as_ctrl_c() -> Iterator[None]:
    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), interrupt) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _close(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is None and sys.platform != "win32":
        server.terminate()
    try:
        # On Windows the console has sent Ctrl-C to the server too, which then closes by itself.
        server.wait(_SECONDS_TO_CLOSE)
    except subprocess.TimeoutExpired:
        if sys.platform == "win32":
            server.kill()
        else:
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _refuse_taken(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        if probe.connect_ex((_HOST, port)) == 0:
            raise EnvironmentProblem(
                "another program already answers on this port", found=port, hint="name another one with --port"
            )
