"""Flags that several commands share. A flag that is a setting has that setting's variable."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from slotbeam.settings import Settings, read_settings

Host = Annotated[str | None, typer.Option(envvar="SLOTBEAM_HOST", help="Address to listen on.")]
Port = Annotated[int | None, typer.Option(envvar="SLOTBEAM_PORT", help="Data plane port; 0 takes any free one.")]
AdminPort = Annotated[
    int | None, typer.Option(envvar="SLOTBEAM_ADMIN_PORT", help="Control plane port; 0 takes any free one.")
]
DataDir = Annotated[
    Path | None, typer.Option(envvar="SLOTBEAM_DATA_DIR", help="Store, tokens, last-known-good bindings, lock.")
]
ArtifactDir = Annotated[Path | None, typer.Option(envvar="SLOTBEAM_ARTIFACT", help="Artifact directory.")]
RedisUrl = Annotated[str | None, typer.Option(envvar="SLOTBEAM_REDIS_URL", help="Bindings store.")]
AdminUrl = Annotated[str | None, typer.Option("--url", envvar="SLOTBEAM_ADMIN_URL", help="Control plane address.")]
Wait = Annotated[bool, typer.Option(help="Wait until every replica has it.")]
AsJson = Annotated[bool, typer.Option("--json", envvar="SLOTBEAM_JSON", help="Print JSON, for scripts.")]
ListenFd = Annotated[int | None, typer.Option(hidden=True, help="An inherited socket to listen on.")]


def settings_of(ctx: typer.Context) -> Settings:
    """Read the settings; flags given on the command line win over the environment."""
    return read_settings(**flags_of(ctx))


def flags_of(ctx: typer.Context) -> dict[str, Any]:
    """Return the settings that were given as flags."""
    return {name: value for name, value in ctx.params.items() if name in Settings.model_fields and _given(ctx, name)}


def _given(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
