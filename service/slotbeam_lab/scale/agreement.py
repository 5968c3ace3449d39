"""Does the beam search find what a search without its shortcuts finds?

The oracle is written for nothing but to be plain: PyTorch, every prefix decoded from its beginning, a dictionary of
prefixes in place of the trie, a sort in place of a selection. It shares no code with the served decoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import torch

from slotbeam.decode.beam import beam_search
from slotbeam.search.artifact import Artifact
from slotbeam.search.request import SearchRequest, history
from slotbeam.types import IntArray, Sid
from slotbeam_lab.measures.run import Asked
from slotbeam_train.export.artifact import read_parameters, restore
from slotbeam_train.policy.model import ModelOptions, Policy

WIDTH = 350

Children = dict[Sid, list[int]]
"""Prefix → the codes that may follow it, rising."""


def agreement(artifact: Artifact, policy: Policy, queries: Sequence[Asked], width: int = WIDTH) -> dict[str, Any]:
    """Decode queries to full depth both ways; `policy` is what the artifact was exported from.

    Returns:
        `top_1`: whether the first SID is the same, one value a query; `top_350`: the share of the oracle's SIDs that
        the beam search found; `nats`: the largest difference of a log-probability; `sids` that came out, and how many
        of them are `outside` the catalog's.
    """
    children = children_of(artifact.catalog.sids)
    everything = {tuple(sid) for sid in np.asarray(artifact.catalog.sids).tolist()}
    facts: dict[str, Any] = {"queries": len(queries), "top_1": [], "top_350": [], "nats": 0.0, "sids": 0, "outside": 0}
    for asked in queries:
        row = input_row(artifact, asked)
        wanted = plain_beams(policy, row, children, width)
        (memory,) = artifact.model.encode([row])
        beams = beam_search(artifact.model, memory, artifact.trie, width)
        leaves = beams.states - artifact.trie.levels[-2]
        sids = [tuple(sid) for sid in artifact.trie.sids(leaves).tolist()]
        facts["top_1"].append(int(sids[0] == wanted[0][0]))
        ours = dict(zip(sids, beams.logp.tolist(), strict=True))
        both = [(logp, ours[sid]) for sid, logp in wanted if sid in ours]
        facts["top_350"].append(round(len(both) / len(wanted), 6))
        facts["nats"] = max(facts["nats"], *(abs(a - b) for a, b in both))
        facts["sids"] += len(sids)
        facts["outside"] += len(set(sids) - everything)
    return facts


def input_row(artifact: Artifact, asked: Asked) -> IntArray:
    """Return the ids of the base group's input row, (T,)."""
    request = SearchRequest(asked.query, recent_queries=asked.recent_queries, recent_item_ids=asked.recent_item_ids)
    encoded = artifact.kae.encode(request.canonical())
    return artifact.inputs.build(encoded.text, encoded.sid, *history(artifact.catalog, request))


def policy_of(artifact: Artifact) -> Policy:
    """Return the trained policy that an artifact was exported from."""
    shape = artifact.manifest["model"]["shape"]
    options = ModelOptions(**{field.name: shape[field.name] for field in fields(ModelOptions)})
    policy = Policy(options, artifact.inputs.layout)
    restore(policy, read_parameters(artifact.directory / "model", options.heads))
    return policy.eval()


def children_of(sids: IntArray) -> Children:
    """Return what may follow every prefix of `sids` (N, L)."""
    children: dict[Sid, set[int]] = {}
    for sid in map(tuple, np.unique(sids, axis=0).tolist()):
        for depth, code in enumerate(sid):
            children.setdefault(sid[:depth], set()).add(code)
    return {prefix: sorted(codes) for prefix, codes in children.items()}


@torch.inference_mode()
def plain_beams(policy: Policy, row: IntArray, children: Children, width: int) -> list[tuple[Sid, float]]:
    """Return the `width` best SIDs with their log-probabilities in nats, best first, ties in SID order."""
    ids = torch.from_numpy(np.asarray(row, np.int64))[None]
    memory, mask = policy.encode(ids)
    named = policy.named(ids)
    beams: list[tuple[Sid, float]] = [((), 0.0)]
    for position in range(policy.positions):
        prefixes = torch.zeros(len(beams), policy.positions, dtype=torch.long)
        for i, (prefix, _) in enumerate(beams):
            prefixes[i, :position] = torch.tensor(prefix, dtype=torch.long)
        rows = len(beams)
        logits = policy.decode_sids(memory.expand(rows, -1, -1), mask, prefixes, named.expand(rows, -1))[position]
        logp = torch.log_softmax(logits, -1).double().tolist()
        longer = [
            ((*prefix, code), score + logp[i][code])
            for i, (prefix, score) in enumerate(beams)
            for code in children[prefix]
        ]
        beams = sorted(longer, key=lambda beam: (-beam[1], beam[0]))[:width]
    return beams
