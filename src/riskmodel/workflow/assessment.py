"""The tables that only the assessment's own pages need: comparison, concentration, people, gaps, catalogue, costs.

In: a session and tables of the run. Out: frames by name, with true values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from riskmodel.contracts.assessment_tables import CATALOGUE, COSTS, GAPS
from riskmodel.contracts.errors import NotYetPublished
from riskmodel.contracts.tables import as_table
from riskmodel.features.catalogue import Input, ResolvedFeature
from riskmodel.panel.compared import Country, NationalFactor, build_compared, build_similar, district_values
from riskmodel.panel.concentration import build_concentration, build_season
from riskmodel.panel.place_groups import build_place_groups
from riskmodel.panel.view import View
from riskmodel.sources.files import find_files
from riskmodel.sources.geography import read_lookup
from riskmodel.workflow.definitions import CENSUS, GEOGRAPHY, RESIDENTS, Definitions
from riskmodel.workflow.profile import build_profile

if TYPE_CHECKING:
    import pandas as pd

    from riskmodel.workflow.session import Session

__all__ = ["assessment_tables", "build_catalogue", "build_costs", "build_gaps"]

_WARDS = "lookup_lsoa21_ward24_lad24"
_PLACE_LEVELS = ("msoa21", "ward24", "lad24", "csp24", "local", "pfa")


def assessment_tables(session: Session, tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Every table of this module.

    Parameters
    ----------
    session : Session
    tables : mapping of str to DataFrame
        ``groups`` and ``outlook`` are used.
    """
    definitions, view = session.definitions, session.held.panel.as_of(session.as_of)
    parents = view.geography.parents
    made = {
        "catalogue": build_catalogue(definitions),
        "gaps": build_gaps(definitions),
        "concentration": build_concentration(
            view, definitions.target, label=definitions.plan.target_label, seed=definitions.experiment.seed
        ),
        "season_by_month": build_season(view, definitions.target, label=definitions.plan.target_label),
        "place_groups": build_place_groups(
            tables["groups"], parents, [level for level in _PLACE_LEVELS if level in parents]
        ),
        "profile": build_profile(session, tables["groups"]),
    }
    if definitions.experiment.costs:
        made["costs"] = build_costs(definitions, tables["outlook"])
    country = _country(session, view)
    factors = [] if country is None else list(_national_factors(session, view, country))
    if country is not None and factors:
        own = sorted({str(code) for code in view.geography.parents["lad24"]})
        values = district_values(factors, country)
        of_census = [number for number, factor in enumerate(factors) if factor.source == CENSUS]
        similar = build_similar(own, values[:, of_census], country, declared=definitions.experiment.similar)
        made |= {"similar": similar, "compared": build_compared(own, factors, values, country, similar)}
    return made


def _features(definitions: Definitions) -> tuple[ResolvedFeature, ...]:
    return (*definitions.features, *definitions.conditions)


def build_catalogue(definitions: Definitions) -> pd.DataFrame:
    """Every factor of the workspace with what its file says of it, and which model uses it."""
    import pandas as pd

    uses = {
        "forecast": {part.name for f in definitions.features for part in f.input.parts},
        "conditions": {part.name for f in definitions.conditions for part in f.input.parts},
    }
    rows = [
        {
            "factor": f"{domain}/{name}",
            "title": factor.title,
            "domain": domain,
            "role": factor.role,
            "stage": factor.stage,
            "levers": "; ".join(factor.levers),
            "expected": factor.expected,
            "evidence": factor.evidence,
            "unit": factor.unit,
            "source": factor.source,
            "caveat": factor.caveat,
            "used_in": "; ".join(model for model, names in uses.items() if f"{domain}/{name}" in names),
        }
        for domain, held in definitions.workspace.read_all("factor").items()
        for name, factor in held.factors.items()
    ]
    return as_table(pd.DataFrame(rows, columns=CATALOGUE.names), CATALOGUE)


def build_gaps(definitions: Definitions) -> pd.DataFrame:
    """Conditions the assessment wants and no source held supplies."""
    import pandas as pd

    rows = [
        {"domain": domain, "gap": name, "title": gap.title, "why": gap.why, "who_could_supply": gap.who_could_supply,
         "levers": "; ".join(gap.levers)}
        for domain, held in definitions.workspace.read_all("factor").items()
        for name, gap in held.gaps.items()
    ]  # fmt: skip
    return as_table(pd.DataFrame(rows, columns=GAPS.names), GAPS)


def build_costs(definitions: Definitions, outlook: pd.DataFrame) -> pd.DataFrame:
    """Declared unit costs times what is expected in the next 12 months, at the levels partners plan at."""
    import pandas as pd

    labels = {name.partition("@")[0]: name for name in outlook["target"].unique()}
    year = outlook[(outlook["window"] == "12_months") & outlook["level"].isin(["pfa", "csp24", "lad24"])]
    frames = []
    for name, cost in definitions.experiment.costs.items():
        rows = year[year["target"] == labels.get(cost.target, "")]
        frames.append(
            pd.DataFrame(
                {
                    "target": rows["target"],
                    "level": rows["level"],
                    "location": rows["location"],
                    "cost": name,
                    "title": cost.title,
                    "unit_cost": cost.unit_cost,
                    "price_year": cost.price_year,
                    "source": cost.source,
                    "expected": cost.unit_cost * rows["mean"],
                    "low": cost.unit_cost * rows["low"],
                    "high": cost.unit_cost * rows["high"],
                }
            )
        )
    return as_table(pd.concat(frames, ignore_index=True), COSTS)


def _country(session: Session, view: View) -> Country | None:
    """All small areas of England with their districts; None where the residents of the country are not held."""
    spec = session.definitions.sources[GEOGRAPHY]
    force = session.held.panel.geography.force
    files = find_files(GEOGRAPHY, spec, session.held.data, force=force, roles=[_WARDS])
    if not files:
        return None
    lookup = read_lookup(files[0], ["lsoa21", "lad24", "lad24_name"])
    lookup = lookup[lookup["lsoa21"].str.startswith("E")].sort_values("lsoa21", ignore_index=True)
    try:
        residents = view.vintage(CENSUS, RESIDENTS)
    except NotYetPublished:
        return None
    codes = lookup["lsoa21"].to_numpy(dtype=np.str_)
    districts, index = np.unique(lookup["lad24"].to_numpy(dtype=np.str_), return_inverse=True)
    names = lookup.drop_duplicates("lad24").set_index("lad24")["lad24_name"]
    return Country(
        codes=codes,
        district=np.asarray(index, dtype=np.intp),
        districts=[str(code) for code in districts],
        names=[str(names[code]) for code in districts],
        residents=_placed(residents.codes, residents.values, codes),
    )


def _placed(codes: Any, values: Any, wanted: Any) -> Any:
    """Values at the wanted codes, NaN where none is held."""
    order = np.argsort(codes)
    at = np.minimum(np.searchsorted(codes, wanted, sorter=order), len(codes) - 1)
    found = codes[order[at]] == wanted
    return np.where(found, np.asarray(values, dtype=np.float64)[order[at]], np.nan)


def _national_factors(session: Session, view: View, country: Country) -> Iterator[NationalFactor]:
    """The static factors of both models that their sources give for the small areas of the whole country."""
    inputs: dict[str, Input] = {}
    for feature in _features(session.definitions):
        for part in feature.input.parts:
            if part.kind == "static":
                inputs.setdefault(part.name, part)
    for name, part in inputs.items():
        try:
            top = view.vintage(part.source, part.measures[0])
            bottom = view.vintage(part.source, part.per) if part.per else None
        except NotYetPublished:
            continue
        if top.level != "lsoa21" or (bottom is not None and bottom.level != "lsoa21"):
            continue
        value = _placed(top.codes, top.values, country.codes)
        if part.absent_is_zero:
            value = np.nan_to_num(value)
        if bottom is not None:
            weight = _placed(bottom.codes, bottom.values, country.codes)
        else:
            weight, value = country.residents, value * country.residents
        if np.isfinite(value).mean() > 0.9:
            yield NationalFactor(name, part.source, top.period, value, weight, part.of)
