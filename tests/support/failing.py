"""Failures that are real: the kernel refuses, or the store does, while a block runs."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator

import redis


@contextlib.contextmanager
def no_room() -> Iterator[None]:
    """Inside the block no file of this process grows: a write is refused, as on a full disk (EFBIG)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def refusing(raw: redis.Redis, command: str) -> Iterator[None]:
    """Inside the block the store refuses one command to everybody."""
    raw.execute_command("ACL", "SETUSER", "default", f"-{command}")
    try:
        yield
    finally:
        raw.execute_command("ACL", "SETUSER", "default", f"+{command}")
