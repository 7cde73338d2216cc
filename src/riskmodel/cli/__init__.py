"""The command line: one short function per verb; nothing else in the package parses arguments or prints.

Results go to stdout (``--json``: one JSON object, nothing else); progress and messages go to stderr.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from riskmodel import __version__
from riskmodel.cli import deciding, explaining, forecasting, verifying, workspace
from riskmodel.cli.shared import say
from riskmodel.contracts.errors import RiskmodelError

__all__ = ["app", "main"]

app = typer.Typer(
    name="riskmodel",
    help="Forecasts of recorded violence by place, for prevention. Places and groups, never individuals.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_VERBS: dict[str, Callable[..., None]] = {
    "run": forecasting.run,
    "ingest": forecasting.ingest,
    "train": forecasting.train,
    "compare": forecasting.compare,
    "forecast": forecasting.forecast,
    "explain": explaining.explain,
    "audit": deciding.audit,
    "decide": deciding.decide,
    "promote": deciding.promote,
    "narrate": deciding.narrate,
    "verify": verifying.verify,
    "init": workspace.init,
    "check": workspace.check,
    "new": workspace.new,
    "list": workspace.list_,
    "doctor": workspace.doctor,
    "explore": workspace.explore,
    "ui": workspace.ui,
}
for _name, _verb in _VERBS.items():
    app.command(name=_name)(_verb)


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
