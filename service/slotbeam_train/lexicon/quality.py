"""How honest a dictionary is: do a query and the items people call relevant for it meet in the same slots?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from slotbeam.catalog.item import Item
from slotbeam.kae.codebook import EMPTY
from slotbeam.kae.encode import Kae
from slotbeam.language.normalize import normalize


@dataclass(frozen=True, slots=True)
class Quality:
    """Shares in 0..1.

    Attributes:
        entity_equal: of the relevant (query, item) pairs, those with one and the same entity slot, not empty.
        entity_equal_asked: the same among the pairs whose query has an entity.
        entity_asked: of the queries, those whose entity slot is not empty.
        entity_known: of all items, those whose entity slot is not empty.
        words_met: of the words of a query, those the relevant item carries too (mean over pairs).
        pool_share: of all items, those with the query's entity slot (mean over queries that have one).
        sids: distinct item SIDs.
    """

    entity_equal: float
    entity_equal_asked: float
    entity_asked: float
    entity_known: float
    words_met: float
    pool_share: float
    sids: int


def measure(kae: Kae, items: Sequence[Item], relevant: Mapping[str, Iterable[str]]) -> Quality:
    """Compare every query with its relevant items.

    Args:
        kae: the encoding.
        items: the catalog.
        relevant: query as typed → ids of relevant items; ids that the catalog lacks are left out.
    """
    encoded = dict(zip((item.id for item in items), kae.encode_items(items), strict=True))
    sids = [one.sid for one in encoded.values()]
    slots = {item: {kae.codebook.slot_of(m.concept) for m in one.matches} for item, one in encoded.items()}
    equal, met, pairs, asked_pairs, asked, pool = 0, 0.0, 0, 0, 0, []
    for query, wanted in relevant.items():
        own = kae.encode(normalize(query))
        words = {kae.codebook.slot_of(m.concept) for m in own.matches}
        entity = own.sid[0]
        if entity != EMPTY:
            asked += 1
            pool.append(sum(sid[0] == entity for sid in sids) / len(sids))
        for item in wanted:
            if item in encoded:
                pairs += 1
                asked_pairs += entity != EMPTY
                equal += entity != EMPTY and encoded[item].sid[0] == entity
                met += len(words & slots[item]) / max(1, len(words))
    return Quality(
        equal / max(1, pairs),
        equal / max(1, asked_pairs),
        asked / max(1, len(relevant)),
        sum(sid[0] != EMPTY for sid in sids) / len(sids),
        met / max(1, pairs),
        sum(pool) / max(1, len(pool)),
        len(set(sids)),
    )
