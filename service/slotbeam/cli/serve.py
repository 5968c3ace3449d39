"""`slotbeam serve`: the data plane alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from slotbeam.cli.options import ArtifactDir, DataDir, Host, ListenFd, Port, Processes, RedisUrl, flags_of
from slotbeam.cli.plane import load_plane, opened, run_plane


def serve(
    ctx: typer.Context,
    host: Host = None,
    port: Port = None,
    processes: Processes = None,
    data_dir: DataDir = None,
    artifact: ArtifactDir = None,
    redis_url: RedisUrl = None,
    listen_fd: ListenFd = None,
    number: Annotated[int | None, typer.Option(hidden=True, help="Of a process below a parent.")] = None,
    whole: Annotated[bool, typer.Option(hidden=True, help="Wait until no binding lacks a slot.")] = False,
    sockets: Annotated[Path | None, typer.Option(hidden=True, help="Where that parent has its unix sockets.")] = None,
) -> None:
    """Run the data plane alone: /retrieve on one port, following the store's bindings."""
    process = "serve" if number is None else f"serve-{number}"
    with opened(ctx, process, "port", listen_fd) as (settings, listener):
        if number is None and (settings.processes or 1) > 1:
            from slotbeam.cli.planes import run_planes

            run_planes(settings, flags_of(ctx), listener)
            return
        from slotbeam.api.retrieve.app import create_data_app

        if number is None or sockets is None:
            run_plane(create_data_app, settings, listener, process if listen_fd is None else None)
        else:
            from slotbeam.cli.sharing import Shared, run_sharing
            from slotbeam.cli.sibling import Sibling

            app = load_plane(create_data_app, settings, listener, process=number)
            shared = Shared(app, Sibling(sockets, number), app.state.plane.metrics.render)
            run_sharing(shared, listener, settings.drain_s, app.state.whole if whole else app.state.ready)
