"""How good the audit itself is: what ``make bench-audit`` found in invented regions, as it is kept with the package."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TypedDict

__all__ = ["TestedLine", "read_tested"]


class TestedLine(TypedDict):
    """How often the audit spoke up about one thing: shares of ``regions`` with a concern, and a 95 % interval.

    ``what`` was put in and by which ``evidence`` it was looked for, in words; ``effect`` is by how many times forecasts
    were off between people, 1 where nothing was wrong.
    """

    what: str
    evidence: str
    effect: float
    found: float
    low: float
    high: float
    regions: int


@cache
def read_tested() -> tuple[TestedLine, ...]:
    """Every line that the audit of the audit left.

    Examples
    --------
    >>> {line["evidence"] for line in read_tested()} == {"counts by group", "where people live"}
    True
    """
    lines: list[TestedLine] = json.loads(files(__package__).joinpath("tested.json").read_text(encoding="utf-8"))
    return tuple(lines)
