"""The machine and the installation: Python, packages, the libraries behind them, folders that can be written to."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

from riskmodel.contracts import registry
from riskmodel.contracts.errors import RiskmodelError
from riskmodel.workflow.findings import OK, TO_DO, Finding, of_error
from riskmodel.workflow.starter import starter_folder

__all__ = ["examine_environment", "examine_writing"]

_AGAIN = "install it again from the lock: python -m pip install --require-hashes -r requirements/core.lock"


def examine_environment() -> Iterator[Finding]:
    """Look at Python, the packages and their bounds, LightGBM's library, the registered parts and the starter."""
    requires = metadata.requires("riskmodel") or []
    yield _python(str(metadata.metadata("riskmodel")["Requires-Python"]), sys.version.split()[0])
    yield from _packages(requires, metadata.version)
    yield _lightgbm(_import_lightgbm)
    yield from _registered()
    yield _starter()
    yield _data_variable(os.environ.get("RISKMODEL_DATA"))


def examine_writing(root: Path) -> Iterator[Finding]:
    """Look whether results can be written: ``build`` and ``mlruns``, or the folder in which they would be made."""
    for name in ("build", "mlruns"):
        folder = root / name
        nearest = next(p for p in (folder, *folder.parents) if p.exists())
        try:
            with tempfile.TemporaryFile(dir=nearest):
                pass
        except OSError as error:
            what = f"cannot be written to: {error.strerror or error}"
            yield Finding("writing", TO_DO, what, folder.as_posix(), "ask for write permission, or work in a copy")
        else:
            yield Finding("writing", OK, "can be written to", folder.as_posix())


def _python(allowed: str, found: str) -> Finding:
    from packaging.specifiers import SpecifierSet

    if found in SpecifierSet(allowed):
        return Finding("python", OK, f"Python {found}", sys.executable)
    return Finding("python", TO_DO, f"Python {found}, but {allowed} is needed", sys.executable, "install such a Python")


def _packages(requires: list[str], version: Callable[[str], str]) -> Iterator[Finding]:
    """One finding a dependency: absent, outside its bounds, or right."""
    from packaging.requirements import Requirement

    for line in sorted(requires):
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(wanted.name)
        except metadata.PackageNotFoundError:
            yield Finding("packages", TO_DO, f"{wanted.name} is not installed", wanted.name, _AGAIN)
            continue
        if wanted.specifier.contains(found, prereleases=True):
            yield Finding("packages", OK, f"{wanted.name} {found}", wanted.name)
        else:
            what = f"{wanted.name} {found}, but {wanted.specifier} is needed"
            yield Finding("packages", TO_DO, what, wanted.name, _AGAIN)


def _import_lightgbm() -> None:
    import lightgbm  # noqa: F401  importing it loads its library


def _lightgbm(load: Callable[[], None]) -> Finding:
    try:
        load()
    except (ImportError, OSError) as error:
        library = "libgomp" in str(error) or "libomp" in str(error)
        step = "brew install libomp" if sys.platform == "darwin" else "apt-get install libgomp1 (as administrator)"
        what = f"LightGBM does not load: {str(error).splitlines()[0]}"
        return Finding("lightgbm", TO_DO, what, "lightgbm", step if library else _AGAIN)
    return Finding("lightgbm", OK, "LightGBM loads, and the library for threads it needs", "lightgbm")


def _registered() -> Iterator[Finding]:
    for kind in registry.GROUPS:
        try:
            names = registry.names(kind)
        except RiskmodelError as error:
            yield of_error("registered", error)
            continue
        sound = 0
        for name in names:
            try:
                registry.load(kind, name)
                sound += 1
            except RiskmodelError as error:
                yield of_error("registered", error, next_step=_AGAIN)
        if sound == len(names):
            yield Finding("registered", OK, f"{sound} registered, all of which load", kind)


def _starter() -> Finding:
    try:
        return Finding("starter", OK, "the starter workspace is there", starter_folder().as_posix())
    except RiskmodelError as error:
        return of_error("starter", error)


def _data_variable(named: str | None) -> Finding:
    if not named:
        return Finding("data-folder", OK, "not set: data folders are named with --data", "RISKMODEL_DATA")
    if Path(named).is_dir():
        return Finding("data-folder", OK, f"names {Path(named).as_posix()}", "RISKMODEL_DATA")
    what = f"names a folder that is not there: {named}"
    return Finding("data-folder", TO_DO, what, "RISKMODEL_DATA", "correct it, or take it out of the environment")
