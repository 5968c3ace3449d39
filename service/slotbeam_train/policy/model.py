"""The policy in PyTorch: a pre-norm encoder–decoder over one shared embedding table.

Symbols: N rows of a batch, T input ids, L positions, S target text ids, d width, V_l slots at position l.
The serving graphs (`slotbeam_train/export/graphs.py`) are the same arithmetic, with the projections of cross-attention
folded together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from slotbeam.model.tokenizer import EOS, PAD, RECENT, SEEN, START, START_DEPARTMENT, START_TEXT, TEXT, Layout

MAX_TARGET_TEXT = 16
"""Text tokens that the decoder learns to write in the "back" tasks, <eos> included."""

PASS_BIAS = 3.0
"""What the logit of a slot that the row names is raised by before training (nats)."""


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Shape of the policy. `width` must be a multiple of `heads`; query and item vectors have `vector` components."""

    width: int = 128
    encoder_layers: int = 3
    decoder_layers: int = 1
    heads: int = 4
    feedforward: int = 4
    decoder_feedforward: int = 2
    max_tokens: int = 64
    dropout: float = 0.0
    vector: int = 64


class Attention(nn.Module):
    """Multi-head attention; projections carry no bias but the last."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width, bias=False)
        self.key_value = nn.Linear(width, 2 * width, bias=False)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor | None, causal: bool = False) -> Tensor:
        """x (N, Q, d) attends to memory (N, M, d); `mask` (N, 1, 1, M) is True where it may look."""
        rows, queries, width = x.shape
        q = self.query(x).view(rows, queries, self.heads, -1).transpose(1, 2)  # (N, H, Q, dh)
        k, v = self.key_value(memory).view(rows, memory.shape[1], 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        attend = _attend if q.dtype is torch.bfloat16 and not q.is_cuda else F.scaled_dot_product_attention
        y = attend(q, k, v, attn_mask=mask, is_causal=causal)
        out: Tensor = self.out(y.transpose(1, 2).reshape(rows, queries, width))
        return out


def _attend(q: Tensor, k: Tensor, v: Tensor, attn_mask: Tensor | None, is_causal: bool) -> Tensor:
    """Attention in plain products: on a CPU in bfloat16 the fused kernel is 2 to 8 times slower on rows this short."""
    scores = (q @ k.transpose(-1, -2)).float() * q.shape[-1] ** -0.5  # (N, H, Q, M)
    if is_causal:
        later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1)
        scores = scores.masked_fill(later, -torch.inf)
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, -torch.inf)
    return torch.softmax(scores, -1).to(v.dtype) @ v


class FeedForward(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.down(F.relu(self.up(x)))
        return out


class EncoderLayer(nn.Module):
    def __init__(self, options: ModelOptions) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(options.width)
        self.attention = Attention(options.width, options.heads)
        self.norm2 = nn.LayerNorm(options.width)
        self.feedforward = FeedForward(options.width, options.width * options.feedforward)
        self.dropout = nn.Dropout(options.dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        y = self.norm1(x)
        x = x + self.dropout(self.attention(y, y, mask))
        out: Tensor = x + self.dropout(self.feedforward(self.norm2(x)))
        return out


class DecoderLayer(nn.Module):
    def __init__(self, options: ModelOptions) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(options.width)
        self.attention = Attention(options.width, options.heads)
        self.norm2 = nn.LayerNorm(options.width)
        self.cross = Attention(options.width, options.heads)
        self.norm3 = nn.LayerNorm(options.width)
        self.feedforward = FeedForward(options.width, options.width * options.decoder_feedforward)
        self.dropout = nn.Dropout(options.dropout)

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor | None) -> Tensor:
        y = self.norm1(x)
        x = x + self.dropout(self.attention(y, y, None, causal=x.shape[1] > 1))
        x = x + self.dropout(self.cross(self.norm2(x), memory, mask))
        out: Tensor = x + self.dropout(self.feedforward(self.norm3(x)))
        return out


class Policy(nn.Module):
    """π(s | input), with a text head and a department head that serve training only."""

    def __init__(self, options: ModelOptions, layout: Layout, departments: int = 1) -> None:
        super().__init__()
        self.options, self.layout = options, layout
        self.positions = len(layout.sizes)
        width = options.width
        self.embedding = nn.Embedding(layout.vocabulary, width, padding_idx=PAD)
        self.encoder_place = nn.Parameter(torch.empty(options.max_tokens, width))
        self.decoder_place = nn.Parameter(torch.empty(self.positions, width))
        self.text_place = nn.Parameter(torch.empty(MAX_TARGET_TEXT, width))
        self.encoder = nn.ModuleList(EncoderLayer(options) for _ in range(options.encoder_layers))
        self.encoder_norm = nn.LayerNorm(width)
        self.decoder = nn.ModuleList(DecoderLayer(options) for _ in range(options.decoder_layers))
        self.decoder_norm = nn.LayerNorm(width)
        self.slot_bias = nn.Parameter(torch.zeros(sum(layout.sizes)))
        self.pass_on = nn.Linear(width, 1, bias=False)
        self.pass_bias = nn.Parameter(torch.empty(self.positions))
        self.department = nn.Linear(width, max(1, departments))
        self.query_head = nn.Linear(width, options.vector, bias=False)
        self.item_gate = nn.Parameter(torch.zeros(width))
        self.item_mix = nn.Linear(width, width)
        self.item_head = nn.Linear(width, options.vector, bias=False)
        self.vector_scale = nn.Parameter(torch.tensor(math.log(10.0)))
        self.prior_weight = nn.Parameter(torch.tensor(0.1))
        self.dropout = nn.Dropout(options.dropout)
        self._initialise()

    def _initialise(self) -> None:
        for table in (self.embedding.weight, self.encoder_place, self.decoder_place, self.text_place):
            nn.init.normal_(table, std=0.05)
        with torch.no_grad():
            self.embedding.weight[PAD].zero_()
        nn.init.constant_(self.pass_bias, PASS_BIAS)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    # the encoder

    def encode(self, ids: Tensor) -> tuple[Tensor, Tensor | None]:
        """ids (N, T), padded with PAD at the end → memory (N, T, d) and its mask (N, 1, 1, T), None without padding."""
        keep = ids != PAD
        mask = None if bool(keep.all()) else keep[:, None, None, :]
        x = self.dropout(self.embedding(ids) + self.encoder_place[: ids.shape[1]])
        for layer in self.encoder:
            x = layer(x, mask)
        return self.encoder_norm(x), mask

    # vectors

    def query_vectors(self, memory: Tensor) -> Tensor:
        """memory (N, T, d) → (N, e) of length `exp(vector_scale)`: what the first token has gathered of the row."""
        direction = F.normalize(self.query_head(memory[:, 0]).float(), dim=-1)
        return direction * self.vector_scale.exp()

    def item_vectors(self, bags: Tensor) -> Tensor:
        """bags (M, K) ids, padded with PAD → (M, e) unit vectors: a gated mean of the shared table, then two layers."""
        table = self.embedding.weight
        gates = (table @ self.item_gate)[bags].masked_fill(bags == PAD, -torch.inf)
        mean = F.embedding_bag(bags, table, per_sample_weights=torch.softmax(gates, -1), mode="sum")
        return F.normalize(self.item_head(mean + F.relu(self.item_mix(mean))).float(), dim=-1)

    # the decoder

    def _decode(self, x: Tensor, memory: Tensor, mask: Tensor | None) -> Tensor:
        x = self.dropout(x)
        for layer in self.decoder:
            x = layer(x, memory, mask)
        out: Tensor = self.decoder_norm(x)
        return out

    def heads(self) -> list[tuple[Tensor, Tensor]]:
        """Return of each position its slots' rows of the shared table (V_l, d) and their biases (V_l,).

        They are cut at once: the gradient of one slice of the table is as large as the table.
        """
        _, *tables = torch.split(self.embedding.weight, [self.layout.slot_start, *self.layout.sizes])
        return list(zip(tables, torch.split(self.slot_bias, list(self.layout.sizes)), strict=True))

    def named(self, ids: Tensor) -> Tensor:
        """ids (N, T) → (N, L): the row's own SID, the slots before its text and history; 0 where it names none."""
        offsets = torch.tensor(self.layout.slot_offsets, device=ids.device)
        sizes = torch.tensor(self.layout.sizes, device=ids.device)
        own = torch.cumsum((ids == TEXT) | (ids == RECENT) | (ids == SEEN), dim=1) == 0
        codes = ids[:, :, None] - offsets  # (N, T, L)
        inside = own[:, :, None] & (codes >= 0) & (codes < sizes)
        return torch.where(inside, codes, 0).amax(dim=1)

    def decode_sids(self, memory: Tensor, mask: Tensor | None, sids: Tensor, named: Tensor) -> list[Tensor]:
        """Teacher-forced logits: sids (N, >= L-1) → L tensors (N, V_l); position l sees only codes < l.

        A slot that the row names (`named`, (N, L)) is passed on: its logit is raised by as much as the decoder says,
        so that a slot that was never seen bound routes to itself, too.
        """
        offsets = torch.tensor(self.layout.slot_offsets[:-1], device=sids.device)
        start = torch.full((len(sids), 1), START, dtype=torch.long, device=sids.device)
        previous = torch.cat([start, sids[:, : self.positions - 1] + offsets], dim=1)  # (N, L)
        hidden = self._decode(self.embedding(previous) + self.decoder_place, memory, mask)
        raised = (self.pass_on(hidden)[..., 0] + self.pass_bias) * (named > 0)  # (N, L)
        logits = [F.linear(own, *head) for own, head in zip(hidden.unbind(1), self.heads(), strict=True)]
        return [
            one.scatter_add(1, named[:, position, None], raised[:, position, None].to(one.dtype))
            for position, one in enumerate(logits)
        ]

    def decode_slots(self, memory: Tensor, mask: Tensor | None, positions: Tensor) -> Tensor:
        """Hidden (N, d) of one slot alone, row n at `positions[n]`, no prefix: the word → slot task."""
        x = (self.embedding.weight[START] + self.decoder_place[positions])[:, None]  # (N, 1, d)
        return self._decode(x, memory, mask)[:, 0]

    def decode_text(self, memory: Tensor, mask: Tensor | None, text: Tensor) -> Tensor:
        """Teacher-forced hidden (N, S, d) of text ids (N, S); `text_head` makes logits of it."""
        start = torch.full((len(text), 1), START_TEXT, dtype=torch.long, device=text.device)
        previous = torch.cat([start, text[:, :-1]], dim=1)
        return self._decode(self.embedding(previous) + self.text_place[: text.shape[1]], memory, mask)

    def text_head(self, hidden: Tensor) -> Tensor:
        """hidden (..., d) → logits (..., 1 + text vocabulary): <eos>, then the text ids."""
        return F.linear(hidden, self.embedding.weight[EOS : self.layout.slot_start])

    def decode_department(self, memory: Tensor, mask: Tensor | None) -> Tensor:
        """Logits (N, departments)."""
        x = self.embedding.weight[START_DEPARTMENT].expand(len(memory), 1, -1)
        out: Tensor = self.department(self._decode(x, memory, mask)[:, 0])
        return out
