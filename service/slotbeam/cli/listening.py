"""Sockets to listen on, and what processes that answer requests log."""

from __future__ import annotations

import logging
import socket
from contextlib import suppress
from typing import TextIO, cast

from slotbeam.errors import SetupError

BACKLOG = 1024


def listen(host: str, port: int, variable: str) -> socket.socket:
    """Bind and listen; port 0 takes any free one. Raises `SetupError` naming `variable` when it cannot."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        # asyncio turns Nagle's delay off only for sockets that say they are TCP: else a body waits 40 ms for an ACK.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
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


class _Patient:
    """A stream that loses a line rather than the request that logs it: the disk behind it may be full."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def configure_logging(level: str) -> None:
    """Log JSON lines to standard error: one event a line, whatever the text in it."""
    import sys

    import structlog
    from structlog.typing import Processor

    chosen = getattr(logging, level.upper())
    stamps: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendering: list[Processor] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    libraries = logging.StreamHandler(sys.stderr)
    libraries.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=stamps,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    logging.basicConfig(level=max(chosen, logging.WARNING), handlers=[libraries], force=True)
    structlog.configure(
        processors=[*stamps, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(chosen),
        # A line and its end in one write: workers share the stream, and it may be unbuffered.
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, _Patient(sys.stderr))),
        cache_logger_on_first_use=True,
    )
