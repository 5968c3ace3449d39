"""What training asks of a teacher."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tokenizers import Tokenizer

from slotbeam.types import FloatArray

MAX_TOKENS = 96
"""Of a text that a teacher reads: titles are shorter, and the first lines of a description say what a thing is.

What was read with another number is kept under the same names: a change of it needs an empty cache."""


class Teacher(Protocol):
    """A model that turns texts into vectors whose cosine says how near their meanings are.

    Attributes:
        name: which model of which weights it is, wherever its files lie: what it said is kept under this name.
        width: components of its vectors: w.
    """

    name: str
    width: int

    def encode(self, texts: Sequence[str], *, queries: bool = False) -> FloatArray:
        """Return (n, w) float32 unit vectors, in the order of the texts.

        Args:
            texts: any; an empty one has some vector, too: a unit one of a transformer, zeros of a static table.
            queries: whether they are queries; else they are passages, which some models read otherwise.
        """
        ...

    def tokenizer(self) -> Tokenizer | None:
        """Return a tokenizer whose tokens this teacher knows, a new one each time; None where it shows none."""
        ...
