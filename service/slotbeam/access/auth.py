"""Bearer tokens of the control plane: constant-time comparison of digests, scopes, a rate, one answer to every failure.

The admin token (every scope) is `SLOTBEAM_ADMIN_TOKEN`, else `DATA_DIR/admin.token`, made once with mode 0600. Further
tokens are in `DATA_DIR/tokens.json`, as hashes (`access/tokens.py`).
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog
from starlette.requests import Request

from slotbeam.access.audit import attempt_of
from slotbeam.access.secret import set_or_kept
from slotbeam.access.tokens import ADMIN, SCOPES, TokenFile, effective
from slotbeam.errors import Forbidden, RateLimited, SetupError, Unauthorized
from slotbeam.settings import Settings

BURST_S = 5.0

_REFUSED = (
    "a valid bearer token is needed: Authorization: Bearer <token>; `slotbeam up` keeps one in DATA_DIR/admin.token"
)

log = structlog.get_logger("slotbeam.admin")


@dataclass(frozen=True)
class Principal:
    """Who sends a request: the token's id and name, what it may do, and when it ends (unix seconds)."""

    id: str
    name: str
    scopes: frozenset[str]
    expires_at: float | None = None


def admin_token(settings: Settings) -> str:
    """Return the token with every scope; made on first use. Raises `SetupError`: it is too short or cannot be kept."""
    path = settings.data_dir / "admin.token"
    return set_or_kept(settings.admin_token, "SLOTBEAM_ADMIN_TOKEN", path, lambda: secrets.token_urlsafe(32))


class Rate:
    """A bucket for each token: `per_s` requests a second, `BURST_S` seconds' worth at once.

    Args:
        per_s: 0 is no limit.
        clock: seconds; one that jumps back only gives nothing for the jump.
    """

    def __init__(self, per_s: float, clock: Callable[[], float]) -> None:
        self.per_s, self._clock = per_s, clock
        self._full = max(1.0, per_s * BURST_S)
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, token: str) -> float:
        """Take one request's worth. Returns 0, or the seconds until there is one."""
        if not self.per_s:
            return 0.0
        now = self._clock()
        left, at = self._buckets.get(token, (self._full, now))
        left = min(self._full, left + max(0.0, now - at) * self.per_s)
        self._buckets[token] = (left - 1 if left >= 1 else left, now)
        return 0.0 if left >= 1 else (1 - left) / self.per_s

    def keep(self, tokens: set[str]) -> None:
        """Forget every token but these."""
        self._buckets = {token: bucket for token, bucket in self._buckets.items() if token in tokens}


class Tokens:
    """Every token that is accepted, by the SHA-256 of its bytes.

    Args:
        settings: where the admin token comes from, and the rate of each token.
        clock: unix seconds.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        digest = hashlib.sha256(admin_token(settings).encode()).digest()
        self._admin = {digest: Principal(ADMIN, ADMIN, frozenset(SCOPES))}
        self._file = TokenFile(settings.data_dir)
        self._read: tuple[tuple[int, ...], Mapping[bytes, Principal]] = ((), self._admin)
        self._rate = Rate(settings.admin_rate, clock)

    def scopes_of(self, token: str) -> frozenset[str]:
        """Return what a token may do, which tells nobody that it is taken: that is `principal`'s to say."""
        found = self._known().get(hashlib.sha256(token.encode()).digest())
        return found.scopes if found else frozenset()

    def principal(self, request: Request, *scopes: str) -> Principal:
        """Return who sends `request`, if they may do what one of `scopes` names; note for the audit what was found.

        Raises:
            Unauthorized: no token, two, an unknown, malformed or expired one: the same answer for all.
            RateLimited: the token is good and was used too often.
            Forbidden: the token is good, its scopes are not enough, or a browser says that another site asks.
        """
        attempt = attempt_of(request)
        attempt.scope, attempt.why = scopes[0], None
        headers = [value for name, value in request.scope["headers"] if name == b"authorization"]
        kind, _, token = headers[0].partition(b" ") if len(headers) == 1 else (b"", b"", b"")
        given = hashlib.sha256(token.strip()).digest()
        caller: Principal | None = None
        for digest, principal in self._known().items():
            if hmac.compare_digest(digest, given):  # every one is compared: time tells nothing
                caller = principal
        if kind.lower() != b"bearer" or not token.strip():
            attempt.why = "malformed" if headers else "missing"
        elif caller is None:
            attempt.why = "unknown"
        else:
            attempt.token, attempt.name = caller.id, caller.name
            if caller.expires_at is not None and caller.expires_at <= self._clock():
                attempt.why = "expired"
        if caller is None or attempt.why:
            raise Unauthorized(_REFUSED)
        wait_s = self._rate.take(caller.id)
        if wait_s:
            attempt.why = "rate"
            raise RateLimited(
                f"token {caller.name} may send {self._rate.per_s:g} requests a second; send fewer, "
                "or raise SLOTBEAM_ADMIN_RATE",
                retry_after_s=math.ceil(wait_s),
            )
        if caller.scopes.isdisjoint(scopes):
            attempt.why = "scope"
            raise Forbidden(
                f"this token may {', '.join(sorted(caller.scopes)) or 'nothing'}; {scopes[0]} is needed",
                scope=scopes[0],
            )
        site = request.headers.get("sec-fetch-site", "none")
        if request.method not in ("GET", "HEAD") and site not in ("none", "same-origin"):
            attempt.why = "site"
            raise Forbidden("a page of another site sent this; edits are taken from the same origin or from no browser")
        return caller

    def _known(self) -> Mapping[bytes, Principal]:
        """Return the admin token and those of the file, read again when it changed; an unreadable file adds none."""
        try:
            stat = self._file.path.stat()
            stamp: tuple[int, ...] = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        except OSError:
            stamp = ()
        if stamp != self._read[0]:
            further: dict[bytes, Principal] = {}
            try:
                for token in self._file.read():
                    principal = Principal(token.id, token.name, effective(token.scopes), token.expires_at)
                    further[bytes.fromhex(token.sha256)] = principal
            except SetupError as error:
                log.error("tokens", error=str(error))
            self._read = (stamp, {**further, **self._admin})
            self._rate.keep({principal.id for principal in self._read[1].values()})
        return self._read[1]
