"""From what a query means to what a user types: own words, own order, slips."""

from __future__ import annotations

import numpy as np

from slotbeam.types import BoolArray, IntArray
from slotbeam_lab.world.hashing import Draws, bits
from slotbeam_lab.world.invent import misspell
from slotbeam_lab.world.lexicon import CATEGORIES, C, Lexicon
from slotbeam_lab.world.texts import model_name

_SHARES = ((1.0,), (0.68, 1.0), (0.5, 0.8, 1.0), (0.42, 0.68, 0.86, 1.0))
"""Cumulative share of each of a word's 1, 2, 3 or 4 terms."""
SLIPS = 0.05
"""Share of queries with a slip of the finger, at a gap of 1."""
BESIDE = 0.8
"""How much of the gap holds for words beside the entity's head: people share more of those with the catalog."""
KIND_SAID = 0.6
"""How often a compound entity is asked for in full."""


class Typist:
    """Writes queries. Whether a user has an own term for a word, and which, hardly changes over time."""

    def __init__(self, lexicon: Lexicon, gap: float) -> None:
        self.lexicon, self.gap, self.seed = lexicon, gap, lexicon.seed
        self.heads = lexicon.entity_head.tolist()
        self.kinds = lexicon.entity_kind.tolist()

    def queries(self, user: IntArray, turn: IntArray, words: IntArray, said: BoolArray) -> list[str]:
        """Query texts, one for each request.

        Args:
            user, turn: (R,) who types, and a number that differs between a user's requests.
            words, said: (R, 18) the words meant and which of them are named.
        """
        habit = bits(self.seed, "habit", user[:, None], np.arange(len(CATEGORIES) + 1), _padded(words)).tolist()
        mood = bits(self.seed, "mood", user, turn).tolist()
        rows = zip(words.tolist(), said.tolist(), habit, mood, strict=True)
        return [self._query(*row) for row in rows]

    def _query(self, words: list[int], said: list[bool], habit: list[int], mood: int) -> str:
        parts: list[str] = []
        entity = C["entity"]
        for category, named in enumerate(said):
            if named and category != entity:
                parts.append(self._word(category, words[category], habit[category], mood >> category & 7))
        if said[entity]:
            head, kind = self.heads[words[entity]], self.kinds[words[entity]]
            text = self._term("head", self.lexicon.heads[head], head, habit[entity], mood >> 20 & 7)
            if kind >= 0 and (mood >> 24 & 255) < KIND_SAID * 256:
                text = f"{self._term('kind', self.lexicon.kinds[kind], kind, habit[-1], mood >> 23 & 7)} {text}"
            parts.insert(0 if mood >> 32 & 1 else len(parts), text)
        turn = mood >> 33 & 15
        if turn < 4 and len(parts) > 1:
            parts = parts[1:] + parts[:1]
        elif turn < 6:
            parts.reverse()
        text = " ".join(parts).lower()
        if (mood >> 40 & 0xFFFF) < self.gap * SLIPS * 65536:
            text = misspell(text, Draws(mood, "slip"))
        return text

    def _word(self, category: int, value: int, habit: int, mood: int) -> str:
        name = CATEGORIES[category]
        if name == "model":
            text = model_name(self.lexicon, value)
            return text.replace("-", "") if (habit >> 11 & 0xFFFF) < self.gap * BESIDE * 65536 else text
        return self._term(name, self.lexicon.words[name][value], value, habit, mood)

    def _term(self, name: str, word: str, value: int, habit: int, mood: int) -> str:
        """Choose the catalog's word or one of the user's; one time in eight the user forgets the habit."""
        habit = habit >> 32 if mood else (habit * 0x9E3779B1 >> 7)
        if (habit & 0xFFFF) >= self.gap * (1.0 if name == "head" else BESIDE) * 65536:
            return word
        terms = self.lexicon.terms[name][value]
        at = (habit >> 16 & 0xFF) / 256
        for term, share in zip(terms, _SHARES[len(terms) - 1], strict=True):
            if at < share:
                return term
        return terms[-1]


def _padded(words: IntArray) -> IntArray:
    """(R, 19): the words and, for the kind of a compound entity, the entity once more."""
    return np.concatenate([words, words[:, C["entity"], None]], axis=1)
