"""The registry: one door for built-ins and other people's packages, opened in an interpreter of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from riskmodel.contracts.errors import DefinitionError
from riskmodel.contracts.registry import GROUPS, load, names

SOUND = Path(__file__).parent / "bad_definitions" / "sound_workspace"
TRANSFORM = '''
import numpy as np


class Twice:
    """Twice the newest month."""

    takes = ("monthly",)
    uses_horizon = False
    scale = "log"

    def __init__(self, times=2):
        self.times = times

    def value(self, made_of, view, horizon):
        return self.times * made_of.series(view)[:, -1]
'''
MODEL = '''
from riskmodel.models.baselines import Rolling12


class CountOfLastYear(Rolling12):
    """The same count under a name of its own."""
'''


def package(site: Path, name: str, points: str, **modules: str) -> None:
    """A package as an installer leaves it: modules and a dist-info folder with its entry points."""
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(points, encoding="utf-8")
    for module, text in modules.items():
        (site / f"{module}.py").write_text(text, encoding="utf-8")


def in_another_interpreter(site: Path, code: str) -> subprocess.CompletedProcess[str]:
    script = f"import sys; sys.path.append({str(site)!r})\n{code}"
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, encoding="utf-8", check=False
    )


@pytest.mark.parametrize("kind", GROUPS)
def test_built_ins_come_through_entry_points(kind: str) -> None:
    own = {p.name: p for p in entry_points(group=GROUPS[kind]) if p.value.startswith("riskmodel.")}
    assert set(own) <= set(names(kind))
    for name, point in own.items():
        assert load(kind, name) is point.load()
    assert names(kind) == sorted(names(kind))


def test_the_design_s_built_ins_are_there() -> None:
    assert {"police_uk", "nomis", "deprivation", "geography"} <= set(names("reader"))
    assert {"rolling_12", "seasonal_naive", "historic_mean", "eb_seasonal", "poisson_ridge", "lightgbm"} <= set(
        names("model")
    )
    assert {"lag", "rolling_mean", "ewm_mean", "same_month_last_year", "season", "trend", "neighbour_mean"} <= set(
        names("transform")
    )
    assert {"poisson_deviance", "mae", "level_ratio", "mase", "hit_rate", "pai", "pei"} <= set(names("metric"))


@pytest.mark.parametrize("kind", [k for k in GROUPS if k != "check"])
def test_an_unknown_name_is_refused_with_the_closest(kind: str) -> None:
    known = names(kind)[0]
    with pytest.raises(DefinitionError) as caught:
        load(kind, f"{known}x", where="f.yaml:3")
    assert str(caught.value).startswith(f"f.yaml:3: unknown {kind} '{known}x'\n  allowed: ")
    assert str(caught.value).endswith(f"next: did you mean '{known}'?")


def test_a_package_installed_beside_ours_is_usable_from_yaml(tmp_path: Path) -> None:
    package(
        tmp_path / "site",
        "violence_extras",
        "[riskmodel.transforms]\ntwice = extras_transforms:Twice\n"
        "[riskmodel.models]\nlast_year = extras_models:CountOfLastYear\n",
        extras_transforms=TRANSFORM,
        extras_models=MODEL,
    )
    root = tmp_path / "workspace"
    shutil.copytree(SOUND, root)
    (root / "fairness" / "decisions").mkdir()
    (root / "features" / "sets" / "plain.yaml").write_text(
        "title: Plain\nfeatures:\n  - {of: target, transform: twice, params: {times: 3}}\n", encoding="utf-8"
    )
    path = root / "experiments" / "asks.yaml"
    text = path.read_text(encoding="utf-8").replace("{use: poisson_ridge}", "{use: last_year}")
    path.write_text(text, encoding="utf-8", newline="\n")
    done = in_another_interpreter(
        tmp_path / "site",
        f"""
import json
from pathlib import Path
from riskmodel.contracts.registry import names
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.forecast import make_model
from riskmodel.workflow import read_definitions
d = read_definitions(Workspace(Path({str(root)!r})), "asks")
feature, = d.features
models = [type(make_model(m, 1)).__name__ for m in d.experiment.models]
print(json.dumps([names("model"), feature.label, type(feature.transform).__name__, feature.transform.times, models]))
""",
    )
    assert done.returncode == 0, done.stderr
    known, label, transform, times, models = json.loads(done.stdout)
    assert set(known) == {*names("model"), "last_year"}
    assert (label, transform, times) == ("target.twice_3", "Twice", 3)
    assert models == ["Rolling12", "CountOfLastYear"]


def test_without_the_package_the_same_yaml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="unknown transform 'twice'"):
        load("transform", "twice")


LOAD = """
from riskmodel.contracts.errors import RiskmodelError
from riskmodel.contracts.registry import load
try:
    load("model", "rolling_12")
except RiskmodelError as error:
    print(error)
"""


def test_two_packages_with_one_name_are_refused_by_name(tmp_path: Path) -> None:
    package(tmp_path, "rival", "[riskmodel.models]\nrolling_12 = rival_models:Other\n", rival_models="Other = object\n")
    done = in_another_interpreter(tmp_path, LOAD)
    assert done.returncode == 0, done.stderr
    first, *rest = done.stdout.splitlines()
    assert first == "two packages register the model 'rolling_12'"
    assert "rival_models:Other" in rest[0]
    assert "riskmodel.models.baselines:Rolling12" in rest[0]
    assert "uninstall one of them" in rest[1]


def test_the_same_package_found_twice_is_no_rival(tmp_path: Path) -> None:
    value = next(p.value for p in entry_points(group=GROUPS["model"]) if p.name == "rolling_12")
    package(tmp_path, "riskmodel_copy", f"[riskmodel.models]\nrolling_12 = {value}\n")
    listed = "from riskmodel.contracts.registry import names\nprint(*names('model'))"
    done = in_another_interpreter(tmp_path, listed)
    assert (done.returncode, done.stdout.split()) == (0, names("model")), done.stderr


@pytest.mark.parametrize(
    "value", ["absent_module:Model", "broken_models:Model", "rival_models:Absent"], ids=["module", "code", "object"]
)
def test_a_package_that_cannot_be_loaded_is_named(tmp_path: Path, value: str) -> None:
    package(
        tmp_path, "torn", f"[riskmodel.models]\ntorn = {value}\n", broken_models="1 / 0\n", rival_models="Other = 1\n"
    )
    done = in_another_interpreter(tmp_path, LOAD.replace("rolling_12", "torn"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("the model 'torn' cannot be loaded")
    assert value in done.stdout
