"""Which unknown words are new: what the replicas counted, merged, and each word tested against its own past. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from slotbeam.suggestions.sampling import Sampled, read_sampled, smallest
from slotbeam.suggestions.trends import (
    DAY,
    EXAMPLE_LENGTH,
    EXAMPLES,
    FORMAT,
    MAX_WORD,
    PUBLISHED,
    RECENT,
    Tally,
    TrendWord,
)

WINDOWS = (2, 6, RECENT)
"""Buckets that "recently" may mean, the current one included; a word has to stand out in one of them."""

MIN_COUNT = 20
MIN_QUERIES = 4
MIN_RATIO = 8.0
MIN_EVIDENCE = math.log(1e6)


@dataclass
class Counts:
    """What one replica published, or several together.

    Attributes:
        bucket: up to which everything is decayed.
        total: queries.
        words: unknown word → its entry (`weight` is not used).
        sample: queries of the last `RECENT` buckets, drawn uniformly.
    """

    bucket: int
    total: Tally = field(default_factory=Tally)
    words: dict[str, TrendWord] = field(default_factory=dict)
    sample: list[Sampled] = field(default_factory=list)


@dataclass(frozen=True)
class Burst:
    """A word that is asked for more than it ever was.

    Attributes:
        count: how many queries of the last `buckets` buckets hold it.
        share, past_share: of the queries in that time, and before it (at the same hours, if that is more).
        evidence: −ln of a bound on the probability that an unchanged word shows this.
    """

    word: str
    count: int
    buckets: int
    share: float
    past_share: float
    evidence: float
    examples: tuple[str, ...]


def read_counts(document: Any) -> Counts | None:
    """Read `TrendCounter.document()`; None for anything else."""
    try:
        if document["format"] != FORMAT:
            return None
        counts = Counts(int(document["bucket"]), _tally(document["total"]))
        counts.sample = read_sampled(document.get("sample", []))
        for word, facts in list(document["words"].items())[:PUBLISHED]:
            if len(word) > MAX_WORD:
                continue
            counts.words[word] = TrendWord(
                _tally(facts),
                _number(facts["error"]),
                queries={int(key) for key in facts["queries"]},
                examples=[str(text)[:EXAMPLE_LENGTH] for text in facts["examples"][:EXAMPLES]],
            )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return counts


def merge(published: Iterable[Counts], bucket: int) -> Counts:
    """Add up what the replicas published, as of `bucket` or the newest of theirs. Changes what it is given.

    A replica whose clock is more than a bucket ahead is left out.
    """
    every = [counts for counts in published if counts.bucket <= bucket + 1]
    merged = Counts(max([bucket, *(counts.bucket for counts in every)]))
    for counts in every:
        counts.total.advance(counts.bucket, merged.bucket)
        merged.total.merge(counts.total)
        for word, entry in counts.words.items():
            entry.advance(counts.bucket, merged.bucket)
            into = merged.words.setdefault(word, TrendWord())
            into.seen.merge(entry.seen)
            into.error += entry.error
            into.queries |= entry.queries
            into.examples = list(dict.fromkeys([*into.examples, *entry.examples]))[:EXAMPLES]
    recent = (one for counts in every for one in counts.sample if one.bucket > merged.bucket - RECENT)
    merged.sample = smallest(recent)
    return merged


def bursts(total: Tally, words: Mapping[str, TrendWord], bucket: int) -> list[Burst]:
    """Find every word of `words` that stands out against its own past, strongest evidence first."""
    found = [burst for word, entry in words.items() if (burst := burst_of(word, entry, total, bucket))]
    return sorted(found, key=lambda burst: (-burst.evidence, burst.word))


def burst_of(word: str, entry: TrendWord, total: Tally, bucket: int) -> Burst | None:
    """Test one word in every window. Returns the one with most evidence, None when none suffices.

    Given that k + b queries held the word, k of them in a window with a share p of all queries, an unchanged word
    shows k or more with probability exp(−(k + b) · KL(k / (k + b), p)) at most (Chernoff). What the counter may have
    forgotten (`entry.error`) counts as past, so forgetting delays a proposal and never makes one. Without a past
    (p = 1) there is no evidence.
    """
    if len(entry.queries) < MIN_QUERIES:
        return None
    best: Burst | None = None
    for buckets in WINDOWS:
        start = bucket - buckets + 1
        count, before = entry.seen.since(start), entry.seen.before(start) + entry.error
        queries, queries_before = total.since(start), total.before(start)
        if count < MIN_COUNT or queries <= 0 or queries_before <= 0:
            continue
        share, past_share = count / queries, before / queries_before
        if then := total.at_hours(start, bucket):  # a word that is asked for every evening is none of this evening's
            past_share = max(past_share, entry.seen.at_hours(start, bucket) / then)
        if share < MIN_RATIO * past_share:
            continue
        evidence = _evidence(count, before, queries / (queries + queries_before))
        if evidence >= MIN_EVIDENCE and (best is None or evidence > best.evidence):
            best = Burst(word, round(count), buckets, share, past_share, evidence, tuple(entry.examples))
    return best


def _evidence(count: float, before: float, p: float) -> float:
    """Return (k + b) · KL(k / (k + b), p) in nats, 0 when k is no more than expected."""
    n = count + before
    q = count / n
    if q <= p:
        return 0.0
    rest = (1 - q) * math.log((1 - q) / (1 - p)) if q < 1 else 0.0
    return n * (q * math.log(q / p) + rest)


def _tally(facts: Any) -> Tally:
    past = [_number(count) for count in facts["past"]]
    if len(past) != DAY:
        raise ValueError("a past has not 24 hours")
    return Tally({int(at): _number(count) for at, count in facts["recent"].items()}, past)


def _number(value: Any) -> float:
    number = float(value)
    if not 0 <= number < 1e12:
        raise ValueError("a count is not in 0..1e12")
    return number
