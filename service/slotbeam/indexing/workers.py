"""Blocks of items encoded by several processes; what comes back is in the order of the blocks."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from queue import SimpleQueue

from slotbeam.catalog.columns import Columns
from slotbeam.errors import SetupError
from slotbeam.indexing.encode import Given, ItemEncoder
from slotbeam.indexing.encodedindex import Encode, EncodedIndex

_WAITING = 3
"""Blocks for each process that are read ahead."""


def encoded(
    model: Path,
    max_tokens: int,
    language: Path,
    blocks: Iterable[list[Given]],
    jobs: int,
    known: EncodedIndex | None = None,
) -> Iterator[Columns]:
    """Yield the columns of each block, in one part or several.

    Args:
        model: the artifact's `model/`.
        max_tokens: of an input row.
        language: the folding of the catalog.
        blocks: of items.
        jobs: processes; 1 encodes in this one.
        known: an index whose items are encoded as they would be here; what it holds is taken from there.

    Raises:
        SetupError: a process was killed.
        ArtifactError: the model cannot be read.
    """
    if jobs == 1:
        encoder = ItemEncoder.load(model, max_tokens, language)
        for block in blocks:
            yield from _parts(block, encoder.columns, known)
        return
    ItemEncoder.load(model, max_tokens, language)  # what is wrong with it is said here, not by each process
    idle: SimpleQueue[Connection] = SimpleQueue()
    processes = [_started(idle, model, max_tokens, language) for _ in range(jobs)]
    threads = ThreadPoolExecutor(jobs)
    try:
        ask = partial(_asked, idle)
        waiting: deque[Future[list[Columns]]] = deque()
        for block in blocks:
            waiting.append(threads.submit(_parts, block, ask, known))
            if len(waiting) > _WAITING * jobs:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        for process in processes:
            process.kill()  # a thread that still waits for one then reads the end of its pipe
        threads.shutdown(cancel_futures=True)
        for process in processes:
            process.join()


def _started(idle: SimpleQueue[Connection], model: Path, max_tokens: int, language: Path) -> SpawnProcess:
    """Start a process that encodes, and leave the way to it among the idle ones."""
    # Not `ProcessPoolExecutor`: with a process killed while it starts, CPython 3.11's waits for ever now and then, its
    # feeding thread in the middle of a block that nobody reads. A pipe of its own ends with its process.
    ours, theirs = multiprocessing.Pipe()
    spawn = multiprocessing.get_context("spawn")  # a fork would copy the locks of whatever threads run here
    process = spawn.Process(target=_answer, args=(theirs, model, max_tokens, language), daemon=True)
    process.start()
    theirs.close()
    idle.put(ours)
    return process


def _parts(block: list[Given], encode: Encode, known: EncodedIndex | None) -> list[Columns]:
    return list(known.columns(block, encode)) if known else [encode(block)]


def _asked(idle: SimpleQueue[Connection], block: list[Given]) -> Columns:
    pipe = idle.get()
    try:
        pipe.send(block)
        answer: Columns | Exception = pipe.recv()
    except (EOFError, OSError):
        raise SetupError(
            "a process that encodes items was killed, perhaps for want of memory; nothing was written: "
            "give fewer --jobs, or more memory"
        ) from None
    finally:
        idle.put(pipe)
    if isinstance(answer, Exception):
        raise answer
    return answer


def _answer(pipe: Connection, model: Path, max_tokens: int, language: Path) -> None:
    """Encode what comes through the pipe until it ends, which it does with the parent, too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent has it too, and ends us
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    encoder = ItemEncoder.load(model, max_tokens, language)
    gc.freeze()  # the dictionary stays: looking through it again and again took a tenth of the time
    try:
        while True:
            block = pipe.recv()
            try:
                answer: Columns | Exception = encoder.columns(block)
            except Exception as error:
                answer = error
            pipe.send(answer)
    except (EOFError, OSError):
        return
