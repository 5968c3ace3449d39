"""Words that an older normaliser wrote are read by today's: nothing is lost, and no record is written anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis

from slotbeam.bindings.binding import Binding, active_digest, state_digest
from slotbeam.bindings.edits.wanted import bind, update, wanted_of
from slotbeam.bindings.listing import Listing
from slotbeam.bindings.recovery.backup import from_revision, newest_last_good
from slotbeam.bindings.recovery.restore import plan_restore, restore
from slotbeam.bindings.replica.compiling import compile_listing
from slotbeam.bindings.rereading import clashes, reread
from slotbeam.bindings.store.store import Store
from slotbeam.cli.doctor.finding import GOOD, WARN
from slotbeam.cli.doctor.words import examine_words
from slotbeam.errors import WordTaken
from slotbeam.language.fold import RUNNING
from slotbeam.language.normalize import normalize
from slotbeam.search.artifact import Artifact
from slotbeam.types import Slot
from support.lexical import ENGLISH
from support.live import NOW, binds, make_binding, make_listing, until, watching, write

S4, S5, S6 = Slot(1, 4), Slot(1, 5), Slot(1, 6)
IDS = ("i001", "i002")
GUARD_S = 20.0

FOUND = [
    ("men \u0301s", "men´s jacket", "an acute accent for an apostrophe was a space and an accent"),
    ("men \u0301s", "men's", "and is found by an apostrophe"),
    ("men \u0301s", "mens", "and by none"),
    ("levi \u0301s", "Levi’s", "a typographic one"),
    ("kids' bike", "kids' bike", "an apostrophe at the end of a word"),
    ("kids' bike", "KIDS BIKE", "and none"),
    ("wh\u20101000xm5", "WH\u20111000XM5", "a hyphen that does not break, as it was pasted"),
    ("wh\u20101000xm5", "wh-1000xm5", "and the hyphen of a keyboard"),
    ("usb\u2013c hub", "usb-c hub", "an en dash"),
    ("usb\u2013c hub", "usb\u2013c hub", "as it was"),
    ("usb\u2014c hub", "usb-c hub", "an em dash"),
    ("\u221220 jacke", "\u221220 Jacke", "a minus sign"),
    ("\u221220 jacke", "-20 jacke", "and the hyphen that people type for it"),
    ("i\u0307stanbul", "\u0130STANBUL", "a capital with a dot"),
    ("i\u0307stanbul", "istanbul", "and a small letter"),
    ("\u0451лка", "\u0401лка", "ё"),
    ("\u0451лка", "елка", "written as е"),
    ("1\u20442 inch", "½ inch", "a fraction in one character"),
    ("1\u20442 inch", "1/2 inch", "and in three"),
    ("11\u20442 cup", "1½ cup", "a mixed number"),
    ("11\u20442 cup", "1 1/2 cup", "with a space"),
    ("5\u00d77 frame", "5×7 frame", "a sign of multiplication"),
    ("5\u00d77 frame", "5x7 frame", "and an x"),
    ("5 x 7 frame", "5x7 frame", "spaces around it"),
    ("barnes &amp; noble", "barnes & noble", "an entity of HTML"),
    ("salt and pepper", "salt & pepper", "a sign for and"),
    ("salt and pepper", "salt and pepper", "as it was"),
    ("rock \u0301n \u0301roll", "rock´n´roll", "two accents"),
    ("\u0643\u0640\u062a\u0627\u0628", "\u0643\u062a\u0627\u0628", "tatweel"),
    ("\u06a9\u062a\u0627\u0628", "\u0643\u062a\u0627\u0628", "a Persian kaf"),
    ("\u0639\u0644\u06cc", "\u0639\u0644\u064a", "a Persian yeh"),
    ("\u05e9\u05b8\u05dc\u05d5\u05b9\u05dd", "\u05e9\u05dc\u05d5\u05dd", "points of Hebrew"),
    ("caf\u00e9 \u0301s", "Café´s", "an accent in the word, and one after it"),
    ("labubu", "LABUBU", "what reads as it always did"),
    ("拉布布", "拉布布挂件", "CJK"),
]
NOT_FOUND = [
    ("men \u0301s", "women´s", "a part of a word"),
    ("men \u0301s", "menu salt", "only its beginning"),
    ("levi \u0301s", "leviathan", "only its beginning"),
    ("kids' bike", "kids", "only a word of it"),
    ("wh\u20101000xm5", "wh-1000xm4", "another model"),
    ("usb\u2013c hub", "usb hub", "a word is missing"),
    ("\u221220 jacke", "200 jacken sack", "another number"),
    ("i\u0307stanbul", "istanbullu kart", "a longer word"),
    ("\u0451лка", "полка", "another word"),
    ("1\u20442 inch", "1 inch", "another number"),
    ("1\u20442 inch", "12 inch", "digits without the stroke"),
    ("11\u20442 cup", "1/2 cup", "a part of a number"),
    ("5\u00d77 frame", "5x70 frame", "another number"),
    ("barnes &amp; noble", "barnes", "a word alone"),
    ("salt and pepper", "pepper and salt", "another order"),
    ("labubu", "lafufu", "another word"),
]
"""(word as the first version of the normaliser stored it, query, why)."""


def triggered(shop: Artifact, listing: Listing, query: str) -> list[str]:
    compiled = compile_listing(shop, listing, {b.items: IDS for b in listing.bindings.values()}, NOW)
    assert not compiled.failed
    return [one.pinned.id for one in compiled.overlay.match(normalize(query), 4, shop.is_another_word)]


@pytest.mark.parametrize(("stored", "query", "why"), FOUND)
def test_a_word_of_before_is_found_by_what_people_type(shop: Artifact, stored: str, query: str, why: str) -> None:
    binding = make_binding(stored)
    assert triggered(shop, make_listing({S4: binding}), query) == [binding.id], why


@pytest.mark.parametrize(("stored", "query", "why"), NOT_FOUND)
def test_and_by_nothing_else(shop: Artifact, stored: str, query: str, why: str) -> None:
    assert triggered(shop, make_listing({S4: make_binding(stored)}), query) == [], why


@pytest.mark.parametrize("stored", sorted({stored for stored, *_ in FOUND}))
def test_its_record_stays_what_it_is_byte_for_byte(shop: Artifact, stored: str) -> None:
    """The bytes are made here as they were: the word is the first version's, whatever `normalize` makes of it."""
    binding = make_binding(stored, id="b_stored", revision=7, created_at=5)
    record = (
        f'{{"category":"brand","created_at":5,"draft":false,"ends_at":null,"id":"b_stored","item_count":2,"items":'
        f'"{binding.items}","match":false,"near_miss":false,"owner":"","placement":"top","reason":"","revision":7,'
        f'"starts_at":null,"words":["{stored}"]}}'
    ).encode()
    read = Binding.from_record(record)
    assert read.words == (stored,)
    assert read.record() == record
    listing = Listing("e1", 7, state_digest({read.id: record}), {read.id: record}, {"1-4": read.id})
    assert listing.verify()
    compiled = compile_listing(shop, listing, {binding.items: IDS}, NOW)
    assert compiled.digest == active_digest(shop.codebook_sha, {"b_stored": S4})
    assert (dict(listing.records), dict(listing.words)) == ({read.id: record}, {stored: read.id})


ACCENT, PLAIN_WORD = "men \u0301s", "mens"


def two(older: str, newer: str, **fields: Any) -> tuple[Binding, Binding]:
    """The older has the greater id and the higher slot."""
    return make_binding(older, id="b_zzzz", created_at=1, **fields), make_binding(newer, id="b_aaaa", created_at=2)


@pytest.mark.parametrize(
    ("older", "newer", "order"),
    [
        (ACCENT, PLAIN_WORD, ["b_aaaa", "b_zzzz"]),  # the newer is spelt as the query is read
        (PLAIN_WORD, ACCENT, ["b_zzzz", "b_aaaa"]),
        ("men\u2014s", "men\u2013s", ["b_zzzz", "b_aaaa"]),  # neither is
    ],
)
def test_bindings_whose_words_fall_together_are_both_served_the_exact_one_first_then_the_older(
    shop: Artifact, older: str, newer: str, order: list[str]
) -> None:
    one, other = two(older, newer)
    query = "red " + older.replace(" \u0301", "´") + " coat"
    assert triggered(shop, make_listing({S5: one, S4: other}), query) == order


def test_all_that_a_binding_holds_is_served_when_one_of_its_words_reads_empty(shop: Artifact) -> None:
    binding = make_binding("\u0640", "labubu")
    listing = make_listing({S4: binding})
    assert triggered(shop, listing, "labubu") == [binding.id]
    compiled = compile_listing(shop, listing, {binding.items: IDS}, NOW)
    assert compiled.overlay.words == ("\u0640", "labubu")
    [odd] = [one for one in reread([binding]) if one.problem]
    assert odd.stored == odd.reading == "\u0640"
    assert "no visible character" in str(odd.problem)


def test_a_word_that_is_too_long_today_is_served_and_told(shop: Artifact) -> None:
    long = "\u3316" * 30  # what NFKC makes of it is longer than a word may be
    binding = make_binding(long)
    assert triggered(shop, make_listing({S4: binding}), long) == [binding.id]
    [odd] = reread([binding])
    assert "characters in canonical form" in str(odd.problem)


def test_words_of_one_binding_that_fall_together_are_one_word(shop: Artifact) -> None:
    binding = make_binding(ACCENT, PLAIN_WORD)
    assert triggered(shop, make_listing({S4: binding}), "men´s") == [binding.id]
    assert list(clashes(ENGLISH, [binding])) == []


def test_clashes_name_the_newer_the_older_and_why(shop: Artifact) -> None:
    one, other = two(ACCENT, PLAIN_WORD)
    spelt = make_binding("t-shirt", created_at=3), make_binding("tshirt", created_at=4)
    exact = make_binding("resume", exact=True), make_binding("résumé", exact=True)
    draft = make_binding("mens", draft=True)
    found = list(clashes(ENGLISH, [draft, *exact, *spelt, other, one]))
    assert [(c.binding.id, c.word, c.likeness.value, c.older.holder) for c in found] == [
        (other.id, "mens", "is", one.id),
        (spelt[1].id, "tshirt", "is another spelling of", spelt[0].id),
    ]


def test_a_word_that_reads_like_one_of_before_is_taken(shop: Artifact) -> None:
    listing = make_listing({S4: make_binding(ACCENT)})
    with pytest.raises(WordTaken, match=f'"mens" is bound on slot {S4}'):
        bind(shop, replace(wanted_of(make_binding("mens"))), "test", NOW)(listing)


@pytest.mark.parametrize("changes", [{"owner": "toys"}, {"near_miss": True}, {"words": ("mens", "more")}])
def test_edits_of_bindings_that_share_a_word_are_planned_and_keep_what_is_stored(
    shop: Artifact, changes: dict[str, Any]
) -> None:
    """`words` says again what the binding holds, as today's normaliser reads it."""
    one, other = two(ACCENT, PLAIN_WORD)
    listing = make_listing({S5: one, S4: other})
    change = update(shop, one.id, one.etag, lambda before: replace(wanted_of(before), **changes), "test", NOW)(listing)
    after = change.edits[0].after
    assert after is not None
    assert after.words == (ACCENT, "more")[: 2 if "words" in changes else 1]


async def old_store(store: Store, raw: redis.Redis, shop: Artifact) -> dict[str, str]:
    """Bindings as the first version wrote them: no version is named."""
    one, other = two(ACCENT, PLAIN_WORD)
    for binding, slot in ((one, S5), (other, S4), (make_binding("wh\u20101000xm5", "\u0640", id="b_model"), S6)):
        await write(store, shop.codebook_sha, binds(binding, slot))
    raw.hdel("{sb}:meta", "normalizer", "icu")
    return {str(key): str(value) for key, value in raw.hgetall("{sb}:binding").items()}


def read(record: str) -> Binding:
    return Binding.from_record(record.encode())


def serves(watcher: Any, shop: Artifact, query: str) -> list[str]:
    found = watcher.holder.current.overlay.match(normalize(query), 4, shop.is_another_word)
    return [one.pinned.id for one in found]


async def test_a_store_of_before_is_served_from_the_store_from_the_file_and_from_a_backup(
    store: Store, raw: redis.Redis, shop: Artifact, tmp_path: Path
) -> None:
    records = await old_store(store, raw, shop)
    asked = {"men´s": ["b_aaaa", "b_zzzz"], "WH\u20111000XM5": ["b_model"], "women": []}
    async with watching(store, shop, tmp_path) as watcher:
        await until(watcher, lambda: watcher.facts.state == "live" and watcher.facts.revision == 3)
        assert watcher.facts.failed == {}
        assert {query: serves(watcher, shop, query) for query in asked} == asked
        active = watcher.facts.active
    async with watching(Store(f"unix://{tmp_path}/none"), shop, tmp_path) as again:
        assert await again.ready(GUARD_S)
        assert again.facts.active == active
        assert {query: serves(again, shop, query) for query in asked} == asked
    assert raw.hgetall("{sb}:binding") == records, "nobody wrote them anew"
    assert not raw.hexists("{sb}:meta", "normalizer"), "nor said that they were"
    raw.flushall()
    backup = newest_last_good(tmp_path, shop.codebook_sha)
    plan = await plan_restore(store, backup, shop.codebook_sha, tmp_path)
    await restore(store, plan, "test", NOW)
    stamped = {key: replace(read(record), revision=plan.revision) for key, record in records.items()}
    assert {str(key): read(str(record)) for key, record in raw.hgetall("{sb}:binding").items()} == stamped
    async with watching(store, shop, tmp_path, "r2") as restored:
        await until(restored, lambda: restored.facts.revision == plan.revision)
        assert {query: serves(restored, shop, query) for query in asked} == asked


async def test_a_commit_names_the_versions_and_a_restore_takes_the_names_away(
    store: Store, raw: redis.Redis, shop: Artifact, tmp_path: Path
) -> None:
    assert not raw.hexists("{sb}:meta", "normalizer"), "a new store holds no word"
    await write(store, shop.codebook_sha, binds(make_binding("crocs"), S4))
    named = (raw.hget("{sb}:meta", "normalizer"), raw.hget("{sb}:meta", "icu"))
    assert named == (str(RUNNING.normalizer), RUNNING.icu)
    listing = await store.read(shop.codebook_sha)
    assert listing is not None
    assert listing.written_by == named
    await write(store, shop.codebook_sha, binds(make_binding("labubu"), S5))
    backup = await from_revision(store, shop.codebook_sha, 1, tmp_path)
    await restore(store, await plan_restore(store, backup, shop.codebook_sha, tmp_path), "test", NOW)
    assert raw.hmget("{sb}:meta", "normalizer", "icu") == [None, None]


async def test_the_doctor_tells_what_reads_otherwise_what_cannot_be_bound_and_what_falls_together(
    store: Store, raw: redis.Redis, shop: Artifact
) -> None:
    await old_store(store, raw, shop)
    listing = await store.read(shop.codebook_sha)
    assert listing is not None
    words, odd, double = examine_words(listing, ENGLISH)
    assert (words.check, words.mark) == ("words", GOOD)
    assert "written under no version that is named" in words.found
    assert '2 words read otherwise: "wh\u20101000xm5" as "wh-1000xm5"' in words.found
    assert (odd.check, odd.mark) == ("word that cannot be bound", WARN)
    assert "b_model on 1-6: word" in odd.found
    assert (double.check, double.mark) == ("word of two bindings", WARN)
    assert double.found == (
        '"mens" of b_aaaa on 1-4 is "mens" of b_zzzz on 1-5: both are served, first b_aaaa on 1-4; '
        "unbind one, or PATCH the words of one"
    )


def test_the_doctor_has_nothing_to_say_of_words_of_today() -> None:
    listing = make_listing({S4: make_binding("crocs")}, written_by=("2", "78.1"))
    [words] = examine_words(listing, ENGLISH)
    assert words.mark == GOOD
    assert words.found.startswith("written under normaliser 2, ICU 78.1")
    assert words.found.endswith("every word reads as it is stored")
