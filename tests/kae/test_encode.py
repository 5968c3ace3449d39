from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from slotbeam.catalog.postingsbuilder import PostingsBuilder
from slotbeam.catalog.terms import TermIndex, term_hash
from slotbeam.errors import ArtifactError
from slotbeam.kae.encode import Kae
from slotbeam.kae.facts import facts_of
from slotbeam.language.normalize import normalize
from support.lexical import ENGLISH


@dataclass(frozen=True)
class Thing:
    title: str
    description: str = ""
    attributes: dict[str, tuple[str, ...]] = field(default_factory=dict)


def words(kae: Kae, text: str) -> list[str | None]:
    chosen = kae.encode(normalize(text)).chosen
    return [None if match is None else kae.dictionary[match.concept].word for match in chosen]


def test_a_query_becomes_one_slot_a_position(kae: Kae) -> None:
    encoded = kae.encode("hp gaming laptops black")
    assert encoded.sid == (5, 1, 1, 1)
    assert [match.surface for match in encoded.matches] == ["hp", "gaming", "laptops", "black"]


def test_the_head_of_an_english_phrase_is_its_last_noun(kae: Kae) -> None:
    assert words(kae, "ice cream mold")[0] == "mold"
    assert words(kae, "laptop stand")[0] == "stand"
    assert words(kae, "gaming mouse") == ["mouse", None, "gaming", None]


def test_what_follows_a_preposition_is_not_the_head(kae: Kae) -> None:
    assert words(kae, "stand for laptop")[0] == "stand"
    assert words(kae, "mouse, with laptop stand")[0] == "mouse"


def test_a_learned_head_wins_over_word_order(kae: Kae) -> None:
    assert words(kae, "mouse stand")[0] == "mouse"


def test_the_more_important_word_represents_a_group(kae: Kae) -> None:
    assert words(kae, "gaming wireless mouse")[2] == "wireless"
    assert words(kae, "wireless gaming mouse")[2] == "wireless"


def test_an_entity_that_is_not_named_is_implied(kae: Kae) -> None:
    encoded = kae.encode("galaxy black")
    assert encoded.sid[0] == 5
    assert [match.surface for match in encoded.matches] == ["galaxy", "black"]
    assert encoded.chosen[0] is not None
    assert encoded.chosen[0].surface == "galaxy"
    assert kae.encode("galaxy mouse").sid[0] == 3


def test_synonyms_share_a_term_for_lexical_overlap(kae: Kae) -> None:
    one, other = kae.encode("cordless notebook"), kae.encode("wireless laptops")
    assert one.concept_terms == other.concept_terms
    implied = set(kae.encode("galaxy").concept_terms)
    assert implied > set(kae.encode("laptop").concept_terms), "what is implied counts, too"
    assert kae.encode("quux").concept_terms == ()
    builder = PostingsBuilder()
    for terms in ([*ENGLISH.terms(one.text), *one.concept_terms], ENGLISH.terms(one.text)):
        builder.add(np.array(list(map(term_hash, terms)), np.uint32), np.array([len(terms)]))
    overlap = TermIndex(*builder.finish()).read(other.text, other.concept_terms).overlap(np.arange(2))
    assert overlap[0] > 0.4
    assert overlap[1] == 0, "no word in common"


def test_nothing_known_is_an_empty_sid(kae: Kae) -> None:
    assert kae.encode("quux").sid == (0, 0, 0, 0)
    assert kae.encode("").sid == (0, 0, 0, 0)


def test_blocked_spans_are_left_out(kae: Kae) -> None:
    assert kae.encode("hp gaming mouse", blocked=[(3, 9)]).sid == (3, 1, 0, 0)


def test_an_item_is_read_from_title_and_attributes_before_its_description(kae: Kae) -> None:
    encoded = kae.encode_item(
        Thing("HP mouse", "Black stand with cotton cover.", {"color": ("Black",), "specifications": ("128 GB",)})
    )
    assert encoded.sid == (3, 1, 1, 1)  # mouse, hp, cotton (only in the description), black (typed)
    assert [encoded.text[m.start : m.end] for m in encoded.matches] == [m.surface for m in encoded.matches]


def test_a_query_of_an_items_own_title_has_its_slots(kae: Kae) -> None:
    title = "HP gaming laptop black"
    assert kae.encode(normalize(title)).sid == kae.encode_item(Thing(title)).sid


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.text(alphabet="hp gaminouselcrkbt 手128", max_size=30))
def test_a_sid_is_always_inside_the_codebook(kae: Kae, text: str) -> None:
    encoded = kae.encode(normalize(text))
    assert all(0 <= index <= core for index, core in zip(encoded.sid, kae.codebook.core_counts, strict=True))
    for match, index in zip(encoded.chosen, encoded.sid, strict=True):
        assert (match is None) == (index == 0)


def test_explain_says_what_was_chosen_and_why_not(kae: Kae) -> None:
    facts = {fact.surface: fact for fact in facts_of(kae, "ice cream mold for laptop, cordless gaming black")}
    assert facts["mold"].chosen
    assert (facts["mold"].category, facts["mold"].kind, str(facts["mold"].slot)) == ("entity", "cluster", "0-1")
    assert not facts["ice cream"].chosen
    assert "later word of the head part" in facts["ice cream"].reason
    assert "outside the head part" in facts["laptop"].reason
    assert facts["cordless"].chosen
    assert "more important" in facts["gaming"].reason
    assert facts["black"].group == "color+specifications"


def test_explain_shows_overlapping_and_implied_words(kae: Kae) -> None:
    inner = [fact for fact in facts_of(kae, "hp inc") if fact.surface == "hp"]
    assert [fact.reason for fact in inner] == ["overlaps 'hp inc', which is chosen leftmost-longest"]
    implied = [fact for fact in facts_of(kae, "galaxy") if fact.category == "entity"]
    assert [(fact.word, fact.chosen) for fact in implied] == [("laptop", True)]


def test_explain_agrees_with_encode(kae: Kae) -> None:
    text = "hp ice cream mold mouse stand wireless gaming 128 gb black"
    chosen = {(fact.slot.position, fact.slot.index) for fact in facts_of(kae, text) if fact.chosen}
    assert chosen == {(p, index) for p, index in enumerate(kae.encode(text).sid) if index}


def test_a_saved_encoding_comes_back(kae: Kae, tmp_path: Path) -> None:
    kae.save(tmp_path / "kae")
    back = Kae.load(tmp_path / "kae")
    for text in ("mouse stand", "galaxy black", "hp inc ice cream mold"):
        assert back.encode(text) == kae.encode(text)
    assert back.codebook.sha == kae.codebook.sha


def test_a_missing_encoding_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="kae does not exist"):
        Kae.load(tmp_path / "kae")
