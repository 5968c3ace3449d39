"""Sockets to listen on, and one uvicorn server on one socket."""

from __future__ import annotations

import logging
import socket

from slotbeam.errors import SetupError

BACKLOG = 1024
GRACE_S = 5


def listen(host: str, port: int, variable: str) -> socket.socket:
    """Bind and listen; port 0 takes any free one. Raises `SetupError` naming `variable` when it cannot."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise SetupError(
            f"cannot listen on {host}:{port}: {error.strerror or error}; set {variable} to another port (0: any free)"
        ) from None
    return listener


def address(listener: socket.socket) -> str:
    """Return the URL at which this machine reaches `listener`."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(app: object, listener: socket.socket, log_level: str) -> None:
    """Serve `app` on `listener` until SIGTERM or SIGINT; requests that run get `GRACE_S` seconds to end."""
    import uvicorn

    configure_logging(log_level)
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        lifespan="on",
    )
    uvicorn.Server(config).run(sockets=[listener])


def configure_logging(level: str) -> None:
    """Log JSON lines to standard error: one event a line, whatever the text in it."""
    import sys

    import structlog

    chosen = getattr(logging, level.upper())
    logging.basicConfig(
        level=max(chosen, logging.WARNING), stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s", force=True
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(chosen),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
