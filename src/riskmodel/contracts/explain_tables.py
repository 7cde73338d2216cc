"""The records of the tables that explain a model: what it rests on, which conditions go with what, how sure that is.

They are part of ``TABLES`` like every other record. All of them describe a model; none says what causes what.
"""

from __future__ import annotations

from riskmodel.contracts.records import Column, Table

__all__ = [
    "ATTRIBUTIONS",
    "EXPLAIN_TABLES",
    "GROUP_ATTRIBUTIONS",
    "GROUP_DIFFERENCES",
    "LEANING",
    "LEDGER",
    "STABILITY",
]

_LOG = "log records a month"
_MODEL = Column("model_id", "str", "The model, as the experiment names it")
_UNIT = Column("unit", "str", "The domain, the factor, or the factor a cluster is named after")
_MEMBERS = Column("members", "str", "The factors it holds, each as domain/name, joined by '; '")
_MARK = Column("mark", "str", "stable, uncertain or do not narrate; only what is stable is put into words")
_CHARACTERISTIC = Column("characteristic", "str", "The characteristic file's name under fairness/characteristics")
_GROUP = Column("group", "str", "The group whose places are described")
_PART = Column("part", "str", "A domain, history, start (what the model starts from, a resident), level or floor")

ATTRIBUTIONS = Table(
    "attributions",
    ("model_id", "origin_date", "target", "horizon", "level", "location", "feature"),
    (
        _MODEL,
        Column("origin_date", "date", "The day the forecast was made as of: the first day of a month"),
        Column("target", "str", "What is forecast, with its version, e.g. recorded_violence@1"),
        Column("horizon", "int", "1 is the month that begins on the origin", "months"),
        Column("level", "str", "The kind of area, with its boundary year"),
        Column("location", "str", "The area's code"),
        Column(
            "feature",
            "str",
            "One model input; or a term of the model's own: base (what every row starts from), offset (what the area "
            "starts from), level (the level correction), floor (what the least possible mean added)",
        ),
        Column("factor", "str", "The factor it is made of; blank for the model's own terms", blank=True),
        Column("domain", "str", "The factor's domain; blank for the model's own terms", blank=True),
        Column("role", "str", "risk, protective, context, history, or model for the model's own terms"),
        Column(
            "third",
            "str",
            "low, middle or high: in which third of the places' values the feature's own lies; blank where it is not "
            "known, and for the model's own terms",
            blank=True,
        ),
        Column(
            "value", "float", "What it adds to the logarithm of the mean; the values of a forecast add up to it", _LOG
        ),
    ),
)
LEANING = Table(
    "leaning",
    ("model_id", "horizon", "split", "part"),
    (
        _MODEL,
        Column("horizon", "str", "A horizon in months, or 'all'"),
        Column("split", "str", "class: all factors together; domain: factors by domain"),
        Column("part", "str", "history, season, level, residents, factors, or a domain of factors"),
        Column("share", "float", "Its share of what moves forecasts from the average place and month", "share"),
        Column("mean_absolute", "float", "Mean size of its summed terms over places, weighted by residents", _LOG),
        Column("multiplier", "float", "The same as a factor by which a forecast is typically moved", "times"),
    ),
)
STABILITY = Table(
    "stability",
    ("model_id", "kind", "unit"),
    (
        _MODEL,
        Column("kind", "str", "factor, cluster (factors that cannot be told apart) or domain"),
        _UNIT,
        _MEMBERS,
        Column("domain", "str", "The domain, or the domains of a cluster's factors, joined by '; '"),
        Column("strength", "float", "Mean size of its summed terms over places, weighted by residents", _LOG),
        Column(
            "multiplier", "float", "The same as a factor by which places typically differ from the average", "times"
        ),
        Column("low", "float", "Lower end of the 90 % interval of strength over refits on resampled places", _LOG),
        Column("high", "float", "Upper end of that interval", _LOG),
        Column("rank", "int", "Rank of the strength among units of its kind; 1 is the strongest"),
        Column("rank_low", "float", "Start of the 90 % range of ranks over all refits"),
        Column("rank_high", "float", "End of that range of ranks"),
        Column("of", "int", "How many units of its kind there are"),
        Column("sign_agreement", "float", "Share of all refits that point the same way as the model", "share"),
        Column("z", "float", "Mean over spread of the refits on resampled places; blank if unused", blank=True),
        Column("z_check", "float", "The same for a plain regression that holds the other factors", blank=True),
        Column(
            "found",
            "str",
            "higher, lower or mixed recorded violence where the factor is higher; blank for others",
            blank=True,
        ),
        Column("expected", "str", "higher or lower, as the catalogue expects; blank where it does not say", blank=True),
        Column(
            "direction",
            "str",
            "as expected, counter to expectation, mixed or no expectation; blank for others",
            blank=True,
        ),
        _MARK,
        Column("why", "str", "Why it is not stable; blank if it is", blank=True),
        Column("reasons", "str", "Likely reasons of what is counter to expectation, joined by '; '", blank=True),
    ),
)
LEDGER = Table(
    "ledger",
    ("model_id", "level", "location", "kind", "unit"),
    (
        _MODEL,
        Column("level", "str", "The kind of area, with its boundary year"),
        Column("location", "str", "The area's code"),
        Column("kind", "str", "total, domain or cluster; the domains' multipliers multiply to the total's"),
        Column("unit", "str", "all, the domain, or the factor a cluster is named after"),
        Column("members", "str", "The factors it holds, each as domain/name, joined by '; '", blank=True),
        Column("ledger", "str", "higher or lower: found with higher or with lower recorded violence; or neither"),
        Column("multiplier", "float", "Expected recorded violence over that of the region's average place", "times"),
        Column("low", "float", "Lower end of the 90 % interval over refits on resampled places", "times"),
        Column("high", "float", "Upper end of that interval", "times"),
        Column("sign_agreement", "float", "Share of all refits that put it into the same ledger", "share"),
        _MARK,
        Column(
            "expected_records", "float", "Of the total alone: expected recorded violence", "records a month", blank=True
        ),
    ),
)
GROUP_ATTRIBUTIONS = Table(
    "group_attributions",
    ("characteristic", "group", "model_id", "part"),
    (
        _CHARACTERISTIC,
        _GROUP,
        _MODEL,
        _PART,
        Column("people", "float", "People of the group in the region", "people"),
        Column(
            "log_rate",
            "float",
            "Mean term where the group lives; parts add up to 'all'",
            "log records a resident",
            blank=True,
        ),
        Column("multiplier", "float", "The same relative to where everyone lives", "times", blank=True),
    ),
)
GROUP_DIFFERENCES = Table(
    "group_differences",
    ("characteristic", "group", "other", "model_id", "part"),
    (
        _CHARACTERISTIC,
        _GROUP,
        Column("other", "str", "The group compared with, or everyone"),
        _MODEL,
        _PART,
        Column(
            "difference",
            "float",
            "Mean term where the group lives less that where the other lives; parts add up to 'all'",
            "log records a resident",
            blank=True,
        ),
        Column("multiplier", "float", "The same as a ratio; parts multiply to that of 'all'", "times", blank=True),
    ),
)
EXPLAIN_TABLES = (ATTRIBUTIONS, LEANING, STABILITY, LEDGER, GROUP_ATTRIBUTIONS, GROUP_DIFFERENCES)
