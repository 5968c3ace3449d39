"""The client of both planes for the commands: it knows where `up` runs, and its token."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from slotbeam import client
from slotbeam.embedded.record import read_record
from slotbeam.errors import SetupError, SlotbeamError
from slotbeam.settings import Settings


def plane_url(settings: Settings, plane: str, given: str | None = None) -> str:
    """Return the address of `data` or `admin`: as given, of the `up` on this data directory, or by the settings."""
    if given:
        return given.rstrip("/")
    record = read_record(settings.data_dir)
    if record is not None:
        return str(record[plane])
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    port = settings.port if plane == "data" else settings.admin_port
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def admin_token(settings: Settings) -> str:
    """Return the setting, else what DATA_DIR/admin.token holds. Raises `SetupError` saying what to do."""
    if settings.admin_token is not None:
        return settings.admin_token.get_secret_value()
    path: Path = settings.data_dir / "admin.token"
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        raise SetupError(f'no token: {path} cannot be read; start "slotbeam up", or set SLOTBEAM_ADMIN_TOKEN') from None


class PlaneClient(client.Client):
    """Calls one plane, each request once: who types a command sees at once what is the matter."""

    def __init__(self, url: str, token: str | None = None) -> None:
        super().__init__(url, token, tries=1)

    def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send one request.

        Raises:
            SetupError: nothing answers there.
            SlotbeamError: the service refused; the whole problem document is in the error's `details`.
        """
        try:
            return super().call(method, path, **request)
        except client.ServiceError as error:
            raise SlotbeamError(str(error), status=error.status, problem=error.problem) from None
        except httpx.TransportError as error:
            raise SetupError(
                f'{self.url} does not answer ({error or type(error).__name__}); start "slotbeam up"'
            ) from None

    def listed(self, path: str, member: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a list that comes in pages answers, with the `member` of all pages. Raises as `call`."""
        answer: dict[str, Any] = self.call("GET", path, params=params).json()
        while answer["next"] is not None:
            page = self.call("GET", path, params={**params, "after": answer["next"]}).json()
            answer = {**page, member: [*answer[member], *page[member]]}
        return answer


def admin_client(settings: Settings, url: str | None = None) -> PlaneClient:
    """Return a client of the control plane with this data directory's token."""
    return PlaneClient(plane_url(settings, "admin", url), admin_token(settings))


def data_client(settings: Settings, url: str | None = None) -> PlaneClient:
    """Return a client of the data plane."""
    return PlaneClient(plane_url(settings, "data", url))
