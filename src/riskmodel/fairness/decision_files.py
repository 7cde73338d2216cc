"""Decisions on disk: the empty form of a run, the decisions of a workspace, and a new one beside them.

In: a workspace, or a decision that has been checked. Out: what ``fairness/decisions/*.yaml`` holds, and one more file
in it; none is ever changed.
"""

from __future__ import annotations

import hashlib
import io
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
    from ruamel.yaml import YAML

    yaml: Any = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False
    yaml.allow_unicode, yaml.width = True, 10_000
    written = io.StringIO()
    yaml.dump(decision.model_dump(), written)
    return written.getvalue()
