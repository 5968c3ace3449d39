"""From the pipeline's facts to the JSON of an answer."""

from __future__ import annotations

from slotbeam.kae.encode import Encoded
from slotbeam.search.artifact import Artifact
from slotbeam.search.request import Answer
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import HitSource, Slot


def document(request_id: str, snapshot: Snapshot, answer: Answer) -> dict[str, object]:
    """Return the answer of one query as JSON values: docs/http.md describes each field."""
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
    for item, bound in zip(items, hits.bound.tolist(), strict=True):
        item["source"] = HitSource.BINDING if bound else HitSource.MODEL
    if answer.fields:
        named = [(name, artifact.catalog.fields[name].at(hits.rows).said()) for name in answer.fields]
        for i, item in enumerate(items):
            item["fields"] = {name: values[i] for name, values in named if values[i] is not None}
    return {
        "request_id": request_id,
        "model": artifact.name,
        "bindings": snapshot.bindings(),
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
        "items": items,
        **answer.facets,
        **({"explain": answer.facts} if answer.facts else {}),
    }


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
