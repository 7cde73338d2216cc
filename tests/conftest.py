"""What every test shares: where the real published files lie, and how hypothesis runs."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from riskmodel.contracts.yaml_files import Workspace
    from riskmodel.sources.synthetic import SyntheticRegion

REPOSITORY = Path(__file__).resolve().parents[1]
# Tests are not a package; this is how they share `builders`.
sys.path.insert(0, str(REPOSITORY / "tests"))

# A loaded machine is slow, not wrong; and a failure must be repeatable from what it printed.
settings.register_profile("riskmodel", deadline=None, print_blob=True)
settings.load_profile("riskmodel")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real published files; the test is skipped where there is none."""
    folder = Path(os.environ.get("RISKMODEL_DATA") or REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no published files at {folder}; RISKMODEL_DATA can name another folder")
    return folder


@pytest.fixture(scope="session")
def synthetic_region(tmp_path_factory: pytest.TempPathFactory) -> SyntheticRegion:
    """A small invented region, laid out as published: 40 areas, 40 months to 2025-12; never change it."""
    from riskmodel.sources.synthetic import write_synthetic_region

    return write_synthetic_region(tmp_path_factory.mktemp("synthetic") / "region", areas=40, months=40)


@pytest.fixture
def workspace(repository: Path, tmp_path: Path) -> Workspace:
    """A copy of the repository's own definitions, with a store of its own."""
    from riskmodel.contracts.yaml_files import Workspace

    for room in ("features", "experiments", "fairness"):
        shutil.copytree(repository / room, tmp_path / "workspace" / room)
    return Workspace(tmp_path / "workspace")
