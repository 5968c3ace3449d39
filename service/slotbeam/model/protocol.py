"""What the decoder asks of a sequence model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from slotbeam.types import FloatArray, IntArray

Memory = Any
"""What the encoder leaves for one row (cross-attention keys and values); opaque to the decoder."""

State = Any
"""The decoder's self-attention cache for the rows of one step; opaque to the decoder."""


class SequenceModel(Protocol):
    """π(s | input) = Π_l π(s_l | s_<l, input), each factor a softmax over its own position's codebook.

    Symbols: B beams (rows of one step), T input ids, L positions, V_l slots at position l.
    """

    @property
    def sizes(self) -> tuple[int, ...]:
        """(L,) slots per position: V_l."""
        ...

    def encode(self, inputs: Sequence[IntArray]) -> list[Memory]:
        """Encode input rows, each (T,) int64; one memory a row. A row's memory does not depend on the other rows."""
        ...

    def query_vector(self, memory: Memory) -> FloatArray:
        """Return (e,) what an item vector is multiplied by to tell how likely the item is, in nats up to a constant.

        (0,) from a model that has no vectors.
        """
        ...

    def step(
        self, memory: Memory, position: int, state: State | None, parent: IntArray, codes: IntArray
    ) -> tuple[FloatArray, State]:
        """Return log-probabilities (nats) of the codes at `position`, and the new cache.

        Args:
            memory: of one group; shared by all its beams.
            position: 0..L-1.
            state: the cache the previous step returned; None at position 0.
            parent: (B,) row of the previous step that each beam extends; empty at position 0.
            codes: (B,) the code that each beam chose at position - 1; empty at position 0.

        Returns:
            `(logp, state)`: logp is (B, V_position) float32, one row at position 0.
        """
        ...
