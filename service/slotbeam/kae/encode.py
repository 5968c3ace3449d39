"""Text or item → SID: match, choose one word a group, look its slot up. No neural network is involved."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Protocol

from slotbeam.errors import ArtifactError
from slotbeam.kae.categories import CATEGORIES
from slotbeam.kae.codebook import EMPTY, Codebook
from slotbeam.kae.dictionary import Dictionary
from slotbeam.kae.importance import Candidate, Importance, head_end
from slotbeam.kae.matcher import Matcher, Occurrence
from slotbeam.language.boundaries import Span
from slotbeam.language.fold import Folding
from slotbeam.language.normalize import normalize
from slotbeam.types import Sid

_SEPARATOR = " | "
_TOKEN = re.compile(r"[^\W_]+")


class Describable(Protocol):
    """What `encode_item` reads of a catalog item."""

    @property
    def title(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def attributes(self) -> Mapping[str, tuple[str, ...]]: ...


class Value(NamedTuple):
    """One attribute value: its canonical text, and the candidates in it, from character 0 on."""

    text: str
    candidates: list[Candidate]


@dataclass(frozen=True, slots=True)
class Match:
    """A dictionary word in canonical text: `surface == text[start:end]`, owned by concept number `concept`."""

    start: int
    end: int
    surface: str
    concept: int


@dataclass(frozen=True, slots=True)
class Encoded:
    """The outcome for one text.

    `matches` are all words found, in order; `chosen` has L entries: the match that represents each position, or
    None. A representative may carry an *implied* concept (an entity that is not named: `galaxy s9` → smartphone);
    then it is not among `matches`.
    """

    text: str
    sid: Sid
    matches: tuple[Match, ...]
    chosen: tuple[Match | None, ...]

    @property
    def concept_terms(self) -> tuple[str, ...]:
        """One term for each concept that is named or implied. Lexical overlap compares them beside the words."""
        concepts = {match.concept for match in (*self.matches, *self.chosen) if match is not None}
        return tuple(map(concept_term, sorted(concepts)))


def concept_term(concept: int) -> str:
    """Return the term that stands for a concept, so that synonyms meet; no word of a text has its key."""
    return f"concept {concept}"


class Kae:
    """Dictionary + codebook + importance table: the whole encoding, immutable and thread-safe.

    With a folding, words are found in their other spellings, too.
    """

    def __init__(
        self, dictionary: Dictionary, codebook: Codebook, importance: Importance, folding: Folding | None = None
    ) -> None:
        self.dictionary = dictionary
        self.codebook = codebook
        self.importance = importance
        self.folding = folding
        self.matcher = Matcher(dictionary.surfaces, folding, order=importance.order(dictionary.surface_concept))
        # Lists, not arrays: one element of a numpy array takes several times as long, and a query asks for single ones.
        self._concept: list[int] = dictionary.surface_concept.tolist()
        self._position: list[int] = codebook.concept_position.tolist()
        self._index: list[int] = codebook.concept_index.tolist()
        self._parts = frozenset(
            token for surface in dictionary.surfaces if not surface.isalnum() for token in _TOKEN.findall(surface)
        )
        self._entity: list[bool] = [concept.category == CATEGORIES[0] for concept in dictionary]

    def folded(self, folding: Folding) -> Kae:
        """Return the same encoding, which finds words in their other spellings, too."""
        return Kae(self.dictionary, self.codebook, self.importance, folding)

    def knows(self, surface: str) -> bool:
        """Return whether the dictionary holds this canonical surface."""
        return self.dictionary.concept_of(surface) is not None

    def knows_token(self, token: str) -> bool:
        """Return whether a canonical token is a surface of the dictionary, or one of the words of a surface."""
        return self.knows(token) or token in self._parts

    def encode(self, text: str, blocked: Iterable[Span] = ()) -> Encoded:
        """Encode one canonical text, a query usually.

        Args:
            text: what `normalize` returned.
            blocked: spans whose words are not to be used (a bound word stands there).
        """
        occurrences = self.matcher.find(text, blocked)
        return self._finish(text, self.candidates(text, occurrences))

    def encode_item(self, item: Describable) -> Encoded:
        """Encode an item: title and typed attributes first, then, for positions still empty, the description."""
        return self._encode_item(item, self.value)

    def encode_items(self, items: Iterable[Describable]) -> list[Encoded]:
        """Return `encode_item` of each; attribute values, which repeat, are read once."""
        value = lru_cache(2**17)(self.value)
        return [self._encode_item(item, value) for item in items]

    def _encode_item(self, item: Describable, value: Callable[[str, str], Value]) -> Encoded:
        values = [value(category, text) for category in CATEGORIES for text in item.attributes.get(category, ())]
        return self.encode_parts(normalize(item.title), values, normalize(item.description))

    def value(self, category: str, value: str) -> Value:
        """Read one attribute value, alone: so that no word is found across two of them."""
        text = normalize(value)
        return Value(text, self.candidates(text, self.matcher.find(text), typed=category))

    def encode_parts(self, title: str, values: Sequence[Value], description: str) -> Encoded:
        """Encode an item from its canonical texts and its attribute values, those in the order of `CATEGORIES`."""
        texts = [title, *(value.text for value in values if value.text), *([description] if description else [])]
        return self._finish(_SEPARATOR.join(texts), self._of_parts(title, values, description))

    def sid_and_concepts(self, title: str, values: Sequence[Value], description: str) -> tuple[Sid, set[int]]:
        """Return what `encode_parts` finds without where: the SID, and the concepts that are named or implied."""
        candidates = self._of_parts(title, values, description)
        winners = self._winners(candidates)
        sid = [EMPTY] * len(self.codebook)
        for position, winner in winners.items():
            sid[position] = self._index[winner.concept]
        return tuple(sid), {candidate.concept for candidate in (*candidates, *winners.values())}

    def _of_parts(self, title: str, values: Sequence[Value], description: str) -> list[Candidate]:
        """Return the candidates of an item, at their places in its parts put together."""
        # Title before attributes: where all else is equal the earlier word represents its position.
        candidates = self.candidates(title, self.matcher.find(title))
        offset = len(title) + len(_SEPARATOR)
        for text, own in values:
            if text:
                candidates += [
                    Candidate(start + offset, end + offset, concept, entity, segment, typed, head)
                    for start, end, concept, entity, segment, typed, head in own
                ]
                offset += len(text) + len(_SEPARATOR)
        if description:
            candidates += self.candidates(description, self.matcher.find(description), offset, segment=1)
        return candidates

    def save(self, folder: Path) -> None:
        """Write every array of the encoding into `folder` (`<artifact>/kae`)."""
        self.dictionary.save(folder)
        self.codebook.save(folder)
        self.importance.save(folder)

    @classmethod
    def load(cls, folder: Path, folding: Folding | None = None) -> Kae:
        """Read what `save` wrote; the folding is the catalog's.

        Raises:
            ArtifactError: names the file that is missing or damaged.
        """
        if not folder.is_dir():
            raise ArtifactError(f"{folder} does not exist; an artifact holds its encoding there")
        dictionary = Dictionary.load(folder)
        return cls(dictionary, Codebook.load(folder, dictionary), Importance.load(folder, len(dictionary)), folding)

    def candidates(
        self, text: str, occurrences: list[Occurrence], offset: int = 0, segment: int = 0, typed: str | None = None
    ) -> list[Candidate]:
        """Return the matches of one segment that starts at `offset`; `typed` is the category of a structured value.

        A value of another category names no entity: a monitor whose style is "flat screen" is no television.
        """
        if typed is not None and typed != CATEGORIES[0]:
            occurrences = [match for match in occurrences if not self._entity[self._concept[match[2]]]]
        concepts = [self._concept[word] for _, _, word in occurrences]
        named = (end for (_, end, _), concept in zip(occurrences, concepts, strict=True) if self._entity[concept])
        cut = head_end(text, next(named, len(text)))
        return [
            Candidate(
                start + offset,
                end + offset,
                concept,
                self._entity[concept],
                segment,
                typed is not None and self.dictionary[concept].category == typed and end - start == len(text),
                start < cut and typed is None,
            )
            for (start, end, _), concept in zip(occurrences, concepts, strict=True)
        ]

    def _winners(self, candidates: list[Candidate]) -> dict[int, Candidate]:
        """Return the representative by position; the entity that is implied, where none is named."""
        winners = self.named(candidates)
        if 0 not in winners and (entity := self.implied(candidates)):
            winners[0] = entity
        return winners

    def named(self, candidates: list[Candidate]) -> dict[int, Candidate]:
        """Return the representative by position among words that are there."""
        rivals: dict[int, list[Candidate]] = {}
        for candidate in candidates:
            rivals.setdefault(self._position[candidate.concept], []).append(candidate)
        return {position: own[0] if len(own) == 1 else self.importance.choose(own) for position, own in rivals.items()}

    def implied(self, candidates: list[Candidate]) -> Candidate | None:
        """Return the entity that the best of the words stands for, when no entity is named."""
        of_concept = self.importance.implied_list
        hints = [c for c in candidates if of_concept[c.concept] >= 0]
        if not hints:
            return None
        best = min(hints, key=lambda c: (c.segment, not c.typed, c.start - c.end, c.start))
        return Candidate(best.start, best.end, of_concept[best.concept], True, best.segment)

    def _finish(self, text: str, candidates: list[Candidate]) -> Encoded:
        winners = self._winners(candidates)
        chosen: list[Match | None] = [None] * len(self.codebook)
        sid = [EMPTY] * len(self.codebook)
        for position, winner in winners.items():
            chosen[position] = _match(text, winner)
            sid[position] = self._index[winner.concept]
        return Encoded(text, tuple(sid), tuple(_match(text, c) for c in candidates), tuple(chosen))


def _match(text: str, candidate: Candidate) -> Match:
    return Match(candidate.start, candidate.end, text[candidate.start : candidate.end], candidate.concept)
