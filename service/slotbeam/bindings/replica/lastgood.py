"""The last-known-good file: what a replica boots from when the store is dead.

One line of SHA-256 (hex) over the rest, then canonical JSON. Written to a temporary file, synced, renamed, the
directory synced; the generation before it stays as `<name>.1`. Item lists lie beside it, `<name>.items/<sha>`, each
written once: a revision costs a small file, however many items are bound.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import orjson

from slotbeam.bindings.binding import ItemLists, decode_items, encode_items
from slotbeam.bindings.listing import Listing
from slotbeam.errors import BindingError
from slotbeam.files import PRIVATE, write_whole

FORMAT = 1
_SECOND = ".1"
_NAME = re.compile(r"[a-z]+(-[0-9]+)?-[0-9a-f]{12}(\.1)?", re.ASCII)
KEPT_S = 3600.0
"""An item list that no generation names stays this long: another process may be about to name it."""
_WRITERS = 32
"""Lists that wait for the disk side by side: it syncs many in the time of one, and an import brings thousands."""


@dataclass(frozen=True)
class LastGood:
    """A listing with the item lists that its records name (hash → ids)."""

    listing: Listing
    items: ItemLists


def save(path: Path, codebook_sha: str, good: LastGood, *, durable: bool = True) -> None:
    """Write `good`; the former file becomes the second generation.

    Raises OSError, and ValueError: it holds text that UTF-8 cannot say.

    Args:
        durable: it outlives a power cut once this has returned.
    """
    body = _body(codebook_sha, good.listing)
    lists = _lists(path)
    for directory in (path.parent, lists):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    here = set(os.listdir(lists))
    new = [(lists / sha, encode_items(ids)[1]) for sha, ids in good.items.items() if sha not in here]
    with ThreadPoolExecutor(_WRITERS) as pool:
        list(pool.map(lambda one: write_whole(*one, durable=durable, mode=PRIVATE), new))
    whole = hashlib.sha256(body).hexdigest().encode() + b"\n" + body
    write_whole(path, whole, durable=durable, mode=PRIVATE, former=second(path))
    _collect(path, good.items)


def load(path: Path, codebook_sha: str) -> tuple[LastGood | None, list[str]]:
    """Read the newest generation that is whole. Returns `(it or None, what was wrong with anything)`."""
    problems: list[str] = []
    for candidate in (path, second(path)):
        try:
            codebook, listing = _read(candidate)
            if codebook != codebook_sha:
                raise ValueError("it is of another codebook")
        except FileNotFoundError:
            continue
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            problems.append(f"{candidate.name} cannot be used: {error}")
            continue
        items, lost = _read_lists(_lists(path), listing)
        problems += [f"item list {sha[:12]}… of {candidate.name} cannot be used: {why}" for sha, why in lost.items()]
        return LastGood(listing, items), problems
    return None, problems


def load_newest(path: Path, codebook_sha: str) -> tuple[LastGood | None, bool, list[str]]:
    """Read what was served last in this data directory: by this process, or by another one of its role.

    A process that was never here before has no file, and one that was away long has an old one.

    Returns:
        `(it or None, whether it is in the file of this process, what was wrong with anything)`.
    """
    own, *others = [load(each, codebook_sha) for each in beside(path)]
    problems = [problem for _, found in (own, *others) for problem in found]
    good = max((one for one, _ in (own, *others) if one), key=lambda one: one.listing.revision, default=None)
    return good, good is own[0], problems


def load_file(path: Path) -> tuple[str, LastGood, dict[str, str]]:
    """Read one generation, whatever its codebook.

    Returns:
        `(codebook sha, what it holds, item list hash → why it could not be read)`.

    Raises:
        OSError, ValueError: it cannot be read, or was changed.
    """
    try:
        codebook, listing = _read(path)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error
    items, lost = _read_lists(_lists(path.with_name(path.name.removesuffix(_SECOND))), listing)
    return codebook, LastGood(listing, items), lost


def generations(data_dir: Path) -> list[Path]:
    """List every last-known-good file under `data_dir`, of all roles and codebooks, both generations."""
    return [file for file in sorted(folder(data_dir).glob("[!.]*")) if _NAME.fullmatch(file.name) and file.is_file()]


def folder(data_dir: Path) -> Path:
    """Return where the last-known-good files of a data directory are."""
    return data_dir / "last-good"


def file_name(role: str, codebook_sha: str, process: int = 1) -> str:
    """Return the name of the newest generation of one process of a role, and codebook."""
    return f"{role}-{codebook_sha[:12]}" if process == 1 else f"{role}-{process}-{codebook_sha[:12]}"


def beside(path: Path) -> list[Path]:
    """Return the newest generations of all processes of the role and codebook of `path`, its own first."""
    role, sha = path.name.split("-")[0], path.name.split("-")[-1]
    others = {path.with_name(f"{role}-{sha}"), *path.parent.glob(f"{role}-*-{sha}")} - {path}
    return [path, *sorted(others)]


def second(path: Path) -> Path:
    """Return the older generation's path."""
    return path.with_name(path.name + _SECOND)


def _lists(path: Path) -> Path:
    return path.with_name(path.name + ".items")


def _read_lists(lists: Path, listing: Listing) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    items: dict[str, tuple[str, ...]] = {}
    lost: dict[str, str] = {}
    for sha in {binding.items for binding in listing.bindings.values()}:
        try:
            items[sha] = decode_items(sha, (lists / sha).read_bytes())
        except (OSError, BindingError) as error:
            lost[sha] = str(error)
    return items, lost


def _body(codebook_sha: str, listing: Listing) -> bytes:
    said = {
        "format": FORMAT,
        "codebook": codebook_sha,
        "epoch": listing.epoch,
        "revision": listing.revision,
        "state": listing.state,
        "records": {binding_id: record.decode() for binding_id, record in listing.records.items()},
        "slots": dict(listing.slots),
    }
    try:
        return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise ValueError(str(error)) from error


def _read(path: Path) -> tuple[str, Listing]:
    digest, _, body = path.read_bytes().partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise ValueError("its SHA-256 does not fit")
    data = json.loads(body)
    if data["format"] != FORMAT:
        raise ValueError(f"it is of format {data['format']}; this version of slotbeam reads format {FORMAT}")
    texts = (data["codebook"], data["epoch"], data["state"], *data["slots"].values())
    revision = data["revision"]
    if not all(isinstance(text, str) for text in texts) or type(revision) is not int or revision < 0:
        raise ValueError("a field of it has the wrong type")
    listing = Listing(
        epoch=data["epoch"],
        revision=revision,
        state=data["state"],
        records={binding_id: record.encode() for binding_id, record in data["records"].items()},
        slots=data["slots"],
    )
    if not listing.verify():
        raise ValueError("its records do not add up to its state")
    return data["codebook"], listing


def _collect(path: Path, named: Iterable[str]) -> None:
    """Remove old item lists that neither generation names."""
    too_old = time.time() - KEPT_S
    keep = set(named)
    with os.scandir(_lists(path)) as files:
        unnamed = [file for file in files if file.name not in keep and file.stat().st_mtime < too_old]
    if not unnamed:
        return
    try:
        _, _, body = second(path).read_bytes().partition(b"\n")
        keep.update(json.loads(record)["items"] for record in json.loads(body)["records"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    for file in unnamed:
        if file.name not in keep:
            Path(file.path).unlink(missing_ok=True)
