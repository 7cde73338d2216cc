"""The laws of a transform: one value an area, the batch form equal to the single one, no look ahead.

In: a transform, an input it takes, a panel, past origins. Out: nothing, or the rule broken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from riskmodel.contracts.periods import month_label, month_start
from riskmodel.panel.view import Panel, View
from riskmodel.testing.future import check_future_blindness, exact, without_revisions
from riskmodel.testing.rules import require

if TYPE_CHECKING:
    from riskmodel.features.catalogue import Input
    from riskmodel.features.transforms import Transform

__all__ = ["check_transform"]

KINDS = ("monthly", "static", "exposure")
SCALES = ("count", "ratio", "plain")


def check_transform(
    transform: Transform, made_of: Input, panel: Panel, *, origins: Sequence[int], horizons: Sequence[int] = (1, 6, 12)
) -> None:
    """Hold a transform to its laws: what it declares, shape, batch form, no look ahead.

    Parameters
    ----------
    transform : Transform
        As a feature set would make it.
    made_of : Input
        An input it takes.
    panel : Panel
        With at least a year of months before the last origin.
    origins : sequence of int
        Past origins, in ascending order.
    horizons : sequence of int
        Months ahead.

    Raises
    ------
    BrokenRule
        If it declares what does not exist, does not give one float32 an area, or gives an infinity; if ``over`` differs
        from single calls by a bit, if a transform that says it ignores the horizon does not, or if a value depends on
        what was published or happened later.
    """

    def single(view: View) -> dict[str, object]:
        return {f"{transform} at horizon {h}": transform(view, made_of, h) for h in horizons}

    _require_declared(transform, made_of)
    view = panel.as_of(month_start(origins[-1]))
    for horizon in horizons:
        batch = transform.over(view, made_of, origins, horizon)
        for column, origin in enumerate(origins):
            value = transform(view.at(origin), made_of, horizon)
            seen = f"{transform} gives {value.dtype}{value.shape}, not one float32 an area"
            require(value.dtype == np.float32 and value.shape == view.geography.areas.shape, "shape", seen)
            require(not np.isinf(value).any(), "no infinities", f"{transform} gives one; what is not known is NaN")
            alike = exact(value) == exact(np.ascontiguousarray(batch[:, column]))
            require(alike, "batch form", f"{transform}: the batch form differs from the single form at {origin}")
            still = transform.uses_horizon or exact(value) == exact(transform(view.at(origin), made_of, horizons[0]))
            require(still, "horizon", f"{transform} says that it ignores the horizon, and does not")
    check_future_blindness(panel, single, origins=origins)
    plain, usable = without_revisions(panel, origins)
    newest = plain.as_of(month_start(origins[-1]))
    for origin in usable if newest.origin in usable else ():
        then, rewound = single(plain.as_of(month_start(origin))), single(newest.at(origin))
        alike = all(exact(then[name]) == exact(rewound[name]) for name in then)
        seen = f"{transform} rewound to {month_label(origin)} differs from what it was then"
        require(alike, "no look ahead", seen)


def _require_declared(transform: Transform, made_of: Input) -> None:
    taken = [kind for kind in transform.takes if kind not in KINDS]
    require(not taken, "declared", f"{transform} takes {taken}, which no input is; inputs are {list(KINDS)}")
    seen = f"{transform} does not say that it takes a {made_of.kind} input"
    require(made_of.kind in transform.takes, "declared", seen)
    seen = f"{transform} has the scale '{transform.scale}'; there are {list(SCALES)}"
    require(transform.scale in SCALES, "declared", seen)
