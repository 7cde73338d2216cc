"""The command line: one short function per verb; nothing else in the package parses arguments or prints.

Results go to stdout (``--json``: one JSON object, nothing else); progress and messages go to stderr.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskmodel import __version__
from riskmodel.contracts.errors import RiskmodelError, UsageError

if TYPE_CHECKING:
    from riskmodel.workflow import Session

__all__ = ["app", "main"]

app = typer.Typer(
    name="riskmodel",
    help="Forecasts of recorded violence by place, for prevention. Places and groups, never individuals.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

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


@app.command()
def run(
    experiment: Experiment,
    data: Data = None,
    out: Out = None,
    workspace: WorkspaceDir = Path(),
    as_of: AsOf = None,
    jobs: Jobs = 2,
    as_json: Json = False,
    tracking_uri: Tracking = None,
) -> None:
    """The main job: ingest, train, backtest, compare, forecast, and write the tables."""
    from riskmodel.workflow import run as do_run

    session = session_of(experiment, workspace, data, as_of, jobs)
    folder = out or workspace / "build" / experiment
    outcome = do_run(session, out=folder, tracking_uri=tracking_uri)
    notes = coverage_notes(outcome.tables["quality"], session.definitions.target.source)
    result = {
        **described(session),
        "headline": outcome.headline,
        "notes": notes,
        "out": folder.as_posix(),
        "manifest_sha256": outcome.manifest_sha256,
        "mlflow_run": outcome.tracking_id,
        "state": "Draft: not approved for use",
    }
    lines = [
        outcome.headline,
        f"{result['state']}. {session.title}, {result['areas']} areas, as of {result['as_of']}.",
        *notes,
        f"Run {session.run_id}; manifest sha256 {outcome.manifest_sha256}",
        f"Tables: {(folder / 'tables').as_posix()}  (forecasts.csv, comparison.csv, quality.csv, ...)",
        "Compare runs in a browser: riskmodel ui",
    ]
    give(result, "\n".join(lines), as_json=as_json)


def coverage_notes(quality: Any, source: str) -> list[str]:
    """What missing months cost, in words."""
    missing = quality[(quality["source"] == source) & (quality["rule"] == "month missing")]["period"]
    gaps = quality[(quality["source"] == source) & quality["rule"].str.startswith("no forecast by")]
    notes = []
    if len(missing):
        shown = ", ".join(missing[:12]) + (", ..." if len(missing) > 12 else "")
        months = "month of the target is" if len(missing) == 1 else "months of the target are"
        notes.append(f"{len(missing)} {months} missing: not zero, and not filled in: {shown}.")
    if len(gaps):
        reasons = "; ".join(gaps["note"].drop_duplicates().head(3))
        notes.append(
            f"{len(gaps)} forecasts by model, origin and horizon were not made ({reasons}): tables/quality.csv."
        )
    return notes


@app.command()
def ingest(experiment: Experiment, data: Data = None, workspace: WorkspaceDir = Path(), as_json: Json = False) -> None:
    """Read the published files an experiment needs; files already read are skipped."""
    session = session_of(experiment, workspace, data, None, 1)
    result = described(session)
    text = (
        f"{result['files_read']} files read, {result['files_known']} known already. {session.title}, "
        f"{result['areas']} areas, first origin that sees the newest month: {result['as_of']}."
    )
    give(result, text, as_json=as_json)


@app.command()
def train(
    experiment: Experiment,
    data: Data = None,
    out: Out = None,
    workspace: WorkspaceDir = Path(),
    as_of: AsOf = None,
    jobs: Jobs = 2,
    as_json: Json = False,
) -> None:
    """Fit every candidate at the as-of and store the models (without pickle) in a folder."""
    from riskmodel.forecast import save_fitted
    from riskmodel.workflow import train as do_train

    session = session_of(experiment, workspace, data, as_of, jobs)
    forecasts = do_train(session)
    folder = out or workspace / "build" / f"{experiment}-models"
    for model_id in forecasts.model_ids:
        save_fitted(folder / model_id, [f for f in forecasts.fitted if f.model_id == model_id])
    trained = sorted({f.model_id for f in forecasts.fitted if f.model.learns})
    gaps = [f"{g.model_id} at horizon {g.horizon}: {g.reason}" for g in forecasts.gaps]
    result = {**described(session), "models": trained, "not_made": gaps, "out": folder.as_posix()}
    text = "\n".join([f"Learned {', '.join(trained) or 'nothing'} as of {result['as_of']}: {result['out']}", *gaps])
    give(result, text, as_json=as_json)


@app.command()
def compare(
    experiment: Experiment,
    data: Data = None,
    out: Out = None,
    workspace: WorkspaceDir = Path(),
    as_of: AsOf = None,
    jobs: Jobs = 2,
    as_json: Json = False,
) -> None:
    """Repeat the forecast at past origins and say what each model adds to counting."""
    from riskmodel.narrative.bundle import write_table
    from riskmodel.workflow import compare as do_compare

    session = session_of(experiment, workspace, data, as_of, jobs)
    comparison = do_compare(session)
    pooled = comparison.table[(comparison.table["origin_date"] == "all") & (comparison.table["horizon"] == "all")]
    if out is not None:
        write_table(out, comparison.table)
    columns = ["model_id", "skill", "low", "high", "forecasts", "month_blocks", "verdict"]
    shown = pooled[columns].assign(**{c: (100 * pooled[c]).round(1) for c in ("skill", "low", "high")})
    rows = json.loads(pooled[["metric", *columns]].to_json(orient="records"))
    result = {**described(session), "headline": comparison.headline, "pooled": rows}
    text = f"{comparison.headline}\n\nSkill in per cent against counting, all origins and horizons:\n"
    give(result, text + str(shown.to_string(index=False)), as_json=as_json)


@app.command()
def forecast(
    reference: Annotated[str, typer.Argument(metavar="RUN", help="A run id, a prefix of one, or EXPERIMENT@latest")],
    data: Data = None,
    out: Out = None,
    workspace: WorkspaceDir = Path(),
    as_of: AsOf = None,
    as_json: Json = False,
    tracking_uri: Tracking = None,
) -> None:
    """Forecast with the models a run has learned; nothing is fitted. --out names a .csv or .parquet file."""
    from riskmodel.workflow import experiment_of, forecast_run

    experiment = experiment_of(reference, workspace=workspace, uri=tracking_uri)
    session = session_of(experiment, workspace, data, as_of, 1)
    target = out or workspace / "build" / f"{experiment}-forecasts.csv"
    outcome = forecast_run(session, reference, out=target, tracking_uri=tracking_uri)
    table = outcome.tables["forecasts"]
    result = {**described(session), "headline": outcome.headline, "rows": len(table), "out": target.as_posix()}
    text = f"{outcome.headline}\n{len(table)} rows as of {result['as_of']}: {result['out']}"
    give(result, text, as_json=as_json)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The workspace to make or complete")],
    synthetic: Annotated[bool, typer.Option("--synthetic", help="Also write the invented region")] = False,
    areas: Annotated[int, typer.Option(min=20, help="Areas of the invented region")] = 400,
    months: Annotated[int, typer.Option(min=18, help="Months of the invented region")] = 72,
    as_json: Json = False,
) -> None:
    """Make a workspace of your own; files that exist are kept."""
    from riskmodel.workflow import init_workspace

    if synthetic:
        say("Writing the invented region (about ten seconds for 400 areas) ...")
    done = init_workspace(folder, synthetic=synthetic, areas=areas, months=months)
    result = {
        "workspace": done.root.as_posix(),
        "written": list(done.written),
        "kept": list(done.kept),
        "synthetic": done.synthetic.as_posix() if done.synthetic else None,
    }
    text = f"{done.root.as_posix()}: {len(done.written)} definitions written, {len(done.kept)} kept as they were."
    if done.synthetic:
        text += (
            f"\nInvented region: {done.synthetic.as_posix()}\nNext: riskmodel run demo --workspace {folder.as_posix()}"
        )
    give(result, text, as_json=as_json)


def _plural(kind: str) -> str:
    return kind.removesuffix("y") + "ies" if kind.endswith("cy") else f"{kind}s"


@app.command()
def check(
    experiment: Annotated[str | None, typer.Argument(help="Check the files of this experiment's region only")] = None,
    data: Data = None,
    workspace: WorkspaceDir = Path(),
    as_json: Json = False,
) -> None:
    """Validate every definition; with --data, list the published files the regions still lack."""
    from dataclasses import asdict

    from riskmodel.contracts.yaml_files import Workspace
    from riskmodel.workflow import check_workspace

    report = check_workspace(Workspace(workspace), experiment=experiment, data=data)
    counts = ", ".join(f"{n} {kind if n == 1 else _plural(kind)}" for kind, n in report.counts.items())
    lines = [f"Definitions are sound: {counts}; experiments: {', '.join(report.experiments)}."]
    for missing in report.missing:
        mark = "needed" if missing.needed else "month not held"
        lines.append(f"  {missing.force}: {missing.folder}/{missing.file}  ({mark}; {missing.publisher})")
    if data is not None and not report.missing:
        lines.append("No published file is missing.")
    needed = [m for m in report.missing if m.needed]
    result = {"counts": report.counts, "missing": [asdict(m) for m in report.missing]}
    give(result, "\n".join(lines), as_json=as_json)
    if needed:
        raise typer.Exit(11)


@app.command()
def new(
    kind: Annotated[str, typer.Argument(help="factor, source, set, experiment, target, characteristic or policy")],
    name: Annotated[str, typer.Argument(help="Its file's name; a factor is DOMAIN/NAME")],
    workspace: WorkspaceDir = Path(),
    as_json: Json = False,
) -> None:
    """Start a definition from a commented example."""
    from riskmodel.contracts.yaml_files import Workspace
    from riskmodel.workflow import new_definition

    path = new_definition(Workspace(workspace), kind, name)
    give({"file": path.as_posix()}, f"{path.as_posix()}\nEdit it, then: riskmodel check", as_json=as_json)


@app.command(name="list")
def list_(
    kind: Annotated[str, typer.Argument(help="factor, source, set, experiment, transform, model, reader, metric, ...")],
    workspace: WorkspaceDir = Path(),
    as_json: Json = False,
) -> None:
    """Show what exists of a kind, in the workspace or registered."""
    from riskmodel.contracts.yaml_files import Workspace
    from riskmodel.workflow import list_kind

    rows = list_kind(Workspace(workspace), kind)
    width = max((len(row["name"]) for row in rows), default=0)
    give({kind: rows}, "\n".join(f"{row['name']:<{width}}  {row['title']}" for row in rows), as_json=as_json)


@app.command()
def ui(
    workspace: WorkspaceDir = Path(),
    port: Annotated[int, typer.Option(help="On this machine only")] = 5055,
    tracking_uri: Tracking = None,
) -> None:
    """Open MLflow's pages on the runs, on this machine only; Ctrl-C ends it."""
    from riskmodel.tracking import run_ui, ui_command

    _, url = ui_command(workspace=workspace, uri=tracking_uri, port=port)
    say(f"Runs: {url}\nCtrl-C ends it.")
    raise typer.Exit(run_ui(workspace=workspace, uri=tracking_uri, port=port))


@app.callback(invoke_without_command=True)
def top(
    version: Annotated[bool, typer.Option("--version", help="Print the version")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks")] = False,
) -> None:
    """Options of every verb."""
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; errors become messages and exit codes."""
    given = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):
        # A Windows console may not speak UTF-8; an unprintable letter must not end a run.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    debug = "--debug" in given
    if debug:
        # The option belongs before the verb, but whoever repeats a command adds it at the end.
        given = ["--debug", *(argument for argument in given if argument != "--debug")]
    try:
        app(args=given, prog_name="riskmodel")
    except RiskmodelError as error:
        if debug:
            raise
        say(f"riskmodel: {error}")
        sys.exit(error.exit_code)
    except Exception as error:
        if debug:
            raise
        say(f"riskmodel: a fault of the program, or of this machine: {type(error).__name__}: {error}")
        say("  next: repeat the command with --debug at its end, and report what it prints")
        sys.exit(1)
