"""The checks M1 to M11 of the audit; each is registered under the entry point group ``riskmodel.checks``."""

from riskmodel.fairness.checks.base import Check

__all__ = ["Check"]
