"""A process that asks one data plane as fast as it answers: `python -m torture.asker PORT LIFE COUNT SEED`.

Prints one JSON document: each different answer with how often it came, and what was wrong with single ones.
"""

from __future__ import annotations

import random
import socket
import sys
from collections import Counter

import orjson

from torture.history import Answer
from torture.load import BASE, WORDS

HANG_S = 60.0
HEAD = (
    "POST /retrieve HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
)


class Connection:
    """One kept-alive connection. HTTP by hand: a client library takes as long as the answer."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=HANG_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def retrieve(self, query: str) -> tuple[int, bytes]:
        """Ask, and return the status and the body."""
        body = orjson.dumps({"query": query, "k": 12, "beam_width": 8})
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
    connection, answers, found, floor = Connection(port), Counter[Answer](), [], 0
    for _ in range(count):
        query = " ".join([*choose.sample(WORDS, choose.randint(0, 2)), choose.choice(BASE)])
        status, body = connection.retrieve(query)
        if status != 200:
            found.append(f"{life} answered {query!r} with {status}: {body[:300]!r}")
            continue
        answer = Answer.of(life, query, orjson.loads(body))
        answers[answer] += 1
        if answer.revision < floor:
            found.append(f"{life} went back to revision {answer.revision} after {floor}")
        floor = max(floor, answer.revision)
    return {"answers": [[times, answer] for answer, times in answers.items()], "found": found}


if __name__ == "__main__":
    _, port, life, count, seed = sys.argv
    sys.stdout.buffer.write(orjson.dumps(ask(int(port), life, int(count), seed)))
