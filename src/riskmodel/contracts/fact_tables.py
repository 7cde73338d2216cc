"""The record of a fact: one number that a page, a picture or a document quotes, and where it comes from."""

from __future__ import annotations

from riskmodel.contracts.records import Column, Table

__all__ = ["FACTS", "FACT_TABLES"]

FACTS = Table(
    "facts",
    ("fact_id",),
    (
        Column("fact_id", "str", "table.row.column for a cell; a name of its own for all else"),
        Column("value", "float", "The number; blank where it is suppressed or not available", "the unit's", blank=True),
        Column("words", "str", "The number as it is written"),
        Column("form", "str", "How the number becomes words"),
        Column("unit", "str", "What the number is of", blank=True),
        Column("table", "str", "The table it is read from, without its suffix; blank if not from one", blank=True),
        Column("cell", "str", "row and column, the first row below the headings being 0", blank=True),
        Column(
            "formula",
            "str",
            "What it is made of, as JSON: cell, sum, count, distinct, rows, divide, subtract, multiply",
            blank=True,
        ),
        Column("low", "str", "The cell that holds the lower end of its interval", blank=True),
        Column("high", "str", "The cell that holds the upper end of its interval", blank=True),
        Column("run_id", "str", "The run it belongs to"),
        Column("origin", "str", "computed; declared in a definition; or supplied by people, not computed"),
        Column("source", "str", "Of what is declared or supplied: the file, or whoever supplied it", blank=True),
        Column("as_of", "str", "Of what is supplied: the day it is of", blank=True),
        Column("state", "str", "open, rounded (of a restricted source), suppressed or not available"),
    ),
)
FACT_TABLES = (FACTS,)
