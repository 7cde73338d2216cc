"""One factor of the catalogue in one region: its values, its gaps, and what it goes with.

In: an experiment (for its region and target), a factor and the data folder. Out: an ``Exploration`` and its page. The
newest values held are shown; the page says which of them a run could not see yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from riskmodel.contracts.errors import DefinitionError, RiskmodelError, UsageError, did_you_mean
from riskmodel.contracts.periods import month_from_date, month_label, month_start
from riskmodel.contracts.specs import FactorSpec, SourceSpec
from riskmodel.features.catalogue import refusal_of
from riskmodel.narrative.explore_page import Exploration, write_explore_page
from riskmodel.panel.build import build_panel, default_as_of
from riskmodel.panel.geography import Geography, build_geography
from riskmodel.panel.view import Panel, View
from riskmodel.sources.files import find_files
from riskmodel.sources.observed import SourceFile
from riskmodel.store import Store
from riskmodel.workflow.area_shapes import BOUNDARIES, area_shapes
from riskmodel.workflow.definitions import CENSUS, GEOGRAPHY, Definitions
from riskmodel.workflow.explore_tables import (
    WINDOW,
    alike_table,
    district_table,
    lag_table,
    missing_table,
    month_trend,
    values_of,
    vintage_trend,
)
from riskmodel.workflow.held import data_folder
from riskmodel.workflow.progress import Listener, Silent

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["explore", "explore_factor"]


@dataclass(frozen=True, eq=False)
class _Region:
    """What every factor of the page is read from."""

    definitions: Definitions
    data: Path
    geography: Geography
    store: Store

    def panel(self, source: str, measures: set[str]) -> Panel:
        """A panel of one source beside the target."""
        target = self.definitions.target
        wanted = {target.source: set(target.measures)}
        wanted.setdefault(source, set()).update(measures)
        files: list[SourceFile] = []
        for name, needed in sorted(wanted.items()):
            spec = self.definitions.sources[name]
            roles = [role for role, f in spec.files.items() if f.monthly or needed & set(f.measures)]
            force = self.definitions.experiment.region.force
            first = self.definitions.experiment.history.first_month
            files += find_files(name, spec, self.data, force=force, first_month=first, roles=roles)
        self.store.ingest(files)
        return build_panel(
            self.store,
            files,
            self.geography,
            measures=wanted,
            parts=[target.series.located],
            first_month=self.definitions.experiment.history.first_month,
        )


def explore_factor(
    definitions: Definitions, factor: str, *, data: Path | None, out: Path, listener: Listener | None = None
) -> Exploration:
    """Explore a factor and write its page."""
    found = explore(definitions, factor, data=data_folder(definitions, data), listener=listener)
    write_explore_page(found, out)
    return found


def explore(definitions: Definitions, factor: str, *, data: Path, listener: Listener | None = None) -> Exploration:
    """Everything the page says of one factor.

    Parameters
    ----------
    definitions : Definitions
        An experiment: its region and its target.
    factor : str
        ``domain/name``.
    data : Path
        Where the published files lie.

    Raises
    ------
    DefinitionError
        If there is no such factor.
    UsageError
        If its source is restricted: small numbers are not guarded on this page.
    """
    import pandas as pd

    catalogue = _catalogue(definitions)
    spec = _factor(catalogue, factor)
    source = definitions.sources[spec.source]
    if source.sensitivity != "public":
        raise UsageError(
            f"'{factor}' comes from a restricted source, and this page does not guard small numbers",
            found=f"{spec.source}: {source.title}",
            allowed="factors of public sources",
            hint="look at it inside the agreement's own surroundings, or choose another factor: riskmodel list factor",
        )
    region = definitions.experiment.region
    geography = build_geography(
        data,
        definitions.sources[GEOGRAPHY],
        definitions.sources[CENSUS],
        region=region,
        workspace=definitions.workspace.root,
    )
    here = _Region(definitions, data, geography, Store(definitions.workspace.root / "build" / "store"))
    panel = here.panel(spec.source, _measures(spec))
    view = panel.as_of(_newest(panel, definitions.target.source))
    facts, notes = _facts(definitions, factor, spec, source, panel)
    if spec.characteristic is not None:
        return _totals_only(here, factor, spec, view, facts, notes)
    values = values_of(view, factor, spec)
    others, not_compared = _others(here, catalogue, factor, listener or Silent())
    monthly = spec.source in panel.monthly
    district = geography.parents["lad24_name"].to_numpy(dtype=object)
    areas = pd.DataFrame(
        {"code": geography.areas, "name": geography.parents["name"].to_numpy(), "district": district, "value": values}
    )
    target = definitions.target.series
    return Exploration(
        name=factor,
        title=spec.title,
        region=geography.title,
        unit=f"{spec.unit} per 1,000 residents, mean of the newest {WINDOW} months" if monthly else spec.unit,
        target=definitions.target.title,
        facts=facts,
        notes=notes,
        areas=areas,
        shapes=_shapes(here),
        districts=district_table(geography, values),
        trend=month_trend(view, spec) if monthly else vintage_trend(panel, factor, spec),
        alike=alike_table(values, others),
        not_compared=not_compared,
        lags=lag_table(view, spec, values, target, monthly=monthly),
        missing=missing_table(view, spec, values, monthly=monthly),
        coarse=_coarse(spec, source, values),
    )


def _catalogue(definitions: Definitions) -> dict[str, FactorSpec]:
    return {
        f"{domain}/{name}": spec
        for domain, held in definitions.workspace.read_all("factor").items()
        for name, spec in held.factors.items()
    }


def _factor(catalogue: dict[str, FactorSpec], factor: str) -> FactorSpec:
    if factor not in catalogue:
        ends = [name for name in catalogue if name.partition("/")[2] == factor]
        hint = f"did you mean '{ends[0]}'?" if ends else did_you_mean(factor, catalogue)
        raise DefinitionError(
            f"there is no factor '{factor}'",
            where="features/factors",
            allowed="domain/name",
            hint=hint or "list them with: riskmodel list factor",
        )
    return catalogue[factor]


def _measures(spec: FactorSpec) -> set[str]:
    return {spec.measure, *([spec.per] if spec.per else [])}


def _newest(panel: Panel, target: str) -> date:
    """The first origin on which everything held is visible."""
    days = [v.published for held in panel.static.vintages.values() for v in held]
    days += [r.published for source in panel.monthly.values() for r in source.releases]
    last = max([*days, default_as_of(panel, target)])
    return month_start(month_from_date(last) + (last.day != 1))


def _facts(
    definitions: Definitions, factor: str, spec: FactorSpec, source: SourceSpec, panel: Panel
) -> tuple[list[tuple[str, str]], list[str]]:
    vintages = panel.static.vintages.get((spec.source, spec.measure), ())
    usual = default_as_of(panel, definitions.target.source)
    if vintages:
        newest = max(vintages, key=lambda v: (v.published, v.period))
        vintage = f"{newest.period} ({newest.level}); file {newest.file}"
        published = newest.published.isoformat()
    else:
        releases = panel.monthly[spec.source].releases
        vintage = f"months {month_label(releases[0].month)} to {month_label(releases[-1].month)}"
        published = f"newest month on {releases[-1].published.isoformat()}"
    expected = {"higher": "found with higher recorded violence", "lower": "found with lower recorded violence"}
    facts = [
        ("Factor", factor),
        ("Role", spec.role),
        ("Expected", expected.get(spec.expected, "unclear")),
        ("Evidence", spec.evidence or "none stated"),
        ("Unit", spec.unit),
        ("Source", f"{source.title} ({source.publisher})"),
        ("Licence", source.licence),
        ("Vintage", vintage),
        ("Published", published),
        ("Missing values", {"keep": "stay missing", "zero_is_zero": "an absent value is a zero"}[spec.missing]),
        ("Owner", spec.owner),
        ("Caveat", spec.caveat.strip() or "none stated"),
    ]
    notes = [f"Shown are the newest values held. A run of today's files would be made as of {usual.isoformat()}."]
    late = [v for v in vintages if v.published > usual]
    if late:
        notes.append(f"Such a run cannot see the vintage {late[-1].period} yet: published {late[-1].published}.")
    levels = {file.level for file in source.files.values() if spec.measure in file.measures}
    if not levels & {"lsoa11", "lsoa21"}:
        notes.append(f"It is published at {', '.join(sorted(levels))} only: every area shows the value of its parent.")
    refused = refusal_of(spec, source)
    if refused:
        notes.append(f"This factor is refused as a feature: it {refused}. Reviewers alone may permit it, in a policy.")
    return facts, notes


def _totals_only(
    here: _Region, factor: str, spec: FactorSpec, view: View, facts: list[tuple[str, str]], notes: list[str]
) -> Exploration:
    """A characteristic of people: district totals and nothing finer."""
    import pandas as pd

    from riskmodel.workflow.explore_tables import total_table

    notes = [*notes, "A characteristic of people is shown as district totals only: no map, no area, no correlation."]
    empty = pd.DataFrame()
    return Exploration(
        name=factor, title=spec.title, region=here.geography.title, unit=spec.unit,
        target=here.definitions.target.title, facts=facts, notes=notes, areas=None, shapes=None,
        districts=total_table(view, spec), trend=empty, alike=empty, not_compared=empty, lags=empty, missing=empty,
    )  # fmt: skip


def _others(
    here: _Region, catalogue: dict[str, FactorSpec], factor: str, listener: Listener
) -> tuple[list[tuple[str, str, str, npt.NDArray[np.float64]]], pd.DataFrame]:
    """Values of every other factor that may be shown, and the reason for each that is not."""
    import pandas as pd

    found: list[tuple[str, str, str, npt.NDArray[np.float64]]] = []
    left_out: list[tuple[str, str]] = []
    by_source: dict[str, list[str]] = {}
    for name, spec in catalogue.items():
        source = here.definitions.sources[spec.source]
        if name == factor:
            continue
        if spec.characteristic is not None:
            left_out.append((name, "a characteristic of people"))
        elif source.sensitivity != "public":
            left_out.append((name, "a restricted source"))
        else:
            by_source.setdefault(spec.source, []).append(name)
    with listener.task("Reading the other factors", len(by_source)) as step:
        for source_name, names in by_source.items():
            for name, values in _values_of_source(here, source_name, {n: catalogue[n] for n in names}):
                if isinstance(values, str):
                    left_out.append((name, values))
                else:
                    remark = refusal_of(catalogue[name], here.definitions.sources[source_name])
                    coarse = _coarse(catalogue[name], here.definitions.sources[source_name], values)
                    said = "; ".join([*([f"refused as a feature: it {remark}"] if remark else []), coarse]).strip("; ")
                    found.append((name, catalogue[name].title, said, values))
            step()
    return found, pd.DataFrame(sorted(left_out), columns=["factor", "reason"])


def _values_of_source(
    here: _Region, source: str, factors: dict[str, FactorSpec]
) -> Sequence[tuple[str, npt.NDArray[np.float64] | str]]:
    """The values of one source's factors, together where all can be had, else one by one with the reason."""
    wanted = set().union(*(_measures(spec) for spec in factors.values()))
    try:
        panel = here.panel(source, wanted)
        view = panel.as_of(_newest(panel, here.definitions.target.source))
        return [(name, values_of(view, name, spec)) for name, spec in factors.items()]
    except RiskmodelError as error:
        if len(factors) == 1:
            return [(next(iter(factors)), error.what)]
    return [pair for name, spec in factors.items() for pair in _values_of_source(here, source, {name: spec})]


def _coarse(spec: FactorSpec, source: SourceSpec, values: npt.NDArray[np.float64]) -> str:
    """What to say of a factor that is published for larger areas: how few different values stand behind the many."""
    levels = {file.level for file in source.files.values() if spec.measure in file.measures}
    if levels & {"lsoa11", "lsoa21"}:
        return ""
    different = len(np.unique(values[np.isfinite(values)]))
    return f"Published at {', '.join(sorted(levels))} only: {different} different values, shared by all areas of each"


def _shapes(here: _Region) -> npt.NDArray[np.object_]:
    spec = here.definitions.sources[GEOGRAPHY]
    roles = [role for role in BOUNDARIES if role in spec.files]
    files = find_files(GEOGRAPHY, spec, here.data, force=here.geography.force, roles=roles)
    return area_shapes(files, here.geography.areas)
