"""A secret that is set, else made once and kept in a file of the data directory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pydantic import SecretStr

from slotbeam.errors import SetupError
from slotbeam.files import PRIVATE, write_whole

MIN_SECRET = 16


def set_or_kept(setting: SecretStr | None, variable: str, path: Path, make: Callable[[], str]) -> str:
    """Return the secret of `setting`, else the one in `path`, made with mode 0600 on first use.

    Processes that start at once in one directory end with the same secret.

    Args:
        setting: what the environment gave, at least 16 characters; None: look at `path`.
        variable: that the setting is read from, for messages.
        make: returns a new secret.

    Raises:
        SetupError: it is too short, or cannot be kept.
    """
    if setting is not None:
        value = setting.get_secret_value()
        if len(value) < MIN_SECRET:
            raise SetupError(f"{variable} has {len(value)} characters; give at least {MIN_SECRET}")
        return value
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            write_whole(path, make().encode() + b"\n", durable=True, mode=PRIVATE, once=True)
        value = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path} cannot be used ({error}); fix it, or set {variable}") from None
    if len(value) < MIN_SECRET:
        raise SetupError(f"{path} holds only {len(value)} characters; delete the file to have a new one made")
    return value
