"""What a person sees who asks for something wrong: the exit code, one message, never a traceback."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path
from typing import Any

import pytest

MONTH = "police/2025-03/2025-03-lindenshire-street.csv"


@pytest.fixture(scope="module")
def definitions(small_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small workspace's definitions without anything it has made."""
    folder = tmp_path_factory.mktemp("mistakes") / "w"
    copy_definitions(small_workspace, folder)
    return folder


def copy_definitions(workspace: Path, folder: Path) -> None:
    for room in ("features", "experiments", "fairness"):
        shutil.copytree(workspace / room, folder / room)


@pytest.fixture
def data(small_workspace: Path, tmp_path: Path) -> Path:
    """A copy of the published files, free to be spoilt."""
    folder = tmp_path / "published"
    shutil.copytree(small_workspace / "build" / "synthetic", folder)
    return folder


def asked_in_vain(done: Any, code: int, *said: str) -> None:
    assert done.code == code, done.out + done.err
    assert done.out == ""
    assert "Traceback" not in done.err
    told = [line for line in done.err.splitlines() if line.startswith("riskmodel: ")]
    assert len(told) == 1, done.err
    for words in said:
        assert words in done.err


def test_an_unknown_experiment_gets_a_suggestion(command_here: Any, definitions: Path) -> None:
    done = command_here("run", "smal", "--workspace", definitions)
    asked_in_vain(done, 10, "there is no experiment 'smal'", "did you mean 'small'?")


def test_a_folder_that_is_no_workspace(command_here: Any, tmp_path: Path) -> None:
    done = command_here("check", "--workspace", tmp_path)
    asked_in_vain(done, 2, "is not a workspace", "riskmodel init DIR", "no features, experiments, fairness in it")


def test_every_broken_definition_is_told_at_once(command_here: Any, definitions: Path, tmp_path: Path) -> None:
    folder = tmp_path / "w"
    copy_definitions(definitions, folder)
    for name in ("small", "demo"):
        path = folder / "experiments" / f"{name}.yaml"
        path.write_text(path.read_text(encoding="utf-8") + "horizon: 3\n", encoding="utf-8", newline="\n")
    (folder / "features" / "targets" / "empty.yaml").write_text("", encoding="utf-8")
    done = command_here("check", "--workspace", folder)
    asked_in_vain(done, 10, "3 problems", "small.yaml:", "demo.yaml:", "empty.yaml", "did you mean 'horizons'?")


def test_no_data_folder_is_named(command_here: Any, definitions: Path) -> None:
    done = command_here("run", "gloucestershire", "--workspace", definitions)
    asked_in_vain(done, 2, "'gloucestershire'", "--data DIR", "RISKMODEL_DATA")


def test_the_data_folder_is_not_there(command_here: Any, definitions: Path, tmp_path: Path) -> None:
    done = command_here("run", "small", "--workspace", definitions, "--data", tmp_path / "nowhere")
    asked_in_vain(done, 2, "nowhere", "--data DIR")
    unwritten = command_here("run", "small", "--workspace", definitions)
    asked_in_vain(unwritten, 2, "build/synthetic", "riskmodel init", "--synthetic")


def test_an_empty_data_folder(command_here: Any, definitions: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = command_here("ingest", "small", "--workspace", definitions, "--data", tmp_path / "empty")
    asked_in_vain(done, 11, "lookup")


@pytest.mark.parametrize("day", ["2025-09-15", "2025-13-01", "September", "", "2025-09"])
def test_an_as_of_that_is_no_origin(command_here: Any, small_workspace: Path, day: str) -> None:
    done = command_here("compare", "small", "--workspace", small_workspace, "--as-of", day)
    asked_in_vain(done, 2)
    assert "YYYY-MM-DD" in done.err or "--as-of 2025-09-01" in done.err


@pytest.mark.parametrize("verb", ["train", "compare", "run"])
def test_an_as_of_before_any_data(command_here: Any, small_workspace: Path, verb: str) -> None:
    done = command_here(verb, "small", "--workspace", small_workspace, "--as-of", "2020-01-01")
    asked_in_vain(done, 12, "nothing of 'police_uk' was published by 2020-01-01", "2022-12-01")


def test_too_little_history_says_how_much_there_is(command_here: Any, small_workspace: Path) -> None:
    done = command_here("train", "small", "--workspace", small_workspace, "--as-of", "2023-02-01")
    asked_in_vain(done, 12, "of 12 months held", "minimum_months")


@pytest.mark.parametrize(
    "arguments",
    [("run",), ("walk",), ("run", "small", "--fast"), ("run", "small", "--jobs", "0"), ("init", "x", "--areas", "3")],
)
def test_a_command_that_does_not_exist(command_here: Any, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = command_here(*arguments, *(("--workspace", tmp_path) if arguments[0] == "run" else ()))
    assert (done.code, done.out) == (2, "")
    assert "Usage" in done.err
    assert "Traceback" not in done.err


def test_debug_shows_where_it_happened(definitions: Path) -> None:
    from riskmodel.cli import main
    from riskmodel.contracts.errors import DefinitionError

    for arguments in (["--debug", "run", "smal"], ["run", "smal", "--debug"]):
        with pytest.raises(DefinitionError, match="smal"):
            main([*arguments, "--workspace", str(definitions)])


def test_a_fault_of_the_machine_is_no_traceback_either(
    command_here: Any, definitions: Path, small_workspace: Path, tmp_path: Path
) -> None:
    """The store cannot be made because a file lies where its folder should."""
    folder = tmp_path / "w"
    copy_definitions(definitions, folder)
    (folder / "build").write_text("a file", encoding="utf-8")
    data = small_workspace / "build" / "synthetic"
    done = command_here("ingest", "small", "--workspace", folder, "--data", data)
    asked_in_vain(done, 1, "--debug")


class TestCheckWithData:
    def test_nothing_is_missing(self, command_here: Any, small_workspace: Path) -> None:
        data = small_workspace / "build" / "synthetic"
        done = command_here("check", "small", "--workspace", small_workspace, "--data", data, "--json")
        assert done.code == 0, done.err
        assert [m for m in done.json["missing"] if m["needed"]] == []

    def test_a_needed_file_is_named_with_publisher_and_folder(
        self, command_here: Any, definitions: Path, data: Path
    ) -> None:
        (data / "deprivation" / "imd2019_england_lsoa11.csv.gz").unlink()
        (data / "lookups" / "lookup_lsoa21_msoa21.csv.gz").unlink()
        done = command_here("check", "small", "--workspace", definitions, "--data", data, "--json")
        assert done.code == 11
        needed = {(m["folder"], m["file"]): m["publisher"] for m in done.json["missing"] if m["needed"]}
        assert set(needed) == {("deprivation", "imd2019_england_lsoa11.csv"), ("lookups", "lookup_lsoa21_msoa21.csv")}
        assert "Ministry of Housing" in needed[("deprivation", "imd2019_england_lsoa11.csv")]
        in_words = command_here("check", "small", "--workspace", definitions, "--data", data)
        assert in_words.code == 11
        assert "deprivation/imd2019_england_lsoa11.csv" in in_words.out

    def test_a_missing_month_is_told_but_stops_nothing(self, command_here: Any, definitions: Path, data: Path) -> None:
        shutil.rmtree(data / "police" / "2025-03")
        done = command_here("check", "small", "--workspace", definitions, "--data", data, "--json")
        assert done.code == 0, done.err
        months = {m["file"] for m in done.json["missing"]}
        assert "2025-03-lindenshire-street.csv" in months

    def test_no_file_of_the_force_at_all(self, command_here: Any, definitions: Path, data: Path) -> None:
        shutil.rmtree(data / "police")
        done = command_here("check", "small", "--workspace", definitions, "--data", data, "--json")
        assert done.code == 11
        assert "YYYY-MM-lindenshire-street.csv" in {m["file"] for m in done.json["missing"] if m["needed"]}

    def test_a_data_folder_that_is_not_there_is_not_a_list_of_files(
        self, command_here: Any, definitions: Path, tmp_path: Path
    ) -> None:
        done = command_here("check", "small", "--workspace", definitions, "--data", tmp_path / "nowhere")
        asked_in_vain(done, 2, "nowhere")


def text_of(data: Path) -> bytes:
    return gzip.decompress((data / f"{MONTH}.gz").read_bytes())


def spoilt(data: Path, how: str) -> tuple[str, int | None]:
    """Spoil one month; where the message must point."""
    packed, plain = data / f"{MONTH}.gz", data / MONTH
    text = text_of(data)
    if how == "truncated":
        packed.write_bytes(packed.read_bytes()[:-40])
        return f"{MONTH}.gz", None
    packed.unlink()
    lines = text.splitlines(keepends=True)
    if how == "html":
        plain.write_bytes(b"<!DOCTYPE html>\n<html><head><title>404</title></head><body>Not found</body></html>\n")
    elif how == "renamed column":
        plain.write_bytes(text.replace(b"LSOA code", b"LSOA21 code", 1))
    elif how == "empty":
        plain.write_bytes(b"")
    elif how == "another month":
        plain.write_bytes(b"".join([*lines[:6], lines[6].replace(b"2025-03", b"2025-02", 1), *lines[7:]]))
        return MONTH, 7
    elif how == "unknown crime type":
        plain.write_bytes(text.replace(b"Violence and sexual offences", b"Violent crime"))
        return MONTH, 1 + next(i for i, line in enumerate(lines) if b"Violence and sexual offences" in line)
    elif how == "junk":
        plain.write_bytes(b"".join(lines[:4]) + b"a\0b\n" + b"".join(lines[4:]))
        return MONTH, 5
    return MONTH, 1


@pytest.mark.parametrize(
    "how", ["truncated", "html", "renamed column", "empty", "another month", "unknown crime type", "junk"]
)
def test_a_spoilt_month_is_named_and_leaves_nothing_behind(
    command_here: Any, definitions: Path, never_failed: dict[str, bytes], data: Path, tmp_path: Path, how: str
) -> None:
    folder = tmp_path / "w"
    copy_definitions(definitions, folder)
    sound = (data / f"{MONTH}.gz").read_bytes()
    name, line = spoilt(data, how)
    done = command_here("ingest", "small", "--workspace", folder, "--data", data)
    asked_in_vain(done, 11, name if line is None else f"{name}:{line}")
    (data / MONTH).unlink(missing_ok=True)
    (data / f"{MONTH}.gz").write_bytes(sound)
    mended = command_here("ingest", "small", "--workspace", folder, "--data", data)
    assert mended.code == 0, mended.err
    assert held(folder) == never_failed


@pytest.fixture(scope="module")
def never_failed(
    definitions: Path, small_workspace: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, bytes]:
    """What the store holds when every file was sound from the start."""
    from riskmodel.contracts.yaml_files import Workspace
    from riskmodel.workflow import ingest, read_definitions

    folder = tmp_path_factory.mktemp("sound") / "w"
    copy_definitions(definitions, folder)
    ingest(read_definitions(Workspace(folder), "small"), small_workspace / "build" / "synthetic")
    return held(folder)


def held(workspace: Path) -> dict[str, bytes]:
    store = workspace / "build" / "store"
    return {p.relative_to(store).as_posix(): p.read_bytes() for p in sorted(store.rglob("*")) if p.is_file()}
