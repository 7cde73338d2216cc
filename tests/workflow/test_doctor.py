"""The doctor: each thing that breaks in practice is broken here, named, mended where it can be, and whole again."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from riskmodel.contracts.yaml_files import Workspace
from riskmodel.tracking import fetch_artifacts, find_moved, find_run, mend_moved, resolve_store
from riskmodel.tracking.relocate import COLUMNS
from riskmodel.workflow import doctor_environment
from riskmodel.workflow.doctor import Finding, examine, left_to_do

CODES = {
    "python", "packages", "lightgbm", "registered", "starter", "data-folder", "workspace", "writing", "definitions",
    "tracking", "tracking-moved", "store-damaged", "store-stale", "leftovers",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RISKMODEL_DATA", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture
def moved(small_run: Any, tmp_path: Path) -> Path:
    """A copy of a workspace with two runs, in a place whose name has a space and letters beyond ASCII."""
    return Path(shutil.copytree(small_run.workspace, tmp_path / "anderswo é" / "ws"))


def of(findings: list[Finding], code: str) -> list[Finding]:
    return [f for f in findings if f.code == code]


def only_demo(root: Path) -> None:
    """Leave the experiments whose data are in the workspace."""
    for name in ("gloucestershire", "thames-valley"):
        (root / "experiments" / f"{name}.yaml").unlink(missing_ok=True)


def addresses(root: Path) -> list[str]:
    with closing(sqlite3.connect(root / "mlruns" / "mlflow.db")) as opened:
        return [
            row[0]
            for table, column in COLUMNS.items()
            for row in opened.execute(f"select {column} from {table} where {column} is not null")
        ]


def test_every_check_is_a_row_and_a_sound_workspace_has_nothing_to_do(small_run: Any) -> None:
    findings = examine(small_run.workspace)
    assert {f.code for f in findings} == CODES
    assert left_to_do(findings) == []
    assert all(f.what for f in findings)


def test_without_a_workspace_every_check_is_still_a_row(tmp_path: Path) -> None:
    findings = examine(tmp_path)
    assert {f.code for f in findings} >= CODES - {"writing"}
    assert [f.code for f in left_to_do(findings)] == ["workspace"]
    assert "riskmodel init" in of(findings, "workspace")[0].next


def test_a_copied_workspace_is_mended_and_reads_its_own_files(moved: Path, small_run: Any, tmp_path: Path) -> None:
    before = (moved / "mlruns" / "mlflow.db").read_bytes()
    todo = of(examine(moved), "tracking-moved")
    assert [f.state for f in todo] == ["to do"]
    assert (moved / "mlruns" / "mlflow.db").read_bytes() == before
    mended = of(examine(moved, mend=True), "tracking-moved")
    assert [f.state for f in mended] == ["mended"]
    here = (moved / "mlruns" / "artifacts").as_uri()
    assert all(address == here or address.startswith(f"{here}/") for address in addresses(moved))
    backup = moved / "mlruns" / "mlflow.db.before-mending-1"
    with closing(sqlite3.connect(backup)) as opened:
        old = (small_run.workspace / "mlruns" / "artifacts").as_uri()
        assert {r[0] for r in opened.execute("select artifact_location from experiments")} >= {old}
    (small_run.workspace / "mlruns").rename(small_run.workspace / "away")
    try:
        run = find_run("small@latest", workspace=moved)
        fetched = fetch_artifacts(run, "bundle", tmp_path / "to")
    finally:
        (small_run.workspace / "away").rename(small_run.workspace / "mlruns")
    assert (fetched / "manifest.json").is_file()
    assert [f.state for f in of(examine(moved), "tracking-moved")] == ["ok"]


def test_addresses_of_another_operating_system_and_all_four_tables(moved: Path) -> None:
    old = "file:///C:/Users/An%20Analyst/ws/mlruns/artifacts"
    with closing(sqlite3.connect(moved / "mlruns" / "mlflow.db")) as opened, opened:
        opened.execute("update experiments set artifact_location = ?", (old,))
        opened.execute("update runs set artifact_uri = ? || '/' || run_uuid || '/artifacts'", (old,))
        experiment = opened.execute("select max(experiment_id) from experiments").fetchone()[0]
        opened.execute(
            "insert into logged_models (model_id, experiment_id, name, artifact_location, creation_timestamp_ms,"
            " last_updated_timestamp_ms, status, lifecycle_stage) values ('m-1', ?, 'n', ?, 0, 0, 1, 'active')",
            (experiment, f"{old}/models/m-1/artifacts"),
        )
        opened.execute("insert into registered_models (name, creation_time) values ('n', 0)")
        opened.execute(
            "insert into model_versions (name, version, creation_time, current_stage, storage_location)"
            " values ('n', 1, 0, 'None', ?)",
            (f"{old}/models/m-1/artifacts",),
        )
    store = resolve_store(moved)
    found = find_moved(store)
    assert {table for table, _, _ in found.addresses} == set(COLUMNS)
    assert found.roots == (old,)
    mend_moved(store, found)
    here = (moved / "mlruns" / "artifacts").as_uri()
    assert sum(a == f"{here}/models/m-1/artifacts" for a in addresses(moved)) == 2
    assert find_moved(store).addresses == ()


def test_a_killed_mending_changes_nothing(moved: Path) -> None:
    store = resolve_store(moved)
    found = find_moved(store)
    with closing(sqlite3.connect(store.database)) as opened, opened:
        opened.execute("create trigger stop before update on runs begin select raise(abort, 'full disk'); end")
    before = addresses(moved)
    todo = of(examine(moved, mend=True), "tracking-moved")
    assert [f.state for f in todo] == ["to do"]
    assert "full disk" in todo[0].what
    assert addresses(moved) == before
    assert find_moved(store) == found


def test_a_database_without_its_files_is_not_rewritten(moved: Path) -> None:
    (moved / "mlruns" / "artifacts").rename(moved / "elsewhere")
    before = addresses(moved)
    todo = of(examine(moved, mend=True), "tracking-moved")
    assert [f.state for f in todo] == ["to do"]
    assert "without the files" in todo[0].what
    assert addresses(moved) == before


def test_an_address_of_a_place_nobody_knows_is_left_and_named(small_run: Any, moved: Path) -> None:
    mend_moved(resolve_store(moved), find_moved(resolve_store(moved)))
    with closing(sqlite3.connect(moved / "mlruns" / "mlflow.db")) as opened, opened:
        opened.execute("update runs set artifact_uri = 'file:///somewhere/else' where rowid = 1")
    todo = of(examine(moved, mend=True), "tracking-moved")
    assert [f.state for f in todo] == ["to do"]
    assert "file:///somewhere/else" in todo[0].what
    assert "file:///somewhere/else" in addresses(moved)


def test_a_torn_database_is_named(moved: Path) -> None:
    (moved / "mlruns" / "mlflow.db").write_bytes(b"not a database" * 100)
    findings = examine(moved)
    assert of(findings, "tracking")[0].state == "to do"
    assert of(findings, "tracking-moved")[0].state == "not looked at"


def test_damaged_and_stale_parts_are_removed_and_made_again(moved: Path, command_here: Any) -> None:
    only_demo(moved)
    # Other tests of the session may have read more into the workspace that this one is a copy of.
    examine(moved, mend=True)
    # A month of street-level records is what every experiment needs.
    parts = sorted((moved / "build" / "store" / "police_uk").glob("*.parquet"))
    assert [f.state for f in of(examine(moved), "store-stale")] == ["ok"]
    parts[0].write_bytes(parts[0].read_bytes()[:-20])
    stale = parts[1].with_name("0" * 24 + "-" + "0" * 12 + ".parquet")
    shutil.copy(parts[1], stale)
    todo = examine(moved)
    assert [f.where for f in of(todo, "store-damaged")] == [parts[0].as_posix()]
    assert [f.where for f in of(todo, "store-stale")] == [stale.as_posix()]
    mended = examine(moved, mend=True)
    assert [f.state for f in of(mended, "store-damaged") + of(mended, "store-stale")] == ["mended", "mended"]
    assert not parts[0].exists() and not stale.exists()
    assert all(p.exists() for p in parts[1:])
    again = command_here("ingest", "small", "--workspace", moved, "--json")
    assert again.code == 0, again.err
    assert again.json["files_read"] == 1


def test_without_the_data_folder_no_part_is_called_stale(moved: Path) -> None:
    parts = sorted((moved / "build" / "store").glob("*/*.parquet"))
    found = of(examine(moved, mend=True), "store-stale")
    assert [f.state for f in found] == ["not looked at"]
    assert "--data DIR" in found[0].next
    assert all(p.exists() for p in parts)


def test_leftovers_of_ended_runs_go_and_those_of_the_last_hour_stay(moved: Path) -> None:
    old = moved / "build" / "demo.1234.partial"
    (old / "tables").mkdir(parents=True)
    young = next((moved / "build" / "store").glob("*/")) / "a.parquet.99.partial"
    young.write_bytes(b"half")
    before = time.time() - 7200
    os.utime(old, (before, before))
    found = of(examine(moved, mend=True), "leftovers")
    assert {(f.state, Path(f.where).name) for f in found} == {("mended", old.name), ("to do", young.name)}
    assert not old.exists()
    assert young.exists()


def test_unreadable_definitions_are_listed_one_by_one(workspace: Workspace) -> None:
    (workspace.root / "experiments" / "demo.yaml").write_text("question: [\n", encoding="utf-8")
    (workspace.root / "features" / "sets" / "first.yaml").write_text("titel: x\n", encoding="utf-8")
    found = of(examine(workspace.root), "definitions")
    assert len(found) >= 3
    assert all(f.state == "to do" and f.next for f in found)
    assert any("demo.yaml" in f.where for f in found)


def test_a_data_folder_that_is_not_there(small_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RISKMODEL_DATA", str(tmp_path / "gone"))
    assert [f.code for f in left_to_do(examine(small_run.workspace))] == ["data-folder"]


def test_a_build_that_cannot_be_written_to(workspace: Workspace) -> None:
    (workspace.root / "build").write_text("a file, not a folder", encoding="utf-8")
    todo = of(examine(workspace.root), "writing")
    assert [f.state for f in todo] == ["to do", "ok"]


def test_packages_outside_their_bounds_and_absent_ones() -> None:
    from importlib.metadata import PackageNotFoundError

    held = {"a": "1.0", "b": "3.5"}

    def version(name: str) -> str:
        if name not in held:
            raise PackageNotFoundError(name)
        return held[name]

    asked = ["a>=2", "b>=3,<4", "c", 'd>=1; extra == "more"']
    found = list(doctor_environment._packages(asked, version))
    assert [(f.where, f.state) for f in found] == [("a", "to do"), ("b", "ok"), ("c", "to do")]
    assert "1.0, but >=2 is needed" in found[0].what


def test_a_missing_library_for_threads_and_an_old_python() -> None:
    def without() -> None:
        raise OSError("libgomp.so.1: cannot open shared object file")

    assert "libgomp1" in doctor_environment._lightgbm(without).next
    assert doctor_environment._python(">=3.11", "3.9.2").state == "to do"
    assert doctor_environment._python(">=3.11", "3.12.1").state == "ok"
