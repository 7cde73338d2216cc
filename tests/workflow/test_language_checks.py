"""``riskmodel check`` reads every word a page may show: each phrase to mend with file and line, all at once."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from riskmodel.contracts.errors import DefinitionError
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.workflow import check_workspace, init_workspace
from riskmodel.workflow.language_checks import language_problems, written_texts

HEAD = """---
title: What residents said
section: community_views
written_by: a group
written_on: 2025-09-01
---
"""


def spoil(path: Path, before: str, after: str) -> int:
    """Change a file; the line of the key that holds what was changed."""
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, (path, before)
    path.write_text(text.replace(before, after), encoding="utf-8", newline="\n")
    return text[: text.index(before)].count("\n") + 1


def text_of(workspace: Workspace, name: str, content: str, experiment: str = "demo") -> Path:
    path = workspace.root / "experiments" / experiment / "text" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8", newline="\n")
    return path


def test_every_phrase_of_every_file_is_told_with_file_and_line(workspace: Workspace) -> None:
    root = workspace.root
    places = {
        "features/targets/robbery.yaml": ("title: ", "title: The worst areas of the county, "),
        "features/factors/relationships.yaml": ("title: Relationships and family", "title: Dysfunctional families"),
        "fairness/policies/default.yaml": ('community_view: ""', "community_view: The model is fair."),
        "fairness/characteristics/sex.yaml": ("title: Sex", "title: Sex of offenders"),
        "features/sources/ambulance.yaml": ("Every call-out has a place.", "It shows violent neighbourhoods."),
        "experiments/thames-valley.yaml": ("What can be forecast", "Which hotspots can be forecast"),
        "features/sets/history.yaml": ("title: ", "title: Of a no-go area, "),
    }
    lines = {file: spoil(root / file, *change) for file, change in places.items()}
    path = text_of(workspace, "gaps.md", HEAD + "We met 12 people.\n\nCrowding causes\nviolence.\n")
    with pytest.raises(DefinitionError) as raised:
        check_workspace(workspace)
    said = str(raised.value)
    assert said.startswith("9 problems in the definitions\n")
    for file, line in lines.items():
        at = {"features/sources/ambulance.yaml": "notes:", "experiments/thames-valley.yaml": "question:"}.get(file)
        if at is not None:  # what stands on several lines is told on the line of its key
            line = (root / file).read_text(encoding="utf-8").splitlines().index(f"{at} >-") + 1
        assert f"{(root / file).as_posix()}:{line}: language (" in said
    assert f"{path.as_posix()}:7: language (undeclared_number)" in said
    assert f"{path.as_posix()}:9: language (cause)" in said
    assert "found: causes violence, in: Crowding causes violence." in said
    assert "next: say: is found together with" in said


def test_words_deep_inside_a_file_have_their_own_line(workspace: Workspace) -> None:
    path = workspace.path("factor", "community")
    line = spoil(path, "title: Recorded shoplifting", "title: Shoplifting by criminals")
    problems = language_problems(workspace)[1]
    assert [str(p).splitlines()[0].split(": ")[0] for p in problems] == [f"{path.as_posix()}:{line}"]


def test_a_long_text_is_shown_around_the_phrase(workspace: Workspace) -> None:
    text_of(workspace, "long.md", HEAD + "word " * 60 + "a ghetto " + "word " * 60 + "\n")
    said = str(language_problems(workspace)[1][0])
    assert "found: ghetto, in: ... word" in said and max(map(len, said.splitlines())) < 300


def test_what_is_read_is_counted(workspace: Workspace) -> None:
    before = check_workspace(workspace).texts
    assert before > 300
    text_of(workspace, "more.md", HEAD + "Words.\n")
    assert check_workspace(workspace).texts == before + 1
    assert [t.path.name for t in written_texts(workspace, "demo")] == ["community_views.md", "more.md"]
    assert written_texts(workspace, "gloucestershire") == []


def test_one_experiment_answers_for_its_own_texts(workspace: Workspace) -> None:
    text_of(workspace, "gaps.md", HEAD + "A ghetto.\n", experiment="gloucestershire")
    check_workspace(workspace, experiment="demo")
    with pytest.raises(DefinitionError, match="place_label"):
        check_workspace(workspace, experiment="gloucestershire")


def test_a_wrong_head_is_told_beside_the_rest(workspace: Workspace) -> None:
    text_of(workspace, "bad.md", HEAD.replace("section: community_views\n", "") + "A ghetto.\n")
    text_of(workspace, "worse.md", HEAD + "A ghetto.\n")
    problems = [str(p) for p in language_problems(workspace)[1]]
    assert len(problems) == 2 and "'section' is missing" in problems[0] and "place_label" in problems[1]
    with pytest.raises(DefinitionError, match="'section' is missing"):
        written_texts(workspace, "demo")


def test_nothing_that_lies_among_the_texts_is_passed_over(workspace: Workspace) -> None:
    text_of(workspace, "gaps.docx", "binary")
    text_of(workspace, ".DS_Store", "binary")
    text_of(workspace, "gaps.md", HEAD + "Words.\n", experiment="demmo")
    problems = [str(p) for p in language_problems(workspace)[1]]
    assert len(problems) == 2
    assert "did you mean 'demo'?" in problems[0]
    assert "a text is a Markdown file" in problems[1] and "name it gaps.md" in problems[1]


def test_a_definition_that_cannot_be_read_is_told_once(workspace: Workspace) -> None:
    workspace.path("target", "robbery").write_text("title: The worst areas\n", encoding="utf-8")
    with pytest.raises(DefinitionError) as raised:
        check_workspace(workspace)
    assert "language" not in str(raised.value)


def test_a_target_built_from_offences_may_be_called_what_it_is(workspace: Workspace) -> None:
    police, partner = workspace.path("target", "robbery"), workspace.path("target", "ambulance_assaults")
    for path in (police, partner):
        text = path.read_text(encoding="utf-8")
        path.write_text(
            text.replace("title: ", "title: Records of serious violence, ", 1), encoding="utf-8", newline="\n"
        )
    assert [str(p).partition(":")[0].endswith("robbery.yaml") for p in language_problems(workspace)[1]] == [True]


def test_a_new_workspace_holds_the_texts_of_the_starter(tmp_path: Path, repository: Path) -> None:
    root = init_workspace(tmp_path / "own").root
    shipped = sorted(p.relative_to(repository) for p in (repository / "experiments").glob("*/text/*.md"))
    assert shipped and all((root / p).read_bytes() == (repository / p).read_bytes() for p in shipped)
    assert language_problems(Workspace(root))[1] == []


def test_check_says_how_much_was_read_and_ends_with_10_where_something_is_to_mend(
    command_here: Any, repository: Path, tmp_path: Path
) -> None:
    root = tmp_path / "w"
    for room in ("features", "experiments", "fairness"):
        shutil.copytree(repository / room, root / room)
    done = command_here("check", "--workspace", root)
    assert done.code == 0 and " texts read, nothing to mend." in done.out
    assert "community_views.md: reading age about " in done.out
    assert command_here("check", "--workspace", root, "--json").json["texts"] > 300
    text_of(Workspace(root), "gaps.md", HEAD + "A ghetto.\n")
    done = command_here("check", "--workspace", root)
    assert (done.code, done.out) == (10, "") and "gaps.md:7: language (place_label)" in done.err
