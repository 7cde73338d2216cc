"""The outline of each small area, from the geography's files of boundaries.

In: the files held, the force's own first. Out: one shape an area, or none where its boundary is not held.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from riskmodel.sources.geography import read_boundaries
from riskmodel.sources.observed import SourceFile
from riskmodel.workflow.definitions import GEOGRAPHY

__all__ = ["BOUNDARIES", "area_shapes"]

BOUNDARIES = ("boundaries_force", "boundaries")
"""The geography's files of outlines, the force's own first."""


def area_shapes(files: Sequence[SourceFile], areas: npt.NDArray[np.str_]) -> npt.NDArray[np.object_]:
    """The outline of each area, [area]; None where its boundary is not held.

    Parameters
    ----------
    files : sequence of SourceFile
        Of which those of the geography's boundaries are read, the force's own first.
    areas : array of str, [area]
    """
    import pandas as pd

    held = [file for file in files if file.source == GEOGRAPHY and file.role in BOUNDARIES]
    if not held:
        return np.full(len(areas), None, dtype=object)
    codes, shapes = read_boundaries(min(held, key=lambda file: BOUNDARIES.index(file.role)))
    found = pd.Series(shapes, index=codes, dtype=object).reindex(areas)
    return found.where(found.notna(), None).to_numpy(dtype=object)
