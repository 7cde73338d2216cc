"""Which areas touch and where they lie: in go their shapes, out come neighbours and middle points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

__all__ = ["linked_neighbours", "middle_points"]

_KM_PER_DEGREE = 111.2


def linked_neighbours(shapes: NDArray[np.object_]) -> tuple[csr_array, int]:
    """Queen contiguity: areas are neighbours where their shapes share a border or a point.

    Parameters
    ----------
    shapes : array of shapely geometries, [area]

    Returns
    -------
    neighbours : sparse array of float, [area, area]
        1 for neighbours; symmetric, nothing on the diagonal, indices sorted.
    islands : int
        Areas that touch no other; each is tied to the area nearest to it (the first of several).

    Examples
    --------
    >>> import shapely
    >>> squares = [shapely.box(x, 0, x + 1, 1) for x in (0, 1, 5)]
    >>> neighbours, islands = linked_neighbours(np.array(squares, dtype=object))
    >>> neighbours.toarray().astype(int).tolist(), islands
    ([[0, 1, 0], [1, 0, 1], [0, 1, 0]], 1)
    """
    from shapely import STRtree

    left, right = STRtree(shapes).query(shapes, predicate="intersects")
    apart = left != right
    left, right = left[apart], right[apart]
    size = len(shapes)
    islands = np.flatnonzero(np.bincount(left, minlength=size) == 0)
    nearest = _nearest_others(shapes, islands)
    return _matrix(np.concatenate([left, islands]), np.concatenate([right, nearest]), size), len(islands)


def middle_points(shapes: NDArray[np.object_]) -> NDArray[np.float64]:
    """Middle points of areas in kilometres east and north, for blocks of places and distances within one region.

    Parameters
    ----------
    shapes : array of shapely geometries, [area]
        In degrees of longitude and latitude.

    Returns
    -------
    array of float, [area, 2]
        On a plane that is true at the region's mean latitude: within a police force area, to a few parts in a thousand.

    Examples
    --------
    >>> import shapely
    >>> squares = [shapely.box(-2.0, 52.0, -1.9, 52.1), shapely.box(-2.0, 52.1, -1.9, 52.2)]
    >>> east, north = np.diff(middle_points(np.array(squares, dtype=object)), axis=0)[0]
    >>> round(float(east), 1), round(float(north), 1)
    (0.0, 11.1)
    """
    import shapely

    degrees = shapely.get_coordinates(shapely.centroid(shapes))
    scale = np.array([np.cos(np.deg2rad(degrees[:, 1].mean())), 1.0]) * _KM_PER_DEGREE
    return np.asarray(np.round(degrees * scale, 3), dtype=np.float64)


def _nearest_others(shapes: NDArray[np.object_], islands: NDArray[np.intp]) -> NDArray[np.intp]:
    from shapely import STRtree

    if not len(islands) or len(shapes) < 2:
        return islands
    island, other = STRtree(shapes).query_nearest(shapes[islands], exclusive=True)
    order = np.lexsort((other, island))
    _, first = np.unique(island[order], return_index=True)
    return np.asarray(other[order][first], dtype=np.intp)


def _matrix(left: NDArray[np.intp], right: NDArray[np.intp], size: int) -> csr_array:
    from scipy.sparse import csr_array

    apart = left != right
    both = np.concatenate([left[apart], right[apart]]), np.concatenate([right[apart], left[apart]])
    neighbours = csr_array((np.ones(len(both[0])), both), shape=(size, size))
    neighbours.sum_duplicates()
    neighbours.data[:] = 1.0
    return neighbours
