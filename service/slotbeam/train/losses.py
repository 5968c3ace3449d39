"""What each kind of batch is scored by: mean negative log-likelihood in nats per predicted symbol."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from slotbeam.model.tokenizer import EOS, PAD
from slotbeam.train.model import Policy


def loss_of(model: Policy, kind: str, ids: Tensor, target: Tensor, smoothing: float = 0.0) -> Tensor:
    """Score one batch.

    Args:
        kind: of the batch, see `data.Task`.
        ids: (N, T). target: as the kind says.
        smoothing: label smoothing of slot targets.

    Returns:
        A scalar: per slot, per text id or per row.
    """
    memory, mask = model.encode(ids)
    if kind == "sids":
        logits = model.decode_sids(memory, mask, target)
        parts = [
            F.cross_entropy(one.float(), target[:, position], label_smoothing=smoothing)
            for position, one in enumerate(logits)
        ]
        return torch.stack(parts).mean()
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


def _slot_loss(model: Policy, memory: Tensor, mask: Tensor | None, target: Tensor, smoothing: float) -> Tensor:
    """target (N, 2) position, code; each row under its own position's softmax."""
    hidden = model.decode_slots(memory, mask, target[:, 0])
    total = hidden.new_zeros((), dtype=torch.float32)
    for position in sorted(set(target[:, 0].tolist())):
        rows = target[:, 0] == position
        logits = model.head(hidden[rows], position).float()
        total = total + F.cross_entropy(logits, target[rows, 1], reduction="sum", label_smoothing=smoothing)
    return total / len(target)
