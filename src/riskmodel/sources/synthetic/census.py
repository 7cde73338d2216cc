"""The 27 census tables of an invented region, and the shares of them that act on recorded violence.

In: the latent conditions. Out: `CensusTables`, whole numbers whose parts add to their totals in every table; totals
of the same people differ by a few between tables, as published tables do after disclosure control.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .conditions import Conditions, published_headers
from .files import write_csv
from .places import Places

__all__ = ["CensusTables", "make_census", "share_of", "write_census", "write_population"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CensusTables = dict[str, Ints]

_HOUSEHOLDS = {"ts003", "ts011", "ts017", "ts045", "ts046", "ts050", "ts052", "ts054"}
_EMPLOYED = {"ts058", "ts059", "ts063"}
_ADULTS = {"ts062", "ts067"}
_FIVE_AND_OVER = {"ts039", "ts068"}
_AGES = "ts007a"
_DENSITY = "ts006"
# Rows of one table made to follow a share of another: table and lowest row, the share, level, slope, scatter.
# People living alone are counted twice; one-bedroom homes are the planted factor that only says what another does.
TIES = {
    "ts017": (1, ("ts003", (1,)), 0.0, 1.0, 0.02),
    "ts050": (0, ("ts003", (3,)), 0.015, 0.62, 0.08),
}


def leaves(table: str) -> Ints:
    """Return the columns of a table that have no parts of their own (the total is never one)."""
    parents = published_headers("census")["tables"][table]["parents"]
    return np.array([column for column, parent in enumerate(parents) if parent != -1 and column not in parents])


def _totals(rng: np.random.Generator, conditions: Conditions, ages: Ints) -> dict[str, Ints]:
    """Return the people or households each table counts, before the noise between tables."""
    toddlers, teenagers = ages[:, 1], ages[:, 4]
    adults = ages[:, 5:].sum(axis=1) + np.round(0.8 * teenagers).astype(np.int64)
    odds = 0.31 - 0.11 * conditions.factor("deprivation") + 0.12 * conditions.factor("young_adults")
    odds += 0.15 * conditions.factor("good_health") - 0.07 * conditions.factor("older")
    employed = rng.binomial(adults, 1 / (1 + np.exp(-odds)))
    totals = {table: conditions.residents for table in published_headers("census")["tables"]}
    totals |= dict.fromkeys(_HOUSEHOLDS, conditions.households)
    totals |= dict.fromkeys(_EMPLOYED, employed)
    totals |= dict.fromkeys(_ADULTS, adults)
    totals |= dict.fromkeys(_FIVE_AND_OVER, conditions.residents - toddlers)
    totals["ts065"] = adults - employed
    totals["ts029"] = conditions.residents - np.round(0.58 * toddlers).astype(np.int64)
    totals["ts019"] = conditions.residents - np.round(0.19 * toddlers).astype(np.int64)
    return totals


def _probabilities(rng: np.random.Generator, table: str, conditions: Conditions) -> Floats:
    """Return the share of each lowest row, from the latent factors and the area's own departure."""
    record = published_headers("census")["tables"][table]
    score = np.array(record["base"]) + conditions.latent @ np.array(record["loadings"]).T
    score = score + rng.normal(size=score.shape) * np.array(record["spread"])
    odds = np.exp(score - score.max(axis=1, keepdims=True))
    result: Floats = odds / odds.sum(axis=1, keepdims=True)
    return result


def _tied(rng: np.random.Generator, table: str, probabilities: Floats, tables: CensusTables) -> Floats:
    """Return probabilities in which one row follows a share of another table; the other rows share what is left."""
    leaf, (source, columns), level, slope, scatter = TIES[table]
    followed = share_of(tables, source, columns)
    noise = scatter * followed.std() * rng.normal(size=len(followed))
    wanted = np.clip(level + slope * followed + noise, 0.005, 0.9)
    others = probabilities.copy()
    others[:, leaf] = 0.0
    result: Floats = others / others.sum(axis=1, keepdims=True) * (1 - wanted)[:, None]
    result[:, leaf] = wanted
    return result


def _counted(table: str, lowest: Ints) -> Ints:
    """Return every column of a table from its lowest rows: each heading is the sum of its parts."""
    parents: Sequence[int] = published_headers("census")["tables"][table]["parents"]
    counts = np.zeros((len(lowest), len(parents)), np.int64)
    for place, leaf in enumerate(leaves(table)):
        column = int(leaf)
        while column != -1:
            counts[:, column] += lowest[:, place]
            column = parents[column]
    return counts


def make_census(rng: np.random.Generator, conditions: Conditions) -> CensusTables:
    """Return the counts of every table, one row per 2021 area (``ts006`` is left to the writer)."""
    ages = _counted(_AGES, rng.multinomial(conditions.residents, _probabilities(rng, _AGES, conditions)))
    tables = {_AGES: ages}
    totals = _totals(rng, conditions, ages)
    for table in published_headers("census")["tables"]:
        if table in (_AGES, _DENSITY):
            continue
        noise = np.round(rng.normal(size=len(ages)) * 1.2).astype(np.int64)
        probabilities = _probabilities(rng, table, conditions)
        if table in TIES:
            probabilities = _tied(rng, table, probabilities, tables)
        tables[table] = _counted(table, rng.multinomial(np.maximum(totals[table] + noise, 1), probabilities))
    return tables


def share_of(tables: CensusTables, table: str, columns: Sequence[int]) -> Floats:
    """Return the share of a table's total that lies in the given columns, as a reader of the file would."""
    counts = tables[table]
    result: Floats = counts[:, list(columns)].sum(axis=1) / np.maximum(counts[:, 0], 1)
    return result


def write_census(folder: Path, places: Places, conditions: Conditions, tables: CensusTables) -> None:
    """Write each table under the publisher's name, in the publisher's quoting."""
    year = np.full(len(places.new), "2021")
    for table, record in published_headers("census")["tables"].items():
        if table == _DENSITY:
            numbers: list[npt.NDArray[np.generic]] = [np.round(conditions.residents / conditions.square_km, 1)]
        else:
            numbers = list(tables[table].T)
        columns = {"date": year, "geography": places.new.name, "geography code": places.new.code}
        columns |= {f"{number}": values for number, values in enumerate(numbers)}
        header = ["date", "geography", "geography code", *record["columns"]]
        write_csv(folder / f"census2021-{table}-lsoa.csv.gz", columns, quoted=record["quoted"], header=header)


def write_population(
    path: Path, rng: np.random.Generator, places: Places, conditions: Conditions, tables: CensusTables
) -> None:
    """Write mid-2020 population by single year of age for the 2011 areas."""
    ages = tables[_AGES]
    people = np.bincount(places.atom11, 0.985 * conditions.atom_residents, len(places.old))
    weight = conditions.atom_residents / np.maximum(conditions.residents[places.atom21], 1)
    bands = np.column_stack(
        [np.bincount(places.atom11, weight * ages[places.atom21, band], len(places.old)) for band in range(1, 19)]
    )
    width = np.full(18, 5)
    width[17] = 6
    fade = np.concatenate([np.ones(85), 0.86 ** np.arange(6)])
    owner = np.repeat(np.arange(18), width)
    single = (bands[:, owner] + 0.5) * (fade / np.bincount(owner, fade)[owner])
    counts = rng.multinomial(np.round(people).astype(np.int64), single / single.sum(axis=1, keepdims=True))
    columns = {"lsoa11_name": places.old.name, "lsoa11_code": places.old.code, "total_population": counts.sum(axis=1)}
    columns |= {f"{age}" if age < 90 else "90+": counts[:, age] for age in range(91)}
    write_csv(path, columns)
