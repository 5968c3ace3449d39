"""`slotbeam up`: everything on this machine."""

from __future__ import annotations

import typer

from slotbeam.cli.options import AdminPort, ArtifactDir, DataDir, Host, Port, Processes, RedisUrl, flags_of, settings_of


def up(
    ctx: typer.Context,
    host: Host = None,
    port: Port = None,
    admin_port: AdminPort = None,
    processes: Processes = None,
    data_dir: DataDir = None,
    artifact: ArtifactDir = None,
    redis_url: RedisUrl = None,
) -> None:
    """Run everything on this machine: store, data plane, control plane."""
    from slotbeam.cli.logs import configure_logging, service
    from slotbeam.cli.supervisor import run_up

    with service():
        settings = settings_of(ctx)
        configure_logging(settings.log_level, "up")
        run_up(settings, flags_of(ctx))
