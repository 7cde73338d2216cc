"""Definitions that are wrong, each with the whole message a person gets beside it."""

from __future__ import annotations

import inspect
import re
import shutil
from pathlib import Path

import pytest

from riskmodel.contracts.errors import DefinitionError
from riskmodel.contracts.registry import load, names
from riskmodel.contracts.specs import ExperimentSpec
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.workflow import check_workspace, read_definitions

BAD = Path(__file__).parent / "bad_definitions"
SOUND = BAD / "sound_workspace"
CASES = sorted(p for p in BAD.rglob("*.yaml") if SOUND not in p.parents)
NAMED_BY_THE_EXPERIMENT = {"targets": "target: violence", "sets": "feature_set: plain", "policies": "question: Is it"}


def expected_of(case: Path) -> str:
    """The message beside a case; lists that grow with the package stand there by name."""
    text = case.with_suffix(".expected.txt").read_text(encoding="utf-8")
    for name, words in {
        "{experiment keys}": list(ExperimentSpec.model_fields),
        "{models}": names("model"),
        "{offsets}": ["exposure", *names("model")],
        "{settings of lightgbm}": list(inspect.signature(load("model", "lightgbm")).parameters),
        "{transforms}": names("transform"),
    }.items():
        text = text.replace(name, str(DefinitionError("", allowed=words)).removeprefix("\n  allowed: "))
    return text


def workspace_with(folder: Path, case: Path) -> Workspace:
    """The sound workspace with one bad definition in it; the experiment `asks` names it where it can."""
    shutil.copytree(SOUND, folder)
    (folder / "fairness" / "decisions").mkdir()
    room = case.relative_to(BAD).parent
    (folder / room).mkdir(exist_ok=True)
    shutil.copy(case, folder / room / case.name)
    line = NAMED_BY_THE_EXPERIMENT.get(room.name, "question: Is it")
    if room.name in ("targets", "sets"):
        asks = folder / "experiments" / "asks.yaml"
        text = asks.read_text(encoding="utf-8").replace(line, f"{line.split(':')[0]}: {case.stem}")
        asks.write_text(text, encoding="utf-8", newline="\n")
    return Workspace(folder)


def message_of(workspace: Workspace) -> str:
    with pytest.raises(DefinitionError) as caught:
        check_workspace(workspace)
    assert caught.value.exit_code == 10
    return str(caught.value).replace(workspace.root.as_posix(), "{workspace}") + "\n"


def test_the_workspace_around_the_bad_definitions_is_sound(tmp_path: Path) -> None:
    shutil.copytree(SOUND, tmp_path / "w")
    report = check_workspace(Workspace(tmp_path / "w"))
    assert report.experiments == ("asks", "sound")


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.relative_to(BAD).with_suffix("").as_posix())
def test_the_message_says_what_where_and_what_next(tmp_path: Path, case: Path) -> None:
    assert message_of(workspace_with(tmp_path / "w", case)) == expected_of(case)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.relative_to(BAD).with_suffix("").as_posix())
def test_every_message_names_the_file_and_a_line_that_it_has(case: Path) -> None:
    lines = case.read_text(encoding="utf-8").splitlines()
    places = re.findall(r"^\{workspace\}/(\S+?\.yaml)(?::(\d+))?: ", expected_of(case), flags=re.MULTILINE)
    assert places
    for name, line in places:
        assert Path(name).name in (case.name, "asks.yaml")
        if line and Path(name).name == case.name:
            assert 1 <= int(line) <= len(lines) + 1


def test_every_bad_definition_of_a_workspace_is_reported_at_once(tmp_path: Path) -> None:
    wanted = [c for c in CASES if c.parent.name in ("experiments", "factors", "decisions")]
    folder = tmp_path / "w"
    shutil.copytree(SOUND, folder)
    (folder / "fairness" / "decisions").mkdir()
    for case in wanted:
        shutil.copy(case, folder / case.relative_to(BAD))
    message = message_of(Workspace(folder))
    told = {
        line.split(": ")[0].rpartition("/")[2].split(":")[0] for line in message.splitlines() if "{workspace}" in line
    }
    broken = {c.name for c in wanted}
    # Factors are checked against sources, and features against the set, once every file can be read.
    assert broken - told == {"unknown_measure_and_source.yaml", "free_names_no_feature.yaml"}
    count = int(message.split()[0])
    assert count == sum(line.startswith("{workspace}") for line in message.splitlines())


def bytes_case(folder: Path, content: bytes) -> str:
    shutil.copytree(SOUND, folder)
    (folder / "experiments" / "asks.yaml").write_bytes(content)
    return message_of(Workspace(folder))


def test_text_that_is_not_utf_8(tmp_path: Path) -> None:
    message = bytes_case(tmp_path / "w", "question: café\n".encode("latin-1"))
    assert message == "{workspace}/experiments/asks.yaml: this file is not UTF-8 text\n  next: save it as UTF-8\n"


def test_binary_junk(tmp_path: Path) -> None:
    message = bytes_case(tmp_path / "w", b"question: a\0b\n")
    assert message.startswith("{workspace}/experiments/asks.yaml: not YAML: unacceptable character")
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b""], ids=["byte order mark", "none"])
@pytest.mark.parametrize("end", [b"\r\n", b"\n"], ids=["windows", "unix"])
def test_what_windows_editors_write_is_read(tmp_path: Path, start: bytes, end: bytes) -> None:
    shutil.copytree(SOUND, tmp_path / "w")
    path = tmp_path / "w" / "experiments" / "asks.yaml"
    sound = read_definitions(Workspace(tmp_path / "w"), "sound")
    path.write_bytes(start + path.read_bytes().replace(b"\n", end))
    assert read_definitions(Workspace(tmp_path / "w"), "asks").digest == sound.digest


def test_a_definition_that_ends_in_yml_is_not_passed_over(tmp_path: Path) -> None:
    shutil.copytree(SOUND, tmp_path / "w")
    (tmp_path / "w" / "experiments" / "asks.yaml").rename(tmp_path / "w" / "experiments" / "asks.yml")
    assert message_of(Workspace(tmp_path / "w")) == (
        "{workspace}/experiments/asks.yml: a definition's name ends in .yaml\n  next: rename it asks.yaml\n"
    )


def test_yaml_names_registered_things_and_never_code(tmp_path: Path) -> None:
    """A Python tag of YAML is text to refuse, not an instruction."""
    marker = tmp_path / "made"
    text = f"question: !!python/object/apply:pathlib.Path.touch ['{marker.as_posix()}']\n"
    message = bytes_case(tmp_path / "w", text.encode())
    assert "'question': takes text" in message
    assert not marker.exists()


def test_a_definition_is_read_again_once_it_has_changed(tmp_path: Path) -> None:
    shutil.copytree(SOUND, tmp_path / "w")
    workspace = Workspace(tmp_path / "w")
    before = workspace.read("experiment", "asks")
    assert workspace.read("experiment", "asks") is before
    path = workspace.path("experiment", "asks")
    path.write_text(path.read_text(encoding="utf-8") + "horizons: 3\n", encoding="utf-8", newline="\n")
    assert workspace.read("experiment", "asks").horizons == 3


def test_a_permission_lets_a_refused_factor_in(tmp_path: Path) -> None:
    shutil.copytree(SOUND, tmp_path / "w")
    for name, text in {
        "features/sets/asked.yaml": "title: A\nfeatures:\n  - {of: places/drugs, transform: rolling_mean, params: "
        "{window: 12}}\n",
        "fairness/policies/open.yaml": "title: O\nuse_statement: U\npermitted_factors:\n  - {factor: places/drugs, "
        "reason: R, decided_by: D, expires: 2099-01-01}\n",
    }.items():
        (tmp_path / "w" / name).write_text(text, encoding="utf-8", newline="\n")
    asks = tmp_path / "w" / "experiments" / "asks.yaml"
    text = asks.read_text(encoding="utf-8").replace("feature_set: plain", "feature_set: asked")
    asks.write_text(text + "policy: open\n", encoding="utf-8", newline="\n")
    definitions = read_definitions(Workspace(tmp_path / "w"), "asks")
    assert [f.factor for f in definitions.features] == ["places/drugs"]
