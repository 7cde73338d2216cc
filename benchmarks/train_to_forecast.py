"""CPU time from train to forecast, beside the same LightGBM and GLM fits on matrices built before, in one process.

Run: ``python benchmarks/train_to_forecast.py EXPERIMENT DATA`` from a workspace. The ratio is what matters; seconds
belong to the machine.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from riskmodel.contracts.yaml_files import Workspace
from riskmodel.features.training import FeatureBlocks, build_training_set
from riskmodel.forecast.fitting import make_model, training_origins
from riskmodel.models.base import offset_column
from riskmodel.workflow import Session, open_session, read_definitions, train


def prebuilt(session: Session) -> list[tuple[Any, ...]]:
    """Every learned model's matrix, labels and offset, at every horizon."""
    view, plan = session.held.panel.as_of(session.as_of), session.definitions.plan
    blocks = FeatureBlocks(view, plan.features, training_origins(view, plan))
    ready = []
    for horizon in session.horizons:
        rows = build_training_set(blocks, plan.target, horizon, minimum_months=plan.minimum_months)
        for spec in plan.models:
            model = make_model(spec, plan.seed)
            if model.learns:
                column = offset_column(model.offset, view, plan.target, blocks.origins, horizon)
                offset = np.maximum(column, plan.floor)[rows.area, rows.origin]
                ready.append((model, rows.X, rows.y, offset, blocks.scales))
    return ready


def main(experiment: str, data: Path) -> None:
    """Print both CPU times and their ratio."""
    session = open_session(read_definitions(Workspace(Path()), experiment), data=data)
    train(session)
    ready = prebuilt(session)
    with threadpool_limits(1):
        start = time.process_time()
        for model, X, y, offset, scales in ready:
            model.fit(X, y, offset=offset, scales=scales)
        fits = time.process_time() - start
    start = time.process_time()
    train(session)
    ours = time.process_time() - start
    sys.stdout.write(f"{len(ready)} fits alone {fits:.1f} s CPU; train to forecast {ours:.1f} s; {ours / fits:.2f} x\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
