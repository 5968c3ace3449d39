"""The one training loop, and the plan that says how many steps each stage gets."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from slotbeam.errors import InputError
from slotbeam_train.budget import Budget, ByClock, BySteps
from slotbeam_train.policy.model import Policy
from slotbeam_train.progress import Reporter
from slotbeam_train.stages.checkpoint import load_checkpoint, save_checkpoint
from slotbeam_train.stages.stages import Stage

PRECISIONS = ("auto", "float32", "bfloat16")

Lesson = tuple[Stage, Callable[[int], torch.Tensor]]
"""A stage, and its step → the loss of that step's batch (nats), by the model that is trained, on its device."""


@dataclass(frozen=True, slots=True)
class LoopOptions:
    """How the loop runs.

    Attributes:
        steps: of all stages together; minutes: instead of steps, how long the stages may take, by the clock.
        batch: rows a step. rate: peak learning rate. clip: largest gradient norm.
        precision: `auto` takes bfloat16 autocast where the processor multiplies it.
        device: `auto` takes CUDA when there.
        threads: of PyTorch; None leaves its default.
        checkpoint_s: seconds between checkpoints.
    """

    steps: int = 6000
    minutes: float | None = None
    batch: int = 224
    rate: float = 2e-3
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.98)
    clip: float = 1.0
    precision: str = "auto"
    device: str = "auto"
    threads: int | None = None
    checkpoint_s: float = 60.0


@dataclass(slots=True)
class StageReport:
    """What a stage did: steps, seconds, mean loss over its first and last tenth (nats)."""

    steps: int = 0
    seconds: float = 0.0
    first_loss: float = math.nan
    last_loss: float = math.nan
    gradient_norm: float = math.nan


@dataclass(slots=True)
class StagePlace:
    """Where training is.

    Attributes:
        stage: its index; step: in it; along: how much of the stage is done by the clock, 0 to 1, where that decides.
        tail: steps of the stage's last tenth that are in its report.
        plan: steps of each stage; by the clock, those of the stages that are done.
    """

    stage: int = 0
    step: int = 0
    along: float = 0.0
    tail: int = 0
    plan: list[int] = field(default_factory=list)
    reports: dict[str, dict[str, float]] = field(default_factory=dict)


def device_of(name: str) -> torch.device:
    return torch.device(("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name)


def multiplies_bfloat16() -> bool:
    """Say whether this processor does; with AVX-512 alone PyTorch converts, which takes longer than float32."""
    own = platform.machine() not in ("x86_64", "AMD64") or torch.cpu._is_avx512_bf16_supported()
    return own and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def precision_of(name: str, device: torch.device, multiplies: Callable[[], bool] = multiplies_bfloat16) -> torch.dtype:
    """Return what matrix products on a device are made in. Raises `InputError` for a name that does not exist."""
    if name not in PRECISIONS:
        raise InputError(f"precision {name!r} is unknown; allowed: {', '.join(PRECISIONS)}")
    if name != "auto":
        return torch.bfloat16 if name == "bfloat16" else torch.float32
    fast = torch.cuda.is_bf16_supported() if device.type == "cuda" else multiplies()
    return torch.bfloat16 if fast else torch.float32


def learning_rate(stage: Stage, step: int, steps: int, peak: float) -> float:
    """Warm-up, then cosine from the peak to `stage.end` of it."""
    top, warm = peak * stage.rate, max(1, round(stage.warmup * steps))
    if step < warm:
        return top * (step + 1) / warm
    along = (step - warm) / max(1, steps - warm)
    return top * (stage.end + (1 - stage.end) * 0.5 * (1 + math.cos(math.pi * along)))


class Trainer:
    """Gives lessons one after the other to one model; may be stopped and resumed at any step."""

    def __init__(
        self,
        model: Policy,
        lessons: Sequence[Lesson],
        options: LoopOptions,
        seed: int,
        reporter: Reporter,
        checkpoint: Path | None = None,
        budget: Budget | None = None,
    ) -> None:
        """Prepare a run.

        Args:
            lessons: in their order.
            checkpoint: file to keep; None keeps none.
            budget: what the stages may take; None: `options.minutes` of training in all, or else `options.steps`.
        """
        if options.threads:
            torch.set_num_threads(options.threads)
        self.device = device_of(options.device)
        self.precision = precision_of(options.precision, self.device)
        self.model = model.to(self.device)
        self.lessons, self.options, self.seed, self.reporter = list(lessons), options, seed, reporter
        self.checkpoint, self.budget = checkpoint, budget
        decay = [p for p in model.parameters() if p.ndim > 1]
        plain = [p for p in model.parameters() if p.ndim <= 1]
        groups = [{"params": decay, "weight_decay": options.weight_decay}, {"params": plain, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=options.rate, betas=options.betas, fused=True)
        self.place = StagePlace()

    def resume(self) -> bool:
        """Go on from the checkpoint; False when there is none."""
        if self.checkpoint is None or not self.checkpoint.is_file():
            return False
        self.place = StagePlace(**load_checkpoint(self.checkpoint, self.model, self.optimizer))
        return True

    def run(self, until: int | None = None) -> dict[str, dict[str, float]]:
        """Train to the end of the plan (or for `until` steps, for tests) and return the stages' reports."""
        if not self.place.plan:
            self.place.plan = self._plan(self.options.steps)
        if self.budget is None and self.options.minutes:
            before = sum(report["seconds"] for report in self.place.reports.values())
            self.budget = Budget(self.options.minutes * 60 - before)
        done = 0
        while self.place.stage < len(self.lessons):
            stage, _ = self.lessons[self.place.stage]
            course, left = self._course(), None if until is None else until - done
            done += self._stage(course, left)
            if course.goes_on(self.place.step):
                self._save()
                break
            self.place.plan[self.place.stage] = self.place.step
            report = self.place.reports[stage.name]
            losses = f"loss {report['first_loss']:.3f} → {report['last_loss']:.3f} nats"
            self.reporter.say(f"{stage.name} done: {report['steps']:.0f} steps in {report['seconds']:.0f} s, {losses}")
            self.place.stage, self.place.step, self.place.along, self.place.tail = self.place.stage + 1, 0, 0.0, 0
            self._save()
        return self.place.reports

    def _plan(self, steps: int) -> list[int]:
        total = sum(stage.share for stage, _ in self.lessons)
        return [max(1, round(steps * stage.share / total)) for stage, _ in self.lessons]

    def _course(self) -> BySteps | ByClock:
        """Of the stage ahead: its steps, or its share of the time that is left."""
        if self.budget is None:
            return BySteps(self.place.plan[self.place.stage])
        ahead = [stage.share for stage, _ in self.lessons[self.place.stage :]]
        ahead[0] *= 1 - self.place.along
        return ByClock(self.budget.part(ahead[0] / sum(ahead)), self.place.step, self.place.along)

    def _loss(self, step: int) -> torch.Tensor:
        _, loss_of = self.lessons[self.place.stage]
        torch.manual_seed(self.seed * 1_000_003 + self.place.stage * 100_003 + step)  # dropout, the same when resumed
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision is torch.bfloat16):
            return loss_of(step)

    def _stage(self, course: BySteps | ByClock, limit: int | None) -> int:
        """Run the current stage to the end of its course, or for `limit` steps; return how many were run."""
        place, (stage, _) = self.place, self.lessons[self.place.stage]
        report = StageReport(**place.reports.get(stage.name, {}))  # type: ignore[arg-type]
        self.model.train()
        begun = saved = time.monotonic()
        before, first_step, smooth = report.seconds, place.step, math.nan
        while course.goes_on(place.step) and (limit is None or place.step - first_step < limit):
            at, end = course.schedule(place.step)
            tenth = max(1, end // 10)
            for group in self.optimizer.param_groups:
                group["lr"] = learning_rate(stage, at, end, self.options.rate)
            loss = self._loss(place.step)
            loss.backward()  # type: ignore[no-untyped-call]
            norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.options.clip)
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
            value = float(loss.detach())
            smooth = value if math.isnan(smooth) else 0.95 * smooth + 0.05 * value
            if at < tenth or place.step == 0:
                report.first_loss = _running(report.first_loss, value, place.step)
            if at >= end - tenth:
                report.last_loss, place.tail = _running(report.last_loss, value, place.tail), place.tail + 1
            elif place.tail == 0:
                report.last_loss = value  # by the clock no step may begin in the last tenth
            report.gradient_norm = _running(report.gradient_norm, float(norm), place.step)
            place.step += 1
            now = time.monotonic()
            report.steps, report.seconds = place.step, before + now - begun
            place.reports[stage.name] = _facts(report)
            speed = (place.step - first_step) / max(now - begun, 1e-9)
            place.along = course.along if isinstance(course, ByClock) else 0.0
            expected = course.expected(place.step)
            self.reporter.step(stage.name, place.step, expected, smooth, self.optimizer.param_groups[0]["lr"], speed)
            if now - saved > self.options.checkpoint_s:
                self._save()
                saved = time.monotonic()
        return place.step - first_step

    def _save(self) -> None:
        if self.checkpoint is not None:
            save_checkpoint(self.checkpoint, self.model, self.optimizer, asdict(self.place))


def _running(mean: float, value: float, seen: int) -> float:
    """Mean of seen + 1 values, given the mean of `seen`."""
    return value if seen == 0 else mean + (value - mean) / (seen + 1)


def _facts(report: StageReport) -> dict[str, float]:
    return {name: getattr(report, name) for name in StageReport.__slots__ if not math.isnan(getattr(report, name))}
