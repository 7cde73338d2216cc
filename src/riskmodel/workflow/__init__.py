"""The order of the rooms: one function per verb of the command line, each usable from Python.

Nothing else in the package knows which room comes after which.
"""

from riskmodel.workflow.bundle_language import bundle_problems
from riskmodel.workflow.checking import CheckReport, check_workspace
from riskmodel.workflow.deciding import AuditFound, Decided, FormFound, audit_run, decide_run, form_of, promote_run
from riskmodel.workflow.definitions import Definitions, read_definitions
from riskmodel.workflow.explaining import explain_run
from riskmodel.workflow.held import Held, ingest
from riskmodel.workflow.language_checks import page_ages
from riskmodel.workflow.narrating import Narrated, narrate_run
from riskmodel.workflow.scaffold import list_kind, new_definition
from riskmodel.workflow.session import Session, open_session
from riskmodel.workflow.starter import init_workspace
from riskmodel.workflow.steps import Comparison, Outcome, compare, experiment_of, forecast_run, run, train
from riskmodel.workflow.verifying import BundleChecked, verify_run

__all__ = [
    "AuditFound",
    "BundleChecked",
    "CheckReport",
    "Comparison",
    "Decided",
    "Definitions",
    "FormFound",
    "Held",
    "Narrated",
    "Outcome",
    "Session",
    "audit_run",
    "bundle_problems",
    "check_workspace",
    "compare",
    "decide_run",
    "experiment_of",
    "explain_run",
    "forecast_run",
    "form_of",
    "ingest",
    "init_workspace",
    "list_kind",
    "narrate_run",
    "new_definition",
    "open_session",
    "page_ages",
    "promote_run",
    "read_definitions",
    "run",
    "train",
    "verify_run",
]
