"""From what a query means to what a user types: own words, other languages, own order, slips."""

from __future__ import annotations

from collections import Counter

import numpy as np

from slotbeam.types import BoolArray, IntArray
from slotbeam_lab.world.hashing import Draws, bits, unit
from slotbeam_lab.world.invent import misspell
from slotbeam_lab.world2.lexicon import CATEGORIES, C, Lexicon2, Terms
from slotbeam_lab.world2.texts import model_name

SLIPS = 0.05
"""Share of queries with a slip of the finger, at a gap of 1."""
BESIDE = 0.7
"""How much of the gap holds for words beside the head: people share more of those with the catalog."""
KIND_SAID = 0.6
"""How often a compound entity is asked for in full."""
AMBIGUOUS = 0.4
"""How much of the gap holds for heads of several departments: everyday words, which few people avoid."""
GERMAN, SPANISH, FOREIGN = 0.10, 0.06, 0.8
"""Share of users with another language; how often, at a gap of 1, they name a head in it."""


class Typist2:
    """Writes queries. Whether a user has an own term for a word, and which, hardly changes over time."""

    def __init__(self, lexicon: Lexicon2, gap: float) -> None:
        self.lexicon, self.gap, self.seed = lexicon, gap, lexicon.seed
        self.heads = lexicon.entity_head.tolist()
        self.kinds = lexicon.entity_kind.tolist()
        everyday = Counter(head.word for head in lexicon.heads)
        self.gaps = [gap * (AMBIGUOUS if everyday[head.word] > 1 else 1.0) for head in lexicon.heads]

    def queries(self, user: IntArray, turn: IntArray, words: IntArray, said: BoolArray) -> list[tuple[str, str]]:
        """Return the query's text and the term in it that names the head ("": none), one pair for each request.

        Args:
            user, turn: (R,) who types, and a number that differs between a user's requests.
            words, said: (R, 18) the words meant and which of them are named.
        """
        columns = np.arange(len(CATEGORIES))
        heads = self.lexicon.entity_head[words[:, C["entity"]]]
        habit = bits(self.seed, "habit", user[:, None], columns, words).tolist()
        of_head = bits(self.seed, "habit of head", user, heads).tolist()
        mood = bits(self.seed, "mood", user, turn).tolist()
        spoken = unit(self.seed, "language", user)
        language = np.where(spoken < GERMAN, 0, np.where(spoken < GERMAN + SPANISH, 1, -1)).tolist()
        rows = zip(words.tolist(), said.tolist(), habit, of_head, mood, language, strict=True)
        return [self._query(*row) for row in rows]

    def _query(
        self, words: list[int], said: list[bool], habit: list[int], of_head: int, mood: int, language: int
    ) -> tuple[str, str]:
        parts = [
            self._word(name, value, own, mood >> column & 7)
            for column, (name, value, own) in enumerate(zip(CATEGORIES, words, habit, strict=True))
            if said[column] and name != "entity"
        ]
        head = ""
        if said[C["entity"]]:
            entity = words[C["entity"]]
            head = self._head(self.heads[entity], of_head, mood >> 20 & 7, language)
            kind, text = self.kinds[entity], head
            if kind >= 0 and (mood >> 24 & 255) < KIND_SAID * 256:
                text = f"{self._word('kind', kind, habit[C['entity']], mood >> 23 & 7)} {text}"
            parts.insert(0 if mood >> 32 & 1 else len(parts), text)
        turn = mood >> 33 & 15
        if turn < 4 and len(parts) > 1:
            parts = parts[1:] + parts[:1]
        elif turn < 6:
            parts.reverse()
        query = " ".join(parts).lower()
        if (mood >> 40 & 0xFFFF) < self.gap * SLIPS * 65536:
            query = misspell(query, Draws(mood, "slip"))
        return query, head

    def _head(self, head: int, habit: int, mood: int, language: int) -> str:
        foreign = self.lexicon.foreign[head]
        if 0 <= language < len(foreign) and (habit >> 4 & 0xFF) < self.gaps[head] * FOREIGN * 256:
            return foreign[language]
        return _choose(self.lexicon.heads[head].word, self.lexicon.terms["head"][head], self.gaps[head], habit, mood)

    def _word(self, name: str, value: int, habit: int, mood: int) -> str:
        gap = self.gap * BESIDE
        if name == "model":
            text = model_name(self.lexicon, value)
            return text.replace("-", "") if (habit >> 11 & 0xFFFF) < gap * 65536 else text
        return _choose(self.lexicon.words[name][value], self.lexicon.terms[name][value], gap, habit, mood)


def _choose(word: str, terms: Terms, gap: float, habit: int, mood: int) -> str:
    """Choose the catalog's word or one of the user's; one time in eight the user forgets the habit."""
    habit = habit >> 32 if mood else (habit * 0x9E3779B1 >> 7)
    if (habit & 0xFFFF) >= gap * 65536:
        return word
    at = (habit >> 16 & 0xFFF) / 4096
    return next((text for text, share in terms if at < share), terms[-1][0])
