"""Model + panel view -> forecasts, the same way for training, backtest and forecast."""

from riskmodel.forecast.fitting import Fitted, Forecasts, Gap, Plan, fit_and_forecast, make_model
from riskmodel.forecast.stored import forecast_stored, read_fitted, save_fitted

__all__ = [
    "Fitted",
    "Forecasts",
    "Gap",
    "Plan",
    "fit_and_forecast",
    "forecast_stored",
    "make_model",
    "read_fitted",
    "save_fitted",
]
