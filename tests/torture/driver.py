"""Sends the model's requests to a real `slotbeam up`, and kills its processes."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx

from support.processes import HANG_S, Up, wait_for

from .model import Expected, Model


@dataclass(frozen=True)
class Write:
    """One request that changes a binding.

    Attributes:
        method: POST, PUT, PATCH or DELETE.
        address: slot or id; empty for POST.
        body: None for DELETE.
        if_match, key: its headers; None leaves one out.
        dry_run: ask only.
    """

    method: str
    address: str = ""
    body: Mapping[str, Any] | None = None
    if_match: str | None = None
    key: str | None = None
    dry_run: bool = False

    def expect(self, model: Model) -> Expected:
        """Do it in the model."""
        options: Any = {"key": self.key, "dry_run": self.dry_run}
        body = self.body or {}
        if self.method == "POST":
            return model.bind(body, **options)
        if self.method == "PUT":
            return model.replace(self.address, body, if_match=self.if_match, **options)
        if self.method == "PATCH":
            return model.patch(self.address, body, if_match=self.if_match, **options)
        return model.unbind(self.address, if_match=self.if_match, **options)


class Driver:
    """The two planes of one `slotbeam up`."""

    def __init__(self, up: Up) -> None:
        self.up = up
        self.data: httpx.Client
        self.admin: httpx.Client
        self.connect()

    def connect(self) -> None:
        """Open new connections: those of a killed process are of no use."""
        self.close()
        token = {"authorization": f"Bearer {self.up.token}"}
        self.data = httpx.Client(verify=False, base_url=self.up.record["data"], timeout=HANG_S)
        self.admin = httpx.Client(verify=False, base_url=self.up.record["admin"], timeout=HANG_S, headers=token)

    def close(self) -> None:
        for name in ("data", "admin"):
            if hasattr(self, name):
                getattr(self, name).close()

    def send(self, write: Write, sent: threading.Event | None = None) -> httpx.Response:
        """Send a write, and wait until every replica serves it; `sent` is set once the request is on its way."""

        def trace(event: str, _: Mapping[str, Any]) -> None:
            if sent is not None and event == "http11.receive_response_headers.started":
                sent.set()

        headers = {"if-match": write.if_match, "idempotency-key": write.key}
        return self.admin.request(
            write.method,
            "/admin/slots" + (f"/{write.address}" if write.address else ""),
            params={"wait": "all", "timeout": "20s", "dry_run": str(write.dry_run).lower()},
            json=write.body,
            headers={name: value for name, value in headers.items() if value is not None},
            extensions={"trace": trace},
        )

    def read(self, path: str) -> dict[str, Any]:
        """Read from the control plane."""
        response = self.admin.get(path)
        assert response.status_code == 200, response.text
        return dict(response.json())

    def search(self, query: str, **body: Any) -> dict[str, Any]:
        """Ask the data plane for everything it finds."""
        response = self.data.post("/retrieve", json={"query": query, "k": 1000, **body})
        assert response.status_code == 200, response.text
        return dict(response.json())

    def empty(self) -> int:
        """Unbind everything. Returns the revision that this leads to."""
        listed = self.read("/admin/slots")
        revision = listed["revision"]
        for view in listed["slots"]:
            if "id" in view:
                response = self.send(Write("DELETE", view["id"], if_match="*"))
                assert response.status_code == 200, response.text
                revision = response.json()["revision"]
        return int(revision)

    # ---------------------------------------------------------------- kill -9

    def kill(self, name: str) -> None:
        """Kill `store`, `serve` or `admin` and return at once."""
        os.kill(self._pid(self.up.record, name), signal.SIGKILL)

    def recover(self, name: str) -> None:
        """Wait until `up` has started what was killed again, and both planes follow the store."""
        dead = self._pid(self.up.record, name)

        def alive_again() -> Mapping[str, Any] | None:
            record = self.up.read()
            return record if record and self._pid(record, name) != dead else None

        self.up.record = wait_for(alive_again)
        self.connect()
        self.settle()

    def settle(self) -> None:
        """Wait until both planes serve what the store holds."""
        for client in (self.data, self.admin):
            wait_for(partial(_ready, client))

    @staticmethod
    def _pid(record: Mapping[str, Any], name: str) -> int:
        return int(record["store_pid"] if name == "store" else record["children"][name])

    def send_amid(self, write: Write, name: str) -> httpx.Response | None:
        """Kill a process while a write is on its way. Returns the answer, None when there was none."""
        answers: list[httpx.Response] = []
        sent = threading.Event()

        def send() -> None:
            with contextlib.suppress(httpx.TransportError):
                answers.append(self.send(write, sent))

        sender = threading.Thread(target=send)
        sender.start()
        assert sent.wait(HANG_S)
        self.kill(name)
        sender.join(HANG_S)
        assert not sender.is_alive()
        return answers[0] if answers else None


def _ready(client: httpx.Client) -> bool:
    """Whether the plane answers, and serves what the store holds."""
    try:
        response = client.get("/readyz")
    except httpx.TransportError:
        return False
    return response.status_code == 200 and response.json()["bindings"]["state"] == "live"
