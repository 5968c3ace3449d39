"""What `serve` and `admin` do alike: one plane in this process."""

from __future__ import annotations

import gc
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from slotbeam.cli.console import say
from slotbeam.cli.options import settings_of
from slotbeam.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI


@contextmanager
def opened(
    ctx: typer.Context, process: str, port: str, listen_fd: int | None
) -> Iterator[tuple[Settings, socket.socket]]:
    """Read the settings and take the port, before the artifact is loaded, so that a taken one is said at once.

    Args:
        process: what the lines of its log come from.
        port: the setting that holds it.
        listen_fd: a socket that is inherited instead.
    """
    from slotbeam.cli.listening import listen
    from slotbeam.cli.logs import configure_logging, service

    with service():
        settings = settings_of(ctx)
        configure_logging(settings.log_level, process)
        settings = _with_store(settings)
        if listen_fd is not None:
            listener = socket.socket(fileno=listen_fd)
        else:
            listener = listen(settings.host, getattr(settings, port), f"SLOTBEAM_{port.upper()}")
        with listener:
            yield settings, listener


def run_plane(create: Callable[..., FastAPI], settings: Settings, listener: socket.socket, process: str | None) -> None:
    """Serve one plane until it is asked to end.

    Args:
        process: named on a terminal; None says nothing there.
    """
    from slotbeam.cli.listening import address
    from slotbeam.cli.serving import run

    app = load_plane(create, settings, listener)
    if process is not None and sys.stdout.isatty():
        say(f"slotbeam {process} on {address(listener)} (Ctrl-C stops it)")
    run(app, listener, settings.drain_s)


def load_plane(
    create: Callable[..., FastAPI], settings: Settings, listener: socket.socket, **options: object
) -> FastAPI:
    """Load the artifact, or the index that took its place, and make the application that serves it."""
    from slotbeam.cli.listening import address
    from slotbeam.cli.logs import log
    from slotbeam.items.replica.indexes import load_index

    # What is imported stays: a full collection that looks through all of it holds every request for 70 ms. Nothing of
    # the artifact is frozen, as another index may take its place.
    gc.freeze()
    artifact = load_index(settings)
    app = create(settings, artifact, **options)
    log.info("listening", url=address(listener), model=artifact.name)
    return app


def _with_store(settings: Settings) -> Settings:
    """Find the store: the URL, else the data directory's socket. Raises `SetupError` saying what to do."""
    from slotbeam.embedded.address import store_url

    return settings.model_copy(update={"redis_url": store_url(settings.redis_url, settings.data_dir)})
