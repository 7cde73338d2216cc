"""The deprivation and community-needs files of the invented region.

In: latent conditions and, for the crime domain alone, the true rate of violence. Out: `Scores` (used as conditions
and written), and the seven files with ranks and deciles taken over the areas in the file. As in the published indices,
the crime domain contains the outcome, so a careful reader refuses it as a feature.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .conditions import Conditions, published_headers, standardised
from .files import write_csv
from .places import Places

__all__ = ["Scores", "make_scores", "with_crime", "write_deprivation"]

Floats = npt.NDArray[np.float64]
Scores = dict[str, dict[str, Floats]]

_DOMAINS = ("Income", "Employment", "Education", "Health", "Crime", "Housing_and_Services", "Environment")
_WEIGHTS = (0.225, 0.225, 0.135, 0.135, 0.093, 0.093, 0.093)
_MAIN = "imd2025_england_lsoa21"
_WORKING_AGE = 0.61
_NEEDS = "cni2023_england_lsoa21"
_OLD_NAME = {"Housing_and_Services": "Housing_and_Access"}
_OFFENCES = ("violence_with", "stalking", "public_order", "criminal_damage", "anti_social", "burglary", "theft_rate")


def _number(rng: np.random.Generator, record: Mapping[str, Any], latent: Floats) -> Floats:
    """Return one published number from the latent factors, on the scale and within the range it is published."""
    score = record["mean"] + latent @ np.array(record["loadings"]) + record["spread"] * rng.normal(size=len(latent))
    values = np.exp(score) if record["log"] else score
    values = np.clip(values, record["low"], record["high"])
    step = 5 if record["decimals"] == 0 and record["low"] == 10 else 1
    rounded: Floats = np.round(values / step, record["decimals"]) * step
    if record["blank"] >= 0.01:
        rounded[rng.uniform(size=len(latent)) < record["blank"]] = np.nan
    return rounded


def old_latent(places: Places, conditions: Conditions) -> Floats:
    """Return the latent factors of the 2011 areas: the average over the residents of their parts."""
    columns = [_averaged(places, conditions, column) for column in conditions.latent.T]
    return np.column_stack(columns)


def _averaged(places: Places, conditions: Conditions, values: Floats) -> Floats:
    """Return the average over residents of a 2021 number in each 2011 area."""
    people, count = conditions.atom_residents, len(places.old)
    total = np.bincount(places.atom11, people * values[places.atom21], count)
    result: Floats = total / np.bincount(places.atom11, people, count)
    return result


def make_scores(rng: np.random.Generator, places: Places, conditions: Conditions) -> Scores:
    """Return every number of every file but the crime ones, which need the true rate."""
    earlier = old_latent(places, conditions)
    files = published_headers("deprivation")["files"]
    scores = {
        name: {
            column: _number(rng, record, earlier if "lsoa11" in name else conditions.latent)
            for column, record in content["numbers"].items()
        }
        for name, content in files.items()
    }
    return _agreeing(scores, conditions)


def _agreeing(scores: Scores, conditions: Conditions) -> Scores:
    """Return scores in which the same quantity is the same number in every 2025 file that holds it."""
    main, indicators = scores[_MAIN], scores[f"{_MAIN}_indicators"]
    for domain, share in (("Income", 1.0), ("Employment", _WORKING_AGE)):
        people = main[f"{domain}_score"] * share * conditions.residents
        indicators[f"{domain.lower()}_domain_numerator"] = np.maximum(np.round(people / 5) * 5, 10)
    skills = "adult_skills_and_english_language_proficiency_indicator"
    indicators[skills] = scores[f"{_MAIN}_subdomains"]["adult_skills_score"]
    return scores


def with_crime(rng: np.random.Generator, scores: Scores, log_rate: Floats) -> Scores:
    """Return the scores with the crime domain, its indicators and the overall index built from the true rate."""
    level = standardised(log_rate)
    main = dict(scores[_MAIN])
    main["Crime_score"] = np.round(0.8 * level + 0.25 * rng.normal(size=len(level)), 3)
    parts = [_exponential(main[f"{domain}_score"]) * weight for domain, weight in zip(_DOMAINS, _WEIGHTS, strict=True)]
    main["IMD_score"] = np.round(sum(parts, start=np.zeros(len(level))), 3)
    indicators = dict(scores[f"{_MAIN}_indicators"])
    records = published_headers("deprivation")["files"][f"{_MAIN}_indicators"]["numbers"]
    for column in [each for each in indicators if each.startswith(_OFFENCES)]:
        weight = 0.9 if column.startswith(("violence", "stalking")) else 0.6
        noise = np.sqrt(1 - weight**2) * rng.normal(size=len(level))
        indicators[column] = np.round(np.exp(records[column]["mean"] + 0.7 * (weight * level + noise)), 1)
    return scores | {_MAIN: main, f"{_MAIN}_indicators": indicators}


def _exponential(score: Floats) -> Floats:
    """Return the publisher's exponential transformation of ranks (0 to 100, a tail for the most deprived)."""
    place = 1 - (rank(score) - 0.5) / len(score)
    values: Floats = -23 * np.log(1 - place * (1 - np.exp(-100 / 23)))
    return values


def rank(score: Floats) -> npt.NDArray[np.int64]:
    """Return ranks, 1 for the highest score; equal scores keep their order."""
    ranks = np.empty(len(score), np.int64)
    ranks[np.argsort(-score, kind="stable")] = np.arange(1, len(score) + 1)
    return ranks


def decile(ranks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return deciles of ranks, 1 for the most deprived tenth."""
    return (ranks - 1) * 10 // len(ranks) + 1


def _columns(names: list[str], known: Mapping[str, npt.NDArray[Any]], score_of: Mapping[str, Floats]) -> dict[str, Any]:
    """Return the file's columns in order; ranks and deciles come from the score of the same name."""
    columns: dict[str, Any] = {}
    for name in names:
        base, _, ending = name.replace(" Rank", " Score_rank").rpartition("_")
        if name in known:
            columns[name] = known[name]
        elif ending in ("rank", "decile"):
            ranks = rank(score_of[base])
            columns[name] = ranks if ending == "rank" else decile(ranks)
        else:
            columns[name] = score_of[name]
    return columns


def _earlier_scores(
    rng: np.random.Generator, places: Places, conditions: Conditions, main: Mapping[str, Floats]
) -> dict[str, Floats]:
    """Return 2019 scores of the 2011 areas, of which only ranks are written: those of 2025, averaged, with noise."""
    earlier: dict[str, Floats] = {}
    for domain in (*_DOMAINS, "IMD"):
        average = _averaged(places, conditions, standardised(main[f"{domain}_score"]))
        earlier[_OLD_NAME.get(domain, domain)] = average + 0.15 * rng.normal(size=len(places.old))
    latent = old_latent(places, conditions)
    for name, record in published_headers("deprivation")["files"][f"{_MAIN}_subdomains"]["numbers"].items():
        noise = record["spread"] * rng.normal(size=len(latent))
        earlier[name.removesuffix("_score").capitalize()] = latent @ np.array(record["loadings"]) + noise
    return earlier


def write_deprivation(
    folder: Path, rng: np.random.Generator, places: Places, conditions: Conditions, scores: Scores
) -> None:
    """Write the seven files with the publishers' columns."""
    earlier = _earlier_scores(rng, places, conditions, scores[_MAIN])
    for name, content in published_headers("deprivation")["files"].items():
        numbers = scores[name]
        vintage = places.old if "lsoa11" in name else places.new
        known: dict[str, npt.NDArray[Any]] = {"lsoa11_code": vintage.code, "lsoa21_code": vintage.code}
        known |= {"lsoa21_name": vintage.name} | numbers
        score_of = dict(earlier) if vintage is places.old else {}
        score_of |= {column.removesuffix("_score"): values for column, values in numbers.items()}
        if name == _NEEDS:
            ranks = rank(numbers["Community Needs Index 2023 Score"])
            known["Left Behind Area?"] = np.where(ranks <= max(1, len(ranks) // 40), "True", "False")
        write_csv(folder / f"{name}.csv.gz", _columns(content["columns"], known, score_of))
