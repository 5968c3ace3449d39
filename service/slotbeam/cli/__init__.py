"""The command line. Commands import what they need when they run: `slotbeam --help` is fast, serving has no torch."""

from __future__ import annotations

from typing import Annotated

import typer

from slotbeam.cli import encoding, learning, measuring, operating, planes, slots, suggestions, tokens
from slotbeam.cli.console import fail, say, say_error
from slotbeam.cli.planes import SERVICES
from slotbeam.errors import SlotbeamError
from slotbeam.settings import drop_service_links

app = typer.Typer(
    name="slotbeam",
    help="Editable generative retrieval for e-commerce search. Every flag has a SLOTBEAM_… environment variable.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"auto_envvar_prefix": "SLOTBEAM", "help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        from slotbeam import __version__

        say(f"slotbeam {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Start with `slotbeam up`."""
    if ctx.invoked_subcommand in SERVICES:
        from slotbeam.cli.logs import configure_logging

        configure_logging("info", ctx.invoked_subcommand)
    drop_service_links()  # before a flag reads its variable


planes.add_to(app)
slots.add_to(app)
suggestions.add_to(app)
tokens.add_to(app)
operating.add_to(app)
learning.add_to(app)
measuring.add_to(app)
encoding.add_to(app)


def main() -> None:
    """Run the command line: 0 done, 1 refused or failed (one line on standard error), 2 wrong usage, 130 Ctrl-C."""
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
