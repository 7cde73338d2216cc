"""Decisions on disk: the empty form of a run, the decisions of a workspace, and a new one beside them.

In: a workspace, or a decision that has been checked. Out: what ``fairness/decisions/*.yaml`` holds, and one more file
in it; none is ever changed.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from riskmodel.contracts.policy_specs import DecisionSpec

if TYPE_CHECKING:
    from riskmodel.contracts.yaml_files import Workspace

__all__ = ["FORM_FILE", "form_text", "read_decisions", "write_decision"]

FORM_FILE = "decision_form.yaml"
"""The name of the empty form in a bundle."""
_FORM = """\
# The reviewers' decision on one run's audit. Fill it in, then: riskmodel decide {run_id} --form THIS_FILE
# Lines that need no answer stay empty. Nothing in this file is ever filled in by a program.

# These two lines tie the form to the audit that was read. Leave them as they are.
run: "{run_id}"
audit_sha256: "{audit_sha256}"

# One of: accept, accept_with_conditions, defer (more information is needed), refuse.
verdict:
# The day of the decision, as 2026-01-31.
decided_on:
# Who decided, one a line with name and role:
#   - A. Name, chair of the ethics committee
decided_by:
# Why, in your own words. Words that hold a colon, or run over several lines, go in quotes.
reasons:

# Only with accept_with_conditions: what must be done, who sees to it, by when; one a line:
#   - {{condition: "The audit is repeated with health records", owner: "A. Name", due: 2026-01-31}}
conditions:
# Only with defer: what you need to know before you can decide, one a line:
#   - How the group's own organisations read the finding
information_needed:

# Views that differ from the decision.
dissent:
# Interests that were declared.
interests:
# Where the minutes lie.
minutes:
# When the decision is looked at again, as 2026-01-31.
review_on:
"""


def form_text(run_id: str, audit_sha256: str) -> str:
    """The empty form of one run, which knows only what it is about.

    Examples
    --------
    >>> print(form_text("0123456789abcdef", "0" * 64).splitlines()[4])
    run: "0123456789abcdef"
    """
    return _FORM.format(run_id=run_id, audit_sha256=audit_sha256)


def read_decisions(workspace: Workspace) -> dict[str, tuple[str, DecisionSpec]]:
    """Every decision of a workspace by file name: the file's sha256 and what it says.

    Raises
    ------
    DefinitionError
        Listing every problem of every file.
    """
    return {
        name: (hashlib.sha256(workspace.path("decision", name).read_bytes()).hexdigest(), spec)
        for name, spec in workspace.read_all("decision").items()
    }


def write_decision(workspace: Workspace, decision: DecisionSpec) -> Path:
    """Add a decision to the workspace's; a file that exists is left as it is, and the new one is numbered.

    Parameters
    ----------
    workspace : Workspace
    decision : DecisionSpec

    Returns
    -------
    Path
        ``fairness/decisions/<date>-<run>.yaml``, with ``-2``, ``-3`` ... where there is one already.
    """
    text = _as_yaml(decision)
    stem, number = f"{decision.decided_on.isoformat()}-{decision.run}", 1
    while True:
        path = workspace.path("decision", stem if number == 1 else f"{stem}-{number}")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x", encoding="utf-8", newline="\n") as opened:
                opened.write(text)
        except FileExistsError:
            number += 1
        else:
            return path


def _as_yaml(decision: DecisionSpec) -> str:
    """Every text in double quotes, so that nothing a person wrote is taken for a number, a date or a mark of YAML."""
    lines = []
    for name, value in decision.model_dump().items():
        if isinstance(value, list):
            lines += [f"{name}:" if value else f"{name}: []", *(f"  - {_inline(entry)}" for entry in value)]
        else:
            lines.append(f"{name}: {_inline(value)}".rstrip())
    return "\n".join(lines) + "\n"


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_inline(entry)}" for name, entry in value.items()) + "}"
    if isinstance(value, date):
        return value.isoformat()
    quoted = "" if value is None else json.dumps(value, ensure_ascii=False)
    # JSON leaves these as they are; YAML does not print some, and takes others for the end of a line.
    return re.sub(r"[\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff]", lambda found: f"\\u{ord(found.group()):04x}", quoted)
