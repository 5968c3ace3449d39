"""`DATA_DIR/tokens.json`: further tokens of the control plane, as hashes; `slotbeam tokens` writes it.

Not in the store: who can write bindings there cannot make themselves a token, and a control plane whose store is gone
still knows its callers. A secret has 256 random bits, so one SHA-256 of it is enough: there is nothing to guess.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slotbeam.errors import InputError, NotFound, SetupError
from slotbeam.files import PRIVATE, locked, write_whole

SCOPES = (
    *("slots:read", "slots:write", "slots:draft", "slots:publish"),
    *("items:read", "items:write", "indexes:read", "indexes:write"),
)
DRAFT, PUBLISH, WRITE = "slots:draft", "slots:publish", "slots:write"
"""To say what bindings and rules are; to say that they count, or no longer; both."""
MAX_TOKENS = 64
LIVE_PER_NAME = 2
MAX_DAYS = 3650
ADMIN = "admin"
RESERVED = (ADMIN, "expiry")
"""Names that the audit gives to the admin token and to the control plane itself."""

_NAME = re.compile(r"(?!t_)[a-z0-9][a-z0-9._-]{0,31}")  # no name looks like an id
_DAY_S = 86_400


def effective(scopes: Iterable[str]) -> frozenset[str]:
    """Return `scopes` and what they amount to: `slots:write` is `slots:draft` and `slots:publish` together."""
    given = frozenset(scopes)
    both = WRITE in given or {DRAFT, PUBLISH} <= given
    return given | {DRAFT, PUBLISH, WRITE} if both else given


@dataclass(frozen=True)
class Token:
    """One row of the file.

    Attributes:
        name: whom the token was made for; two live ones may share it, so that one can replace the other.
        sha256: of the secret's bytes, hex.
        scopes: what it may do.
        created_at, expires_at: unix seconds; None is unknown, never.
    """

    name: str
    sha256: str
    scopes: tuple[str, ...]
    created_at: int | None = None
    expires_at: float | None = None

    @property
    def id(self) -> str:
        """Names the token in lists, the audit and messages; tells nothing of the secret."""
        return "t_" + self.sha256[:12]

    def live(self, now: float) -> bool:
        return self.expires_at is None or self.expires_at > now


class TokenFile:
    """The tokens of one data directory.

    Args:
        data_dir: made when the first token is.
    """

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / "tokens.json"

    def read(self) -> tuple[Token, ...]:
        """Return every token, expired ones too; none without a file. Raises `SetupError`: unreadable, or not ours."""
        try:
            rows = json.loads(self.path.read_bytes())["tokens"]
            return tuple(_token(row) for row in rows)
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise SetupError(
                f"{self.path} cannot be used ({type(error).__name__}); repair it, or remove it and make the tokens anew"
            ) from None

    def create(self, name: str, scopes: Sequence[str], days: int | None, now: float) -> tuple[Token, str]:
        """Make a token. Returns it and its secret, which is kept nowhere. Expired tokens are dropped on the way.

        Args:
            name: whom it is for.
            scopes: at least one of `SCOPES`.
            days: how long it lives; None is until it is revoked.
            now: unix seconds.

        Raises:
            InputError: a name, scope or time that is not allowed, or too many tokens.
            SetupError: the file cannot be read or written.
        """
        if not _NAME.fullmatch(name) or name in RESERVED:
            raise InputError(
                f'the name is "{name[:64]}"; allowed: 1 to 32 of a-z 0-9 . _ - from a letter or digit on, '
                f"but {', '.join(RESERVED)} and t_…"
            )
        unknown = [scope for scope in scopes if scope not in SCOPES]
        if unknown or not scopes:
            raise InputError(
                f"scope is {', '.join(scope[:32] for scope in unknown) or 'missing'}; allowed: {', '.join(SCOPES)}"
            )
        if days is not None and not 1 <= days <= MAX_DAYS:
            raise InputError(f"days is {days}; allowed: 1 to {MAX_DAYS}")
        secret = "sbt_" + secrets.token_urlsafe(32)
        made = Token(
            name,
            hashlib.sha256(secret.encode()).hexdigest(),
            tuple(scope for scope in SCOPES if scope in scopes),
            int(now),
            None if days is None else int(now) + days * _DAY_S,
        )
        with self._locked():
            kept = [token for token in self.read() if token.live(now)]
            same = [token.id for token in kept if token.name == name]
            if len(same) >= LIVE_PER_NAME:
                raise InputError(f"{name} has {len(same)} live tokens already: {', '.join(same)}; revoke one first")
            if len(kept) >= MAX_TOKENS:
                raise InputError(f"there are {len(kept)} live tokens, the most allowed; revoke one first")
            self._write([*kept, made])
        return made, secret

    def revoke(self, which: str, every: bool = False) -> list[Token]:
        """Remove the token with this id or name. Returns what was removed; it is refused from the next request on.

        Args:
            which: an id or a name.
            every: a name's two tokens, too.

        Raises:
            NotFound: there is none.
            InputError: two tokens have this name and `every` is not set.
            SetupError: the file cannot be read or written.
        """
        with self._locked():
            tokens = self.read()
            gone = [token for token in tokens if which in (token.id, token.name)]
            if not gone:
                raise NotFound('no token has this id or name; "slotbeam tokens list" names every one')
            if len(gone) > 1 and not every:
                raise InputError(
                    f"{which} has {len(gone)} tokens: {', '.join(token.id for token in gone)}; name one, or give --all"
                )
            self._write([token for token in tokens if token not in gone])
        return gone

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Let in one writer at a time: what another command adds meanwhile is not lost."""
        with contextlib.ExitStack() as held:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                held.enter_context(locked(self.path.parent / "tokens.lock"))
            except OSError as error:
                raise self._unwritable(error) from None
            yield

    def _write(self, tokens: Sequence[Token]) -> None:
        """Replace the file, whole or not at all, mode 0600, on disk when this returns."""
        rows = [
            {name: value for name, value in vars(token).items() if value is not None} | {"scopes": list(token.scopes)}
            for token in tokens
        ]
        text = json.dumps({"tokens": rows}, indent=1) + "\n"
        try:
            write_whole(self.path, text.encode(), durable=True, mode=PRIVATE)
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> SetupError:
        aid = "; run this as the service's own user" if isinstance(error, PermissionError) else ""
        return SetupError(f"{self.path} cannot be written ({error.strerror}){aid}")


def _token(row: Any) -> Token:
    """Read one row, strictly: what is not understood must not widen what a token may do, or for how long."""
    expires_at, created_at = row.get("expires_at"), row.get("created_at")
    for moment in (expires_at, created_at):
        if moment is not None and (type(moment) not in (int, float) or not math.isfinite(moment)):
            raise ValueError("a time is not a number")
    if len(bytes.fromhex(row["sha256"])) != 32:
        raise ValueError("not a SHA-256")
    scopes = tuple(scope for scope in SCOPES if scope in list(row["scopes"]))
    return Token(str(row["name"]), row["sha256"].lower(), scopes, created_at, expires_at)
