"""What the verbs share: the options they take, progress on stderr, results on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskmodel.contracts.errors import UsageError

if TYPE_CHECKING:
    from riskmodel.narrative.language import ReadingAge
    from riskmodel.workflow import Session

__all__ = [
    "AsOf",
    "Bars",
    "Data",
    "Experiment",
    "Jobs",
    "Json",
    "Out",
    "Tracking",
    "WorkspaceDir",
    "age_words",
    "day",
    "described",
    "give",
    "say",
    "session_of",
]

Experiment = Annotated[str, typer.Argument(help="A file under experiments/, without .yaml")]
Data = Annotated[Path | None, typer.Option("--data", help="Where the published files lie (or RISKMODEL_DATA)")]
WorkspaceDir = Annotated[Path, typer.Option("--workspace", help="The folder of features/, experiments/, fairness/")]
Out = Annotated[Path | None, typer.Option("--out", help="Where to write")]
AsOf = Annotated[
    str | None, typer.Option("--as-of", help="First day of a month, YYYY-MM-DD: use what was published by then")
]
Jobs = Annotated[int, typer.Option("--jobs", min=1, help="Threads; results do not depend on it")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout")]
Tracking = Annotated[str | None, typer.Option("--tracking-uri", help="Another MLflow store than mlruns/")]


class Bars:
    """Progress on stderr: a bar on a terminal, one line a task elsewhere."""

    @contextmanager
    def task(self, title: str, total: int) -> Iterator[Callable[[], None]]:
        """One bar."""
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        console = Console(stderr=True)
        if not console.is_terminal:
            typer.echo(f"{title} ({total})", err=True)
            yield lambda: None
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=False) as progress:
            bar = progress.add_task(title, total=total)
            yield lambda: progress.advance(bar)


def say(text: str) -> None:
    """A line for a person, on stderr."""
    typer.echo(text, err=True)


def give(result: dict[str, Any], text: str, *, as_json: bool) -> None:
    """A result on stdout: JSON, or the same in words."""
    plain = (sys.stdout.encoding or "").lower().replace("-", "") not in {"utf8", ""}
    typer.echo(json.dumps(result, ensure_ascii=plain, indent=2, sort_keys=True) if as_json else text)


def age_words(age: ReadingAge) -> str:
    """A reading age, and whether it rests on too little text to be one."""
    if age.years is None:
        return "no running text"
    rough = "; fewer than 100 words, so very rough" if age.is_rough else ""
    return f"reading age about {age.years:.0f} years (Coleman-Liau{rough})"


def day(text: str | None) -> date | None:
    """An ISO date, or nothing."""
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError as error:
        raise UsageError("a date is written YYYY-MM-DD", found=text, hint="for example --as-of 2025-09-01") from error


def session_of(experiment: str, workspace: Path, data: Path | None, as_of: str | None, jobs: int) -> Session:
    """Read the definitions, ingest what is new, settle the as-of."""
    from riskmodel.contracts.yaml_files import Workspace
    from riskmodel.workflow import open_session, read_definitions

    on = day(as_of)
    definitions = read_definitions(Workspace(workspace), experiment)
    return open_session(definitions, data=data, as_of=on, jobs=jobs, listener=Bars())


def described(session: Session) -> dict[str, Any]:
    """What every result begins with."""
    return {
        "experiment": session.definitions.name,
        "run_id": session.run_id,
        "region": session.held.panel.geography.title,
        "target": session.definitions.plan.target_label,
        "as_of": session.as_of.isoformat(),
        "areas": len(session.held.panel.geography.areas),
        "files_read": len(session.held.ingested.read),
        "files_known": len(session.held.ingested.skipped),
    }
