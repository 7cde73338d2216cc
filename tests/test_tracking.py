"""Tracking, against a real MLflow on a real database: what was logged is found again, whole, quietly and offline."""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import textwrap
import warnings
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import riskmodel.tracking
from riskmodel.contracts.errors import EnvironmentProblem, RiskmodelError, UsageError
from riskmodel.tracking import (
    Candidate,
    RunRecord,
    check_store,
    fetch_artifacts,
    find_run,
    list_runs,
    log_run,
    recorded_definitions,
    resolve_store,
    run_ui,
    target_tags,
    ui_command,
)
from riskmodel.tracking.interface import serve
from riskmodel.tracking.store import connected

HORIZONS = range(1, 13)
SHA256 = hashlib.sha256(b"the whole table").hexdigest()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory) -> Path:
    """One empty database; making it takes seconds, copying it does not."""
    workspace = tmp_path_factory.mktemp("migrated")
    store = resolve_store(workspace)
    with connected(store):
        pass
    return store.database


@pytest.fixture(autouse=True)
def _only_this_machine(monkeypatch):
    """No test may reach another machine, nor depend on the tracking URI of whoever runs it."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    connect = socket.socket.connect

    def guarded(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a connection to {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def workspace(tmp_path, migrated) -> Path:
    """A workspace whose path has spaces, letters beyond ASCII, and signs that mean something in a URI."""
    folder = tmp_path / "Violence réduction #1 100%"
    (folder / "mlruns").mkdir(parents=True)
    shutil.copy(migrated, folder / "mlruns" / "mlflow.db")
    return folder


@pytest.fixture
def record(tmp_path) -> RunRecord:
    return a_record(tmp_path / "left by the run")


def a_record(folder: Path, run_id: str = "3f9ac0de12345678", models: tuple[str, ...] = ("poisson", "boosted")):
    written(folder / "bundle" / "tables" / "scores.csv", "metric,value\nmae,1.5\n")
    written(folder / "bundle" / "manifest.json", '{"run": "é"}\n')
    written(folder / "private" / "draws.csv", "area,draw\nE01000001,3\n")
    written(folder / "narration" / "tables" / "about.json", '{"title": "é"}\n')
    for model in models:
        written(folder / "models" / model / "booster.txt", f"tree\nname={model}\n")
    return RunRecord(
        experiment="gloucestershire",
        question="Where is recorded violence expected in the next twelve months?",
        run_id=run_id,
        params={"target": "violence", "backtest": {"origins": 6, "horizons": [1, 2, 3]}, "seed": 7},
        tags={"as_of": "2025-09-01", "seed": "7", "code_version": "0.1.0", "headline": "skill 0.04 (0.01 to 0.07)"},
        candidates=[a_candidate(model, folder / "models" / model, place) for place, model in enumerate(models)],
        datasets={"training": (a_frame(), SHA256)},
        bundle=folder / "bundle",
        private=folder / "private",
        narration=folder / "narration",
    )


def a_candidate(model_id: str, files: Path | None, place: int) -> Candidate:
    return Candidate(
        model_id=model_id,
        params={"alpha": 0.1 + place, "deep": {"leaves": 31}},
        metrics={"skill": 0.05 + place, "mae": 1.25},
        by_horizon={"skill": {h: h / 100 + place for h in HORIZONS}, "mae": {h: 1.0 + h for h in HORIZONS}},
        files=files,
    )


def a_frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "area": pd.Series(["E01000001", "E01000002"], dtype="str"),
            "origin": pd.to_datetime(["2025-09-01", "2025-09-01"]),
            "count": [3, 4],
            "rate": [0.5, float("nan")],
            "level": pd.Categorical(["lsoa21", "lsoa21"]),
        }
    )


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def rows(workspace: Path, query: str) -> list[tuple]:
    """Ask the database itself, past both our code and mlflow's."""
    opened = sqlite3.connect(workspace / "mlruns" / "mlflow.db")
    try:
        return opened.execute(query).fetchall()
    finally:
        opened.close()


def statuses(workspace: Path) -> list[str]:
    return [status for (status,) in rows(workspace, "select status from runs")]


class TestWhatIsLoggedIsFoundAgain:
    def test_everything_comes_back(self, workspace, record, tmp_path):
        mlflow_id = log_run(record, workspace=workspace)
        run = find_run(record.run_id, workspace=workspace)
        assert (run.mlflow_id, run.run_id, run.experiment) == (mlflow_id, record.run_id, record.experiment)
        assert (run.question, dict(run.tags)) == (record.question, dict(record.tags))
        assert dict(run.params) == {
            "target": "violence",
            "backtest.origins": "6",
            "backtest.horizons": "[1, 2, 3]",
            "seed": "7",
        }
        for folder in ("bundle", "private", "narration"):
            source = getattr(record, folder)
            fetched = fetch_artifacts(run, folder, tmp_path / "fetched é")
            assert fetched == tmp_path / "fetched é" / folder
            assert contents(fetched) == contents(source)

    def test_candidates_come_back(self, workspace, record, tmp_path):
        log_run(record, workspace=workspace)
        stored = {c.model_id: c for c in find_run(record.run_id, workspace=workspace).candidates}
        assert set(stored) == {c.model_id for c in record.candidates}
        for candidate in record.candidates:
            found = stored[candidate.model_id]
            assert found.params == {"alpha": str(candidate.params["alpha"]), "deep.leaves": "31"}
            assert {name: found.metrics[name] for name in candidate.metrics} == dict(candidate.metrics)
            fetched = fetch_artifacts(found, "model", tmp_path / candidate.model_id)
            assert contents(fetched) == contents(candidate.files)

    def test_each_horizon_is_a_step(self, workspace, record):
        log_run(record, workspace=workspace)
        stored = rows(
            workspace,
            "select t.value, m.key, m.step, m.value from metrics m join tags t using (run_uuid) "
            "where t.key = 'riskmodel.model_id'",
        )
        given = [(c.model_id, n, 0, v) for c in record.candidates for n, v in c.metrics.items()]
        given += [
            (c.model_id, f"by_horizon/{n}", h, v)
            for c in record.candidates
            for n, values in c.by_horizon.items()
            for h, v in values.items()
        ]
        assert sorted(stored) == sorted(given)

    def test_one_parent_with_nested_candidates(self, workspace, record):
        parent = log_run(record, workspace=workspace)
        assert statuses(workspace) == ["FINISHED"] * 3
        nested = rows(workspace, "select value from tags where key = 'mlflow.parentRunId'")
        assert nested == [(parent,)] * 2
        kinds = rows(workspace, "select value from experiment_tags where key = 'mlflow.experimentKind'")
        assert kinds == [("custom_model_development",)]

    def test_datasets_carry_our_digest_and_mlflows(self, workspace, record):
        log_run(record, workspace=workspace)
        ((name, digest, schema),) = rows(workspace, "select name, digest, dataset_schema from datasets")
        assert name == "training"
        assert digest
        assert {column["name"] for column in json.loads(schema)["mlflow_colspec"]} == set(a_frame().columns)
        assert ("riskmodel.sha256", SHA256) in rows(workspace, "select name, value from input_tags")

    def test_an_empty_run_is_still_a_run(self, workspace, record):
        bare = replace(record, candidates=[], datasets={}, private=None, narration=None, params={}, tags={})
        log_run(bare, workspace=workspace)
        run = find_run(record.run_id, workspace=workspace)
        assert (run.candidates, run.tags, run.params) == ((), {}, {})

    def test_more_than_one_batch(self, workspace, record):
        many = Candidate(
            "wide",
            {f"p{i}": i for i in range(230)},
            {f"m{i}": float(i) for i in range(30)},
            {f"m{i}": {h: float(i * h) for h in range(1, 61)} for i in range(30)},
            None,
        )
        log_run(replace(record, candidates=[many]), workspace=workspace)
        (found,) = find_run(record.run_id, workspace=workspace).candidates
        assert found.params == {key: str(value) for key, value in many.params.items()}
        assert rows(workspace, "select count(*) from metrics") == [(30 + 30 * 60,)]

    def test_long_texts_are_shortened_visibly_and_kept_whole(self, workspace, record, tmp_path):
        long = {"areas": "E01000001 " * 900}
        log_run(replace(record, params=long, candidates=[]), workspace=workspace)
        run = find_run(record.run_id, workspace=workspace)
        assert "9000 characters, whole in long_values.json" in run.params["areas"]
        whole = fetch_artifacts(run, "long_values.json", tmp_path)
        assert json.loads(whole.read_text(encoding="utf-8"))["params"] == long

    def test_scores_that_are_no_number_are_named(self, workspace, record):
        candidate = replace(
            record.candidates[0],
            metrics={"skill": math.nan, "mae": 1.0},
            by_horizon={"skill": {1: 0.5, 2: math.inf}},
        )
        log_run(replace(record, candidates=[candidate]), workspace=workspace)
        stored = rows(workspace, "select key, step, value from metrics")
        assert sorted(stored) == [("by_horizon/skill", 1, 0.5), ("mae", 0, 1.0)]
        named = rows(workspace, "select value from tags where key = 'riskmodel.not_finite'")
        assert named == [("skill@0=nan, by_horizon/skill@2=inf",)]


class TestReferences:
    IDS = ("aaaa1111", "aaaa2222", "bbbb3333", "bbbb33334444", "cc_c5555")

    @pytest.fixture
    def several(self, workspace, tmp_path):
        for run_id in self.IDS:
            log_run(a_record(tmp_path / run_id, run_id, models=()), workspace=workspace)
        return workspace

    def test_every_prefix_as_a_naive_search_would(self, several):
        prefixes = {run_id[:n] for run_id in self.IDS for n in range(1, len(run_id) + 1)}
        for prefix in sorted(prefixes | {"zzzz", "cccc", "aaaa%", "a'--aaaa", ""}):
            fits = [run_id for run_id in self.IDS if len(prefix) >= 4 and run_id.startswith(prefix)]
            if prefix in self.IDS or len(fits) == 1:
                expected = prefix if prefix in self.IDS else fits[0]
                assert find_run(prefix, workspace=several).run_id == expected
            else:
                with pytest.raises(UsageError) as refused:
                    find_run(prefix, workspace=several)
                assert all(run_id in str(refused.value) for run_id in fits or self.IDS)

    def test_the_latest_of_an_experiment(self, several, tmp_path):
        other = replace(a_record(tmp_path / "other", "dddd6666", models=()), experiment="thames-valley")
        log_run(other, workspace=several)
        assert find_run("gloucestershire@latest", workspace=several).run_id == self.IDS[-1]
        assert find_run("thames-valley@latest", workspace=several).run_id == "dddd6666"

    def test_an_unknown_experiment_gets_a_suggestion(self, several):
        with pytest.raises(UsageError, match="did you mean 'gloucestershire'"):
            find_run("glocestershire@latest", workspace=several)

    def test_a_repeated_run_is_found_in_its_newest_copy(self, workspace, record):
        first = log_run(record, workspace=workspace)
        second = log_run(record, workspace=workspace)
        assert first != second
        assert find_run(record.run_id, workspace=workspace).mlflow_id == second
        assert find_run(record.run_id[:6], workspace=workspace).mlflow_id == second
        assert list_runs(workspace=workspace)["run_id"].tolist() == [record.run_id] * 2

    def test_the_list_is_newest_first(self, several):
        runs = list_runs(workspace=several)
        assert list(runs.columns) == ["experiment", "run_id", "target", "as_of", "headline", "started"]
        assert runs["run_id"].tolist() == list(reversed(self.IDS))
        assert runs["started"].is_monotonic_decreasing
        assert str(runs["started"].dt.tz) == "UTC"
        assert set(runs["as_of"]) == {"2025-09-01"}

    def test_where_nothing_was_logged(self, tmp_path):
        assert list_runs(workspace=tmp_path).empty
        with pytest.raises(UsageError, match="riskmodel run"):
            find_run("gloucestershire@latest", workspace=tmp_path)
        assert list(tmp_path.iterdir()) == []


class TestFailure:
    def test_a_run_that_cannot_be_written_is_marked_failed(self, workspace, record):
        blocked = written(workspace / "mlruns" / "artifacts", "a file where the folder should be")
        with pytest.raises(EnvironmentProblem, match="could not be read or written"):
            log_run(record, workspace=workspace)
        assert statuses(workspace) == ["FAILED"]
        assert list_runs(workspace=workspace).empty
        with pytest.raises(UsageError):
            find_run(record.run_id, workspace=workspace)
        blocked.unlink()
        log_run(record, workspace=workspace)
        assert find_run(record.run_id, workspace=workspace).run_id == record.run_id

    def test_a_failure_among_the_candidates_fails_the_whole_run(self, workspace, record):
        unstorable = replace(record.candidates[-1], by_horizon={"skill": {2**70: 0.5}})
        with pytest.raises(EnvironmentProblem, match="tracking store refused"):
            log_run(replace(record, candidates=[record.candidates[0], unstorable]), workspace=workspace)
        assert statuses(workspace) == ["FAILED"] * 3

    def test_an_interruption_leaves_nothing_running(self, workspace, record):
        class Interrupted(dict):
            def items(self):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            log_run(replace(record, datasets=Interrupted(record.datasets)), workspace=workspace)
        assert statuses(workspace) == ["FAILED"]

    @pytest.mark.parametrize(
        ("change", "named"),
        [
            (lambda r: {"params": {"50%": 1}}, "50%"),
            (lambda r: {"params": {"deep": {"a//b": 1}}}, "deep.a//b"),
            (lambda r: {"params": {"deep": {"leaves": 31}, "deep.leaves": 30}}, "deep.leaves"),
            (lambda r: {"tags": {"run_id": "another"}}, "run_id"),
            (lambda r: {"bundle": r.bundle / "nowhere"}, "nowhere"),
            (lambda r: {"candidates": [replace(r.candidates[0], metrics={"pai@5": 1.0})]}, "pai@5"),
        ],
    )
    def test_what_mlflow_cannot_hold_is_refused_before_anything_is_logged(self, workspace, record, change, named):
        with pytest.raises(RiskmodelError, match=named):
            log_run(replace(record, **change(record)), workspace=workspace)
        assert statuses(workspace) == []

    @pytest.mark.parametrize("protocol", range(2, 6))
    def test_a_pickle_is_refused_under_any_name(self, workspace, record, protocol):
        hidden = record.candidates[0].files / "model.txt"
        hidden.write_bytes(bytes([0x80, protocol]) + b"}.")
        with pytest.raises(RiskmodelError, match=r"model\.txt"):
            log_run(record, workspace=workspace)
        assert statuses(workspace) == []

    def test_a_pickle_is_refused_by_its_name(self, workspace, record):
        written(record.private / "draws.PKL", "text")
        with pytest.raises(RiskmodelError, match=r"draws\.PKL"):
            log_run(record, workspace=workspace)

    def test_files_that_are_asked_for_wrongly(self, workspace, record, tmp_path):
        log_run(record, workspace=workspace)
        run = find_run(record.run_id, workspace=workspace)
        with pytest.raises(UsageError, match="bundle, narration, private"):
            fetch_artifacts(run, "models", tmp_path / "a")
        for outside in ("../artifacts", "/etc", "", "bundle\\tables"):
            with pytest.raises(UsageError, match="not a folder inside a run"):
                fetch_artifacts(run, outside, tmp_path / "b")
        assert not (tmp_path / "b").exists()
        tables = fetch_artifacts(run, "bundle/tables", tmp_path / "d")
        assert contents(tables) == contents(record.bundle / "tables")
        fetch_artifacts(run, "bundle", tmp_path / "c")
        with pytest.raises(UsageError, match="already something"):
            fetch_artifacts(run, "bundle", tmp_path / "c")


class TestTheStore:
    def test_a_moved_workspace_is_refused_by_name(self, workspace, record, tmp_path):
        log_run(record, workspace=workspace)
        moved = workspace.rename(tmp_path / "moved")
        with pytest.raises(EnvironmentProblem, match="moved") as refused:
            log_run(record, workspace=moved)
        assert workspace.as_posix() in str(refused.value)
        with pytest.raises(EnvironmentProblem, match="moved"):
            check_store(record.experiment, workspace=moved)
        with pytest.raises(EnvironmentProblem, match="moved"):
            fetch_artifacts(find_run(record.run_id, workspace=moved), "bundle", tmp_path / "to")
        assert not workspace.exists()
        assert list(list_runs(workspace=moved)["run_id"]) == [record.run_id]

    def test_a_copied_workspace_never_writes_into_the_first(self, workspace, record, tmp_path):
        log_run(record, workspace=workspace)
        before = contents(workspace)
        copied = Path(shutil.copytree(workspace, tmp_path / "copied"))
        with pytest.raises(EnvironmentProblem, match="moved or copied"):
            log_run(record, workspace=copied)
        assert contents(workspace) == before

    def test_a_folder_of_the_file_store_is_refused_before_any_work(self, tmp_path, record):
        written(tmp_path / "mlruns" / "0" / "meta.yaml", "experiment_id: '0'\n")
        for act in (list_runs, lambda **place: check_store("demo", **place), lambda **place: log_run(record, **place)):
            with pytest.raises(EnvironmentProblem, match="migrate-filestore"):
                act(workspace=tmp_path)

    @pytest.mark.parametrize("held", ["a page", "half a database", "a folder"])
    def test_a_database_that_is_none(self, tmp_path, migrated, held):
        database = tmp_path / "mlruns" / "mlflow.db"
        database.parent.mkdir()
        if held == "a folder":
            database.mkdir()
        else:
            page = b"<!doctype html><title>Sign in</title>" * 40
            database.write_bytes(page if held == "a page" else migrated.read_bytes()[:5000])
        with pytest.raises(EnvironmentProblem, match="cannot be read"):
            list_runs(workspace=tmp_path)

    def test_an_interrupted_first_run_left_an_empty_file(self, tmp_path, record):
        written(tmp_path / "mlruns" / "mlflow.db", "")
        assert list_runs(workspace=tmp_path).empty
        with pytest.raises(UsageError, match="no run has been logged"):
            find_run("aaaa", workspace=tmp_path)

    def test_a_server_that_does_not_answer_is_named_without_its_password(self, tmp_path, monkeypatch):
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        with pytest.raises(EnvironmentProblem, match="tracking store refused") as refused:
            list_runs(workspace=tmp_path, uri="http://analyst:word@127.0.0.1:9")
        assert "word" not in str(refused.value)
        assert list(tmp_path.iterdir()) == []

    def test_a_database_of_another_mlflow(self, workspace):
        opened = sqlite3.connect(workspace / "mlruns" / "mlflow.db")
        opened.execute("update alembic_version set version_num = '0000'")
        opened.commit()
        opened.close()
        with pytest.raises(EnvironmentProblem, match="db upgrade"):
            list_runs(workspace=workspace)

    def test_a_deleted_experiment(self, workspace, record):
        log_run(record, workspace=workspace)
        with connected(resolve_store(workspace)) as client:
            client.delete_experiment(client.get_experiment_by_name(record.experiment).experiment_id)
        with pytest.raises(UsageError, match="restore"):
            log_run(record, workspace=workspace)

    def test_an_option_wins_over_the_environment_and_that_over_the_workspace(self, tmp_path, monkeypatch):
        own = resolve_store(tmp_path)
        assert (own.database, own.own) == (tmp_path.resolve() / "mlruns" / "mlflow.db", True)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://analyst:word@tracking.example")
        named = resolve_store(tmp_path)
        assert named.remote
        assert named.shown == "https://tracking.example"
        database = tmp_path / "shared folder" / "runs.db"
        chosen = resolve_store(tmp_path, f"sqlite:///{database.as_posix()}")
        assert chosen.database == database.resolve()
        assert chosen.artifacts == (database.resolve().parent / "artifacts").as_uri()

    def test_a_store_the_user_names(self, tmp_path, record, migrated):
        place = tmp_path / "shared folder"
        place.mkdir()
        shutil.copy(migrated, place / "runs.db")
        uri = f"sqlite:///{(place / 'runs.db').as_posix()}"
        log_run(record, workspace=tmp_path / "unused", uri=uri)
        run = find_run("gloucestershire@latest", workspace=tmp_path / "unused", uri=uri)
        assert contents(fetch_artifacts(run, "bundle", tmp_path / "to")) == contents(record.bundle)
        assert not (tmp_path / "unused").exists()

    @pytest.mark.parametrize("uri", ["file:///runs", "runs", "C:\\runs", "ftp://server"])
    def test_a_store_that_cannot_be_written_to(self, tmp_path, uri):
        with pytest.raises(UsageError, match="sqlite:///PATH"):
            resolve_store(tmp_path, uri)


class TestThePages:
    def test_the_command_and_the_address(self, workspace):
        command, address = ui_command(workspace=workspace, uri=None, port=5099)
        database = (workspace / "mlruns" / "mlflow.db").resolve().as_posix()
        assert command[:4] == [sys.executable, "-m", "mlflow", "server"]
        assert command[command.index("--backend-store-uri") + 1] == f"sqlite:///{database}"
        assert command[command.index("--host") + 1] == "127.0.0.1"
        assert address == "http://127.0.0.1:5099/#/experiments?workflowType=machine_learning"

    def test_nothing_to_show(self, tmp_path):
        with pytest.raises(UsageError, match="no run has been logged"):
            ui_command(workspace=tmp_path, uri=None, port=5099)
        with pytest.raises(UsageError) as refused:
            ui_command(workspace=tmp_path, uri="https://analyst:word@tracking.example", port=5099)
        assert "word" not in str(refused.value)

    def test_a_taken_port(self, workspace):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            with pytest.raises(EnvironmentProblem, match="--port"):
                run_ui(workspace=workspace, port=taken.getsockname()[1])

    def test_mlflow_still_knows_every_option(self, workspace):
        command, _ = ui_command(workspace=workspace, uri=None, port=5099)
        with connected(resolve_store(workspace)), warnings.catch_warnings():
            # mlflow/types/responses.py warns of its own type hints; only this test loads it.
            warnings.filterwarnings("ignore", message=".*Any type hint is inferred as AnyType", category=UserWarning)
            from mlflow.cli import server

            understood = server.make_context("server", command[4:]).params
        assert (understood["host"], understood["port"], understood["workers"]) == ("127.0.0.1", 5099, "1")
        assert understood["backend_store_uri"] == resolve_store(workspace).uri

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to a whole console, not to one process")
    @pytest.mark.parametrize("ending", ["SIGINT", "SIGTERM", "SIGHUP"])
    def test_however_it_is_ended_no_server_stays_behind(self, ending):
        serving = """
            import socket, subprocess, sys
            with socket.socket() as door:
                door.bind(("127.0.0.1", 0))
                door.listen()
                print(door.getsockname()[1], file=sys.stderr, flush=True)
                while True:
                    door.accept()[0].close()
        """
        started = "import sys; from riskmodel.tracking.interface import serve; raise SystemExit(serve(sys.argv[1:]))"
        command = [sys.executable, "-c", started, sys.executable, "-c", textwrap.dedent(serving)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=surroundings()) as pages:
            port = int(pages.stderr.readline())
            assert answers(port)
            pages.send_signal(getattr(signal, ending))
            assert pages.wait(30) == 0
            assert pages.stdout.read() == b""
        assert not answers(port)

    def test_the_exit_code_of_a_server_that_ends_by_itself(self):
        assert serve([sys.executable, "-c", "raise SystemExit(3)"]) == 3


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def surroundings(*hidden: str) -> dict[str, str]:
    """The environment of a process of its own, which finds riskmodel wherever this one found it."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(hidden or ("\0",))}
    return {**kept, "PYTHONPATH": str(Path(riskmodel.tracking.__file__).parents[2])}


def test_a_first_run_is_silent_offline_and_leaves_no_pickle(tmp_path):
    """A fresh process, as a user has it: no test runner to switch telemetry off, every warning an error."""
    workspace = tmp_path / "Gwasanaeth é ü"
    workspace.mkdir()
    a_record(tmp_path / "left")
    code = """
        import json, socket, sys
        from pathlib import Path

        tried = []
        connect, look_up = socket.socket.connect, socket.getaddrinfo

        def guarded(self, address):
            if self.family in (socket.AF_INET, socket.AF_INET6):
                tried.append(str(address))
                raise OSError("offline")
            return connect(self, address)

        def guarded_look_up(host, *rest, **more):
            tried.append(str(host))
            raise OSError("offline")

        socket.socket.connect, socket.getaddrinfo = guarded, guarded_look_up

        import riskmodel.tracking as tracking
        early = "mlflow" in sys.modules
        sys.path.insert(0, sys.argv[3])
        import test_tracking
        record = test_tracking.a_record(Path(sys.argv[2]))
        tracking.log_run(record, workspace=Path(sys.argv[1]))
        run = tracking.find_run("gloucestershire@latest", workspace=Path(sys.argv[1]))
        tracking.fetch_artifacts(run, "bundle", Path("fetched"))
        listed = len(tracking.list_runs(workspace=Path(sys.argv[1])))
        print(json.dumps({"run": run.run_id, "listed": listed, "early": early, "tried": tried}))
    """
    here = tmp_path / "current folder"
    here.mkdir()
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-c",
            textwrap.dedent(code),
            workspace,
            tmp_path / "left",
            Path(__file__).parent,
        ],
        cwd=here,
        env=surroundings("PYTEST", "CI", "MLFLOW_", "_MLFLOW", "DO_NOT_TRACK", "GITHUB_"),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=180,
    )
    assert done.stderr == ""
    assert json.loads(done.stdout) == {"run": "3f9ac0de12345678", "listed": 1, "early": False, "tried": []}
    assert [path.name for path in here.iterdir()] == ["fetched"]
    assert sorted(path.name for path in (workspace / "mlruns").iterdir()) == ["artifacts", "mlflow.db"]
    logged = contents(workspace / "mlruns" / "artifacts")
    assert logged
    assert not [name for name, held in logged.items() if held[:1] == b"\x80" or name.endswith((".pkl", ".joblib"))]


def test_what_finished_runs_said_their_targets_were_is_found_again(workspace, tmp_path):
    first, second = "a" * 64, "b" * 64
    told = [
        ("1111111111111111", {"recorded_violence@1": first, "under-25_female@12": second}),
        ("2222222222222222", {"recorded_violence@1": second}),
        ("3333333333333333", {"recorded_violence@1": first, "recorded_violence@2": second}),
    ]
    for run_id, hashes in told:
        record = a_record(tmp_path / run_id, run_id, models=("poisson",))
        tags = {**record.tags, "target": next(iter(hashes)), **target_tags(hashes)}
        log_run(replace(record, tags=tags), workspace=workspace)
    assert recorded_definitions(workspace=workspace) == {
        "recorded_violence@1": {first: "3333333333333333", second: "2222222222222222"},
        "recorded_violence@2": {second: "3333333333333333"},
        "under-25_female@12": {second: "1111111111111111"},
    }
    assert list_runs(workspace=workspace)["target"].tolist() == ["recorded_violence@1"] * 3
    assert recorded_definitions(workspace=tmp_path) == {}
