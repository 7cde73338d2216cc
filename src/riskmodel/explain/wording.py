"""How sentences about an explained model say their numbers and names: plainly, or as whoever publishes them wants it.

In: rows of tables. Out: words. A page gives its own wording, so that each number knows the cell it comes from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["PLAIN", "Wording"]


@dataclass(frozen=True)
class Wording:
    """What writes the parts of a sentence.

    Parameters
    ----------
    number : callable
        A row, a column and a form -> words. Forms are ``points`` (of per cent), ``size_points`` (the same without a
        sign), ``three_digits`` and ``whole``.
    name : callable
        The name of a model -> words.
    """

    number: Callable[[Any, str, str], str]
    name: Callable[[str], str] = str


def _points(share: float) -> str:
    shown = f"{100.0 * share:.1f}"
    return "0.0" if shown == "-0.0" else shown


def _three_digits(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:.3g}"


_FORMS: dict[str, Callable[[float], str]] = {
    "points": _points,
    "size_points": lambda share: _points(abs(share)),
    "three_digits": _three_digits,
    "whole": "{:.0f}".format,
}
PLAIN = Wording(lambda row, column, form: _FORMS[form](float(row[column])))
"""Words that know nothing of where they come from."""
