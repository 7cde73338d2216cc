"""The verb verify: an untouched bundle holds, and one changed digit anywhere in it is found and named."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from conftest import SmallRun

WRITTEN = """---
title: What residents said
section: community_views
written_by: a group of residents
written_on: 2025-09-01
---
Young people asked for a place to meet.
"""


@pytest.fixture
def bundle(small_run: SmallRun, tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copytree(small_run.out, tmp_path / "bundle"))


def changed_digit(text: str, pattern: str) -> str:
    """The text with the last digit of the first match of the pattern's group changed to another."""
    found = re.search(pattern, text)
    assert found is not None
    at = max(n for n in range(*found.span(1)) if text[n].isdigit())
    return text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :]


def verify(command_here: Any, bundle: Path, small_run: SmallRun, *more: object) -> Any:
    return command_here("verify", bundle, "--workspace", small_run.workspace, "--json", *more)


def test_what_a_run_left_holds_and_its_run_vouches_for_the_manifest(command_here: Any, small_run: SmallRun) -> None:
    done = verify(command_here, small_run.out, small_run)
    assert done.code == 0 and done.json["holds"] and done.json["problems"] == []
    assert done.json["held_against"] == "run"
    assert done.json["manifest_sha256"] == small_run.first.json["manifest_sha256"]
    assert done.json["facts"] > 1000 and done.json["numbers_on_pages"] > 1000


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("index.html", r"<data [^>]*>([0-9,]+)</data>"),
        ("forecast.html", r"<data [^>]*>([0-9,]+)</data>"),
        ("fairness.html", r"<data [^>]*>([0-9,.]+)</data>"),
        ("tables/outlook.csv", r",([0-9]+\.[0-9]+),"),
        ("facts.json", r'"words": ?"([0-9,]+)"'),
    ],
)
def test_one_changed_digit_is_found(
    command_here: Any, small_run: SmallRun, bundle: Path, name: str, pattern: str
) -> None:
    path = bundle / name
    path.write_text(changed_digit(path.read_text(encoding="utf-8"), pattern), encoding="utf-8", newline="\n")
    done = verify(command_here, bundle, small_run)
    assert done.code == 11 and not done.json["holds"]
    assert f"{name}: changed" in done.json["problems"]
    # Beside the file's hash, the number itself is named, where pages or facts say it.
    assert len(done.json["problems"]) > 1 or name.startswith("tables/")
    assert name in done.err and "riskmodel narrate" in done.err


def test_missing_and_extra_files_are_named(command_here: Any, small_run: SmallRun, bundle: Path) -> None:
    (bundle / "tables" / "targets.csv").unlink()
    (bundle / "note.txt").write_text("seen", encoding="utf-8")
    problems = verify(command_here, bundle, small_run).json["problems"]
    assert "tables/targets.csv: missing" in problems and "note.txt: not in the manifest" in problems


def test_a_manifest_that_was_made_to_fit_is_found_by_what_was_expected(
    command_here: Any, small_run: SmallRun, bundle: Path
) -> None:
    """Whoever changes a table can write its new hash into the manifest; its run, or the hash one was told, tells."""
    from riskmodel.narrative.bundle import file_sha256

    table, manifest = bundle / "tables" / "quality.csv", bundle / "manifest.json"
    before = file_sha256(table)
    table.write_text(table.read_text(encoding="utf-8") + "\n", encoding="utf-8", newline="\n")
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(text.replace(before, file_sha256(table)), encoding="utf-8", newline="\n")
    by_run = verify(command_here, bundle, small_run)
    assert by_run.code == 11
    assert by_run.json["problems"] == ["tables/quality.csv: is not the one that its run left"]
    told = verify(command_here, bundle, small_run, "--expect", small_run.first.json["manifest_sha256"])
    assert told.code == 11 and told.json["held_against"] == "expected"
    assert "not the expected" in told.json["problems"][0]


def test_a_bundle_that_was_written_again_rests_on_what_its_run_left(
    command_here: Any, small_run: SmallRun, tmp_path: Path
) -> None:
    out, workspace = tmp_path / "again", tmp_path / "w"
    for room in ("features", "experiments", "fairness"):
        shutil.copytree(small_run.workspace / room, workspace / room)
    text = workspace / "experiments" / "small" / "text" / "views.md"
    text.parent.mkdir(parents=True)
    text.write_text(WRITTEN, encoding="utf-8", newline="\n")
    store = ("--tracking-uri", f"sqlite:///{(small_run.workspace / 'mlruns' / 'mlflow.db').as_posix()}")
    done = command_here("narrate", small_run.first.json["run_id"], "--workspace", workspace, "--out", out, *store)
    assert done.code == 0, done.err
    held = verify(command_here, out, small_run)
    assert held.code == 0, held.json["problems"]
    assert held.json["held_against"] == "run's tables"


def test_the_same_inputs_give_the_same_tables(command_here: Any, small_run: SmallRun) -> None:
    done = verify(command_here, small_run.out, small_run, "--from-source")
    assert done.code == 0, done.err
    assert done.json["tables_made_again"] > 20


def test_where_no_run_vouches_it_is_said(command_here: Any, small_run: SmallRun, tmp_path: Path) -> None:
    done = command_here("verify", small_run.out, "--workspace", tmp_path)
    assert done.code == 0, done.err
    assert "everything holds" in done.out and "--expect" in done.out


def test_a_folder_that_is_no_bundle_is_refused(command_here: Any, tmp_path: Path) -> None:
    done = command_here("verify", tmp_path)
    assert done.code == 2 and "no bundle" in done.err
