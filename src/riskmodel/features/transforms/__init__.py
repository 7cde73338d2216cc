"""Transforms: functions of (view, input, horizon) that return one value per area.

Each class is one transform behind the entry-point door ``riskmodel.transforms``; its constructor takes the parameters
a feature set may give. ``over`` is the batch form: the same values for many origins at once, [area, origin]. For a
trailing transform it is one pass over the months, because a value at month t uses months up to t only; a law in the
tests holds it equal, bit for bit, to the single form.
"""

from riskmodel.features.transforms.base import Trailing, Transform, read_columns
from riskmodel.features.transforms.seasonal import Month, SameMonthLastYear, Season, Trend
from riskmodel.features.transforms.spatial import NeighbourMean, QuantileInRegion, RatioToParent
from riskmodel.features.transforms.static import Freshness, Interaction, Latest
from riskmodel.features.transforms.trailing import (
    Change,
    EwmMean,
    Lag,
    PerPopulation,
    RollingMean,
    RollingSd,
    TimeSinceLast,
    UnlocatedShare,
    ZeroShare,
)

__all__ = [
    "Change",
    "EwmMean",
    "Freshness",
    "Interaction",
    "Lag",
    "Latest",
    "Month",
    "NeighbourMean",
    "PerPopulation",
    "QuantileInRegion",
    "RatioToParent",
    "RollingMean",
    "RollingSd",
    "SameMonthLastYear",
    "Season",
    "TimeSinceLast",
    "Trailing",
    "Transform",
    "Trend",
    "UnlocatedShare",
    "ZeroShare",
    "read_columns",
]
