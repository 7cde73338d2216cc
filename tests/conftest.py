"""What every test shares: where the real published files lie, and how hypothesis runs."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    import pandas as pd

    from deciding_builders import Stored
    from riskmodel.contracts.yaml_files import Workspace
    from riskmodel.sources.synthetic import SyntheticRegion

REPOSITORY = Path(__file__).resolve().parents[1]
# Tests are not a package; this is how they share `builders`.
sys.path.insert(0, str(REPOSITORY / "tests"))

# A loaded machine is slow, not wrong; and a failure must be repeatable from what it printed.
settings.register_profile("riskmodel", deadline=None, print_blob=True)
settings.load_profile("riskmodel")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real published files; the test is skipped where there is none."""
    folder = Path(os.environ.get("RISKMODEL_DATA") or REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no published files at {folder}; RISKMODEL_DATA can name another folder")
    return folder


@pytest.fixture(scope="session")
def synthetic_region(tmp_path_factory: pytest.TempPathFactory) -> SyntheticRegion:
    """A small invented region, laid out as published: 40 areas, 40 months to 2025-12; never change it."""
    from riskmodel.sources.synthetic import write_synthetic_region

    return write_synthetic_region(tmp_path_factory.mktemp("synthetic") / "region", areas=40, months=40)


@pytest.fixture
def workspace(repository: Path, tmp_path: Path) -> Workspace:
    """A copy of the repository's own definitions, with a store of its own."""
    from riskmodel.contracts.yaml_files import Workspace

    for room in ("features", "experiments", "fairness"):
        shutil.copytree(repository / room, tmp_path / "workspace" / room)
    return Workspace(tmp_path / "workspace")


@dataclass(frozen=True)
class Called:
    """What one call of the command line left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What stdout holds, which must be one JSON document and nothing else."""
        return json.loads(self.out)


Command = Callable[..., Called]
VERB = "from riskmodel.cli import main; main()"


@pytest.fixture(scope="session")
def command(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """The command line in an interpreter of its own, as a person calls it."""
    inherited = {k: v for k, v in os.environ.items() if k not in {"RISKMODEL_DATA", "MLFLOW_TRACKING_URI"}}
    if inherited.pop("PYTHONDONTWRITEBYTECODE", None):
        # Else every call compiles thousands of modules again.
        inherited["PYTHONPYCACHEPREFIX"] = str(tmp_path_factory.mktemp("compiled"))

    def call(*arguments: object, cwd: Path | None = None, **settings: str) -> Called:
        done = subprocess.run(
            [sys.executable, "-c", VERB, *map(str, arguments)],
            cwd=cwd,
            env={**inherited, "PYTHONIOENCODING": "utf-8", **settings},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        encoding = settings.get("PYTHONIOENCODING", "utf-8").partition(":")[0]
        # Typer writes UTF-8 where a console says it knows only ASCII.
        encoding = "utf-8" if encoding == "ascii" else encoding
        return Called(done.returncode, done.stdout.decode(encoding), done.stderr.decode(encoding))

    return call


@pytest.fixture
def command_here(monkeypatch: pytest.MonkeyPatch) -> Command:
    """The same command line inside this interpreter: nothing replaced, only quicker."""
    from riskmodel.cli import main

    monkeypatch.delenv("RISKMODEL_DATA", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def call(*arguments: object) -> Called:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            main(list(map(str, arguments)))
            sys.exit(0)
        code = ended.value.code
        return Called(code if isinstance(code, int) else int(code is not None), out.getvalue(), err.getvalue())

    return call


SMALL_SET = """title: A few features
features:
  - {of: target, transform: lag, params: {periods: 0}}
  - {of: target, transform: rolling_mean, params: {window: 12}}
  - {of: target, transform: season, params: {level: pfa}}
  - {of: society/income_deprivation, transform: latest}
  - {of: society/owned_homes, transform: latest}
"""
SMALL_EXPERIMENT = """question: Does a small question take the whole way?
region: {force: lindenshire}
data: build/synthetic
feature_set: small
models:
  - {use: rolling_12}
  - {use: eb_seasonal}
  - {use: poisson_ridge}
  - {name: boosted, use: lightgbm, params: {trees: 20}}
horizons: 2
backtest: {first_origin: 2024-06, every_months: 6}
"""


@pytest.fixture(scope="session")
def small_workspace(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace made by ``init`` in a folder with a space and letters beyond ASCII; its data are never changed."""
    folder = tmp_path_factory.mktemp("small") / "Vergleich für Łódź" / "ws"
    done = command("init", folder, "--synthetic", "--areas", 40, "--months", 40)
    assert done.code == 0, done.err
    (folder / "features" / "sets" / "small.yaml").write_text(SMALL_SET, encoding="utf-8", newline="\n")
    (folder / "experiments" / "small.yaml").write_text(SMALL_EXPERIMENT, encoding="utf-8", newline="\n")
    return folder


@dataclass(frozen=True)
class SmallRun:
    """The same question asked twice, with one thread and with two."""

    workspace: Path
    first: Called
    second: Called
    out: Path
    again: Path


@pytest.fixture(scope="session")
def small_run(command: Command, small_workspace: Path) -> SmallRun:
    """Two runs of the small experiment through the command line."""
    out, again = small_workspace / "build" / "first bundle é", small_workspace / "build" / "again"
    asked = ("run", "small", "--workspace", small_workspace, "--json")
    first = command(*asked, "--out", out, "--jobs", 1)
    assert first.code == 0, first.err
    second = command(*asked, "--out", again, "--jobs", 2)
    assert second.code == 0, second.err
    return SmallRun(small_workspace, first, second, out, again)


@pytest.fixture(scope="session")
def audited_run(small_run: SmallRun, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """The small run in a store of its own, with an audit that nobody computed; never change it."""
    from deciding_builders import AUDITED, audit_rows, new_workspace, store_audited

    return store_audited(
        small_run.workspace, new_workspace(tmp_path_factory.mktemp("audited") / "w"), audit_rows(*AUDITED)
    )


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder with its bytes."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def read_back(path: Path) -> pd.DataFrame:
    """A table of a bundle as any program may read it; only an empty cell is blank, and codes stay words."""
    import pandas as pd

    from riskmodel.contracts.tables import TABLES

    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    words = {c.name: "str" for c in TABLES[path.stem].columns if c.dtype == "str"}
    return pd.read_csv(path, encoding="utf-8", keep_default_na=False, na_values=[""], dtype=words)


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Linear algebra on one thread, as every verb of the package runs it: tiny problems drown in threads."""
    import scipy.linalg  # noqa: F401  # a limit holds for the libraries that are loaded already
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield
