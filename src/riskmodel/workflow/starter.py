"""A new workspace: the starter's definitions copied, never overwriting, and the synthetic region on request."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from riskmodel.contracts.errors import EnvironmentProblem

__all__ = ["Initialised", "init_workspace"]

ROOMS = ("features", "experiments", "fairness")
DECISIONS = Path("fairness") / "decisions"
SYNTHETIC = Path("build") / "synthetic"


@dataclass(frozen=True)
class Initialised:
    """What ``init_workspace`` did."""

    root: Path
    written: tuple[str, ...]
    kept: tuple[str, ...]
    synthetic: Path | None


def starter_folder() -> Path:
    """Where the starter lies: in the installed package, or at the root of a source checkout.

    Raises
    ------
    EnvironmentProblem
        If it is in neither place.
    """
    installed = Path(str(files("riskmodel"))) / "starter"
    checkout = Path(__file__).resolve().parents[3]
    for folder in (installed, checkout):
        if all((folder / room).is_dir() for room in ROOMS):
            return folder
    raise EnvironmentProblem(
        "the starter workspace is not where the package should hold it", where=installed, hint="install riskmodel again"
    )


def init_workspace(
    root: Path, *, synthetic: bool = False, areas: int = 400, months: int = 72, seed: int = 20260401
) -> Initialised:
    """Make a workspace, or complete one: files that exist are kept as they are.

    Parameters
    ----------
    root : Path
        The folder; made if absent.
    synthetic : bool
        Also write the invented region to ``build/synthetic``, unless it is there already.
    areas, months, seed : int
        Size and seed of the invented region.
    """
    from riskmodel.sources.synthetic import write_synthetic_region

    starter = starter_folder()
    written, kept = [], []
    for path in sorted(p for room in ROOMS for p in (starter / room).rglob("*") if p.is_file()):
        name = path.relative_to(starter)
        # A decision is on a run of its own workspace.
        if name.suffix not in {".yaml", ".md"} or (name.parent == DECISIONS and name.suffix == ".yaml"):
            continue
        goal = root / name
        if goal.exists():
            kept.append(name.as_posix())
            continue
        goal.parent.mkdir(parents=True, exist_ok=True)
        goal.write_bytes(path.read_bytes())
        written.append(name.as_posix())
    for room in ("fairness/characteristics", "fairness/policies", "fairness/decisions", "mlruns"):
        (root / room).mkdir(parents=True, exist_ok=True)
    if not (root / ".gitignore").exists():
        (root / ".gitignore").write_text("build/\nmlruns/\n", encoding="utf-8", newline="\n")
    region = root / SYNTHETIC
    if synthetic and not (region / "truth" / "truth.json").is_file():
        region.parent.mkdir(parents=True, exist_ok=True)
        write_synthetic_region(region, areas=areas, months=months, seed=seed)
    return Initialised(root, tuple(written), tuple(kept), region if synthetic else None)
