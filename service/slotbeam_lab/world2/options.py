"""The parameters of world 2; together with the text of everything that makes its bytes they are its identity."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from slotbeam_lab import world
from slotbeam_lab.world.options import WorldOptions

SHARED = ("hashing.py", "invent.py", "options.py", "portable.py")
"""Files of world 1 that world 2 is made with."""


@dataclass(frozen=True, slots=True)
class World2Options(WorldOptions):
    """The same parameters as those of world 1, with world 2's own defaults."""

    items: int = 100_000
    vocabulary_gap: float = 0.8
    requests_per_item: float = 4.0


def generator_hash() -> str:
    """Return the SHA-256 over world 2's files and those of world 1 that it uses (name and bytes)."""
    digest = hashlib.sha256()
    own = [path for path in Path(__file__).parent.iterdir() if path.suffix in (".py", ".toml")]
    for path in sorted(own) + [Path(world.__file__).with_name(name) for name in SHARED]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
