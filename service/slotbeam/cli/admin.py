"""`slotbeam admin`: the control plane alone."""

from __future__ import annotations

import typer

from slotbeam.cli.options import AdminPort, ArtifactDir, DataDir, Host, ListenFd, RedisUrl
from slotbeam.cli.plane import opened, run_plane


def admin(
    ctx: typer.Context,
    host: Host = None,
    admin_port: AdminPort = None,
    data_dir: DataDir = None,
    artifact: ArtifactDir = None,
    redis_url: RedisUrl = None,
    listen_fd: ListenFd = None,
) -> None:
    """Run the control plane alone: the admin API on one port."""
    from slotbeam.api.admin import create_admin_app

    with opened(ctx, "admin", "admin_port", listen_fd) as (settings, listener):
        run_plane(create_admin_app, settings, listener, "admin" if listen_fd is None else None)
