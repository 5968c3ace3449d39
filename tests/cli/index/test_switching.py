"""Indexes are folded, activated and rolled back under load: real processes, nothing lost, torn or refused."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.processes import HANG_S, Up, wait_for

PROBE: dict[str, Any] = {"query": "zorblax", "k": 50, "fields": ["price"]}


def price_of(answer: dict[str, Any]) -> float | None:
    """Return what the probe costs in an answer; None where it was not found."""
    return next((float(item["fields"]["price"]) for item in answer["items"] if item["id"] == "probe"), None)


class Shop:
    """A running `up` whose item `probe` costs one more with each edit; and what was answered meanwhile.

    Attributes:
        prices: seq of an acknowledged edit → the price that it set.
        answers: (index, seq, price) of each answer.
        failed: answers that were none.
    """

    def __init__(self, up: Up) -> None:
        self.up = up
        self.prices: dict[int, float] = {}
        self.answers: set[tuple[str, int, float]] = set()
        self.failed: list[str] = []
        self.stopped = threading.Event()
        self.admin = httpx.Client(base_url=up.record["admin"], headers={"authorization": f"Bearer {up.token}"})
        self.put({"title": "zorblax lamp", "fields": {"price": 0}})

    def put(self, item: dict[str, object]) -> None:
        answer = self.admin.put("/admin/items/probe?wait=all&timeout=60s", json=item, timeout=HANG_S)
        assert answer.status_code in (200, 201), answer.text
        self.prices[answer.json()["seq"]] = float(item["fields"]["price"])  # type: ignore[index]

    def edit(self) -> None:
        """Make it cost one more, again and again."""
        price = 1
        while not self.stopped.is_set():
            answer = self.admin.patch("/admin/items/probe", json={"fields": {"price": price}}, timeout=HANG_S)
            assert answer.status_code in (200, 202), answer.text
            self.prices[answer.json()["seq"]] = price
            price += 1

    def ask(self) -> None:
        with httpx.Client(base_url=self.up.record["data"], timeout=HANG_S) as client:
            while not self.stopped.is_set():
                try:
                    answer = client.post("/retrieve", json=PROBE)
                except httpx.TransportError:  # of the process that was killed
                    continue
                price = price_of(answer.json()) if answer.status_code == 200 else None
                if price is None:
                    self.failed.append(answer.text[:200])
                    continue
                seen = answer.json()["catalog"]
                self.answers.add((seen["index"], seen["seq"], price))

    def torn(self) -> list[tuple[str, int, float]]:
        """Answers whose price is not the one of their seq; an edit that was never acknowledged is not judged."""
        return [one for one in self.answers if one[2] != self.prices[max(seq for seq in self.prices if seq <= one[1])]]

    def cli(self, *arguments: str) -> dict[str, Any]:
        done = self.up.cli("index", *arguments)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout)) if "--json" in arguments else {}

    def killed(self) -> None:
        """Kill one of the data planes, and wait until another one is there."""
        parent = self.up.record["children"]["serve"]
        killed, *_ = _children(parent)
        os.kill(killed, signal.SIGKILL)
        wait_for(lambda: len(_children(parent)) == 2 and killed not in _children(parent))
        wait_for(lambda: len(self.replicas()) == 3)

    def replicas(self) -> list[str]:
        beats = self.admin.get("/admin/replicas", timeout=HANG_S).json()["replicas"]
        return [beat["items"]["index"] for beat in beats if beat["items"]]


def _children(parent: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


@pytest.fixture
def shop(tmp_path: Path, tiny_artifact: Path) -> Iterator[Shop]:
    with Up(tmp_path / "data", tiny_artifact, processes=2) as up:
        shop = Shop(up)
        with contextlib.closing(shop.admin):
            yield shop


@pytest.mark.timeout(300)
def test_under_load_every_answer_is_whole_and_every_edit_is_there_whichever_index_is_served(shop: Shop) -> None:
    with ThreadPoolExecutor(3) as pool:
        running = [pool.submit(work) for work in (shop.edit, shop.ask, shop.ask)]
        try:
            shop.cli("--fold", "--name", "first")
            assert shop.cli("activate", "first", "--json")["did"] == "activated"
            assert shop.replicas() == ["first"] * 3
            assert shop.cli("rollback", "--json")["did"] == "rolled back"
            assert shop.cli("activate", "first", "--json")["did"] == "activated"
            shop.killed()
            assert shop.replicas() == ["first"] * 3, "a process that begins anew serves the active index"
            shop.cli("--fold", "--name", "second")
            assert shop.cli("activate", "second", "--json")["switch"] == 4
        finally:
            shop.stopped.set()
        for work in running:
            work.result(HANG_S)
    assert len({index for index, _, _ in shop.answers}) >= 2
    assert shop.torn() == []
    last = max(shop.prices)
    found = wait_for(lambda: answer if (answer := shop.up.retrieve(**PROBE))["catalog"]["seq"] >= last else None)
    assert (found["catalog"]["index"], price_of(found)) == ("second", shop.prices[last])
    told = shop.cli("list", "--json")
    assert [index["name"] for index in told["indexes"]] == ["second", "first"]
    assert set(shop.failed) == set(), "no request failed"
