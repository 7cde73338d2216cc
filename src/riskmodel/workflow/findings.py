"""One row of ``riskmodel doctor``: what was looked at, where, how it stands, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from riskmodel.contracts.errors import RiskmodelError

__all__ = ["MENDED", "NOT_LOOKED_AT", "OK", "TO_DO", "Finding", "State", "of_error", "remove_all"]

State = Literal["ok", "mended", "to do", "not looked at"]
OK: State = "ok"
MENDED: State = "mended"
TO_DO: State = "to do"
NOT_LOOKED_AT: State = "not looked at"


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Parameters
    ----------
    code : str
        The check, always the same word for the same check.
    state : str
        ``ok``, ``mended``, ``to do``, or ``not looked at`` with the reason in ``what``.
    what, where, next : str
        In sentences; ``next`` is blank where nothing is left to do.
    """

    code: str
    state: State
    what: str
    where: str = ""
    next: str = ""


def of_error(code: str, error: RiskmodelError, *, next_step: str = "") -> Finding:
    """The finding that an error of another room amounts to."""
    found = f" (found: {error.found})" if error.found is not None else ""
    where = "" if error.where is None else error.where.as_posix() if isinstance(error.where, Path) else error.where
    return Finding(code, TO_DO, f"{error.what}{found}", where, error.hint or next_step)


def remove_all(code: str, paths: list[Path], what: str, remove: Callable[[Path], None]) -> list[Finding]:
    """Remove files or folders, one finding each; what cannot be removed is left to the reader, by name."""
    findings = []
    for path in paths:
        try:
            remove(path)
        except OSError as error:
            said = f"{what}, and could not be removed: {error.strerror or error}"
            findings.append(Finding(code, TO_DO, said, path.as_posix(), "close the program that holds it; delete it"))
        else:
            findings.append(Finding(code, MENDED, f"{what}; removed", path.as_posix()))
    return findings
