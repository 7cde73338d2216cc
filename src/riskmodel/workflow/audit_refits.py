"""The model planners are shown, learned again without what may stand for groups of people.

In: a session, its audit's evidence and the proxies found. Out: what changes for each group. A few origins and horizons
are enough, because each refit is held against the same cells of the model as it is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from riskmodel.backtest.run import run_backtest
from riskmodel.backtest.scores import as_cube
from riskmodel.contracts.audit_tables import AUDIT_REFITS
from riskmodel.contracts.errors import NotEnoughHistory
from riskmodel.contracts.specs import ModelSpec
from riskmodel.contracts.tables import as_table
from riskmodel.fairness.proxies import proxies_of
from riskmodel.fairness.refit_changes import compare_refits, refit_not_made
from riskmodel.forecast import make_model
from riskmodel.models.ensemble import Ensemble
from riskmodel.workflow.audit_evidence import Gathered

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.workflow.session import Session

__all__ = ["build_refits"]

_REFIT_ORIGINS, _REFIT_HORIZONS = 5, (1, 3, 6)

Floats = npt.NDArray[np.float64]


def build_refits(session: Session, gathered: Gathered, selected: str, proxies: pd.DataFrame | None) -> pd.DataFrame:
    """The model shown learned again without proxies, police-generated inputs and permitted group shares."""
    import pandas as pd

    people = [g for g in gathered.characteristics if g.kind == "people"]
    named = {
        "without proxies": set() if proxies is None else set(proxies_of(proxies)),
        "without police-generated inputs": _police_generated(session),
        "without permitted group shares": _group_shares(session),
    }
    frames = [_refit(session, gathered, selected, name, dropped, people) for name, dropped in named.items()]
    return as_table(pd.concat(frames, ignore_index=True), AUDIT_REFITS)


def _refit(
    session: Session, gathered: Gathered, selected: str, name: str, dropped: set[str], people: list[Any]
) -> pd.DataFrame:
    models = _with_members(session, selected)
    learns = any(make_model(m, session.definitions.experiment.seed).learns for m in models)
    held = {feature.label for feature in session.definitions.features}
    gone = dropped & held
    if not learns or not gone:
        reason = "the model shown learns nothing" if not learns else "the model shown holds none"
        return refit_not_made(name, people, left_out=0, reason=reason)
    definitions = session.definitions
    origins = [int(origin) for origin in gathered.evidence.origins]
    spread = np.unique(np.linspace(0, len(origins) - 1, min(_REFIT_ORIGINS, len(origins))).round().astype(int))
    wanted = [h for h in _REFIT_HORIZONS if h in gathered.evidence.horizons] or [int(gathered.evidence.horizons[0])]
    plan = replace(
        definitions.plan,
        features=tuple(f for f in definitions.features if f.label not in gone),
        models=tuple(models),
    )
    backtest = definitions.experiment.backtest.model_copy(update={"minimum_origins": 1})
    try:
        made = run_backtest(
            session.held.panel, plan, backtest, as_of=session.as_of, horizons=wanted,
            origins=[origins[i] for i in spread], jobs=session.jobs,
        )  # fmt: skip
    except NotEnoughHistory as error:
        return refit_not_made(name, people, left_out=len(gone), reason=str(error.what))
    geography = session.held.panel.geography
    return compare_refits(
        gathered.cube, as_cube(made.table), people, model_id=selected, name=name, left_out=len(gone),
        residents=_by_area(geography.population, geography.areas),
        priority_share=definitions.policy.priority_share,
    )  # fmt: skip


def _by_area(values: Floats, areas: npt.NDArray[np.str_]) -> pd.Series[float]:
    """Values by area."""
    import pandas as pd

    return pd.Series(values, index=pd.Index(areas, name="area"))


def _with_members(session: Session, selected: str) -> list[ModelSpec]:
    """A model's definition, and where it is several together theirs as well; none of them is searched again."""
    held = {m.model_id: m for m in session.definitions.experiment.models}
    own = make_model(held[selected], session.definitions.experiment.seed)
    names = [*(own.members if isinstance(own, Ensemble) else ()), selected]
    return [held[name].model_copy(update={"search": None}) for name in names]


def _police_generated(session: Session) -> set[str]:
    sources = session.definitions.sources
    return {
        f.label
        for f in session.definitions.features
        for part in f.input.parts
        if part.source and set(part.measures) & set(sources[part.source].police_generated)
    }


def _group_shares(session: Session) -> set[str]:
    factors = {
        f"{domain}/{name}": factor
        for domain, held in session.definitions.workspace.read_all("factor").items()
        for name, factor in held.factors.items()
    }
    return {
        f.label
        for f in session.definitions.features
        for part in f.input.parts
        if part.name in factors and factors[part.name].characteristic is not None
    }
