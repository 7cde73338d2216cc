"""How good the audit itself is: what ``make bench-audit`` found in invented regions, as it is kept with the package."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["Tested", "read_tested"]


@dataclass(frozen=True)
class Tested:
    """One line of the audit of the audit: how often the audit spoke up in invented regions whose truth is known.

    Parameters
    ----------
    what : str
        The wrong that was put into the forecast, in words.
    evidence : str
        What kind of evidence the audit had, in words.
    effect : float
        How many times too much or too little was forecast, person by person; 1 where nothing was wrong.
    found, low, high : float
        Share of regions with a concern, and its 95 % interval.
    regions : int
    """

    what: str
    evidence: str
    effect: float
    found: float
    low: float
    high: float
    regions: int


@cache
def read_tested() -> tuple[Tested, ...]:
    """Every line that the audit of the audit left.

    Examples
    --------
    >>> {line.evidence for line in read_tested()} == {"counts by group", "where people live"}
    True
    """
    held = json.loads(files(__package__).joinpath("tested.json").read_text(encoding="utf-8"))
    return tuple(Tested(**line) for line in held)
