"""The path of a newcomer, each verb in an interpreter of its own: init, check, ingest, run, compare, forecast."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import riskmodel
from riskmodel.workflow import bundle_problems

ROOMS = ("features", "experiments", "fairness")


def test_without_arguments_the_help_is_shown(command: Any) -> None:
    done = command()
    assert "Usage: riskmodel" in done.out + done.err
    for verb in ("init", "check", "ingest", "run", "compare", "train", "forecast", "ui"):
        assert verb in done.out + done.err
    assert "Traceback" not in done.err


def test_python_alone_starts_it() -> None:
    done = subprocess.run([sys.executable, "-m", "riskmodel", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == riskmodel.__version__


def test_version_and_help(command_here: Any) -> None:
    assert command_here("--version").out.strip() == riskmodel.__version__
    for verb in ("init", "check", "ingest", "run", "compare", "train", "forecast", "ui"):
        done = command_here(verb, "--help")
        assert (done.code, done.err) == (0, "")
        assert f"riskmodel {verb}" in done.out


def test_init_makes_a_workspace_that_check_finds_sound(
    command_here: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = command_here("init", "elsewhere", "--json")
    assert made.code == 0, made.err
    assert made.json["kept"] == []
    assert made.json["written"]
    assert all((tmp_path / "elsewhere" / name).is_file() for name in made.json["written"])
    checked = command_here("check", "--workspace", "elsewhere")
    assert checked.code == 0, checked.err
    assert checked.out.startswith("Definitions are sound")


def test_init_keeps_what_exists(command_here: Any, tmp_path: Path) -> None:
    first = command_here("init", tmp_path, "--json").json["written"]
    kept = tmp_path / "experiments" / "demo.yaml"
    kept.write_text("question: mine\n", encoding="utf-8")
    (tmp_path / first[-1]).unlink()
    second = command_here("init", tmp_path, "--json")
    assert second.json["written"] == [first[-1]]
    assert sorted(second.json["kept"]) == sorted(first[:-1])
    assert kept.read_text(encoding="utf-8") == "question: mine\n"


def test_the_starter_is_the_repositorys_own_workspace(command_here: Any, tmp_path: Path, repository: Path) -> None:
    written = command_here("init", tmp_path, "--json").json["written"]
    own = {p.relative_to(repository).as_posix() for room in ROOMS for p in (repository / room).rglob("*.yaml")}
    assert own <= set(written)
    assert all((tmp_path / name).read_bytes() == (repository / name).read_bytes() for name in own)


def test_a_second_init_leaves_the_invented_region_as_it_is(small_workspace: Path, command_here: Any) -> None:
    truth = small_workspace / "build" / "synthetic" / "truth" / "truth.json"
    before = truth.read_bytes()
    done = command_here("init", small_workspace, "--synthetic", "--areas", 25, "--months", 20, "--json")
    assert done.code == 0, done.err
    assert truth.read_bytes() == before


def test_files_are_read_once(command_here: Any, small_workspace: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "w"
    assert command_here("init", workspace).code == 0
    for name in ("features/sets/small.yaml", "experiments/small.yaml"):
        (workspace / name).write_bytes((small_workspace / name).read_bytes())
    data = small_workspace / "build" / "synthetic"
    first = command_here("ingest", "small", "--workspace", workspace, "--data", data, "--json")
    second = command_here("ingest", "small", "--workspace", workspace, "--data", data, "--json")
    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert (first.json["files_read"] > 39, first.json["files_known"]) == (True, 0)
    assert (second.json["files_read"], second.json["files_known"]) == (0, first.json["files_read"])
    assert second.json["run_id"] == first.json["run_id"]
    in_words = command_here("ingest", "small", "--workspace", workspace, "--data", data)
    assert in_words.out == (
        f"0 files read, {first.json['files_read']} known already. Lindenshire: Recorded violence and sexual offences, "
        "40 areas, first origin that sees the newest month: 2026-03-01.\n"
    )


def test_stdout_holds_the_result_and_stderr_the_progress(small_run: Any) -> None:
    result = small_run.first.json
    assert result["experiment"] == "small"
    assert result["region"] == "Lindenshire"
    assert result["areas"] == 40
    assert result["as_of"] == "2026-03-01"
    assert result["target"] == "recorded_violence@1"
    assert result["state"] == "Draft: not approved for use"
    assert any("2023-10" in note and "not zero" in note for note in result["notes"])
    assert Path(result["out"]) == small_run.out
    assert [line.split(" (")[0] for line in small_run.first.err.splitlines()] == [
        "Reading published files", "Backtest", "Counts by group, for the audit", "Audit of every candidate",
        "Training and forecasting", "Explaining the models", "Audit in detail",
    ]  # fmt: skip


def test_a_repeated_run_is_the_same_run(small_run: Any) -> None:
    first, second = small_run.first.json, small_run.second.json
    assert first["run_id"] == second["run_id"]
    assert first["manifest_sha256"] == second["manifest_sha256"]
    assert second["files_read"] == 0


def test_a_run_replaces_its_own_bundle_and_nothing_else(small_run: Any, command_here: Any, tmp_path: Path) -> None:
    (tmp_path / "holiday.txt").write_text("photos", encoding="utf-8")
    done = command_here("run", "small", "--workspace", small_run.workspace, "--out", tmp_path)
    assert done.code == 2
    assert "something that is not a bundle" in done.err
    assert "--out DIR" in done.err
    assert [p.name for p in tmp_path.iterdir()] == ["holiday.txt"]


def test_nothing_a_bundle_says_breaks_a_rule_of_language(small_run: Any) -> None:
    number, problems = bundle_problems(small_run.out)
    assert number == sum(p.suffix in (".html", ".md", ".docx") for p in small_run.out.rglob("*")) > 20
    assert [str(problem) for problem in problems] == []


def test_check_names_the_page_that_says_what_should_not_be_said(
    small_run: Any, command_here: Any, tmp_path: Path
) -> None:
    asked = ("check", "--workspace", small_run.workspace, "--bundle")
    assert "nothing to mend" in command_here(*asked, small_run.out).out.partition("Language of the bundle")[2]
    copy = shutil.copytree(small_run.out, tmp_path / "copy")
    page = copy / "index.html"
    page.write_text(page.read_text(encoding="utf-8").replace("</main>", "<p>This is a problem estate.</p></main>"))
    done = command_here(*asked, copy)
    assert done.code == 10
    assert "index.html" in done.err and "problem estate" in done.err
    assert command_here(*asked, tmp_path).code == 2


def test_compare_says_what_each_model_adds_to_counting(small_run: Any, command_here: Any, tmp_path: Path) -> None:
    out = tmp_path / "comparison.csv"
    done = command_here("compare", "small", "--workspace", small_run.workspace, "--json", "--out", out)
    assert done.code == 0, done.err
    written = small_run.out / "tables" / "comparison.csv"
    assert out.read_bytes() == written.read_bytes()
    table = pd.read_csv(written, dtype={"horizon": "str"})
    pooled = table[(table["origin_date"] == "all") & (table["horizon"] == "all")]
    assert {row["model_id"] for row in done.json["pooled"]} == set(pooled["model_id"])
    assert done.json["headline"] == small_run.first.json["headline"]


def test_train_stores_models_without_pickle(small_run: Any, command_here: Any, tmp_path: Path) -> None:
    done = command_here("train", "small", "--workspace", small_run.workspace, "--json", "--out", tmp_path / "models")
    assert done.code == 0, done.err
    assert done.json["models"] == ["boosted", "poisson_ridge"]
    files = [p for p in (tmp_path / "models").rglob("*") if p.is_file()]
    assert {p.parent.name for p in files} >= {"boosted", "poisson_ridge"}
    assert {p.suffix for p in files} <= {".json", ".txt", ".skops"}
    assert all(p.read_bytes()[:1] != b"\x80" for p in files)


def forecasts(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype={"location": "str"})


class TestForecast:
    def test_the_latest_run_forecasts_again_what_it_forecast(
        self, small_run: Any, command: Any, tmp_path: Path
    ) -> None:
        out = tmp_path / "forecasts.csv"
        done = command("forecast", "small@latest", "--workspace", small_run.workspace, "--out", out, "--json")
        assert done.code == 0, done.err
        assert out.read_bytes() == (small_run.out / "tables" / "forecasts.csv").read_bytes()
        assert len(forecasts(out)) > 0

    def test_a_prefix_names_a_run_and_parquet_is_written_too(
        self, small_run: Any, command_here: Any, tmp_path: Path
    ) -> None:
        out, prefix = tmp_path / "f.parquet", small_run.first.json["run_id"][:8]
        done = command_here("forecast", prefix, "--workspace", small_run.workspace, "--out", out)
        assert done.code == 0, done.err
        pd.testing.assert_frame_equal(
            pd.read_parquet(out), pd.read_parquet(small_run.out / "tables" / "forecasts.parquet")
        )

    def test_a_later_month_is_forecast_with_what_was_learned(
        self, small_run: Any, command_here: Any, tmp_path: Path
    ) -> None:
        out = tmp_path / "later.csv"
        done = command_here(
            "forecast", "small@latest", "--workspace", small_run.workspace, "--as-of", "2026-04-01", "--out", out
        )
        assert done.code == 0, done.err
        later = forecasts(out)
        assert set(later["origin_date"]) == {"2026-04-01"}
        months = later[later["target"] == "recorded_violence@1"]
        assert set(months["target_end_date"]) == {"2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"}

    def test_an_earlier_month_is_refused(self, small_run: Any, command_here: Any, tmp_path: Path) -> None:
        out = tmp_path / "earlier.csv"
        done = command_here(
            "forecast", "small@latest", "--workspace", small_run.workspace, "--as-of", "2025-03-01", "--out", out
        )
        assert done.code == 2
        assert "may not forecast a time it has learned from" in done.err
        assert not out.exists()

    @pytest.mark.parametrize("reference", ["0123456789abcdef", "smal@latest", "demo@latest", "@latest"])
    def test_a_run_that_is_not_there(self, small_run: Any, command_here: Any, reference: str) -> None:
        done = command_here("forecast", reference, "--workspace", small_run.workspace)
        assert done.code == 2, done.err
        assert reference.partition("@")[0] in done.err
        assert done.out == ""

    def test_a_run_whose_question_has_changed(self, small_run: Any, command_here: Any) -> None:
        path = small_run.workspace / "experiments" / "small.yaml"
        before = path.read_bytes()
        try:
            path.write_bytes(before.replace(b"trees: 20", b"trees: 21"))
            done = command_here("forecast", "small@latest", "--workspace", small_run.workspace)
        finally:
            path.write_bytes(before)
        assert done.code == 2
        assert "have changed since run" in done.err
        assert "riskmodel run small" in done.err

    def test_a_table_of_another_kind(self, small_run: Any, command_here: Any, tmp_path: Path) -> None:
        out = tmp_path / "f.xlsx"
        done = command_here("forecast", "small@latest", "--workspace", small_run.workspace, "--out", out)
        assert done.code == 2
        assert ".csv or .parquet" in done.err


def test_a_console_that_cannot_print_every_letter(small_workspace: Path, command: Any) -> None:
    """A path with a Polish letter on a Western European console: shown with a question mark, whole in JSON."""
    done = command("check", "small", "--workspace", small_workspace.parent, "--json", PYTHONIOENCODING="cp1252")
    assert done.code == 2
    assert "f\u00fcr ?\u00f3d?" in done.err
    assert "Traceback" not in done.err
    made = command("init", small_workspace, "--json", PYTHONIOENCODING="cp1252")
    assert made.code == 0, made.err
    assert Path(json.loads(made.out)["workspace"]) == small_workspace


def test_a_console_that_knows_only_ascii(small_workspace: Path, command: Any) -> None:
    done = command("init", small_workspace, PYTHONIOENCODING="ascii:strict")
    assert done.code == 0
    assert done.out.endswith("kept as they were.\n")
