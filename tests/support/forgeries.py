"""The kinds of bad stores; see `forging`. Each docstring says what was done to the store."""

from __future__ import annotations

import random
from dataclasses import replace

from support.forging import FORGERIES, NO_REVISION, OTHER_TYPES, World, flipped, forgery, other_records, random_digest

__all__ = ["FORGERIES"]
Worlds = list[World]

# ---------------------------------------------------------------- records and their digest


@forgery()
def record_flipped(worlds: Worlds, rng: random.Random) -> World:
    """Bytes of a record."""
    now = worlds[-1]
    key = rng.choice(sorted(now.records))
    return replace(now, records={**now.records, key: flipped(now.records[key], rng)})


@forgery()
def records_other(worlds: Worlds, rng: random.Random) -> World:
    """One added, removed or replaced."""
    return replace(worlds[-1], records=other_records(worlds[-1], rng))


@forgery()
def records_swapped(worlds: Worlds, rng: random.Random) -> World:
    """Two ids with each other's record."""
    now = worlds[-1]
    one, two = rng.sample(sorted(now.records), 2)
    return replace(now, records={**now.records, one: now.records[two], two: now.records[one]})


@forgery()
def record_swallowed(worlds: Worlds, rng: random.Random) -> World:
    """A record that holds the next id and record: the digest of all stays what it was."""
    now = worlds[-1]
    at = rng.randrange(len(now.records) - 1)
    one, two = sorted(now.records)[at : at + 2]
    records = {**now.records, one: now.records[one] + b"\n" + two + b"\n" + now.records[two]}
    del records[two]
    return replace(now, records=records)


@forgery()
def record_under_no_text(worlds: Worlds, rng: random.Random) -> World:
    """An id that is no UTF-8."""
    now = worlds[-1]
    key = rng.choice(sorted(now.records))
    records = {other: record for other, record in now.records.items() if other != key}
    return replace(now, records={**records, b"\xff" + rng.randbytes(3) + key: now.records[key]})


@forgery()
def records_gone(worlds: Worlds, rng: random.Random) -> World:
    """None, and meta says there are some."""
    return replace(worlds[-1], records={}).with_meta(rev=worlds[-1].revision + rng.randint(0, 9))


@forgery()
def records_of_before(worlds: Worlds, rng: random.Random) -> World:
    """Those of another revision."""
    return replace(worlds[-1], records=rng.choice(worlds[1:-1]).records)


@forgery()
def state_other(worlds: Worlds, rng: random.Random) -> World:
    """A state that is of other records, or none at all."""
    now, before = worlds[-1], rng.choice(worlds[:-1])
    states: list[bytes | str] = [
        before.meta[b"state"],
        random_digest(rng),
        now.meta[b"state"].upper(),
        flipped(now.meta[b"state"], rng),
    ]
    states += [b"", b"\xff\xfe", now.meta[b"state"] + b"0", now.meta[b"state"][:-1]]
    return now.with_meta(state=rng.choice(states))


@forgery()
def state_other_and_logged(worlds: Worlds, rng: random.Random) -> World:
    """A next revision whose log entry and meta agree on a state that the records have not."""
    now = worlds[-1]
    return now.with_meta(rev=now.revision + rng.randint(1, 9), state=random_digest(rng)).logged()


# ---------------------------------------------------------------- revisions


@forgery(alone=False)
def known_revision_rewritten(worlds: Worlds, rng: random.Random) -> World:
    """Other records at the revision that is served, whole in itself."""
    return replace(worlds[-1], records=other_records(worlds[-1], rng)).sealed()


@forgery()
def known_revision_rewritten_past_the_log(worlds: Worlds, rng: random.Random) -> World:
    """The same, but the log tells of what was there before."""
    return replace(worlds[-1], records=other_records(worlds[-1], rng)).digested()


@forgery(alone=False)
def older_store(worlds: Worlds, rng: random.Random) -> World:
    """The store as it was at an earlier revision, whole."""
    return rng.choice(worlds[:-1])


@forgery(alone=False)
def older_store_edited(worlds: Worlds, rng: random.Random) -> World:
    """An older revision that never was, in this or another epoch."""
    before = rng.choice(worlds[1:-1])
    epochs: list[bytes | str] = [before.meta[b"epoch"], rng.randbytes(8).hex()]
    epoch = rng.choice(epochs)
    return replace(before, records=other_records(before, rng)).sealed(epoch=epoch)


@forgery()
def lower_number(worlds: Worlds, rng: random.Random) -> World:
    """Meta counts less than the log."""
    return worlds[-1].with_meta(rev=rng.randrange(worlds[-1].revision))


@forgery()
def higher_number(worlds: Worlds, rng: random.Random) -> World:
    """Meta counts more than the log; the records are the true ones."""
    return worlds[-1].with_meta(rev=worlds[-1].revision + rng.choice([1, 2, 1000, 10**9, 2**53, 10**18 - 1]))


@forgery()
def next_without_log(worlds: Worlds, rng: random.Random) -> World:
    """A next revision with the right digest that the log does not know."""
    now = replace(worlds[-1], records=other_records(worlds[-1], rng))
    return now.digested().with_meta(rev=now.revision + rng.randint(1, 9))


@forgery()
def next_with_another_log(worlds: Worlds, rng: random.Random) -> World:
    """A next revision whose log entry is of another revision, epoch or state, or has none of these."""
    now = replace(worlds[-1], records=other_records(worlds[-1], rng))
    made = now.sealed(rev=now.revision + rng.randint(2, 9))
    entry_id, entry = made.log[-1]
    past = made.revision
    kinds = [(f"{number}".encode(), entry) for number in (f"{past - 1}-0", f"{past + 1}-0", f"{past}-1")]
    kinds += [(entry_id, {**entry, b"epoch": b"e-other"}), (entry_id, {**entry, b"state": random_digest(rng).encode()})]
    kinds += [(entry_id, {k: v for k, v in entry.items() if k != name}) for name in (b"epoch", b"state")]
    kinds += [(entry_id, {**entry, name: b"\xff\xff"}) for name in (b"epoch", b"state")]
    return replace(made, log=(*made.log[:-1], rng.choice(kinds)))


@forgery()
def log_without_records(worlds: Worlds, rng: random.Random) -> World:
    """A log entry for a revision that nothing else tells of."""
    now = worlds[-1]
    entry = now.with_meta(rev=now.revision + rng.randint(1, 99)).logged(state=random_digest(rng)).log
    return replace(now, log=entry)


@forgery(alone=False)
def fork(worlds: Worlds, rng: random.Random) -> World:
    """A split brain that went on: the log tells of another state at the revision that is served."""
    before, now = worlds[-2], worlds[-1]
    theirs = replace(before, records=other_records(before, rng)).sealed(rev=now.revision)
    for _ in range(rng.randint(1, 3)):
        theirs = replace(theirs, records=other_records(theirs, rng)).sealed(rev=theirs.revision + 1)
    return theirs


@forgery(alone=False)
def fork_without_state(worlds: Worlds, rng: random.Random) -> World:
    """The log has the revision that is served, without its state, and a later one that is whole."""
    now = worlds[-1]
    entry_id, entry = now.log[-1]
    bare = {name: value for name, value in entry.items() if name != b"state"}
    made = replace(now, log=(*now.log[:-1], (entry_id, bare)), records=other_records(now, rng))
    return made.sealed(rev=now.revision + rng.randint(1, 3))


# ---------------------------------------------------------------- epochs


@forgery(alone=False)
def epoch_of_another_store(worlds: Worlds, rng: random.Random) -> World:
    """A store that is no restore and has grown past what is served, or begins at or below it."""
    now = replace(worlds[-1], records=other_records(worlds[-1], rng))
    began = rng.choice([None, 0, 1, worlds[-1].revision, rng.randrange(worlds[-1].revision + 1)])
    return now.sealed(epoch=rng.randbytes(8).hex(), rev=now.revision + rng.randint(1, 2000), began=began)


@forgery(alone=False)
def epoch_that_began_never(worlds: Worlds, rng: random.Random) -> World:
    """A beginning that is no number, or lies after the revision itself."""
    now = replace(worlds[-1], records=other_records(worlds[-1], rng))
    revision = now.revision + 1000
    garbage = [b"", b"-1", b"1e9", b"1006.5", b"\xff", b"9" * 5000, b"9" * 19, str(revision + 1).encode()]
    return now.sealed(epoch=rng.randbytes(8).hex(), rev=revision, began=rng.choice(garbage))


@forgery()
def epoch_other(worlds: Worlds, rng: random.Random) -> World:
    """Another epoch at the revision that is served, or at a higher one, past the log."""
    now = worlds[-1]
    revision = now.revision + rng.choice([0, 1, 1000])
    return now.with_meta(epoch=rng.choice([rng.randbytes(8).hex().encode(), b"\xff\xff"]), rev=revision, began=revision)


# ---------------------------------------------------------------- meta


@forgery()
def meta_field_missing(worlds: Worlds, rng: random.Random) -> World:
    """No epoch, revision or state."""
    return worlds[-1].with_meta(**{rng.choice(["epoch", "rev", "state"]): None})


@forgery()
def meta_revision_garbage(worlds: Worlds, rng: random.Random) -> World:
    """A revision that is no number, or none that a stream can have."""
    return worlds[-1].with_meta(rev=rng.choice(NO_REVISION))


@forgery()
def meta_gone(worlds: Worlds, rng: random.Random) -> World:
    """No meta; with or without the rest."""
    now = replace(worlds[-1], meta={})
    return rng.choice([now, replace(now, records={}, slots={}, log=())])


@forgery(alone=False)
def begun_anew(worlds: Worlds, rng: random.Random) -> World:
    """Emptied, and given an epoch again."""
    now = worlds[-1]
    anew = World(now.codebook, now.meta, {}, {}, ()).with_meta(epoch=rng.randbytes(8).hex(), rev=0).digested()
    for _ in range(rng.randrange(3)):
        anew = replace(anew, records={**anew.records, **dict([rng.choice(sorted(now.records.items()))])})
        anew = anew.sealed(rev=anew.revision + 1)
    return anew


@forgery(refused=True)
def key_of_another_type(worlds: Worlds, rng: random.Random) -> World:
    """A string, a list or a set where a hash or the stream should be."""
    now = worlds[-1]
    return replace(
        now, types={rng.choice(["meta", "binding", f"slots:{now.codebook}", "log"]): rng.choice(OTHER_TYPES)}
    )


# ---------------------------------------------------------------- slots (no digest is over them)


@forgery(alone=False)
def slots_other(worlds: Worlds, rng: random.Random) -> World:
    """At the revision that is served: moved, swapped, taken away, given twice, to nobody, or no slot at all."""
    now = worlds[-1]
    slot, other = rng.sample(sorted(now.slots), 2)
    key, neighbour = now.slots[slot], now.slots[other]
    rest = {name: owner for name, owner in now.slots.items() if name != slot}
    free = next(name for name in (b"1-4", b"1-5", b"1-6", b"1-7", b"2-7") if name not in now.slots)
    made = [rest, {**rest, free: key}, {**now.slots, free: key}, {**now.slots, slot: neighbour, other: key}]
    made += [{**now.slots, slot: neighbour}, {**now.slots, slot: b"b_nobody"}, {**rest, b"\xff": key}, {}]
    made += [{**now.slots, slot: b"\xff\xff"}, {**rest, b"9" * 5000 + b"-1": key}, {**now.slots, b"-1--1": key}]
    return replace(now, slots=rng.choice(made))
