"""Where the store is: `up` writes its embedded store's socket into the data directory, others read it there."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from slotbeam.errors import SetupError


def socket_file(data_dir: Path) -> Path:
    """Return the file that holds the path of the embedded store's socket."""
    return data_dir / "store" / "socket"


def socket_url(path: str) -> str:
    """Return the URL of the store that listens on the unix socket `path`."""
    return f"unix://{quote(path)}"


def store_url(redis_url: str | None, data_dir: Path) -> str:
    """Return the store that `serve` and `admin` use: SLOTBEAM_REDIS_URL, else the data directory's socket.

    Raises `SetupError` saying what to do when there is neither.
    """
    if redis_url:
        return redis_url
    try:
        path = socket_file(data_dir).read_text(encoding="utf-8").strip()
    except OSError:
        raise SetupError(
            f'no store: {data_dir} holds none; run "slotbeam up", which starts one, or set SLOTBEAM_REDIS_URL'
        ) from None
    if not path:
        raise SetupError(f'no store: {socket_file(data_dir)} is empty; start "slotbeam up" again')
    return socket_url(path)


def is_strict(wanted: bool | None, url: str, data_dir: Path) -> bool:
    """Return whether a commit must be refused when the store at `url` could lose it.

    Unset, that is so for the store that `slotbeam up` keeps in `data_dir`: there it is never meant.
    """
    if wanted is not None:
        return wanted
    try:
        return store_url(None, data_dir) == url
    except SetupError:
        return False
