"""A teacher for tests: it knows which words mean the same, and nothing else."""

from collections.abc import Sequence

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers

from slotbeam.model.textvectors import TextVectors

MEANINGS = [
    ["sofa", "couch", "settee"],
    ["mug", "cup", "beaker"],
    ["lamp", "light"],
    ["red", "crimson"],
    ["blue", "azure"],
    ["chair"],
    ["acme"],
]
PIECES = [
    *"abcdefghijklmnopqrstuvwxyz0123456789",
    *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz0123456789"),
]
VOCABULARY = ["[UNK]", *(word for same in MEANINGS for word in same), *PIECES]
WIDTH = 16


def tokenizer() -> Tokenizer:
    """Word pieces: the words it knows, and single characters."""
    made = Tokenizer(models.WordPiece({word: number for number, word in enumerate(VOCABULARY)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return made


class FakeTeacher:
    """Words of one meaning have one direction; any other word has a short one of its own, of its letters.

    `asked` holds every text that it was asked for.
    """

    name, width = "fake", WIDTH

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._meaning = {word: number for number, same in enumerate(MEANINGS) for word in same}

    def encode(self, texts: Sequence[str], *, queries: bool = False) -> np.ndarray:
        self.asked += texts
        found = np.array([sum(map(self._word, text.split()), np.zeros(WIDTH)) for text in texts]).reshape(-1, WIDTH)
        return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9), np.float32)

    def tokenizer(self) -> Tokenizer | None:
        return tokenizer()

    def _word(self, word: str) -> np.ndarray:
        seed = self._meaning.get(word)
        if seed is None:
            return np.asarray(0.1 * np.random.default_rng(list(word.encode())).normal(size=WIDTH))
        return np.asarray(np.eye(WIDTH)[seed])


def text_vectors() -> TextVectors:
    """What `FakeTeacher` knows, as an artifact holds it."""
    steps = np.rint(127 * FakeTeacher().encode(VOCABULARY)).astype(np.int8)
    return TextVectors(tokenizer(), steps, np.full(len(VOCABULARY), 1000, np.int32), steps[:4])
