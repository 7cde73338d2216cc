"""Forecasts of recorded violence by place, for the prevention work of Violence Reduction Units."""

__version__ = "0.1.0"
