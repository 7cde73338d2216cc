"""Names to objects through entry points: the one door for built-ins and for other people's packages alike."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from riskmodel.contracts.errors import DefinitionError, EnvironmentProblem, did_you_mean

__all__ = ["GROUPS", "check_values", "load", "names"]

GROUPS = {
    "reader": "riskmodel.readers",
    "transform": "riskmodel.transforms",
    "model": "riskmodel.models",
    "metric": "riskmodel.metrics",
    "check": "riskmodel.checks",
}


@cache
def _points(kind: str) -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUPS[kind]):
        rival = found.get(point.name)
        if rival is not None and rival.value != point.value:
            raise DefinitionError(
                f"two packages register the {kind} '{point.name}'",
                found=[rival.value, point.value],
                hint="uninstall one of them, or ask its authors for another name",
            )
        found[point.name] = point
    return found


def names(kind: str) -> list[str]:
    """Every registered name of a kind, sorted.

    Examples
    --------
    >>> "lightgbm" in names("model")
    True
    """
    return sorted(_points(kind))


def load(kind: str, name: str, *, where: str | None = None) -> Any:
    """The object registered under a name.

    Raises
    ------
    DefinitionError
        If nothing of that name is registered; the closest names are offered.
    EnvironmentProblem
        If the package that registers it is torn.
    """
    points = _points(kind)
    if name not in points:
        raise DefinitionError(
            f"unknown {kind} '{name}'", where=where, allowed=sorted(points), hint=did_you_mean(name, points)
        )
    try:
        return points[name].load()
    except Exception as error:
        owner = points[name].dist
        package = owner.name if owner is not None else "the package that registers it"
        raise EnvironmentProblem(
            f"the {kind} '{name}' cannot be loaded",
            where=where,
            found=f"{points[name].value} of {package}: {type(error).__name__}: {error}",
            hint=f"install {package} again, or uninstall it",
        ) from error


def check_values(registered: Any, params: Mapping[str, Any], *, what: str, where: str | None = None) -> None:
    """Refuse a parameter whose value is not of the type the constructor declares; names are the caller's to check.

    Parameters
    ----------
    registered : class
        What will be made.
    params : mapping
        Name to value, as a YAML file gives them.
    what : str
        What the message begins with, for example ``model 'lightgbm'``.
    where : str, optional
        File, or file and line.

    Raises
    ------
    DefinitionError
        Naming the parameter, what was found and what the constructor takes.
    """
    from typing import get_type_hints

    from pydantic import TypeAdapter, ValidationError

    declared = get_type_hints(registered.__init__)
    for name, value in params.items():
        if name not in declared:
            continue
        try:
            TypeAdapter(declared[name]).validate_python(value, strict=True)
        except ValidationError as error:
            wanted = getattr(declared[name], "__name__", str(declared[name]))
            words = {"int": "a whole number", "float": "a number", "str": "text", "bool": "true or false"}
            raise DefinitionError(
                f"{what}: '{name}' has a value of the wrong kind",
                where=where,
                found=value,
                allowed=words.get(wanted, wanted),
            ) from error
