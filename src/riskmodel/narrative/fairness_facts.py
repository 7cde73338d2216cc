"""The words of the fairness page for a row of the audit: in go quoted rows, out come differences with their ranges."""

from __future__ import annotations

import math

from riskmodel.narrative.forecast_words import NOT_AVAILABLE
from riskmodel.narrative.quoted import Quoted

__all__ = ["beside_words", "contrast_words", "effect_words", "share_beside_words"]


def effect_words(row: Quoted) -> str:
    """A difference in people's terms, with its likely range, as a sentence's part.

    Examples
    --------
    >>> effect_words(Quoted({"per_1000": 1.94, "per_1000_low": 0.41, "per_1000_high": 3.4}))
    '1.9 more records forecast than recorded per 1,000 residents a year (likely between 0.4 and 3.4 more)'
    >>> effect_words(Quoted({"per_1000": -0.6, "per_1000_low": -1.3, "per_1000_high": 0.1}))
    '0.6 fewer records forecast than recorded per 1,000 residents a year (likely between 1.3 fewer and 0.1 more)'
    """
    if not math.isfinite(row["per_1000"]):
        return NOT_AVAILABLE
    said = f"{row.say('per_1000', 'fewer_or_more')} records forecast than recorded per 1,000 residents a year"
    low, high = row["per_1000_low"], row["per_1000_high"]
    if not (math.isfinite(low) and math.isfinite(high)):
        return said
    if low * high > 0:
        near, far = sorted(("per_1000_low", "per_1000_high"), key=lambda column: abs(row[column]))
        return f"{said} (likely between {row.say(near, 'size')} and {row.say(far, 'fewer_or_more')})"
    ends = " and ".join(row.say(column, "fewer_or_more") for column in ("per_1000_low", "per_1000_high"))
    return f"{said} (likely between {ends})"


def contrast_words(row: Quoted) -> str:
    """A contrast of calibration with its interval, short enough for a picture.

    Examples
    --------
    >>> contrast_words(Quoted({"statistic": 1.062, "low": 1.021, "high": 1.104, "unit": "times"}))
    '6% more (+2% to +10%)'
    """
    if not math.isfinite(row["statistic"]):
        return NOT_AVAILABLE
    return f"{row.ratio('statistic', 'more_or_less')} ({_signed_span(row)})"


def beside_words(row: Quoted) -> str:
    r"""A difference in people's terms for a table's cell, its likely range on a line of its own.

    Examples
    --------
    >>> beside_words(Quoted({"per_1000": 1.94, "per_1000_low": 0.4, "per_1000_high": 3.4}))
    '+1.9\n(+0.4 to +3.4)'
    """
    if not math.isfinite(row["per_1000"]):
        return NOT_AVAILABLE
    return f"{row.say('per_1000', 'signed')}\n({row.span('per_1000_low', 'per_1000_high', 'signed')})"


def share_beside_words(row: Quoted) -> str:
    r"""A contrast for a table's cell, signed so that it sorts.

    Examples
    --------
    >>> share_beside_words(Quoted({"statistic": 1.062, "low": 1.021, "high": 1.104, "unit": "times"}))
    '+6%\n(+2% to +10%)'
    """
    if not math.isfinite(row["statistic"]):
        return NOT_AVAILABLE
    return f"{row.ratio('statistic', 'signed_ratio')}\n({_signed_span(row)})"


def _signed_span(row: Quoted) -> str:
    if not (math.isfinite(row["low"]) and math.isfinite(row["high"])):
        return NOT_AVAILABLE
    return " to ".join(row.ratio(column, "signed_ratio") for column in ("low", "high"))
