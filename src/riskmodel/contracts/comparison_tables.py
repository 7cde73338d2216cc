"""The records of the tables of skill: of the headline's models, of targets beside it, of the conditions and domains.

They are part of ``TABLES`` like every other record. Each row holds a skill against a baseline with its interval.
"""

from __future__ import annotations

from dataclasses import replace

from riskmodel.contracts.records import Column, Table

__all__ = [
    "COMPARISON",
    "COMPARISON_TABLES",
    "CONDITIONS_COMPARISON",
    "CONDITIONS_HINDSIGHT",
    "DOMAINS",
    "STREAM_COMPARISON",
]

_SHARE = "share"
_TARGET = Column("target", "str", "What is forecast, with its version, e.g. recorded_violence@1")
_MODEL = Column("model_id", "str", "The model or baseline, as the experiment names it")
_BASELINE = Column("baseline", "str", "The model that skill is measured against")
_LOW = Column("low", "float", "Lower end of the 90 % month-block interval", _SHARE, blank=True)
_HIGH = Column("high", "float", "Upper end of the 90 % month-block interval", _SHARE, blank=True)

COMPARISON = Table(
    "comparison",
    ("model_id", "baseline", "metric", "origin_date", "horizon"),
    (
        _MODEL,
        _BASELINE,
        Column("metric", "str", "The scoring rule that skill is made of"),
        Column("origin_date", "str", "An origin, or 'all'"),
        Column("horizon", "str", "A horizon in months, or 'all'"),
        Column("skill", "float", "1 - score / baseline's score, same forecasts", _SHARE, blank=True),
        _LOW,
        _HIGH,
        Column("forecasts", "int", "Forecasts both models made in this cell"),
        Column("month_blocks", "int", "Target months, the independent blocks of the interval"),
        Column(
            "verdict",
            "str",
            "better than counting, no better than counting, worse than counting, no interval or no forecast",
        ),
    ),
)
STREAM_COMPARISON = Table("stream_comparison", ("target", *COMPARISON.key), (_TARGET, *COMPARISON.columns))
CONDITIONS_COMPARISON = Table(
    "conditions_comparison",
    COMPARISON.key,
    (
        *COMPARISON.columns[:-1],
        Column("verdict", "str", "better, no better or worse than the region's rate; no interval or no forecast"),
        Column("vintages", "str", "What the factors' values were known from"),
    ),
)
CONDITIONS_HINDSIGHT = Table(
    "conditions_hindsight",
    COMPARISON.key,
    (
        *COMPARISON.columns[:-1],
        Column("verdict", "str", "hindsight, not skill: skill and its interval are blank"),
        CONDITIONS_COMPARISON.columns[-1],
        Column("hindsight_fit", "float", "How far scores lie below the baseline's, with hindsight", _SHARE, blank=True),
    ),
)
DOMAINS = Table(
    "domains",
    ("kind", "domain"),
    (
        Column("kind", "str", "forecast or conditions: the model that is fitted again"),
        _MODEL,
        _BASELINE,
        Column("domain", "str", "The domain left out; or all factors, or all conditions of places and people"),
        Column("features", "int", "How many features are left out"),
        Column("skill", "float", "Skill of the whole model", _SHARE, blank=True),
        Column("skill_without", "float", "Skill of the model without the domain, same forecasts", _SHARE, blank=True),
        Column("skill_lost", "float", "The first less the second", _SHARE, blank=True),
        replace(_LOW, description="Lower end of its 90 % month-block interval"),
        replace(_HIGH, description="Upper end of its 90 % month-block interval"),
        Column("forecasts", "float", "Forecasts that it rests on; blank where nothing was fitted again", blank=True),
        Column("month_blocks", "float", "Target months, the independent blocks of the interval", blank=True),
        Column(
            "verdict",
            "str",
            "earns its place, no difference seen, costs, no interval, not yet published, or the only domain",
        ),
        Column(
            "not_yet_published",
            "str",
            "Features left out that some origins could not see yet, with the reason, joined by '; '",
            blank=True,
        ),
        Column("rests_on", "str", "The horizons and origins it was measured at"),
    ),
)
COMPARISON_TABLES = (COMPARISON, STREAM_COMPARISON, CONDITIONS_COMPARISON, CONDITIONS_HINDSIGHT, DOMAINS)
