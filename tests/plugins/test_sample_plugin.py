"""A package of somebody else's: held to the checkers, installed, and used from YAML alone."""

from __future__ import annotations

import csv
import os
import shutil
import tomllib
from datetime import date
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from builders import BURGLARY, FIRST, HISTORY, tiny_panel
from riskmodel.contracts.specs import FileSpec, SourceSpec
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.sources.observed import SourceFile
from riskmodel.sources.synthetic import SyntheticRegion
from riskmodel.testing import check_fairness_check, check_metric, check_model, check_reader, check_transform

SAMPLE = Path(__file__).parent / "sample"
ORIGINS = [FIRST + 19, FIRST + 24, FIRST + 30, FIRST + 33]
PANEL = tiny_panel(months=36, missing=[7], again=[(5, 15), (14, 26), (12, 40)])


@pytest.fixture
def sample(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The sample's five plugins, imported from where they lie."""
    monkeypatch.syspath_prepend(str(SAMPLE))
    points = tomllib.loads((SAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    found = {}
    for group in points.values():
        for name, value in group.items():
            module, _, attribute = value.partition(":")
            found[name] = getattr(import_module(module), attribute)
    return SimpleNamespace(**found)


def written(folder: Path, content: bytes, name: str = "homes.csv", **spec: Any) -> SourceFile:
    """One file of an invented source."""
    path = folder / name
    path.write_bytes(content)
    file = FileSpec(path=name, **{"published": date(2024, 1, 1), "period": "2023", **spec})
    source = SourceSpec(title="t", publisher="p", licence="l", reader="r", evidence="e", files={"table": file})
    return SourceFile("homes", "table", name, path, None, "2023", date(2024, 1, 1), file, source)


HOMES = b"area;repairs\nE01000001;12,5\nE01000002;\nE01000003;7\n"


class TestTheSamplePassesTheCheckers:
    def test_reader(self, sample: SimpleNamespace, tmp_path: Path) -> None:
        file = written(tmp_path, HOMES, measures={"repairs": "repairs"})
        check_reader(sample.semicolons, file, damaged={"a letter": HOMES.replace(b"12,5", b"12,x")})
        assert sample.semicolons(file).table["value"].to_pylist() == [12.5, None, 7.0]

    def test_transform(self, sample: SimpleNamespace) -> None:
        for made_of in (HISTORY, BURGLARY):
            check_transform(sample.highest(6), made_of, PANEL, origins=ORIGINS)
        view = tiny_panel(np.arange(6 * 30).reshape(6, 30)).as_of(date(2022, 1, 1))
        newest = HISTORY.series(view)[:, -1]
        assert sample.highest(6)(view, HISTORY, 1).tolist()[:4] == newest.tolist()[:4]

    def test_model(self, sample: SimpleNamespace) -> None:
        check_model(sample.banded_rates, {"bands": 4})
        random = np.random.default_rng(1)
        X = random.normal(0, 1, (4000, 1)).astype(np.float32)
        y = random.poisson(np.where(X[:, 0] > 0, 6.0, 2.0)).astype(float)
        mean = sample.banded_rates(bands=2, prior=1.0).fit(X, y).predict(np.array([[-1.0], [1.0]]))
        assert mean == pytest.approx([2.0, 6.0], rel=0.05)

    def test_metric(self, sample: SimpleNamespace) -> None:
        check_metric(sample.within_two)
        assert sample.within_two([0, 3, 9, 4], [1.0, 5.0, 2.0, 4.5]) == 0.75

    def test_fairness_check(self, sample: SimpleNamespace) -> None:
        check_fairness_check(sample.nothing_recorded)


SEMICOLON_SOURCE = """title: Homes in need of repair
publisher: The councils of the synthetic region
licence: Invented
reader: semicolons
evidence: Invented for this test
files:
  survey:
    path: partners/homes.csv
    published: 2023-06-01
    period: "2023"
    level: lsoa21
    measures: {homes_in_need_of_repair: repairs}
"""
FACTORS = """title: Homes
factors:
  repairs:
    title: Homes in need of repair
    role: risk
    stage: all
    levers: [housing]
    expected: unclear
    evidence: "unclear: invented for this test"
    source: homes
    measure: homes_in_need_of_repair
    unit: homes for every 100
    travels: population_weighted_mean
    missing: keep
    owner: Nobody
"""
SET = """title: Somebody else's transform, and a factor from somebody else's reader
features:
  - {of: target, transform: highest, params: {window: 6}}
  - {of: homes/repairs, transform: latest}
"""
EXPERIMENT = """question: Is a package of somebody else's usable from YAML alone?
region: {force: lindenshire}
feature_set: plugged
models:
  - {use: rolling_12}
  - {name: bands, use: banded_rates, params: {bands: 3}}
horizons: 1
backtest: {first_origin: 2025-03, every_months: 6}
"""


def install(site: Path) -> None:
    """The package as an installer leaves it: its modules, and a dist-info folder made of its pyproject.toml."""
    shutil.copytree(SAMPLE / "sample_plugin", site / "sample_plugin", ignore=shutil.ignore_patterns("__pycache__"))
    project = tomllib.loads((SAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    head = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(head, encoding="utf-8")
    points = "".join(
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in held.items())
        for group, held in project["entry-points"].items()
    )
    (info / "entry_points.txt").write_text(points, encoding="utf-8")


def homes(workspace: Workspace, region: SyntheticRegion, data: Path) -> None:
    """The region's files with one more, and the YAML that uses it."""
    shutil.copytree(region.directory, data)
    areas = pd.read_parquet(region.directory / "truth" / "areas.parquet")
    (data / "partners").mkdir(exist_ok=True)
    with (data / "partners" / "homes.csv").open("w", encoding="utf-8", newline="") as out:
        table = csv.writer(out, delimiter=";", lineterminator="\n")
        table.writerow(["area", "repairs"])
        table.writerows([code, f"{index % 17},5"] for index, code in enumerate(sorted(areas["area"])))
    for name, text in {
        "features/sources/homes.yaml": SEMICOLON_SOURCE,
        "features/factors/homes.yaml": FACTORS,
        "features/sets/plugged.yaml": SET,
        "experiments/plugged.yaml": EXPERIMENT,
    }.items():
        (workspace.root / name).write_text(text, encoding="utf-8", newline="\n")


def test_an_installed_plugin_is_used_from_yaml_alone(
    command: Any, command_here: Any, workspace: Workspace, synthetic_region: SyntheticRegion, tmp_path: Path
) -> None:
    site, data = tmp_path / "site", tmp_path / "data"
    install(site)
    homes(workspace, synthetic_region, data)
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    asked = {"PYTHONPATH": path}
    refused = command_here("check", "plugged", "--workspace", workspace.root)
    assert refused.code == 10
    assert "unknown transform 'highest'" in refused.err
    listed = command("list", "transform", "--workspace", workspace.root, **asked)
    assert listed.code == 0, listed.err
    assert "highest " in listed.out
    assert "The highest month among the newest ``window`` visible." in listed.out
    done = command("run", "plugged", "--workspace", workspace.root, "--data", data, "--json", **asked)
    assert done.code == 0, done.err
    tables = Path(done.json["out"]) / "tables"
    scores = pd.read_csv(tables / "scores.csv")
    held = scores[(scores["model_id"] == "bands") & (scores["metric"] == "within_two")]["value"]
    assert len(held) and held.between(0, 1).all()
    factors = pd.read_csv(tables / "factors.csv").set_index("feature")
    assert factors.loc["target.highest_6", "transform"] == "Highest"
    assert factors.loc["homes/repairs.latest", ["source", "measures"]].tolist() == ["homes", "homes_in_need_of_repair"]
    quality = pd.read_csv(tables / "quality.csv")
    read = quality[(quality["source"] == "homes") & (quality["rule"] == "areas read")]
    assert read["rows"].tolist() == [synthetic_region.areas]
