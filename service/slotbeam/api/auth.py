"""Bearer tokens of the control plane: constant-time comparison of digests, scopes, one answer for every failure.

The admin token (every scope) is `SLOTBEAM_ADMIN_TOKEN`, else `DATA_DIR/admin.token`, made once with mode 0600. Further
tokens are in `DATA_DIR/tokens.json`, as hashes.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.requests import Request

from slotbeam.errors import Forbidden, SetupError, Unauthorized
from slotbeam.settings import Settings

SCOPES = ("slots:read", "slots:write", "items:write")
MIN_TOKEN = 16

_REFUSED = (
    "a valid bearer token is needed: Authorization: Bearer <token>; `slotbeam up` keeps one in DATA_DIR/admin.token"
)


@dataclass(frozen=True)
class Principal:
    """Who sends a request: the token's name, what it may do, and when it ends (unix seconds)."""

    name: str
    scopes: frozenset[str]
    expires_at: float | None = None


def admin_token(settings: Settings) -> str:
    """The token with every scope; made on first use. Raises `SetupError` when it is too short or cannot be kept."""
    if settings.admin_token is not None:
        token = settings.admin_token.get_secret_value()
        if len(token) < MIN_TOKEN:
            raise SetupError(f"SLOTBEAM_ADMIN_TOKEN has {len(token)} characters; give at least {MIN_TOKEN}")
        return token
    path = settings.data_dir / "admin.token"
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            _write_once(path, secrets.token_urlsafe(32) + "\n")
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path} cannot be used ({error}); fix it, or set SLOTBEAM_ADMIN_TOKEN") from None
    if len(token) < MIN_TOKEN:
        raise SetupError(f"{path} holds a token of {len(token)} characters; delete the file to have a new one made")
    return token


class Tokens:
    """Every token that is accepted, by the SHA-256 of its bytes.

    Args:
        settings: where the admin token comes from.
        clock: unix seconds.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._admin = {digest_of(admin_token(settings).encode()): Principal("admin", frozenset(SCOPES))}
        self._path = settings.data_dir / "tokens.json"
        self._read: tuple[tuple[int, int] | None, Mapping[bytes, Principal]] = (None, {})

    def principal(self, request: Request, scope: str) -> Principal:
        """Return who sends `request`, if they may do what `scope` names.

        Raises:
            Unauthorized: no token, two, an unknown, malformed or expired one: the same answer for all.
            Forbidden: the token is good, its scopes are not enough.
        """
        headers = [value for name, value in request.scope["headers"] if name == b"authorization"]
        kind, _, token = headers[0].partition(b" ") if len(headers) == 1 else (b"", b"", b"")
        given = digest_of(token.strip())
        found: Principal | None = None
        for digest, principal in {**self._further(), **self._admin}.items():
            if hmac.compare_digest(digest, given):  # every one is compared: time tells nothing
                found = principal
        expired = found is not None and found.expires_at is not None and found.expires_at <= self._clock()
        if kind.lower() != b"bearer" or found is None or expired:
            raise Unauthorized(_REFUSED)
        if scope not in found.scopes:
            raise Forbidden(
                f"this token may {', '.join(sorted(found.scopes)) or 'nothing'}; {scope} is needed", scope=scope
            )
        return found

    def _further(self) -> Mapping[bytes, Principal]:
        """`tokens.json`, read again whenever it changed; an unreadable file gives no access."""
        try:
            stat = self._path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            if self._read[0] != stamp:
                self._read = (stamp, _parse(json.loads(self._path.read_bytes())))
        except (OSError, ValueError, KeyError, TypeError):
            self._read = (None, {})
        return self._read[1]


def digest_of(token: bytes) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token).digest()


def _parse(data: Any) -> dict[bytes, Principal]:
    return {
        bytes.fromhex(row["sha256"]): Principal(
            str(row["name"]), frozenset(row["scopes"]) & set(SCOPES), row.get("expires_at")
        )
        for row in data["tokens"]
    }


def _write_once(path: Path, text: str) -> None:
    """Create `path` with mode 0600, whole or not at all; another process that was faster wins."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(partial, path)
    finally:
        partial.unlink(missing_ok=True)
