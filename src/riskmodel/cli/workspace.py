"""The verbs of a workspace: init, new, list, check, doctor, explore, ui."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from riskmodel.cli.shared import Bars, Data, Json, Tracking, WorkspaceDir, age_words, give, say
from riskmodel.contracts.errors import DefinitionError, UsageError

__all__ = ["check", "doctor", "explore", "init", "list_", "new", "ui"]


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
    if kind.endswith("cy"):
        return kind.removesuffix("y") + "ies"
    return f"{kind}es" if kind.endswith("ch") else f"{kind}s"


def check(
    experiment: Annotated[str | None, typer.Argument(help="Check the files of this experiment's region only")] = None,
    data: Data = None,
    out: Annotated[Path | None, typer.Option("--out", help="With an experiment: the quality report, a .csv")] = None,
    bundle: Annotated[Path | None, typer.Option("--bundle", help="Also read every page and paper of a bundle")] = None,
    workspace: WorkspaceDir = Path(),
    as_json: Json = False,
) -> None:
    """Validate every definition; with --data, list missing files and, for an experiment, judge the held ones."""
    from dataclasses import asdict

    from riskmodel.contracts.yaml_files import Workspace
    from riskmodel.workflow import bundle_problems, check_workspace

    report = check_workspace(Workspace(workspace), experiment=experiment, data=data)
    counts = ", ".join(f"{n} {kind if n == 1 else _plural(kind)}" for kind, n in report.counts.items())
    lines = [f"Definitions are sound: {counts}; experiments: {', '.join(report.experiments)}."]
    lines.append(f"Language: {report.texts} texts read, nothing to mend.")
    lines += [f"  {path}: {age_words(age)}" for path, age in report.reading_ages.items()]
    if bundle is not None:
        pages, wrong = bundle_problems(bundle)
        if wrong:
            raise DefinitionError.of_all(wrong)
        lines.append(f"Language of the bundle: {pages} pages, papers and documents read, nothing to mend.")
    for missing in report.missing:
        mark = "needed" if missing.needed else "month not held"
        lines.append(f"  {missing.force}: {missing.folder}/{missing.file}  ({mark}; {missing.publisher})")
    if data is not None and not report.missing:
        lines.append("No published file is missing.")
    needed = [m for m in report.missing if m.needed]
    result: dict[str, Any] = {
        "counts": report.counts,
        "texts": report.texts,
        "reading_ages": {path: age.years for path, age in report.reading_ages.items()},
        "missing": [asdict(m) for m in report.missing],
    }
    problems = 0
    if data is not None and experiment is not None and not needed:
        result["quality"], said = judged(workspace, experiment, data, out)
        lines += said
        problems = int(result["quality"]["problem"])
    elif out is not None:
        raise UsageError(
            "no quality report was written",
            found="files are missing" if needed else "no experiment, or no --data",
            hint="name both, and hold every needed file: riskmodel check EXPERIMENT --data DIR --out quality.csv",
        )
    give(result, "\n".join(lines), as_json=as_json)
    if needed or problems:
        raise typer.Exit(11)


def judged(workspace: Path, experiment: str, data: Path, out: Path | None) -> tuple[dict[str, int], list[str]]:
    """Run the data contracts; counts by severity, and what a person should read first."""
    from riskmodel.contracts.yaml_files import Workspace
    from riskmodel.narrative.bundle import write_table
    from riskmodel.workflow import read_definitions
    from riskmodel.workflow.data_checks import check_data, severities

    findings = check_data(read_definitions(Workspace(workspace), experiment), data)
    counted = severities(findings)
    lines = [f"Data contracts: {', '.join(f'{n} {severity}' for severity, n in counted.items())}."]
    open_ones = findings[findings["severity"] != "fine"]
    for (severity, source, code), rows in open_ones.groupby(["severity", "source", "code"], sort=False):
        first = {k: str(v) for k, v in rows.iloc[0].items()}
        place = " ".join(first[k] for k in ("measure", "period", "place") if first[k])
        said = ": ".join(part for part in (place, first["found"], first["what"]) if part)
        lines.append(f"  {severity}: {source}, {code} ({len(rows)}): {said}" + (" ..." if len(rows) > 1 else ""))
    if len(open_ones) and out is None:
        lines.append("  One line each; all of them, with what to do: --out quality.csv")
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_table(out, findings)
        lines.append(f"Quality report: {out.as_posix()}")
    return counted, lines


def doctor(
    workspace: WorkspaceDir = Path(),
    data: Data = None,
    mend: Annotated[bool, typer.Option("--mend", help="Mend what can be mended without losing anything")] = False,
    as_json: Json = False,
    tracking_uri: Tracking = None,
) -> None:
    """Find, and with --mend mend, a moved mlruns, a stale store, a broken environment."""
    from dataclasses import asdict

    from riskmodel.workflow.doctor import examine, left_to_do

    findings = examine(workspace, data=data, tracking_uri=tracking_uri, mend=mend)
    left = left_to_do(findings)
    lines = []
    for found in findings:
        lines.append(f"{found.state:<13}  {found.code}: {found.what}" + (f"  [{found.where}]" if found.where else ""))
        lines += [f"{'':<13}  next: {found.next}"] if found.next else []
    lines.append(f"{len(left)} left to do." if left else "Nothing is left to do.")
    result = {"findings": [asdict(f) for f in findings], "left_to_do": len(left)}
    give(result, "\n".join(lines), as_json=as_json)
    if left:
        raise typer.Exit(1)


def explore(
    factor: Annotated[str, typer.Argument(help="domain/name, as riskmodel list factor shows it")],
    experiment: Annotated[str | None, typer.Option("--experiment", help="Whose region and target")] = None,
    data: Data = None,
    out: Annotated[Path | None, typer.Option("--out", help="The page to write, a .html file")] = None,
    workspace: WorkspaceDir = Path(),
    as_json: Json = False,
) -> None:
    """Write one page on one factor: map, distribution, gaps, what it goes with."""
    from riskmodel.contracts.yaml_files import Workspace
    from riskmodel.workflow import read_definitions
    from riskmodel.workflow.exploring import explore_factor

    room = Workspace(workspace)
    known = room.names("experiment")
    if experiment is None and len(known) != 1:
        raise UsageError("which region?", allowed=known, hint="name an experiment with --experiment NAME")
    definitions = read_definitions(room, experiment or known[0])
    page = out or workspace / "build" / "explore" / f"{factor.replace('/', '_')}.html"
    found = explore_factor(definitions, factor, data=data, out=page, listener=Bars())
    result = {"factor": factor, "region": found.region, "page": page.as_posix(), "notes": list(found.notes)}
    give(result, "\n".join([f"{found.title}, {found.region}: {page.as_posix()}", *found.notes]), as_json=as_json)


def new(
    kind: Annotated[
        str, typer.Argument(help="factor, source, set, experiment, target, characteristic, policy or approach")
    ],
    name: Annotated[str, typer.Argument(help="Its file's name; a factor is DOMAIN/NAME")],
    workspace: WorkspaceDir = Path(),
    as_json: Json = False,
) -> None:
    """Start a definition from a commented example."""
    from riskmodel.contracts.yaml_files import Workspace
    from riskmodel.workflow import new_definition

    path = new_definition(Workspace(workspace), kind, name)
    give({"file": path.as_posix()}, f"{path.as_posix()}\nEdit it, then: riskmodel check", as_json=as_json)


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
