"""A process that asks one data plane as fast as it answers: `python -m torture.asker PORT LIFE COUNT SEED`.

Prints one JSON document: each different answer with how often it came, and what was wrong with single ones.
"""

from __future__ import annotations

import random
import socket
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any

import orjson

from torture.answers import Answer
from torture.history import went_back
from torture.ledger import KINDS
from torture.load import question

HANG_S = 60.0
HEAD = (
    "POST /retrieve HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
)


class Connection:
    """One kept-alive connection. HTTP by hand: a client library takes as long as the answer."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=HANG_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def retrieve(self, asked: Mapping[str, Any]) -> tuple[int, bytes]:
        """Ask, and return the status and the body."""
        body = orjson.dumps(asked)
        head = (
            f"POST /retrieve HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
        )
        self._socket.sendall(head.encode() + b"\r\n" + body)
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._more()
        length = int(data[:end].lower().partition(b"content-length:")[2].split()[0])
        while len(data) < end + 4 + length:
            data += self._more()
        return int(data[9:12]), data[end + 4 :]

    def _more(self) -> bytes:
        data = self._socket.recv(1 << 16)
        if not data:
            raise ConnectionError("the data plane closed the connection")
        return data


def ask(port: int, life: str, count: int, seed: str) -> dict[str, object]:
    """Ask `count` questions of words that may be bound and others that are not."""
    choose = random.Random(seed)
    connection, answers, found, floor = Connection(port), Counter[Answer](), [], dict.fromkeys(KINDS, 0)
    for _ in range(count):
        asked = question(choose)
        status, body = connection.retrieve(asked)
        if status != 200:
            found.append(f"{life} answered {asked} with {status}: {body[:300]!r}")
            continue
        answer = Answer.of(life, asked, orjson.loads(body))
        answers[answer] += 1
        found += [f"{life} went back to {back}" for back in went_back(answer, floor)]
        floor = {kind: max(floor[kind], number) for kind, number in answer.numbers.items()}
    return {"answers": [[times, answer] for answer, times in answers.items()], "found": found}


if __name__ == "__main__":
    _, port, life, count, seed = sys.argv
    sys.stdout.buffer.write(orjson.dumps(ask(int(port), life, int(count), seed)))
