"""What a mutant is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """One textual change of a file under `service/slotbeam`; each text must be there exactly once.

    `five`: one of those that issue and release depend on.
    """

    name: str
    file: str
    changes: tuple[tuple[str, str], ...]
    tests: tuple[str, ...]
    five: bool = False


def one(name: str, file: str, old: str, new: str, *tests: str, five: bool = False) -> Mutation:
    """Return a mutation of one text."""
    return Mutation(name, file, ((old, new),), tests, five)
