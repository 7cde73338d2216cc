"""The records of the tables of what could not be made: which features and forecasts were left out, and why.

They are part of ``TABLES`` like every other record.
"""

from __future__ import annotations

from riskmodel.contracts.records import Column, Table

__all__ = ["CONDITIONS_LEFT_OUT", "EXPLAIN_LEFT_OUT", "LEFT_OUT_TABLES", "STREAM_LEFT_OUT"]

_TARGET = Column("target", "str", "What was to be forecast, with its version")
_ORIGIN = Column("origin", "str", "The month the forecast was to be made as of, YYYY-MM")
_WHAT = Column("what", "str", "What was left out: a feature, or the forecasts of a model at a horizon")
_REASON = Column("reason", "str", "Why")

CONDITIONS_LEFT_OUT = Table("conditions_left_out", ("origin", "what"), (_ORIGIN, _WHAT, _REASON))
STREAM_LEFT_OUT = Table("stream_left_out", ("target", "origin", "what"), (_TARGET, _ORIGIN, _WHAT, _REASON))
EXPLAIN_LEFT_OUT = Table(
    "explain_left_out",
    ("what", "reason"),
    (Column("what", "str", "What was not explained, or explained without one of its parts"), _REASON),
)
LEFT_OUT_TABLES = (CONDITIONS_LEFT_OUT, EXPLAIN_LEFT_OUT, STREAM_LEFT_OUT)
