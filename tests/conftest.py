"""What every test shares: where the real published files lie, and how hypothesis runs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

REPOSITORY = Path(__file__).resolve().parents[1]

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
