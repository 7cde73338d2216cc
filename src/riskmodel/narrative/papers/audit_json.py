"""``audit.json``: what an audit found, for programs, and what a decision signs.

In: the papers' contents. Out: JSON whose bytes depend on the run alone. The state and the policy's texts for readers
are left out: a decision holds this file's hash, and must not be voided by being recorded or by a mended sentence.
Rows that nobody lists are left out too; the hash of the whole table stands for them.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodel.contracts.audit_tables import AUDIT, DATA_REQUESTS, INTERSECTIONS, TIPPING_POINTS
from riskmodel.contracts.records import Table
from riskmodel.fairness.audit import listed_rows
from riskmodel.narrative.papers.contents import Papers
from riskmodel.narrative.papers.findings import CARRY_VERDICT, counted, judged
from riskmodel.narrative.papers.withholding import safe_tables

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["as_json", "audit_content", "audit_json", "is_of_tables", "rows_in", "table_sha256"]

_BESIDE = (INTERSECTIONS, TIPPING_POINTS, DATA_REQUESTS)
_WHOLE = "audit.parquet"


def audit_json(papers: Papers) -> str:
    """The file's text: one line for each key, so that a long audit stays small."""
    lines = (f"{_compact(key)}: {_compact(value)}" for key, value in sorted(audit_content(papers).items()))
    return "{\n" + ",\n".join(lines) + "\n}\n"


def audit_content(papers: Papers) -> dict[str, Any]:
    """What the file says.

    Parameters
    ----------
    papers : Papers

    Returns
    -------
    dict
        What names the run and its policy; ``verdicts``: model -> verdict -> number of rows; ``concerns`` of the model
        planners are shown and ``baseline_concerns``; ``table``: the file that holds every row of every candidate, how
        many, and their hash; and, packed as ``rows_in`` reads them, the listed rows of ``audit`` for the two models,
        ``intersections``, ``tipping_points`` and ``data_requests``. A blank is null; floats have ten significant
        digits, as in the CSV files.
    """
    audit = papers.table("audit")
    two = [papers.model_id, papers.baseline]
    listed = listed_rows(audit, two)
    models = sorted(audit["model_id"].unique())
    return {
        "run_id": papers.run_id,
        "experiment": papers.experiment,
        "target": papers.target,
        "model_id": papers.model_id,
        "baseline": papers.baseline,
        "as_of": papers.as_of.isoformat(),
        "seed": papers.seed,
        "code_version": papers.code_version,
        "policy": {
            "name": papers.policy_name,
            "rules_sha256": papers.policy.rules_sha256,
            "use": papers.policy.use,
        },
        "verdicts": {str(m): counted(audit[audit["model_id"] == m]) for m in models},
        "verdicts_carried_by": list(CARRY_VERDICT),
        "concerns": _concerns(papers, papers.model_id),
        "baseline_concerns": _concerns(papers, papers.baseline),
        "table": {"file": f"tables/{_WHOLE}", "rows": len(audit), "sha256": table_sha256(audit)},
        "audit": _packed(listed[listed["model_id"].isin(two)], AUDIT),
        **{table.name: _packed(papers.table(table.name), table) for table in _BESIDE},
    }


def as_json(content: Any) -> str:
    """JSON as other papers write it: keys in order, one line break at the end, no value that JSON has no word for."""
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def rows_in(packed: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a table as the file holds it.

    Parameters
    ----------
    packed : dict
        ``columns``: a list for each column; where ``words`` has the column too, its numbers are positions in those.

    Examples
    --------
    >>> rows_in({"columns": {"group": [0, 0, None], "p": [0.5, None, 1.0]}, "words": {"group": ["black"]}})
    [{'group': 'black', 'p': 0.5}, {'group': 'black', 'p': None}, {'group': None, 'p': 1.0}]
    """
    words = packed["words"]
    columns = {
        name: [None if at is None else words[name][at] for at in held] if name in words else held
        for name, held in packed["columns"].items()
    }
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def table_sha256(audit: pd.DataFrame) -> str:
    """The hash of an audit's rows: of their text in the order of their key, so that no file format has a part in it."""
    rows = safe_tables({AUDIT.name: audit})[AUDIT.name]
    ordered = rows[AUDIT.names].sort_values(list(AUDIT.key), kind="stable")
    text = ordered.to_csv(index=False, lineterminator="\n", float_format="%.10g")
    return hashlib.sha256(text.encode()).hexdigest()


def is_of_tables(path: Path, tables: Path) -> bool:
    """Whether an ``audit.json`` is of the audit that lies in a folder of tables.

    Parameters
    ----------
    path : Path
        The file; one that names no table holds all that it is of.
    tables : Path
    """
    import pandas as pd

    named = json.loads(path.read_text(encoding="utf-8")).get("table")
    if named is None:
        return True
    whole = tables / _WHOLE
    return whole.is_file() and table_sha256(pd.read_parquet(whole)) == named["sha256"]


def _compact(content: Any) -> str:
    return json.dumps(content, separators=(",", ":"), sort_keys=True, ensure_ascii=False, allow_nan=False)


def _concerns(papers: Papers, model_id: str) -> list[dict[str, Any]]:
    rows = judged(papers, model_id)
    return rows_in(_packed(rows[rows["verdict"] == "concern"], AUDIT))


def _packed(held: pd.DataFrame, record: Table) -> dict[str, Any]:
    """A table by columns, in the order of its key: the file does not depend on who wrote the table first."""
    ordered = held.sort_values(list(record.key), kind="stable")
    columns = {c.name: [_value(v, c.dtype) for v in ordered[c.name].tolist()] for c in record.columns}
    words = {}
    for column in [c.name for c in record.columns if c.dtype == "str"]:
        at = {word: n for n, word in enumerate(dict.fromkeys(w for w in columns[column] if w is not None))}
        words[column] = list(at)
        columns[column] = [None if word is None else at[word] for word in columns[column]]
    return {"columns": columns, "words": words}


def _value(value: Any, dtype: str) -> Any:
    if value is None or value != value or value == "":
        return None
    if dtype == "str":
        return str(value)
    # Whole as written to a CSV file, so that a page told anew from the bundle has the same bytes.
    return int(value) if dtype == "int" else float(f"{float(value):.10g}")
