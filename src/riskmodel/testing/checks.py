"""The rules of a fairness check: known words, a figure or a reason, each model and group by itself.

In: a check. Out: nothing, or the rule broken.
"""

from __future__ import annotations

import re
import string
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from riskmodel.fairness.blocks import make_tilings
from riskmodel.fairness.checks.base import Check
from riskmodel.fairness.columns import make_columns
from riskmodel.fairness.evidence import Evidence, Grouping
from riskmodel.fairness.sums import CompositionSums, Part, Setting, Sums, make_weights
from riskmodel.testing.rules import BrokenRule, require

__all__ = ["check_fairness_check"]

Floats = npt.NDArray[np.float64]
_AREAS, _MODELS, _ORIGINS, _MONTHS = 80, 2, 2, 3
_ROUNDING = 1e-7
_WORDS = re.compile(r"\b(pass(es|ed)?|fair(ness|ly)?|unfair|safe|unbiased)\b", re.IGNORECASE)


def check_fairness_check(check: Check, *, seed: int = 0) -> None:
    """Hold a fairness check to its rules on an invented region.

    Parameters
    ----------
    check : Check
        As registered: an object, or its class.
    seed : int
        For the invented region.

    Raises
    ------
    BrokenRule
        ``shape``: it is no ``Check``, lacks a word about itself, or its figures are not ``[replicate, group, model]``.
        ``words``: it says that something passes, is fair or safe, which no audit can show. ``defined or a reason``: it
        fails, gives an infinity, never a figure, or no words for why there is none. ``group order``, ``area order``,
        ``models``: its figure of a group changes with the order of groups or areas, or with the other models.
        ``deterministic``: two calls differ. ``leaves inputs alone``: it writes into what it was given.
    """
    made = check() if isinstance(check, type) else check
    name = type(made).__name__
    require(isinstance(made, Check), "shape", f"{name} is not derived from Check")
    _say(made, name)
    evidence, groupings = _region(np.random.default_rng(seed))
    people = groupings[0]
    found = _figures(made, _sums(evidence, people, groupings), name)
    require(bool(np.isfinite(found).any()), "defined or a reason", f"{name} is never a figure")
    again = _figures(made, _sums(evidence, people, groupings), name)
    require(np.array_equal(found, again, equal_nan=True), "deterministic", f"{name}: two calls differ")
    turned = replace(people, groups=people.groups[::-1], people=people.people[:, ::-1])
    _same(_figures(made, _sums(evidence, turned, groupings), name)[::-1], found, "group order", name)
    order = np.random.default_rng(seed + 1).permutation(_AREAS)
    moved = [grouping.at(evidence.areas[order]) for grouping in groupings]
    _same(_figures(made, _sums(_reordered(evidence, order), moved[0], moved), name), found, "area order", name)
    alone = _sums(evidence, people, groupings).of_models(np.array([1], dtype=np.intp))
    _same(_figures(made, alone, name), found[:, 1:], "models", name)
    nobody = replace(people, people=people.people * (np.arange(len(people.groups)) > 0))
    _figures(made, _sums(evidence, nobody, groupings), name)


def _say(check: Check, name: str) -> None:
    for attribute in ("code", "question", "unit"):
        said = getattr(check, attribute, "")
        require(isinstance(said, str) and bool(said.strip()), "shape", f"{name} has no {attribute}")
    asked = {field for _, field, _, _ in string.Formatter().parse(check.question) if field}
    require(asked <= {"who", "where"}, "shape", f"{name}: its question asks for {sorted(asked)}")
    require(check.scale in ("difference", "ratio"), "shape", f"{name}: scale is '{check.scale}'")
    known = {"composition", "outcomes"}
    require(bool(check.evidence) and set(check.evidence) <= known, "shape", f"{name}: evidence is {check.evidence}")
    require(set(check.kinds) <= {"people", "areas"}, "shape", f"{name}: kinds are {check.kinds}")
    said = " ".join([check.question, check.reading, check.unit, check.nothing_is])
    require(_WORDS.search(said) is None, "words", f"{name} says '{said}'")


def _figures(check: Check, sums: Sums, name: str) -> Floats:
    """What it finds over all the evidence, [group, model]."""
    rule = "defined or a reason"
    try:
        values = check.statistic(sums)
        nothing = check.nothing(sums)
        reason = check.why_not(sums)
    except Exception as error:
        writes = "read-only" in str(error)
        raise BrokenRule(
            "leaves inputs alone" if writes else rule, f"{name}: {type(error).__name__}: {error}"
        ) from error
    wanted = (1 + sums.weights.tilings.total, len(sums.grouping.groups), len(sums.area_values("one")))
    require(np.shape(values) == wanted, "shape", f"{name}: {np.shape(values)} in place of {wanted}")
    require(not np.isinf(values).any(), rule, f"{name}: an infinity")
    require(bool(np.isfinite(np.asarray(nothing)).all()), rule, f"{name}: 'nothing' is not finite")
    require(bool(reason.strip()), rule, f"{name}: no words for why there is no figure")
    return np.asarray(values[0])


def _same(found: Floats, wanted: Floats, rule: str, name: str) -> None:
    alike = found.shape == wanted.shape and np.allclose(found, wanted, rtol=_ROUNDING, atol=_ROUNDING, equal_nan=True)
    require(alike, rule, f"{name}: {found.tolist()} in place of {wanted.tolist()}")


def _sums(evidence: Evidence, grouping: Grouping, groupings: list[Grouping]) -> CompositionSums:
    classes = tuple(
        (other.characteristic, group, other.shares[:, number] > 0)
        for other in groupings
        if other.kind == "areas"
        for number, group in enumerate(other.groups)
    )
    labels = tuple(str(origin) for origin in evidence.origins)
    setting = Setting(labels, evidence.district, evidence.districts, evidence.residents, classes)
    weights = make_weights(make_tilings(evidence.points), grouping, evidence.residents)
    return CompositionSums(make_columns(evidence, 0.2), weights, Part("all"), setting)


def _region(random: np.random.Generator) -> tuple[Evidence, list[Grouping]]:
    """Forecasts and counts of a few areas, three groups of people and two classes of areas."""
    points = random.uniform(0, 10, (_AREAS, 2))
    residents = random.integers(900, 2500, _AREAS).astype(np.float64)
    shares = random.dirichlet([6.0, 2.0, 1.0], _AREAS)
    areas = np.array([f"E01{number:06d}" for number in range(_AREAS)])
    mean = residents * random.gamma(4.0, 0.001, (_MODELS, _ORIGINS, _MONTHS, _AREAS)) / 2
    around = 1.6 * np.sqrt(mean)
    evidence = Evidence(
        "invented@1", "lsoa21", "invented", ("first", "second"), "first", np.array([24000, 24003]),
        np.arange(1, _MONTHS + 1), areas, mean, np.floor(np.maximum(mean - around, 0)), np.ceil(mean + around),
        random.poisson(mean[0]).astype(np.float64), np.ones((_ORIGINS, _MONTHS), dtype=np.bool_), residents, points,
        (points[:, 0] > points[:, 1]).astype(np.intp), ("here", "there"),
    )  # fmt: skip
    inside = random.integers(0, 2, _AREAS)[:, None] == np.arange(2)
    people = Grouping(
        "invented", "Invented", "race", ("a", "b", "c"), areas, shares * residents[:, None], residents, "people"
    )
    kinds = Grouping("kinds", "Kinds", "place", ("p", "q"), areas, inside * residents[:, None], residents, "areas")
    return evidence, [people, kinds]


def _reordered(evidence: Evidence, order: npt.NDArray[np.intp]) -> Evidence:
    last = {name: getattr(evidence, name)[..., order] for name in ("mean", "low", "high", "observed")}
    own = {name: getattr(evidence, name)[order] for name in ("areas", "residents", "points", "district")}
    return replace(evidence, **last, **own)
