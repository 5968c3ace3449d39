"""What a replica makes of what it sees."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from slotbeam.bindings.listing import Listing
from slotbeam.bindings.replica.compiling import Compiled, compile_listing
from slotbeam.bindings.replica.overlay import Bound, build_overlay
from slotbeam.bindings.replica.serving import Verdict, judge
from slotbeam.search.artifact import Artifact
from slotbeam.types import Slot
from support.live import NOW, make_binding, make_listing

IDS = ("i001", "i002")
S4, S5, S6 = Slot(1, 4), Slot(1, 5), Slot(1, 6)
A, B = make_binding("a"), make_binding("b")
KNOWN = make_listing({S4: A}, revision=5)


def make_swallowed() -> Listing:
    """A record that holds its neighbour's id and record, and so has the digest of both."""
    both = make_listing({S4: A, S5: B})
    first, second = sorted(both.records)
    record = both.records[first] + b"\n" + second.encode() + b"\n" + both.records[second]
    return replace(both, records={first: record})


@pytest.mark.parametrize(
    ("known", "seen", "verdict"),
    [
        (None, None, Verdict.WAIT),
        (None, KNOWN, Verdict.APPLY),
        (KNOWN, KNOWN, Verdict.SAME),
        (KNOWN, None, Verdict.NO_EPOCH),
        (KNOWN, make_listing({S4: B}, revision=6, known_state=KNOWN.state), Verdict.APPLY),
        (KNOWN, make_listing({S4: B}, revision=9), Verdict.APPLY),
        (KNOWN, make_listing({}, revision=1005, epoch="e2", began=1005), Verdict.APPLY),
        (KNOWN, make_listing({}, revision=1009, epoch="e2", began=1005), Verdict.APPLY),
        (KNOWN, make_listing({}, revision=1005, epoch="e2"), Verdict.DIVERGED),
        (KNOWN, make_listing({}, revision=1005, epoch="e2", began=5), Verdict.DIVERGED),
        (KNOWN, make_listing({}, revision=4), Verdict.REGRESSED),
        (KNOWN, make_listing({}, revision=4, epoch="e2"), Verdict.REGRESSED),
        (KNOWN, make_listing({S4: B}, revision=5), Verdict.DIVERGED),
        (KNOWN, make_listing({S4: A}, revision=5, epoch="e2"), Verdict.DIVERGED),
        (KNOWN, make_listing({S4: B}, revision=6, known_state="another"), Verdict.DIVERGED),
        (KNOWN, replace(make_listing({S4: B}, revision=6), state="tampered"), Verdict.DIVERGED),
        (None, replace(KNOWN, state="tampered"), Verdict.DIVERGED),
        (KNOWN, make_listing({}, revision=1005, epoch="e2", began=1006), Verdict.DIVERGED),
        (KNOWN, replace(KNOWN, slots={"1-5": A.id}), Verdict.DIVERGED),
        (None, replace(KNOWN, newest=("5-0", KNOWN.epoch, KNOWN.state)), Verdict.APPLY),
        (None, replace(KNOWN, newest=("4-0", KNOWN.epoch, KNOWN.state)), Verdict.DIVERGED),
        (None, replace(KNOWN, newest=("5-1", KNOWN.epoch, KNOWN.state)), Verdict.DIVERGED),
        (None, replace(KNOWN, newest=("5-0", "e2", KNOWN.state)), Verdict.DIVERGED),
        (KNOWN, replace(KNOWN, newest=("5-0", KNOWN.epoch, "another")), Verdict.DIVERGED),
        (None, make_listing({}, revision=0, newest=("3-0", "e1", "another")), Verdict.DIVERGED),
        (None, make_listing({}, revision=0), Verdict.APPLY),
        (None, make_swallowed(), Verdict.DIVERGED),
    ],
    ids=[
        *(
            "nothing",
            "first",
            "same",
            "flushed",
            "next",
            "a gap",
            "a restore",
            "edits after it",
            "grown past us",
            "begun at ours",
            "regressed",
            "another store",
        ),
        *("other state", "other epoch", "split brain", "tampered", "tampered at first sight"),
        *("begins later", "other slots", "logged", "logged before", "logged beside", "other epoch in the log"),
        *("other state in the log", "a log without a store", "a new store", "a record in another"),
    ],
)
def test_the_verdict_of_the_protocol(known: Listing | None, seen: Listing | None, verdict: str) -> None:
    assert judge(known, seen) == verdict


def items_of(listing: Listing) -> dict[str, tuple[str, ...]]:
    return {b.items: IDS for b in listing.bindings.values()}


def compiled(shop: Artifact, listing: Listing, **options: Any) -> Compiled:
    return compile_listing(shop, listing, items_of(listing), options.pop("now_ms", NOW), **options)


def test_active_bindings_are_compiled_and_digested(shop: Artifact) -> None:
    scheduled, over = make_binding("b", starts_at=NOW + 1), make_binding("c", ends_at=NOW)
    draft = make_binding("d", draft=True)
    listing = make_listing({S4: A, S5: scheduled, S6: over}, unplaced=[draft])
    found = compiled(shop, listing)
    assert found.active == {A.id: S4}
    assert [pinned.id for pinned in found.overlay.pinned] == [A.id]
    assert {pinned.id for pinned in found.every.pinned} == {A.id, scheduled.id}
    assert found.failed == {}
    assert found.boundary == NOW + 1
    later = compiled(shop, listing, now_ms=NOW + 1, previous=found.every)
    assert later.active == {A.id: S4, scheduled.id: S5}
    assert later.digest != found.digest
    assert later.boundary is None
    assert compiled(shop, listing, now_ms=NOW).digest == found.digest


def test_crossing_a_boundary_rebuilds_nothing(shop: Artifact) -> None:
    scheduled = make_binding("b", starts_at=NOW + 1)
    listing = make_listing({S4: A, S5: scheduled})
    before = compiled(shop, listing)
    after = compiled(shop, listing, now_ms=NOW + 1, previous=before.every)
    pieces = {pinned.id: pinned for pinned in before.every.pinned}
    assert all(pieces[pinned.id] is pinned for pinned in after.overlay.pinned)


def test_a_malformed_record_is_reported_and_its_neighbours_are_served(shop: Artifact) -> None:
    listing = make_listing({S4: A})
    poisoned = replace(listing, records={**listing.records, "b_poison": b'{"id": "b_poison"}', A.id: A.record()})
    found = compiled(shop, replace(poisoned, slots={**listing.slots, "1-5": "b_poison"}))
    assert found.active == {A.id: S4}
    assert found.failed["b_poison"].startswith("NACK:RECORD")


def test_a_binding_that_does_not_build_is_left_out_alone(shop: Artifact) -> None:
    """A slot of another position, and a word that a tampered record holds twice: the older revision keeps it."""
    entity, twin = make_binding("b", revision=2), make_binding("a", revision=3)
    listing = make_listing({S4: replace(A, revision=1), Slot(1, 1): entity, S6: twin})
    found = compiled(shop, listing)
    assert found.active == {A.id: S4}
    assert found.failed[entity.id].startswith("NACK:BUILD")
    assert "not a reserved slot" in found.failed[entity.id]
    assert "'a' is bound by both" in found.failed[twin.id]


def test_a_builder_that_crashes_on_one_record_does_not_take_the_others(shop: Artifact) -> None:
    def build(artifact: Artifact, bounds: Any, previous: Any = None) -> Any:
        if any("b" in bound.words for bound in bounds):
            raise MemoryError("poison")
        return build_overlay(artifact, bounds, previous)

    found = compiled(shop, make_listing({S4: A, S5: B}), build=build)
    assert found.active == {A.id: S4}
    assert found.failed == {B.id: "NACK:BUILD MemoryError: poison"}


def test_a_placement_in_another_codebook_is_a_nack(shop: Artifact) -> None:
    found = compiled(shop, make_listing({S4: A}, unplaced=[B]))
    assert found.active == {A.id: S4}
    assert found.failed[B.id].startswith("NACK:MODEL codebook " + shop.codebook_sha[:12])


def test_a_lost_item_list_is_a_nack(shop: Artifact) -> None:
    other = make_binding("b", ids=["i003"])
    listing = make_listing({S4: A, S5: other})
    found = compile_listing(shop, listing, {A.items: IDS}, NOW, lost={other.items: "it was changed"})
    assert found.active == {A.id: S4}
    assert found.failed == {other.id: "NACK:ITEMS it was changed"}


def test_item_ids_that_the_catalog_does_not_hold_are_no_failure(shop: Artifact) -> None:
    listing = make_listing({S4: A})
    found = compile_listing(shop, listing, {A.items: ("i001", "nope")}, NOW)
    assert found.failed == {}
    assert found.overlay.pinned[0].missing == ("nope",)


def test_a_binding_whose_words_the_artifact_absorbed_is_no_failure_without_a_slot(shop: Artifact) -> None:
    facts = {"words": ["labubu", "la bu bu"], "items_sha": make_binding("labubu").items, "contested": 0}
    absorbed = replace(shop, manifest={**shop.manifest, "model": {"training": {"absorbed": [facts]}}})
    same = make_binding("labubu")
    others = [
        make_binding("labubu", "lafufu"),  # a word that was not absorbed
        make_binding("la bu bu", ids=("i001", "i009")),  # other items since then
        make_binding("labubu", match="live"),  # and those that are to come
    ]
    found = compiled(absorbed, make_listing({}, unplaced=[same, *others]))
    assert set(found.failed) == {other.id for other in others}
    assert found.active == {}
    assert set(compiled(shop, make_listing({}, unplaced=[same])).failed) == {same.id}
    contested = replace(
        shop, manifest={**shop.manifest, "model": {"training": {"absorbed": [{**facts, "contested": 1}]}}}
    )
    assert set(compiled(contested, make_listing({}, unplaced=[same])).failed) == {same.id}
    assert compiled(absorbed, make_listing({S4: same})).active == {same.id: S4}, "where it has a slot, it is served"


def triggered(shop: Artifact, query: str, *bound: Bound) -> list[str]:
    overlay = build_overlay(shop, bound)
    return [found.pinned.id for found in overlay.match(query, 4, shop.is_another_word)]


def test_of_two_words_with_one_fold_the_exact_spelling_goes_first_then_the_older(shop: Artifact) -> None:
    """The older is on the higher slot and has the greater id: neither decides."""
    older = Bound("b_z", S5, ("t-shirt",), IDS, created_at=NOW)
    newer = Bound("b_a", S4, ("tshirt",), IDS, created_at=NOW + 1)
    assert triggered(shop, "red t-shirt", older, newer) == ["b_z"]
    assert triggered(shop, "red tshirt", older, newer) == ["b_a"]
    assert triggered(shop, "red t shirts", older, newer) == triggered(shop, "tshirts", newer, older) == ["b_z"]


def test_of_two_of_one_moment_the_smaller_id_is_the_older(shop: Artifact) -> None:
    bound = Bound("b_b", S4, ("t-shirt",), IDS), Bound("b_a", S5, ("tshirt",), IDS)
    assert triggered(shop, "tshirts", *bound) == ["b_a"]


def test_an_exact_binding_is_found_as_it_is_spelt_only(shop: Artifact) -> None:
    exact, any_spelling = Bound("b_e", S4, ("résumé",), IDS, exact=True), Bound("b_s", S5, ("crème",), IDS)
    found = [triggered(shop, query, exact, any_spelling) for query in ("résumé", "resume", "résumés", "creme")]
    assert found == [["b_e"], [], [], ["b_s"]]
