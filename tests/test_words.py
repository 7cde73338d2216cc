"""One word, one meaning: the glossary is complete, and banned or American words are not names of anything."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from riskmodel.contracts.specs import KINDS
from riskmodel.contracts.tables import TABLES

REPOSITORY = Path(__file__).resolve().parents[1]
MODULES = sorted((REPOSITORY / "src" / "riskmodel").rglob("*.py"))
DEFINITIONS = sorted(p for room in ("features", "experiments", "fairness") for p in (REPOSITORY / room).rglob("*.yaml"))
PAGES = [REPOSITORY / "README.md", REPOSITORY / "GLOSSARY.md", REPOSITORY / "CONTRIBUTING.md"]
PAGES += sorted((REPOSITORY / "docs").rglob("*.md"))
WORDS_OF_THE_DESIGN = [
    "recorded violence", "expected recorded violence", "need",
    "conditions found with higher or lower recorded violence", "ethnic group", "disabled people", "prioritised",
    "approved model", "serious violence",
    "area", "level", "period", "published", "as_of", "origin", "horizon", "target", "exposure", "offset", "rate",
    "source", "measure", "factor", "role", "domain", "stage of life", "lever", "feature", "feature set", "baseline",
    "backtest", "score", "skill", "hit rate", "PAI", "PEI", "attribution", "characteristic", "group", "intersection",
    "check", "verdict", "policy", "decision", "run", "fact",
    "observations", "geography", "panel", "training set", "forecasts", "scores", "attributions", "groups", "audit",
    "facts", "workspace", "vintage", "breakdown", "frame", "bundle",
]  # fmt: skip
# "protected" is the Equality Act's word; the role of a factor is "protective".
BANNED = ["protected", "utils", "manager", "champion", "flagged", "hotspot", "data2"]
AMERICAN = ["color", "normalize", "summarize", "neighbor", "behavior", "standardize", "prioritize", "labor"]


def glossary() -> dict[str, str]:
    """Each word of the glossary with its meaning."""
    text = (REPOSITORY / "GLOSSARY.md").read_text(encoding="utf-8")
    entries = re.findall(r"^\*\*(.+?)\*\*: (.+)$", text, flags=re.MULTILINE)
    words = [word for word, _ in entries]
    assert len(words) == len(set(words)), sorted({w for w in words if words.count(w) > 1})
    return dict(entries)


def names_in(module: Path) -> Iterator[str]:
    """Every identifier a module writes, attributes of other libraries' objects left out."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    yield module.stem
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg


def prose_in(module: Path) -> Iterator[str]:
    """Every comment and string of a module that reads as a sentence."""
    with tokenize.open(module) as text:
        for token in tokenize.generate_tokens(text.readline):
            if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and " " in token.string):
                yield token.string


def holds(name: str, word: str) -> bool:
    """Whether one of the words a snake_case or CamelCase name is made of begins with the word."""
    parts = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+", name)
    return any(part.lower().startswith(word) for part in parts)


def test_holds_sees_words_in_either_spelling() -> None:
    assert holds("protected_factor", "protected")
    assert holds("NormalizedRate", "normalize")
    assert not holds("protective", "protected")


@pytest.mark.parametrize("word", WORDS_OF_THE_DESIGN)
def test_the_glossary_holds_every_word_of_the_design(word: str) -> None:
    assert word in glossary()


@pytest.mark.parametrize("table", sorted(TABLES))
def test_the_glossary_holds_every_table(table: str) -> None:
    assert table.replace("_", " ") in glossary()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_glossary_holds_every_kind_of_definition(kind: str) -> None:
    assert {"set": "feature set"}.get(kind, kind) in glossary()


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.stem)
def test_no_name_is_a_banned_word_or_spelt_the_american_way(module: Path) -> None:
    found = sorted({name for name in names_in(module) for word in BANNED + AMERICAN if holds(name, word)})
    assert found == []


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda p: p.relative_to(REPOSITORY).as_posix())
def test_no_definition_uses_a_banned_word(path: Path) -> None:
    words = re.findall(r"[A-Za-z0-9_-]+", path.read_text(encoding="utf-8"))
    wrong = set(BANNED) - {"manager"}  # an occupation in the census, published under that heading
    assert sorted({w for w in words for banned in wrong if holds(w, banned)}) == []


@pytest.mark.parametrize("path", [*PAGES, *MODULES], ids=lambda p: p.relative_to(REPOSITORY).as_posix())
def test_what_people_read_is_spelt_the_british_way(path: Path) -> None:
    prose = prose_in(path) if path.suffix == ".py" else [re.sub(r"`[^`]*`", "", path.read_text(encoding="utf-8"))]
    american = re.compile(r"\b(" + "|".join(AMERICAN) + r")\w*", flags=re.IGNORECASE)
    assert [match.group() for text in prose for match in american.finditer(text)] == []
