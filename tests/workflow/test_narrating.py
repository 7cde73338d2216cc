"""A bundle made again from what is kept with the run: the same bytes without data, with the state of its decisions."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

from conftest import contents
from deciding_builders import Stored
from riskmodel.contracts.errors import DataFileError, UsageError
from riskmodel.fairness.decision_files import write_decision
from riskmodel.narrative.bundle import file_sha256, write_table
from riskmodel.narrative.verify import verify_bundle
from riskmodel.tracking import RunRecord, fetch_artifacts, find_run, log_run
from riskmodel.workflow import narrate_run
from riskmodel.workflow.deciding import promote_run
from riskmodel.workflow.narration import read_narration, save_narration

ACCEPTED = "Approved for offers of support: decision of 2 May 2026"


@pytest.fixture
def stored(audited_run: Stored) -> Stored:
    return audited_run


@pytest.fixture
def decided(stored: Stored, tmp_path: Path) -> Stored:
    """The same store seen from a workspace whose decisions are its own."""
    shutil.copytree(stored.root, tmp_path / "w", ignore=shutil.ignore_patterns("build"))
    return replace(stored, root=tmp_path / "w")


def test_a_fresh_run_is_narrated_byte_for_byte_without_its_data(small_run: Any, tmp_path: Path) -> None:
    """Definitions and the tracker come along; the data folder and the store of what was read do not."""
    elsewhere = tmp_path / "w"
    shutil.copytree(small_run.workspace, elsewhere, ignore=shutil.ignore_patterns("build"))
    done = narrate_run("small@latest", workspace=elsewhere)
    assert done.out == elsewhere.resolve() / "build" / "small"
    again, before = contents(done.out), contents(small_run.out)
    assert set(again) == set(before)
    assert [name for name in before if again[name] != before[name]] == []
    assert done.manifest_sha256 == small_run.first.json["manifest_sha256"]


def test_what_is_saved_is_read_back_whole(stored: Stored, tmp_path: Path) -> None:
    run = find_run("small@latest", workspace=stored.root)
    folder = fetch_artifacts(run, "narration", tmp_path)
    held = read_narration(folder, stored.bundle / "tables")
    rng = np.random.default_rng(7)
    outlook = held.tables["outlook"]
    mask = pd.DataFrame(rng.random(outlook.shape) < 0.2, columns=outlook.columns)
    given = replace(held, withheld={"outlook": mask})
    save_narration(given, tmp_path / "again")
    read = read_narration(tmp_path / "again", stored.bundle / "tables")
    assert read.about == given.about
    assert list(read.tables) == list(given.tables)
    for name, table in given.tables.items():
        pd.testing.assert_frame_equal(read.tables[name], table)
    pd.testing.assert_frame_equal(read.withheld["outlook"], mask)
    assert read.outlines.keys() == given.outlines.keys() and read.outlines
    for level, outlines in given.outlines.items():
        assert (read.outlines[level].codes, read.outlines[level].paths) == (outlines.codes, outlines.paths)
        np.testing.assert_array_equal(read.outlines[level].centres, outlines.centres)
    files = [path for path in (tmp_path / "again").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".json", ".parquet"}


def test_a_decision_changes_what_every_page_print_and_sheet_says_and_no_number(decided: Stored, tmp_path: Path) -> None:
    write_decision(decided.workspace, decided.decision("refuse", model_id="another", dissent="B. Name would accept."))
    write_decision(decided.workspace, decided.decision())
    done = narrate_run("small@latest", workspace=decided.root, out=tmp_path / "b")
    assert (done.review.state.words, done.review.state.approved) == (ACCEPTED, True)
    before, after = contents(decided.bundle), contents(tmp_path / "b")
    assert set(before) == set(after)
    changed = {name for name in before if before[name] != after[name]}
    said = {name for name in before if name.endswith((".html", ".md", ".xlsx", ".docx", ".svg"))}
    assert changed == said | {"manifest.json", "decisions.json", "atrs.json"}
    for name in [name for name in changed if name.endswith((".html", ".md", ".json"))]:
        assert ACCEPTED.encode() in after[name] and b"Draft: not approved" not in after[name], name
    for path in (tmp_path / "b").rglob("*.docx"):
        with zipfile.ZipFile(path) as packed:
            words = b"".join(packed.read(name) for name in packed.namelist())
        assert ACCEPTED.encode() in words and b"Draft: not approved" not in words, path.name
    listed = json.loads(after["decisions.json"])["decisions"]
    assert [(d["verdict"], d["stands"]) for d in listed] == [("refuse", False), ("accept", True)]
    assert listed[0]["dissent"] == "B. Name would accept."
    book = openpyxl.load_workbook(tmp_path / "b" / "tables" / "planner.xlsx")
    assert all(ACCEPTED in sheet.oddHeader.center.text for sheet in book if sheet.title != "Cover")
    assert ACCEPTED in [cell.value for cell in book["Cover"]["A"]]


@pytest.fixture
def restored(stored: Stored) -> Iterator[Path]:
    """The stored bundle, with its files put back when the test is over: the copies of a workspace share one store."""
    run = find_run("small@latest", workspace=stored.root)
    folder = stored.root / "mlruns" / "artifacts" / run.mlflow_id / "artifacts" / "bundle"
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    yield folder
    for path, content in before.items():
        path.write_bytes(content)


def changed_audit(bundle: Path) -> None:
    table = pd.read_parquet(bundle / "tables" / "audit.parquet")
    table.loc[0, "per_1000"] = 1.15
    write_table(bundle / "tables" / "audit.parquet", table)


def test_a_stored_table_that_was_changed_is_found(decided: Stored, restored: Path, tmp_path: Path) -> None:
    name = "tables/outlook.csv"
    (restored / name).write_bytes((restored / name).read_bytes() + b"\n")
    with pytest.raises(DataFileError, match=rf"{name}: a stored file is not the one that was written"):
        narrate_run("small@latest", workspace=decided.root, out=tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_a_changed_audit_is_not_what_was_decided_on_even_where_the_manifest_was_made_to_fit(
    decided: Stored, restored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of the audit that its signed file leaves out are bound by the hash that it holds."""
    write_decision(decided.workspace, decided.decision())
    run = find_run("small@latest", workspace=decided.root)
    table, manifest = restored / "tables" / "audit.parquet", restored / "manifest.json"
    before = file_sha256(table)
    changed_audit(restored)
    manifest.write_text(manifest.read_text(encoding="utf-8").replace(before, file_sha256(table)), encoding="utf-8")
    fits = replace(run, tags={**run.tags, "manifest_sha256": file_sha256(manifest)})
    monkeypatch.setattr("riskmodel.tracking.find_run", lambda *_, **__: fits)
    told = r"tables/audit\.parquet: a stored file is not the one that was written"
    with pytest.raises(DataFileError, match=told):
        narrate_run("small@latest", workspace=decided.root, out=tmp_path / "b")
    with pytest.raises(DataFileError, match=told):
        promote_run("small@latest", workspace=decided.root)
    problems = verify_bundle(restored).problems
    assert "audit.json: it is of another audit than tables/audit.parquet holds" in problems


def test_a_run_stored_without_what_pages_are_made_from_says_so(decided: Stored, tmp_path: Path) -> None:
    bare = RunRecord(
        experiment="old", question="Q", run_id="ffff0000ffff0000", params={}, tags={}, candidates=[], datasets={},
        bundle=decided.bundle, private=None,
    )  # fmt: skip
    log_run(bare, workspace=decided.root)
    with pytest.raises(UsageError, match="without what its pages are made from") as refused:
        narrate_run("ffff0000ffff0000", workspace=decided.root, out=tmp_path / "b")
    assert "riskmodel run old" in str(refused.value)


def test_another_versions_narration_is_refused_by_name(stored: Stored, tmp_path: Path) -> None:
    from riskmodel.workflow.narration import read_about

    said = json.loads(stored.about.model_dump_json())
    said["invented_by_a_later_version"] = said.pop("advice")
    (tmp_path / "about.json").write_text(json.dumps(said), encoding="utf-8")
    with pytest.raises(UsageError, match="another version of riskmodel") as refused:
        read_about(tmp_path)
    assert stored.about.code_version in str(refused.value)


def test_a_place_that_is_no_bundle_is_left_alone(decided: Stored, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "holiday.txt").write_text("photos", encoding="utf-8")
    with pytest.raises(UsageError, match="not a bundle"):
        narrate_run("small@latest", workspace=decided.root, out=tmp_path / "b")
    assert [p.name for p in (tmp_path / "b").iterdir()] == ["holiday.txt"]
