"""What each kind of batch is scored by: mean negative log-likelihood in nats per predicted symbol."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from slotbeam.model.tokenizer import EOS, PAD
from slotbeam_train.policy.model import Policy

VECTOR_SHARE = 0.25
"""Weight of the item loss (nats per row) beside the SID loss (nats per slot)."""


@dataclass(frozen=True, slots=True)
class ItemTable:
    """What item vectors are made of: bags (N, K) ids, padded with PAD, and priors (N,) log(1 + popularity)."""

    bags: Tensor
    priors: Tensor


def loss_of(model: Policy, kind: str, ids: Tensor, target: Tensor, items: ItemTable, smoothing: float = 0.0) -> Tensor:
    """Score one batch.

    Args:
        kind: of the batch, see `data.Task`.
        ids: (N, T). target: as the kind says.
        items: of the corpus.
        smoothing: label smoothing of slot targets.

    Returns:
        A scalar: per slot, per text id or per row.
    """
    memory, mask = model.encode(ids)
    if kind == "sids":
        return _sid_loss(model, memory, mask, target, model.named(ids), smoothing)
    if kind == "retrieve":
        sids, numbers = target[:, : model.positions], target[:, model.positions :]
        of_sids = _sid_loss(model, memory, mask, sids, model.named(ids), smoothing)
        return of_sids + VECTOR_SHARE * _item_loss(model, memory, numbers, items)
    if kind == "slot":
        return _slot_loss(model, memory, mask, target, smoothing)
    if kind == "text":
        longest = int((target != PAD).sum(1).max())
        target = target[:, :longest]
        hidden, keep = model.decode_text(memory, mask, target), target != PAD
        return F.cross_entropy(model.text_head(hidden[keep]).float(), target[keep] - EOS)
    if kind == "department":
        known = target >= 0
        scores = model.decode_department(memory, mask).float()
        each = F.cross_entropy(scores, target.clamp(min=0), reduction="none")
        return (each * known).sum() / known.sum().clamp(min=1)
    raise ValueError(f"no loss for batches of kind {kind!r}. This is a bug.")


def _sid_loss(
    model: Policy, memory: Tensor, mask: Tensor | None, target: Tensor, named: Tensor, smoothing: float
) -> Tensor:
    """target (N, L) codes, teacher-forced."""
    logits = model.decode_sids(memory, mask, target, named)
    parts = [
        F.cross_entropy(one.float(), target[:, position], label_smoothing=smoothing)
        for position, one in enumerate(logits)
    ]
    return torch.stack(parts).mean()


def _item_loss(model: Policy, memory: Tensor, numbers: Tensor, items: ItemTable) -> Tensor:
    """numbers (N, 1 + negatives): each row's item against every item that the batch names.

    Rivals are drawn evenly from the items of one first slot, so the score learns how much likelier the item is than
    another of its kind, popularity included.
    """
    named, place = torch.unique(numbers, return_inverse=True)
    with torch.autocast(memory.device.type, enabled=False):  # bfloat16 is too coarse for scores this close
        vectors = model.item_vectors(items.bags[named])
        scores = model.query_vectors(memory.float()) @ vectors.T + model.prior_weight * items.priors[named]
        return F.cross_entropy(scores, place[:, 0])


def _slot_loss(model: Policy, memory: Tensor, mask: Tensor | None, target: Tensor, smoothing: float) -> Tensor:
    """target (N, 2) position, code; each row under its own position's softmax."""
    hidden = model.decode_slots(memory, mask, target[:, 0])
    heads = model.heads()
    total = hidden.new_zeros((), dtype=torch.float32)
    for position in sorted(set(target[:, 0].tolist())):
        rows = target[:, 0] == position
        logits = F.linear(hidden[rows], *heads[position]).float()
        total = total + F.cross_entropy(logits, target[rows, 1], reduction="sum", label_smoothing=smoothing)
    return total / len(target)
