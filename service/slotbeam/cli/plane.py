"""What `serve` and `admin` do alike: one plane in this process."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from slotbeam.cli.console import say
from slotbeam.cli.options import settings_of
from slotbeam.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI


def run_plane(
    create: Callable[..., FastAPI], ctx: typer.Context, process: str, port: str, listen_fd: int | None
) -> None:
    """Take the port before the artifact is loaded, so that a taken one is said at once; then serve.

    Args:
        port: the setting that holds it.
    """
    from slotbeam.cli.listening import address
    from slotbeam.cli.logs import configure_logging, log, service
    from slotbeam.cli.serving import run
    from slotbeam.search.artifact import Artifact

    with service():
        settings = settings_of(ctx)
        configure_logging(settings.log_level, process)
        settings = _with_store(settings)
        with _listener(settings.host, getattr(settings, port), f"SLOTBEAM_{port.upper()}", listen_fd) as listener:
            loaded = Artifact.load(settings.artifact)
            app = create(settings, loaded)
            log.info("listening", url=address(listener), model=loaded.name)
            if listen_fd is None and sys.stdout.isatty():
                say(f"slotbeam {process} on {address(listener)} (Ctrl-C stops it)")
            run(app, listener, settings.drain_s)


def _with_store(settings: Settings) -> Settings:
    """Find the store: the URL, else the data directory's socket. Raises `SetupError` saying what to do."""
    from slotbeam.embedded.address import store_url

    return settings.model_copy(update={"redis_url": store_url(settings.redis_url, settings.data_dir)})


def _listener(host: str, port: int, variable: str, fd: int | None) -> socket.socket:
    from slotbeam.cli.listening import listen

    return socket.socket(fileno=fd) if fd is not None else listen(host, port, variable)
