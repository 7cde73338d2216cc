"""Checkers for people who write their own reader, transform, model, metric or fairness check.

In: the thing written and something to try it on. Out: nothing, or a ``BrokenRule`` (an ``AssertionError``) that names
the rule broken and what was seen. The package's own plugins are held to the same checkers.
"""

from riskmodel.testing.checks import check_fairness_check
from riskmodel.testing.future import changed_futures, check_future_blindness, exact, without_revisions
from riskmodel.testing.metrics import check_metric
from riskmodel.testing.models import check_baseline, check_model, forecast_contents
from riskmodel.testing.readers import VALUES, check_reader, damaged_contents
from riskmodel.testing.rules import BrokenRule
from riskmodel.testing.transforms import check_transform

__all__ = [
    "VALUES",
    "BrokenRule",
    "changed_futures",
    "check_baseline",
    "check_fairness_check",
    "check_future_blindness",
    "check_metric",
    "check_model",
    "check_reader",
    "check_transform",
    "damaged_contents",
    "exact",
    "forecast_contents",
    "without_revisions",
]
