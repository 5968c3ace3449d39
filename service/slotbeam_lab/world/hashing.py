"""Stateless randomness: every fact of the world is a hash of (seed, what it is, keys), so any part can be made alone.

Nothing is drawn in sequence, so memory stays flat, parts can be made in any order, and no library's generator and no
processor's rounding can change the world.
"""

from __future__ import annotations

import zlib

import numpy as np

from slotbeam.types import FloatArray, IntArray
from slotbeam_lab.world import portable

_GOLD = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


def bits(seed: int, name: str, *keys: IntArray | int) -> IntArray:
    """64 random bits for each element of the broadcast keys.

    Args:
        seed: the world's seed.
        name: what is being decided; different names are independent.
        keys: arrays (or one number) of one broadcastable shape.
    """
    state: IntArray = np.asarray(mix_one(mix_one(seed & _MASK) ^ zlib.crc32(name.encode())), dtype=np.uint64)
    for key in keys:
        state = _mix(state ^ (np.asarray(key).astype(np.uint64) + np.uint64(_GOLD)))
    return state


def unit(seed: int, name: str, *keys: IntArray | int) -> FloatArray:
    """Uniform float64 in [0, 1), shape of the broadcast keys."""
    return (bits(seed, name, *keys) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def below(seed: int, name: str, limit: IntArray | int, *keys: IntArray | int) -> IntArray:
    """Uniform int64 in [0, limit), shape of the broadcast keys and limit."""
    return np.minimum((unit(seed, name, *keys) * limit).astype(np.int64), np.asarray(limit, dtype=np.int64) - 1)


def zipf(uniform: FloatArray, limit: IntArray | int, exponent: float) -> IntArray:
    """Ranks in [0, limit) with density about (rank + 1) ** -exponent, by inversion of `uniform`; exponent != 1."""
    size = np.asarray(limit, dtype=np.float64)
    power = 1.0 - exponent
    total = portable.power(size + 1.0, power)
    ranks = (portable.power((total - 1.0) * uniform + 1.0, 1.0 / power) - 1.0).astype(np.int64)
    return np.minimum(ranks, np.asarray(limit, dtype=np.int64) - 1)


def mix_one(value: int) -> int:
    """splitmix64's finaliser on one Python integer."""
    value = (value + _GOLD) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def _mix(value: IntArray) -> IntArray:
    with np.errstate(over="ignore"):
        value = np.asarray(value + np.uint64(_GOLD))
        shifted = np.asarray(value >> np.uint64(30))
        for shift, factor in ((27, 0xBF58476D1CE4E5B9), (31, 0x94D049BB133111EB)):
            value ^= shifted
            value *= np.uint64(factor)
            np.right_shift(value, np.uint64(shift), out=shifted)
        value ^= shifted
        return value


class Draws:
    """A counter over `mix_one`, for the small tables that are made in order (the lexicon)."""

    def __init__(self, seed: int, name: str) -> None:
        self._state = mix_one(seed & _MASK) ^ zlib.crc32(name.encode())

    def below(self, limit: int) -> int:
        self._state = (self._state + _GOLD) & _MASK
        return mix_one(self._state) % limit

    def chance(self, share: float) -> bool:
        return self.below(1 << 32) < share * (1 << 32)
