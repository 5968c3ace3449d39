"""The dual encoder of the dense baseline and its small training loop: resumable, by the policy's schedule."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from slotbeam.model.tokenizer import PAD, Layout
from slotbeam.types import FloatArray, IntArray
from slotbeam_train.budget import Budget, Clock, Steps
from slotbeam_train.options import TrainOptions
from slotbeam_train.policy.model import ModelOptions, Policy
from slotbeam_train.progress import Reporter
from slotbeam_train.stages.checkpoint import load_checkpoint, save_checkpoint
from slotbeam_train.stages.loop import device_of, learning_rate, precision_of
from slotbeam_train.stages.stages import S3

CHECKPOINT = "checkpoint.npz"

PARTS = 4
"""A batch is encoded in so many parts of like length, so that a long row pads only its own part."""

DrawBatch = Callable[[int], tuple[list[list[int]], list[list[int]], IntArray]]
"""step → query rows, title rows, item numbers (N,)."""


class DualEncoder(Policy):
    """The policy's encoder, used for queries and titles alike; the decoder is there and stays untrained."""

    def __init__(self, options: ModelOptions, layout: Layout) -> None:
        super().__init__(options, layout)
        self.log_scale = nn.Parameter(torch.tensor(np.log(20.0), dtype=torch.float32))

    def vectors(self, ids: Tensor) -> Tensor:
        """ids (N, T) → unit vectors (N, d), float32."""
        memory, _ = self.encode(ids)
        keep = (ids != PAD).unsqueeze(-1)
        pooled = (memory.float() * keep).sum(1) / keep.sum(1)
        return F.normalize(pooled, dim=-1)

    def of_rows(self, rows: Sequence[Sequence[int]], parts: int = PARTS) -> Tensor:
        """Vectors (N, d) of N id lists, in their order."""
        order = np.argsort([len(row) for row in rows], kind="stable")
        device = self.embedding.weight.device
        made = [
            self.vectors(torch.from_numpy(padded([rows[i] for i in part.tolist()])).to(device))
            for part in np.array_split(order, min(parts, len(rows)))
        ]
        return torch.cat(made)[torch.from_numpy(np.argsort(order))]

    def loss(self, queries: Tensor, titles: Tensor, items: Tensor, log_chance: Tensor) -> Tensor:
        """Mean of −log softmax of a query's own item among the batch's, in nats.

        Args:
            queries, titles: (N, d) unit vectors. items: (N,) item numbers; a double of a row's own item is no rival.
            log_chance: (N,) log of each item's chance to be drawn.
        """
        logits = self.log_scale.clamp(max=float(np.log(100.0))).exp() * (queries @ titles.T) - log_chance
        double = (items[:, None] == items) & ~torch.eye(len(items), dtype=torch.bool, device=items.device)
        return F.cross_entropy(logits.masked_fill(double, -torch.inf), torch.arange(len(items), device=items.device))


def padded(rows: Sequence[Sequence[int]]) -> IntArray:
    """(N, T) ids, padded with PAD to the longest row."""
    out = np.full((len(rows), max(map(len, rows))), PAD, np.int64)
    for index, row in enumerate(rows):
        out[index, : len(row)] = row
    return out


class Contrastive:
    """Trains a dual encoder by `options.loop`: its steps or its minutes, batch, rate, precision, device.

    Args:
        draw: makes the batch of a step. chances: (N,) of the items.
        directory: keeps the checkpoint; a stopped run goes on from there.
        clock: seconds of a clock that only goes forward.
    """

    def __init__(
        self,
        model: DualEncoder,
        draw: DrawBatch,
        chances: FloatArray,
        options: TrainOptions,
        directory: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        loop, self.clock = options.loop, clock
        if loop.threads:
            torch.set_num_threads(loop.threads)
        self.device = device_of(loop.device)
        self.precision = precision_of(loop.precision, self.device)
        self.model, self.draw, self.options = model.to(self.device), draw, options
        self.log_chance = torch.from_numpy(np.log(np.maximum(chances, 1e-12))).float().to(self.device)
        decay = [value for value in model.parameters() if value.ndim > 1]
        plain = [value for value in model.parameters() if value.ndim <= 1]
        groups = [{"params": decay, "weight_decay": loop.weight_decay}, {"params": plain, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=loop.rate, betas=loop.betas, fused=True)
        self.checkpoint = directory / CHECKPOINT
        self.place: dict[str, Any] = {"step": 0, "seconds": 0.0, "loss": 0.0, "along": 0.0}

    def run(self, until: int | None = None) -> dict[str, Any]:
        """Train to the end of the budget (or to step `until`, for tests); return steps, minutes and the last loss."""
        if self.checkpoint.is_file():
            self.place = load_checkpoint(self.checkpoint, self.model, self.optimizer)
        loop, place = self.options.loop, self.place
        self.model.train()
        course = self._course()
        begun = saved = self.clock()
        before, first = place["seconds"], place["step"]
        with Reporter(self.options.quiet) as reporter:
            while course.goes_on(place["step"]) and (until is None or place["step"] < until):
                rate = learning_rate(S3, *course.schedule(place["step"]), loop.rate)
                for group in self.optimizer.param_groups:
                    group["lr"] = rate
                loss = self._loss(place["step"])
                loss.backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(self.model.parameters(), loop.clip)
                self.optimizer.step()
                self.optimizer.zero_grad(set_to_none=True)
                value = float(loss.detach())
                place["loss"] = 0.95 * place["loss"] + 0.05 * value if place["step"] else value
                place["step"] += 1
                now = self.clock()
                place["seconds"] = before + now - begun
                speed = (place["step"] - first) / max(now - begun, 1e-9)
                place["along"] = course.along if isinstance(course, Clock) else 0.0
                reporter.step("dense", place["step"], course.expected(place["step"]), place["loss"], rate, speed)
                if now - saved > loop.checkpoint_s:
                    save_checkpoint(self.checkpoint, self.model, self.optimizer, place)
                    saved = now
        save_checkpoint(self.checkpoint, self.model, self.optimizer, place)
        return {"steps": place["step"], "minutes": round(place["seconds"] / 60, 2), "loss": round(place["loss"], 4)}

    def _course(self) -> Steps | Clock:
        """Of all steps, or of what is left of the minutes."""
        loop, place = self.options.loop, self.place
        if not loop.minutes:
            return Steps(loop.steps)
        left = Budget(loop.minutes * 60 - place["seconds"], self.clock)
        return Clock(left, place["step"], place.get("along", 0.0))

    def _loss(self, step: int) -> torch.Tensor:
        queries, titles, items = self.draw(step)
        torch.manual_seed(self.options.seed * 1_000_003 + step)  # dropout, the same when resumed
        numbers = torch.from_numpy(items).to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision is torch.bfloat16):
            query, title = self.model.of_rows(queries), self.model.of_rows(titles)
        return self.model.loss(query.float(), title.float(), numbers, self.log_chance[numbers])
