"""What people keep on approaches, as they meet it: a file to fill in, what is refused, and where a plan shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import docx
import pandas as pd
import pytest
from docx.oxml.ns import qn

EXPERIMENT = """question: Which conditions are found with recorded violence?
region: {force: lindenshire}
data: build/synthetic
feature_set: small
models:
  - {use: rolling_12}
  - {use: poisson_ridge}
horizons: 2
backtest: {first_origin: 2024-06, every_months: 6}
conditions:
  feature_set: two_conditions
  models: [{use: poisson_ridge, params: {offset: exposure, level: learned}}]
  horizons: [1]
"""
CONDITIONS = """title: Two conditions
features:
  - {of: society/income_deprivation, transform: latest}
  - {of: society/owned_homes, transform: latest}
"""
FILLED = {
    "title: What the approach is called": "title: An invented approach",
    "source: Who weighed the evidence": "source: An invented toolkit",
    "https://example.org/approach ": "https://example.org/toolkit/invented ",
    "evidence_rating: not rated ": "evidence_rating: low ",
    "looked_up: YYYY-MM-DD ": "looked_up: 2026-02-03 ",
    "What is done, for whom, in one or two sentences.": "Something is offered to families who ask for it.",
}


@pytest.fixture
def started(command_here: Any, tmp_path: Path) -> Path:
    """A workspace in which somebody has asked for an approach to start from."""
    assert command_here("init", tmp_path / "w").code == 0
    done = command_here("new", "approach", "invented", "--workspace", tmp_path / "w", "--json")
    assert done.code == 0, done.err
    assert Path(done.json["file"]) == tmp_path / "w" / "features" / "approaches" / "invented.yaml"
    return Path(done.json["file"])


def fill_in(path: Path, changes: dict[str, str]) -> None:
    text = path.read_text(encoding="utf-8")
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8", newline="\n")


def line_of(path: Path, key: str) -> int:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(f"{key}:"))


def checked(command_here: Any, path: Path) -> Any:
    return command_here("check", "--workspace", path.parents[2])


def test_no_approach_is_shipped(command_here: Any, tmp_path: Path) -> None:
    assert command_here("init", tmp_path / "w").code == 0
    assert command_here("list", "approach", "--workspace", tmp_path / "w", "--json").json == {"approach": []}


def test_a_new_approach_is_refused_until_somebody_says_when_it_was_looked_up(command_here: Any, started: Path) -> None:
    refused = checked(command_here, started)
    assert refused.code == 10
    assert f"{started.as_posix()}:{line_of(started, 'looked_up')}: 'looked_up'" in refused.err
    assert "found: YYYY-MM-DD" in refused.err
    fill_in(started, FILLED)
    sound = checked(command_here, started)
    assert sound.code == 0, sound.err
    assert "1 approach" in sound.out


@pytest.mark.parametrize(
    ("key", "old", "new", "said"),
    [
        ("factors", "[society/income_deprivation]", "[society/income_deprivatoin]",
         ("there is no factor", "found: society/income_deprivatoin", "allowed: society/income_deprivation, society/",
          "did you mean 'society/income_deprivation'?")),
        ("factors", "[society/income_deprivation]", "[none/such]",
         ("there is no factor", "found: none/such", "allowed: ", "riskmodel list factor")),
        ("prevention_level", "prevention_level: primary", "prevention_level: primry",
         ("found: primry", "allowed: 'primary', 'secondary' or 'tertiary'", "did you mean 'primary'?")),
        ("evidence_rating", "evidence_rating: low", "evidence_rating: lowish",
         ("found: lowish", "allowed: 'high', 'moderate', 'low' or 'not rated'", "did you mean 'low'?")),
        ("looked_up", "looked_up: 2026-02-03", "looked_up: last spring",
         ("is no day", "found: last spring", "YYYY-MM-DD")),
        ("link", "link: https://", "link: see ", ("'link'", "found: see example.org")),
        ("title", "title: An invented approach", "title: Offenders and their families", ("Offenders",)),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(
    command_here: Any, started: Path, key: str, old: str, new: str, said: tuple[str, ...]
) -> None:
    fill_in(started, FILLED)
    fill_in(started, {old: new})
    refused = checked(command_here, started)
    assert refused.code == 10
    assert f"{started.as_posix()}:{line_of(started, key)}:" in refused.err
    assert not [words for words in said if words not in refused.err], refused.err


@pytest.fixture(scope="module")
def conditioned(command: Any, small_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a run that found conditions, and no approach; its bundle lies in ``bundle``."""
    folder: Path = tmp_path_factory.mktemp("approaches") / "w"
    assert command("init", folder).code == 0
    held = (small_workspace / "features" / "sets" / "small.yaml").read_bytes()
    (folder / "features" / "sets" / "small.yaml").write_bytes(held)
    (folder / "features" / "sets" / "two_conditions.yaml").write_text(CONDITIONS, encoding="utf-8")
    (folder / "experiments" / "both.yaml").write_text(EXPERIMENT, encoding="utf-8")
    data = small_workspace / "build" / "synthetic"
    done = command("run", "both", "--workspace", folder, "--data", data, "--out", folder / "bundle", "--jobs", 1)
    assert done.code == 0, done.err
    return folder


def plan_of(bundle: Path, code: str) -> Any:
    return docx.Document(str(bundle / "local_plan" / f"{code}.docx"))


def approaches_by_factor(document: Any) -> dict[str, str]:
    heads, *rows = [[cell.text for cell in row.cells] for row in document.tables[0].rows]
    factor, approach = heads.index("Factor"), heads.index("Approach and its evidence")
    return {row[factor]: row[approach] for row in rows}


def test_a_plan_shows_the_approach_beside_its_finding_and_nowhere_else(
    command_here: Any, conditioned: Path, tmp_path: Path
) -> None:
    ledger = pd.read_parquet(conditioned / "bundle" / "tables" / "ledger.parquet")
    found = ledger[(ledger["level"] == "lad24") & (ledger["kind"] == "cluster") & (ledger["mark"] == "stable")]
    assert len(found), "the region is invented so that a condition is found"
    code, members = found.iloc[0][["location", "members"]]
    before = approaches_by_factor(plan_of(conditioned / "bundle", code))
    assert all(said.startswith("TO BE COMPLETED") for said in before.values())

    asked = ("new", "approach", "invented", "--workspace", conditioned, "--json")
    path = Path(command_here(*asked).json["file"])
    fill_in(path, FILLED | {"[society/income_deprivation]": f"[{members.split('; ')[0]}]"})
    done = command_here("narrate", "both@latest", "--workspace", conditioned, "--out", tmp_path / "b")
    assert done.code == 0, done.err
    document = plan_of(tmp_path / "b", code)
    after = approaches_by_factor(document)
    assert list(after) == list(before)
    changed = [factor for factor in after if after[factor] != before[factor]]
    assert len(changed) == 1 and len(changed[0].split("\n")) == len(members.split("; "))
    assert after[changed[0]] == (
        "An invented approach (primary prevention): Something is offered to families who ask for it. Evidence: low, as "
        "rated by An invented toolkit; looked up on 3 February 2026."
    )
    links = [r.target_ref for r in document.part.rels.values() if r.is_external]
    assert links == ["https://example.org/toolkit/invented"]
    (link,) = document.element.body.iter(qn("w:hyperlink"))
    assert "".join(t.text for t in link.iter(qn("w:t"))) == "An invented toolkit"
    verified = command_here("verify", tmp_path / "b", "--workspace", conditioned)
    assert verified.code == 0, verified.out

    # A plan that would never show it is no plan: the mistake is told before anything is written.
    fill_in(path, {members.split("; ")[0]: "society/nowhere"})
    refused = command_here("narrate", "both@latest", "--workspace", conditioned, "--out", tmp_path / "c")
    assert (refused.code, (tmp_path / "c").exists()) == (10, False)
    assert "there is no factor 'society/nowhere'" in refused.err
