"""exp, log and powers that are the same to the last bit on every processor.

The C library and numpy choose theirs by the processor, and these differ in the last bits: enough to give an item
another price. Sums, products, quotients and powers of two are rounded in one way by IEEE 754, so all is made of them.
"""

from __future__ import annotations

import numpy as np

from slotbeam.types import FloatArray

_LN2_HIGH, _LN2_LOW = float.fromhex("0x1.62e42feep-1"), float.fromhex("0x1.a39ef35793c76p-33")
"""ln 2 in two parts; the first has 33 bits, so that its product with an exponent is exact."""

_EXP = [1.0]
for _number in range(1, 14):
    _EXP.append(_EXP[-1] / _number)
_LOG = [2.0 / number for number in range(1, 24, 2)]


def log(x: FloatArray) -> FloatArray:
    """ln x of positive numbers, within 3 units in the last place."""
    mantissa, exponent = np.frexp(x)
    small = mantissa < 0.70710678118654752
    mantissa, exponent = np.where(small, 2.0 * mantissa, mantissa), exponent - small
    ratio = (mantissa - 1.0) / (mantissa + 1.0)  # ln m = 2 artanh of it
    series = ratio * _horner(_LOG, ratio * ratio)
    return exponent * _LN2_HIGH + (exponent * _LN2_LOW + series)


def exp(x: FloatArray) -> FloatArray:
    """e to the x, |x| <= 700, within 2 units in the last place."""
    exponent = np.rint(x / (_LN2_HIGH + _LN2_LOW))
    rest = (x - exponent * _LN2_HIGH) - exponent * _LN2_LOW
    found: FloatArray = np.ldexp(_horner(_EXP, rest), exponent.astype(np.int64))
    return found


def power(x: FloatArray, y: float) -> FloatArray:
    """Positive numbers to the y; some units in the last place for each unit of |y ln x|."""
    return exp(y * log(x))


def _horner(coefficients: list[float], x: FloatArray) -> FloatArray:
    total = np.full(np.shape(x), coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total *= x
        total += coefficient
    return total
