"""How long is an audit of England? All checks, with intervals, of 35,672 areas and 20 groups.

Run: ``python benchmarks/fairness_speed.py``; a minute and 3 GB. Places, counts and forecasts are made up.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from measuring import Cost, measure, table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from audited import make_evidence_of, make_region
from riskmodel.contracts.policy_specs import PolicySpec
from riskmodel.fairness.audit import build_audit
from riskmodel.fairness.evidence import Evidence, Grouping

AREAS, GROUPS, MODELS, ORIGINS, MONTHS, DISTRICTS = 35_672, 20, 3, 9, 12, 296
POLICY = PolicySpec(title="Speed", use_statement="None")


def england(seed: int = 1, areas: int = AREAS) -> tuple[Evidence, list[Grouping]]:
    """Forecasts and counts of a country, 20 groups of people and five classes of areas."""
    from dataclasses import replace

    region = make_region(seed, areas=areas)
    random = np.random.default_rng(seed)
    evidence = make_evidence_of(region, seed, models=MODELS, origins=ORIGINS, months=MONTHS)
    district = np.sort(random.integers(0, DISTRICTS, areas))[np.argsort(np.argsort(region.points[:, 0]))]
    evidence = replace(evidence, district=district, districts=tuple(f"D{number:03d}" for number in range(DISTRICTS)))
    ethnic = region.groupings["ethnic_group"]
    odds = random.dirichlet(np.ones(GROUPS // 5), areas)
    people = np.floor(ethnic.people[:, :, None] * odds[:, None, :]).reshape(areas, GROUPS)
    groups = tuple(f"{group}_{number}" for group in ethnic.groups for number in range(GROUPS // 5))
    return evidence, [replace(ethnic, groups=groups, people=people), region.groupings["deprivation"]]


def run(repeats: int = 3) -> list[tuple[str, Cost]]:
    """All checks over all the evidence; then in detail for one model, with each origin and each district."""
    evidence, groupings = england()
    people = groupings[:1]
    work = {
        "all checks, 20 groups, 3 models": lambda _: build_audit(evidence, people, POLICY),
        "in detail for 1 model, 296 districts": lambda _: build_audit(
            evidence, groupings, POLICY, detailed=evidence.models[:1]
        ),
    }
    return [(name, measure(job, repeats=repeats)) for name, job in work.items()]


if __name__ == "__main__":
    found = run()
    sys.stdout.write(table(found, found[0][0]) + "\n")
