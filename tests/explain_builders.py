"""Regions whose truth is known: the invented region's own process as arrays, without a file in between."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from builders import LAG, TARGET, tiny_plan
from riskmodel.contracts.periods import month_start
from riskmodel.contracts.specs import ModelSpec
from riskmodel.explain.explained import TERMS, Explained, FeatureLine, centred
from riskmodel.explain.refits import BLOCKS, Refits
from riskmodel.features.catalogue import Input, ResolvedFeature
from riskmodel.features.transforms import Latest
from riskmodel.forecast import Plan
from riskmodel.panel.conversion import make_conversion
from riskmodel.panel.geography import Geography
from riskmodel.panel.view import Monthly, Panel, Release, Static, View, Vintage
from riskmodel.sources.synthetic.conditions import smooth_field
from riskmodel.sources.synthetic.events import DISPERSION, generator
from riskmodel.sources.synthetic.process import EFFECTS, Effect
from riskmodel.sources.synthetic.region import _invent

FIRST_MONTH = 2023 * 12
RIDGE = ModelSpec(use="poisson_ridge", params={"offset": "exposure", "level": "learned"})
TREES = ModelSpec(use="lightgbm")


@dataclass(frozen=True, eq=False)
class Truth:
    """A region with its conditions as factors, what was drawn from its process, and the process itself."""

    view: View
    plan: Plan
    domains: dict[str, np.ndarray]
    population: np.ndarray


def make_truth(
    seed: int, *, areas: int = 400, months: int = 24, models: tuple[ModelSpec, ...] = (RIDGE,), noise: int = 0
) -> Truth:
    """The invented region of a seed: thirteen conditions, of which two do nothing and one of those is a proxy.

    ``noise`` more factors of the domain noise do nothing: by turns smooth over the map and each area's own.
    """
    held = _invent(seed, areas, None)
    inside = held.places.in_force
    population = held.conditions.residents[inside].astype(float)
    geography = _geography(held, population)
    random = generator(seed, "events", 0)
    mean = np.stack([held.process.records(FIRST_MONTH + m)[inside] for m in range(months)], axis=1)
    drawn = random.poisson(random.gamma(DISPERSION, mean / DISPERSION))
    releases = tuple(Release(FIRST_MONTH + m, month_start(FIRST_MONTH + m + LAG), f"month {m}") for m in range(months))
    police = Monthly("police", ("violence",), geography.areas, releases, drawn[None])
    conditions = held.process.values[inside]  # noqa: PD011  # an array, no table
    static = {
        ("census", effect.factor): [
            Vintage("2021", date(2022, 1, 1), "lsoa21", geography.areas, conditions[:, n], "census.csv")
        ]
        for n, effect in enumerate(EFFECTS)
    }
    more = [_noise(seed, number, held) for number in range(noise)]
    static |= {
        ("census", each.factor): [Vintage("2021", date(2022, 1, 1), "lsoa21", geography.areas, values, "census.csv")]
        for each, values in more
    }
    panel = Panel(geography, {"police": police}, Static(static), FIRST_MONTH)
    plan = tiny_plan(features=tuple(map(_feature, (*EFFECTS, *(each for each, _ in more)))), models=models)
    domains = {name: values[inside] for name, values in held.process.domains().items()}
    return Truth(panel.as_of(month_start(FIRST_MONTH + months + LAG - 1)), plan, domains, population)


def _noise(seed: int, number: int, held: object) -> tuple[Effect, np.ndarray]:
    random, inside = np.random.default_rng([seed, 77, number]), held.places.in_force
    smooth = smooth_field(random, held.conditions.points, 0.3 * held.places.island.radius)[inside]
    kind, values = ("own", random.normal(size=len(smooth))) if number % 2 else ("smooth", smooth)
    return Effect(f"{kind}_{number}", "context", "noise", 0.0, ""), values


def _feature(effect: object) -> ResolvedFeature:
    name = f"{effect.domain}/{effect.factor}"
    made_of = Input(name, "static", "census", (effect.factor,), travels="population_weighted_mean")
    direction = {"risk": 1, "protective": -1}.get(effect.role, 0)
    return ResolvedFeature(f"{name}.latest", Latest(), made_of, name, effect.domain, effect.role, direction)


def _geography(held: object, population: np.ndarray) -> Geography:
    places, inside = held.places, held.places.in_force
    codes = np.asarray(places.new.code[inside], dtype=np.str_)
    family = places.new.family[inside]
    msoa = np.asarray([f"M{number:04d}" for number in places.msoa[family]])
    district = np.asarray([f"D{number:02d}" for number in places.district[family]])
    conversion = make_conversion(
        codes,
        pd.DataFrame({"lsoa11": codes, "lsoa21": codes}),
        pd.Series(population, index=codes),
        district=district,
    )
    parents = pd.DataFrame({"name": codes, "msoa21": msoa, "lad24": district, "pfa": "F"}, index=codes)
    points = np.asarray(held.conditions.points)[inside]
    none = csr_array((len(codes), len(codes)))
    return Geography("f", "F", "F", codes, parents, population, none, points, conversion, (), "truth")


def lines(*made: tuple[str, str, int]) -> tuple[FeatureLine, ...]:
    """Feature lines from (factor as domain/name, role, direction)."""
    return tuple(FeatureLine(f"{f}.latest", f, f.split("/")[0], role, way, "factor") for f, role, way in made)


def explained(said: np.ndarray, features: tuple[FeatureLine, ...], **changes: object) -> Explained:
    """A conditions model that says exactly these terms [area, feature] at one horizon."""
    areas = len(said)
    population = np.linspace(900.0, 2100.0, areas)
    apart = np.zeros((areas, len(TERMS)))
    apart[:, 0], apart[:, 1], apart[:, 2] = -6.0, np.log(population), 0.02
    made = Explained(
        model_id="m",
        origin=FIRST_MONTH,
        target=f"recorded_violence@{TARGET.version}",
        areas=np.asarray([f"E01{n:06d}" for n in range(areas)]),
        population=population,
        horizons=(1,),
        features=features,
        starts_from="exposure",
        values=said[None].astype(np.float32),
        terms=np.hstack([apart, said])[None],
    )
    return replace(made, **changes)


def refits(made: Explained, along: np.ndarray, check: np.ndarray | None = None) -> Refits:
    """Refits whose terms are the model's own, times [refit, feature]."""
    own = centred(made.of_features[0], made.population)
    names = tuple(line.label for line in made.features)
    terms = (own[None] * along[:, None, :]).astype(np.float32)
    held = terms if check is None else (own[None] * check[:, None, :]).astype(np.float32)
    return Refits(made.model_id, 1, names, (BLOCKS,) * len(along), terms, held, ())
