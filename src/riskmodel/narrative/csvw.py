"""What the CSV files of a bundle hold, for programs: CSVW metadata made from the tables' own records.

In: the tables that are written as CSV. Out: one dictionary, a table group, to be written as ``csv-metadata.json``
beside them. That is the name at which programs look for the description of any CSV file of a folder (W3C, Model for
Tabular Data and Metadata on the Web, "Default Locations and Site-wide Location Configuration").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from riskmodel.contracts.tables import TABLES, Column, Table, TableError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CSVW_FILE", "csvw_metadata"]

CSVW_FILE = "csv-metadata.json"
_DATATYPES: dict[str, Any] = {
    "str": "string",
    "float": "double",
    "int": "integer",
    "bool": {"base": "boolean", "format": "True|False"},
    "date": {"base": "date", "format": "yyyy-MM-dd"},
}


def csvw_metadata(
    tables: Mapping[str, pd.DataFrame],
    *,
    withheld: Mapping[str, pd.DataFrame] | None = None,
    title: str = "",
    licence: str = "",
    publisher: str = "",
) -> dict[str, Any]:
    """Describe every CSV file of a bundle.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        The tables written as ``<name>.csv``, by name; only their columns are looked at.
    withheld : mapping of str to DataFrame, optional
        For a table, a frame that is true where a cell was withheld: its column may be blank whatever the record says.
    title, licence, publisher : str
        Of the whole group, where known: a licence is a web address or a name.

    Returns
    -------
    dict
        A table group: for each file its columns with name, titles, datatype, unit, description and whether a cell may
        be blank, and the columns that make a row unique.

    Raises
    ------
    TableError
        If a table has no record, or not its record's columns.

    Notes
    -----
    W3C, Metadata Vocabulary for Tabular Data (2015). Units are given as schema.org's ``unitText``.

    Examples
    --------
    >>> import pandas as pd
    >>> group = csvw_metadata({"recording": pd.DataFrame(columns=TABLES["recording"].names)})
    >>> group["tables"][0]["url"], group["tables"][0]["tableSchema"]["primaryKey"]
    ('recording.csv', ['period'])
    """
    hidden = {name: {str(c) for c in mask if mask[c].any()} for name, mask in (withheld or {}).items()}
    about = {"dc:title": title, "dc:license": licence, "dc:publisher": publisher}
    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        **{name: text for name, text in about.items() if text},
        "dialect": {"encoding": "utf-8", "delimiter": ",", "header": True, "lineTerminators": ["\n"]},
        "tables": [_table(name, frame, hidden.get(name, set())) for name, frame in sorted(tables.items())],
    }


def _table(name: str, frame: pd.DataFrame, hidden: set[str]) -> dict[str, Any]:
    record = TABLES.get(name)
    if record is None:
        raise TableError("a table has no record to describe it by", found=name, allowed=sorted(TABLES))
    if list(frame.columns) != record.names:
        raise TableError(
            f"columns do not fit the table '{name}'", found=list(map(str, frame.columns)), allowed=record.names
        )
    return {
        "url": f"{name}.csv",
        "tableSchema": {
            "columns": [_column(c, required=not c.blank and c.name not in hidden) for c in record.columns],
            "primaryKey": _key(record),
        },
    }


def _column(column: Column, *, required: bool) -> dict[str, Any]:
    human = column.name.replace("_", " ").capitalize()
    return {
        "name": column.name,
        "titles": [column.name, human],
        "dc:description": column.description,
        **({"schema:unitText": column.unit} if column.unit else {}),
        "datatype": _DATATYPES[column.dtype],
        "null": "",
        "required": required,
    }


def _key(record: Table) -> list[str]:
    return list(record.key)
