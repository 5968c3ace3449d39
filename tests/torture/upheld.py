"""`slotbeam up` as the planes of a load: what it keeps running, and the store that it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from slotbeam.embedded.address import store_url
from support.processes import Up
from torture.server import HANG_S


@dataclass
class UpheldPlane:
    """One plane of an `up`, as a writer or a reader of `torture.load` sees it.

    Args:
        name: its replica id, `up-serve` or `up-admin`.
        part: `data` or `admin`, in up.json.
    """

    up: Up
    name: str
    part: str
    leaving: bool = False

    @property
    def url(self) -> str:
        return str(self.up.record[self.part])

    @property
    def token(self) -> str:
        return self.up.token

    @property
    def running(self) -> bool:
        return self.up.process.poll() is None

    @property
    def life(self) -> str:
        return self.name

    @property
    def replicas(self) -> list[str]:
        return [self.name]

    def words(self) -> str:
        """What all of them logged."""
        return self.up.said()[1]


@dataclass
class UpheldStore:
    """The store of an `up`."""

    data_dir: Path

    def client(self) -> redis.Redis:
        """A raw client, past slotbeam, that repeats nothing by itself."""
        url = store_url(None, self.data_dir)
        return redis.Redis.from_url(url, decode_responses=True, socket_timeout=HANG_S, retry=Retry(NoBackoff(), 0))
