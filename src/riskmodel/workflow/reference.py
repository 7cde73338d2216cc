"""The reference pages of the documentation, written from the contracts: tables, definitions, registered things, errors.

In: the records and specs themselves. Out: Markdown, the same bytes every time. ``make docs`` writes it, and a test
holds the committed pages to it, so a page cannot say what the program no longer does.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from riskmodel.contracts import registry
from riskmodel.contracts.specs import KINDS
from riskmodel.contracts.tables import TABLES, Table

__all__ = ["reference_pages", "write_reference"]

_MADE = "Made from the program by `make docs`; changes made here are lost."
_REGISTERED = ("reader", "transform", "model", "metric", "check")


def reference_pages() -> dict[str, str]:
    """File name -> Markdown."""
    return {"tables.md": _tables(), "definitions.md": _definitions(), "registered.md": _registered()}


def write_reference(folder: Path) -> None:
    """Write every reference page."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in reference_pages().items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def _tables() -> str:
    lines = [
        "# Tables",
        "",
        f"For analysts. Every table of a bundle, and those it is made from, column by column. {_MADE}",
        "",
        "`key` marks the columns that together make a row unique; `blank` those that may be empty.",
    ]
    for table in sorted(TABLES.values(), key=lambda t: t.name):
        lines += ["", f"## `{table.name}`", "", "| column | kind | unit | what it is |", "|---|---|---|---|"]
        lines += [_row(table, number) for number in range(len(table.columns))]
    return "\n".join(lines) + "\n"


def _row(table: Table, number: int) -> str:
    column = table.columns[number]
    marks = [m for m, held in (("key", column.name in table.key), ("blank", column.blank)) if held]
    kind = ", ".join([column.dtype, *marks])
    return f"| `{column.name}` | {kind} | {column.unit} | {_cell(column.description)} |"


def _definitions() -> str:
    lines = [
        "# Definitions",
        "",
        "For analysts, and for reviewers the parts under `fairness/`. What each kind of YAML file may say. An unknown "
        f"key is an error with its line. {_MADE}",
    ]
    seen: dict[str, type[BaseModel]] = {}
    for kind in KINDS.values():
        lines += ["", f"## {kind.name}: `{kind.folder}/*.yaml`", "", _first(kind.model), ""]
        lines += _fields(kind.model, seen)
    done: set[str] = set()
    while len(done) < len(seen):
        for name, model in sorted(seen.items()):
            if name not in done:
                done.add(name)
                lines += ["", f"### {name}", "", _first(model), "", *_fields(model, seen)]
                break
    return "\n".join(lines) + "\n"


def _fields(model: type[BaseModel], seen: dict[str, type[BaseModel]]) -> list[str]:
    lines = ["| key | what it takes | if absent | what it is |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        takes = _type_words(field.annotation, seen)
        lines.append(f"| `{name}` | {_cell(takes)} | {_absent(field)} | {_cell(field.description or '')} |")
    return lines


def _absent(field: FieldInfo) -> str:
    if field.is_required():
        return "an error"
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined or value is None:
        return "nothing"
    if isinstance(value, BaseModel):
        return "its own defaults"
    return f"`{_cell(str(value))}`" if value not in ("", [], {}) else "empty"


def _type_words(annotation: Any, seen: dict[str, type[BaseModel]]) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_words(arguments[0], seen)
    if origin is Literal:
        return " or ".join(f"`{a}`" for a in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(_type_words(a, seen) for a in arguments if a is not type(None))
    if origin is list:
        return f"list of {_type_words(arguments[0], seen)}"
    if origin is tuple:
        return ", ".join(_type_words(a, seen) for a in arguments)
    if origin is dict:
        return f"name: {_type_words(arguments[1], seen)}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        seen.setdefault(annotation.__name__, annotation)
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    named = {str: "text", float: "number", int: "whole number", bool: "true or false", Any: "anything"}
    return named.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _registered() -> str:
    lines = [
        "# Registered things",
        "",
        "For analysts. What YAML may name: each stands behind an entry point, and packages of your own can add more "
        f"([how](../how-to/write-a-plugin.md)). {_MADE}",
    ]
    for kind in _REGISTERED:
        lines += ["", f"## {kind}", "", "| name | what it is |", "|---|---|"]
        lines += [f"| `{name}` | {_cell(_first(registry.load(kind, name)))} |" for name in _own(kind)]
    return "\n".join(lines) + "\n"


def _own(kind: str) -> Iterator[str]:
    """Names of this package's own; what else is installed is not for its documentation."""
    for name in sorted(registry.names(kind)):
        if getattr(registry.load(kind, name), "__module__", "").startswith("riskmodel."):
            yield name


def _first(thing: Any) -> str:
    return (thing.__doc__ or "").strip().partition("\n")[0]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    write_reference(Path(sys.argv[1]))
