"""What `slotbeam doctor` looks at. Nothing here changes anything."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Callable

from slotbeam.cli.doctor.finding import BAD, GOOD, WARN, Finding
from slotbeam.cli.doctor.store import examine_last_good, examine_store
from slotbeam.embedded.record import read_record
from slotbeam.errors import SetupError, SlotbeamError, StoreError
from slotbeam.settings import Settings

ROOM = 64 << 20
"""Bytes of disk from which on nothing is wrong yet."""


def examine(settings: Settings) -> list[Finding]:
    """Run every check; a check that fails does not keep the others from running."""
    checks: list[tuple[str, Callable[[Settings], list[Finding]]]] = [
        ("python", lambda s: [Finding("python", *_python(s))]),
        ("artifact", lambda s: [Finding("artifact", *_artifact(s))]),
        ("data directory", lambda s: [Finding("data directory", *look_at_directory(s))]),
        ("store", _store),
        ("data plane", lambda s: [Finding("data plane", *_plane(s, "data"))]),
        ("control plane", lambda s: [Finding("control plane", *_plane(s, "admin"))]),
    ]
    findings: list[Finding] = []
    for name, check in checks:
        try:
            findings += check(settings)
        except SlotbeamError as error:
            findings.append(Finding(name, BAD, str(error)))
        except OSError as error:
            findings.append(Finding(name, BAD, f"{error}; look at the rights and the disk behind it"))
        except Exception as error:
            findings.append(Finding(name, BAD, f"{type(error).__name__}: {error}. This is a bug."))
    return findings


def _python(_: Settings) -> tuple[str, str]:
    from slotbeam import __version__

    return GOOD, f"{sys.version.split()[0]}, slotbeam {__version__}, {os.cpu_count()} cores"


def _artifact(settings: Settings) -> tuple[str, str]:
    from slotbeam.language.fold import RUNNING
    from slotbeam.search.artifact import Artifact

    artifact = Artifact.load(settings.artifact)
    reserved = sum(artifact.kae.codebook.reserved_counts)
    made, runs = artifact.folding.made_by, RUNNING
    found = f"{artifact.name}: {len(artifact.catalog)} items, {reserved} reserved slots, every hash matches"
    found += f"; language {artifact.folding.language}, normaliser {made.normalizer}, ICU {made.icu}"
    if made == runs:
        return GOOD, found
    here = f"this process reads with normaliser {runs.normalizer} and ICU {runs.icu}"
    return WARN, f'{found}; {here}: some words may not be found in it; make the index again ("slotbeam index")'


def look_at_directory(settings: Settings, wanted: int = ROOM) -> tuple[str, str]:
    """Look at the data directory: whether it can be written, and has `wanted` bytes left."""
    path = settings.data_dir
    if not path.exists():
        return WARN, f'{path} does not exist yet; "slotbeam up" makes it'
    if not os.access(path, os.W_OK):
        return BAD, f"{path} cannot be written; change its owner, or set SLOTBEAM_DATA_DIR to another directory"
    free = shutil.disk_usage(path).free
    if free < wanted:
        return BAD, f"{path} has {free >> 20} MiB left; free some: on a full disk edits are refused"
    record = read_record(path)
    return GOOD, f"{path}, used by process {record['pid']}" if record else f"{path}, no `up` runs on it"


def _store(settings: Settings) -> list[Finding]:
    """Look at the store, its replicas and the last-known-good files; at these alone when no store answers."""
    from slotbeam.embedded.address import store_url
    from slotbeam.embedded.server import find_binary

    try:
        codebook = _codebook(settings)
    except SlotbeamError:
        return [Finding("store", WARN, "not looked at: which bindings are its own, the artifact would say")]
    try:
        return asyncio.run(_ask_store(store_url(settings.redis_url, settings.data_dir), settings, codebook))
    except SetupError:
        store = Finding("store", GOOD, f"none runs; `slotbeam up` would start {find_binary()}")
    except StoreError as error:
        store = Finding("store", BAD, str(error))
    return [store, Finding("last known good", *examine_last_good(settings.data_dir, codebook, None))]


async def _ask_store(url: str, settings: Settings, codebook: str) -> list[Finding]:
    from slotbeam.bindings.store.store import Store
    from slotbeam.cli.doctor.items import examine_items
    from slotbeam.cli.doctor.words import examine_words
    from slotbeam.language.fold import Folding
    from slotbeam.search.artifact import INDEX, LANGUAGE

    store = Store(url, ca=settings.redis_ca)
    try:
        findings = [*await examine_store(store, codebook), *await examine_items(store)]
        listing = await store.read(codebook)
    finally:
        await store.close()
    words = examine_words(listing, Folding.load(settings.artifact / INDEX / LANGUAGE)) if listing else []
    return [*findings, *words, Finding("last known good", *examine_last_good(settings.data_dir, codebook, listing))]


def _codebook(settings: Settings) -> str:
    from slotbeam.search.artifact import read_manifest

    return str(read_manifest(settings.artifact)["model"]["codebook_sha"])


def _plane(settings: Settings, plane: str) -> tuple[str, str]:
    from slotbeam.cli.client import PlaneClient, plane_url

    url = plane_url(settings, plane)
    try:
        with PlaneClient(url) as client:
            answer = client.call("GET", "/readyz").json()
    except SlotbeamError as error:
        return WARN, str(error)
    status = answer.get("status", "ready")
    return (GOOD if status == "ready" else WARN), f"{url} is {status}"
