"""What `slotbeam doctor` asks of a bindings store, of its replicas, and of the last-known-good files. Read only."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from redis.exceptions import NoPermissionError, RedisError, ResponseError

from slotbeam.bindings.listing import Listing
from slotbeam.bindings.replica.lastgood import beside, file_name, folder, load_file, second
from slotbeam.bindings.store.replies import ask_clock, ask_info
from slotbeam.bindings.store.store import HEARTBEAT_TTL_MS, Store
from slotbeam.cli.console import counted
from slotbeam.cli.doctor.finding import BAD, GOOD, WARN, Finding
from slotbeam.errors import StoreError, StoreUnavailable
from slotbeam.search.snapshot import ServingState

SKEW_MS = (1_000, 30_000)
"""A clock that is further off is worth knowing; one that is further off than the second is wrong."""
NEARLY_FULL = 0.8
"""Share of `maxmemory` from which on it is worth knowing."""
SHOWN = 5
NOT_ASKED = (
    "this user of the store may not ask for replicas, durability, memory, role and clocks; "
    "run the doctor with SLOTBEAM_REDIS_URL as the control plane has it"
)


async def examine_store(store: Store, codebook_sha: str) -> list[Finding]:
    """Ask everything of the store. Raises `StoreUnavailable` when it does not answer at all."""
    listing = await store.read(codebook_sha)
    findings = [Finding("store", *_contents(store, listing)), Finding("items", *await _items(store, listing))]
    try:
        beats = await store.replicas()
    except StoreUnavailable as error:
        if not isinstance(error.__cause__, NoPermissionError):
            raise
        return [*findings, Finding("replicas", WARN, NOT_ASKED)]
    findings.append(Finding("replicas", *_replicas(listing, beats)))
    checks: dict[str, Callable[[], Awaitable[tuple[str, str]]]] = {
        "durability": lambda: _durability(store),
        "store memory": lambda: _memory(store),
        "store role": lambda: _role(store),
        "clocks": lambda: _clocks(store, beats),
    }
    for name, check in checks.items():
        try:
            findings.append(Finding(name, *await check()))
        except ResponseError as error:
            findings.append(Finding(name, WARN, f"the store does not tell ({error}); ask who runs it"))
        except (RedisError, OSError) as error:
            findings.append(Finding(name, WARN, f"the store did not answer ({type(error).__name__})"))
        except StoreError as error:
            findings.append(Finding(name, WARN, str(error)))
    return findings


def examine_last_good(data_dir: Path, codebook_sha: str, listing: Listing | None) -> tuple[str, str]:
    """Check whether what replicas would boot from is whole, and what the store holds.

    Args:
        listing: of the store; None when there is none to compare with.
    """
    whole, problems, behind = [], [], []
    for role in ("admin", "data"):
        newest = beside(folder(data_dir) / file_name(role, codebook_sha))
        revisions: dict[int, str] = {}
        for path in (file for one in newest for file in (one, second(one)) if file.exists()):
            try:
                _, good, lost = load_file(path)
            except (OSError, ValueError) as error:
                problems.append(f"{path.name}: {error}")
                continue
            if lost:
                problems.append(f"{path.name}: {len(lost)} item lists cannot be read")
            if path not in newest:
                continue
            age = _age(max(0.0, time.time() - path.stat().st_mtime))
            whole.append(f"{path.name} revision {good.listing.revision}, written {age} ago")
            same = listing is None or (good.listing.epoch, good.listing.state) == (listing.epoch, listing.state)
            revisions[good.listing.revision] = "" if same else path.name
        # Of several processes the newest is booted from; one that runs no more leaves an old file.
        if listing is not None and (name := revisions.get(max(revisions, default=0))):
            behind.append(f"{name} is not what the store holds at revision {listing.revision}")
    if problems:
        advice = "its replica writes it anew with the next revision; keep a copy of the other generation until then"
        return BAD, f"{'; '.join(problems)}: {advice}"
    if not whole:
        mark = WARN if listing is not None and listing.records else GOOD
        return mark, f"{folder(data_dir)} holds none of this artifact"
    return (WARN if behind else GOOD), "; ".join([*whole, *behind])


def _contents(store: Store, listing: Listing | None) -> tuple[str, str]:
    if listing is None:
        return GOOD, f"{store.name}: no bindings yet"
    where = (
        f"{store.name}: epoch {listing.epoch}, revision {listing.revision}, {counted(len(listing.records), 'binding')}"
    )
    if not listing.verify():
        return BAD, f'{where}; they do not add up to its state: "slotbeam slots restore --from last-good --dry-run"'
    if not listing.logged():
        return BAD, f'{where}; its log ends with something else: "slotbeam slots restore --from last-good --dry-run"'
    if listing.malformed:
        unread = _some(sorted(listing.malformed))
        return BAD, f"{where}; cannot be read: {unread}: upgrade slotbeam here, or restore a backup"
    return GOOD, where


async def _items(store: Store, listing: Listing | None) -> tuple[str, str]:
    wanted = {} if listing is None else {binding.items: binding for binding in listing.bindings.values()}
    _, failed = await store.items(wanted)
    if failed:
        words = _some([f'"{wanted[sha].words[0]}"' for sha in sorted(failed)])
        return BAD, f"the item lists of {words} are gone or were changed: name their items again, or restore a revision"
    return GOOD, f"{counted(len(wanted), 'item list')}, every hash matches"


def _replicas(listing: Listing | None, beats: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Name who serves something else than the store says."""
    revision = listing.revision if listing else 0
    live = [beat for beat in beats if beat.get("state") == ServingState.LIVE]
    other = [beat for beat in beats if beat.get("state") != ServingState.LIVE]
    wrong = [f"{beat['id']} is {beat.get('state')} at revision {beat['revision']}" for beat in other]
    behind = [beat for beat in live if beat["revision"] != revision]
    wrong += [f"{beat['id']} is at revision {beat['revision']}, not {revision}" for beat in behind]
    wrong += [f"{beat['id']} leaves out {_some(sorted(beat['failed']))}" for beat in beats if beat["failed"]]
    wrong += [
        f"{beat['id']} cuts {_some(sorted(cut))}: bind narrower words" for beat in beats if (cut := beat.get("cut"))
    ]
    active: dict[object, set[object]] = {}
    for beat in beats:
        if beat["revision"] == revision:
            active.setdefault(beat.get("codebook"), set()).add(beat.get("active"))
    if any(len(digests) > 1 for digests in active.values()):
        wrong.append("replicas of one codebook disagree on what is active: compare their clocks")
    if wrong:
        return WARN, f"{len(beats)} live; {'; '.join(wrong)}"
    return GOOD, f"{len(beats)} live at revision {revision}"


async def _durability(store: Store) -> tuple[str, str]:
    durable = await store.durability()
    facts = await ask_info(store, "persistence")
    if facts.get("loading", "0") != "0":
        return WARN, "the store still loads its data; try again"
    if facts.get("aof_enabled", "0") != "0" and facts.get("aof_last_write_status", "ok") != "ok":
        return BAD, "the store's last write to its append-only file failed: look at its disk"
    if not durable.ok:
        return WARN, f"an acknowledged edit may be lost: {durable.why}"
    if facts.get("aof_last_bgrewrite_status", "ok") != "ok":
        return WARN, f"durable ({durable.how}); the last rewrite of the append-only file failed: look at its disk"
    return GOOD, f"durable ({durable.how})"


async def _memory(store: Store) -> tuple[str, str]:
    facts = await ask_info(store, "memory")
    used, limit = int(facts.get("used_memory", 0)), int(facts.get("maxmemory", 0))
    policy = facts.get("maxmemory_policy", "unknown")
    said = f"{used / 2**20:.1f} MiB" + (f" of {limit / 2**20:.1f}" if limit else ", no limit")
    if policy != "noeviction":
        return BAD, f'{said}; {policy} may evict bindings: set "maxmemory-policy noeviction"'
    if limit and used > NEARLY_FULL * limit:
        return WARN, f"{said}; at the limit edits are refused: raise maxmemory"
    return GOOD, f"{said}, {policy}"


async def _role(store: Store) -> tuple[str, str]:
    facts = await ask_info(store, "replication")
    if facts.get("role") not in (None, "master"):
        primary = f"{facts.get('master_host')}:{facts.get('master_port')}"
        return BAD, f"a read-only replica of {primary}: edits are refused; point SLOTBEAM_REDIS_URL at the primary"
    copies = int(facts.get("connected_slaves", 0))
    if copies:
        return WARN, f"primary with {copies} replicas; one that is promoted may lack the last edits: replicas then hold"
    return GOOD, "primary, no replicas"


async def _clocks(store: Store, beats: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Compare the store's clock with this machine's and each replica's, which decide when a binding starts and ends."""
    began = time.time()
    replicas = [str(beat["id"]) for beat in beats]
    now_ms, told = await ask_clock(store, replicas)
    ended = time.time()
    here_ms = min(max(now_ms, began * 1000), ended * 1000)  # the clock here, when the store read its own
    off = {"this machine": here_ms - now_ms}
    for replica, (beat, left_ms) in zip(replicas, told, strict=True):
        if isinstance(beat.get("at"), int) and left_ms > 0:
            off[replica] = beat["at"] + HEARTBEAT_TTL_MS - left_ms - now_ms
    worst = max(abs(ms) for ms in off.values())
    if worst <= SKEW_MS[0]:
        return GOOD, f"{len(off)} clocks within {SKEW_MS[0] / 1000:g} s of the store's"
    shown = ", ".join(f"{name} {ms / 1000:+.1f} s" for name, ms in off.items() if abs(ms) > SKEW_MS[0])
    mark = BAD if worst > SKEW_MS[1] else WARN
    return mark, f"off the store's clock: {shown}; start times and ends shift: set them by NTP"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")


def _age(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
