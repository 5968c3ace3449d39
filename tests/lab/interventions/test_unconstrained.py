"""Decoding without a trie equals brute force over all SIDs, and what holds no item is lost."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("bm25s")

from slotbeam.decode.beam import beam_search
from slotbeam.trie.build import build_trie
from slotbeam_lab.interventions import unconstrained
from slotbeam_lab.interventions.unconstrained import EverySid, FreeDecoder, TrieDecoder, paper_system
from slotbeam_lab.measures.run import Asked
from support.models import PrefixModel, exhaustive
from support.setups import make_setup
from support.shop import make_items, make_shop
from support.training import make_log

SIZES = (4, 3, 5)
ALL = np.array(list(product(*(range(size) for size in SIZES))))


@pytest.mark.parametrize("coarse", [False, True])
def test_a_full_beam_is_brute_force_over_all_sids(coarse: bool) -> None:
    model, every = PrefixModel(SIZES, 3, coarse), EverySid(SIZES)
    beams = beam_search(model, (1, 2), every, 1000)
    wanted = exhaustive(model, (1, 2), ALL)
    assert [tuple(sid) for sid in every.sids(beams.states).tolist()] == [sid for _, sid in wanted]
    assert beams.logp.tolist() == pytest.approx([logp for logp, _ in wanted], abs=1e-5)


@pytest.mark.parametrize("width", [1, 2, 7, 20])
def test_a_narrow_beam_is_that_over_the_trie_of_all_sids(width: int) -> None:
    model, every, trie = PrefixModel(SIZES, 5), EverySid(SIZES), build_trie(ALL)
    free, bound = beam_search(model, (9,), every, width), beam_search(model, (9,), trie, width)
    assert every.sids(free.states).tolist() == trie.sids(bound.states - trie.levels[-2]).tolist()
    assert free.logp.tolist() == bound.logp.tolist()


def test_sids_without_an_item_are_dropped_and_counted() -> None:
    model, held = PrefixModel(SIZES, 3), ALL[::4]
    trie = build_trie(held)
    decoder = FreeDecoder(model, trie)
    beams = decoder.search((1, 2), 12)
    best = exhaustive(model, (1, 2), ALL)
    known = {tuple(sid) for sid in held.tolist()}
    free = beam_search(model, (1, 2), build_trie(ALL), 12)  # the beam may lose what brute force has
    assert len(free.states) == decoder.decoded == 12
    found = [tuple(sid) for sid in trie.sids(beams.states - trie.levels[-2]).tolist()]
    assert set(found) <= known
    assert found == [sid for _, sid in best if sid in set(found)]
    assert decoder.lost == 12 - len(found)
    assert decoder.lost_share == pytest.approx(decoder.lost / 12)


def test_in_the_trie_the_same_beam_loses_nothing() -> None:
    model, trie = PrefixModel(SIZES, 3), build_trie(ALL[::4])
    decoder = TrieDecoder(model, trie)
    beams = decoder.search((1, 2), 12)
    assert len(beams.states) == 12
    assert beams.states.tolist() == beam_search(model, (1, 2), trie, 12).states.tolist()
    assert decoder.lost == 0


def test_items_come_by_sid_then_popularity_at_most_five_of_a_sid(tmp_path: Path) -> None:
    shop = make_shop(tmp_path, 400, beam_width=1000)
    decoder = FreeDecoder(shop.model, shop.trie)
    answer = paper_system(shop, decoder)(Asked("red mug"), 1000)
    codes = int(np.prod(shop.kae.codebook.sizes))
    assert decoder.decoded == codes, "the beam holds every SID"
    assert decoder.lost == codes - shop.trie.n_leaves
    (memory,) = shop.model.encode([shop.inputs.build("red mug", shop.kae.encode("red mug").sid)])
    wanted = []
    assert isinstance(shop.model, PrefixModel)
    for _, sid in exhaustive(shop.model, memory, shop.catalog.sids):
        rows = [row for row in range(400) if tuple(shop.catalog.sids[row].tolist()) == sid]
        wanted += [shop.catalog.ids[row] for row in sorted(rows, key=lambda row: -shop.catalog.prior[row])[:5]]
    assert len(wanted) < 400, "some SID holds more than five"
    assert answer == wanted


def test_it_is_built_from_the_artifact_of_kae(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    items = make_items(60)
    built = unconstrained.build(make_setup(tmp_path, items, make_log(items, 30)))
    assert 0 < built.facts["sids_without_item"] <= 1
    assert len(set(built.search(Asked("red mug"), 20))) <= 20
    assert built.artifact is not None
