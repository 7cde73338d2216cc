"""What people write for an experiment: it joins the assessment, is kept with the run, and changes nothing else."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conftest import SMALL_EXPERIMENT, contents
from deciding_builders import AUDITED, Stored, audit_rows, new_workspace, store_audited
from riskmodel.contracts.errors import DefinitionError
from riskmodel.contracts.yaml_files import Workspace
from riskmodel.narrative.verify import verify_bundle
from riskmodel.workflow import narrate_run, read_definitions
from riskmodel.workflow.language_checks import written_texts

WRITTEN = """---
title: What residents said
section: community_views
written_by: a group of residents
written_on: 2025-09-01
facts:
  - {id: asked, value: 1240, unit: residents, source: survey, date: 2025-06-30}
---
We asked {{fact:asked}} people.
"""


def write_text(root: Path, content: str) -> None:
    path = root / "experiments" / "small" / "text" / "views.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8", newline="\n")


@pytest.fixture(scope="module")
def kept(small_run: Any, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """A run that had a text, in a store whose workspace has none."""
    root = new_workspace(tmp_path_factory.mktemp("kept") / "w")
    return store_audited(small_run.workspace, root, audit_rows(*AUDITED), texts={"views": WRITTEN})


def test_what_was_written_when_it_ran_is_kept_with_the_run(kept: Stored, tmp_path: Path) -> None:
    page = (kept.bundle / "index.html").read_text(encoding="utf-8")
    assert 'We asked <data value="1240" data-fact="text.views.asked">1,240</data> people.' in page
    assert "Supplied, not computed" in page
    done = narrate_run("small@latest", workspace=kept.root, out=tmp_path / "b")
    assert contents(done.out) == contents(kept.bundle)
    found = verify_bundle(done.out, expect=done.manifest_sha256)
    assert found.holds, found.problems


def test_what_people_write_afterwards_takes_its_place_and_nothing_else_changes(kept: Stored, tmp_path: Path) -> None:
    shutil.copytree(kept.root, tmp_path / "w", ignore=shutil.ignore_patterns("build"))
    later = replace(kept, root=tmp_path / "w")
    (later.root / "experiments" / "small.yaml").write_text(SMALL_EXPERIMENT, encoding="utf-8")
    write_text(later.root, WRITTEN.replace("1240", "1300"))
    done = narrate_run("small@latest", workspace=later.root, out=tmp_path / "b")
    before, after = contents(kept.bundle), contents(done.out)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"index.html", "narrative.docx", "facts.json", "manifest.json"}
    assert ">1,300</data> people." in after["index.html"].decode()
    same = ("run_id", "definitions_sha256", "inputs")
    was, now = (json.loads(files["manifest.json"]) for files in (before, after))
    assert [was[key] for key in same] == [now[key] for key in same]
    assert was["texts"] != now["texts"]


def test_a_text_changes_no_definition_and_one_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    workspace = Workspace(new_workspace(tmp_path / "w"))
    path = workspace.root / "experiments" / "demo" / "text" / "asked.md"
    before = read_definitions(workspace, "demo").digest
    path.write_text(WRITTEN, encoding="utf-8", newline="\n")
    assert read_definitions(workspace, "demo").digest == before
    assert {text.path.stem: text.content for text in written_texts(workspace, "demo")}["asked"] == WRITTEN
    path.write_text(WRITTEN.replace("{{fact:asked}}", "some"), encoding="utf-8")
    with pytest.raises(DefinitionError, match=r"asked\.md:7: the text does not use the fact 'asked'"):
        written_texts(workspace, "demo")
