"""How often a replica does what, and how long it waits for it: one value that whoever makes the replica passes in."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """The intervals of a replica, in seconds.

    Attributes:
        check_s: between two full reads of the store, whatever its revision says; 20 % more or less each time.
        backoff_s: the first and the longest wait before a store that failed is asked again; the longest is how long
            one that is back may go unnoticed.
        beat_s: between two heartbeats when nothing changes.
        clock_check_s: after which the clock is read again at the latest: it may have been set.
        hint_s: a hint that comes sooner than this without a revision is followed by as long a rest.
        ready_s: after which a plane counts as ready that has seen neither a listing nor a file.
        own_s: how long an edit waits until the control plane serves it itself.
        draw: a number between two, at random: replicas that lost one store must not come back as one.
    """

    check_s: float = 30.0
    backoff_s: tuple[float, float] = (0.1, 2.0)
    beat_s: float = 5.0
    clock_check_s: float = 1.0
    hint_s: float = 0.05
    ready_s: float = 30.0
    own_s: float = 2.0
    draw: Callable[[float, float], float] = random.uniform
