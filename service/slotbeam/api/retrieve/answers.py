"""From the pipeline's facts to the JSON of an answer."""

from __future__ import annotations

from itertools import compress

import numpy as np

from slotbeam.api.retrieve.cursor import Cursor
from slotbeam.kae.encode import Encoded
from slotbeam.search.artifact import Artifact
from slotbeam.search.reading import QueryReading
from slotbeam.search.request import Answer
from slotbeam.search.rules.applied import AppliedRules
from slotbeam.search.snapshot import Snapshot
from slotbeam.search.words import ReadWords
from slotbeam.types import BoolArray, Slot


def document(request_id: str, snapshot: Snapshot, answer: Answer, cursor: Cursor | None = None) -> dict[str, object]:
    """Return the answer of one query as JSON values: docs/http.md describes each field.

    Args:
        request_id: signed.
        snapshot: that it is of.
        answer: as the pipeline has it.
        cursor: that it was asked with.
    """
    artifact = snapshot.artifact
    hits = answer.hits
    texts = artifact.catalog.ids.take(hits.rows), artifact.catalog.titles.take(hits.rows)
    items: list[dict[str, object]] = [
        {"id": item_id, "title": title, "score": score, "sid": sid}
        for item_id, title, score, sid in zip(*texts, hits.scores.tolist(), hits.sids.tolist(), strict=True)
    ]
    if hits.logp is not None:
        for item, logp in zip(items, hits.logp.tolist(), strict=True):
            if logp == logp:
                item["sid_logp"] = logp
    for item, source in zip(items, hits.sources, strict=True):
        item["source"] = source
    if hits.relevance is not None and hits.matched is not None:
        judged = hits.relevance.round(4).tolist(), _matched(answer.words, hits.matched)
        for item, relevance, matched in zip(items, *judged, strict=True):
            item["relevance"], item["matched"] = relevance, matched
    if answer.fields:
        named = [(name, artifact.catalog.fields[name].at(hits.rows).said()) for name in answer.fields]
        for i, item in enumerate(items):
            item["fields"] = {name: values[i] for name, values in named if values[i] is not None}
    return {
        "request_id": request_id,
        "model": artifact.name,
        "bindings": snapshot.bindings(),
        "catalog": snapshot.catalog(),
        "query_sid": query_sid(artifact, answer.encoded),
        "applied_bindings": [
            {
                "id": applied.id,
                "slot": str(applied.slot),
                "word": applied.word,
                "span": list(applied.span),
                "items": applied.items,
            }
            for applied in answer.applied
        ],
        **_rules(answer.reading.rules),
        "understood": understood(answer.reading, answer.words),
        "confidence": round(answer.confidence, 4),
        "items": items,
        **answer.facets,
        **(cursor.said(snapshot, answer.page) if cursor and answer.page else {}),
        **({"explain": answer.facts} if answer.facts else {}),
    }


def _rules(rules: AppliedRules) -> dict[str, object]:
    """Return what is said of rules, where a query triggered one."""
    if not rules:
        return {}
    applied = [
        {"id": one.rule.id, "word": one.word, "span": one.span and list(one.span), "actions": list(one.rule.actions)}
        for one in rules.each
    ]
    return {"applied_rules": applied, **({"metadata": rules.metadata} if rules.metadata else {})}


def understood(reading: QueryReading, words: ReadWords) -> dict[str, object]:
    """Return the words of a query by what became of them."""
    read = list(zip(words.words, words.are_known, strict=True))
    return {
        "known": [word.text for word, known in read if known],
        "corrected": [{"from": each.word, "to": each.to} for each in reading.corrected],
        "unknown": [word.text for word, known in read if not known],
        "filters": [{"text": each.text, "filter": each.filter} for each in reading.filters],
    }


def _matched(words: ReadWords, matched: BoolArray) -> list[list[str]]:
    """Return the words that each item carries; `matched` is (n, w). Most items carry the same ones as another."""
    texts = [word.text for word in words.words]
    masks = [row.tobytes() for row in np.packbits(matched, axis=1)]
    told = {mask: list(compress(texts, row)) for mask, row in dict(zip(masks, matched.tolist(), strict=True)).items()}
    return [told[mask] for mask in masks]


def query_sid(artifact: Artifact, encoded: Encoded) -> list[dict[str, object]]:
    """Return the query SID position by position; `word` is null where the slot is empty."""
    codebook = artifact.kae.codebook
    return [
        {
            "position": position,
            "group": codebook.group_name(position),
            "slot": index,
            "kind": codebook.kind(Slot(position, index)),
            "word": None if match is None else artifact.kae.dictionary[match.concept].word,
        }
        for position, (index, match) in enumerate(zip(encoded.sid, encoded.chosen, strict=True))
    ]
