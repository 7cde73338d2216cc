"""Forecasts repeated at past origins: where they start, how they are run, scored and compared."""
