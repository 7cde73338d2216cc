"""The shape of the package as failing tests: what starts slowly, who may import what, what may lie where."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "src" / "riskmodel"
MODULES = sorted(PACKAGE.rglob("*.py"))
SLOW = {"mlflow", "shap", "lightgbm", "matplotlib", "scipy.stats", "sklearn", "pandas", "pyarrow", "shapely"}
GENERATED = {
    ".git", ".venv", "build", "dist", "mlruns", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache",
    ".hypothesis", ".import_linter_cache",
}  # fmt: skip
# Spelt in pieces, so that this file does not hold what it looks for.
REGISTRY_HOSTS = ["py" + r"pi\.org", "python" + "hosted", r"registry\." + "npmjs", r"deb\." + r"debian\.org"]
MACHINE_PATHS = [r"(?<![\w.])/" + folder + "/" for folder in ("work", "root", "farm", "opt/wheels", "tmp/env")]
UNSAFE_CALLS = {("pickle", "load"), ("pickle", "loads"), ("joblib", "load"), ("cloudpickle", "load"), ("yaml", "load")}


def modules_loaded_by(code: str) -> set[str]:
    """The names in ``sys.modules`` after a fresh interpreter ran the code."""
    script = f"{code}\nimport json, sys\nsys.stderr.write('\\n' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


def text_files() -> list[Path]:
    """Every text file of the repository that is not generated."""
    found = []
    for path in sorted(REPOSITORY.rglob("*")):
        inside = path.relative_to(REPOSITORY).parts
        if path.is_file() and not GENERATED.intersection(inside) and b"\0" not in path.read_bytes()[:4096]:
            found.append(path)
    return found


def imports_of(module: Path) -> set[str]:
    """The top-level names a module imports anywhere, functions included."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    named |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level}
    return {name.partition(".")[0] for name in named}


@pytest.mark.parametrize(
    "code",
    [
        "import riskmodel",
        "import riskmodel.cli",
        "import sys\nfrom riskmodel.cli import main\nsys.argv = ['riskmodel', '--help']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code",
    ],
    ids=["import", "import-cli", "help"],
)
def test_starting_loads_no_slow_library(code: str) -> None:
    loaded = modules_loaded_by(code)
    assert "riskmodel" in loaded
    assert loaded.isdisjoint(SLOW), sorted(loaded & SLOW)


def test_the_slow_list_would_be_noticed() -> None:
    assert "pandas" in modules_loaded_by("import pandas")


def test_only_tracking_imports_mlflow() -> None:
    importers = {m.relative_to(PACKAGE).parts[0] for m in MODULES if "mlflow" in imports_of(m)}
    assert importers == {"tracking"}


def test_folders_that_belong_to_readers_hold_no_python() -> None:
    found = [p for folder in ("features", "experiments", "fairness") for p in (REPOSITORY / folder).rglob("*.py")]
    assert found == []


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.relative_to(PACKAGE).as_posix())
def test_a_module_is_short_and_says_what_it_offers(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    defines = any(isinstance(node, (ast.FunctionDef, ast.ClassDef)) for node in tree.body)
    offers = any(
        isinstance(node, ast.Assign) and any(getattr(t, "id", "") == "__all__" for t in node.targets)
        for node in tree.body
    )
    assert offers or not defines, "a module that defines something has __all__"


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.relative_to(PACKAGE).as_posix())
def test_nothing_is_read_through_pickle_or_run_through_a_shell(module: Path) -> None:
    assert imports_of(module).isdisjoint({"pickle", "cloudpickle", "dill", "shelve"})
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
            assert (called.value.id, called.attr) not in UNSAFE_CALLS, node.lineno
        shells = [k for k in node.keywords if k.arg == "shell"]
        assert not shells, node.lineno


def test_no_file_names_a_registry_host_or_a_machines_path() -> None:
    banned = re.compile("|".join(REGISTRY_HOSTS + MACHINE_PATHS))
    found = [
        f"{path.relative_to(REPOSITORY).as_posix()}:{number}: {line.strip()[:80]}"
        for path in text_files()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1)
        if banned.search(line)
    ]
    assert found == []


def test_a_fitted_model_is_never_kept_as_a_pickle() -> None:
    kept = [p for p in text_files() if p.suffix in {".pkl", ".pickle", ".joblib"}]
    assert kept == []


def test_every_entry_point_leads_to_an_object() -> None:
    from importlib.metadata import entry_points

    from riskmodel.contracts.registry import GROUPS, load

    points = [(kind, point.name) for kind, group in GROUPS.items() for point in entry_points(group=group)]
    assert {kind for kind, _ in points} >= {"reader", "transform", "model", "metric"}
    assert all(load(kind, name) is not None for kind, name in points)


def test_users_lock_is_hashed_and_holds_everything_the_package_asks_for() -> None:
    import tomllib

    lock = (REPOSITORY / "requirements" / "core.lock").read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([a-z0-9.-]+)==", lock, flags=re.MULTILINE))
    blocks = re.split(r"^(?=[a-z0-9.-]+==)", lock, flags=re.MULTILINE)
    assert all("--hash=sha256:" in block for block in blocks if block.strip())
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {
        re.split(r"[<>=!~ \[;]", line)[0].lower().replace("_", "-").replace(".", "-")
        for line in project["dependencies"]
    }
    assert asked <= pinned


def test_developers_and_users_run_the_same_versions() -> None:
    def versions(name: str) -> set[str]:
        text = (REPOSITORY / "requirements" / name).read_text(encoding="utf-8")
        return set(re.findall(r"^[a-z0-9.-]+==\S+", text, flags=re.MULTILINE))

    assert versions("core.lock") <= versions("dev.lock")
