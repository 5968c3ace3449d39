"""Blocks of items encoded by several processes; what comes back is in the order of the blocks."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from slotbeam.catalog.columns import Columns
from slotbeam.errors import SetupError
from slotbeam.indexing.encode import Given, ItemEncoder

_WAITING = 3
"""Blocks for each process that are read ahead."""

_encoder: ItemEncoder


def encoded(
    model: Path, max_tokens: int, language: Path, blocks: Iterable[list[Given]], jobs: int
) -> Iterator[Columns]:
    """Yield the columns of each block.

    Args:
        model: the artifact's `model/`.
        max_tokens: of an input row.
        language: the folding of the catalog.
        blocks: of items.
        jobs: processes; 1 encodes in this one.

    Raises:
        SetupError: a process was killed.
        ArtifactError: the model cannot be read.
    """
    if jobs == 1:
        encoder = ItemEncoder.load(model, max_tokens, language)
        yield from map(encoder.columns, blocks)
        return
    ItemEncoder.load(model, max_tokens, language)  # what is wrong with it is said here, not by each process
    spawn = multiprocessing.get_context("spawn")  # a fork would copy the locks of whatever threads run here
    pool = ProcessPoolExecutor(jobs, spawn, _begin, (str(model), max_tokens, str(language)))
    try:
        waiting: deque[Future[Columns]] = deque()
        for block in blocks:
            waiting.append(pool.submit(_columns, block))
            if len(waiting) > _WAITING * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise SetupError(
            "a process that encodes items was killed, perhaps for want of memory; nothing was written: "
            "give fewer --jobs, or more memory"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(model: str, max_tokens: int, language: str) -> None:
    global _encoder
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent has it too, and ends us
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    _encoder = ItemEncoder.load(Path(model), max_tokens, Path(language))
    gc.freeze()  # the dictionary stays: looking through it again and again took a tenth of the time


def _end_with_parent() -> None:
    """Wait for the parent's end: one that was killed closes nothing that a worker would notice."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _columns(block: list[Given]) -> Columns:
    return _encoder.columns(block)
