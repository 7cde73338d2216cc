"""Counts by group: each stream is what its source recorded of the group, and groups add up to the forecast audited."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from riskmodel.backtest.run import run_backtest
from riskmodel.backtest.scores import ForecastCube, as_cube
from riskmodel.contracts.errors import DefinitionError
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.sources.synthetic import SyntheticRegion
from riskmodel.workflow.definitions import read_definitions
from riskmodel.workflow.group_streams import GroupForecasts, forecast_groups, scaled_to
from riskmodel.workflow.session import Session, open_session

EXPERIMENT = """question: Who is affected?
region: {force: lindenshire}
data: build/synthetic
target: recorded_violence
feature_set: history
models:
  - {use: rolling_12}
horizons: 3
backtest: {first_origin: 2025-03, every_months: 3}
"""


def copied(repository: Path, root: Path) -> Workspace:
    for room in ("features", "experiments", "fairness"):
        shutil.copytree(repository / room, root / room)
    (root / "experiments" / "who.yaml").write_text(EXPERIMENT, encoding="utf-8", newline="\n")
    return Workspace(root)


@pytest.fixture(scope="module")
def session(repository: Path, tmp_path_factory: pytest.TempPathFactory, synthetic_region: SyntheticRegion) -> Session:
    workspace = copied(repository, tmp_path_factory.mktemp("groups") / "w")
    return open_session(read_definitions(workspace, "who"), data=synthetic_region.directory)


@pytest.fixture(scope="module")
def cube(session: Session) -> ForecastCube:
    definitions = session.definitions
    made = run_backtest(
        session.held.panel, definitions.plan, definitions.experiment.backtest, as_of=session.as_of, horizons=3
    )
    return as_cube(made.table)


@pytest.fixture(scope="module")
def found(session: Session, cube: ForecastCube) -> dict[tuple[str, str], GroupForecasts]:
    made, reasons = forecast_groups(session, cube)
    assert not reasons
    return {(each.characteristic, each.source): each for each in made}


def test_what_is_recorded_of_a_group_is_what_the_file_says(
    found: dict[tuple[str, str], GroupForecasts], cube: ForecastCube, synthetic_region: SyntheticRegion
) -> None:
    path = next(synthetic_region.directory.rglob("police_victims.csv.gz"))
    with gzip.open(path, "rt", encoding="utf-8") as text:
        rows = pd.read_csv(text)
    own = found["sex x ethnic_group", "police_victims"]
    for cell in ("female & black", "male & white"):
        sex, ethnic = cell.split(" & ")
        of_cell = rows[(rows["sex"] == sex) & (rows["ethnic_group"] == ethnic)]
        counted = of_cell.groupby(["lsoa21_code", "month"])["victims"].sum()
        observed = own.observed[own.groups.index(cell)]
        for o, day in enumerate(cube.origins):
            for h, horizon in enumerate(cube.horizons):
                month = str((day + pd.DateOffset(months=int(horizon) - 1)).date())[:7]
                expected = [counted.get((area, month), 0) for area in cube.areas]
                if np.isfinite(observed[o, h]).all():
                    assert observed[o, h].tolist() == expected
    assert np.isfinite(own.observed).any()


def test_parts_of_a_source_add_up(found: dict[tuple[str, str], GroupForecasts]) -> None:
    sex, ethnic = found["sex", "police_victims"], found["ethnic_group", "police_victims"]
    both = found["sex x ethnic_group", "police_victims"]
    np.testing.assert_array_equal(sex.observed.sum(axis=0), ethnic.observed.sum(axis=0))
    women = [g for g, name in enumerate(both.groups) if name.startswith("female")]
    np.testing.assert_array_equal(both.observed[women].sum(axis=0), sex.observed[sex.groups.index("female")])
    assert sex.restricted and ("sex", "emergency_department") in found


positive = st.floats(1e-3, 1e3)


@given(
    arrays(np.float64, (2, 1, 2, 3), elements=positive),
    arrays(np.float64, (4, 1, 2, 3), elements=positive),
)
def test_groups_add_up_to_the_forecast_audited(total: np.ndarray, groups: np.ndarray) -> None:
    made = scaled_to(total, groups)
    np.testing.assert_allclose(made.sum(axis=1), total, rtol=1e-12)
    np.testing.assert_allclose(made[0] * total[1], made[1] * total[0], rtol=1e-9)


def test_what_is_published_after_an_origin_changes_no_forecast_of_a_group(
    repository: Path, tmp_path: Path, synthetic_region: SyntheticRegion, cube: ForecastCube, session: Session
) -> None:
    data = tmp_path / "data"
    shutil.copytree(synthetic_region.directory, data)
    path = next(data.rglob("police_victims.csv.gz"))
    with gzip.open(path, "rt", encoding="utf-8") as text:
        rows = pd.read_csv(text)
    first = cube.origins[0]
    seen = str((first - pd.DateOffset(months=3)).date())[:7]
    later = rows["month"] > seen
    assert later.any() and not later.all()
    rows.loc[later, "victims"] += 7
    with gzip.open(path, "wt", encoding="utf-8", newline="") as text:
        rows.to_csv(text, index=False, lineterminator="\n")
    changed = open_session(read_definitions(copied(repository, tmp_path / "w"), "who"), data=data)
    before, after = ({(g.characteristic, g.source): g for g in forecast_groups(s, cube)[0]} for s in (session, changed))
    own, other = before["disability", "police_victims"], after["disability", "police_victims"]
    np.testing.assert_array_equal(own.mean[:, 0], other.mean[:, 0])
    assert (own.mean[:, -1] != other.mean[:, -1]).any()
    assert (own.observed != other.observed).any()


def test_a_source_that_is_not_held_is_named(
    repository: Path, tmp_path: Path, synthetic_region: SyntheticRegion, cube: ForecastCube
) -> None:
    data = tmp_path / "data"
    shutil.copytree(synthetic_region.directory, data, ignore=shutil.ignore_patterns("partners"))
    held = open_session(read_definitions(copied(repository, tmp_path / "w"), "who"), data=data)
    made, reasons = forecast_groups(held, cube)
    assert not made
    assert reasons["police_victims: sex"] == "no file of the source is held"


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("policies/default", "characteristics: [sex,", "characteristics: [sexx, sex,", "no characteristic 'sexx'"),
        ("characteristics/sex", "breakdown: sex, groups", "breakdown: sexes, groups", "no breakdown 'sexes'"),
        ("characteristics/sex", "measures: [people_affected]", "measures: [people]", "no measure 'people'"),
        ("characteristics/sex", "source: police_victims", "source: police", "there is no source 'police'"),
        ("characteristics/sex", "{female: [female], male: [male]}}", "{girls: [female]}}", "'girls' is no group"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_a_definition_error(
    workspace: Workspace, file: str, old: str, new: str, said: str
) -> None:
    path = workspace.root / "fairness" / f"{file}.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8", newline="\n")
    with pytest.raises(DefinitionError, match=said):
        read_definitions(workspace, "demo")
