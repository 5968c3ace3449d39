"""What `slotbeam doctor` looks at. Nothing here changes anything."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

from slotbeam.cli.up import read_record
from slotbeam.errors import SlotbeamError
from slotbeam.settings import Settings

GOOD, WARN, BAD = "✓", "!", "✗"


@dataclass(frozen=True)
class Finding:
    """One line of the check-up: `mark` is ✓ fine, ! worth knowing, or ✗ wrong (then `found` says what to do)."""

    check: str
    mark: str
    found: str


def examine(settings: Settings) -> list[Finding]:
    """Run every check; a check that fails does not keep the others from running."""
    checks: list[tuple[str, Callable[[Settings], tuple[str, str]]]] = [
        ("python", _python),
        ("artifact", _artifact),
        ("data directory", _data_dir),
        ("store", _store),
        ("data plane", lambda s: _plane(s, "data")),
        ("control plane", lambda s: _plane(s, "admin")),
    ]
    findings = []
    for name, check in checks:
        try:
            mark, found = check(settings)
        except SlotbeamError as error:
            mark, found = BAD, str(error)
        except Exception as error:
            mark, found = BAD, f"{type(error).__name__}: {error}. This is a bug."
        findings.append(Finding(name, mark, found))
    return findings


def _python(_: Settings) -> tuple[str, str]:
    from slotbeam import __version__

    return GOOD, f"{sys.version.split()[0]}, slotbeam {__version__}, {os.cpu_count()} cores"


def _artifact(settings: Settings) -> tuple[str, str]:
    from slotbeam.search.artifact import Artifact

    artifact = Artifact.load(settings.artifact)
    reserved = sum(artifact.kae.codebook.reserved_counts)
    return GOOD, f"{artifact.name}: {len(artifact.catalog)} items, {reserved} reserved slots, every hash matches"


def _data_dir(settings: Settings) -> tuple[str, str]:
    path = settings.data_dir
    if not path.exists():
        return WARN, f'{path} does not exist yet; "slotbeam up" makes it'
    if not os.access(path, os.W_OK):
        return BAD, f"{path} cannot be written; change its owner, or set SLOTBEAM_DATA_DIR to another directory"
    record = read_record(path)
    return GOOD, f"{path}, used by process {record['pid']}" if record else f"{path}, no `up` runs on it"


def _store(settings: Settings) -> tuple[str, str]:
    from slotbeam.bindings.server import find_binary, store_url
    from slotbeam.errors import SetupError

    try:
        url = store_url(settings.redis_url, settings.data_dir)
    except SetupError:
        return GOOD, f"none runs; `slotbeam up` would start {find_binary()}"
    return asyncio.run(_ask_store(url))


async def _ask_store(url: str) -> tuple[str, str]:
    from slotbeam.bindings.store import Store

    store = Store(url)
    try:
        head = await store.head()
        durable = await store.durability()
        replicas = await store.replicas()
    finally:
        await store.close()
    where = "no bindings yet" if head is None else f"epoch {head.epoch}, revision {head.revision}"
    behind = [r["id"] for r in replicas if head is not None and r.get("revision") != head.revision]
    found = f"{store.name}: {where}, {len(replicas)} replicas"
    if behind:
        found += f"; not at the revision: {', '.join(behind)}"
    if not durable.ok:
        return WARN, f"{found}; an acknowledged edit may be lost: {durable.why}"
    return (WARN if behind else GOOD), f"{found}; durable ({durable.how})"


def _plane(settings: Settings, plane: str) -> tuple[str, str]:
    from slotbeam.cli.client import Client, plane_url

    url = plane_url(settings, plane)
    try:
        with Client(url) as client:
            answer = client.call("GET", "/readyz").json()
    except SlotbeamError as error:
        return WARN, str(error)
    status = answer.get("status", "ready")
    return (GOOD if status == "ready" else WARN), f"{url} is {status}"
