"""YAML definitions: read with line numbers, validated by their spec, every problem reported at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from riskmodel.contracts.errors import DefinitionError, RiskmodelError, UsageError, did_you_mean
from riskmodel.contracts.specs import FILE_STEM, KINDS, Spec

__all__ = ["Workspace", "line_of", "read_spec"]

S = TypeVar("S", bound=Spec)


def read_spec(path: Path, model: type[S]) -> S:
    """Read one YAML file as one spec.

    Raises
    ------
    DefinitionError
        With every problem of the file, each as ``file:line: what``.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        text = path.read_text(encoding="utf-8")
        document = YAML(typ="rt").load(text)
    except UnicodeDecodeError as error:
        raise DefinitionError("this file is not UTF-8 text", where=path, hint="save it as UTF-8") from error
    except MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark is not None else 1
        raise DefinitionError(f"not YAML: {error.problem}", where=f"{path.as_posix()}:{line}") from error
    except YAMLError as error:
        raise DefinitionError(f"not YAML: {error}", where=path) from error
    if not isinstance(document, dict):
        raise DefinitionError("a definition is a mapping of keys", where=path, found=type(document).__name__)
    try:
        return model.model_validate(_plain(document))
    except ValidationError as error:
        problems = [_problem(path, document, model, detail) for detail in error.errors()]
        raise DefinitionError.of_all(problems) from error


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


def _problem(path: Path, document: Any, model: type[Spec], detail: Any) -> DefinitionError:
    location = [step for step in detail["loc"] if not (isinstance(step, str) and step[:1].isupper())]
    where = f"{path.as_posix()}:{line_of(document, location)}"
    name = ".".join(str(step) for step in location) or "(the file)"
    if detail["type"] == "extra_forbidden":
        known = _keys_at(model, location[:-1])
        return DefinitionError(
            f"unknown key '{name}'", where=where, allowed=known, hint=did_you_mean(str(location[-1]), known)
        )
    if detail["type"] == "missing":
        return DefinitionError(f"'{name}' is missing", where=where, hint=f"add '{location[-1]}'")
    found = detail.get("input")
    shown = found if isinstance(found, (str, int, float, bool)) else None
    return DefinitionError(f"'{name}': {detail['msg']}", where=where, found=shown)


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
        return read_spec(path, KINDS[kind].model)

    def read_all(self, kind: str) -> dict[str, Any]:
        """Every definition of a kind; all problems at once."""
        found: dict[str, Any] = {}
        problems: list[RiskmodelError | str] = []
        for name in self.names(kind):
            try:
                found[name] = self.read(kind, name)
            except DefinitionError as error:
                problems.append(error)
        if problems:
            raise DefinitionError.of_all(problems)
        return found
