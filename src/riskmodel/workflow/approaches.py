"""What a workspace keeps on approaches: read, and held against the conditions that its catalogue knows."""

from __future__ import annotations

from riskmodel.contracts.errors import DefinitionError, RiskmodelError, did_you_mean
from riskmodel.contracts.specs import ApproachSpec
from riskmodel.contracts.yaml_files import Workspace, place_in

__all__ = ["read_approaches"]


def read_approaches(workspace: Workspace) -> dict[str, ApproachSpec]:
    """The approaches of a workspace, by file name.

    Raises
    ------
    DefinitionError
        If one cannot be read, or names a condition that the catalogue does not hold: no plan would ever show it.
    """
    approaches: dict[str, ApproachSpec] = workspace.read_all("approach")
    if not approaches:
        return {}
    known = [f"{domain}/{name}" for domain, held in workspace.read_all("factor").items() for name in held.factors]
    problems: list[RiskmodelError | str] = [
        DefinitionError(
            f"approach '{name}': there is no factor '{factor}'",
            where=place_in(workspace.path("approach", name), "factors", number),
            found=factor,
            allowed=[other for other in known if other.startswith(f"{factor.partition('/')[0]}/")] or known,
            hint=did_you_mean(factor, known) or "riskmodel list factor shows them all",
        )
        for name, approach in approaches.items()
        for number, factor in enumerate(approach.factors)
        if factor not in known
    ]
    if problems:
        raise DefinitionError.of_all(problems)
    return approaches
