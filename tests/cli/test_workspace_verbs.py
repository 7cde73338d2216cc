"""The verbs that look after a workspace, as a person calls them: doctor, explore, and check with data."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd


def test_doctor_ends_with_what_is_left_to_do(small_run: Any, command_here: Any, tmp_path: Path) -> None:
    sound = command_here("doctor", "--workspace", small_run.workspace)
    assert sound.code == 0, sound.out
    assert sound.out.splitlines()[-1] == "Nothing is left to do."
    copy = Path(shutil.copytree(small_run.workspace, tmp_path / "copy"))
    broken = command_here("doctor", "--workspace", copy, "--json")
    assert broken.code == 1
    assert [f["code"] for f in broken.json["findings"] if f["state"] == "to do"] == ["tracking-moved"]
    assert broken.json["left_to_do"] == 1
    refused = command_here("run", "small", "--workspace", copy)
    assert refused.code == 1
    assert "riskmodel doctor --mend" in refused.err
    mended = command_here("doctor", "--workspace", copy, "--mend")
    assert mended.code == 0, mended.out
    forecast = command_here("forecast", "small@latest", "--workspace", copy, "--json")
    assert forecast.code == 0, forecast.err


def test_explore_writes_one_page(small_workspace: Path, command_here: Any, tmp_path: Path) -> None:
    page = tmp_path / "pages" / "income é.html"
    asked = ("explore", "society/income_deprivation", "--workspace", small_workspace)
    done = command_here(*asked, "--experiment", "small", "--out", page, "--json")
    assert done.code == 0, done.err
    assert done.json["page"] == page.as_posix()
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert [p.name for p in page.parent.iterdir()] == [page.name]
    which = command_here(*asked)
    assert which.code == 2
    assert "--experiment NAME" in which.err
    unknown = command_here("explore", "society/incom", "--workspace", small_workspace, "--experiment", "small")
    assert unknown.code == 10
    assert "there is no factor 'society/incom'" in unknown.err


def test_check_with_data_writes_the_quality_report(small_workspace: Path, command_here: Any, tmp_path: Path) -> None:
    data, out = small_workspace / "build" / "synthetic", tmp_path / "report" / "quality.csv"
    done = command_here("check", "small", "--workspace", small_workspace, "--data", data, "--out", out)
    assert done.code == 0, done.out + done.err
    assert "Data contracts: 0 problem" in done.out
    assert "look: police_uk, months (" in done.out
    assert "2023-10: no file: missing, never zero" in done.out
    report = pd.read_csv(out, keep_default_na=False)
    assert set(report["severity"]) == {"look", "fine"}
    nowhere = command_here("check", "--workspace", small_workspace, "--data", data, "--out", out)
    assert nowhere.code == 2
    assert "no quality report was written" in nowhere.err


def test_a_broken_promise_of_the_data_is_a_data_error(small_workspace: Path, command_here: Any, tmp_path: Path) -> None:
    data = Path(shutil.copytree(small_workspace / "build" / "synthetic", tmp_path / "data"))
    path = next((data / "deprivation").glob("imd2025_england_lsoa21.csv*"))
    frame = pd.read_csv(path)
    frame["Income_rank"] = len(frame) + 1 - frame["Income_rank"]
    frame.to_csv(path, index=False, lineterminator="\n")
    done = command_here("check", "small", "--workspace", small_workspace, "--data", data, "--json")
    assert done.code == 11
    assert done.json["quality"]["problem"] >= 1
