"""A small HTTP client of both planes for the commands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from slotbeam.embedded.record import read_record
from slotbeam.errors import SetupError, SlotbeamError
from slotbeam.settings import Settings

TIMEOUT_S = 30.0


def plane_url(settings: Settings, plane: str, given: str | None = None) -> str:
    """Return the address of `data` or `admin`: as given, of the `up` on this data directory, or by the settings."""
    if given:
        return given.rstrip("/")
    record = read_record(settings.data_dir)
    if record is not None:
        return str(record[plane])
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)
    return f"http://{host}:{settings.port if plane == 'data' else settings.admin_port}"


def admin_token(settings: Settings) -> str:
    """Return the setting, else what DATA_DIR/admin.token holds. Raises `SetupError` saying what to do."""
    if settings.admin_token is not None:
        return settings.admin_token.get_secret_value()
    path: Path = settings.data_dir / "admin.token"
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        raise SetupError(f'no token: {path} cannot be read; start "slotbeam up", or set SLOTBEAM_ADMIN_TOKEN') from None


class Client:
    """Calls one plane. Use as a context manager.

    Args:
        url: of the plane.
        token: sent as a bearer token.

    Raises:
        SetupError: the token cannot be sent; the message does not tell it.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        if token and any(ord(c) < 32 or ord(c) == 127 for c in token):
            raise SetupError("the token holds a control character (a line break?); it must be one line of text")
        headers = {b"Authorization": f"Bearer {token}".encode()} if token else {}
        self.url = url
        # An http URL needs no certificates: reading them takes 20 ms of every command.
        secure = not url.lower().startswith("http:")
        self._http = httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_S, trust_env=False, verify=secure)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send one request.

        Raises:
            SetupError: nothing answers there.
            SlotbeamError: the service refused; the message is its problem document's `detail`, and the whole document
                is in the error's `details`.
        """
        try:
            response = self._http.request(method, path, **request)
        except httpx.TransportError as error:
            raise SetupError(
                f'{self.url} does not answer ({error or type(error).__name__}); start "slotbeam up"'
            ) from None
        if response.is_error:
            try:
                problem = response.json()
                detail = str(problem["detail"])
            except (ValueError, KeyError, TypeError):
                problem, detail = {}, response.text[:300]
            raise SlotbeamError(f"{detail} (HTTP {response.status_code})", status=response.status_code, problem=problem)
        return response


def admin_client(settings: Settings, url: str | None = None) -> Client:
    """Return a client of the control plane with this data directory's token."""
    return Client(plane_url(settings, "admin", url), admin_token(settings))


def data_client(settings: Settings, url: str | None = None) -> Client:
    """Return a client of the data plane."""
    return Client(plane_url(settings, "data", url))
