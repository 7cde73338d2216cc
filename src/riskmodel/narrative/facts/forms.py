"""How numbers become words: each form by its name, so that whoever checks a fact can write it again.

In: one value or several. Out: words as pages show them. A form never shows a blank as nought.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from riskmodel.narrative.fairness_words import (
    figure_words,
    more_words,
    number_words,
    people_words,
    per_cent_words,
    seen_words,
    signed_ratio_words,
)
from riskmodel.narrative.forecast_words import (
    NOT_AVAILABLE,
    chance_words,
    change_words,
    expected_words,
    ordinal,
    rank_words,
    recorded_words,
    share_words,
    skill_words,
)
from riskmodel.narrative.model_words import percent_words, points_words, times_words
from riskmodel.narrative.pictures import shown

__all__ = ["FORMS", "written"]


def _whole(value: float) -> str:
    return f"{value:,.0f}" if math.isfinite(value) else NOT_AVAILABLE


def _decimals(digits: int) -> Callable[[float], str]:
    def form(value: float) -> str:
        if not math.isfinite(value):
            return NOT_AVAILABLE
        size = f"{abs(value):,.{digits}f}"
        # A nought has no sign, however little it is below nothing.
        return f"\N{MINUS SIGN}{size}" if value < 0 and float(size.replace(",", "")) else size

    return form


def _money(value: float) -> str:
    return f"\N{POUND SIGN}{value:,.0f}" if math.isfinite(value) else NOT_AVAILABLE


def _rounded_money(value: float) -> str:
    """Pounds to three digits: an estimate has no more."""
    return _money(float(f"{value:.3g}")) if math.isfinite(value) else NOT_AVAILABLE


def _three_digits(value: float) -> str:
    """Three digits, or a whole number with its thousands apart; blank where there is none."""
    if not math.isfinite(value):
        return ""
    said = f"{value:,.0f}" if abs(value) >= 999.5 else f"{value:.3g}"
    return said.replace("-", "\N{MINUS SIGN}")


def _times_band(value: float, low: float, high: float) -> str:
    """A multiplier with its interval."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return f"{times_words(value)} ({NOT_AVAILABLE})"
    return f"{times_words(value)} ({low:.2f} to {high:.2f})"


def _supplied(value: float) -> str:
    """As a person wrote it, to the last digit."""
    return f"{value:,.15g}".replace("-", "\N{MINUS SIGN}") if math.isfinite(value) else NOT_AVAILABLE


FORMS: Mapping[str, Callable[..., str]] = MappingProxyType(
    {
        "supplied": _supplied,
        "as_given": _supplied,
        "whole": _whole,
        "one_decimal": _decimals(1),
        "two_decimals": _decimals(2),
        "three_decimals": _decimals(3),
        "three_digits": _three_digits,
        "shown": shown,
        "expected": expected_words,
        "recorded": recorded_words,
        "change": change_words,
        "share": share_words,
        "percent": percent_words,
        "skill": skill_words,
        "chance": chance_words,
        "times": times_words,
        "times_band": _times_band,
        "log_times": lambda value: times_words(math.exp(value)),
        "log_two_decimals": lambda value: _decimals(2)(math.exp(value)),
        "points": points_words,
        "size_points": lambda value: points_words(abs(value)),
        "rank_band": rank_words,
        "ordinal": lambda value: ordinal(round(value)) if math.isfinite(value) else NOT_AVAILABLE,
        "money": _money,
        "rounded_money": _rounded_money,
        "one_more": lambda value: _supplied(1 + value),
        "figure": figure_words,
        "people": people_words,
        "seen": seen_words,
        "size": lambda value: _decimals(1)(abs(value)),
        "signed": number_words,
        "signed_points": lambda value: number_words(100 * value),
        "log_signed_points": lambda value: number_words(100 * math.expm1(value)),
        "fewer_or_more": more_words,
        "more_or_less": per_cent_words,
        "log_more_or_less": lambda value: per_cent_words(math.exp(value)),
        "signed_ratio": signed_ratio_words,
        "log_signed_ratio": lambda value: signed_ratio_words(math.exp(value)),
    }
)
"""Name of a form -> what writes it; ``rank_band`` takes the first and last rank and the number ranked, ``times_band`` a
multiplier and the ends of its interval.
A form ``log_...`` takes the logarithm of what it writes."""


def written(form: str, values: list[float]) -> str:
    """Values in the words of a form.

    A table is written with ten digits and read back by whoever checks: words are those of ten digits, so that both
    round a half to the same side.

    Examples
    --------
    >>> written("expected", [14612.4]), written("rank_band", [1, 3, 6])
    ('14,612', 'among the 3 highest of 6')
    """
    if form == "supplied":
        return _supplied(*values)
    return str(FORMS[form](*(float(f"{value:.10g}") for value in values)))
