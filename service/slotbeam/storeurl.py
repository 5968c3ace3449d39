"""The URL of the bindings store, read in one place: what is allowed, and what may be shown of it.

No message repeats anything of a URL that is wrong: with a password that is not percent-encoded, any part of that may
look like a host, a port or a path.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from slotbeam.errors import SetupError

VARIABLE = "SLOTBEAM_REDIS_URL"
SCHEMES = ("redis", "rediss", "unix")
STARS = "********"
SECRET = ("username", "password")
TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
TLS_CHOICES: dict[str, dict[str, Any]] = {
    "ssl_cert_reqs": {name: name for name in ("required", "optional", "none")},
    "ssl_check_hostname": {"true": True, "false": False},
}
ALLOWED = (
    "redis://[user:password@]host[:port][/0], rediss:// (the same over TLS) or "
    "unix://[user:password@]/run/redis.sock[?db=0]; "
    f"parameters are db, username, password and, over TLS, {', '.join((*TLS_FILES, *TLS_CHOICES))}; "
    "in a password write @ / ? # % and spaces as %40 %2F %3F %23 %25 %20"
)
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+(%25[A-Za-z0-9]+)?\]")


class _Wrong(Exception):
    """What is wrong with a URL, in words that hold nothing of it."""


@dataclass(frozen=True)
class StoreUrl:
    """Where the store is.

    Attributes:
        scheme: `redis`, `rediss` (TLS) or `unix`.
        shown: the URL with stars for user and password.
        host, port: of a server.
        path: of a unix socket.
        db: number of the database.
        username, password: decoded; never in `repr`.
        tls: redis-py's arguments of these names.
    """

    scheme: str
    shown: str
    host: str = ""
    port: int = 6379
    path: str = ""
    db: int = 0
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    tls: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Where the store is, for messages."""
        return (
            f"unix:{self.path}"
            if self.scheme == "unix"
            else f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"
        )

    @classmethod
    def parse(cls, text: str) -> StoreUrl:
        """Read a URL. Raises `SetupError` that names `SLOTBEAM_REDIS_URL`, what is wrong and what is allowed."""
        try:
            return _parse(text)
        except _Wrong as error:
            why = str(error)
        raise SetupError(f"{VARIABLE} (not shown: it may hold a password) cannot be used: {why}. Allowed: {ALLOWED}")

    def trusting(self, ca: Path | None) -> StoreUrl:
        """Return this store, whose certificate the CA in the file `ca` may sign, too. Tries every file of TLS.

        Raises:
            SetupError: `ca` is given without TLS, or a file cannot be used.
        """
        if ca is not None and self.scheme != "rediss":
            raise SetupError(
                f"SLOTBEAM_REDIS_CA is {str(ca)!r}, but {VARIABLE} is not rediss://…: use that, or unset it"
            )
        tls = self.tls if ca is None else {**self.tls, "ssl_ca_certs": str(ca)}
        if not set(tls).intersection(TLS_FILES):
            return self
        context = ssl.create_default_context()
        if "ssl_ca_certs" in tls:
            named = f"ssl_ca_certs in {VARIABLE}" if ca is None else f"SLOTBEAM_REDIS_CA is {str(ca)!r}; it"
            try:
                context.load_verify_locations(tls["ssl_ca_certs"])
            except OSError as error:  # ssl.SSLError is one
                raise SetupError(f"{named} cannot be read ({error}); give a file of certificates in PEM") from None
        if "ssl_certfile" in tls or "ssl_keyfile" in tls:
            try:
                context.load_cert_chain(tls.get("ssl_certfile", ""), tls.get("ssl_keyfile"), password="")
            except OSError as error:
                raise SetupError(
                    f"ssl_certfile and ssl_keyfile in {VARIABLE} cannot be used ({error}); "
                    "give a certificate and its key, both in PEM and the key without a pass phrase"
                ) from None
        return replace(self, tls=tls)


def shown(text: str) -> str:
    """Return a URL with stars for user and password; nothing but stars when it cannot be read."""
    try:
        return StoreUrl.parse(text).shown
    except SetupError:
        return STARS


def _parse(text: str) -> StoreUrl:
    if not text.isprintable() or " " in text:
        raise _Wrong("it holds a space, a line end or a character that cannot be printed")
    scheme, _, rest = text.partition("://")
    if scheme not in SCHEMES:
        raise _Wrong(f"it does not begin with {', '.join(f'{one}://' for one in SCHEMES)}")
    if "#" in rest:
        raise _Wrong('it holds a "#"')
    before, _, query = rest.partition("?")
    authority, slash, path = before.partition("/")
    user, at, where = authority.rpartition("@")
    if "@" in query or ("@" in path and authority):
        raise _Wrong('an "@" stands behind the host, so a password may hold a "/" or a "?"')
    parameters = _parameters(query, scheme)
    name, _, password = user.partition(":")
    secret = {"username": unquote(name), "password": unquote(password)}
    secret |= {parameter: value for parameter, value in parameters.items() if parameter in SECRET}
    # What stands beside a password in the query may be a part of it, too: of one that holds a "&".
    query = STARS if set(parameters).intersection(SECRET) else query
    place = _socket(where, path) if scheme == "unix" else _server(where)
    return StoreUrl(
        scheme=scheme,
        shown=f"{scheme}://{STARS + at if at else ''}{where}{slash}{path}{'?' + query if query else ''}",
        db=_database(parameters.get("db", "" if scheme == "unix" else path)),
        username=secret["username"] or None,
        password=secret["password"] or None,
        tls={
            parameter: TLS_CHOICES.get(parameter, {}).get(value, value)
            for parameter, value in parameters.items()
            if parameter.startswith("ssl_")
        },
        **place,
    )


def _server(where: str) -> dict[str, Any]:
    if "," in where:
        raise _Wrong("it holds several hosts; slotbeam speaks to one server, not to Sentinel or a Cluster")
    host = _HOST.match(where)
    if host is None:
        raise _Wrong("it names no host")
    port = where[host.end() :]
    if port and not (re.fullmatch(":[0-9]{1,5}", port) and 0 < int(port[1:]) < 65536):
        raise _Wrong("the port is no number from 1 to 65535")
    return {"host": unquote(host[0]).strip("[]"), "port": int(port[1:] or 6379)}


def _socket(where: str, path: str) -> dict[str, Any]:
    if where or not path:
        raise _Wrong("a unix socket has a path and no host: unix:///run/redis.sock")
    return {"path": unquote(f"/{path}")}


def _database(text: str) -> int:
    if not re.fullmatch(r"[0-9]{0,9}", text):
        raise _Wrong("the database is no number")
    return int(text or 0)


def _parameters(query: str, scheme: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    allowed = ["db", *SECRET, *([*TLS_FILES, *TLS_CHOICES] if scheme == "rediss" else [])]
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in allowed:
            raise _Wrong("it has a parameter that is unknown, or that needs rediss://")
        if name in parameters:
            raise _Wrong(f"it has the parameter {name} twice")
        if name in TLS_CHOICES and value not in TLS_CHOICES[name]:
            raise _Wrong(f"{name} is none of {', '.join(TLS_CHOICES[name])}")
        parameters[name] = value
    return parameters
