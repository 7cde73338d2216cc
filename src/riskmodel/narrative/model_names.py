"""Factors and domains as pages of facts name them: in go names and titles, out come words whose digits are no facts."""

from __future__ import annotations

from collections.abc import Mapping

from riskmodel.narrative.facts.marks import bare
from riskmodel.narrative.model_words import cluster_words, unit_words

__all__ = ["cluster_name", "unit_name"]


def unit_name(unit: str, titles: Mapping[str, str]) -> str:
    """A factor or a domain as a reader knows it; digits in it are part of a name."""
    return bare(unit_words(unit, titles))


def cluster_name(members: str, titles: Mapping[str, str], *, inside: bool = False) -> str:
    """Factors that cannot be told apart, named together; digits in it are part of a name."""
    return bare(cluster_words(members, titles, inside=inside))
