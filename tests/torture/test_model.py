"""The model itself: the bytes and digests of the golden files, and the rules that the state machine relies on."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from . import strategies as some
from .model import UNNAMED, Expected, Model, active_of, state_of
from .reading import canonical, looks_like, mixed
from .records import canonical_json, item_list

GOLDEN = Path(__file__).parent.parent / "bindings" / "golden"
ITEMS = {"ids": ["i1", "nowhere"]}


@pytest.fixture
def model() -> Model:
    return Model({"entity": 0, "brand": 1}, {0: range(6, 8), 1: range(4, 6)}, {"i1", "i2", "i3"}, revision=40)


def bound(model: Model, name: str, *words: str, **more: Any) -> Expected:
    """Bind `words`, and call the binding `name`."""
    answer = model.bind({"words": list(words), "category": "brand", "items": ITEMS, **more})
    if not answer.problem:
        model.made(name, 1_795_132_800_000)
    return answer


def test_records_and_digests_are_those_of_the_golden_files() -> None:
    golden = json.loads((GOLDEN / "digests.json").read_text())
    model = Model({"brand": 1}, {1: range(4, 8)}, {"B07", "A1", "é"}, revision=41)
    model.bind(
        {
            "words": ["ＬＡＢＵＢＵ", "拉布布", " labubu"],
            "category": "brand",
            "items": {"ids": ["B07", "é", "A1", "B07"]},
            "ends_at": "2026-12-31T01:00:00+01:00",
            "owner": "toys",
            "reason": 'viral on  20 Nov, "everyone" asks',
        }
    )
    model.made("b_7kq2mzd4xa", 1_795_132_800_000)
    model.bindings["b_7kq2mzd4xa"]["match"] = True  # which the model leaves out
    crocs = json.loads((GOLDEN / "crocs.json").read_bytes())
    assert model.records == {"b_7kq2mzd4xa": (GOLDEN / "labubu.json").read_bytes()}
    assert canonical_json(crocs) == (GOLDEN / "crocs.json").read_bytes()
    assert item_list(())["items"] == crocs["items"]
    assert item_list(model.targets["b_7kq2mzd4xa"])["items"] == golden["items"]
    assert state_of({**model.records, crocs["id"]: canonical_json(crocs)}) == golden["state"]
    assert state_of({}) == golden["empty"]
    assert active_of("c0de", {"b_7kq2mzd4xa": "1-2049", crocs["id"]: "0-7"}) == golden["active"]


def test_a_binding_takes_the_first_free_slot_and_the_next_revision(model: Model) -> None:
    assert model.bind({"words": ["a"], "category": "brand", "items": ITEMS}) == Expected(
        201, revision=41, slot="1-4", id=UNNAMED, etag=f'"{UNNAMED}.41"'
    )
    model.made("b_aaaa", 7)
    assert (model.slots, model.words, model.active()) == ({"1-4": "b_aaaa"}, {"a": "b_aaaa"}, {"b_aaaa": "1-4"})
    assert (model.etag("b_aaaa"), model.counts()) == ('"b_aaaa.41"', {"active": 1, "free": 3})
    assert bound(model, "b_bbbb", "b", slot="1-4").problem == "slot-taken"
    assert bound(model, "b_bbbb", "b").slot == "1-5"
    assert bound(model, "b_cccc", "c").slot == "1-6", "beyond the reserved slots there are overflow slots"
    assert bound(model, "b_dddd", "d", category="entity").slot == "0-6"


def test_a_word_has_one_binding_and_so_has_what_looks_like_it(model: Model) -> None:
    bound(model, "b_aaaa", "coco")
    assert {bound(model, "b_bbbb", word).problem for word in ("coco", "ＣＯＣＯ", "co\u200bco", "сосо")} == {
        "word-taken"
    }
    assert bound(model, "b_bbbb", "сoco").problem == "invalid-binding"  # one Cyrillic letter among Latin ones
    assert model.revision == 41


def test_a_draft_holds_nothing_until_it_is_published(model: Model) -> None:
    assert bound(model, "b_aaaa", "coco", draft=True).slot is None
    assert (model.slots, model.words, model.active(), model.lifecycle("b_aaaa")) == ({}, {}, {}, "draft")
    assert bound(model, "b_bbbb", "coco").slot == "1-4"
    assert model.patch("b_aaaa", {"draft": False}, if_match="*").problem == "word-taken"
    assert model.patch("1-4", {"words": ["crocs"]}, if_match="*").status == 200
    assert model.patch("b_aaaa", {"draft": False}, if_match='"b_aaaa.41"').slot == "1-5"
    assert model.patch("1-5", {"draft": True}, if_match="*").slot is None
    assert model.slots == {"1-4": "b_bbbb"}


def test_only_who_has_read_a_binding_may_edit_it(model: Model) -> None:
    bound(model, "b_aaaa", "coco")
    for edit in (model.unbind, partial(model.patch, body={})):
        assert edit("1-4", if_match=None).problem == "precondition-required"
        assert edit("1-4", if_match='"b_aaaa.40"').problem == "stale-revision"
        assert edit("1-5", if_match="*").problem == "not-found"
        assert edit("1-3", if_match="*").problem == "invalid-binding"
    assert model.patch("1-4", {}, if_match='"x", "b_aaaa.41"').etag == '"b_aaaa.42"'
    assert model.unbind("1-4", if_match='"b_aaaa.42"') == Expected(200, revision=43, slot="1-4", id="b_aaaa")
    assert model.state == state_of({})


def test_a_put_replaces_all_but_id_and_slot_and_a_patch_what_it_names(model: Model) -> None:
    bound(model, "b_aaaa", "coco", owner="toys", placement="only")
    model.patch("1-4", {"items": {"ids": ["i2"]}, "reason": " viral  now ", "placement": None}, if_match="*")
    record = model.bindings["b_aaaa"]
    assert (record["owner"], record["reason"], record["placement"]) == ("toys", "viral now", "only")
    assert (record["item_count"], record["words"]) == (1, ["coco"])
    model.replace("1-4", {"words": ["crocs"], "category": "brand", "items": ITEMS}, if_match="*")
    record = model.bindings["b_aaaa"]
    assert (record["owner"], record["reason"], record["placement"], record["words"]) == ("", "", "top", ["crocs"])
    assert (model.placed, record["created_at"]) == ({"b_aaaa": "1-4"}, 1_795_132_800_000)


def test_a_key_answers_again_and_is_not_for_another_request(model: Model) -> None:
    body = {"words": ["coco"], "category": "brand", "items": ITEMS}
    model.bind(body, key="k")
    model.made("b_aaaa", 7)
    model.unbind("1-4", if_match="*", key="gone")
    assert model.bind(body, key="k") == Expected(201, "", 41, "1-4", "b_aaaa", '"b_aaaa.41"', replayed=True)
    assert model.bind({**body, "owner": "x"}, key="k").problem == "idempotency-key-reused"
    assert model.unbind("1-4", if_match=None, key="gone").replayed
    assert model.unbind("1-5", if_match="*", key="gone").problem == "idempotency-key-reused"
    assert (model.revision, model.bindings) == (42, {})


def test_a_dry_run_says_what_would_be_and_changes_nothing(model: Model) -> None:
    bound(model, "b_aaaa", "coco")
    before = model.records
    body = {"words": ["crocs"], "category": "brand", "items": ITEMS}
    assert model.bind(body, dry_run=True, key="k").slot == "1-5"
    assert model.replace("1-4", body, if_match="*", dry_run=True).slot == "1-4"
    assert model.patch("1-4", {"draft": True}, if_match="*", dry_run=True).slot is None
    assert model.unbind("1-4", if_match="*", dry_run=True).status == 200
    assert model.bind({**body, "words": ["coco"]}, dry_run=True).problem == "word-taken"
    assert (model.revision, model.records, model.keys) == (41, before, {})


def test_a_search_finds_bound_words_leftmost_longest_and_each_binding_once(model: Model) -> None:
    bound(model, "b_aaaa", "crocs", "拉布布", placement="blend")
    bound(model, "b_bbbb", "crocs plush", items={"ids": ["i2", "i3"]})
    found = model.search("ＣＲＯＣＳ  plush crocs 新拉布布 crocsy")
    assert [(entry["id"], entry["word"], entry["span"], entry["items"]) for entry in found.applied] == [
        ("b_bbbb", "crocs plush", [0, 11], 2),
        ("b_aaaa", "crocs", [12, 17], 1),
    ]
    assert (found.placement, found.items) == ("top", frozenset({"i1", "i2", "i3"}))
    hits = [{"id": i, "source": s} for i, s in (("i2", "binding"), ("i1", "binding"), ("i3", "binding"))]
    assert found.fits([*hits, {"id": "i4", "source": "model"}])
    assert not found.fits([{"id": "i4", "source": "model"}, *hits])
    assert not found.fits(hits[:2])
    assert not model.search("mug").fits(hits)
    assert model.search("mug").fits([])


@given(st.sampled_from(some.WORDS), st.sampled_from(some.WORDS))
def test_the_words_of_the_state_machine_are_apart_or_the_same_to_the_eye(one: str, other: str) -> None:
    """No query word is one edit from another's: a near miss would be a match that the model does not predict."""
    a, b = canonical(one), canonical(other)
    assert not mixed(a)
    assert canonical(a) == a
    same = sum(x == y for x, y in zip(a, b, strict=False))
    assert a == b or looks_like(a) == looks_like(b) or same + 2 <= max(len(a), len(b))
