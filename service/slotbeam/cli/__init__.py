"""The command line. Commands import what they need when they run: `slotbeam --help` is fast, serving has no torch."""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from slotbeam.cli import (
    admin,
    alias,
    backup,
    bench,
    calibrate,
    compare,
    doctor,
    eval,
    hide,
    index,
    items,
    kae,
    paper,
    queries,
    query,
    report,
    rules,
    scale,
    serve,
    slots,
    suggestions,
    tokens,
    train,
    up,
    world,
)
from slotbeam.cli.console import fail, say, say_error
from slotbeam.errors import SlotbeamError
from slotbeam.settings import drop_service_links

app = typer.Typer(
    name="slotbeam",
    help="Editable generative retrieval for e-commerce search; start with `slotbeam up`. "
    "Every flag has a SLOTBEAM_… environment variable.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"auto_envvar_prefix": "SLOTBEAM", "help_option_names": ["-h", "--help"]},
)

SERVICES = ("up", "serve", "admin")
"""The commands whose standard error is a log."""


def _version(asked: bool) -> None:
    if asked:
        from slotbeam import __version__

        say(f"slotbeam {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    version: Annotated[
        bool,
        # Not by its variable: that may be somebody's own, for the version that they deploy.
        typer.Option(
            "--version", callback=_version, is_eager=True, allow_from_autoenv=False, help="Print the version."
        ),
    ] = False,
) -> None:
    """Prepare what every command needs."""
    if ctx.invoked_subcommand in SERVICES:
        from slotbeam.cli.logs import configure_logging

        configure_logging("info", ctx.invoked_subcommand)
    drop_service_links()  # before a flag reads its variable


app.command()(up.up)
app.command()(serve.serve)
app.command()(admin.admin)
app.command()(query.query)
app.command()(queries.queries)
app.command()(doctor.doctor)
app.command()(train.train)
app.command()(calibrate.calibrate)
app.command()(bench.bench)
app.command()(world.world)
app.command("eval")(eval.evaluate)
app.command()(compare.compare)
app.command()(paper.paper)
app.command()(scale.scale)
app.command()(report.report)
app.add_typer(slots.group, name="slots")
app.command()(hide.hide)
app.command()(alias.alias)
app.add_typer(rules.group, name="rules")
app.add_typer(items.group, name="items")
app.add_typer(suggestions.group, name="suggestions")
app.add_typer(tokens.group, name="tokens")
app.add_typer(kae.group, name="kae")
app.add_typer(index.group, name="index")
app.add_typer(backup.group, name="backup")


def main() -> None:
    """Run the command line: 0 done, 1 refused or failed (one line on standard error), 2 wrong usage, 130 Ctrl-C."""
    if isinstance(sys.stdout, TextIOWrapper):  # else a terminal of another encoding than UTF-8 would end the command
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app()
    except SlotbeamError as error:
        for line in error.details.get("faults", ()):
            say_error(line)
        fail(str(error))
    except KeyboardInterrupt:
        fail("interrupted", 130)
    except BrokenPipeError:
        raise SystemExit(1) from None
    except UnicodeEncodeError:
        given = [ascii(each) for each in sys.argv if any("\udc80" <= c <= "\udcff" for c in each)]
        if not given:
            raise
        fail(f"{' and '.join(given)}: no text, for it holds bytes that are not UTF-8; type it in UTF-8")
    except OSError as error:
        if set(sys.argv[1:2]) & set(SERVICES):  # a service logs what ends it
            raise
        fail(f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error))
