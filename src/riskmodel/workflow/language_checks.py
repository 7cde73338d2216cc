"""The words of a workspace held to the rules of language: hand-written texts, and what pages show from YAML.

In: a workspace. Out: how many texts were read, and every phrase to mend as a definition error with file and line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from riskmodel.contracts.errors import DefinitionError, RiskmodelError, did_you_mean
from riskmodel.contracts.specs import TargetSpec
from riskmodel.contracts.yaml_files import Workspace, place_in
from riskmodel.narrative.language import (
    Context,
    Finding,
    ReadingAge,
    WrittenText,
    html_passages,
    lint_text,
    lint_written,
    markdown_passages,
    read_text,
    whole_reading_age,
)

__all__ = ["SHOWN", "finding_problem", "language_problems", "page_ages", "text_ages", "text_files", "written_texts"]

SHOWN: dict[str, tuple[tuple[str, ...], ...]] = {
    "experiment": (("question",),),
    "target": (("title",), ("covers",), ("leaves_out",), ("differs",)),
    "factor": (
        ("title",), ("factors", "*", "title"), ("factors", "*", "caveat"), ("gaps", "*", "title"), ("gaps", "*", "why"),
    ),
    "characteristic": (("title",), ("recorded_as",)),
    "policy": (
        ("title",), ("use_statement",), ("contact",), ("how_to_challenge",), ("community_view",), ("record", "*"),
        ("stop_rules", "*", "then"), ("permitted_factors", "*", "reason"),
    ),
    "source": (("title",), ("notes",)),
    "set": (("title",),),
    "approach": (("title",), ("summary",)),
}  # fmt: skip
"""Kind of definition -> the places whose words a page shows; ``*`` is every entry."""
_FOLDER = "text"
_LONGEST = 160


def language_problems(
    workspace: Workspace, experiments: Sequence[str] | None = None
) -> tuple[int, list[RiskmodelError | str]]:
    """Read every text of a workspace; definitions that cannot be read are left to those who report them.

    Parameters
    ----------
    workspace : Workspace
    experiments : sequence of str, optional
        Whose hand-written texts are read; all if absent.

    Returns
    -------
    number : int
        Texts read: the hand-written ones, and each title, note or question of a definition.
    problems : list of DefinitionError
    """
    problems: list[RiskmodelError | str] = []
    number = 0
    for kind in SHOWN:
        for name, spec in _readable(workspace, kind):
            context = _context(workspace, kind, name, spec)
            path = workspace.path(kind, name)
            for location, words in _shown(spec, SHOWN[kind]):
                number += 1
                problems += [finding_problem(f, place_in(path, *location)) for f in lint_text(words, context=context)]
    for path in text_files(workspace, experiments, problems):
        number += 1
        name = path.parent.parent.name
        try:
            found = lint_written(read_text(path), context=_context(workspace, "experiment", name))
        except DefinitionError as error:
            problems.append(error)
        else:
            problems += [finding_problem(f, f"{path.as_posix()}:{f.line}") for f in found]
    return number, problems


def written_texts(workspace: Workspace, experiment: str) -> list[WrittenText]:
    """The texts people wrote for one experiment, in the order of their file names.

    Raises
    ------
    DefinitionError
        If a head is wrong, or a file is none of them.
    """
    problems: list[RiskmodelError | str] = []
    texts = []
    for path in text_files(workspace, [experiment], problems):
        try:
            texts.append(read_text(path))
        except DefinitionError as error:
            problems.append(error)
    if problems:
        raise DefinitionError.of_all(problems)
    return texts


def text_ages(workspace: Workspace, experiments: Sequence[str]) -> dict[str, ReadingAge]:
    """The reading age of each text people wrote, by its path."""
    texts = [text for name in experiments for text in written_texts(workspace, name)]
    return {text.path.as_posix(): whole_reading_age(markdown_passages(text.body)) for text in texts}


def page_ages(bundle: Path) -> dict[str, ReadingAge]:
    """The reading age of each page at the root of a bundle, by its file's name."""
    pages = sorted(bundle.glob("*.html"))
    return {page.name: whole_reading_age(html_passages(page.read_text(encoding="utf-8"))) for page in pages}


def text_files(
    workspace: Workspace, experiments: Sequence[str] | None, problems: list[RiskmodelError | str]
) -> list[Path]:
    """The Markdown files under ``experiments/<name>/text``; what lies there and is none joins the problems."""
    room, known = workspace.root / "experiments", workspace.names("experiment")
    found = []
    for path in sorted(room.glob(f"*/{_FOLDER}/*")):
        name = path.parent.parent.name
        if path.name.startswith((".", "~")) or (experiments is not None and name in known and name not in experiments):
            continue
        if name not in known:
            problems.append(
                DefinitionError(
                    f"a text of an experiment that does not exist: '{name}'",
                    where=path,
                    allowed=known,
                    hint=did_you_mean(name, known) or "name the folder as the experiment's file is named",
                )
            )
        elif path.suffix != ".md" or not path.is_file():
            problems.append(DefinitionError("a text is a Markdown file", where=path, hint=f"name it {path.stem}.md"))
        else:
            found.append(path)
    return found


def _readable(workspace: Workspace, kind: str) -> Iterator[tuple[str, Any]]:
    for name in workspace.names(kind):
        try:
            yield name, workspace.read(kind, name)
        except DefinitionError:
            continue


def _context(workspace: Workspace, kind: str, name: str, spec: Any = None) -> Context:
    """Whether the target spoken of is built from offences; a category of police.uk is not."""
    try:
        if kind == "experiment":
            spec = workspace.read("target", workspace.read(kind, name).target)
        if isinstance(spec, TargetSpec):
            return Context(offence_level=workspace.read("source", spec.source).reader != "police_uk")
    except DefinitionError:
        pass
    return Context()


def _shown(node: Any, places: Sequence[tuple[str, ...]]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for place in places:
        yield from _at(node, place, ())


def _at(
    node: Any, place: tuple[str, ...], location: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if not place:
        if node:
            yield location, str(node)
    elif place[0] == "*":
        entries = node.items() if isinstance(node, Mapping) else enumerate(node)
        for key, inner in entries:
            yield from _at(inner, place[1:], (*location, key))
    else:
        yield from _at(getattr(node, place[0]), place[1:], (*location, place[0]))


def finding_problem(finding: Finding, where: str) -> DefinitionError:
    """A phrase to mend as an error: what, where, in which sentence, and what to say instead."""
    sentence = finding.sentence
    if len(sentence) > _LONGEST:
        begin = max(0, sentence.find(finding.excerpt) - _LONGEST // 2)
        words = sentence[begin : begin + _LONGEST].split(" ")
        sentence = f"... {' '.join(words[1:-1])} ..."
    found = finding.excerpt if sentence == finding.excerpt else f"{finding.excerpt}, in: {sentence}"
    what = f"language ({finding.rule}): {finding.why}"
    return DefinitionError(what, where=where, found=found, hint=f"say: {finding.instead}")
