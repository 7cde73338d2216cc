"""Area codes: levels, the boundary year each carries, and the pattern of its codes."""

from __future__ import annotations

import re
from typing import Literal, get_args

__all__ = ["LEVELS", "Level", "is_area_code", "slug"]

Level = Literal["lsoa11", "lsoa21", "msoa21", "ward24", "lad24", "csp24", "pfa", "local"]
LEVELS: tuple[str, ...] = get_args(Level)

_PATTERNS = {
    "lsoa11": r"[EW]01[0-9]{6}",
    "lsoa21": r"[EW]01[0-9]{6}",
    "msoa21": r"[EW]02[0-9]{6}",
    "ward24": r"[EW]05[0-9]{6}",
    "lad24": r"[EW]0[6-9][0-9]{6}",
    "csp24": r"[EW]22[0-9]{6}",
    "pfa": r"[EW]23[0-9]{6}",
    "local": r".+",
}


def is_area_code(code: str, level: str) -> bool:
    """Whether a code has the form its level's codes have (not whether the area exists).

    Examples
    --------
    >>> is_area_code("E01022100", "lsoa21"), is_area_code("E02000001", "lsoa21")
    (True, False)
    """
    return re.fullmatch(_PATTERNS[level], code) is not None


def slug(name: str) -> str:
    """A name as it appears in a file name: lower case, hyphens, ``and`` for ``&``.

    Examples
    --------
    >>> slug("Devon & Cornwall")
    'devon-and-cornwall'
    """
    return re.sub(r"[^a-z0-9]+", "-", name.lower().replace("&", " and ")).strip("-")
