"""Who lives where: in go a view and the declared characteristics, out comes the ``groups`` table.

Groups of people are counted by their source (sex, ethnic group, disability, age, religion). A class of areas (deprived
or not, urban or rural) takes in all residents of the areas it names: it says where people live, not who they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from riskmodel.contracts.errors import DefinitionError, NotYetPublished
from riskmodel.contracts.specs import AreaClassSpec, CharacteristicSpec
from riskmodel.contracts.tables import GROUPS, as_table
from riskmodel.panel.view import View, Vintage

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["NOT_CLASSIFIED", "build_groups", "group_measures", "groups_not_yet_published"]

NOT_CLASSIFIED = "not_classified"
"""The group of residents of areas that are in no class; it appears only where there are such areas."""


def group_measures(characteristics: Mapping[str, CharacteristicSpec]) -> dict[str, set[str]]:
    """Source -> the measures that the characteristics are made of: what ``build_panel`` has to be given.

    Examples
    --------
    >>> sex = CharacteristicSpec(
    ...     title="Sex", question="gender", recorded_as="as answered", source="census2021",
    ...     groups={"female": ["women"], "male": ["men"]}, total="all",
    ... )
    >>> sorted(group_measures({"sex": sex})["census2021"])
    ['all', 'men', 'women']
    """
    found: dict[str, set[str]] = {}
    for spec in characteristics.values():
        found.setdefault(spec.source, set()).update(_measures(spec))
    return found


def groups_not_yet_published(view: View, characteristics: Mapping[str, CharacteristicSpec]) -> dict[str, str]:
    """Characteristics left out of ``build_groups`` on the view's date, each with the reason.

    Parameters
    ----------
    view : View
    characteristics : mapping
        Name -> definition.
    """
    reasons = {name: _absent(view, spec) for name, spec in characteristics.items()}
    return {name: reason for name, reason in reasons.items() if reason is not None}


def build_groups(view: View, characteristics: Mapping[str, CharacteristicSpec]) -> pd.DataFrame:
    """Population and share of every group in every area, as known on the view's date.

    A characteristic whose source was not published by then is left out; ``groups_not_yet_published`` names it.

    Parameters
    ----------
    view : View
        Of a panel that holds the measures of ``group_measures``.
    characteristics : mapping of str to CharacteristicSpec
        Name -> definition, in the order the table shall have.

    Returns
    -------
    DataFrame
        The ``groups`` noun: one row per characteristic, group and area. Shares are of the total of the same table;
        blank where nobody lives. The groups of a characteristic add up to the total of its table.

    Raises
    ------
    DefinitionError
        If an area is in two classes of a characteristic.
    """
    import pandas as pd

    left_out = groups_not_yet_published(view, characteristics)
    frames = [_of_one(view, name, spec) for name, spec in characteristics.items() if name not in left_out]
    if not frames:
        return as_table(pd.DataFrame(columns=GROUPS.names), GROUPS)
    return as_table(pd.concat(frames, ignore_index=True), GROUPS)


def _measures(spec: CharacteristicSpec) -> list[str]:
    if spec.classes:
        return sorted({area_class.measure for area_class in spec.classes.values()})
    return sorted({*(m for measures in spec.groups.values() for m in measures), str(spec.total)})


def _absent(view: View, spec: CharacteristicSpec) -> str | None:
    try:
        for measure in _measures(spec):
            view.vintage(spec.source, measure)
    except NotYetPublished as error:
        return f"not yet published ({error.found})"
    return None


def _of_one(view: View, name: str, spec: CharacteristicSpec) -> pd.DataFrame:
    import pandas as pd

    people, total = _classified(view, name, spec) if spec.classes else _counted(view, spec)
    period, published = _known(view, spec)
    frames = [
        pd.DataFrame(
            {
                "characteristic": name,
                "group": group,
                "area": view.geography.areas,
                "population": population,
                "share": np.divide(population, total, out=np.full(len(total), np.nan), where=total > 0),
                "source": spec.source,
                "period": period,
                "published": pd.Timestamp(published),
            }
        )
        for group, population in people.items()
    ]
    return pd.concat(frames, ignore_index=True)


def _known(view: View, spec: CharacteristicSpec) -> tuple[str, date]:
    """The period recorded, and the first day on which all of it was known."""
    vintages: list[Vintage] = [view.vintage(spec.source, measure) for measure in _measures(spec)]
    newest = max(vintages, key=lambda v: v.published)
    return newest.period, newest.published


Counts = dict[str, "NDArray[np.float64]"]


def _counted(view: View, spec: CharacteristicSpec) -> tuple[Counts, NDArray[np.float64]]:
    """People of each group, and everybody in the same table."""
    held = {m: view.static(spec.source, m, travels="sum") for m in _measures(spec)}
    people = {group: np.sum([held[m] for m in measures], axis=0) for group, measures in spec.groups.items()}
    total = held[str(spec.total)]
    if spec.rest is not None:
        people[spec.rest] = total - np.sum(list(people.values()), axis=0)
    return people, total


def _classified(view: View, name: str, spec: CharacteristicSpec) -> tuple[Counts, NDArray[np.float64]]:
    """All residents of an area in the class that the area is in."""
    measures = _measures(spec)
    values = {m: view.static(spec.source, m, travels="population_weighted_mean") for m in measures}
    member = {group: _within(values[c.measure], c) for group, c in spec.classes.items()}
    times = np.sum(list(member.values()), axis=0)
    if np.any(times > 1):
        raise DefinitionError(
            f"areas are in two classes of '{name}'", where=f"fairness/characteristics/{name}.yaml",
            found=view.geography.areas[times > 1].tolist(), hint="give each class its own range: least, below",
        )  # fmt: skip
    if np.any(times == 0):
        member[NOT_CLASSIFIED] = times == 0
    residents = view.geography.population
    return {group: np.where(inside, residents, 0.0) for group, inside in member.items()}, residents


def _within(values: NDArray[np.float64], area_class: AreaClassSpec) -> NDArray[np.bool_]:
    """Whether each area is in a class; an area of which the source says nothing is in none."""
    inside = ~np.isnan(values)
    if area_class.least is not None:
        inside &= values >= area_class.least
    if area_class.below is not None:
        inside &= values < area_class.below
    return inside
