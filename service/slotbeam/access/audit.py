"""The trail of attempts: one line for each request of `/admin`, accepted or refused, with whose token it carried.

`DATA_DIR/audit.jsonl` holds callers whose token is known, `DATA_DIR/audit-unknown.jsonl` all others: whoever knocks
without a token can push only other strangers out. Each file is bounded; what an edit changed is in `GET /admin/audit`.
"""

from __future__ import annotations

import errno
import json
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from slotbeam.bindings.times import iso
from slotbeam.text import truth

LIMIT_BYTES = 8 * 2**20
GENERATIONS = 4
OUTCOMES = ("accepted", "missing", "malformed", "unknown", "expired", "scope", "rate", "site", "error")
_KEY = "slotbeam.attempt"

log = structlog.get_logger("slotbeam.admin")


@dataclass
class Attempt:
    """What authentication found out about one request.

    Attributes:
        token: id of the known token that it carried.
        name: of that token.
        scope: that the route asks for.
        why: the token was refused: missing, malformed, unknown, expired, scope, rate, site.
        dry_run: whether the request asked for one; None where it could not have edited anything.
        revision: that it committed, now or when its idempotency key was used first; None for any other.
        seq: likewise, of the last item that it edited.
    """

    token: str | None = None
    name: str | None = None
    scope: str | None = None
    why: str | None = None
    dry_run: bool | None = None
    revision: int | None = None
    seq: int | None = None


def attempt_of(request: Request) -> Attempt:
    """Return the attempt that `request` is; authentication fills it in."""
    found = request.scope.setdefault(_KEY, Attempt())
    assert isinstance(found, Attempt)
    return found


class Trail:
    """Appends entries to the two files and counts them.

    Args:
        directory: of the files.
        limit_bytes: a file that reached it is moved to `<name>.1` first, that one to `.2`, up to `GENERATIONS`.
    """

    def __init__(self, directory: Path, limit_bytes: int = LIMIT_BYTES) -> None:
        self.directory, self.limit_bytes = directory, limit_bytes
        self.counts: Counter[str] = Counter(dict.fromkeys(OUTCOMES, 0))
        self.failures = 0
        self._failing = False

    def add(self, attempt: Attempt, at: float, method: str, path: str, status: int, peer: str | None) -> None:
        """Append one entry. A disk that is full is logged and counted and refuses no request."""
        accepted = status < 400
        self.counts["accepted" if accepted else attempt.why or "error"] += 1
        entry = {
            "at": iso(int(at * 1000)),
            "outcome": "accepted" if accepted else "refused" if status < 500 else "failed",
            **asdict(attempt),
            "method": method[:16],
            "path": path[:200],
            "status": status,
            "peer": peer,
        }
        name = "audit.jsonl" if attempt.token else "audit-unknown.jsonl"
        try:
            self._append(self.directory / name, json.dumps(entry).encode() + b"\n")
            self._failing = False
        except OSError as error:
            self.failures += 1
            if not self._failing:
                log.error("the audit cannot be written", file=name, error=str(error.strerror))
            self._failing = True

    def _append(self, path: Path, line: bytes) -> None:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            if os.write(descriptor, line) < len(line):
                os.ftruncate(descriptor, size)  # the next entry must not continue half a line
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(descriptor)
        if size + len(line) >= self.limit_bytes:
            for number in range(GENERATIONS - 1, 0, -1):
                older = path.with_name(f"{path.name}.{number}")
                newer = path.with_name(f"{path.name}.{number - 1}") if number > 1 else path
                if newer.exists():
                    os.replace(newer, older)


class Audit:
    """ASGI middleware: one entry for each request of `/admin`, before its answer leaves.

    Args:
        app: what it stands before.
        trail: where entries go.
        clock: unix seconds.
    """

    def __init__(self, app: ASGIApp, trail: Trail, clock: Callable[[], float] = time.time) -> None:
        self.app, self.trail, self.clock = app, trail, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not (scope["path"] + "/").startswith("/admin/"):
            await self.app(scope, receive, send)
            return
        attempt = scope[_KEY] = Attempt(dry_run=_dry_run(scope))
        client = scope.get("client")
        noted = False

        def note(status: int) -> None:
            nonlocal noted
            if not noted:
                noted = True
                self.trail.add(
                    attempt, self.clock(), scope["method"], scope["path"], status, client[0] if client else None
                )

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                if attempt.dry_run is False and message["status"] < 400:
                    attempt.revision = _number(message, b"x-bindings-revision")
                    attempt.seq = _number(message, b"x-items-seq")
                note(message["status"])
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            note(500)  # no answer began: a bug, or the caller left


def _dry_run(scope: Scope) -> bool | None:
    if scope["method"] in ("GET", "HEAD", "OPTIONS"):
        return None
    return truth(QueryParams(scope["query_string"]).get("dry_run", "false")) is True


def _number(message: Message, header: bytes) -> int | None:
    """Return what a header of an answer to an edit says that it committed."""
    found = [value for name, value in message["headers"] if name.lower() == header]
    return int(found[0]) if found else None
