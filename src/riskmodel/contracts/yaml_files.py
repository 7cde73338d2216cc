"""YAML definitions: read with line numbers, validated by their spec, every problem reported at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from riskmodel.contracts.errors import DefinitionError, RiskmodelError, UsageError, did_you_mean
from riskmodel.contracts.specs import FILE_STEM, FORMS, KINDS, Spec

__all__ = ["Workspace", "line_of", "place_in", "read_spec"]

S = TypeVar("S", bound=Spec)

_QUOTED = re.compile("'([^']+)'")
_ADVICE = {
    "\\t": "indent with spaces, never with tabs",
    "mapping values are not allowed": "put text that holds a colon in quotes",
    "found another document": "one file holds one definition; remove the line ---",
}
_SAID = {
    "date_type": "is no day",
    "dict_type": "takes keys and values",
    "list_type": "takes a list",
    "literal_error": "is none of the words it may be",
    "model_type": "takes keys and values",
    "string_pattern_mismatch": "is not written as it should be",
    "string_too_short": "is empty",
    "string_type": "takes text",
    "too_short": "is empty",
}


def read_spec(path: Path, model: type[S], context: Mapping[str, Any] | None = None, *, text: str | None = None) -> S:
    """Read one YAML file as one spec.

    Parameters
    ----------
    path : Path
    model : type of Spec
    context : mapping, optional
        What the spec's own validators are told, such as the run that a form must be about.
    text : str, optional
        The part of the file that is YAML, from its first line on, where that is not all of it.

    Raises
    ------
    DefinitionError
        With every problem of the file, each as ``file:line: what``.
    """
    document = _document(path, text)
    if not isinstance(document, dict):
        found = "nothing" if document is None else "a list" if isinstance(document, list) else "a single value"
        keys = list(model.model_fields)
        raise DefinitionError("a definition is made of keys and values", where=path, found=found, allowed=keys)
    try:
        return model.model_validate(_plain(document), context=context)
    except ValidationError as error:
        problems = sorted((_problem(path, document, model, detail) for detail in error.errors()), key=lambda p: p[0])
        raise DefinitionError.of_all([problem for _, problem in problems]) from error


def _document(path: Path, text: str | None = None) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        return YAML(typ="rt").load(path.read_text(encoding="utf-8") if text is None else text)
    except UnicodeDecodeError as error:
        raise DefinitionError("this file is not UTF-8 text", where=path, hint="save it as UTF-8") from error
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark is not None else 1
        problem = str(error.problem)
        if problem.startswith("but "):
            problem = f"{error.context}, {problem}"
        hint = next((advice for part, advice in _ADVICE.items() if part in problem), None)
        raise DefinitionError(f"not YAML: {problem}", where=f"{path.as_posix()}:{line}", hint=hint) from error
    except YAMLError as error:
        raise DefinitionError(f"not YAML: {str(error).splitlines()[0]}", where=path) from error


def place_in(path: Path, *location: str | int, text: str | None = None) -> str:
    """``file:line`` of a place in a definition that has been read already, for a message."""
    return f"{path.as_posix()}:{line_of(_document(path, text), location)}"


def line_of(document: Any, location: Sequence[str | int]) -> int:
    """The line (from 1) on which a place in a round-trip document begins; its nearest parent if it has none."""
    line, node = 1, document
    for step in location:
        marks = getattr(node, "lc", None)
        try:
            at = marks.key(step) if isinstance(node, dict) else marks.item(step)  # type: ignore[union-attr]
            line, node = at[0] + 1, node[step]
        except (KeyError, IndexError, TypeError, AttributeError):
            return line
    return line


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {str(k): _plain(v) for k, v in node.items()}
    if isinstance(node, list):
        return [_plain(v) for v in node]
    return str(node) if isinstance(node, str) else node


def _problem(path: Path, document: Any, model: type[Spec], detail: Any) -> tuple[int, DefinitionError]:
    """One of pydantic's findings in our words, with its line."""
    location = [*_location(document, detail), *detail.get("ctx", {}).get("at", ())]
    line = line_of(document, location)
    where = f"{path.as_posix()}:{line}"
    name = ".".join(str(step) for step in location)
    if detail["type"] == "extra_forbidden":
        known = _keys_at(model, location[:-1])
        hint = did_you_mean(str(location[-1]), known)
        return line, DefinitionError(f"unknown key '{name}'", where=where, allowed=known, hint=hint)
    if detail["type"] == "missing":
        return line, DefinitionError(f"'{name}' is missing", where=where, hint=f"add '{location[-1]}'")
    given, context = detail.get("input"), detail.get("ctx", {})
    found = given if isinstance(given, (str, int, float, bool, date)) and given != "" else None
    if isinstance(found, str) and detail["type"].startswith(("int", "float")):
        found = f"'{found}', which is text"
    said = detail["msg"].removeprefix("Value error, ").replace("Input should", "should")
    what = _SAID.get(detail["type"], said)
    allowed = context.get("expected")
    if detail["type"] == "string_pattern_mismatch":
        allowed = FORMS.get(context["pattern"], context["pattern"])
    hint = "write a day as YYYY-MM-DD, without quotes" if detail["type"] == "date_type" else None
    if detail["type"] == "literal_error" and isinstance(found, str):
        hint = did_you_mean(found, _QUOTED.findall(str(allowed)))
    what = f"'{name}': {what}" if name else what
    return line, DefinitionError(what, where=where, found=found, allowed=allowed, hint=hint)


def _location(document: Any, detail: Any) -> list[str | int]:
    """The steps of a finding that are places in the document: pydantic also names the branch of a choice it took."""
    steps, node = list(detail["loc"]), document
    last = steps.pop() if steps and detail["type"] in {"missing", "extra_forbidden"} else None
    location: list[str | int] = []
    for step in steps:
        if (isinstance(node, dict) and step in node) or (isinstance(node, list) and isinstance(step, int)):
            location.append(step)
            node = node[step]
    return location if last is None else [*location, last]


def _keys_at(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """The keys a spec allows at a place, found by walking its annotations."""
    for step in location:
        if not isinstance(step, str) or step not in model.model_fields:
            continue
        inner = _model_inside(model.model_fields[step].annotation)
        if inner is not None:
            model = inner
    return list(model.model_fields)


def _model_inside(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in get_args(annotation):
        inner = _model_inside(part)
        if inner is not None:
            return inner
    return None


class Workspace:
    """A folder that holds ``features/ experiments/ fairness/``: every definition, read on demand.

    Parameters
    ----------
    root : Path
        The workspace.

    Raises
    ------
    UsageError
        If the folder is not a workspace.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._read: dict[Path, tuple[bytes, Any]] = {}
        absent = [name for name in ("features", "experiments", "fairness") if not (self.root / name).is_dir()]
        if absent:
            raise UsageError(
                "this folder is not a workspace",
                where=self.root,
                found=f"no {', '.join(absent)} in it",
                hint="make one with: riskmodel init DIR, or name one with --workspace DIR",
            )

    def names(self, kind: str) -> list[str]:
        """Every definition of a kind, by file name."""
        return sorted(p.stem for p in (self.root / KINDS[kind].folder).glob("*.yaml"))

    def path(self, kind: str, name: str) -> Path:
        """Where a definition lies."""
        return self.root / KINDS[kind].folder / f"{name}.yaml"

    def read(self, kind: str, name: str) -> Any:
        """One definition.

        Raises
        ------
        DefinitionError
            If there is none of that name, or it is wrong.
        """
        path = self.path(kind, name)
        if not path.is_file():
            known = self.names(kind)
            raise DefinitionError(
                f"there is no {kind} '{name}'", where=path.parent, allowed=known, hint=did_you_mean(name, known)
            )
        if FILE_STEM.fullmatch(name) is None:
            raise DefinitionError(f"'{name}' is no name for a {kind}", where=path, allowed="a-z, 0-9, _ and -")
        content = path.read_bytes()
        before, spec = self._read.get(path, (None, None))
        if before != content:
            spec = read_spec(path, KINDS[kind].model)
            self._read[path] = (content, spec)
        return spec

    def read_all(self, kind: str) -> dict[str, Any]:
        """Every definition of a kind; all problems at once."""
        found: dict[str, Any] = {}
        problems: list[RiskmodelError | str] = [
            DefinitionError("a definition's name ends in .yaml", where=path, hint=f"rename it {path.stem}.yaml")
            for path in sorted((self.root / KINDS[kind].folder).glob("*.yml"))
        ]
        for name in self.names(kind):
            try:
                found[name] = self.read(kind, name)
            except DefinitionError as error:
                problems.append(error)
        if problems:
            raise DefinitionError.of_all(problems)
        return found
