"""What a new workspace starts with, and what it does not take along."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskmodel.workflow import init_workspace, starter


def test_decisions_of_another_workspace_are_not_taken_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = {"features/sets/a.yaml", "experiments/b.yaml", "fairness/decisions/README.md"}
    for name in held | {"fairness/decisions/2026-05-02-0123456789abcdef.yaml"}:
        (tmp_path / "s" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "s" / name).write_text("title: T\n", encoding="utf-8")
    monkeypatch.setattr(starter, "starter_folder", lambda: tmp_path / "s")
    assert set(init_workspace(tmp_path / "w").written) == held
    assert list((tmp_path / "w" / "fairness" / "decisions").iterdir()) == [
        tmp_path / "w" / "fairness" / "decisions" / "README.md"
    ]
