"""Where numbers are from, as a page says it in a browser: the very cells of the book of facts, packed rows included."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from narrative.outlook_tables import invented
from narrative.test_forecast_page import page_of
from riskmodel.narrative.facts import FactBook
from riskmodel.narrative.facts.on_page import numbers_on

pytestmark = pytest.mark.browser

CELL = re.compile(r"(\w+) \(tables/(\w+)\.(csv|parquet), row ([\d,]+)\)")


def cells_of(formula: Any) -> set[tuple[str, str, int]]:
    """Column, table and position of every cell a formula rests on."""
    if formula[0] == "cell":
        return {(formula[3], formula[1], formula[2])}
    return set().union(*(cells_of(part) for part in formula[1:] if isinstance(part, list)))


def cells_said(entries: list[list[str]]) -> set[tuple[str, str, int]]:
    """The same, as the panel says them; rows counted as a person counts who opens the file."""
    said = dict(entries)
    before = {"csv": 2, "parquet": 1}
    if "Table" not in said:
        found = CELL.findall(said["How it is made"])
        return {(column, table, int(row.replace(",", "")) - before[kind]) for column, table, kind, row in found}
    table, kind = re.fullmatch(r"tables/(\w+)\.(csv|parquet)", said["Table"]).groups()
    row = int(said["Row"].partition(", ")[0].replace(",", "")) - before[kind]
    columns = said.get("Column", said.get("Columns"))
    return {(told.partition(":")[0], table, row) for told in columns.split("; ") if re.match(r"\w+(:|$)", told)}


def test_every_number_of_a_page_leads_to_the_cells_it_was_taken_from(open_page: Any, tmp_path: Path) -> None:
    made = invented(24, districts=2)
    book = FactBook(made.tables, "run", withheld=made.suppressed, suffixes={"history": "parquet"})
    path = tmp_path / "forecast.html"
    path.write_text(page_of(made, book=book, headline=""), encoding="utf-8", newline="\n")
    names = sorted({name for name, _, _ in numbers_on(path.read_text(encoding="utf-8"))})
    seen = open_page(path)
    said = dict(zip(names, seen.page.evaluate("names => names.map(sourceOf)", names), strict=True))
    worked_out = 0
    for name, entries in said.items():
        fact = book.fact(name)
        assert cells_said(entries) == set().union(*map(cells_of, fact.formulas)), (name, entries)
        assert dict(entries).get("Unit") or not fact.unit
        worked_out += fact.formulas[0][0] != "cell"
    assert worked_out > 500 and len(said) - worked_out > 2_000
    assert seen.errors == []
