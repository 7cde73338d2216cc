"""The records of the tables that the assessment's own pages need beside forecasts, conditions and the audit."""

from __future__ import annotations

from riskmodel.contracts.records import Column, Table

__all__ = [
    "ASSESSMENT_TABLES",
    "CATALOGUE",
    "COMPARED",
    "CONCENTRATION",
    "COSTS",
    "GAPS",
    "PLACE_GROUPS",
    "PROFILE",
    "SEASON_BY_MONTH",
    "SIMILAR",
    "SINCE",
]

_LEVEL = Column("level", "str", "The kind of area, with its boundary year")
_LOCATION = Column("location", "str", "The area's code")
_TARGET = Column("target", "str", "What is counted, with its version")

CATALOGUE = Table(
    "catalogue",
    ("factor",),
    (
        Column("factor", "str", "The factor, as domain/name"),
        Column("title", "str", "Its title"),
        Column("domain", "str", "The part of life it belongs to"),
        Column("role", "str", "risk, protective or context"),
        Column("stage", "str", "The stage of life it matters at"),
        Column("levers", "str", "Who can act on it, joined by '; '"),
        Column("expected", "str", "Found with higher or lower recorded violence, as the catalogue expects; or unclear"),
        Column("evidence", "str", "What the expectation rests on"),
        Column("unit", "str", "What its values are"),
        Column("source", "str", "The source file's name under features/sources"),
        Column("caveat", "str", "What to know when reading it", blank=True),
        Column(
            "used_in", "str", "forecast, conditions, or both joined by '; '; blank where neither uses it", blank=True
        ),
    ),
)
COMPARED = Table(
    "compared",
    ("level", "location", "factor"),
    (
        _LEVEL,
        _LOCATION,
        Column("factor", "str", "The factor, as domain/name"),
        Column("value", "float", "The factor here", "the factor's", blank=True),
        Column("force", "float", "The factor in the whole force area", "the factor's", blank=True),
        Column("similar", "float", "Its middle value in the similar areas", "the factor's", blank=True),
        Column("similar_low", "float", "Its least value in the similar areas", "the factor's", blank=True),
        Column("similar_high", "float", "Its greatest value in the similar areas", "the factor's", blank=True),
        Column("country", "float", "The factor in England", "the factor's", blank=True),
        Column("period", "str", "The period the source recorded"),
        Column("note", "str", "Why a figure is blank", blank=True),
    ),
)
SIMILAR = Table(
    "similar",
    ("location", "similar"),
    (
        Column("location", "str", "The district's code"),
        Column("similar", "str", "Code of a district like it"),
        Column("name", "str", "That district's name"),
        Column("rank", "int", "1 is the most similar"),
        Column("distance", "float", "How far apart they are: quadratic mean over standardised factors", blank=True),
        Column("chosen", "str", "declared in the experiment, or nearest on factors of the census"),
        Column("factors", "int", "How many factors the distance rests on"),
    ),
)
CONCENTRATION = Table(
    "concentration",
    ("target", "end", "share_of_areas"),
    (
        _TARGET,
        Column("start", "date", "First day of the twelve months"),
        Column("end", "date", "Last day of the twelve months"),
        Column("share_of_areas", "float", "Share of small areas: those with the most records", "share"),
        Column("areas", "int", "How many areas that is"),
        Column("share_of_residents", "float", "Share of residents who live there", "share"),
        Column("share_of_records", "float", "Share of recorded violence recorded there", "share"),
        Column(
            "by_chance", "float", "The same share if every area had the same rate and counts varied by chance", "share"
        ),
        Column("same_areas", "float", "Share of these areas that were among them a year before", "share", blank=True),
    ),
)
SEASON_BY_MONTH = Table(
    "season_by_month",
    ("target", "month"),
    (
        _TARGET,
        Column("month", "str", "The month of the year"),
        Column(
            "ratio", "float", "Records of the month over those of the year's average month, over whole years", "times"
        ),
        Column("low", "float", "The least of the years held", "times"),
        Column("high", "float", "The greatest of the years held", "times"),
        Column("years", "int", "How many whole years are held", "years"),
    ),
)
PROFILE = Table(
    "profile",
    ("source", "breakdown", "group", "end"),
    (
        Column("source", "str", "The source that supplies the breakdown"),
        Column("stream", "str", "Who saw it: police, ambulance, emergency_department"),
        Column("breakdown", "str", "What the groups are groups of"),
        Column("group", "str", "The group"),
        Column("start", "date", "First day of the period"),
        Column("end", "date", "Last day of the period"),
        Column("months_held", "int", "How many months of the period are held", "months"),
        Column("records", "float", "Records of the group", "records", blank=True),
        Column("people", "float", "People of the group in the region", "people", blank=True),
        Column("rate", "float", "Records per 1,000 people of the group a year", "per 1,000 a year", blank=True),
        Column("rate_low", "float", "Lower end of its 90 % interval, chance alone", "per 1,000 a year", blank=True),
        Column("rate_high", "float", "Upper end of its 90 % interval, chance alone", "per 1,000 a year", blank=True),
        Column("state", "str", "open, rounded or suppressed"),
    ),
)
GAPS = Table(
    "gaps",
    ("domain", "gap"),
    (
        Column("domain", "str", "The part of life it belongs to"),
        Column("gap", "str", "The gap's name in the catalogue"),
        Column("title", "str", "The condition the assessment wants"),
        Column("why", "str", "Why no source held supplies it"),
        Column("who_could_supply", "str", "Who could"),
        Column("levers", "str", "Partners who could supply it or help to get it, joined by '; '", blank=True),
    ),
)
PLACE_GROUPS = Table(
    "place_groups",
    ("level", "location", "characteristic", "group"),
    (
        _LEVEL,
        _LOCATION,
        Column("characteristic", "str", "The characteristic file's name under fairness/characteristics"),
        Column("group", "str", "The group"),
        Column("people", "float", "People of the group who live in the area", "people"),
        Column("share", "float", "Their share of everybody in the same table", "share", blank=True),
        Column("period", "str", "The period the source recorded, e.g. 2021"),
    ),
)
COSTS = Table(
    "costs",
    ("target", "level", "location", "cost"),
    (
        _TARGET,
        _LEVEL,
        _LOCATION,
        Column("cost", "str", "The unit cost's name in the experiment"),
        Column("title", "str", "What is costed"),
        Column("unit_cost", "float", "Cost of one record", "pounds"),
        Column("price_year", "str", "The year whose prices it is in"),
        Column("source", "str", "Who published the unit cost"),
        Column("expected", "float", "Unit cost times expected records of the next 12 months", "pounds", blank=True),
        Column("low", "float", "The same at the lower end of the likely range", "pounds", blank=True),
        Column("high", "float", "The same at the upper end of the likely range", "pounds", blank=True),
    ),
)
SINCE = Table(
    "since",
    ("what", "target", "level", "location", "name"),
    (
        Column(
            "what",
            "str",
            "recorded, expected, expected_low or expected_high (of twelve months), condition, verdict, source, "
            "definition, model, run or as_of",
        ),
        Column("target", "str", "What is counted, with its version; the headline where the row is of no target"),
        _LEVEL,
        _LOCATION,
        Column("name", "str", "The place; of a condition its factors, of a verdict what was asked and of whom"),
        Column("before", "float", "The number in the earlier run; of a condition, how far refits agree", blank=True),
        Column("now", "float", "The number in this run", blank=True),
        Column("before_words", "str", "The months, mark, verdict or name in the earlier run", blank=True),
        Column("now_words", "str", "The same in this run", blank=True),
        Column("note", "str", "What can be said of the change, or what else to know", blank=True),
    ),
)
ASSESSMENT_TABLES = (
    CATALOGUE,
    COMPARED,
    SIMILAR,
    CONCENTRATION,
    SEASON_BY_MONTH,
    PROFILE,
    GAPS,
    PLACE_GROUPS,
    COSTS,
    SINCE,
)
