"""``audit.json``: everything an audit found, for programs, and what a decision signs.

In: the papers' contents. Out: JSON whose bytes depend on the run alone. The state and the policy's texts for readers
are left out: a decision holds this file's hash, and must not be voided by being recorded or by a mended sentence.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from riskmodel.contracts.audit_tables import AUDIT, DATA_REQUESTS, INTERSECTIONS, TIPPING_POINTS
from riskmodel.contracts.records import Table
from riskmodel.narrative.papers.contents import Papers
from riskmodel.narrative.papers.findings import CARRY_VERDICT, counted, judged

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["as_json", "audit_content", "audit_json"]

_BESIDE = (INTERSECTIONS, TIPPING_POINTS, DATA_REQUESTS)


def audit_json(papers: Papers) -> str:
    """The file's text."""
    return as_json(audit_content(papers))


def audit_content(papers: Papers) -> dict[str, Any]:
    """What the file says.

    Parameters
    ----------
    papers : Papers

    Returns
    -------
    dict
        What names the run and its policy; ``verdicts``: model -> verdict -> number of rows; ``concerns`` of the model
        planners are shown and ``baseline_concerns``; and the rows of ``audit`` for these two models (those of every
        candidate are in ``tables/audit.csv``), ``intersections``, ``tipping_points`` and ``data_requests``. A blank is
        null; floats have ten significant digits, as in the CSV files.
    """
    audit = papers.table("audit")
    decided = audit[audit["model_id"].isin([papers.model_id, papers.baseline])]
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
        "audit": _records(decided, AUDIT),
        **{table.name: _records(papers.table(table.name), table) for table in _BESIDE},
    }


def as_json(content: Any) -> str:
    """JSON as every paper writes it: keys in order, one line break at the end, no value that JSON has no word for."""
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def _concerns(papers: Papers, model_id: str) -> list[dict[str, Any]]:
    rows = judged(papers, model_id)
    return _records(rows[rows["verdict"] == "concern"], AUDIT)


def _records(held: pd.DataFrame, record: Table) -> list[dict[str, Any]]:
    """A table's rows in the order of its key, so that the file does not depend on who wrote the table first."""
    ordered = held.sort_values(list(record.key), kind="stable")
    columns = {c.name: [_value(v, c.dtype) for v in ordered[c.name].tolist()] for c in record.columns}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _value(value: Any, dtype: str) -> Any:
    if value is None or value != value or value == "":
        return None
    if dtype == "str":
        return str(value)
    # Whole as written to a CSV file, so that a page told anew from the bundle has the same bytes.
    return int(value) if dtype == "int" else float(f"{float(value):.10g}")
