"""`slotbeam serve`: the data plane alone."""

from __future__ import annotations

import typer

from slotbeam.cli.options import ArtifactDir, DataDir, Host, ListenFd, Port, RedisUrl
from slotbeam.cli.plane import run_plane


def serve(
    ctx: typer.Context,
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
    artifact: ArtifactDir = None,
    redis_url: RedisUrl = None,
    listen_fd: ListenFd = None,
) -> None:
    """Run the data plane alone: /retrieve on one port, following the store's bindings."""
    from slotbeam.api.retrieve.app import create_data_app

    run_plane(create_data_app, ctx, "serve", "port", listen_fd)
