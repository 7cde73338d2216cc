"""The CSVW description of the CSV files: the W3C's rules, and a program that reads the files by it.

Rules held (W3C, Metadata Vocabulary for Tabular Data; Model for Tabular Data and Metadata on the Web, 2015):

1. ``@context`` is the namespace, alone or followed by an object with ``@language`` and/or ``@base`` (5.2).
2. A table group has ``tables``, each with a ``url`` relative to the metadata file (5.3, 5.4).
3. Column names are unique in a table and keep to variable names: no leading underscore, no spaces (5.6).
4. The first row of a file holds the columns' names or titles, in order (5.5.1, compatibility of schemas).
5. ``datatype`` is a built-in one, or an object with a ``base`` and a ``format`` (5.11, 6.4).
6. ``primaryKey`` names columns of the table; no two rows are alike in all of them (5.5).
7. A ``required`` column has no null cell; ``null`` is the text that stands for null (5.7).
8. Properties of other vocabularies are written with a prefix of the RDFa initial context, such as dc or schema (5.8).
9. ``csv-metadata.json`` in the folder of a CSV file describes it (5.3 of the Model: default locations).
"""

from __future__ import annotations

import csv
import json
import re
import warnings
from pathlib import Path
from typing import Any

import csvw
import numpy as np
import pandas as pd
import pytest

import planner_builders as given
from riskmodel.contracts.tables import TABLES, TableError
from riskmodel.narrative.bundle import write_table
from riskmodel.narrative.csvw import CSVW_FILE, csvw_metadata

BUILT_IN = {"string", "double", "integer", "boolean", "date"}


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return given.planner_tables() | {"forecasts": given.forecasts(draws=20)}


@pytest.fixture(scope="module")
def folder(tables: dict[str, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("csvw")
    for name, table in tables.items():
        write_table(path / f"{name}.csv", table)
    described = csvw_metadata(tables, title="Gloucestershire", licence="OGL v3.0", publisher="A VRU")
    (path / CSVW_FILE).write_text(json.dumps(described), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def described(folder: Path) -> dict[str, Any]:
    return json.loads((folder / CSVW_FILE).read_text(encoding="utf-8"))


def test_every_file_is_described_and_every_description_has_its_file(described: dict[str, Any], folder: Path) -> None:
    assert described["@context"] == ["http://www.w3.org/ns/csvw", {"@language": "en"}]
    assert {t["url"] for t in described["tables"]} == {p.name for p in folder.glob("*.csv")}
    assert described["dc:license"] == "OGL v3.0"


def test_columns_are_those_of_the_file_in_order(described: dict[str, Any], folder: Path) -> None:
    for table in described["tables"]:
        columns = table["tableSchema"]["columns"]
        with (folder / table["url"]).open(encoding="utf-8", newline="") as handle:
            heading = next(csv.reader(handle))
        assert [c["name"] for c in columns] == heading
        assert all(name in c["titles"] for name, c in zip(heading, columns, strict=True))
        assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.]*", name) for name in heading)
        assert set(table["tableSchema"]["primaryKey"]) <= set(heading)


def test_datatypes_units_and_words_are_the_records(described: dict[str, Any]) -> None:
    for table in described["tables"]:
        record = TABLES[table["url"].removesuffix(".csv")]
        for column, entry in zip(record.columns, table["tableSchema"]["columns"], strict=True):
            datatype = entry["datatype"]
            assert (datatype if isinstance(datatype, str) else datatype["base"]) in BUILT_IN
            assert entry["dc:description"] == column.description
            assert entry.get("schema:unitText", "") == column.unit
            assert entry["required"] is not column.blank
            assert all(":" in key or key in {"name", "titles", "datatype", "null", "required"} for key in entry)


def test_a_csvw_reader_accepts_the_folder_and_finds_it_from_a_file(folder: Path) -> None:
    for start in (folder / CSVW_FILE, folder / "outlook.csv"):
        read = csvw.CSVW(str(start), validate=True)
        assert read.is_valid
        assert not read.warnings


def test_a_csvw_reader_gives_back_the_tables_values(folder: Path, tables: dict[str, pd.DataFrame]) -> None:
    for described in csvw.TableGroup.from_file(folder / CSVW_FILE).tables:
        table = tables[described.local_name.removesuffix(".csv")]
        rows = pd.DataFrame(list(described.iterdicts(strict=True)), columns=list(table.columns))
        assert described.check_primary_key()
        for name in table.columns:
            if table[name].dtype == "float64":
                np.testing.assert_allclose(rows[name].astype(float), table[name], rtol=1e-9)
            else:
                assert rows[name].fillna("").tolist() == table[name].tolist(), name


def damage(folder: Path, copy: Path, name: str, change: Any) -> Path:
    """A copy of one file with one cell changed, under the same description."""
    described = json.loads((folder / CSVW_FILE).read_text(encoding="utf-8"))
    described["tables"] = [t for t in described["tables"] if t["url"] == f"{name}.csv"]
    (copy / CSVW_FILE).write_text(json.dumps(described), encoding="utf-8")
    frame = pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False).head(60)
    change(frame).to_csv(copy / f"{name}.csv", index=False, lineterminator="\n")
    return copy / CSVW_FILE


def is_sound(path: Path) -> bool:
    """Whether the reader takes the file; it warns of a cell, and raises for a heading or a key."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        try:
            return csvw.CSVW(str(path), validate=True).is_valid
        except ValueError:
            return False


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.assign(horizon="one and a half"),
        lambda f: f.assign(target_end_date="30/09/2025"),
        lambda f: f.assign(value=""),
        lambda f: pd.concat([f, f.iloc[[30]]]),
        lambda f: f.rename(columns={"value": "worth"}),
    ],
    ids=["no integer", "no date", "required", "repeated key", "another heading"],
)
def test_a_file_that_breaks_its_description_is_found_out(folder: Path, tmp_path: Path, change: Any) -> None:
    assert not is_sound(damage(folder, tmp_path, "forecasts", change))


def test_a_sound_copy_is_not_found_out(folder: Path, tmp_path: Path) -> None:
    assert is_sound(damage(folder, tmp_path, "forecasts", lambda f: f))


def test_a_column_with_withheld_cells_may_be_blank(tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    table = tables["forecasts"]
    mask = pd.DataFrame(False, index=table.index, columns=table.columns)
    mask.loc[mask.index[::7], "value"] = True
    write_table(tmp_path / "forecasts.csv", table.mask(mask))
    for withheld in ({}, {"forecasts": mask}):
        described = csvw_metadata({"forecasts": table}, withheld=withheld)
        (tmp_path / CSVW_FILE).write_text(json.dumps(described), encoding="utf-8")
        assert is_sound(tmp_path / CSVW_FILE) is bool(withheld)


def test_a_table_without_its_record_is_refused() -> None:
    with pytest.raises(TableError, match="no record"):
        csvw_metadata({"unheard_of": pd.DataFrame({"a": [1]})})
    with pytest.raises(TableError, match="do not fit"):
        csvw_metadata({"places": given.places().drop(columns="name")})


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_record_can_be_described(name: str) -> None:
    (table,) = csvw_metadata({name: pd.DataFrame(columns=TABLES[name].names)})["tables"]
    assert table["tableSchema"]["primaryKey"] == list(TABLES[name].key)
