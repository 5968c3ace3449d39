from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slotbeam.errors import ArtifactError, InputError
from slotbeam.kae.codebook import OVERFLOW, Codebook
from slotbeam.kae.dictionary import Concept, Dictionary
from slotbeam.types import Slot

GOLDEN = Path(__file__).parent / "golden" / "codebook.json"


def picture(codebook: Codebook) -> dict[str, object]:
    """Everything the numbering promises, as JSON."""
    slots = {
        str(slot): [codebook.kind(slot), *codebook.words(slot)]
        for position, size in enumerate(codebook.sizes)
        for slot in (Slot(position, index) for index in range(size))
    }
    names = [codebook.group_name(position) for position in range(len(codebook))]
    return {"sizes": list(codebook.sizes), "groups": names, "slots": slots, "sha": codebook.sha}


def test_the_numbering_is_the_golden_one(codebook: Codebook) -> None:
    assert picture(codebook) == json.loads(GOLDEN.read_text("utf-8"))


def test_a_position_is_empty_then_clusters_then_solo_then_reserved(codebook: Codebook) -> None:
    kinds = [codebook.kind(Slot(0, index)) for index in range(codebook.sizes[0])]
    assert kinds == ["empty"] + ["cluster"] * 2 + ["solo"] * 4 + ["reserved"] * 10
    assert list(codebook.reserved(0)) == list(range(7, 17))
    assert codebook.sizes == (17, 13, 13, 6)


def test_behind_the_reserved_slots_are_overflow_slots_which_take_them_in_turn(codebook: Codebook) -> None:
    reserved = list(codebook.reserved(0))
    assert list(codebook.bindable(0)) == [*reserved, *range(17, 17 + OVERFLOW)]
    assert [codebook.decoded_as(Slot(0, index)) for index in range(7, 17 + 25)] == reserved * 3 + reserved[:5]
    assert codebook.kind(Slot(0, 17)) == "reserved"
    assert [codebook.is_overflow(Slot(0, index)) for index in (16, 17)] == [False, True]


def test_a_position_without_reserved_slots_has_no_overflow_slot(dictionary: Dictionary, codebook: Codebook) -> None:
    counts = codebook.cluster_counts, codebook.solo_counts, (0, *codebook.reserved_counts[1:])
    closed = Codebook(codebook.groups, *counts, codebook.concept_index, dictionary)
    assert len(closed.bindable(0)) == 0
    with pytest.raises(InputError, match="0 to 6 exist there"):
        closed.kind(Slot(0, 7))


def test_a_slot_shows_its_most_frequent_word(codebook: Codebook) -> None:
    assert codebook.label(Slot(2, 1)) == "gaming"  # shares its cluster with cotton, which is rarer
    assert codebook.words(Slot(2, 1)) == ("gaming", "cotton")
    assert codebook.label(Slot(0, 0)) == codebook.label(Slot(0, 16)) == ""


def test_every_category_has_a_position(codebook: Codebook) -> None:
    assert codebook.position_of("anchor") == 1
    with pytest.raises(InputError, match="'colour' is not a category"):
        codebook.position_of("colour")


@pytest.mark.parametrize("slot", [Slot(4, 0), Slot(0, 17 + OVERFLOW), Slot(0, -1)])
def test_a_slot_outside_the_codebook_is_refused(codebook: Codebook, slot: Slot) -> None:
    with pytest.raises(InputError, match="exist"):
        codebook.kind(slot)


def test_the_sha_changes_with_any_surface_or_count(codebook: Codebook, dictionary: Dictionary) -> None:
    more = Dictionary([*dictionary[:-1], Concept("128gb", "specifications", ("128 gb", "128-gb"), 5, 1.0)])
    other = Codebook(
        codebook.groups,
        codebook.cluster_counts,
        codebook.solo_counts,
        codebook.reserved_counts,
        codebook.concept_index,
        more,
    )
    fewer = Codebook(
        codebook.groups, codebook.cluster_counts, codebook.solo_counts, (1, 1, 1, 1), codebook.concept_index, dictionary
    )
    assert len({codebook.sha, other.sha, fewer.sha}) == 3


def test_a_saved_codebook_comes_back(codebook: Codebook, dictionary: Dictionary, tmp_path: Path) -> None:
    codebook.save(tmp_path)
    back = Codebook.load(tmp_path, dictionary)
    assert picture(back) == picture(codebook)


def test_a_changed_codebook_is_refused_by_name(codebook: Codebook, dictionary: Dictionary, tmp_path: Path) -> None:
    codebook.save(tmp_path)
    path = tmp_path / "codebook.json"
    path.write_text(path.read_text("utf-8").replace('"reserved": [\n  10', '"reserved": [\n  11'), "utf-8")
    with pytest.raises(ArtifactError, match=r"codebook\.json"):
        Codebook.load(tmp_path, dictionary)


def test_a_concept_outside_its_core_slots_is_refused(dictionary: Dictionary, codebook: Codebook) -> None:
    index = np.array(codebook.concept_index)
    index[0] = 7  # the first reserved slot
    with pytest.raises(InputError, match="outside the core slots"):
        Codebook(
            codebook.groups,
            codebook.cluster_counts,
            codebook.solo_counts,
            codebook.reserved_counts,
            index,
            dictionary,
        )


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"groups": (("entity",),)}, "each of the 18 categories exactly once"),
        ({"cluster_counts": (2, 0, 1)}, "one count ≥ 0 a position"),
        ({"reserved_counts": (10, 10, 10, -1)}, "one count ≥ 0 a position"),
        ({"concept_index": np.array([1, 2])}, r"\(2,\) slot indices for 13 concepts"),
    ],
)
def test_what_is_no_numbering_says_what_is_needed(
    dictionary: Dictionary, codebook: Codebook, given: dict[str, Any], why: str
) -> None:
    names = ("groups", "cluster_counts", "solo_counts", "reserved_counts", "concept_index")
    with pytest.raises(InputError, match=why):
        Codebook(**{name: getattr(codebook, name) for name in names} | given, dictionary=dictionary)
