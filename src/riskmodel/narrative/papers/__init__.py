"""The papers reviewers complete: drafts filled from the run, with every field that only a person can fill marked.

In: a run's tables and definitions as ``Papers``. Out: ``audit.json``, ``atrs.json`` and ``atrs.md``, ``eqia.md``,
``algo_care.md``, ``model_card.md`` and ``datasheets/<source>.md``.
"""

from .atrs import record_problems
from .audit_json import audit_json, is_of_tables, rows_in
from .contents import Papers
from .writing import papers_of, write_papers

__all__ = ["Papers", "audit_json", "is_of_tables", "papers_of", "record_problems", "rows_in", "write_papers"]
