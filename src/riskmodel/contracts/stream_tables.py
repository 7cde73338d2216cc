"""The records of the tables of an experiment's targets side by side: what each is, and how far streams agree.

They are part of ``TABLES`` like every other record.
"""

from __future__ import annotations

from riskmodel.contracts.planner_tables import TARGETS
from riskmodel.contracts.records import Column, Table

__all__ = ["AGREEMENT", "DISAGREEMENT", "STREAMS", "STREAM_TABLES"]

_OF_A_TARGET = {column.name: column for column in TARGETS.columns}
_PAIR = (
    Column("target", "str", "One target, with its version"),
    Column("other", "str", "The target it is compared with, of another stream"),
    Column("sensitivity", "str", "restricted where either source is, else public"),
)

STREAMS = Table(
    "streams",
    ("target",),
    (
        _OF_A_TARGET["target"],
        Column("shown_as", "str", "headline or beside"),
        _OF_A_TARGET["title"],
        Column("stream", "str", "Who saw it: police, ambulance, emergency_department"),
        *(_OF_A_TARGET[name] for name in ("covers", "leaves_out", "differs", "unit")),
        Column("recorded_as", "str", "located, or all_recorded: records without a place spread over the areas"),
        *(_OF_A_TARGET[name] for name in ("source", "measures")),
        Column("breakdown", "str", "The part of the records that is kept; blank where all of them are", blank=True),
        Column("sensitivity", "str", "public or restricted, as its source is"),
        Column("police_generated", "bool", "Whether its number follows what the police do"),
        Column("has_ranges", "bool", "Whether likely ranges can be made; of a weighted score they cannot"),
        Column("definition_sha256", "str", "Hash of all that decides its numbers"),
        Column("model_id", "str", "The model shown; blank for the headline and where nothing is", blank=True),
        Column("headline", "str", "Whether that is better than counting, in a sentence; blank likewise", blank=True),
        Column("note", "str", "Why it was not forecast; blank if it was", blank=True),
    ),
)
AGREEMENT = Table(
    "agreement",
    ("target", "other", "level"),
    (
        *_PAIR,
        Column("level", "str", "The kind of area that is ranked; or pfa, whose months are compared"),
        Column("months", "float", "How many months both hold, of the newest twelve or of all", "months"),
        Column("areas", "float", "How many areas are ranked", "areas", blank=True),
        Column("kendall", "float", "Kendall's tau-b: 1 = the same order, 0 = no relation", blank=True),
        Column("top", "float", "How many areas the top tenth is", "areas", blank=True),
        Column("overlap", "float", "Share of the top tenth that both rankings hold", "share", blank=True),
        Column("correlation", "float", "Of the changes from month to month, rid of the season", blank=True),
        Column("low", "float", "Lower end of its 90 % interval", blank=True),
        Column("high", "float", "Upper end of its 90 % interval", blank=True),
        Column("changes", "float", "How many changes it rests on", blank=True),
        Column("sentence", "str", "The same in words"),
    ),
)
DISAGREEMENT = Table(
    "disagreement",
    ("target", "other", "level", "location"),
    (
        *_PAIR,
        Column("level", "str", "The kind of area, with its boundary year"),
        Column("location", "str", "The area's code"),
        Column("months", "int", "How many of the newest months that both hold are added up", "months"),
        Column("recorded", "float", "What the target counts there", "records"),
        Column("recorded_other", "float", "What the other counts there", "records"),
        Column("expected_other", "float", "What the other would count if it lay as the target does", "records"),
    ),
)
STREAM_TABLES = (STREAMS, AGREEMENT, DISAGREEMENT)
