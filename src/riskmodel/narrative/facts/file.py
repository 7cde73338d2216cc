"""``facts.json``: every fact a bundle quotes. In: a book. Out: the file; and back again, for whoever checks it.

A cell of a table is a fact by its address, so cells are listed by table, column and form with the rows quoted. All
else (what is worked out, declared or supplied) is listed one by one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from riskmodel.contracts.fact_tables import FACTS
from riskmodel.contracts.tables import as_table
from riskmodel.narrative.facts.book import HIDDEN, Fact, FactBook

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FACTS_FILE", "build_facts", "read_facts", "write_facts"]

FACTS_FILE = "facts.json"


def write_facts(path: Path, book: FactBook) -> None:
    """Write every fact that was quoted; the same facts give the same bytes."""
    cells: dict[str, dict[str, Any]] = {}
    single: list[dict[str, Any]] = []
    for fact in book.facts:
        address = _address(fact)
        if address is None:
            single.append(_record(fact))
            continue
        table, row, columns = address
        family = cells.setdefault(f"{table}.{'+'.join(columns)}.{fact.form}", _family(fact, table, columns))
        family["suppressed" if fact.state == HIDDEN else "rows"].append(row)
        if fact.state == "rounded":
            family["rounded"].append(row)
    for family in cells.values():
        for rows in ("rows", "suppressed", "rounded"):
            family[rows] = sorted(family[rows])
    content = {"run_id": book.run_id, "cells": cells, "facts": single}
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _address(fact: Fact) -> tuple[str, int, tuple[str, ...]] | None:
    """Table, row and columns of a fact that is read from one row."""
    if fact.origin != "computed" or any(formula[0] != "cell" for formula in fact.formulas):
        return None
    table, row = fact.formulas[0][1], fact.formulas[0][2]
    return str(table), int(row), tuple(str(formula[3]) for formula in fact.formulas)


def _family(fact: Fact, table: str, columns: tuple[str, ...]) -> dict[str, Any]:
    low, high = (name.rpartition(".")[2] for name in (fact.low, fact.high))
    return {
        "table": table, "columns": list(columns), "form": fact.form, "unit": fact.unit, "low": low, "high": high,
        "rows": [], "suppressed": [], "rounded": [],
    }  # fmt: skip


def _record(fact: Fact) -> dict[str, Any]:
    value = fact.value
    return {
        "fact_id": fact.fact_id,
        "words": fact.words,
        "form": fact.form,
        "formulas": list(fact.formulas),
        "value": value if np.isfinite(value) else None,
        "unit": fact.unit,
        "origin": fact.origin,
        "source": fact.source,
        "as_of": fact.as_of,
        "state": fact.state,
    }


def read_facts(path: Path) -> Iterator[dict[str, Any]]:
    """Every fact of a file as a plain record: ``fact_id``, ``form``, ``formulas``, ``state`` and what else is known.

    Cells are spread out again, one record a row; their words and value are those of the table, so they have none here.
    """
    content: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for family in content["cells"].values():
        hidden, rounded = set(family["suppressed"]), set(family["rounded"])
        for row in (*family["rows"], *family["suppressed"]):
            state = "suppressed" if row in hidden else "rounded" if row in rounded else "open"
            columns: Sequence[str] = family["columns"]
            yield {
                "fact_id": f"{family['table']}.{row}.{'+'.join(columns)}",
                "form": family["form"],
                "formulas": [["cell", family["table"], row, column] for column in columns],
                "unit": family["unit"],
                "low": f"{family['table']}.{row}.{family['low']}" if family["low"] else "",
                "high": f"{family['table']}.{row}.{family['high']}" if family["high"] else "",
                "origin": "computed",
                "state": state,
            }
    yield from content["facts"]


def build_facts(book: FactBook) -> pd.DataFrame:
    """The ``facts`` noun: one row a fact, for analysts."""
    import pandas as pd

    rows = []
    for fact in book.facts:
        address = _address(fact)
        rows.append(
            {
                "fact_id": fact.fact_id,
                "value": fact.value,
                "words": fact.words,
                "form": fact.form,
                "unit": fact.unit,
                "table": address[0] if address else "",
                "cell": f"{address[1]} {'+'.join(address[2])}" if address else "",
                "formula": json.dumps(list(fact.formulas), ensure_ascii=False),
                "low": fact.low,
                "high": fact.high,
                "run_id": book.run_id,
                "origin": fact.origin,
                "source": fact.source,
                "as_of": fact.as_of,
                "state": fact.state,
            }
        )
    return as_table(pd.DataFrame(rows, columns=FACTS.names), FACTS)
