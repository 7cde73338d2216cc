"""The records of the tables that the fairness audit leaves: what was asked of each group, found, and could not be seen.

They are part of ``TABLES`` like every other record. All figures are of areas weighted by who lives in them, or of
counts that a source gives by group; none is of a person.
"""

from __future__ import annotations

from riskmodel.contracts.records import Column, Table

__all__ = [
    "AUDIT",
    "AUDIT_PLACES",
    "AUDIT_REFITS",
    "AUDIT_TABLES",
    "DATA_REQUESTS",
    "FEEDBACK",
    "INTERSECTIONS",
    "POOR_BASE",
    "PROXIES",
    "TIPPING_POINTS",
]

_CHARACTERISTIC = Column(
    "characteristic", "str", "The characteristic file's name; several joined by ' x ' for an intersection"
)
_GROUP = Column("group", "str", "The group; several joined by ' & ' for an intersection")
_TARGET = Column("target", "str", "What is forecast, with its version")
_MODEL = Column("model_id", "str", "The model or baseline, as the experiment names it")
_PER_1000 = "records per 1,000 residents a year"

AUDIT = Table(
    "audit",
    ("check", "characteristic", "group", "evidence", "source", "target", "model_id", "level", "part"),
    (
        Column("check", "str", "The check's name"),
        Column("code", "str", "The check's code, M1 to M11"),
        _CHARACTERISTIC,
        _GROUP,
        Column(
            "evidence",
            "str",
            "composition: areas weighted by who lives there; outcomes: counts that a source gives by group",
        ),
        Column("source", "str", "The source whose records the forecast is held against"),
        _TARGET,
        _MODEL,
        Column("level", "str", "The kind of area, with its boundary year"),
        Column("part", "str", "all, or the origin, district, fifth or set of places that the row is of"),
        Column("question", "str", "What is asked, in a sentence"),
        Column("statistic", "float", "What was found", "the unit's", blank=True),
        Column("unit", "str", "What the statistic is"),
        Column("no_difference", "float", "What the statistic would be with no difference", blank=True),
        Column("low", "float", "Lower end of the 90 % interval: the widest of three tilings", blank=True),
        Column("high", "float", "Upper end of that interval", blank=True),
        Column("p", "float", "The largest p of three tilings; blank where no test is sized", blank=True),
        Column("p_adjusted", "float", "p, adjusted (Holm) for the groups of the characteristic", blank=True),
        Column("bound", "float", "From here on the policy wants a difference noticed", "the unit's", blank=True),
        Column("action_bound", "float", "From here on the policy wants the model stopped", "the unit's", blank=True),
        Column(
            "verdict",
            "str",
            "concern, no_evidence, insufficient, not_visible, not_assessable or suppressed; described where the check "
            "gives a figure and no verdict",
        ),
        Column("severity", "str", "notice or action for a concern; blank otherwise", blank=True),
        Column("direction", "str", "over or under: more, or less, was forecast than was recorded", blank=True),
        Column("smallest_seen", "float", "Minimum detectable effect: found four times in five", blank=True),
        Column("per_1000", "float", "The difference in people's terms", _PER_1000, blank=True),
        Column("per_1000_low", "float", "Lower end of its 90 % interval", _PER_1000, blank=True),
        Column("per_1000_high", "float", "Upper end of its 90 % interval", _PER_1000, blank=True),
        Column("per_1000_smallest_seen", "float", "Minimum detectable effect in people's terms", _PER_1000, blank=True),
        Column("people", "float", "People of the group in the region", "people", blank=True),
        Column("blocks", "int", "Blocks of places that the interval rests on: the fewest of three tilings"),
        Column("explanation", "str", "Why the verdict is what it is, in words"),
    ),
)
INTERSECTIONS = Table(
    "intersections",
    ("characteristic", "group", "model_id", "knowledge"),
    (
        _CHARACTERISTIC,
        _GROUP,
        _MODEL,
        Column(
            "knowledge",
            "str",
            "independent: point estimate; margins: nothing more; band: odds ratios within the policy's band; "
            "band and districts: with the districts' totals too",
        ),
        Column("people", "float", "People of the group in the region, estimated", "people", blank=True),
        Column("low", "float", "Least calibration ratio that what is known allows", "times", blank=True),
        Column("point", "float", "Calibration ratio of the point estimate", "times", blank=True),
        Column("high", "float", "Greatest calibration ratio that what is known allows", "times", blank=True),
        Column("depends", "str", "yes where the verdict changes inside the bounds, else no"),
        Column("note", "str", "Why a figure is blank, or what the bounds rest on", blank=True),
    ),
)
TIPPING_POINTS = Table(
    "tipping_points",
    ("characteristic", "group", "model_id", "recorded_share"),
    (
        _CHARACTERISTIC,
        _GROUP,
        _MODEL,
        Column(
            "recorded_share",
            "float",
            "Supposed share of the group's violence that is recorded, relative to that of others",
            "times",
        ),
        Column("statistic", "float", "Calibration contrast if that were so", "log ratio", blank=True),
        Column("prioritised_share", "float", "Share of the group living in the areas put first", "share", blank=True),
        Column(
            "need_share", "float", "The same if areas were put first by what would then have been", "share", blank=True
        ),
        Column("verdict", "str", "The verdict if that were so"),
        Column("changes", "str", "yes where it is not the verdict on the data as recorded, else no"),
    ),
)
FEEDBACK = Table(
    "feedback",
    ("uplift", "discovered", "exploration", "step"),
    (
        Column(
            "uplift", "float", "How much more of what is discoverable is recorded where attention is given", "times"
        ),
        Column("discovered", "float", "Share of recorded violence that depends on attention", "share"),
        Column("exploration", "float", "Share of attention given to places drawn by lot", "share"),
        Column("step", "int", "Forecasts made since the start"),
        Column("index", "float", "Share forecast in the areas put first over their true share; 1 is no amplification"),
        Column("low", "float", "Lower end of the middle nine tenths of simulations"),
        Column("high", "float", "Upper end of the middle nine tenths of simulations"),
    ),
)
PROXIES = Table(
    "proxies",
    ("characteristic", "group", "feature"),
    (
        _CHARACTERISTIC,
        _GROUP,
        Column("feature", "str", "One model input, or 'all' together"),
        Column(
            "r_squared", "float", "How well it foretells the group's share, in places left out", "share", blank=True
        ),
        Column("attribution_share", "float", "Its share of what moves the forecast", "share", blank=True),
        Column("proxy", "str", "yes where r_squared lies above the policy's bound, else no"),
    ),
)
AUDIT_REFITS = Table(
    "audit_refits",
    ("refit", "characteristic", "group"),
    (
        Column("refit", "str", "What was left out: proxies, police-generated inputs, or permitted group shares"),
        _CHARACTERISTIC,
        _GROUP,
        Column("left_out", "int", "How many features were left out"),
        Column("skill_change", "float", "Skill of the refit over the model; below 0 it is worse", "share", blank=True),
        Column("skill_low", "float", "Lower end of its 90 % interval over months", "share", blank=True),
        Column("skill_high", "float", "Upper end of that interval", "share", blank=True),
        Column("calibration_change", "float", "Change of the group's calibration contrast", "log ratio", blank=True),
        Column("same_places", "float", "Share of the areas put first that both put first", "share", blank=True),
        Column("people_moved", "float", "Change of the group's share living in areas put first", "share", blank=True),
        Column("note", "str", "Why a figure is blank", blank=True),
    ),
)
POOR_BASE = Table(
    "poor_base",
    ("area",),
    (
        Column("area", "str", "LSOA 2021 code"),
        Column("per_1000", "float", "Records of the policy's measures of visitors", _PER_1000, blank=True),
        Column("poor_base", "str", "yes where residents are a poor base for a rate, else no"),
    ),
)
AUDIT_PLACES = Table(
    "audit_places",
    ("target", "model_id", "level", "location"),
    (
        _TARGET,
        _MODEL,
        Column("level", "str", "The kind of area, with its boundary year: lad24 or msoa21"),
        Column("location", "str", "The area's code"),
        Column("residents", "float", "Usual residents", "people"),
        Column("ratio", "float", "What was forecast over what was recorded, in the backtest", "times", blank=True),
        Column("put_first", "float", "Share of its residents who live in areas put first", "share", blank=True),
    ),
)
DATA_REQUESTS = Table(
    "data_requests",
    ("characteristic", "group"),
    (
        _CHARACTERISTIC,
        _GROUP,
        Column("verdict", "str", "Why the group cannot be judged: the audit's word"),
        Column("wanted", "str", "The table that would settle it, in a sentence"),
        Column("columns", "str", "The columns it has, joined by '; '"),
        Column("breakdowns", "str", "The values its breakdown has, joined by '; '"),
        Column(
            "least_records", "float", "Records of the group needed to see the declared effect", "records", blank=True
        ),
        Column("who", "str", "Who may hold it"),
    ),
)
AUDIT_TABLES = (
    AUDIT,
    AUDIT_PLACES,
    INTERSECTIONS,
    TIPPING_POINTS,
    FEEDBACK,
    PROXIES,
    AUDIT_REFITS,
    POOR_BASE,
    DATA_REQUESTS,
)
