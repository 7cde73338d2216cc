"""New definitions that start from a commented example, lists of what exists, and schemas for editors."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

from riskmodel.contracts import registry
from riskmodel.contracts.errors import UsageError, did_you_mean
from riskmodel.contracts.specs import FILE_STEM, KINDS
from riskmodel.contracts.yaml_files import Workspace

__all__ = ["LISTED", "SCAFFOLDED", "list_kind", "new_definition", "write_schemas"]

SCAFFOLDED = ("factor", "source", "set", "experiment", "target", "characteristic", "policy", "approach")
LISTED = (*SCAFFOLDED, *registry.GROUPS)
SCHEMAS = Path("build") / "schemas"
_TITLES = ("title", "question", "verdict")


def new_definition(workspace: Workspace, kind: str, name: str) -> Path:
    """Write a commented example to start from; nothing that exists is touched.

    Parameters
    ----------
    workspace : Workspace
    kind : str
        One of ``SCAFFOLDED``.
    name : str
        The file's name; for a factor ``domain/name``, which is added to the domain's file.

    Returns
    -------
    Path
        The file to edit.

    Raises
    ------
    UsageError
        If the kind is unknown, the name is none, or there is one of that name already.
    """
    if kind not in SCAFFOLDED:
        raise UsageError(f"there is no template for '{kind}'", allowed=SCAFFOLDED, hint=did_you_mean(kind, SCAFFOLDED))
    domain, _, last = name.rpartition("/")
    if FILE_STEM.fullmatch(last) is None or (kind == "factor") != bool(domain) or "/" in domain:
        form = "domain/name, for example community/youth_clubs" if kind == "factor" else "a-z, 0-9, _ and -"
        raise UsageError(f"'{name}' is no name for a {kind}", allowed=form)
    text = (files("riskmodel.workflow") / "scaffolds" / f"{kind}.yaml").read_text(encoding="utf-8")
    text = text.replace("{name}", last.replace("-", "_"))
    write_schemas(workspace)
    if kind == "factor":
        return _add_factor(workspace, domain, last, text)
    path = workspace.path(kind, last)
    if path.exists():
        raise UsageError(f"there is a {kind} of that name already", where=path)
    depth = "../" * len(Path(KINDS[kind].folder).parts)
    first = f"# yaml-language-server: $schema={depth}{(SCHEMAS / f'{kind}.schema.json').as_posix()}\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(first + text, encoding="utf-8", newline="\n")
    return path


def _add_factor(workspace: Workspace, domain: str, name: str, text: str) -> Path:
    """A factor joins its domain's file, below ``factors:``; the rest of the file stays as it is, to the letter."""
    path = workspace.path("factor", domain)
    entry = f"  {name}:\n" + "".join(f"    {line}\n" for line in text.splitlines())
    if not path.exists():
        title = domain.replace("_", " ").replace("-", " ").capitalize()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"title: {title}\nfactors:\n{entry}", encoding="utf-8", newline="\n")
        return path
    if name in workspace.read("factor", domain).factors:
        raise UsageError(f"there is a factor '{domain}/{name}' already", where=path)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if line.startswith("factors:")) + 1
    path.write_text("".join([*lines[:at], entry, *lines[at:]]), encoding="utf-8", newline="\n")
    return path


def list_kind(workspace: Workspace, kind: str) -> list[dict[str, str]]:
    """What exists of a kind: definitions of the workspace, or registered readers, transforms, models, metrics.

    Raises
    ------
    UsageError
        If the kind is unknown.
    """
    if kind in registry.GROUPS:
        return [{"name": name, "title": _first_line(registry.load(kind, name))} for name in registry.names(kind)]
    if kind == "factor":
        held = workspace.read_all("factor")
        return [
            {"name": f"{domain}/{name}", "title": factor.title, "role": factor.role, "source": factor.source}
            for domain, factors in held.items()
            for name, factor in factors.factors.items()
        ]
    if kind == "target":
        return [
            {"name": name, "title": t.title, "stream": t.stream, "version": str(t.version), "source": t.source}
            for name, t in workspace.read_all("target").items()
        ]
    if kind in KINDS:
        read = workspace.read_all(kind)
        return [
            {"name": name, "title": next(str(getattr(spec, key)).strip() for key in _TITLES if hasattr(spec, key))}
            for name, spec in read.items()
        ]
    known = [*KINDS, *registry.GROUPS]
    raise UsageError(f"there is nothing called '{kind}' to list", allowed=known, hint=did_you_mean(kind, known))


def _first_line(registered: object) -> str:
    return (registered.__doc__ or "").strip().split("\n")[0]


def write_schemas(workspace: Workspace) -> Path:
    """Write each kind's JSON Schema for editors to ``build/schemas``."""
    folder = workspace.root / SCHEMAS
    folder.mkdir(parents=True, exist_ok=True)
    for kind in KINDS.values():
        text = json.dumps(kind.model.model_json_schema(), indent=1, sort_keys=True, ensure_ascii=False)
        (folder / f"{kind.name}.schema.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    return folder
