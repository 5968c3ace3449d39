"""Environment → one frozen `Settings`. Read once, at start; every setting is in docs/operations.md (tested)."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict

from slotbeam.errors import SetupError
from slotbeam.storeurl import STARS, StoreUrl, shown

PREFIX = "SLOTBEAM_"
_ORIGIN = re.compile(r"https?://([a-z0-9]([a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:]+\])(:[1-9][0-9]{0,4})?")
_USUAL_PORT = {"http": ":80", "https": ":443"}
_ALIKE = 0.8
"""Of the letters of a name: from here on it was probably meant to be another one."""
_SERVICE_LINK = re.compile(r"(tcp|udp|sctp)://.*:\d+", re.IGNORECASE)


class Settings(BaseSettings):
    """Every setting is `SLOTBEAM_<NAME>`; times are in seconds unless the name ends in `_MS`, sizes in bytes."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    host: str = Field("127.0.0.1", description="address that both planes listen on")
    port: int = Field(8000, ge=0, le=65535, description="data plane port (0: any free one)")
    admin_port: int = Field(8001, ge=0, le=65535, description="control plane port (0: any free one)")
    data_dir: Path = Field(Path("data"), description="store, tokens, last-known-good bindings, lock")
    artifact: Path = Field(Path("model_artifacts/demo"), description="artifact directory to serve")
    index_dir: Path | None = Field(
        None, description="indexes that can be activated, one directory each, the same for all; unset: DATA_DIR/indexes"
    )
    redis_url: str | None = Field(
        None, repr=False, description="bindings store; unset: `up` starts an embedded one in the data directory"
    )
    redis_ca: Path | None = Field(
        None, description="PEM file of a CA that may sign the store's certificate (rediss://…), beside the system's"
    )
    admin_token: SecretStr | None = Field(
        None, repr=False, description="a token with every scope; unset: written to DATA_DIR/admin.token"
    )
    events_key: SecretStr | None = Field(
        None, repr=False, description="signs request ids, one for all replicas; unset: written to DATA_DIR/events.key"
    )
    replica_id: str | None = Field(
        None, pattern=r"^[A-Za-z0-9._:-]{1,64}$", description="this replica's name; unset: host name and process id"
    )
    strict: bool | None = Field(
        None, description="refuse edits that the store could lose; unset: only where `up` keeps the store"
    )
    processes: int | None = Field(
        None, ge=1, le=256, description="data planes behind the one port; unset: one a core in `up`, 1 in `serve`"
    )
    workers: int = Field(2, ge=1, le=64, description="requests decoded at the same time, each by one thread")
    queue: int = Field(64, ge=1, le=10_000, description="requests that may wait for a worker before 503")
    queue_ms: int = Field(
        1000, ge=1, le=60_000, description="milliseconds that a request may wait for a worker before 503"
    )
    beam_width: int | None = Field(
        None, ge=1, le=1000, description="beam width of the paper's mode; unset: ranges are opened by budget"
    )
    body_limit: int = Field(1_048_576, ge=1024, description="largest accepted body of the data plane")
    admin_body_limit: int = Field(8_388_608, ge=1024, description="largest accepted admin body")
    admin_rate: float = Field(
        100,
        ge=0,
        allow_inf_nan=False,
        description="admin requests a second of each token, five seconds' worth at once (0: any)",
    )
    delta_limit: int = Field(
        200_000, ge=0, le=10_000_000, description="items edited since the index was built at most; one more is 507"
    )
    fold_at: int = Field(
        50_000, ge=0, description="items edited since the index was built from which `up` folds them in (0: never)"
    )
    max_bindings_per_query: int = Field(4, ge=0, le=16, description="pinned groups decoded for one query at most")
    drain_s: float = Field(
        5,
        ge=0,
        le=600,
        allow_inf_nan=False,
        description="seconds after SIGTERM in which /readyz says 503 and requests are still answered (0: none)",
    )
    cors_origins: str | None = Field(
        None, description="origins whose pages may ask the data plane, commas between them, or *; unset: none may"
    )
    search_page: bool | None = Field(
        None, description="a search box at the root of the data plane; unset: only where `up` runs it"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least severe event logged")

    @property
    def origins(self) -> tuple[str, ...]:
        """Those of SLOTBEAM_CORS_ORIGINS; `*` is any."""
        return tuple(each.strip() for each in self.cors_origins.split(",")) if self.cors_origins else ()

    @property
    def indexes(self) -> Path:
        """Where the indexes are that can be activated, each in a directory of its name."""
        return self.index_dir or self.data_dir / "indexes"

    def environment(self, names: Iterable[str]) -> dict[str, str]:
        """Return the settings `names` as environment variables, for a child process."""
        return {PREFIX + name.upper(): text for name in names if (text := self.text(name, reveal=True))}

    def text(self, name: str, reveal: bool = False) -> str:
        """Return a setting as text; unset is empty, a secret (of a URL, too) is starred unless `reveal`."""
        value: Any = getattr(self, name)
        if isinstance(value, SecretStr):
            return value.get_secret_value() if reveal else STARS
        if value is not None and name == "redis_url" and not reveal:
            return shown(value)
        return "" if value is None else str(value)

    @field_validator("redis_url")
    @classmethod
    def _names_a_store(cls, url: str | None) -> str | None:
        if url is not None:
            with _as_value_error():
                StoreUrl.parse(url)
        return url

    @model_validator(mode="after")
    def _names_origins(self) -> Settings:
        for origin in self.origins if self.origins != ("*",) else ():
            if not _ORIGIN.fullmatch(origin) or origin.endswith(_USUAL_PORT[origin.partition(":")[0]]):
                raise ValueError(
                    f"SLOTBEAM_CORS_ORIGINS holds {origin!r}: an origin is http(s)://host or http(s)://host:port as "
                    "browsers write it, in lower case, without the usual port (80, 443) and with nothing behind; any "
                    "origin is * alone"
                )
        return self

    @model_validator(mode="after")
    def _can_check_its_certificate(self) -> Settings:
        with _as_value_error():
            if self.redis_url is not None:
                StoreUrl.parse(self.redis_url).trusting(self.redis_ca)
            elif self.redis_ca is not None:
                given = f"SLOTBEAM_REDIS_CA is {str(self.redis_ca)!r}"
                raise SetupError(f"{given}, but SLOTBEAM_REDIS_URL is not set: set it to rediss://…, or unset both")
        return self


@contextmanager
def _as_value_error() -> Iterator[None]:
    """Turn what is refused inside into what pydantic collects."""
    try:
        yield
    except SetupError as error:
        raise ValueError(str(error)) from None


def read_settings(**flags: Any) -> Settings:
    """Read the environment; `flags` (from a command line) win over it.

    Raises:
        SetupError: names every variable that is wrong, what it holds and what is allowed.
    """
    drop_service_links()
    _warn_of_misspelt()
    try:
        return Settings(**flags)
    except ValidationError as error:
        raise SetupError("; ".join(_said(one) for one in error.errors(include_url=False))) from None


def _said(error: ErrorDetails) -> str:
    """Return what is wrong with a setting, or with several; what may be a secret is not repeated."""
    if error["type"] == "value_error":  # in words of our own
        return str(error["ctx"]["error"])
    name = str(error["loc"][0])
    given = "" if Settings.model_fields[name].repr is False else f" is {str(error['input'])!r}"
    return f"{PREFIX}{name.upper()}{given}: {error['msg']}"


def _warn_of_misspelt() -> None:
    """Warn of each variable that is no setting and looks like one; commands and Kubernetes have further ones."""
    known = [name.upper() for name in Settings.model_fields]
    for variable in sorted(os.environ):
        name = variable.upper().removeprefix(PREFIX)
        if name == variable.upper() or name in known:
            continue
        near = get_close_matches(name, known, 1, _ALIKE)
        if near and not name.endswith(f"_{near[0]}"):  # a flag of a command has a variable, too
            logging.getLogger("slotbeam.settings").warning(
                "%s is no setting, and sets nothing; did you mean %s%s?", variable, PREFIX, near[0]
            )


def drop_service_links() -> None:
    """Forget variables that nobody set: Kubernetes tells a pod of a Service `slotbeam` by `SLOTBEAM_PORT=tcp://…`.

    They leave the environment, so that no flag and no child process reads them either; each is warned of.
    """
    for name, field in Settings.model_fields.items():
        variable = PREFIX + name.upper()
        value = os.environ.get(variable, "")
        if name.endswith("port") and _SERVICE_LINK.fullmatch(value):
            del os.environ[variable]
            logging.getLogger("slotbeam.settings").warning(
                "%s is %r: that is Kubernetes' link to a Service of this name, not a setting; %s is used. "
                'Set "enableServiceLinks: false" in the pod, or give the Service another name',
                variable,
                value,
                field.default,
            )


def sources(settings: Settings, flags: Iterable[str] = ()) -> list[tuple[str, str, str]]:
    """Return (variable, value, source) of every setting; the source is `flag`, `environment` or `default`."""
    flags = set(flags)
    environment = {name.upper() for name, value in os.environ.items() if value}
    listed = []
    for name in type(settings).model_fields:
        variable = PREFIX + name.upper()
        source = "flag" if name in flags else "environment" if variable in environment else "default"
        listed.append((variable, settings.text(name), source))
    return listed
