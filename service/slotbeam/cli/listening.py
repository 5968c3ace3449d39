"""Sockets to listen on."""

from __future__ import annotations

import socket

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
