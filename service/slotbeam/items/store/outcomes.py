"""What an idempotency key remembers of a commit: a letter an operation, and where its edits begin and end."""

from __future__ import annotations

import json
from collections.abc import Sequence

from slotbeam.bindings.store import replies
from slotbeam.errors import IdempotencyReused
from slotbeam.items.edits import Did, ItemOutcome, ItemsPlan, Operation

_LETTERS = {Did.CREATED: "c", Did.UPDATED: "u", Did.UNCHANGED: "n", Did.DELETED: "d", Did.REFUSED: "r"}


def outcome_text(epoch: str, plan: ItemsPlan, fingerprint: str) -> str:
    """Write what is remembered of a commit: a letter an operation, and where its edits begin and end."""
    letters = "".join(_LETTERS[outcome.did] for outcome in plan.outcomes)
    seqs = {"first": plan.writes[0].seq, "last": plan.writes[-1].seq}
    told = {"did": letters, "epoch": epoch, "fingerprint": fingerprint, **seqs}
    return json.dumps(told, separators=(",", ":"), sort_keys=True)


def read_outcome(raw: bytes | str, idempotency_key: str, fingerprint: str) -> tuple[str, int, int, str]:
    """Read it back: epoch, first and last seq, and the letters. Raises `IdempotencyReused`."""
    seen = replies.json_value(raw)
    if not (
        isinstance(seen, dict)
        and all(type(seen.get(name)) is int for name in ("first", "last"))
        and all(isinstance(seen.get(name), str) for name in ("did", "epoch", "fingerprint"))
        and set(seen["did"]) <= set(_LETTERS.values())
    ):
        raise IdempotencyReused(f'what idempotency key "{idempotency_key}" was used for cannot be read; use a new key')
    if seen["fingerprint"] != fingerprint:
        raise IdempotencyReused(
            f'idempotency key "{idempotency_key}" was used for another request (seq {seen["last"]}); use a new key',
            seq=seen["last"],
        )
    return seen["epoch"], seen["first"], seen["last"], seen["did"]


def told_again(operations: Sequence[Operation], letters: str, first: int) -> tuple[ItemOutcome, ...]:
    """Return what is remembered of each operation: those that wrote did so in order, one seq each."""
    named = {letter: did for did, letter in _LETTERS.items()}
    outcomes = []
    for operation, letter in zip(operations, letters, strict=False):
        did = named[letter]
        outcomes.append(ItemOutcome(operation.id, did, first if did.wrote else None))
        first += did.wrote
    return tuple(outcomes)
