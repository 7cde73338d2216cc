"""The documentation does what it says: references are the program's own, commands run, links lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from conftest import Command
from riskmodel.workflow.reference import reference_pages

REPOSITORY = Path(__file__).resolve().parents[2]
DOCS = REPOSITORY / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
TUTORIAL = DOCS / "tutorial" / "first-assessment.md"
_USERS = ("analyst", "planner", "reviewer", "everybody", "developer")


@pytest.mark.parametrize("name", sorted(reference_pages()))
def test_reference_pages_are_what_the_program_says(name: str) -> None:
    written = (DOCS / "reference" / name).read_text(encoding="utf-8")
    assert written == reference_pages()[name], "run make docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(DOCS).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if not target.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize(
    "page",
    # The numbered decisions are records, and their list says whom they are for.
    [p for p in PAGES if not re.match(r"\d{4}-", p.name)],
    ids=lambda p: p.relative_to(DOCS).as_posix(),
)
def test_every_page_says_whom_it_is_for(page: Path) -> None:
    opening = page.read_text(encoding="utf-8").split("\n\n", 2)[1].lower()
    assert opening.startswith("for ") and any(user in opening for user in _USERS), opening[:80]


def blocks_of(page: Path) -> list[tuple[str, str]]:
    return re.findall(r"```(sh|yaml)\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def follow(page: Path, command: Command, folder: Path, yaml_goes_to: Path) -> int:
    """Type every command of a page, in its order, and write the file it asks for; how many commands there were."""
    number = 0
    for kind, block in blocks_of(page):
        if kind == "yaml":
            yaml_goes_to.write_text(block, encoding="utf-8", newline="\n")
            continue
        for line in block.strip().splitlines():
            words = shlex.split(line)
            assert words[0] == "riskmodel"
            done = command(*words[1:], cwd=folder)
            # A young region may meet a stop rule: everything is written all the same, and the exit code says so.
            assert done.code in (0, 20), (line, done.err[-2000:])
            number += 1
    return number


@pytest.fixture(scope="module")
def practised(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace of somebody who has followed the tutorial to its end."""
    folder = tmp_path_factory.mktemp("tutorial")
    mine = folder / "practice" / "experiments" / "mine.yaml"
    assert follow(TUTORIAL, command, folder, mine) >= 5
    return folder / "practice"


def test_every_command_of_the_tutorial_runs(practised: Path) -> None:
    assert (practised / "build" / "mine" / "index.html").is_file()


def test_every_file_that_the_readme_names_of_a_bundle_is_there(practised: Path) -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    _, rows, rest = text.partition("## Reading the tables")[2].split("|---|---|", 2)
    first = [row.split("|")[1] for row in rows.splitlines() if row.startswith("| `")]
    files = [name for cell in first for name in re.findall(r"`([^`]+)`", cell)]
    assert len(files) > 15
    assert [name for name in files if not (practised / "build" / "mine" / name).exists()] == []
    tables = [row.split("|")[1] for row in rest.partition("\n\n")[0].splitlines() if row.startswith("| `")]
    named = [Path(name) for cell in tables for name in re.findall(r"`([^`]+)`", cell)]
    assert len(named) > 25
    # This small question makes some of them; those must be of the kind that is said.
    held = practised / "build" / "mine" / "tables"
    made = [path for path in named if list(held.glob(f"{path.stem}.*"))]
    assert len(made) > 15
    assert [path.name for path in made if not (held / path).exists()] == []


def test_every_command_of_keeping_approaches_runs_in_the_tutorials_workspace(command: Command, practised: Path) -> None:
    file = practised / "features" / "approaches" / "invented_example.yaml"
    assert follow(DOCS / "how-to" / "keep-approaches.md", command, practised, file) == 4
    assert list((practised / "build" / "plans" / "local_plan").glob("*.docx"))
