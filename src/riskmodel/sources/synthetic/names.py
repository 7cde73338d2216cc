"""Invented, neutral place names: no name here is meant to be, or to describe, a real place."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["DISTRICTS", "NEIGHBOUR_DISTRICT", "NEIGHBOUR_FORCE", "PARTNERSHIPS", "street_names", "ward_names"]

DISTRICTS = ("Ambleford", "Brindleholme", "Carrowdale", "Deepwell", "Elmsworth")
# The fourth district holds two partnerships, and no published table says which area is in which.
PARTNERSHIPS = (("Ambleford",), ("Brindleholme",), ("Carrowdale",), ("Deepwell East", "Deepwell West"), ("Elmsworth",))
NEIGHBOUR_DISTRICT = "Farholme"
NEIGHBOUR_FORCE = "Farholme"

_FIRST_WORDS = (
    "Aldren Ambrel Barrin Beckle Birrel Branner Brindle Callin Carrin Cawdle Charlow Corrin Dallin Denner Dorrin "
    "Eldrin Emmer Fallow Farrin Fennel Garrin Glimmer Hallin Harrin Hessel Hollin Jarrin Kellin Kerrin Lammer "
    "Larkin Linnel Marrin Mellow Merrin Nettle Norrin Orrin Pallin Pebble Perrin Quillen Rannel Rillow Rowell "
    "Sallow Selkin Sorrel Tannel Tarrin Thimble Tollin Ullen Varrin Wannel Wellin Wexel Willet Yarrel Yellin"
)
_SECOND_WORDS = (
    "bourne bury combe cote croft dale den field ford gate ham hurst ley mead mere moor over ridge shaw side stead "
    "stoke thorpe ton wade water well wick wood worth"
)
_FIRST, _SECOND = _FIRST_WORDS.split(), _SECOND_WORDS.split()
_SUFFIX = ("", " North", " South", " East", " West", " Central", " Green", " Park", " Common", " Heath")
_STREET = ("Avenue", "Close", "Crescent", "Drive", "Gardens", "Lane", "Road", "Street", "Way")
_LANDMARKS = ("Shopping Area", "Parking Area", "Supermarket", "Petrol Station", "Park/Open Space", "High Street")


def ward_names(count: int) -> npt.NDArray[np.str_]:
    """Return ``count`` different ward names, the same ones for every region of that size.

    Examples
    --------
    >>> [str(name) for name in ward_names(2)]
    ['Aldrenbourne', 'Dennercombe']
    """
    order = np.arange(count) * 13
    first = np.array(_FIRST)[order % len(_FIRST)]
    # The two list lengths share a factor, so the second index also moves on after each round of the first.
    second = np.array(_SECOND)[(np.arange(count) * 2 + np.arange(count) // len(_FIRST)) % len(_SECOND)]
    rounds = np.arange(count) // (len(_FIRST) * len(_SECOND) // 2)
    joined = np.char.add(np.char.add(first, second), np.array(_SUFFIX)[rounds % len(_SUFFIX)])
    again = rounds // len(_SUFFIX)
    return np.where(again > 0, np.char.add(joined, np.char.add(" ", (again + 1).astype(str))), joined)


def street_names() -> npt.NDArray[np.str_]:
    """Return the location texts of the police files: landmarks first, then streets."""
    streets = np.char.add(np.char.add(np.repeat(np.array(_FIRST), len(_STREET)), " "), np.tile(_STREET, len(_FIRST)))
    return np.char.add("On or near ", np.concatenate([np.array(_LANDMARKS), streets]))
