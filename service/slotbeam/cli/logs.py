"""The log of `up`, `serve` and `admin`: every line of standard error is one JSON event, whoever says it.

That is slotbeam itself, its libraries (uvicorn, asyncio, warnings), errors that nothing caught, and the embedded store.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, TextIO, cast

import structlog
from structlog.typing import Processor

from slotbeam.errors import SlotbeamError

log = structlog.get_logger("slotbeam.cli")


def configure_logging(level: str, process: str = "slotbeam") -> None:
    """Log JSON lines to standard error from here on: one event a line, whatever the text in it.

    Args:
        level: least severe event of slotbeam that is logged; of libraries it is at least `warning`.
        process: what a line says that it comes from: `up`, `serve` or `admin`.
    """
    chosen = getattr(logging, level.upper())

    def name_process(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {**event, "process": process}

    stamps: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        name_process,
    ]
    rendering: list[Processor] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    libraries = logging.StreamHandler(_STDERR)
    libraries.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=stamps,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    logging.basicConfig(level=max(chosen, logging.WARNING), handlers=[libraries], force=True)
    logging.captureWarnings(True)
    structlog.configure(
        processors=[*stamps, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(chosen),
        logger_factory=_LineLogger,
        cache_logger_on_first_use=True,
    )
    sys.excepthook = _uncaught
    sys.unraisablehook = lambda what: _uncaught(what.exc_type, what.exc_value, what.exc_traceback)
    threading.excepthook = lambda what: _uncaught(what.exc_type, what.exc_value, what.exc_traceback)


@contextmanager
def service() -> Iterator[None]:
    """Make what ends a command that serves its last log line; a terminal is told in plain words instead."""
    try:
        yield
    except SlotbeamError as error:
        if sys.stderr.isatty():
            raise
        log.critical(str(error))
        raise SystemExit(1) from None


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """Log what nothing caught, in any thread or a finaliser."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error or kind(), trace)
        return
    log.critical("an error that nothing caught. This is a bug", exc_info=(kind, error or kind(), trace))


class _Patient:
    """Standard error, but it loses a line rather than the request that logs it: the disk behind it may be full."""

    def write(self, text: str) -> None:
        with suppress(OSError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()


_STDERR = cast(TextIO, _Patient())


class _LineLogger(structlog.WriteLogger):
    """Writes a line and its end in one go: processes share the stream, and it may be unbuffered. Knows its name."""

    def __init__(self, name: str = "slotbeam") -> None:
        super().__init__(_STDERR)
        self.name = name
