"""From the pipeline's facts to the JSON of an answer."""

from __future__ import annotations

from slotbeam.kae.encode import Encoded
from slotbeam.search.artifact import Artifact
from slotbeam.search.request import Answer
from slotbeam.search.snapshot import Snapshot
from slotbeam.types import Slot


def document(request_id: str, snapshot: Snapshot, answer: Answer) -> dict[str, object]:
    """Return the answer of one query as JSON values: docs/http.md describes each field."""
    artifact = snapshot.artifact
    rows = [hit.row for hit in answer.hits]
    ids, titles = artifact.catalog.ids.take(rows), artifact.catalog.titles.take(rows)
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
        "items": [
            {
                "id": item_id,
                "title": title,
                "score": hit.score,
                "sid": hit.sid,
                **({} if hit.sid_logp is None else {"sid_logp": hit.sid_logp}),
                "source": hit.source,
            }
            for hit, item_id, title in zip(answer.hits, ids, titles, strict=True)
        ],
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
