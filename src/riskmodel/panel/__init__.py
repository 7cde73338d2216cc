"""Observations to the panel; ``Panel.as_of(date)`` is the only door to data."""
